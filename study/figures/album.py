"""All figures of the paper that a pass gives, in the paper's order."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from framekeep.errors import UsageError
from framekeep.models.network import Network
from study.figures import beside, constant, course, histograms, maps
from study.figures.course import Course
from study.figures.drawing import Drawn, NotDrawn
from study.figures.finding import TOP_OF_37, TOP_OF_651, like
from study.figures.layers import Maps, NoMapsError, maps_of
from study.observations import Observations
from study.report import NetworkReport

LAYERS: Final = ("1", "2")
"""The paper's: Figure 6 shows the first, Figures 9 and 11 the second."""
_SHOWN: Final = 24
"""Maps on one page."""

Album = list[Drawn | NotDrawn]


@dataclass(frozen=True)
class Looked:
    """What one network saw of the pictures in a folder, and the network, to be asked about its layers."""

    seen: Observations
    folder: Path
    network: Network
    layers: tuple[str, str] = LAYERS


@dataclass(frozen=True, slots=True)
class Example:
    """One of the paper's two pictures: its figures, and which picture of the set stands for it (None: none does)."""

    name: str
    part: str
    """Of Figure 4."""
    pair: str
    """The number of the figure that shows original and lowest QF side by side."""
    maps: tuple[tuple[str, int, int], ...]
    """Figures of feature maps: number, which of the two layers, how many maps are shown."""
    top: int
    picture: int | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        return ("4", self.pair, *(number for number, _, _ in self.maps))


_LIKE_651: Final = Example("#651", "4a", "5", (("6", 0, 1), ("9", 1, _SHOWN)), TOP_OF_651)
_LIKE_37: Final = Example("#37", "4b", "10", (("11", 1, _SHOWN),), TOP_OF_37)


def examples(seen: Observations, asked: Sequence[str] = ()) -> list[Example]:
    """Pictures that stand for #651 and #37: those that were asked for, by path, else the best that are found.

    Raises UsageError for a path that is not in the set.
    """
    both = (_LIKE_651, _LIKE_37)
    if asked:
        return [_standing(one, _place(seen, path)) for one, path in zip(both, asked, strict=False)]
    return [_standing(one, next(iter(like(seen, one.top)), None)) for one in both]


def album(reports: Sequence[NetworkReport], looked: Looked, chosen: Sequence[Example]) -> Album:
    """Every figure, or why it is not drawn."""
    made: Album = [_constant(reports)]
    for one in chosen:
        made += [_nothing_like(looked.seen, one)] if one.picture is None else _shown(looked, one, one.picture)
    made += [_histograms(report, k) for k, report in enumerate(reports, 1)]
    return made


def _standing(one: Example, picture: int | None) -> Example:
    return replace(one, picture=picture)


def _place(seen: Observations, path: str) -> int:
    if path not in seen.paths:
        raise UsageError(f"--picture {path}: there is no such picture in the set; give its path below the folder")
    return seen.paths.index(path)


def _nothing_like(seen: Observations, one: Example) -> NotDrawn:
    lowest = seen.ladder.rungs[-1].quality
    return NotDrawn(one.numbers, f"QF {lowest} brings no ground truth here where it brings that of {one.name}")


def _constant(reports: Sequence[NetworkReport]) -> Drawn:
    curves = [constant.curve_of(report) for report in reports]
    caption = "Top-1 and top-5 accuracy where all pictures have the same QF."
    return Drawn(("3",), "figure-3", caption, constant.draw(curves), {"curves": [asdict(curve) for curve in curves]})


def _histograms(report: NetworkReport, k: int) -> Drawn:
    counted = histograms.histograms_of(report)
    caption = f"How often HRS and the keepers select each QF for {counted.network}."
    name = {1: "figure-7", 2: "figure-8"}.get(k, f"figure-8-{k}")  # the paper has one for each of its two networks
    return Drawn(("7", "8"), name, caption, histograms.draw(counted), asdict(counted))


def _shown(looked: Looked, one: Example, picture: int) -> Iterator[Drawn | NotDrawn]:
    seen = looked.seen
    row = course.course_of(seen, picture)
    about = {
        "network": seen.conditions.model,
        "digest": seen.conditions.digest,
        "stands_for": one.name,
        "picture": row.picture,
        "sha256": seen.sha256[picture].hex(),
    }
    caption = f"Rank and probability of the ground truth of a picture that stands for {one.name}."
    yield Drawn(("4",), f"figure-{one.part}", caption, course.draw(row), about | asdict(row))
    rung = seen.ladder.rungs[-1]
    pair = beside.pair_of(looked.folder / row.picture, rung)
    yield _pair(one, row, pair, about)
    label = int(seen.labels[picture])
    for number, layer, shown in one.maps:
        try:
            found = maps_of(looked.network, (pair.original, pair.variant), label, looked.layers[layer])
        except NoMapsError as error:
            if looked.layers != LAYERS:
                raise
            yield NotDrawn((number,), str(error))  # nobody asked for a layer, so all the rest is still wanted
        else:
            yield _maps(number, row, found, shown, about)


def _pair(one: Example, row: Course, pair: beside.Pair, about: dict[str, str]) -> Drawn:
    told = row.told(0), row.told(-1)
    quality = pair.rung.quality
    data = {**about, "quality": quality, "bytes": pair.sizes, "told": told}
    caption = f"The picture that stands for {one.name}, as the original and at QF {quality}."
    return Drawn((one.pair,), f"figure-{one.pair}", caption, beside.draw(pair, told), data)


def _maps(number: str, row: Course, found: Maps, shown: int, about: dict[str, str]) -> Drawn:
    lost = maps.losses(found)
    drawn = maps.draw(found, lost[:shown], f"QF {row.qualities[-1]}")
    data = {**about, "quality": row.qualities[-1], **maps.document(found)}
    caption = (
        f"Feature maps of layer {found.layer}, original and QF {row.qualities[-1]} on one scale: the first "
        f"{min(shown, len(lost))} of {len(lost)} by how much the background was wiped out. Percentages: the change of "
        "the background's energy. Inside the white line the network sees the ground truth."
    )
    return Drawn((number,), f"figure-{number}", caption, drawn, data)
