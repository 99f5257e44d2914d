"""The comparison as tables: all pictures together with all that is told, then by camera, a figure a table."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from study.objects.figures import Figures, overall
from study.objects.looking import Compared
from study.tables.sheets import Sheet

_COLUMNS: Final = 80
"""Of a terminal."""
_GAP: Final = 2

_Told = Callable[[Figures], str]


def sheets(compared: Compared) -> list[Sheet]:
    """The first one has all pictures. Where there are many cameras, a figure takes more than one table."""
    by_camera = (
        ("CR", _ratio),
        ("Pictures that lose or invent an object", lambda figures: _share(figures, figures.either)),
        ("Pictures whose likeliest label changes", lambda figures: _share(figures, figures.top1)),
    )
    return [_all(compared), *(sheet for title, told in by_camera for sheet in _by_camera(compared, title, told))]


def _all(compared: Compared) -> Sheet:
    headers = ("rule", "CR", "loses", "invents", "either", "top-1", f"label at {compared.bounds.min_confidence:g}")
    rows = tuple((rule, *_row(figures)) for rule, figures in overall(compared.cameras).items())
    return Sheet("", _title(compared), headers, rows)


def _title(compared: Compared) -> str:
    figures = next(iter(overall(compared.cameras).values()))
    objects = compared.bounds.objects
    return (
        f"{figures.pictures:,} pictures, {figures.found:,} with objects: {compared.models.detector.name}, "
        f"score {objects.min_score:g}, slack {objects.slack:g}, IoU {objects.iou:g}"
    )


def _row(figures: Figures) -> tuple[str, ...]:
    counts = (figures.lost, figures.new, figures.either, figures.top1, figures.recognised)
    return (_ratio(figures), *(_share(figures, count) for count in counts))


def _by_camera(compared: Compared, title: str, told: _Told) -> Iterator[Sheet]:
    every = overall(compared.cameras)
    first = max(map(len, every))
    for cameras in _fitting(list(compared.cameras), _COLUMNS - first - _width("all")):
        columns = [every, *(compared.cameras[camera] for camera in cameras)]
        rows = tuple((rule, *(told(column[rule]) for column in columns)) for rule in every)
        yield Sheet("", f"{title}, by camera", ("rule", "all", *cameras), rows)


def _fitting(cameras: Sequence[str], room: int) -> Iterator[list[str]]:
    """As many at once as have room beside each other, but one at least."""
    group: list[str] = []
    for camera in cameras:
        if group and sum(map(_width, [*group, camera])) > room:
            yield group
            group = []
        group.append(camera)
    yield group


def _width(camera: str) -> int:
    return _GAP + max(len(camera), len("100.0%"))


def _ratio(figures: Figures) -> str:
    return f"{figures.ratio:.2f}"


def _share(figures: Figures, count: int) -> str:
    return f"{figures.share(count):.1%}"
