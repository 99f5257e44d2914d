"""What holds for every configuration, sensible or not."""

import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from daemon.config.faults import report
from daemon.config.matches import superfluous
from daemon.config.policy import PolicyBook
from daemon.config.schema import Config
from daemon.config.showing import dump
from daemon.config.staging import PolicyBlock

FOLDER = Path("/etc/framekeep")
SECTIONS = {name: get_args(field.annotation) or (field.annotation,) for name, field in Config.model_fields.items()}
PLACES = sorted((name, key) for name, (model, *_) in SECTIONS.items() for key in model.model_fields)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes() | st.dates() | st.times()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)

keepers = st.sampled_from(["t1k", "t5k", "ttk", "t5k,t1k"])
ladders = st.sampled_from(["paper", "fine"]) | st.lists(st.integers(10, 100), min_size=1, max_size=5)
"""None of them is below the default floor."""
probabilities = st.floats(0, 1, exclude_max=True)
days = st.floats(0, 36_500)
times = st.times().map("{:%H:%M}".format)
hours = st.tuples(times, times).filter(lambda pair: pair[0] != pair[1]).map("-".join)
words = st.text("abc/*", min_size=1, max_size=6).filter(lambda word: word.strip("/"))
blocks = st.fixed_dictionaries(
    {"match": st.lists(words, min_size=1, max_size=3), "vault_days": days},
    optional={
        "keeper": keepers,
        "ladder": ladders,
        "min_confidence": probabilities,
        "min_saving": probabilities,
        "min_age_days": days,
        "hours": hours,
        "exclude": st.just(False),
    },
)
policies = st.lists(blocks, max_size=3).filter(lambda some: not list(superfluous([one["match"] for one in some])))
selections = st.fixed_dictionaries(
    {}, optional={"keeper": keepers, "ladder": ladders, "min_confidence": probabilities, "weights": st.just("w.pt")}
)


def config(**sections: object) -> Config:
    return Config.model_validate(sections, context={"folder": FOLDER})


@given(st.sampled_from(PLACES), anything)
def test_any_value_is_used_or_refused_with_its_place(place: tuple[str, str], value: object):
    section, key = place
    block = {key: value}
    try:
        config(**{section: [block] if section == "policy" else block})
    except ValidationError as error:
        first, *lines = report("it", error, Config).splitlines()
        assert first.startswith("it cannot be used: ")
        assert lines
        assert all(line.startswith(f"  {section}") for line in lines)


@given(
    st.dictionaries(st.text(), anything, min_size=1, max_size=3).filter(lambda some: not some.keys() & SECTIONS.keys())
)
def test_any_unknown_section_is_refused(unknown: dict[str, object]):
    with pytest.raises(ValidationError) as caught:
        config(**unknown)
    assert report("it", caught.value, Config).count(": unknown key; ") == len(unknown)


@given(selections, policies)
def test_a_dump_read_again_is_the_same_configuration(selection: dict[str, Any], policy: list[dict[str, Any]]):
    written = config(selection=selection, policy=policy)
    assert Config.model_validate(tomllib.loads(dump(written))) == written


@given(policies, st.text("abc/", min_size=1, max_size=8))
def test_the_policy_is_that_of_the_first_block_that_would_match_alone(policy: list[dict[str, Any]], path: str):
    alone = [PolicyBook(config(policy=[block])) for block in policy]
    matching = (book.for_path(path) for book in alone if book.for_path(path) is not book.default)
    expected = next(matching, PolicyBook(config()).default)
    assert PolicyBook(config(policy=policy)).for_path(path) == expected


@given(policies, keepers, probabilities)
def test_what_a_command_line_asks_for_holds_under_every_policy(
    policy: list[dict[str, Any]], keeper: str, min_confidence: float
):
    asked = config(policy=policy).overridden(keeper=keeper, min_confidence=min_confidence)
    for block in asked.policy:
        assert block.overrides.get("keeper", asked.selection.keeper) == asked.selection.keeper
        assert block.overrides.get("min_confidence", min_confidence) == min_confidence
        assert PolicyBlock.model_validate(block.model_dump(exclude_none=True)) == block
