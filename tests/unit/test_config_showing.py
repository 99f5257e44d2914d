"""A configuration as TOML text."""

import tomllib
from pathlib import Path

from daemon.config.loading import defaults, load
from daemon.config.schema import Config
from daemon.config.showing import differences, dump

FOLDER = Path("/etc/framekeep")
GIVEN = {
    "vault": {"days": 1},
    "selection": {"ladder": [90, 10], "keeper": "ttk", "weights": "w.pt"},
    "policy": [{"match": ["gate/**", "!gate/x"], "keeper": "t5k"}],
}
CONFIG = Config.model_validate(GIVEN, context={"folder": FOLDER})


def test_a_dump_read_again_is_the_same_configuration(tmp_path: Path):
    path = tmp_path / "config.toml"
    path.write_text(dump(CONFIG), encoding="utf-8")
    assert load(path) == CONFIG


def test_a_policy_can_be_written_below_a_dump(tmp_path: Path):
    path = tmp_path / "config.toml"
    path.write_text(dump(defaults(FOLDER)) + '[[policy]]\nmatch = "a"\nvault_days = 1\n', encoding="utf-8")
    assert load(path).policy[0].vault_days == 1


def test_differences_hold_only_what_differs():
    assert tomllib.loads(differences(CONFIG, defaults(FOLDER))) == {
        "vault": {"days": 1.0},
        "selection": {"ladder": "90,10", "keeper": "t1k,t5k", "weights": "/etc/framekeep/w.pt"},
        "policy": [{"match": ["gate/**", "!gate/x"], "keeper": "t5k"}],
    }


def test_no_differences_are_no_text():
    assert differences(CONFIG, CONFIG) == ""
