"""docs/policy.md never rots: its examples are configurations, what it says of paths holds, its sample is printed."""

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.policy import show_policy
from daemon.checks.policies import check_policies
from daemon.config.loading import load
from daemon.config.policy import PolicyBook
from daemon.config.schema import Config
from daemon.config.staging import PolicyBlock
from daemon.models import open_detection
from daemon.policy_explaining import explain_policy
from framekeep.models.detectors.oid import OID_FILE
from storage.records import Place

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"
HEADED = re.compile(r"^## (?P<heading>.*?)$(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SNIPPET = re.compile(r"```toml\n(.*?)```", re.DOTALL)
SAMPLE = re.compile(r"```sh\nframekeep policy explain (?P<path>\S+)\n```\n\n```text\n(?P<shown>.*?)```", re.DOTALL)
NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)
SHOP, CITY, PARK = "A shop with ten cameras", "A city with two thousand cameras", "A wildlife archive"


def snippets() -> list[tuple[str, str]]:
    """The heading above each snippet, and the snippet."""
    sections = HEADED.finditer(PAGE.read_text())
    return [(section["heading"], text) for section in sections for text in SNIPPET.findall(section["text"])]


@pytest.fixture
def example(tmp_path: Path):
    """The configuration in the one snippet below a heading."""

    def loaded(heading: str) -> Config:
        (text,) = [text for found, text in snippets() if found == heading]
        (tmp_path / "config.toml").write_text(text)
        return load(tmp_path / "config.toml")

    return loaded


@pytest.mark.parametrize(("heading", "text"), snippets(), ids=[heading for heading, _ in snippets()])
def test_every_snippet_can_be_used(heading: str, text: str, tmp_path: Path):
    (tmp_path / "config.toml").write_text(text)
    assert load(tmp_path / "config.toml").model_dump() != load(None).model_dump(), heading


@pytest.mark.parametrize("heading", [SHOP, CITY, PARK])
def test_the_examples_name_their_roots_and_their_time_zone(heading: str, example):
    config = example(heading)
    assert {"roots"} <= config.watch.model_fields_set
    assert not [check for check in check_policies(config) if check.name == "hours" and check.state == "warning"]


@pytest.mark.parametrize("heading", [SHOP, CITY])
@pytest.mark.skipif(not OID_FILE.exists(), reason="make detector-oid installs it")
def test_the_examples_detector_knows_their_classes(heading: str, example):
    config = example(heading)
    open_detection(config.model_copy(update={"selection": config.selection.model_copy(update={"device": "cpu"})}))


@pytest.mark.parametrize(
    ("heading", "path", "number"),
    [
        (SHOP, "staff-room/1.jpg", 1),
        (SHOP, "till-3/1.jpg", 2),
        (SHOP, "door-1/1.jpg", 3),
        (SHOP, "yard/1.jpg", 4),
        (SHOP, "aisle-2/1.jpg", None),
        (CITY, "crossing-0815/prosecutor/1.jpg", 1),
        (CITY, "bridge-7/2026/1.jpg", 2),
        (CITY, "school-12/1.jpg", 3),
        (CITY, "tram-2034/1.jpg", 4),
        (CITY, "trial-1/1.jpg", 5),
        (PARK, "published/lion-ir.jpg", 1),
        (PARK, "waterhole-2/20260301_021500-ir.jpg", 2),
        (PARK, "waterhole-2/20260301_121500.jpg", 3),
        (PARK, "ridge/1.jpg", None),
    ],
)
def test_each_kind_of_camera_meets_the_block_that_is_meant_for_it(heading: str, path: str, number: int | None, example):
    index = PolicyBook(example(heading)).index_of(path)
    assert (None if index is None else index + 1) == number


def test_the_table_has_every_key():
    (text,) = [section["text"] for section in HEADED.finditer(PAGE.read_text()) if section["heading"] == "Every key"]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} == set(PolicyBlock.model_fields)


def test_the_sample_is_what_is_printed(example, capsys: pytest.CaptureFixture[str], update_golden: bool):
    config, page = example(SHOP), PAGE.read_text()
    (sample,) = SAMPLE.finditer(page)
    (root,) = config.watch.roots
    place = Place(str(root), str(Path(sample["path"]).relative_to(root)))
    show_policy(explain_policy(config, place, NOON), config.holds.timezone)
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    if update_golden:
        PAGE.write_text(page[: sample.start("shown")] + printed + page[sample.end("shown") :])
    else:
        assert sample["shown"] == printed


def test_the_defaults_are_no_example():
    """Else the test of the snippets could not fail."""
    assert [text for _, text in snippets() if not tomllib.loads(text)] == []
