"""How Python's values are stored in the ledger's columns."""

import os
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Dialect, Integer, LargeBinary, Text, TypeDecorator

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
_HIGHEST, _LOWEST, _WHOLE = 2**63 - 1, -(2**63), 2**64


class PathBytes(TypeDecorator[str]):
    """A path or a file's name as the very bytes that the filesystem holds, since it need not be UTF-8."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 (SQLAlchemy's signature)
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:  # noqa: ARG002 (SQLAlchemy's signature)
        return None if value is None else os.fsdecode(value)


class Words(TypeDecorator[str]):
    r"""Text for people. A byte of a name that was no UTF-8 becomes \udcNN: SQLite would refuse the whole batch."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 (SQLAlchemy's signature)
        return None if value is None else value.encode("utf-8", "backslashreplace").decode()


class Instant(TypeDecorator[datetime]):
    """An aware datetime as whole microseconds since 1970, UTC."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 (SQLAlchemy's signature)
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's signature)
        return None if value is None else EPOCH + value * MICROSECOND


class Nanoseconds(TypeDecorator[int]):
    """A file's time. Beyond the year 2262 it is cut to what fits: such a file is then always told by its hash."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002 (SQLAlchemy's signature)
        return None if value is None else max(_LOWEST, min(value, _HIGHEST))


class Unsigned(TypeDecorator[int]):
    """An inode number: 64 bits without a sign, kept in SQLite's 64 bits with one."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002 (SQLAlchemy's signature)
        return value if value is None or value <= _HIGHEST else value - _WHOLE

    def process_result_value(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002 (SQLAlchemy's signature)
        return None if value is None else value % _WHOLE
