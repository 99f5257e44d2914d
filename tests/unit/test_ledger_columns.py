from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import TypeDecorator
from sqlalchemy.dialects.sqlite import dialect

from storage.ledger.columns import Instant, Nanoseconds, PathBytes, Unsigned, Words

DIALECT = dialect()


def stored(column: TypeDecorator[Any], value: object) -> Any:
    return column.process_bind_param(value, DIALECT)


def back(column: TypeDecorator[Any], value: object) -> Any:
    return column.process_result_value(stored(column, value), DIALECT)


@given(st.binary())
def test_a_path_is_stored_as_its_bytes(name: bytes):
    path = name.decode("utf-8", "surrogateescape")
    assert stored(PathBytes(), path) == name
    assert back(PathBytes(), path) == path


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_written(note: str):
    stored(Words(), note).encode()


def test_text_tells_the_byte_that_was_no_utf8():
    assert stored(Words(), "Stra\udcdfe") == "Stra\\udcdfe"


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_comes_back_to_the_microsecond(instant: datetime):
    assert back(Instant(), instant) == instant


def test_an_instant_of_another_zone_is_the_same_instant():
    summer = datetime(2026, 7, 1, 2, 0, tzinfo=timezone(timedelta(hours=2)))
    assert back(Instant(), summer) == datetime(2026, 7, 1, tzinfo=UTC)


def test_an_instant_without_a_zone_is_a_mistake():
    with pytest.raises(TypeError):
        stored(Instant(), datetime(2026, 7, 1))  # noqa: DTZ001 - the mistake itself


@given(st.integers(0, 2**64 - 1))
def test_every_inode_fits_and_comes_back(inode: int):
    assert -(2**63) <= stored(Unsigned(), inode) < 2**63
    assert back(Unsigned(), inode) == inode


@pytest.mark.parametrize(
    ("given_ns", "stored_ns"), [(2**63, 2**63 - 1), (-(2**70), -(2**63)), (-5, -5), (2**63 - 1, 2**63 - 1)]
)
def test_a_time_that_does_not_fit_is_cut(given_ns: int, stored_ns: int):
    assert stored(Nanoseconds(), given_ns) == stored_ns
