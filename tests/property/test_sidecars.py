"""A sidecar says all that is needed to know a decision again, whatever the picture's path is."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framekeep.reasons import Reason
from storage import sidecar
from storage.files import FileIdentity
from storage.records import Draft, Place, Settings
from storage.root import Root

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DRAFT = Draft(
    place=Place("/srv/pictures", "gate/a.jpg"),
    settings=Settings("t1k", 0.3, "paper", 0.01, "4:2:0", progressive=True, model="lite0", model_digest="ab"),
    reason=Reason.QUALIFIED,
    identity=FileIdentity(1000, 1, 2, 2**64 - 1),
    decided_at=NOON,
    rung="q10",
    quality=10,
    bytes_after=100,
    sha256_before=bytes(range(32)),
    sha256_after=bytes(32),
    label="vulture",
    probability=0.5,
    vault_entry="e" * 32,
    vault_days=7.5,
    device="cuda",
    versions="pillow 12",
    note="fine",
)
paths = st.binary(min_size=1).map(lambda raw: raw.replace(b"\0", b"x").decode("utf-8", "surrogateescape"))
instants = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1)).map(  # noqa: DTZ001 - made aware
    lambda naive: naive.replace(tzinfo=UTC)
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    with Root(str(tmp_path_factory.mktemp("root"))) as opened:
        yield opened


@given(paths, instants, st.none() | st.text(st.characters(codec="utf-8")), st.sampled_from(["qualified", "squeezed"]))
def test_what_was_written_is_read(root: Root, path: str, decided_at: datetime, label: str | None, word: str) -> None:
    draft = replace(DRAFT, place=Place(root.path, path), decided_at=decided_at, label=label, reason=Reason.of(word))
    sidecar.stage(root, draft)
    try:
        assert sidecar.load(root.staged, "e" * 32, root.path) == draft
    finally:
        sidecar.drop(root.staged, "e" * 32)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_person_reads_the_path_and_the_release(root: Root, path: str) -> None:
    sidecar.stage(root, replace(DRAFT, place=Place(root.path, path)))
    try:
        told = json.loads((Path(root.path) / ".framekeep" / "staged" / ("e" * 32 + ".json")).read_bytes())
        assert told["path"] == path
        assert datetime.fromisoformat(told["release_at"]) == NOON + timedelta(days=7.5)
    finally:
        sidecar.drop(root.staged, "e" * 32)


@given(st.binary() | st.recursive(st.none() | st.text(), st.lists).map(lambda value: json.dumps(value).encode()))
def test_rubbish_is_told(root: Root, data: bytes) -> None:
    (Path(root.path) / ".framekeep" / "vault" / "bad.json").write_bytes(data)
    with pytest.raises(sidecar.NoSidecarError):
        sidecar.load(root.vault, "bad", root.path)


def _without(told: dict[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in told.items() if name != key}


def test_what_lacks_something_or_is_no_replacement_is_told(root: Root) -> None:
    sidecar.stage(root, DRAFT)
    own = Path(root.path) / ".framekeep"
    told = json.loads((own / "staged" / ("e" * 32 + ".json")).read_bytes())
    sidecar.drop(root.staged, "e" * 32)
    changes = [{"framekeep": 2}, {"reason": "not_jpeg"}, {"reason": "?"}, {"sha256_before": "00"}, {"settings": {}}]
    needed = told.keys() - {"release_at", "bytes_before"}  # which are there for people
    for bad in [*(told | change for change in changes), *(_without(told, key) for key in needed)]:
        (own / "vault" / "bad.json").write_text(json.dumps(bad))
        with pytest.raises(sidecar.NoSidecarError):
            sidecar.load(root.vault, "bad", root.path)
