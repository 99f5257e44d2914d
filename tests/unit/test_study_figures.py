"""The figures' data, against figures made by hand; that what is drawn is what the data say."""

import json
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import timm
import torch
from numpy.typing import NDArray
from PIL import Image

from framekeep.errors import UsageError
from framekeep.jpeg.codec import decode, encode
from framekeep.ladder import Rung, parse_ladder
from framekeep.models.network import Network
from study.figures import beside, constant, course, histograms, maps
from study.figures.album import Drawn, Looked, NotDrawn, album, examples
from study.figures.drawing import plain, png, svg, write
from study.figures.finding import TOP_OF_37, TOP_OF_651, found_sheets, like
from study.figures.layers import Maps, NoMapsError, maps_of
from study.measuring import Resampling
from study.observations import Conditions, Observations
from study.report import NetworkReport, report

RUNGS = "90,30,10"


def observations(ranks: list[list[int]], truth: list[list[float]], paths: list[str] | None = None) -> Observations:
    """Ten classes, three rungs; picture k is of class k."""
    pictures = len(ranks)
    shape = pictures, 4
    sizes = np.tile(np.array([1000, 800, 400, 100]), (pictures, 1))
    top = [[in_order(k, rank)[:6] for rank in row] for k, row in enumerate(ranks)]
    return Observations(
        Conditions("drawn", "00", "none", parse_ladder(RUNGS), "none", "paper", 10),
        [f"class {k}" for k in range(10)],
        tuple(paths or [f"{k}.jpg" for k in range(pictures)]),
        tuple(bytes([k]) * 32 for k in range(pictures)),
        np.arange(pictures, dtype=np.int32),
        sizes[:, 0],
        sizes,
        np.ones(shape, bool),
        np.array(ranks, np.int32),
        np.array(truth, np.float32),
        np.array(top, np.int32),
        np.full((*shape, 6), 0.1, np.float32),
    )


def in_order(label: int, rank: int) -> list[int]:
    """Ten classes, the likeliest first, where the label has that rank."""
    others = [k for k in range(10) if k != label]
    return [*others[: rank - 1], label, *others[rank - 1 :]]


SEEN = observations(
    [[1, 1, 2, 7], [2, 2, 2, 1], [4, 3, 2, 1], [9, 8, 7, 5], [6, 6, 6, 1]],
    [[0.9, 0.8, 0.4, 0.0], [0.3, 0.3, 0.4, 0.7], [0.1, 0.2, 0.3, 0.5], [0.01, 0.01, 0.02, 0.05], [0.0, 0.0, 0.0, 0.9]],
)


@pytest.fixture(scope="module")
def measured() -> NetworkReport:
    return report(SEEN, 1_000_000, "cpu", (), Resampling(resamples=50))


@pytest.fixture(scope="module")
def network() -> Network:
    torch.set_num_threads(1)
    torch.manual_seed(2)
    module = timm.create_model("test_resnet").eval()
    return Network("test_resnet", module, "00", tuple(f"class {k}" for k in range(1000)))


def picture(seed: int = 4) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8)
    return Image.fromarray(noise).resize((200, 180))


def test_figure_3_has_the_originals_accuracy_and_then_each_qfs(measured: NetworkReport) -> None:
    curve = constant.curve_of(measured)
    assert curve.qualities == (90, 30, 10)
    assert [one.value for one in curve.top1] == pytest.approx([0.2, 0.2, 0.0, 0.6])
    assert [one.value for one in curve.top5] == pytest.approx([0.6, 0.6, 0.6, 0.8])
    assert all(one.low <= one.value <= one.high for one in (*curve.top1, *curve.top5))


