"""Ladders, floors and what goes with them: what is refused, and how it is told."""

import importlib
import sys
from pathlib import Path

import pytest

from daemon.config.loading import load
from daemon.config.policy import PolicyBook
from daemon.config.schema import Config
from framekeep.errors import ConfigurationError, UsageError
from framekeep.ladder import PLAIN, Rung, parse_ladder


def faults(tmp_path: Path, toml: str) -> list[str]:
    file = tmp_path / "config.toml"
    file.write_text(toml)
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_the_presets():
    fine, best = parse_ladder("fine"), parse_ladder("best")
    assert [rung.quality for rung in fine.rungs] == list(range(96, 9, -2))
    assert best.of(PLAIN) == fine.rungs
    assert (fine.is_mixed, best.is_mixed) == (False, True)
    assert len({rung.name for rung in best.rungs}) == len(best)
    assert [Rung(10).name, Rung(10, "m3").name] == ["q10", "q10m3"]


def test_a_floor_cuts_plain_rungs_alone():
    assert [rung.name for rung in parse_ladder("90,40,10").above(40).rungs] == ["q90", "q40"]
    best = parse_ladder("best")
    assert best.above(40).of("m0") == best.of("m0")


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        (
            "selection.ladder = [30, 20]\nselection.floor_quality = 40",
            "selection.floor_quality = 40: a floor of 40 is above the whole ladder 30,20: no rung is left to try",
        ),
        ("selection.ladder = [5]", "selection.floor_quality = 10: a floor of 10 is above the whole ladder 5"),
        ("selection.floor_quality = 101", "selection.floor_quality = 101: should be at most 100"),
        (
            'selection = {ladder = "best", search = "quick"}',
            'selection.search = "quick": search should be "exact" with',
        ),
        (
            'selection.ladder = "best"\nencoder.subsampling = "4:2:2"',
            "encoder: subsampling should be 4:2:0 or 4:4:4 with the ladder best",
        ),
        (
            '[[policy]]\nmatch = "a"\nladder = [30]\nfloor_quality = 31',
            "policy: #1: a floor of 31 is above the whole",
        ),
        ('[[policy]]\nmatch = "a"\nladder = [5]', "policy: #1: a floor of 10 is above the whole ladder 5"),
        (
            '[[policy]]\nmatch = "a"\nfloor_quality = 100\n[selection]\nladder = "fine"',
            "policy: #1: a floor of 100",
        ),
        (
            'encoder.subsampling = "4:2:2"\n[[policy]]\nmatch = "a"\nladder = "best"',
            "policy: #1: subsampling should be 4:2:0",
        ),
        (
            'selection.search = "quick"\n[[policy]]\nmatch = "a"\nladder = "best"',
            'policy: #1: search should be "exact" with the',
        ),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path: Path, toml: str, fault: str):
    (line,) = faults(tmp_path, toml)
    assert line.startswith(fault)


def test_two_policies_that_do_not_go_are_told_at_once_with_the_rest(tmp_path: Path):
    block = '[[policy]]\nmatch = "{}"\nladder = [5]\n'
    lines = faults(tmp_path, "[vault]\ndays = -1\n" + block.format("a") + block.format("b"))
    assert [line.split(":")[0] for line in lines] == ["vault.days = -1", "policy", "policy"]
    assert "#2: a floor of 10 is above" in lines[2]


def test_a_policy_may_have_a_ladder_and_a_floor_of_its_own():
    blocks = [{"match": "a/**", "ladder": [5, 50], "floor_quality": 0}, {"match": "b/**", "floor_quality": 40}]
    book = PolicyBook(Config.model_validate({"policy": blocks}))
    floors = {path: book.for_path(path).floor_quality for path in ("a/1.jpg", "b/1.jpg", "c/1.jpg")}
    assert floors == {"a/1.jpg": 0, "b/1.jpg": 40, "c/1.jpg": 10}


def test_a_command_line_s_ladder_has_to_reach_every_floor():
    config = Config.model_validate({"policy": [{"match": "a/**", "ladder": [50], "floor_quality": 40}]})
    with pytest.raises(UsageError, match="a floor of 40 is above the whole ladder 30"):
        config.overridden(ladder="30")
    assert config.overridden(ladder="45").selection.ladder.name == "45"
    with pytest.raises(UsageError, match="a floor of 10 is above the whole ladder 5"):
        config.overridden(ladder="5")


def test_without_mozjpeg_best_is_refused_and_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert load(written(tmp_path)).selection.ladder.name == "best"
    for name in [name for name in sys.modules if name.split(".")[0] == "pyvips"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [])  # where nothing else can be found, either, but all that is needed is loaded
    importlib.invalidate_caches()
    (line,) = faults(tmp_path, 'selection.ladder = "best"')
    assert line.startswith('selection.ladder = "best": it needs MozJPEG: pip install "framekeep[best]"')


def written(folder: Path) -> Path:
    file = folder / "config.toml"
    file.write_text('selection.ladder = "best"')
    return file
