"""The drift check and the slow verification, on real sweeps and ledgers."""

import json
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from daemon.checks.check import State
from daemon.checks.drift import check_drift as check_installed_drift
from daemon.chores import check_drift, chores_of, verify_slowly
from daemon.drift import FEWEST, alarming, look_again, second_model
from framekeep.jpeg.codec import decode
from framekeep.models.catalogue import PACKAGED
from storage.ledger.opening import open_reader, open_writer
from storage.ledger.second_looks import Agreement

SCHEMAS = Path(__file__).parents[2] / "docs/schemas"
NOW = datetime.now(UTC)
SECOND = "tf_efficientnet_lite2"


def test_a_second_model_looks_at_originals_that_are_due(site, capsys, photograph, steadfast):
    site.configure(vault={"days": 0.5})
    for number in range(3):
        site.add(f"gate/{number}.jpg", photograph(number))
    site.sweep()
    with open_reader(site.config.ledger.url) as reader:
        paused: list[None] = []
        agreeing = look_again(reader, site.config, steadfast(), NOW, lambda: paused.append(None))
        doubting = look_again(reader, site.config, steadfast(second=0.1), NOW, lambda: None)
    assert (len(paused), list(agreeing.agrees.values())) == (3, [True] * 3)
    assert list(doubting.agrees.values()) == [False] * 3
    with open_writer(site.config.ledger.url) as writer:
        first, *others = agreeing.agrees
        writer.second_look([(first, False), *((other, True) for other in others)], "second")
    with open_reader(site.config.ledger.url) as reader:
        assert look_again(reader, site.config, steadfast(), NOW, lambda: None).agrees == {}
    assert site.run("report", "--by", "camera", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads((SCHEMAS / "report.json").read_text())).validate(told)
    assert told["groups"][0]["agreement"] == {"looked": 3, "agreed": 2}
    assert site.run("report", "--by", "camera") == 0
    assert "67% of 3" in capsys.readouterr().out


def test_what_is_not_due_within_a_day_waits(site, photograph, steadfast):
    site.add("gate/1.jpg", photograph(1))
    site.sweep()
    with open_reader(site.config.ledger.url) as reader:
        assert look_again(reader, site.config, steadfast(), NOW, lambda: None).agrees == {}


def test_low_agreement_alarms_where_enough_was_looked_at():
    found = {"low": Agreement(FEWEST, 10), "few": Agreement(FEWEST - 1, 0), "high": Agreement(100, 90)}
    assert list(alarming(found, 0.8)) == ["low"]


@pytest.mark.skipif(find_spec(PACKAGED[SECOND].module) is None, reason="the second model's package is not installed")
def test_a_real_second_model_is_asked_and_what_it_says_is_kept(site, capsys, photograph):
    site.configure(vault={"days": 0.5})
    originals = {f"gate/{number}.jpg": photograph(number) for number in range(6)}
    for name, data in originals.items():
        site.add(name, data)
    site.sweep()
    model = second_model(site.config)
    assert model.name == site.config.drift.second_model == SECOND

    def label(data: bytes) -> int:
        (seen,) = model.look([model.prepare(decode(data))])
        return int(seen.prediction.probabilities.argmax())

    expected = {name: label(data) == label(site.path(name).read_bytes()) for name, data in originals.items()}
    with open_writer(site.config.ledger.url) as writer:
        check_drift(site.config, lambda _seconds: None)(writer)
        (agreement,) = writer.agreements(NOW - timedelta(days=1)).values()
    assert agreement == Agreement(len(originals), sum(expected.values()))
    out = capsys.readouterr().out
    assert "drift_checked" in out
    assert f"agreed={agreement.agreed} looked=6 model={SECOND}" in out


def test_without_the_second_model_the_drift_check_only_says_so(site, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, PACKAGED[SECOND].module, None)  # as if it were not installed
    site.sweep()
    with open_writer(site.config.ledger.url) as writer:
        check_drift(site.config, lambda _seconds: None)(writer)
        assert writer.agreements(NOW - timedelta(days=1)) == {}
    assert "drift_unchecked" in capsys.readouterr().out
    assert check_installed_drift(site.config).state is State.WARNING


def test_chores_can_be_switched_off(site):
    assert [chore.name for chore in chores_of(site.config)] == ["verify", "drift"]
    site.configure(verify={"days": 0}, drift={"sample_per_day": 0})
    assert chores_of(site.config) == []
    site.configure(drift={"second_model": site.config.selection.model})
    assert [chore.name for chore in chores_of(site.config)] == ["verify"]


def test_the_slow_verification_tells_the_log_of_damage(site, capsys, photograph):
    site.configure(verify={"megabytes_per_second": 1000})
    site.add("gate/1.jpg", photograph(1))
    site.sweep()
    (site.root / "gate/1.jpg").write_bytes(b"in place")
    with open_writer(site.config.ledger.url) as writer:
        verify_slowly(site.config, lambda _seconds: None)(writer)
    out = capsys.readouterr().out
    assert "damage_found" in out
    assert "kind=changed" in out
    assert "damaged=1" in out
