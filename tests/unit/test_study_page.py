"""The page: names every table and figure of the paper, stands alone, escapes what it shows, fills nothing in."""

import json
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from framekeep.errors import UsageError
from framekeep.ladder import parse_ladder
from study.data.folder import DataSet, Labelled
from study.figures.album import Album, examples
from study.figures.course import course_of
from study.figures.drawing import Drawn, NotDrawn
from study.measuring import Estimate, Gains, Resampling
from study.observations import Conditions, Observations
from study.page import verdicts
from study.page.evaluations import read_evaluation
from study.page.rendering import render
from study.page.sections import Findings, Section, document, sections
from study.report import Absent, NetworkReport, report
from study.tables.document import Facts
from study.topology.recipe import Recipe
from study.topology.results import Evaluation, Row
from study.topology.results import document as evaluation_document
from study.topology.runs import Run

TABLES = [f"Table {k}" for k in range(1, 9)]
FIGURES = [f"Figure {k}" for k in range(1, 13)]
HOSTILE = '"><script>alert(1)</script>&$.jpg'
MAPS = {"layer": "act", "maps": 41, "silent": 1, "median_background_lost": 0.5, "median_foreground_lost": 0.1}


def observations(ranks: list[list[int]], truth: list[list[float]]) -> Observations:
    """Ten classes, two rungs; the label is class 0, and others follow in order."""
    shape = len(ranks), 3
    order = [[[*range(1, rank), 0, *range(rank, 10)][:6] for rank in row] for row in ranks]
    sizes = np.tile(np.array([1000, 500, 100]), (len(ranks), 1))
    return Observations(
        Conditions("drawn", "00ff", "none", parse_ladder("90,10"), "none", "paper", 10),
        [f"class <{k}>" for k in range(10)],
        tuple(HOSTILE if k == 1 else f"{k}.jpg" for k in range(len(ranks))),
        tuple(bytes([k]) * 32 for k in range(len(ranks))),
        np.zeros(len(ranks), np.int32),
        sizes[:, 0],
        sizes,
        np.ones(shape, bool),
        np.array(ranks, np.int32),
        np.array(truth, np.float32),
        np.array(order, np.int32),
        np.full((*shape, 6), 0.1, np.float32),
    )


SEEN = observations([[1, 1, 9], [2, 2, 1], [6, 6, 5]], [[0.9, 0.8, 0.1], [0.3, 0.4, 0.7], [0.01, 0.02, 0.1]])


@pytest.fixture(scope="module")
def measured() -> NetworkReport:
    return report(SEEN, 1_000_000, "cpu", (0.3,), Resampling(resamples=50))


def drawn(number: str, data: dict[str, Any] | None = None) -> Drawn:
    return Drawn((number,), f"figure-{number}", f"caption of {number}", Figure(figsize=(1, 1)), data or {})


@pytest.fixture
def findings(measured: NetworkReport) -> Findings:
    maps = [drawn(number, MAPS | {"background_loses_more": 2}) for number in ("6", "9")]
    album: Album = [drawn("3"), drawn("4"), drawn("5"), *maps, NotDrawn(("4", "10", "11"), "there is none <like it>")]
    chosen = [examples(SEEN)[0], replace(examples(SEEN)[1], picture=None)]
    return Findings([measured, Absent("resnetv2_50", "no <connection>")], SEEN, album, chosen)


@pytest.fixture
def html(findings: Findings) -> str:
    return rendered(findings)


def rendered(findings: Findings) -> str:
    pictures = tuple(Labelled(path, 0) for path in SEEN.paths)
    facts = Facts(DataSet(Path("folder"), "labels of labels.csv", pictures), {}, SEEN, Resampling(resamples=50))
    return render(sections(findings), findings.reports, facts)


def by_name(made: list[Section], name: str) -> Section:
    return next(one for one in made if name in one.names)


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", ["Theorem 1", *TABLES, *FIGURES])
def test_the_page_has_a_place_for_everything_in_the_paper(html: str, name: str) -> None:
    anchors = [attributes.get("id") for _, attributes in Elements(html).found]
    assert anchors.count(name.lower().replace(" ", "-")) == 1


def test_the_page_stands_alone(html: str) -> None:
    found = Elements(html).found
    sources = [attributes["src"] for _, attributes in found if "src" in attributes]
    assert len(sources) == 5
    assert all(source and source.startswith("data:image/png;base64,iVBOR") for source in sources)
    assert [tag for tag, _ in found if tag in ("script", "link", "iframe", "object", "base")] == []
    links = [attributes["href"] for _, attributes in found if "href" in attributes]
    assert [link for link in links if not (link and link.startswith("#"))] == []
    assert "url(" not in html
    assert "@import" not in html


def test_what_is_shown_is_escaped(html: str) -> None:
    assert HOSTILE not in html
    text = Elements(html).text
    for name in (HOSTILE, 'ground truth "class <0>"', "no <connection>", "There is none <like it>."):
        assert name in text