def test_figure_3_draws_a_line_a_network_in_per_cent(measured: NetworkReport) -> None:
    curve = constant.curve_of(measured)
    first, second = constant.draw([curve, curve]).axes
    assert [len(axes.lines) for axes in (first, second)] == [2, 2]
    assert list(first.lines[1].get_ydata()) == pytest.approx([20, 20, 0, 60])
    assert list(second.lines[0].get_ydata()) == pytest.approx([60, 60, 60, 80])
    assert [label.get_text() for label in first.get_xticklabels()] == ["orig.", "90", "30", "10"]


def test_figure_4_follows_one_picture(measured: NetworkReport) -> None:
    row = course.course_of(SEEN, 3)
    assert (row.picture, row.ground_truth, row.qualities) == ("3.jpg", "class 3", (90, 30, 10))
    assert row.ranks == (9, 8, 7, 5)
    assert row.probabilities == pytest.approx((0.01, 0.01, 0.02, 0.05))
    assert row.likeliest == ("class 0",) * 4
    assert row.told(0) == "rank 9, 1%"
    ranks, probabilities = course.draw(row).axes
    assert list(ranks.lines[0].get_ydata()) == [9, 8, 7, 5]
    assert ranks.get_ylim()[0] > ranks.get_ylim()[1]  # the best rank is above
    assert list(probabilities.lines[0].get_ydata()) == pytest.approx([1, 1, 2, 5])


def test_pictures_like_the_papers_are_found_the_most_improved_first() -> None:
    assert like(SEEN, TOP_OF_651) == [4, 2, 1]
    assert like(SEEN, TOP_OF_37) == [3]


def test_of_equal_ranks_the_probability_that_rises_most_is_first() -> None:
    table = observations([[2, 2, 2, 1]] * 3, [[0.1, 0, 0, 0.2], [0.1, 0, 0, 0.6], [0.1, 0, 0, 0.4]])
    assert like(table, TOP_OF_651) == [1, 2, 0]


def test_what_is_found_is_listed_with_ranks_and_probabilities() -> None:
    first, second = found_sheets(SEEN)
    assert first.title == "Like #651: 3 pictures"
    assert first.rows[0] == ("4.jpg", "class 4", "6", "1", "0.0%", "90.0%")
    assert second.rows == (("3.jpg", "class 3", "9", "5", "1.0%", "5.0%"),)


def test_figures_7_and_8_count_what_each_selector_takes(measured: NetworkReport) -> None:
    counted = histograms.histograms_of(measured)
    assert counted.selected["hrs"] == [0, 1, 0, 4]
    assert {name: sum(counts) for name, counts in counted.selected.items()} == dict.fromkeys(
        ("hrs", "t1k", "t5k", "ttk"), 5
    )
    panels = histograms.draw(counted).axes
    assert [axes.get_title() for axes in panels] == ["HRS", "T1K", "T5K", "TTK"]
    assert [bar.get_height() for bar in panels[0].patches] == pytest.approx([0, 20, 0, 80])


