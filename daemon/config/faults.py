"""From pydantic's errors to lines that an administrator understands: where, what was given, what is allowed."""

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from storage.names import printable

_LONGEST: Final = 60
_ALLOWED: Final = {
    "bool_type": "should be true or false",
    "int_type": "should be a whole number",
    "float_type": "should be a number",
    "finite_number": "should be a finite number",
    "string_type": "should be a text in quotes",
    "is_instance_of": "should be a path in quotes",
    "tuple_type": "should be a list in brackets",
    "model_type": "should be a section with keys",
    "greater_than": "should be more than {gt:g}",
    "greater_than_equal": "should be at least {ge:g}",
    "less_than": "should be less than {lt:g}",
    "less_than_equal": "should be at most {le:g}",
    "literal_error": "should be {expected}",
    "string_too_short": "should not be empty",
    "missing": "is needed",
    "value_error": "{error}",
}
"""By pydantic's type of error, with what its context holds."""


def report(subject: str, error: ValidationError, schema: type[BaseModel]) -> str:
    """One sentence about the subject, and one line for each error."""
    return listed(subject, [printable(line) for detail in error.errors() for line in _lines(detail, schema)])


def listed(subject: str, faults: Sequence[str]) -> str:
    """One sentence about the subject, and one line for each fault."""
    count = "1 error" if len(faults) == 1 else f"{len(faults)} errors"
    return "\n  ".join([f"{subject} cannot be used: {count}", *faults])


def _lines(detail: ErrorDetails, schema: type[BaseModel]) -> list[str]:
    """One for each fault: a check of ours may find several."""
    place = ".".join(step if isinstance(step, str) else f"#{step + 1}" for step in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return [f"{place}: unknown key{_suggestion(detail['loc'], schema)}"]
    template = _ALLOWED.get(detail["type"])
    allowed = template.format_map(detail.get("ctx", {})) if template else detail["msg"]
    told = f"{place}{_given(detail)}: " if place else ""
    return [told + fault for fault in allowed.splitlines()]


def _given(detail: ErrorDetails) -> str:
    given = detail["input"]
    if detail["type"] == "missing" or _has_sections(given):
        return ""
    text = json.dumps(given, ensure_ascii=False, default=str)
    return f" = {text}" if len(text) <= _LONGEST else f" = {text[:_LONGEST]}…"


def _has_sections(given: object) -> bool:
    return isinstance(given, dict) or (isinstance(given, list) and any(map(_has_sections, given)))


def _suggestion(loc: tuple[int | str, ...], schema: type[BaseModel]) -> str:
    *section, unknown = loc
    known = _section_at(section, schema).model_fields
    near = get_close_matches(str(unknown), known, n=1)
    return f'; did you mean "{near[0]}"?' if near else f"; known are {', '.join(known)}"


def _section_at(loc: list[int | str], schema: type[BaseModel]) -> type[BaseModel]:
    for name in loc:
        if isinstance(name, str):
            schema = next(_schemas_in(schema.model_fields[name].annotation), schema)
    return schema


def _schemas_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - whatever a type may be
    """Those that a type names: alone, or those of a list's items."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _schemas_in(part)
