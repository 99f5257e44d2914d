"""How the command line leaves."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from cli import main

FRAMEKEEP = Path(sys.executable).with_name("framekeep")


def test_an_exit_takes_the_code_and_looks_for_no_garbage(monkeypatch):
    """What PyTorch made would be looked through, for longer than a second, to free what goes with the process."""
    monkeypatch.setattr(main, "run", lambda _: 7)
    monkeypatch.setattr(main.threading, "enumerate", list)
    try:
        with pytest.raises(SystemExit) as end:
            main.main()
        assert end.value.code == 7
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_a_full_disk_behind_the_output_is_told_in_a_sentence():
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([FRAMEKEEP, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "framekeep: what there is to tell could not be written: No space left on device\n"
