"""Logging: one canonical line a decision, for people on a terminal and as JSON otherwise; always on stderr."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, Literal

import structlog
from structlog.typing import Processor

from daemon.sheet import Sheet
from storage.names import printable
from storage.records import Draft

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def configure(log_format: Literal["auto", "console", "json"], level: str) -> None:
    """Sets up structlog for this process. "auto": console where stderr is a terminal, else JSON."""
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: Processor = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _printable,
            *([] if console else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_names: _Lines(sys.stderr),
        cache_logger_on_first_use=False,
    )


class _Lines(structlog.PrintLogger):
    """Lines that are dropped where they cannot be written: a full disk behind stderr must not stop the daemon."""

    def msg(self, message: str) -> None:
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = error = critical = fatal = failure = exception = msg


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
