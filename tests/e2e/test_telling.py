"""What a running daemon does unasked and tells: the ledger's head, deletions that it follows, chores, the breaker."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from framekeep.errors import ModelUnavailableError
from framekeep.models.catalogue import PACKAGED
from framekeep.models.weights import packaged_file
from framekeep.reasons import Reason, Standing
from storage.ledger.breakers import Opening
from storage.ledger.opening import open_writer

CHORES = ("verify", "drift")


def installed(name):
    """Whether a packaged model's weights are here."""
    try:
        return packaged_file(PACKAGED[name]).exists()
    except ModelUnavailableError:
        return False


@pytest.fixture
def swept(site, drawn):
    """Two cameras, whose two pictures each have been replaced."""
    site.configure(vault={"days": 0.5})
    for k, name in enumerate(("gate/1.jpg", "gate/2.jpg", "yard/1.jpg", "yard/2.jpg")):
        site.put(name, drawn(k))
    done = site.run("sweep")
    assert done.returncode == 0, done.stderr
    assert [decision.reason.standing for decision in site.decisions()] == [Standing.REPLACED] * 4
    return site


def test_the_head_in_the_log_is_the_ledgers_and_proves_it_later(swept, serving, drawn):
    with serving(swept) as daemon:
        (head,) = daemon.waits_until(lambda: daemon.logged("ledger_head"), "the head is logged")
        assert f"{head['number']} {head['digest']}" == swept.run("ledger head").stdout.strip()
        swept.put("gate/late.jpg", drawn(9))
        swept.replaced("gate/late.jpg")
        kept = f"{head['number']}:{head['digest']}"
        assert swept.run("verify", "--ledger", "--head", kept).returncode == 0
        assert daemon.stop() == 0
    assert int(swept.run("ledger head").stdout.split()[0]) > head["number"]
    assert swept.run("verify", "--ledger", "--head", f"{head['number']}:{'0' * 64}").returncode == 14


def test_what_was_deleted_leaves_the_vault_but_for_what_is_held(swept, serving):
    entries = {decision.place.path: decision.vault_entry for decision in swept.decisions()}
    assert swept.run("hold add", "--camera", "yard", "--reason", "theft").returncode == 0
    for name in ("gate/1.jpg", "yard/1.jpg"):
        (swept.root / name).unlink()
    with serving(swept) as daemon:
        (followed,) = daemon.waits_until(lambda: daemon.logged("followed_deletes"), "the deletion is followed")
        assert daemon.stop() == 0
    assert followed["originals"] == 1
    left = {path.name for path in swept.vault.iterdir() if path.suffix != ".json"}
    assert left == set(entries.values()) - {entries["gate/1.jpg"]}
    (deleted,) = swept.decisions("gate/1.jpg")
    assert (deleted.vault_entry, deleted.note) == (None, "its picture was deleted")


def test_chores_are_done_when_their_days_are_over(swept, serving):
    long_ago = datetime.now(UTC) - timedelta(days=40)
    with serving(swept) as daemon:
        daemon.waits_until(lambda: None not in done_at(swept).values(), "their time begins")
        assert daemon.stop() == 0
        assert not daemon.logged("verified")
    with open_writer(swept.url, clock=lambda: long_ago) as writer:
        for chore in CHORES:
            writer.chore_done(chore)
    (swept.root / "gate/1.jpg").write_bytes(b"in place")
    with serving(swept) as daemon:
        (verified,) = daemon.waits_until(lambda: daemon.logged("verified"), "it has verified")
        told = "drift_checked" if installed("tf_efficientnet_lite2") else "drift_unchecked"
        (drift,) = daemon.waits_until(lambda: daemon.logged(told), "it has looked for a drift")
        daemon.waits_until(lambda: min(done_at(swept).values()) > long_ago, "both are noted as done")
        assert daemon.stop() == 0
    assert (verified["examined"], verified["damaged"]) == (4, 1)
    (damage,) = daemon.logged("damage_found")
    assert (damage["kind"], damage["path"]) == ("changed", "gate/1.jpg")
    assert told == "drift_unchecked" or (drift["looked"], drift["model"]) == (3, "tf_efficientnet_lite2")


def done_at(site):
    with open_writer(site.url) as writer:
        return {chore: writer.chore_done_at(chore) for chore in CHORES}


def test_an_open_breaker_is_told_everywhere_and_ends_nothing(swept, serving, drawn):
    with open_writer(swept.url) as writer:
        writer.open_breaker(Opening(str(swept.root), "gate", "failures: 80%", datetime.now(UTC)))
    stopped = drawn(20)
    swept.put("gate/stopped.jpg", stopped)
    with serving(swept) as daemon:
        assert swept.decided("gate/stopped.jpg").reason is Reason.BREAKER
        swept.put("yard/other.jpg", drawn(21))
        swept.replaced("yard/other.jpg")
        assert (swept.root / "gate/stopped.jpg").read_bytes() == stopped
        where = f"{swept.root}/gate"
        daemon.waits_until(lambda: daemon.status().startswith(f"STATUS=BREAKER OPEN for {where}"), "systemd hears it")
        (open_line,) = daemon.logged("breaker_open")
        assert (open_line["where"], open_line["cause"]) == (where, "failures: 80%")
        (sentence,) = json.loads(swept.run("status", "--json").stdout)["daemon"]["breaker"]
        assert where in sentence
        assert "framekeep resume" in sentence

        assert swept.run("resume", "--camera", "gate", "--reason", "lens cleaned").returncode == 0
        daemon.waits_until(lambda: daemon.logged("breaker_resumed"), "it notices")
        daemon.waits_until(lambda: "BREAKER" not in daemon.status(), "systemd hears that it is over")
        daemon.waits_until(lambda: len(swept.decisions("gate/stopped.jpg")) == 2, "the picture is looked at again")
        assert (swept.root / "gate/stopped.jpg").read_bytes() != stopped
        assert json.loads(swept.run("status", "--json").stdout)["daemon"]["breaker"] == []
        assert daemon.stop() == 0


def test_a_daemon_whose_breaker_is_open_ends_with_0_when_it_is_told_to(swept, serving):
    with open_writer(swept.url) as writer:
        writer.open_breaker(Opening(str(swept.root), None, "too much", datetime.now(UTC)))
    with serving(swept) as daemon:
        assert daemon.stop() == 0
    assert swept.run("sweep").returncode == 15
