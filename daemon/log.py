"""Logging: one canonical line a decision, for people on a terminal and as JSON otherwise; always on stderr."""

import logging
import sys
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import structlog
from structlog.typing import Processor

from daemon.sheet import Sheet
from storage.names import printable
from storage.records import Draft

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def configure(log_format: Literal["auto", "console", "json"], level: str) -> None:
    """Sets up structlog for this process. "auto": console where stderr is a terminal, else JSON.

    What libraries log or warn of becomes lines of the same form.
    """
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: Processor = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    number = logging.getLevelNamesMapping()[level.upper()]
    before: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _printable,
        *([] if console else [structlog.processors.format_exc_info]),
    ]
    structlog.configure(
        processors=[*before, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_names: _Lines(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _take_in(before, renderer, max(number, logging.WARNING))


def _take_in(before: Sequence[Processor], renderer: Processor, level: int) -> None:
    """What is logged by the standard library's logging from this level on, and warnings."""
    handler, root = _Foreign(), logging.getLogger()
    processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    chain = [structlog.stdlib.add_logger_name, *before]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=processors, foreign_pre_chain=chain))
    for old in [old for old in root.handlers if isinstance(old, _Foreign)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=True)


class _Lines(structlog.PrintLogger):
    """Lines that are dropped where they cannot be written: a full disk behind stderr must not stop the daemon."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = error = critical = fatal = failure = exception = msg


class _Foreign(logging.Handler):
    """Writes what libraries log."""

    def emit(self, record: logging.LogRecord) -> None:
        _Lines(sys.stderr).msg(self.format(record))


def _printable(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A name may hold bytes that are no UTF-8, or terminal escapes."""
    return {
        key: printable(value) if isinstance(value, str) and key != "exception" else value
        for key, value in event.items()
    }


def log_decision(sheet: Sheet, draft: Draft) -> None:
    """The canonical line."""
    write = log.error if draft.reason.standing == "failed" else log.info
    write(
        "decision",
        path=draft.place.path,
        camera=draft.place.camera,
        reason=draft.reason.word,
        rung=draft.rung,
        bytes_before=draft.identity.size,
        bytes_after=draft.identity.size if draft.bytes_after is None else draft.bytes_after,
        label=draft.label,
        looks=sheet.looks,
        ms=round(sum(sheet.seconds.values()) * 1000),
        **({"note": draft.note} if draft.note else {}),
    )
