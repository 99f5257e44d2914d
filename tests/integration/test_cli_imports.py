"""What starting a command costs: what it does not need is not even imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import VERBS, run
from storage.ledger.opening import open_writer

GROUPS = {
    "config": ("init", "check", "show"),
    "hold": ("add", "list", "remove"),
    "ledger": ("head", "verify", "backup", "rebuild"),
    "policy": ("explain",),
    "study": ("tables", "objects", "train", "evaluate"),
}
PROBE = """
import json, sys
from cli.main import run
codes = [run(arguments) for arguments in json.loads(sys.argv[1])]
print(json.dumps({"codes": codes, "modules": sorted(sys.modules)}), file=sys.stderr)
"""


def imported(*commands: list[str]) -> set[str]:
    """The modules of a process that has run these commands, which must all succeed."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(commands)], capture_output=True, text=True, check=True, timeout=60
    )
    told = json.loads(done.stderr.splitlines()[-1])
    assert set(told["codes"]) == {0}
    return set(told["modules"])


def test_reading_the_ledger_needs_no_model_and_no_pictures(tmp_path: Path):
    open_writer(f"sqlite:///{tmp_path}/var/ledger.sqlite").close()
    config = tmp_path / "config.toml"
    config.touch()
    (tmp_path / "incoming").mkdir()
    reading = (["report"], ["decisions"], ["status"], ["config", "show"], ["config", "check"])
    modules = imported(["report", "--help"], *([*command, "--config", str(config)] for command in reading))
    assert not modules & {"torch", "torchvision", "timm", "PIL", "alembic", "watchdog", "apscheduler", "simplejpeg"}


def test_a_verbs_help_needs_no_configuration():
    assert not imported(["report", "--help"]) & {"daemon.config.schema", "sqlalchemy", "rich"}


def test_the_list_of_verbs_needs_no_model():
    assert not imported(["--help"]) & {"torch", "torchvision", "timm", "alembic"}


def test_every_verb_is_listed_with_its_whole_line_of_help(capsys: pytest.CaptureFixture[str]):
    assert run(["--help"]) == 0
    lines = capsys.readouterr().out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines if line.strip()] == list(VERBS)
    assert all(line.endswith(".") and not line.endswith("..") for line in lines if line.strip())


@pytest.mark.parametrize("verb", [*VERBS, *(f"{group} {verb}" for group, verbs in GROUPS.items() for verb in verbs)])
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]):
    assert run([*verb.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    if verb not in GROUPS:
        assert f"Example: framekeep {verb}" in shown
    assert max(map(len, shown.splitlines())) <= 80
