"""How a forecast shows its progress: a bar on a terminal, a plain line now and then elsewhere; always on stderr."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bar

from cli.showing import LINE_SECONDS, REFRESH_SECONDS, meanwhile
from daemon.forecasting.progress import Progress
from daemon.forecasting.sample import NARROW


@contextmanager
def shown(progress: Progress) -> Iterator[None]:
    """Shows the progress until the context ends."""
    console = Console(stderr=True)
    show = _bar if console.is_terminal else _lines
    with meanwhile(partial(show, console, progress)):
        yield


def _bar(console: Console, progress: Progress, done: threading.Event) -> None:
    columns = (SpinnerColumn(), BarColumn(bar_width=None), TextColumn("{task.description}"))
    with Bar(*columns, console=console, transient=True, expand=True) as bar:
        task = bar.add_task(sentence(progress), total=None)
        while not done.wait(REFRESH_SECONDS):
            total = 1.0 if progress.started is not None else None
            bar.update(task, description=sentence(progress), completed=share(progress), total=total)


def _lines(console: Console, progress: Progress, done: threading.Event) -> None:
    while not done.wait(LINE_SECONDS):
        console.print(sentence(progress), highlight=False, soft_wrap=True)


def share(progress: Progress) -> float:
    """How much is done: of the time, of the pictures, or of the way to intervals that are narrow enough.

    Four times the pictures halve an interval.
    """
    narrow = 0.0 if not progress.reach else (NARROW / progress.reach) ** 2
    looked = progress.looked / max(progress.found, 1)
    return min(1.0, max(progress.seconds() / progress.max_seconds, looked, narrow))


def sentence(progress: Progress) -> str:
    if progress.started is None:
        return f"{progress.found:,} pictures found"
    reach = "" if progress.reach is None or progress.reach > 1 else f", within {progress.reach:.0%}"
    return f"{progress.looked:,} of {progress.found:,} looked at{reach}"
