"""What a configuration accepts, what it refuses, and in which words."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from daemon.config.loading import load
from daemon.config.schema import Config
from framekeep.errors import ConfigurationError
from framekeep.ladder import PAPER

FOLDER = Path("/etc/framekeep")


def config(**sections: object) -> Config:
    return Config.model_validate(sections, context={"folder": FOLDER})


def faults(tmp_path: Path, toml: str) -> list[str]:
    path = tmp_path / "config.toml"
    path.write_text(toml, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    first, *lines = str(caught.value).splitlines()
    count = "1 error" if len(lines) == 1 else f"{len(lines)} errors"
    assert first == f"{path} cannot be used: {count}"
    return [line.strip() for line in lines]


def test_the_defaults_are_the_contract():
    default = config()
    assert default.watch.roots == (FOLDER / "incoming",)
    assert default.watch.settle_seconds == 2
    assert default.selection.model == "tf_efficientnet_lite0"
    assert default.selection.keeper == "t1k"
    assert [rung.quality for rung in default.selection.ladder.rungs] == list(PAPER)
    assert default.selection.min_confidence == 0
    assert default.ledger.url == "sqlite:////etc/framekeep/var/ledger.sqlite"
    assert default.vault.days == 7


def test_relative_paths_start_at_the_files_folder_and_absolute_ones_stay():
    given = config(
        watch={"roots": ["a", "../b", "/srv/c"]},
        selection={"weights": "own.safetensors", "class_names": "/names.txt"},
        service={"runtime_directory": "run"},
    )
    assert given.watch.roots == (FOLDER / "a", Path("/etc/b"), Path("/srv/c"))
    assert given.selection.weights == FOLDER / "own.safetensors"
    assert given.selection.class_names == Path("/names.txt")
    assert given.service.runtime_directory == FOLDER / "run"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("sqlite:///l.db", "sqlite:////etc/framekeep/l.db"),
        ("sqlite:////var/l.db", "sqlite:////var/l.db"),
        ("sqlite:///../l.db", "sqlite:////etc/l.db"),
    ],
)
def test_the_ledgers_path_is_absolute_too(given: str, url: str):
    assert config(ledger={"url": given}).ledger.url == url


def test_an_odd_path_reaches_the_database_unchanged():
    name = "odd #@:+&;=ü[1].db"
    assert make_url(config(ledger={"url": f"sqlite:///{name}"}).ledger.url).database == str(FOLDER / name)


@pytest.mark.parametrize("keeper", ["ttk", "T5K, t1k", ["t5k", "t1k"], ["ttk", "t1k"]])
def test_equal_keepers_have_one_name(keeper: str | list[str]):
    assert config(selection={"keeper": keeper}).selection.keeper == "t1k,t5k"


@pytest.mark.parametrize("ladder", ["50,90,10", [10, 90, 50, 50]])
def test_a_ladder_falls(ladder: str | list[int]):
    rungs = config(selection={"ladder": ladder}).selection.ladder.rungs
    assert [rung.quality for rung in rungs] == [90, 50, 10]


def test_a_single_pattern_needs_no_list():
    given = config(watch={"include": "*.jpe"}, policy=[{"match": "gate/**", "keeper": "t5k"}])
    assert given.watch.include == ("*.jpe",)
    assert given.policy[0].match == ("gate/**",)


def test_a_digest_is_written_small():
    given = config(selection={"weights": "w", "weights_sha256": "AB" * 32})
    assert given.selection.weights_sha256 == "ab" * 32


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ('watch.roots = "incoming"', 'watch.roots = "incoming": should be a list in brackets'),
        ("watch.roots = []", "watch.roots = []: should name at least one folder"),
        ('watch.roots = ["a", ""]', 'watch.roots.#2 = "": should be a path, not empty and without NUL'),
        ("watch.roots = [5]", "watch.roots.#1 = 5: should be a path in quotes"),
        ('watch.roots = ["/a", "/a/"]', 'watch.roots = ["/a", "/a/"]: /a stands twice'),
        ("watch.include = []", "watch.include = []: should hold a pattern that does not begin with !"),
        ('watch.ignore = ["[z-a]"]', 'watch.ignore.#1 = "[z-a]": should be a pattern as in a .gitignore file'),
        ('watch.ignore = ["x\\\\"]', 'watch.ignore.#1 = "x\\\\": should be a pattern as in a .gitignore file'),
        ('watch.settle_seconds = "2"', 'watch.settle_seconds = "2": should be a number'),
        ("watch.settle_seconds = nan", "watch.settle_seconds = NaN: should be a finite number"),
        ("watch.settle_seconds = 0", "watch.settle_seconds = 0: should be at least 0.1"),
        ("watch.rescan_minutes = 0", "watch.rescan_minutes = 0: should be more than 0"),
        ('selection.model = ""', 'selection.model = "": should not be empty'),
        ('selection.keeper = ["t1k", "hrs"]', 'selection.keeper = ["t1k", "hrs"]: hrs stands alone'),
        ('selection.keeper = "things"', "selection.keeper = \"things\": unknown keeper 'things'; known are t1k"),
        ("detection.slack = 0.5", "detection: slack (0.5) should be smaller than min_score (0.5)"),
        ('detection.labels = "a.txt"', 'detection.labels = "a.txt": describes the file in weights'),
        ('selection.hours = "22-6"', 'selection.hours = "22-6": should be two times of day such as "22:00-06:00"'),
        ("selection.hours = 22", "selection.hours = 22: should be a text in quotes"),
        ("service.nice = -5", "service.nice = -5: should be 0 to 19: pictures can wait"),
        ("service.nice = 20", "service.nice = 20: should be at most 19"),
        ("service.megabytes_per_second = -1", "service.megabytes_per_second = -1: should be at least 0"),
        ('service.megabytes_per_second = "5 MB"', 'service.megabytes_per_second = "5 MB": should be a number'),
        ('[[policy]]\nmatch = "a"\nhours = "6:00-7:00"', 'policy.#1.hours = "6:00-7:00": should be two times of day'),
        ('[[policy]]\nmatch = "a"\nexclude = 1', "policy.#1.exclude = 1: should be true or false"),
        (
            '[[policy]]\nmatch = "a"\nexclude = true\nvault_days = 1\nkeeper = "t1k"',
            "policy.#1: excludes what it matches, so keeper, vault_days would do nothing there",
        ),
        ("selection.keeper = []", "selection.keeper = []: unknown keeper"),
        ("selection.keeper = [1]", "selection.keeper = [1]: should be a keeper's name"),
        ("selection.min_confidence = 1", "selection.min_confidence = 1: should be less than 1"),
        ("selection.min_confidence = -0.1", "selection.min_confidence = -0.1: should be at least 0"),
        ("selection.min_confidence = true", "selection.min_confidence = true: should be a number"),
        ("selection.ladder = [90, true]", 'selection.ladder = [90, true]: should be "paper", "fine", "best" or a list'),
        ("selection.ladder = [90, 0]", "selection.ladder = [90, 0]: quality factors run from 1 to 100"),
        ('selection.device = "gpu"', 'selection.device = "gpu": should be "auto", "cpu", "cuda"'),
        ("selection.batch = 1.5", "selection.batch = 1.5: should be a whole number"),
        ('selection.class_names = "n"', 'selection.class_names = "n": describes the file in weights'),
        (f'selection.weights_sha256 = "{"0" * 64}"', f'selection.weights_sha256 = "{"0" * 59}…: describes the file'),
        ('encoder.subsampling = "4:1:1"', "encoder.subsampling = \"4:1:1\": should be '4:2:0', '4:2:2' or '4:4:4'"),
        ('encoder.progressive = "no"', 'encoder.progressive = "no": should be true or false'),
        ("limits.max_megapixels = 90", "limits.max_megapixels = 90: should be at most 89"),
        (
            "limits.in_flight_megapixels = 79",
            "limits.in_flight_megapixels = 79: should be at least max_megapixels (80)",
        ),
        ('ledger.url = "postgresql:///x"', 'ledger.url = "postgresql:///x": should be "sqlite:///PATH"'),
        ('ledger.url = "sqlite://"', 'ledger.url = "sqlite://": should be "sqlite:///PATH"'),
        ('ledger.url = "sqlite:///:memory:"', 'ledger.url = "sqlite:///:memory:": should be "sqlite:///PATH"'),
        ('ledger.url = "sqlite:///a%20b"', 'ledger.url = "sqlite:///a%20b": should hold neither ? nor %'),
        ('ledger.url = "sqlite:///a?b=c"', 'ledger.url = "sqlite:///a?b=c": should hold neither ? nor %'),
        ("vault.days = 1e9", "vault.days = 1000000000.0: should be at most 36500"),
        ("vault = 7", "vault = 7: should be a section with keys"),
        ('service.log_level = "loud"', "service.log_level = \"loud\": should be 'debug', 'info', 'warning' or 'error'"),
        ('selection.keper = "t1k"', 'selection.keper: unknown key; did you mean "keeper"?'),
        ("vault.colour = 1", "vault.colour: unknown key; known are days"),
        ("wacht.roots = []", 'wacht: unknown key; did you mean "watch"?'),
        ("[[policy]]\nvault_days = 1", "policy.#1.match: is needed"),
        (
            '[[policy]]\nmatch = "a"',
            "policy.#1: overrides nothing; it can override keeper, min_confidence, ladder",
        ),
        ('[[policy]]\nmatch = ["!a"]\nvault_days = 1', 'policy.#1.match = ["!a"]: should hold a pattern that does not'),
        ('[[policy]]\nmatch = "a"\nvault_day = 1\nkeeper = "t1k"', "policy.#1.vault_day: unknown key; did you mean"),
    ],
)
def test_a_fault_tells_where_what_was_given_and_what_is_allowed(tmp_path: Path, toml: str, fault: str):
    (line,) = faults(tmp_path, toml)
    assert line.startswith(fault)


def test_a_root_inside_another_is_refused_whatever_their_order(tmp_path: Path):
    (line,) = faults(tmp_path, 'watch.roots = ["/a/b", "/c", "/a"]')
    assert "/a/b lies inside /a" in line


def test_a_second_policy_for_the_same_patterns_is_refused(tmp_path: Path):
    block = '[[policy]]\nmatch = "gate/**"\nvault_days = 1\n'
    (line,) = faults(tmp_path, block + block)
    assert line == "policy: #2 would do nothing: all of gate/** is matched by #1 before, and the first wins"


def test_policies_that_do_nothing_match_nothing_or_make_no_sense_are_all_told_at_once(tmp_path: Path):
    lines = faults(
        tmp_path,
        'vault.days = -1\n[[policy]]\nmatch = "gate/**"\nslack = 0.9\n'
        '[[policy]]\nmatch = ["../x/**", "@eaDir/**"]\nvault_days = 1\n',
    )
    assert lines == [
        "vault.days = -1: should be at least 0",
        "policy: #1: slack (0.9) should be smaller than min_score (0.5)",
        "policy: #2: ../x/** matches nothing: . and .. are not part of a picture's path",
        "policy: #2: @eaDir/** matches no picture: [watch] ignore leaves that folder out",
    ]
    block = '[[policy]]\nmatch = "gate/**"\nvault_days = 1\n'
    assert len(faults(tmp_path, 3 * block)) == 2


def test_a_block_may_take_pictures_out_of_an_exclusion_that_follows():
    given = config(policy=[{"match": "gate/lobby/**", "exclude": False}, {"match": "gate/**", "exclude": True}])
    assert [block.overrides for block in given.policy] == [{"exclude": False}, {"exclude": True}]


def test_all_faults_are_told_at_once_in_the_order_of_the_sections(tmp_path: Path):
    lines = faults(tmp_path, "[vault]\ndays = -1\n[watch]\nsettle_seconds = -1\nrots = []\n[[policy]]\nmatch = 1\n")
    places = [line.split(":")[0].split(" ")[0] for line in lines]
    assert places == ["watch.settle_seconds", "watch.rots", "vault.days", "policy.#1.match"]


def test_a_long_value_is_told_in_short(tmp_path: Path):
    (line,) = faults(tmp_path, f'ledger.url = "{"x" * 500}"')
    assert len(line) < 150
    assert "xxx…: should be" in line


def test_a_configuration_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        config().vault.days = 1
