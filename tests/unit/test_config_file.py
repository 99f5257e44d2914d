"""config.toml says what the schema says: the same keys, the same defaults."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from daemon.config.loading import defaults, load
from daemon.config.schema import Config
from daemon.config.showing import template
from daemon.config.staging import PolicyBlock
from framekeep.errors import ConfigurationError

REPOSITORY = Path(__file__).parents[2]
SWITCHED_OFF = re.compile(r"^#(?=[a-z_0-9]+ = |\[)", re.MULTILINE)


def keys_of(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def complete() -> dict[str, Any]:
    return tomllib.loads(SWITCHED_OFF.sub("", template()))


def test_the_packaged_file_is_the_one_at_the_top():
    assert template() == (REPOSITORY / "config.toml").read_text(encoding="utf-8")


def test_the_file_gives_exactly_the_defaults(tmp_path: Path):
    path = tmp_path / "config.toml"
    path.write_text(template(), encoding="utf-8")
    assert load(path) == defaults(tmp_path)


def test_it_sets_every_key_that_has_a_default_value():
    given = tomllib.loads(template())
    meant = defaults(Path("/")).model_dump(exclude_none=True, exclude={"policy"})
    assert {name: set(section) for name, section in given.items()} == {
        name: set(section) for name, section in meant.items()
    }


def test_what_is_switched_off_can_be_switched_on_and_completes_the_keys():
    given = complete()
    Config.model_validate(given)
    assert set(given) == keys_of(Config)
    for name, section in given.items():
        model = get_args(Config.model_fields[name].annotation) or (Config.model_fields[name].annotation,)
        for block in section if isinstance(section, list) else [section]:
            assert set(block) == keys_of(model[0]), name


def test_the_policy_in_the_file_changes_everything_that_a_policy_can():
    (block,) = complete()["policy"]
    assert len(PolicyBlock.model_validate(block).overrides) == len(PolicyBlock.model_fields) - 1


def test_every_section_begins_with_a_comment_and_lines_are_short():
    lines = template().splitlines()
    assert max(map(len, lines)) <= 100
    for before, line in pairwise(lines):
        if re.match(r"\[[a-z]+\]$", before):
            assert line.startswith("# "), before


def test_the_file_is_checked_like_any_other(tmp_path: Path):
    path = tmp_path / "config.toml"
    path.write_text(template().replace("days = 7", "dais = 7"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r'vault\.dais: unknown key; did you mean "days"'):
        load(path)
