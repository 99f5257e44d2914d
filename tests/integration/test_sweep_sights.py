"""What a sweep does not get to see, and says so."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.forecast_answer import document, tell_shortcomings
from cli.forecast_answer import exit_code as forecast_exit_code
from cli.sweep import exit_code, passed_over
from daemon.forecasting.forecasting import Forecast, forecast
from daemon.forecasting.listing import targets_of as forecast_targets
from daemon.forecasting.progress import Progress
from daemon.house import opened
from daemon.sweep import Sweeping, sweep, targets_of
from daemon.tally import Tally
from framekeep.keepers.base import Need

NOBODY = 65534


@pytest.fixture
def open_site(site) -> Iterator:
    """A site that other users reach, too; pytest's own folders are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        open_site = type(site)(folder)
        open_site.configure(vault={"floor_megabytes": 0})
        open_site.root.mkdir()
        yield open_site


@pytest.fixture
def unprivileged(site, open_site) -> Iterator[None]:
    """As another user, to whom the site belongs, where the tests run as root, who may read everything."""
    if os.geteuid() != 0:
        yield
        return
    site.add("gate/1.jpg", b"no picture")
    site.sweep()  # loads all that it takes, which that user perhaps may not read
    for owned in (open_site.folder, open_site.root):
        os.chown(owned, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.usefixtures("unprivileged")
def test_folders_that_cannot_be_read_are_told_and_make_it_partial(open_site):
    for camera in ("gate", "yard", "door"):
        open_site.add(f"{camera}/1.jpg", b"no picture")
    open_site.path("yard").chmod(0)
    open_site.path("door").chmod(0)
    swept = open_site.sweep()
    assert (swept.tally.seen, swept.tally.failed) == (1, 0)
    assert swept.summary()["passed_over"] == {"unreadable": 2, "other_filesystem": 0}
    assert [told[:40] for told in passed_over(swept)] == ["2 folders or files could not be read (pa"]
    assert exit_code(swept) == 3
    open_site.path("yard").chmod(0o700)
    open_site.path("door").chmod(0o700)
    assert exit_code(open_site.sweep()) == 0


@pytest.mark.usefixtures("unprivileged")
def test_a_forecast_tells_of_folders_that_cannot_be_read_and_is_partial(open_site, steadfast, capsys):
    def foretold() -> Forecast:
        targets = forecast_targets(open_site.config, [open_site.root])
        return forecast(open_site.config, {Need.PREDICTION: steadfast()}, targets, 0.95, Progress(60))

    for camera in ("gate", "yard", "door"):
        open_site.add(f"{camera}/1.jpg", b"no picture")
    open_site.path("yard").chmod(0)
    open_site.path("door").chmod(0)
    found = foretold()
    assert document(found, 0.95)["passed_over"] == {"unreadable": 2, "other_filesystem": 0}
    tell_shortcomings(found, 0.95)
    assert "2 folders or files could not be read" in capsys.readouterr().err
    assert forecast_exit_code(found) == 3
    open_site.path("yard").chmod(0o700)
    open_site.path("door").chmod(0o700)
    assert forecast_exit_code(foretold()) == 0


def test_a_mount_below_the_root_is_told_and_no_failure(site):
    site.add("gate/1.jpg", b"no picture")
    site.path("mounted").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "none", site.path("mounted")], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("needs the right to mount")
    try:
        site.add("mounted/2.jpg", b"no picture")
        swept = site.sweep()
    finally:
        subprocess.run(["umount", site.path("mounted")], check=True)
    assert swept.summary()["passed_over"] == {"unreadable": 0, "other_filesystem": 1}
    assert [told[:36] for told in passed_over(swept)] == ["1 folders are on another filesystem "]
    assert (swept.tally.seen, exit_code(swept)) == (1, 0)


def test_where_all_is_seen_nothing_is_told(site):
    site.add("gate/1.jpg", b"no picture")
    swept = site.sweep()
    assert (list(passed_over(swept)), exit_code(swept)) == ([], 0)


def test_an_interruption_is_heeded_also_where_all_is_done_already(site, steadfast):
    for camera in range(20):
        site.add(f"{camera}/1.jpg", b"no picture")
    assert site.sweep().tally.seen == 20

    class Interrupted(Tally):
        def skip(self, size):
            super().skip(size)
            sweeping.interrupted = True

    sweeping = Sweeping(dry_run=False, tally=Interrupted())
    with opened(site.config, steadfast()) as house:
        sweep(house, targets_of(house.config, []), sweeping)
    assert sweeping.tally.seen == 1
    assert exit_code(sweeping) == 130
