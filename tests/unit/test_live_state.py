"""The live state of a daemon."""

import json
import os
import subprocess
import sys

from daemon.live_state import LiveState, read_live_state


def test_a_living_daemon_is_seen(tmp_path):
    state = LiveState(tmp_path / "run")
    state.write({"waiting": 3})
    read = read_live_state(tmp_path / "run")
    assert read is not None
    assert (read["waiting"], read["pid"]) == (3, os.getpid())


def test_no_daemon_is_seen_where_none_ever_was(tmp_path):
    assert read_live_state(tmp_path / "run") is None


def test_a_daemon_that_has_gone_is_not_seen(tmp_path):
    state = LiveState(tmp_path)
    state.write({})
    state.remove()
    assert read_live_state(tmp_path) is None


def test_a_killed_daemon_is_not_seen_even_if_its_number_is_used_again(tmp_path):
    code = "from daemon.live_state import *; import sys; LiveState(Path(sys.argv[1])).write({})"
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    assert read_live_state(tmp_path) is None
    file = tmp_path / "state.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"pid": os.getpid()}))
    assert read_live_state(tmp_path) is None


def test_rubbish_is_no_daemon(tmp_path):
    for rubbish in ("", "[]", "{}", '{"pid": "x", "start_time": 1}'):
        (tmp_path / "state.json").write_text(rubbish)
        assert read_live_state(tmp_path) is None


def test_nothing_is_written_while_nothing_changes(tmp_path):
    state = LiveState(tmp_path)
    state.write({"waiting": 0})
    before = (tmp_path / "state.json").stat()
    state.write({"waiting": 0})
    assert (tmp_path / "state.json").stat().st_ino == before.st_ino
    state.write({"waiting": 1})
    assert (tmp_path / "state.json").stat().st_ino != before.st_ino
