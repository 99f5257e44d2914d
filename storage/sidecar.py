"""A sidecar: what the ledger knows of a vault's entry, in a small JSON file beside it, should the ledger be lost.

It is written to staged/ENTRY.json, is durable before the exchange, and from then on goes where its entry goes.
"""

import base64
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from framekeep.reasons import Reason, Standing
from storage import renameat2
from storage.files import FileIdentity
from storage.records import Draft, Place, Settings
from storage.root import Root, remove

SUFFIX: Final = ".json"
_FORMAT: Final = 1
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LONGEST: Final = 1 << 20
_SAME: Final = (
    *("rung", "quality", "bytes_after", "label", "probability", "evidence_before", "evidence_after"),
    *("regions", "vault_days", "device", "versions", "note", "generation", "delivered"),
)
"""What a draft and its sidecar hold in the same form."""


class NoSidecarError(Exception):
    """There is none, or it cannot be understood. The text says why."""


def name_of(entry: str) -> str:
    return entry + SUFFIX


def is_one(name: str) -> bool:
    return name.endswith(SUFFIX)


def entry_of(name: str) -> str:
    """The entry that a sidecar of this name belongs to."""
    return name.removesuffix(SUFFIX)


def stage(root: Root, draft: Draft) -> None:
    """Writes the sidecar of a replacement that is about to be planned; staging the variant fsyncs the folder of both.

    Raises OSError, and then nothing is left behind.
    """
    name = name_of(draft.vault_entry or "")
    descriptor = os.open(name, _CREATE, 0o600, dir_fd=root.staged)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(_encoded(draft))
        os.fsync(descriptor)
    except BaseException:
        remove(root.staged, name)
        raise
    finally:
        os.close(descriptor)


def follow(source: int, entry: str, target: int, name: str = "") -> None:
    """Moves an entry's sidecar, if it has one, from one open folder to where its entry goes, which may rename it."""
    try:
        renameat2.take(source, name_of(entry), target, name_of(name or entry))
    except FileNotFoundError:
        return
    except FileExistsError:  # a crash came between: an entry's original comes once only, so this is the same sidecar
        remove(source, name_of(entry))


def succeed(source: int, entry: str, target: int) -> None:
    """Puts an entry's sidecar in the place of an earlier one of the same entry; it may have been moved already."""
    with suppress(FileNotFoundError):
        os.rename(name_of(entry), name_of(entry), src_dir_fd=source, dst_dir_fd=target)


def drop(folder: int, entry: str) -> None:
    """Deletes an entry's sidecar, which may be gone already."""
    remove(folder, name_of(entry))


def load(folder: int, entry: str, root: str) -> Draft:
    """The draft of an entry's decision, of a picture that lies below `root` now. Raises NoSidecarError."""
    try:
        descriptor = os.open(name_of(entry), _READ, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as file:
            return _decoded(json.loads(file.read(_LONGEST)), root)
    except OSError as error:
        raise NoSidecarError(error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise NoSidecarError(f"cannot be understood: {error!r}") from error


def _encoded(draft: Draft) -> bytes:
    told = {
        "framekeep": _FORMAT,
        **_path_fields(draft.place.path),
        "reason": draft.reason.word,
        "bytes_before": draft.identity.size,
        "sha256_before": (draft.sha256_before or b"").hex(),
        "sha256_after": (draft.sha256_after or b"").hex(),
        "decided_at": draft.decided_at.isoformat(),
        "release_at": (draft.decided_at + timedelta(days=draft.vault_days)).isoformat(),
        "vault_entry": draft.vault_entry,
        "missed_by_watcher": draft.missed_by_watcher,
        "identity": asdict(draft.identity),
        "settings": asdict(draft.settings),
        **{name: getattr(draft, name) for name in _SAME},
    }
    return json.dumps(told, indent=1).encode()


def _path_fields(path: str) -> dict[str, str]:
    """A path that is no UTF-8 is given exactly as base64; JSON's text holds the other."""
    raw = os.fsencode(path)
    try:
        return {"path": raw.decode()}
    except UnicodeDecodeError:
        return {"path": raw.decode(errors="backslashreplace"), "path_bytes": base64.b64encode(raw).decode()}


def _decoded(told: Mapping[str, Any], root: str) -> Draft:
    if told["framekeep"] != _FORMAT:
        raise ValueError(f"its format is {told['framekeep']!r}")
    if Reason.of(told["reason"]).standing is not Standing.REPLACED:
        raise ValueError(f"its reason is {told['reason']!r}")
    path = base64.b64decode(told["path_bytes"]) if "path_bytes" in told else told["path"].encode()
    return Draft(
        place=Place(root, os.fsdecode(path)),
        settings=Settings(**{field.name: told["settings"][field.name] for field in fields(Settings)}),
        reason=Reason.of(told["reason"]),
        identity=FileIdentity(**told["identity"]),
        decided_at=datetime.fromisoformat(told["decided_at"]).astimezone(UTC),
        sha256_before=_hash(told["sha256_before"]),
        sha256_after=_hash(told["sha256_after"]),
        vault_entry=told["vault_entry"],
        missed_by_watcher=told["missed_by_watcher"],
        **{name: told[name] for name in _SAME},
    )


def _hash(text: str) -> bytes:
    sha256 = bytes.fromhex(text)
    if len(sha256) != 32:  # noqa: PLR2004 - SHA-256's
        raise ValueError(f"{text!r} is no SHA-256")
    return sha256