def test_figure_5_shows_the_file_and_what_the_encoder_makes_of_it(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    picture().save(file, quality=95)
    pair = beside.pair_of(file, Rung(10))
    expected = encode(decode(file.read_bytes()), Rung(10), "4:2:0")
    assert pair.original.tobytes() == decode(file.read_bytes()).tobytes()
    assert pair.variant.tobytes() == decode(expected).tobytes()
    assert pair.sizes == (file.stat().st_size, len(expected))
    left, right = beside.draw(pair, ("rank 2", "rank 1")).axes
    assert left.get_title() == f"original, {pair.sizes[0]:,} bytes: rank 2"
    assert right.get_title() == f"QF 10, {len(expected):,} bytes: rank 1"
    assert np.array_equal(right.images[0].get_array(), np.asarray(pair.variant))


def test_a_picture_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.jpg cannot be read"):
        beside.pair_of(tmp_path / "gone.jpg", Rung(10))


@pytest.mark.parametrize(("number", "name"), [("1", "conv1.2"), ("2", "conv1.5"), ("3", "act1")])
def test_layers_are_counted_by_their_activations(network: Network, number: str, name: str) -> None:
    by_number, by_name = (maps_of(network, (picture(), picture(5)), 3, layer) for layer in (number, name))
    assert by_number.layer == by_name.layer == name
    assert np.array_equal(by_number.original, by_name.original)
    assert by_number.original.min() == 0  # a ReLU's
    assert by_number.foreground.shape == by_number.original.shape[1:]


def test_feature_maps_are_those_of_each_picture_alone(network: Network) -> None:
    found = maps_of(network, (picture(), picture(5)), 3, "1")
    swapped = maps_of(network, (picture(5), picture()), 3, "1")
    assert np.allclose(found.original, swapped.variant, atol=1e-6)
    assert not np.allclose(found.original, found.variant)
    assert np.array_equal(found.foreground, swapped.foreground)


def test_a_network_is_left_without_hooks(network: Network) -> None:
    maps_of(network, (picture(), picture(5)), 3, "1")
    assert [part for part in network.module.modules() if part._forward_hooks] == []


@pytest.mark.parametrize("layer", ["0", "99", "nowhere", "fc"])
def test_a_layer_without_maps_is_refused(network: Network, layer: str) -> None:
    with pytest.raises(NoMapsError, match=f"test_resnet has no feature maps at layer {layer}"):
        maps_of(network, (picture(), picture(5)), 3, layer)


def test_a_network_without_maps_leaves_out_their_figures_alone(measured: NetworkReport, tmp_path: Path) -> None:
    for k in range(5):
        picture(k).save(tmp_path / f"{k}.jpg")
    module = timm.create_model("test_vit").eval()
    network = Network("test_vit", module, "00", tuple(f"class {k}" for k in range(1000)))
    made = album([measured], Looked(SEEN, tmp_path, network), examples(SEEN))
    missing = [one for one in made if isinstance(one, NotDrawn)]
    assert [one.numbers for one in missing] == [("6",), ("9",), ("11",)]
    assert {one.why for one in missing[1:]} == {
        "test_vit has no feature maps at layer 2: choose another with --layer",
    }
    with pytest.raises(NoMapsError):
        album([measured], Looked(SEEN, tmp_path, network, ("1", "nowhere")), examples(SEEN))


def drawn_maps() -> Maps:
    """Three maps of 4 x 6, of which the first two columns are foreground; medians are 0.

    Map 0 keeps a quarter of the background's energy, map 1 all of it, map 2 shows nothing.
    """
    foreground = np.zeros((4, 6), bool)
    foreground[:, :2] = True
    before: NDArray[np.float32] = np.zeros((3, 4, 6), np.float32)
    before[:2, 0, 0], before[:2, 1, 4] = 4, 2
    after = before.copy()
    after[0, 1, 4] = 1
    after[1, 0, 0] = 2
    return Maps("layer", before, after, foreground)


def test_what_is_wiped_out_is_the_share_of_the_backgrounds_energy() -> None:
    found = maps.losses(drawn_maps())
    assert found == [maps.Loss(0, 0.75, 0.0), maps.Loss(1, 0.0, 0.75)]


def test_an_even_background_has_no_energy() -> None:
    same = drawn_maps()
    shifted = Maps("layer", same.original + 5, same.variant + 9, same.foreground)
    assert [asdict(loss) for loss in maps.losses(shifted)] == [asdict(loss) for loss in maps.losses(same)]


def test_figures_6_9_and_11_tell_of_all_maps_of_the_layer() -> None:
    told = maps.document(drawn_maps())
    assert (told["maps"], told["silent"], told["background_loses_more"]) == (3, 1, 1)
    assert told["median_background_lost"] == told["median_foreground_lost"] == 0.375
    assert told["foreground_share"] == pytest.approx(1 / 3)
    assert [loss["map"] for loss in told["losses"]] == [0, 1]


def test_both_maps_of_a_pair_are_drawn_on_one_scale() -> None:
    found = drawn_maps()
    figure = maps.draw(found, maps.losses(found), "QF 10")
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in figure.axes] == [
        "map 0, original",
        "QF 10: -75.0%",
        "map 1, original",
        "QF 10: -0.0%",
    ]
    assert [image.get_clim() for image in images] == [(0, 4)] * 4
    assert np.array_equal(images[1].get_array(), found.variant[0])


