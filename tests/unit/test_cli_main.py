"""How the command line leaves."""

import gc

import pytest

from cli import main


def test_an_exit_takes_the_code_and_looks_for_no_garbage(monkeypatch):
    """What PyTorch made would be looked through, for longer than a second, to free what goes with the process."""
    monkeypatch.setattr(main, "run", lambda _: 7)
    try:
        with pytest.raises(SystemExit) as end:
            main.main()
        assert end.value.code == 7
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
