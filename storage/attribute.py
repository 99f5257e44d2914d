"""The mark on what framekeep wrote: the extended attribute `user.framekeep`.

It names the original's hash, the variant's own hash and the decision's entry, so that even a lost ledger is no cause
to shrink a picture again. A mark whose hash is not that of the content it lies on (a camera wrote into the same file)
says nothing.
"""

import errno
import json
import os
from dataclasses import dataclass
from typing import Final

NAME: Final = "user.framekeep"
_UNSUPPORTED: Final = {errno.ENOTSUP, errno.EPERM, errno.ENODATA}


@dataclass(frozen=True, slots=True)
class Mark:
    """Hashes are SHA-256 digests; `entry` is the original's name in the vault."""

    original: bytes
    variant: bytes
    entry: str

    def write(self, descriptor: int) -> bool:
        """Marks the open file; False where the filesystem keeps no such attributes."""
        text = json.dumps({"original": self.original.hex(), "variant": self.variant.hex(), "decision": self.entry})
        try:
            os.setxattr(descriptor, NAME, text.encode())
        except OSError as error:
            if error.errno != errno.ENOTSUP:
                raise
            return False
        return True


def read_mark(descriptor: int) -> Mark | None:
    """The open file's mark; None where there is none that can be understood."""
    try:
        fields = json.loads(os.getxattr(descriptor, NAME))
        return Mark(bytes.fromhex(fields["original"]), bytes.fromhex(fields["variant"]), str(fields["decision"]))
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        return None
    except (ValueError, KeyError, TypeError):
        return None
