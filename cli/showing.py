"""What is shown on standard error while a command works, in a thread of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

REFRESH_SECONDS: Final = 0.2
LINE_SECONDS: Final = 10


@contextmanager
def meanwhile(show: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs `show` until the context ends, which sets the event; waits for its end."""
    done = threading.Event()
    thread = threading.Thread(target=show, args=(done,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
