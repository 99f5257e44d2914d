"""How a sweep shows its progress: a bar on a terminal, a plain line now and then elsewhere; always on stderr."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from cli.showing import LINE_SECONDS, REFRESH_SECONDS, meanwhile
from daemon.config.schema import Config
from daemon.names import NameFilter
from daemon.sweep import Sweeping
from daemon.walk import walk
from storage.records import Place


@contextmanager
def shown(sweeping: Sweeping, config: Config, targets: Sequence[Place]) -> Iterator[None]:
    """Shows a sweep's progress until the context ends, and then its result."""
    console = Console(stderr=True)
    show = partial(_bar, total=_Total(config, targets)) if console.is_terminal else _lines
    with meanwhile(partial(show, console, sweeping)):
        yield
    console.print(_sentence(sweeping), highlight=False, soft_wrap=True)


class _Total:
    """Counts the pictures in a thread of its own, so that a bar can tell the time left without making anybody wait."""

    def __init__(self, config: Config, targets: Sequence[Place]) -> None:
        self.pictures: int | None = None
        self._names = NameFilter(config.watch.include, config.watch.ignore)
        threading.Thread(target=self._count, args=(targets,), daemon=True).start()

    def _count(self, targets: Sequence[Place]) -> None:
        self.pictures = sum(len(found) for target in targets for found in walk(target.root, self._names, target.path))


def _bar(console: Console, sweeping: Sweeping, done: threading.Event, total: _Total) -> None:
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f}/s  {task.fields[ratio]:.1f}x smaller"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as progress:
        task = progress.add_task("", total=None, rate=0.0, ratio=1.0)
        while not done.wait(REFRESH_SECONDS):
            tally = sweeping.tally
            progress.update(task, completed=tally.seen, total=total.pictures, rate=sweeping.rate(), ratio=tally.ratio)


def _lines(console: Console, sweeping: Sweeping, done: threading.Event) -> None:
    while not done.wait(LINE_SECONDS):
        console.print(_sentence(sweeping), highlight=False, soft_wrap=True)


def _sentence(sweeping: Sweeping) -> str:
    tally = sweeping.tally
    would = "would be " if sweeping.dry_run else ""
    return (
        f"{tally.seen} seen: {tally.replaced} {would}replaced, {tally.kept} kept, {tally.skipped} skipped, "
        f"{tally.failed} failed; {tally.ratio:.2f} times smaller, {sweeping.rate():.1f} pictures/s"
    )