def test_control_characters_are_spelled_out(findings: Findings) -> None:
    absent = Absent("resnetv2_50", "a\x1b[31m\x00\x85 name")
    html = rendered(replace(findings, reports=[findings.reports[0], absent]))
    assert r"a\x1b[31m\x00\x85 name" in html
    assert {char for char in html if not char.isprintable()} == {"\n"}


def test_networks_without_weights_and_those_not_asked_for_are_named(html: str) -> None:
    text = Elements(html).text
    assert "not measured: weights not present (no <connection>)" in text
    assert "not measured: give --model inception_v3.tf_in1k" in text
    assert "measured on cpu: 1.0 M parameters, weights 00ff" in text


@pytest.mark.parametrize(
    "name", ["Table 3", "Table 4", "Table 5", "Figure 1", "Figure 2", "Figure 12", "Figure 10", "Figure 11"]
)
def test_what_was_not_measured_is_not_filled_in(findings: Findings, name: str) -> None:
    section = by_name(sections(findings), name)
    assert section.verdict.standing == "not measured"
    assert section.pictures == ()


def test_the_topology_is_told_with_the_commands_that_train_it(findings: Findings, html: str) -> None:
    section = by_name(sections(findings), "Table 3")
    assert "1.28 million" in section.note
    assert section.commands[0].startswith("framekeep study train imagenet/train --validation imagenet/val")
    assert "77.964%" in html
    assert "cited [36]" in html


def test_each_claim_is_told_in_json(findings: Findings) -> None:
    told = document(sections(findings))
    names = [name for one in told for name in one["names"]]
    assert sorted(names) == sorted(["Theorem 1", *TABLES, *FIGURES])
    assert {"names", "claim", "standing", "sentence"} == set(json.loads(json.dumps(told))[0])


@pytest.mark.parametrize(
    ("found", "standing"),
    [
        (Estimate(6, 4, 9), "holds"),
        (Estimate(9, 8.5, 9.5), "holds"),
        (Estimate(3, 2, 4), "holds in part"),
        (Estimate(3, -1, 9), "holds in part"),
        (Estimate(0, 0, 0), "does not hold"),
        (Estimate(-1, -2, 9), "does not hold"),
    ],
)
def test_a_figure_holds_if_its_interval_is_above_and_reaches_the_papers(found: Estimate, standing: str) -> None:
    assert verdicts.standing_of(found, paper=5, above=0) == standing


def with_hrs(measured: NetworkReport, gain: tuple[float, float, float]) -> NetworkReport:
    return replace(measured, hrs_gains=Gains(Estimate(*gain), Estimate(0.02, 0.018, 0.03)))


def test_table_1_tells_the_gain_beside_the_papers(measured: NetworkReport) -> None:
    told = verdicts.hrs_accuracy(with_hrs(measured, (0.05, 0.04, 0.06)))
    assert told.standing == "holds"
    assert "top-1 by 5.0 points (95% CI 4.0 to 6.0; paper: 5.6)" in told.sentence
    assert verdicts.hrs_accuracy(with_hrs(measured, (0.01, 0.005, 0.02))).standing == "holds in part"


def test_several_networks_hold_as_well_as_the_worst(measured: NetworkReport) -> None:
    both = with_hrs(measured, (0.05, 0.04, 0.06)), with_hrs(measured, (0.0, 0.0, 0.0))
    told = verdicts.of_all(both, verdicts.hrs_accuracy)
    assert told.standing == "does not hold"
    assert told.sentence.count("drawn: HRS raises top-1 by") == 2


def test_tables_2_6_7_and_8_tell_what_was_measured(measured: NetworkReport) -> None:
    assert "the CR of HRS is 4.29 (" in verdicts.hrs_size(measured).sentence  # 3,000 bytes over 500 + 100 + 100
    assert "T1K 2.73 (" in verdicts.keepers_sizes(measured).sentence  # 3,000 bytes over 500 + 500 + 100
    assert "T1K costs -33.3 points of top-5" in verdicts.keepers_accuracy(measured).sentence  # HRS is not alone to gain


@pytest.mark.parametrize(
    ("gain", "standing", "where"),
    [
        (Estimate(-0.01, -0.03, 0.0), "holds", "in"),
        (Estimate(-0.01, -0.011, -0.009), "holds", "above"),
        (Estimate(-0.02, -0.03, -0.01), "holds in part", "in"),
        (Estimate(-0.02, -0.03, -0.018), "does not hold", "below"),
    ],
)
def test_table_6_tells_whether_a_loss_is_beyond_the_papers(
    measured: NetworkReport, gain: Estimate, standing: str, where: str
) -> None:
    gains = measured.keeper_gains | {"t1k": Gains(top1=Estimate(0, 0, 0), top5=gain)}
    told = verdicts.keepers_accuracy(replace(measured, keeper_gains=gains))
    assert told.standing == standing
    assert f"paper: up to 1.5, {where} that interval" in told.sentence


