"""The README's tour, really taken: each shell block runs, and what it prints is what the README shows.

`make run` is stood in for by what it starts, `framekeep run`, since the test must not install anything; `make test` is
what runs this, and has installed what `make detector` installs. `--update-golden` writes what is printed now into the
README.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
README = HOME / "README.md"
REFERENCE = HOME / "docs" / "reference.md"
BLOCK = re.compile(r"```sh\n(?P<script>.*?)```(?:\n\n```text\n(?P<shown>.*?)```)?", re.DOTALL)
STOOD_IN_FOR = {"make run\n", "make test\n", "make detector\n"}
SHOWN_FOLDER = "/srv/framekeep"


@contextmanager
def daemon(folder: Path, environ: dict[str, str]) -> Iterator[None]:
    """What `make run` starts."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["framekeep", "run"], cwd=folder, env=environ, stderr=log)
    try:
        wait_until((folder / "var" / "run" / "state.json").exists)
        yield
    finally:
        process.terminate()
        assert process.wait(60) == 0


def wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a checkout to the README's reader."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "docs").symlink_to(HOME / "docs")
    (folder / "config.toml").write_bytes((HOME / "config.toml").read_bytes())
    (folder / "incoming").mkdir()
    return folder


@pytest.fixture(scope="module")
def environ(checkout: Path) -> dict[str, str]:
    """The console script on the path, and no configuration but the checkout's own."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "FRAMEKEEP_CONFIG": str(checkout / "config.toml")}


@pytest.fixture(scope="module")
def printed(checkout: Path, environ: dict[str, str]) -> dict[str, str]:
    """What each block of the tour prints."""
    with daemon(checkout, environ):
        return {script: output(script, checkout, environ) for script in scripts() if script not in STOOD_IN_FOR}


def scripts() -> list[str]:
    return [block["script"] for block in BLOCK.finditer(README.read_text())]


def output(script: str, folder: Path, environ: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script], cwd=folder, env=environ, stdout=subprocess.PIPE, check=True
    )
    if delivered := re.search(r"cp docs/pictures/(\S+) incoming/gate/", script):
        wait_until(lambda: output(f"framekeep decisions --json --path gate/{delivered[1]}", folder, environ) != "")
    return done.stdout.decode().replace(str(folder), SHOWN_FOLDER)


def alike(text: str) -> str:
    """Without what may differ from one machine to the next: numbers, and how wide they make a table."""
    return re.sub(r"[\d,.]+", "#", " ".join(text.split()))


def updated(readme: str, printed: dict[str, str]) -> str:
    def block(found: re.Match[str]) -> str:
        if found["shown"] is None:
            return found[0]
        return found[0].replace(found["shown"], printed[found["script"]])

    return BLOCK.sub(block, readme)


def test_the_tour_prints_what_the_readme_shows(printed: dict[str, str], update_golden: bool) -> None:
    if update_golden:
        README.write_text(updated(README.read_text(), printed))
    shown = {block["script"]: block["shown"] or "" for block in BLOCK.finditer(README.read_text())}
    assert shown.keys() > STOOD_IN_FOR
    assert len(printed) > 3
    for script, text in printed.items():
        assert alike(text) == alike(shown[script]), script


@pytest.mark.usefixtures("printed")
@pytest.mark.parametrize(
    "command", ["sweep --dry-run", "decisions", "explain incoming/gate/coffee.jpg", "doctor", "models"]
)
def test_the_reference_tells_of_every_json_field(command: str, checkout: Path, environ: dict[str, str]) -> None:
    answer = json.loads(output(f"framekeep {command} --json", checkout, environ).splitlines()[0])
    verb = command.split(maxsplit=1)[0]
    section = REFERENCE.read_text().split(f"### framekeep {verb} --json\n")[1].split("\n##")[0]
    assert fields(answer) - set(re.findall(r"`(\w+)`", section)) == set()


def fields(answer: object) -> set[str]:
    """The names in an answer at every depth; what is counted by reason is not named by the answer."""
    if isinstance(answer, list):
        return {name for item in answer for name in fields(item)}
    if not isinstance(answer, dict):
        return set()
    return set(answer) | {n for name, item in answer.items() if name != "reasons" for n in fields(item)}
