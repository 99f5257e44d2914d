"""The study of objects: what follows from observations that are given."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from framekeep.evidence import Detections, Evidence, Prediction
from framekeep.keepers.objects import ObjectRule
from framekeep.ladder import parse_ladder
from framekeep.models.both import Both
from study.objects.figures import Figures, Tally, overall
from study.objects.judging import judged
from study.objects.looking import Compared, Sample, camera_of, sampled
from study.objects.plotting import drawn, plot
from study.objects.rules import Bounds, Looked, rules_of
from study.objects.sheets import sheets

HERE, ELSEWHERE = (10, 10, 50, 90), (200, 10, 240, 90)
BOUNDS = Bounds(parse_ladder("100,90,50,10"), ObjectRule())
RULES = rules_of(BOUNDS)
CERTAIN, NOISE, OTHER_NOISE = (0.9, 0.06, 0.04), (0.2, 0.15, 0.1), (0.15, 0.2, 0.1)
"""Top-1 probabilities: recognised, or below min_confidence."""
PERSON = (("person", 0.9, HERE),)
FAINT = (("person", 0.45, HERE),)
TOO_CLOSE = (("person", 0.4004, HERE),)
"""A keeper does not take it, but it is there."""
COLUMNS = 80


def sees(
    probabilities: tuple[float, ...] = CERTAIN, found: tuple[tuple[str, float, tuple[int, int, int, int]], ...] = PERSON
) -> Evidence:
    labels = tuple(label for label, _, _ in found)
    scores = np.array([score for _, score, _ in found], np.float32)
    boxes = np.array([box for _, _, box in found], np.float32).reshape(-1, 4)
    return Evidence(Prediction(np.array(probabilities, np.float32)), Detections(labels, scores, boxes))


def looked(*variants: Evidence, sizes: tuple[int, ...] = (950, 900, 600, 300, 100)) -> Looked:
    """An original of 1,000 bytes, 950 squeezed; a variant that is not smaller may not be selected."""
    seen = (sees(), *variants)
    return Looked(sizes, tuple(size < 1000 for size in sizes), seen)


def told(picture: Looked, bounds: Bounds = BOUNDS) -> dict[str, Figures]:
    return dict(judged(1000, picture, rules_of(bounds), bounds))


def lost(figures: dict[str, Figures]) -> set[str]:
    return {rule for rule, one in figures.items() if one.lost}


def test_every_rule_is_there_and_every_rung_but_the_best() -> None:
    keepers = ["t1k", "ttk", "t1k at 0.3", "objects", "t1k,objects at 0.3"]
    assert [rule.name for rule in RULES] == [*keepers, "QF 90", "QF 50", "QF 10"]


def test_each_rule_chooses_by_what_it_keeps() -> None:
    picture = looked(sees(), sees(), sees(NOISE), sees(CERTAIN, ()))
    after = {rule: figures.after for rule, figures in told(picture).items()}
    assert after == {
        **dict.fromkeys(("t1k", "t1k at 0.3"), 100),
        "ttk": 100,
        "objects": 300,
        "t1k,objects at 0.3": 600,
        "QF 90": 600,
        "QF 50": 300,
        "QF 10": 100,
    }


def test_what_a_rule_does_not_keep_is_told_of() -> None:
    figures = told(looked(sees(), sees(), sees(OTHER_NOISE), sees(OTHER_NOISE, ())))
    assert lost(figures) == {"QF 10"}
    changed = {"objects", "QF 50", "QF 10"}
    assert {rule for rule, one in figures.items() if one.top1} == changed
    assert {rule for rule, one in figures.items() if one.recognised} == changed
    assert all(one.found == one.pictures == 1 for one in figures.values())


def test_noise_that_changes_is_no_recognised_label() -> None:
    picture = looked(*[sees(OTHER_NOISE)] * 4)
    figures = told(replace(picture, seen=(sees(NOISE), *picture.seen[1:])))["QF 10"]
    assert (figures.top1, figures.recognised) == (1, 0)


def test_an_object_elsewhere_is_lost_here_and_new_there() -> None:
    moved = sees(CERTAIN, (("person", 0.9, ELSEWHERE),))
    figures = told(looked(sees(), sees(), sees(CERTAIN, (*PERSON, ("car", 0.9, ELSEWHERE))), moved))
    assert [(figures[rule].lost, figures[rule].new, figures[rule].either) for rule in ("QF 50", "QF 10")] == [
        (0, 1, 1),
        (1, 1, 1),
    ]


def test_what_is_too_close_to_call_is_not_chosen_but_no_loss_either() -> None:
    figures = told(looked(sees(), sees(), sees(CERTAIN, FAINT), sees(CERTAIN, TOO_CLOSE)))
    assert figures["objects"].after == 300
    assert lost(figures) == set()


def test_the_papers_way_calls_every_tie() -> None:
    picture = looked(sees(), sees(), sees(CERTAIN, FAINT), sees(CERTAIN, TOO_CLOSE))
    assert told(picture, replace(BOUNDS, counting="paper"))["objects"].after == 100


def test_a_constant_quality_that_makes_no_smaller_file_leaves_the_original() -> None:
    figures = told(looked(*[sees(OTHER_NOISE, ())] * 4, sizes=(950, 1000, 1000, 1000, 100)))
    assert [figures[rule].after for rule in ("QF 90", "QF 50", "QF 10")] == [950, 950, 100]
    assert lost(figures) == {"QF 10"}


def test_where_the_squeezed_original_is_written_nothing_is_lost() -> None:
    picture = looked(*[sees(OTHER_NOISE, ())] * 4, sizes=(500, 500, 500, 300, 100))
    assert lost(told(picture)) == {"QF 50", "QF 10"}
    plain = Looked((1000, 1200, 1100, 300, 100), (True,) * 5, picture.seen)
    assert lost(told(plain, replace(BOUNDS, counting="paper"))) == {"QF 90", "QF 50", "QF 10"}


def test_classes_that_do_not_matter_may_be_lost() -> None:
    picture = looked(*[sees(CERTAIN, ())] * 4)
    only_cars = replace(BOUNDS, objects=ObjectRule(classes=("car",)))
    figures = told(picture, only_cars)
    assert (lost(figures), figures["objects"].found, figures["objects"].after) == (set(), 0, 100)


@pytest.mark.parametrize(("path", "camera"), [("gate/2026/1.jpg", "gate"), ("yard/1.jpg", "yard"), ("1.jpg", ".")])
def test_the_camera_is_the_first_folder(path: str, camera: str) -> None:
    assert camera_of(path) == camera


def test_figures_add_up_by_camera_and_over_all() -> None:
    tally = Tally()
    for camera, after, gone in (("yard", 100, 1), ("gate", 300, 0), ("yard", 200, 0)):
        tally.add(camera, "objects", Figures(pictures=1, before=1000, after=after, lost=gone))
    assert list(tally.cameras) == ["gate", "yard"]
    yard, every = tally.cameras["yard"]["objects"], overall(tally.cameras)["objects"]
    assert (yard.pictures, yard.after, yard.share(yard.lost)) == (2, 300, 0.5)
    assert (every.pictures, every.ratio, every.lost) == (3, 5, 1)


def test_a_sample_is_the_same_each_time_and_in_order() -> None:
    paths = [f"{k:02}.jpg" for k in range(50)]
    sample = sampled(Path(), paths, 7)
    assert sample == sampled(Path(), paths, 7)
    assert (len(set(sample.paths)), sample.of, list(sample.paths)) == (7, 50, sorted(sample.paths))
    assert sampled(Path(), paths, None).paths == sampled(Path(), paths, 50).paths == tuple(paths)


@dataclass(frozen=True)
class Named:
    """Models that nobody asks to look."""

    name: str
    digest, transform, device, class_names = "00", "none", "cpu", ("person",)


def compared(cameras: int = 5) -> Compared:
    figures = {
        rule.name: Figures(3, 2, 10_000, 900 + 700 * k, lost=min(k, 3), either=min(k, 3), top1=3)
        for k, rule in enumerate(RULES)
    }
    models = Both(Named("lite0"), Named("fasterrcnn_mobilenet_v3_large_320_fpn"))  # type: ignore[arg-type]  # as above
    sample = Sample(Path(), (), 0)
    return Compared(sample, BOUNDS, models, {f"camera_{k:02}": figures for k in range(cameras)}, {})


def test_no_table_is_wider_than_a_terminal_however_many_cameras() -> None:
    made = sheets(compared(40))
    for sheet in made:
        widths = [max(len(row[k]) for row in (sheet.headers, *sheet.rows)) for k in range(len(sheet.headers))]
        assert sum(widths) + 2 * (len(widths) - 1) <= COLUMNS
    shown = [camera for sheet in made if sheet.title.startswith("CR") for camera in sheet.headers[2:]]
    assert shown == [f"camera_{k:02}" for k in range(40)]


def test_every_table_has_every_rule() -> None:
    for sheet in sheets(compared()):
        assert [row[0] for row in sheet.rows] == [rule.name for rule in RULES]


@pytest.mark.parametrize("kind", [".png", ".svg"])
def test_the_plot_is_written_as_its_name_says(tmp_path: Path, kind: str) -> None:
    plot(compared(), tmp_path / f"objects{kind}")
    assert (tmp_path / f"objects{kind}").read_bytes()[:5] in (b"\x89PNG\r", b"<?xml")


def test_every_point_of_the_plot_has_its_name_and_none_covers_another() -> None:
    figure = drawn(compared())
    figure.draw_without_rendering()
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    assert {text.get_text() for text in texts} == {rule.name for rule in RULES}
    boxes = [text.get_window_extent() for text in texts]
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])
