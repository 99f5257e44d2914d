"""How much may be in memory at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Budget:
    """A number of pixels that all pictures in flight share. Belongs to one event loop."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._free = total
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def spending(self, pixels: int) -> AsyncIterator[None]:
        """Waits until so many are free. A picture larger than the whole budget goes alone."""
        pixels = min(pixels, self._total)
        async with self._changed:
            await self._changed.wait_for(lambda: self._free >= pixels)
            self._free -= pixels
        try:
            yield
        finally:
            async with self._changed:
                self._free += pixels
                self._changed.notify_all()
