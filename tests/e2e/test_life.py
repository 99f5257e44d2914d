"""From start to stop: what came meanwhile, reloads, restarts, and what happens to what is in flight."""

import io
import json
import signal

import pytest
from PIL import Image

from framekeep.reasons import Reason, Standing


def printed():
    """A picture that is kept for good, whatever the keeper is."""
    file = io.BytesIO()
    Image.new("CMYK", (64, 64), (10, 20, 30, 40)).save(file, "JPEG")
    return file.getvalue()


def status(site):
    return json.loads(site.run("status", "--json").stdout)["daemon"]


@pytest.fixture(scope="module")
def lived(new_site, serving, drawn, until):
    """A site whose daemon was started, reloaded and stopped in the middle of its work; with the daemon that ended."""
    site = new_site()
    site.put("gate/before.jpg", drawn(1))
    site.put("brief/short.jpg", drawn(2))
    site.put("gate/print.jpg", printed())
    brief = {"match": "brief/**", "vault_days": 0}
    site.configure(policy=[brief])
    with serving(site) as daemon:
        for name in ("gate/before.jpg", "brief/short.jpg", "gate/print.jpg"):
            site.decided(name)

        site.config.write_text(site.config.read_text() + "\nunknown = true\n")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.waits_until(lambda: daemon.logged("reload_failed"), "it refuses the configuration")

        site.configure(policy=[brief], selection={"keeper": "ttk"})
        daemon.process.send_signal(signal.SIGHUP)
        daemon.waits_until(lambda: len(daemon.logged("serving")) == 2, "it serves again")
        daemon.waits_until(lambda: len(site.decisions("gate/print.jpg")) == 2, "the kept picture is looked at again")
        daemon.stopping_before = daemon.told("STOPPING=1")
        daemon.waits_until(lambda: status(site)["kept"] == 2, "it tells of all that it has decided")
        daemon.status = status(site)

        originals = {f"late/{k}.jpg": drawn(10 + k) for k in range(12)}
        for name, data in originals.items():
            site.put(name, data)
        until(lambda: any(d.place.camera == "late" for d in site.decisions()), "the work on them has begun")
        daemon.exit_code = daemon.stop()
    daemon.pending = site.pending()
    daemon.originals = originals
    daemon.decisions = site.decisions()
    return site, daemon


def test_a_picture_that_came_while_nobody_watched_is_not_a_missed_one(lived):
    site, _ = lived
    assert not site.replaced("gate/before.jpg").missed_by_watcher


def test_a_bad_configuration_is_refused_in_the_log_with_its_fault(lived):
    _, daemon = lived
    (refusal,) = daemon.logged("reload_failed")
    assert "unknown" in refusal["error"]
    assert refusal["level"] == "error"


def test_a_reload_is_no_stop(lived):
    _, daemon = lived
    assert daemon.told("RELOADING=1")
    assert not daemon.stopping_before
    assert sum("READY=1" in message for message in daemon.messages) == 2


def test_a_reload_goes_on_counting(lived):
    """Two pictures were replaced before it; the third was kept before it and again after it."""
    _, daemon = lived
    assert daemon.status["replaced"] == 2
    assert daemon.status["since"] < min(decision.decided_at for decision in daemon.decisions).isoformat()


def test_a_changed_keeper_looks_again_at_kept_pictures_only(lived):
    _, daemon = lived
    keepers = {}
    for decision in daemon.decisions:
        keepers.setdefault(decision.place.path, []).append(decision.keeper)
    assert keepers["gate/print.jpg"] == ["t1k", "t1k,t5k"]
    assert keepers["gate/before.jpg"] == ["t1k"]
    assert {tuple(used) for path, used in keepers.items() if path.startswith("late/")} == {("t1k,t5k",)}


def test_sigterm_ends_what_is_in_flight_and_leaves_the_rest(lived):
    _, daemon = lived
    assert daemon.exit_code == 0
    assert daemon.told("STOPPING=1")
    assert daemon.pending == 0
    assert not daemon.logged("picture_failed")


def test_the_next_start_does_what_was_left_and_nothing_twice(lived, serving, until, drawn):
    site, daemon = lived
    with serving(site) as second:
        for name in daemon.originals:
            site.replaced(name)
        site.put("gate/last.jpg", drawn(30))
        site.replaced("gate/last.jpg")
        until(lambda: site.decisions("brief/short.jpg")[0].released_at, "the original without vault days is released")
        assert second.stop() == 0
    before = {d.number for d in daemon.decisions}
    again = {d.place.path for d in site.decisions() if d.number not in before}
    assert again <= {*daemon.originals, "gate/last.jpg"}
    replaced = [d for d in site.decisions() if d.reason.standing is Standing.REPLACED]
    assert len(replaced) == len({d.place.path for d in replaced}) == len(daemon.originals) + 3
    assert not [d for d in site.decisions() if d.reason is Reason.ALREADY_SHRUNK]


def test_what_was_released_is_gone_from_the_vault_and_the_rest_is_there(lived):
    site, _ = lived
    held = {decision.vault_entry for decision in site.decisions()} - {None}
    assert {path.name for path in site.vault.iterdir()} == held | {f"{entry}.json" for entry in held}
    assert len(held) == 14
