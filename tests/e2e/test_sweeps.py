"""Sweeps as people run them: on a terminal, in a script, interrupted, and killed."""

import hashlib
import json
import signal
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

from framekeep.reasons import Standing
from storage.ledger.schema import State

CONTRACT = {"seen", "replaced", "kept", "skipped", "failed", "bytes_before", "bytes_after", "seconds"}


@pytest.fixture
def many(site, drawn):
    """A site with more pictures than are in flight at once; and their bytes by name."""
    site.configure(selection={"batch": 4})
    originals = {f"gate/{k:02}.jpg": drawn(k) for k in range(30)}
    for name, data in originals.items():
        site.put(name, data)
    return site, originals


def changed(site, originals):
    return [name for name, data in originals.items() if (site.root / name).stat().st_size != len(data)]


def check_from_outside(site, originals):
    """Every path holds the camera's bytes, or the variant of a confirmed decision whose original the vault holds."""
    confirmed = {d.place.path: d for d in site.decisions() if d.state is State.CONFIRMED and d.vault_entry}
    for name, data in originals.items():
        found = (site.root / name).read_bytes()
        if found == data:
            continue
        assert hashlib.sha256(found).hexdigest() == confirmed[name].sha256_after, name
        assert (site.vault / confirmed[name].vault_entry).read_bytes() == data, name


def processes(site):
    """Those that work in the site's folder: whatever was started there, and its children."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found += [process.name] if (process / "cwd").readlink() == site.folder else []
    return found


def test_on_a_terminal_there_is_a_bar_and_elsewhere_there_are_lines(site, drawn):
    for k in range(3):
        site.put(f"gate/{k}.jpg", drawn(k))
    code, shown = site.on_terminal("sweep")
    assert code == 0
    assert "━" in shown
    assert "smaller" in shown
    assert "3 seen: 3 replaced" in shown

    plain = site.run("sweep", "--json")
    assert plain.stderr.startswith("3 seen: 0 replaced, 0 kept, 3 skipped")
    assert "\x1b" not in plain.stderr
    summary = json.loads(plain.stdout.splitlines()[-1])
    assert summary.keys() >= CONTRACT
    assert summary["seen"] == summary["skipped"] == 3
    assert len(site.decisions()) == 3


def test_ctrl_c_finishes_what_is_in_flight_and_says_so(many, until):
    site, originals = many
    sweep = site.start("sweep", "--json", stdout=-1, stderr=-1, text=True)
    until(lambda: changed(site, originals), "something is replaced")
    sweep.send_signal(signal.SIGINT)
    output, errors = sweep.communicate(timeout=60)
    assert sweep.returncode == 130, errors
    summary = json.loads(output.splitlines()[-1])
    assert summary["interrupted"]
    parts = ("replaced", "kept", "skipped", "failed")
    assert summary["seen"] == sum(summary[part] for part in parts) < len(originals)
    assert summary["replaced"] == len(changed(site, originals))
    assert site.pending() == 0
    check_from_outside(site, originals)


def test_after_a_kill_every_path_is_whole_and_the_next_sweep_ends_the_work(many, until):
    site, originals = many
    sweep = site.start("sweep")
    until(lambda: len(changed(site, originals)) > 5, "some are replaced")
    assert len(processes(site)) > 1
    sweep.kill()
    sweep.wait()
    until(lambda: not processes(site), "its children have followed it")
    decided = {d.place.path: d.sha256_after for d in site.decisions()}
    with sqlite3.connect(site.folder / "var/ledger.sqlite") as ledger:
        assert ledger.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        planned = {row[0].hex() for row in ledger.execute("SELECT sha256_after FROM decision WHERE state = 0")}
    for name in changed(site, originals):
        found = hashlib.sha256((site.root / name).read_bytes()).hexdigest()
        assert found == decided.get(name) or found in planned

    resumed = site.run("sweep", "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["seen"] == len(originals)
    assert site.pending() == 0
    assert not list(site.staged.iterdir())
    check_from_outside(site, originals)
    replaced = [d.place.path for d in site.decisions() if d.reason.standing is Standing.REPLACED and d.vault_entry]
    assert len(replaced) == len(set(replaced)) == len(changed(site, originals))
