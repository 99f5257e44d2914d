"""A batch of restorations before somebody's eyes, and in a script."""

import re

import pytest

PICTURES = 12
BAR = "━"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def lines_of(shown):
    """The lines of a terminal; where one shows a bar, it shows nothing else, and the bar fits."""
    lines = [CONTROL.sub("", line) for line in re.split(r"[\r\n]+", shown)]
    assert all(len(line) <= 80 and "/gate/" not in line for line in lines if BAR in line)
    return lines


@pytest.fixture
def swept(site, drawn):
    """A site whose pictures were replaced; and their bytes by name."""
    site.configure(selection={"batch": 4})
    originals = {f"gate/{k:02}.jpg": drawn(k) for k in range(PICTURES)}
    for name, data in originals.items():
        site.put(name, data)
    done = site.run("sweep")
    assert done.returncode == 0, done.stderr
    assert all((site.root / name).read_bytes() != data for name, data in originals.items())
    return site, originals


def test_on_a_terminal_there_is_a_bar_as_wide_as_the_terminal(swept):
    site, originals = swept
    code, shown = site.on_terminal("restore", "--camera", "gate")
    assert code == 0
    lines = lines_of(shown)
    assert any(f"/{PICTURES}" in line for line in lines if BAR in line)
    told = {line.partition(" restored, ")[0] for line in lines if " restored, " in line}
    assert {f"{site.root}/{name}" for name in originals} <= told
    assert all((site.root / name).read_bytes() == data for name, data in originals.items())


def test_in_a_pipe_there_are_only_lines(swept):
    site, originals = swept
    plain = site.run("restore", "--camera", "gate")
    assert plain.returncode == 0
    assert plain.stderr == ""
    assert BAR not in plain.stdout
    assert "\x1b" not in plain.stdout
    assert len(plain.stdout.splitlines()) == len(originals)


def test_a_verification_tells_above_its_bar_what_it_finds(swept):
    site, originals = swept
    for name in originals:
        (site.root / name).write_bytes(b"in place")
    code, shown = site.on_terminal("verify")
    assert code == 14
    found = [line for line in lines_of(shown) if line.startswith(f"{site.root}/gate/") and " changed" in line]
    assert len(found) == len(originals)
