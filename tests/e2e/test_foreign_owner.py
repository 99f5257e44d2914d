"""As the service's user on another user's pictures: tests that run as root would not see what is not permitted."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from framekeep.reasons import Reason

SERVICE, CAMERA = 64_001, 64_002
SERVICE_UNIT = (Path(__file__).parents[2] / "systemd/framekeep.service").read_text()
UNIT = re.search(r"^AmbientCapabilities=(.*)$", SERVICE_UNIT, re.MULTILINE)[1].lower().replace("cap_", "").split()

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become two other users"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed"),
]


def as_service(*capabilities):
    """The service's user with these capabilities, as systemd starts it."""
    wanted = ",".join(["-all", *(f"+{name}" for name in capabilities)])
    user = ["setpriv", f"--reuid={SERVICE}", f"--regid={SERVICE}", "--clear-groups", "--no-new-privs"]
    command = [*user, f"--inh-caps={wanted}", f"--ambient-caps={wanted}", f"--bounding-set={wanted}"]
    tried = subprocess.run([*command, "true"], check=False, capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"the rights that it takes cannot be given here: {tried.stderr.strip()}")
    return command


@pytest.fixture
def camera(site, drawn):
    """A picture of the camera's user, in a folder that nobody else may enter, below a root of the service's user."""
    path = site.put("gate/private.jpg", drawn(1))
    for owned in (site.folder, site.root):
        os.chown(owned, SERVICE, SERVICE)
    for owned in (path, path.parent):
        os.chown(owned, CAMERA, CAMERA)
    os.setxattr(path, "user.camera", b"gate")
    path.chmod(0o440)
    path.parent.chmod(0o700)
    return path


def test_with_the_units_capabilities_owner_and_mode_are_kept(site, camera, drawn):
    data, before = camera.read_bytes(), camera.stat()
    group_bit = site.put("gate/group-bit.jpg", drawn(2))
    os.chown(group_bit, CAMERA, CAMERA)
    group_bit.chmod(0o2640)  # the kernel lets nobody else give this away, and says nothing
    swept = site.run("sweep", "--json", before=as_service(*UNIT))
    assert swept.returncode == 3, swept.stderr
    after = camera.stat()
    assert after.st_size < len(data)
    assert (after.st_uid, after.st_gid, after.st_mode) == (CAMERA, CAMERA, before.st_mode)
    assert after.st_mtime_ns == before.st_mtime_ns
    assert os.getxattr(camera, "user.camera") == b"gate"
    (original,) = (path for path in site.vault.iterdir() if not path.suffix)
    assert (original.read_bytes(), original.stat().st_ino, original.stat().st_uid) == (data, before.st_ino, CAMERA)
    assert (site.root / ".framekeep").stat().st_uid == SERVICE
    assert site.decided("gate/group-bit.jpg").reason is Reason.NOT_PERMITTED
    assert (group_bit.read_bytes(), group_bit.stat().st_mode & 0o7777) == (drawn(2), 0o2640)


def test_without_them_own_pictures_are_replaced_and_others_stay(site, camera, drawn):
    data, before = camera.read_bytes(), camera.stat()
    own = site.put("yard/own.jpg", drawn(3))
    os.setxattr(own, "user.camera", b"yard")
    own.chmod(0o444)  # its owner may not set attributes now
    for owned in (own, own.parent):
        os.chown(owned, SERVICE, SERVICE)
    # The right to read all is what a Python below another user's home needs to be started at all.
    swept = site.run("sweep", "--json", before=as_service("dac_read_search"))
    assert swept.returncode == 3, swept.stderr
    assert site.decided("gate/private.jpg").reason is Reason.NOT_PERMITTED
    assert (camera.read_bytes(), camera.stat().st_ino, camera.stat().st_uid) == (data, before.st_ino, CAMERA)
    assert not list(site.staged.iterdir())
    assert site.replaced("yard/own.jpg").bytes_after == own.stat().st_size
    assert (os.getxattr(own, "user.camera"), own.stat().st_mode & 0o7777) == (b"yard", 0o444)
