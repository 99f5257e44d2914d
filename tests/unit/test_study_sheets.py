"""The tables: as wide as a terminal, the paper's figures as the paper prints them."""

import re
from pathlib import Path

import numpy as np
import pytest

from framekeep.ladder import parse_ladder
from study.measuring import Resampling
from study.observations import Conditions, Observations
from study.published import HRS_GAIN, NETWORKS
from study.report import Absent, report
from study.tables.markdown import markdown
from study.tables.sheets import Sheet, sheets, size

PAPER = Path(__file__).parents[2] / ".." / "shared" / "paper.txt"
COLUMNS = 80


def worst() -> Observations:
    """Of a long name, a large set, and figures that need all their digits."""
    pictures, variants = 50, 11
    generator = np.random.default_rng(4)
    sizes = generator.integers(1, 14_000_000, (pictures, variants))
    return Observations(
        Conditions("tf_efficientnet_lite0", "00", "none", parse_ladder("paper"), "none", "paper", 1000),
        [str(k) for k in range(1000)],
        tuple(f"{k}.jpg" for k in range(pictures)),
        tuple(bytes([k]) * 32 for k in range(pictures)),
        np.zeros(pictures, np.int32),
        sizes[:, 0] * 0 + 140_000_000,
        sizes,
        np.ones((pictures, variants), bool),
        np.ones((pictures, variants), np.int32),
        np.ones((pictures, variants), np.float32),
        np.zeros((pictures, variants, 6), np.int32) + np.arange(6, dtype=np.int32),
        np.full((pictures, variants, 6), 0.1, np.float32),
    )


@pytest.fixture(scope="module")
def made() -> list[Sheet]:
    measured = report(worst(), 4_652_008, "cpu", (0.3,), Resampling(resamples=50))
    return sheets([measured, Absent("inception_v3.tf_in1k", "no connection")])


def width(sheet: Sheet) -> int:
    rows = (sheet.headers, *sheet.rows)
    return sum(max(len(row[k]) for row in rows) + 2 for k in range(len(sheet.headers))) - 2


def test_every_table_of_the_papers_that_a_pass_gives_is_there(made: list[Sheet]) -> None:
    assert [sheet.number for sheet in made if sheet.number] == ["1", "2", "6", "7, 8"]


def test_no_table_is_wider_than_a_terminal(made: list[Sheet]) -> None:
    assert {sheet.heading: width(sheet) for sheet in made if width(sheet) > COLUMNS} == {}


def test_every_row_has_all_columns(made: list[Sheet]) -> None:
    assert all(len(row) == len(sheet.headers) for sheet in made for row in sheet.rows)


def test_every_table_says_which_weights_are_not_present(made: list[Sheet]) -> None:
    for sheet in made:
        names = [row[0].strip() for row in sheet.rows]
        assert "weights not present" in names[names.index("inception_v3.tf_in1k") + 1]


def test_markdown_has_the_same_cells(made: list[Sheet]) -> None:
    text = markdown(made)
    assert text.count("### ") == len(made)
    table = text.partition("### Table 2")[2].splitlines()[2:]
    assert table[0].split(" | ")[:3] == ["| network", "default size", "HRS size"]
    assert table[1] == "| --- | ---: | ---: | ---: | ---: |"
    assert "| Inception V3 (paper) | 6.7 GB | 0.83 GB | 8.1 |  |" in table


@pytest.mark.parametrize(
    ("count", "shown"), [(6.7e9, "6.70 GB"), (92_549, "92.55 kB"), (1_119_154, "1.12 MB"), (12, "12 B")]
)
def test_sizes_are_in_the_papers_gigabytes_where_there_are_so_many(count: float, shown: str) -> None:
    assert size(count) == shown


@pytest.fixture(scope="module")
def printed() -> dict[str, list[list[float]]]:
    """The numbers of each row of the paper's tables, by the table's number."""
    if not PAPER.is_file():
        pytest.skip("the paper's text is not beside the checkout")
    tables = re.findall(r"\*\*Table (\d)\.\*\*.*?\n\n(.*?)\n\n", PAPER.read_text(), re.DOTALL)
    return {number: [numbers(line) for line in body.splitlines()[1:]] for number, body in tables}


def numbers(line: str) -> list[float]:
    found = (re.fullmatch(r"([\d.]+)[%\u00d7]?", cell) for cell in line.split("\t"))
    return [float(one[1]) for one in found if one]


def test_what_is_published_is_what_the_paper_prints(printed: dict[str, list[list[float]]]) -> None:
    both = [network.hrs for network in NETWORKS]
    hrs = [[a["default"].top1, a["hrs"].top1, a["default"].top5, a["hrs"].top5] for a in both]
    assert [*hrs, [HRS_GAIN.top1, HRS_GAIN.top5]] == printed["1"]
    sizes = [[6.7, network.sizes["hrs"].gigabytes, network.sizes["hrs"].ratio] for network in NETWORKS]
    assert sizes == printed["2"][:2]
    keepers = [[f for n in NETWORKS for f in (n.keepers[k].top1, n.keepers[k].top5)] for k in ("default", "t1k", "t5k")]
    assert keepers == printed["6"]
    for network, table in zip(NETWORKS, "78", strict=True):
        told = [network.sizes[key] for key in ("t1k", "t5k", "ttk")]
        assert [[6.7, one.gigabytes, one.ratio] for one in told] == printed[table]
        assert {one.table for one in told} == {int(table)}
