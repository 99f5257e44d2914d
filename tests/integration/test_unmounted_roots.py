"""The empty mount point of a root whose disk is not mounted: nothing that the ledger knows of it is taken for gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from daemon.house import opened
from daemon.service import read_anew
from framekeep.errors import ConfigurationError
from framekeep.reasons import Reason
from storage.files import FileIdentity
from storage.ledger.opening import known_roots, open_reader, open_writer
from storage.records import Draft, Place, Settings

ASKS = "{} has no .framekeep/vault, though the ledger knows that it had one: is its disk mounted?"
SETTINGS = Settings("t1k", 0.0, "paper", 0.01, "4:2:0", progressive=True, model="steadfast", model_digest="00")


@contextmanager
def unmounted(site) -> Iterator[None]:
    disk = site.root.rename(site.folder / "disk")
    site.root.mkdir()
    yield
    site.root.rename(site.folder / "mount point")
    disk.rename(site.root)


@pytest.fixture
def crashed(swept):
    """A replacement was planned and a restoration begun, and the process died before either came to anything."""
    plan = Draft(
        place=Place(str(swept.root), "gate/9.jpg"),
        settings=SETTINGS,
        reason=Reason.SQUEEZED,
        identity=FileIdentity(9, 9, 9, 9),
        decided_at=datetime.now(UTC),
        rung="qf90",
        quality=90,
        bytes_after=5,
        sha256_before=b"before",
        sha256_after=b"after",
        vault_entry="9" * 32,
    )
    (decision,) = swept.decisions("gate/1.jpg")
    with open_writer(swept.config.ledger.url) as writer:
        writer.plan([plan])
        assert writer.begin_restoration(decision.number, datetime.now(UTC))
    return swept


def known(site) -> tuple[object, ...]:
    """All of the ledger that a start, a release or a restoration could change."""
    with open_writer(site.config.ledger.url) as writer:
        undone = (writer.pending(), writer.restorations())
    with open_reader(site.config.ledger.url) as reader:
        return (*undone, site.decisions(), reader.head())


@pytest.mark.parametrize(
    "command",
    [("release",), ("sweep",), ("restore", "gate/1.jpg"), ("hold", "add", "--camera", "gate", "--reason", "theft")],
)
def test_it_is_refused_and_the_ledger_is_as_before(crashed, capsys, command: tuple[str, ...]):
    before = known(crashed)
    verb, *rest = command
    words = [crashed.path(word) if word.endswith(".jpg") else word for word in rest]
    with unmounted(crashed):
        assert crashed.run(verb, *words) == 10
        assert not crashed.own.exists()
        assert known(crashed) == before
    assert ASKS.format(crashed.root) in capsys.readouterr().err
    assert crashed.run("restore", crashed.path("gate/1.jpg")) == 0
    assert crashed.restored() == {"gate/1.jpg"}


def test_no_deletion_is_told_of_either(swept, capsys):
    with unmounted(swept):
        assert swept.run("release", "--dry-run") == 0
    told = capsys.readouterr()
    assert "of deleted pictures" not in told.out
    assert "deletes_not_followed" in told.err


def test_it_is_refused_also_where_the_vault_has_nothing_left(filled):
    """Else its new vault would let it pass for a root that is there, to which nothing was moved from another one."""
    filled.configure(vault={"days": 0, "floor_megabytes": 0})
    filled.sweep()
    assert filled.run("release") == 0
    assert not filled.in_vault()
    with unmounted(filled):
        assert filled.run("release") == 10


def test_a_reload_is_refused(swept, steadfast):
    with opened(swept.config, steadfast()) as house, unmounted(swept):
        with pytest.raises(ConfigurationError, match="is its disk mounted"):
            read_anew(house, lambda: swept.config)
        assert not swept.own.exists()


def test_a_vault_that_was_made_by_hand_is_taken_for_emptied(swept, capsys):
    with unmounted(swept):
        assert swept.run("release") == 10
        for folder in (swept.own, swept.own / "vault"):
            folder.mkdir(mode=0o700)
        capsys.readouterr()
        assert swept.run("release") == 0
    assert "of deleted pictures: 4 originals" in capsys.readouterr().out


def test_known_roots(site):
    url = site.config.ledger.url
    assert known_roots(url) == frozenset()
    site.ledger.parent.mkdir()
    site.ledger.touch()
    assert known_roots(url) == frozenset()
    site.sweep()
    assert known_roots(url) == {str(site.root)}


def test_an_empty_root_is_known_by_a_release_as_well(site):
    site.sweep()
    other = site.folder / "other"
    other.mkdir()
    site.configure(watch={"roots": ["incoming", "other"]})
    assert site.run("release") == 0
    assert known_roots(site.config.ledger.url) == {str(site.root), str(other)}
