import errno
import os

import pytest
from structlog.testing import capture_logs

from daemon.faults import Faults, fault


@pytest.mark.parametrize(
    ("number", "sysctl"),
    [(errno.ENOSPC, "fs.inotify.max_user_watches"), (errno.EMFILE, "fs.inotify.max_user_instances")],
)
def test_a_limit_is_told_with_its_sysctl(number: int, sysctl: str):
    assert sysctl in fault("pictures", OSError(number, os.strerror(number)))


def test_another_fault_is_told_with_its_cause():
    sentence = fault("pictures below incoming", OSError(errno.ENOENT, os.strerror(errno.ENOENT)))
    assert sentence.startswith("pictures below incoming wait for the rescan (No such file or directory)")
    assert "maximum depth" in fault("pictures", RecursionError("maximum depth"))


def test_a_fault_is_logged_once_while_it_lasts():
    faults = Faults()
    with capture_logs() as logs:
        for _ in range(3):
            with faults.reviewed():
                faults.add("deaf", folder="gate")
            faults.add("deaf", folder="yard")
    assert [entry["event"] for entry in logs] == ["watch_degraded"]
    assert faults.text == "deaf"


def test_a_fault_passes_and_may_come_again():
    faults = Faults()
    with capture_logs() as logs:
        faults.add("deaf")
        with faults.reviewed():
            pass
        assert faults.text is None
        faults.add("deaf")
    assert [entry["event"] for entry in logs] == ["watch_degraded", "watch_recovered", "watch_degraded"]