def test_maps_that_show_nothing_lose_nothing() -> None:
    nothing = np.zeros((2, 4, 6), np.float32)
    found = Maps("layer", nothing, nothing, np.zeros((4, 6), bool))
    assert maps.losses(found) == []
    assert (maps.document(found)["silent"], maps.document(found)["median_background_lost"]) == (2, 0.0)
    assert png(maps.draw(found, [], "QF 10")).startswith(b"\x89PNG")


def test_pictures_that_were_asked_for_stand_for_the_papers() -> None:
    assert [one.picture for one in examples(SEEN)] == [4, 3]
    assert [(one.name, one.picture) for one in examples(SEEN, ["2.jpg"])] == [("#651", 2)]
    with pytest.raises(UsageError, match=r"--picture nowhere\.jpg: there is no such picture"):
        examples(SEEN, ["nowhere.jpg"])


def test_what_there_is_no_picture_for_is_named(measured: NetworkReport, network: Network, tmp_path: Path) -> None:
    table = observations([[1, 1, 1, 1]], [[0.9] * 4])
    made = album([measured], Looked(table, tmp_path, network), examples(table))
    missing = [one for one in made if isinstance(one, NotDrawn)]
    assert [one.numbers for one in missing] == [("4", "5", "6", "9"), ("4", "10", "11")]
    assert "QF 10 brings no ground truth" in missing[0].why
    assert [one.numbers for one in made if isinstance(one, Drawn)] == [("3",), ("7", "8")]


def test_each_network_has_a_curve_and_histograms(measured: NetworkReport, network: Network, tmp_path: Path) -> None:
    made = [one for one in album([measured] * 3, Looked(SEEN, tmp_path, network), []) if isinstance(one, Drawn)]
    assert [one.name for one in made] == ["figure-3", "figure-7", "figure-8", "figure-8-3"]
    assert len(made[0].data["curves"]) == 3


def test_every_figure_is_written_three_times(measured: NetworkReport, network: Network, tmp_path: Path) -> None:
    for k in range(5):
        picture(k).save(tmp_path / f"{k}.jpg")
    made = [one for one in album([measured], Looked(SEEN, tmp_path, network), examples(SEEN)) if isinstance(one, Drawn)]
    names = [one.name for one in made]
    expected = ["3", "4a", "5", "6", "9", "4b", "10", "11", "7"]
    assert names == [f"figure-{name}" for name in expected]
    write(made[:2], tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        f"{name}.{kind}" for name in names[:2] for kind in ("png", "svg", "json")
    )
    assert json.loads((tmp_path / "out/figure-4a.json").read_text())["ranks"] == [6, 6, 6, 1]
    assert (tmp_path / "out/figure-3.png").read_bytes() == png(made[0].figure)


def test_the_same_figure_is_written_in_the_same_bytes(measured: NetworkReport) -> None:
    one, other = (constant.draw([constant.curve_of(measured)]) for _ in range(2))
    assert (png(one), svg(one)) == (png(other), svg(other))


@pytest.mark.parametrize("name", ["$x^$.jpg", "写真.jpg", "bad\udcff.jpg", "a\nb$", "\x1b[31m<&>\x00\x7f\x85.jpg"])
def test_any_name_can_be_drawn(name: str) -> None:
    row = course.course_of(observations([[1, 1, 1, 1]], [[0.5] * 4], [name]), 0)
    assert png(course.draw(row)).startswith(b"\x89PNG")
    assert ET.fromstring(svg(course.draw(row))).tag.endswith("svg")  # noqa: S314 - our own
    assert (plain(name).isascii(), plain(name).isprintable()) == (True, True)