def test_figure_3_holds_where_the_accuracy_falls_beyond_chance(measured: NetworkReport) -> None:
    def told(before: Estimate, after: Estimate) -> str:
        default = replace(measured.selectors["default"], top1=before, top5=before)
        last = replace(measured.constants[10], top1=after, top5=after)
        changed = replace(
            measured, selectors=measured.selectors | {"default": default}, constants=measured.constants | {10: last}
        )
        return verdicts.constant_quality(changed).standing

    assert told(Estimate(0.9, 0.8, 1), Estimate(0.5, 0.4, 0.6)) == "holds"
    assert told(Estimate(0.9, 0.8, 1), Estimate(0.85, 0.7, 0.95)) == "holds in part"
    assert told(Estimate(0.9, 0.8, 1), Estimate(0.9, 0.8, 1)) == "does not hold"


def test_figure_4_counts_the_pictures_that_compression_helps() -> None:
    told = verdicts.one_picture(SEEN)
    assert told.standing == "holds"
    assert "Of 3 pictures, 2 (66.7%) have a variant with a better rank" in told.sentence
    assert verdicts.one_picture(observations([[1, 1, 1]], [[0.9, 0.8, 0.7]])).standing == "does not hold"


@pytest.mark.parametrize(("picture", "standing"), [(1, "holds"), (2, "holds"), (0, "does not hold")])
def test_figures_5_and_10_hold_where_rank_and_probability_rise(picture: int, standing: str) -> None:
    assert verdicts.example("#651", course_of(SEEN, picture)).standing == standing


@pytest.mark.parametrize(
    ("more", "lost", "standing"),
    [
        (27, 0.5, "holds"),
        (26, 0.5, "holds in part"),
        (10, 0.5, "holds in part"),
        (27, -0.5, "holds in part"),
        (20, -0.5, "does not hold"),
    ],
)
def test_feature_maps_hold_where_most_backgrounds_lose_more(more: int, lost: float, standing: str) -> None:
    told = verdicts.feature_maps(MAPS | {"background_loses_more": more, "median_background_lost": lost})
    assert told.standing == standing
    assert f"In {more} of 40 maps of layer act" in told.sentence


@pytest.mark.parametrize(
    ("counts", "standing"),
    [([9, 1, 10], "holds"), ([0, 9, 10], "holds"), ([0, 10, 9], "does not hold"), ([11, 1, 10], "does not hold")],
)
def test_figures_7_and_8_hold_where_lower_qfs_are_taken_more_often(
    measured: NetworkReport, counts: list[int], standing: str
) -> None:
    assert verdicts.selected_qualities(replace(measured, histograms={"hrs": counts})).standing == standing


def evaluation(gain: Estimate, gain5: Estimate | None = None) -> Evaluation:
    one = Estimate(0.8, 0.7, 0.9)
    nothing = Estimate(0, 0, 0)
    run = Run("resnetv2_50", "00", None, "none", "paper", "none", Recipe())
    rows = [
        Row("default", None, one, one, nothing, nothing, 0, 100),
        Row("from stages.3 onward", 1, one, one, gain, gain5 or gain, 50, 110),
    ]
    return Evaluation(run, 50, 0, 0, Resampling(resamples=50), rows)


def test_an_evaluation_is_read_as_it_was_printed(tmp_path: Path) -> None:
    made = evaluation(Estimate(0.005, 0.001, 0.01))
    file = tmp_path / "evaluation.json"
    file.write_text(json.dumps(evaluation_document(made)))
    assert asdict(read_evaluation(file)) == asdict(made)


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"run": {}})])
def test_a_file_that_holds_no_evaluation_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "evaluation.json"
    file.write_text(text)
    with pytest.raises(UsageError, match="study evaluate --json"):
        read_evaluation(file)


def test_an_evaluation_is_judged_in_tables_3_4_and_5(findings: Findings) -> None:
    made = sections(replace(findings, evaluations=[evaluation(Estimate(0.005, 0.001, 0.01))]))
    by_block, among = by_name(made, "Table 4"), by_name(made, "Table 5")
    assert by_block.verdict.standing == "holds"
    assert "from stages.3 onward from random weights" in by_block.verdict.sentence
    assert by_block.sheets[0].rows[1][0] == "from stages.3 onward"
    assert among.verdict.standing == "does not hold"  # a tenth more parameters
    assert among.sheets[0].rows[0][:2] == ("resnetv2_50", "measured here")


def test_the_topology_is_judged_by_top_5_too() -> None:
    rises, falls = Estimate(0.005, 0.001, 0.01), Estimate(-0.002, -0.004, 0.001)
    assert verdicts.topology(evaluation(rises, rises)).standing == "holds"
    assert verdicts.topology(evaluation(rises, falls)).standing == "does not hold"
    assert verdicts.topology(evaluation(falls, rises)).standing == "does not hold"
