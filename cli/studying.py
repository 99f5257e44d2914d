"""What the commands of `framekeep study` share: options, opening a network, and a pass that shows its progress."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from cli.tables import cell, show, table
from framekeep.errors import UsageError
from framekeep.ladder import Ladder, parse_ladder
from framekeep.user_cache import user_cache
from storage.names import printable

if TYPE_CHECKING:
    from study.data.folder import DataSet
    from study.networks import Opened
    from study.observations import Counting
    from study.passing import exhaustive
    from study.tables.sheets import Sheet

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="A folder of labelled pictures.", readable=False)]
ModelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME[=FILE[:SHA256]]",
        help="A network by timm's name, with a file of weights where it has none here; again for more.",
        show_default=False,
    ),
]
LadderOption = Annotated[str, typer.Option(metavar="L", help="The QFs of the variants: paper, fine, or 90,50,10.")]
LabelsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The labels: a CSV (file,label), or ILSVRC2012's ground truth.", readable=False),
]
SynsetsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="What ILSVRC2012's ids mean: the devkit's meta.mat, or the WNIDs in its order.",
        readable=False,
    ),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Where to keep what was seen. Without it: framekeep/study in the user's cache.",
        readable=False,
    ),
]
AsDaemonOption = Annotated[
    bool,
    typer.Option("--as-daemon", help="Count bytes as the daemon writes them: squeezed, metadata kept, never larger."),
]

DEFAULT_MODEL: Final = "tf_efficientnet_lite0"
_LINE_SECONDS: Final = 10
_EXTRA: Final = ("pyarrow", "matplotlib")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be studied and how, as the options say."""

    folder: Path
    ladder: Ladder
    labels: Path | None = None
    synsets: Path | None = None
    cache: Path | None = None
    as_daemon: bool = False

    @property
    def variants(self) -> int:
        return len(self.ladder) + 1


def asked_ladder(text: str) -> Ladder:
    """Raises UsageError."""
    try:
        ladder = parse_ladder(text)
    except ValueError as error:
        raise UsageError(f"--ladder: {error}") from error
    if ladder.is_mixed:
        raise UsageError(f"--ladder: {text} mixes encoders; what is counted by rung needs a ladder of one")
    return ladder


def need_extra() -> None:
    """Raises UsageError where the study's libraries are not installed."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise UsageError(f'the study needs {" and ".join(missing)}: pip install "framekeep[study]"')


def observed(asked: Asked, network: "Opened") -> tuple["DataSet", "exhaustive.Observed"]:
    """The labelled pictures, and what the network sees in all their variants; tells on stderr what is left out."""
    from framekeep.labelling.classes import classes_of  # noqa: PLC0415 - imports timm
    from study.data.folder import read_folder  # noqa: PLC0415 - as above
    from study.networks import codec_threads  # noqa: PLC0415 - as above
    from study.passing.exhaustive import Setting, observe  # noqa: PLC0415 - as above

    data = read_folder(asked.folder, classes_of(network.model.class_names), asked.labels, asked.synsets)
    tell_left_out(data)
    counting: Counting = "daemon" if asked.as_daemon else "paper"
    place = asked.cache or _default_cache()
    setting = Setting(asked.ladder, counting, place, network.pictures, codec_threads())
    with shown(network.model.name, len(data.pictures)) as done:
        found = observe(data, network.model, setting, lambda progress: done(progress.done))
    for path, why in found.left_out.items():
        typer.echo(f"{printable(path)} left out: {printable(why)}", err=True)
    return data, found


def show_sheet(sheet: "Sheet") -> None:
    """Prints a table on standard output."""
    typer.echo(sheet.heading)
    shown = table()
    for k, header in enumerate(sheet.headers):
        shown.add_column(cell(header), justify="left" if k < sheet.words else "right", overflow="fold")
    for row in sheet.rows:
        shown.add_row(*map(cell, row))
    show(shown)
    typer.echo()


def _default_cache() -> Path:
    return user_cache() / "study"


def tell_left_out(data: "DataSet") -> None:
    """On stderr: the pictures without a label, and the labels without a picture."""
    for what, paths in (("have no label", data.unlabelled), ("have a label, but are not there", data.missing)):
        if paths:
            typer.echo(f"{len(paths):,} pictures {what} and are left out, such as {printable(paths[0])}", err=True)


@contextmanager
def shown(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar of pictures on a terminal, a plain line now and then elsewhere; always on stderr.

    What it yields is to be told how many are done.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(what, total, console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


class _Lines:
    def __init__(self, what: str, total: int, console: Console) -> None:
        self._what, self._total, self._console = what, total, console
        self._next = time.monotonic() + _LINE_SECONDS

    def __call__(self, done: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_SECONDS
            line = f"{self._what}: {done:,} of {self._total:,} pictures"
            self._console.print(line, highlight=False, soft_wrap=True)
