"""systemd's own tools judge the units."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from framekeep.errors import AlreadyRunningError, ConfigurationError, LedgerError, ModelUnavailableError, UsageError

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = ("framekeep.service", "framekeep-sweep.service")

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def settings(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (UNITS / unit).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as on a machine where there is something to start."""
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/opt/framekeep/bin/framekeep", sys.executable)
        (tmp_path / unit.name).write_text(text)
    return tmp_path


@needs_systemd
@pytest.mark.parametrize("unit", [*SERVICES, "framekeep-sweep.timer"])
def test_verify_finds_no_fault(installed, unit):
    verify = ["systemd-analyze", "verify", "--man=no", unit]
    judged = subprocess.run(verify, cwd=installed, check=False, capture_output=True, text=True)
    assert (judged.returncode, judged.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES)
def test_exposure_is_low(unit):
    weigh = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / unit)]
    judged = subprocess.run(weigh, check=True, capture_output=True, text=True)
    exposure = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", judged.stdout)
    assert exposure is not None
    assert float(exposure[1]) <= 1.5


def test_both_services_run_in_the_same_confinement():
    daemon, sweep = map(settings, SERVICES)
    own = {"Description", "Type", "ExecStart", "SuccessExitStatus"}
    assert {key: daemon[key] for key in sweep.keys() - own} == {key: sweep[key] for key in sweep.keys() - own}
    confining = "Private|Protect|Proc|Restrict|Capability|Ambient|NoNew|SystemCall|Memory|Lock|IPAddress|User|UMask"
    assert {key for key in daemon if re.match(confining, key)} <= sweep.keys()


def test_what_only_a_person_can_mend_is_not_tried_again():
    prevented = {int(code) for code in settings("framekeep.service")["RestartPreventExitStatus"][0].split()}
    assert prevented == {error.exit_code for error in (UsageError, ConfigurationError, ModelUnavailableError)}
    assert not prevented & {AlreadyRunningError.exit_code, LedgerError.exit_code}


@pytest.mark.parametrize("unit", SERVICES)
def test_what_counts_days_waits_for_the_right_time(unit):
    told = settings(unit)
    assert "time-sync.target" in told["Wants"]
    assert "time-sync.target" in told["After"][0].split()
