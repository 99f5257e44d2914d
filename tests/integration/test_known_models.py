"""A wrong model cannot start; and the exit codes of what stops an administrator."""

from datetime import UTC, datetime

import pytest

from framekeep.errors import ModelUnavailableError
from storage.ledger.breakers import Opening
from storage.ledger.known_models import ModelFacts
from storage.ledger.opening import open_writer

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"digest": "01"}, "the weights' SHA-256: was 00, is 01"),
        ({"transform": "crop"}, "the transform: was none, is crop"),
        ({"class_names": ("dog", "cat")}, r"the class names: was 2 \(\w{16}\), is 2 \(\w{16}\)"),
    ],
)
def test_another_model_of_the_same_name_cannot_start_until_it_is_accepted(changed, words, site, photograph, steadfast):
    site.add("gate/1.jpg", photograph(1))
    site.sweep()
    site.add("gate/2.jpg", photograph(2))
    another = steadfast(**changed)
    with pytest.raises(ModelUnavailableError, match=words) as refused:
        site.sweep(another)
    assert "--accept-model" in str(refused.value)
    assert (site.root / "gate/2.jpg").read_bytes() == photograph(2)
    site.sweep(another, accept_model=True)
    assert (site.root / "gate/2.jpg").read_bytes() != photograph(2)
    site.sweep(another)
    with pytest.raises(ModelUnavailableError):
        site.sweep(steadfast())


def test_a_model_of_another_name_is_a_normal_change(site, steadfast):
    site.sweep()
    another = steadfast(digest="01")
    another.name = "another"
    site.sweep(another)
    site.sweep()


def test_a_model_that_fails_for_good_ends_the_sweep_and_is_no_pictures_failure(site, photograph, steadfast):
    class Lost(steadfast):
        looks = 0

        def look(self, batch):  # noqa: ARG002 - the protocol's argument
            self.looks += 1
            raise ModelUnavailableError("cuda:0 failed")

    for seed in range(4):
        site.add(f"gate/{seed}.jpg", photograph(seed))
    lost = Lost()
    with pytest.raises(ModelUnavailableError, match="cuda:0 failed"):
        site.sweep(lost)
    assert lost.looks <= 2  # a second batch may be on its way before anybody hears of the first
    assert not site.decisions()


def test_the_command_line_ends_with_the_documented_codes(site, capsys, photograph):
    """With the real model."""
    site.add("gate/1.jpg", photograph(1))
    with open_writer(site.config.ledger.url) as writer:
        writer.remember_model(ModelFacts(site.config.selection.model, "another", "1000 (another)", "another"))
        writer.open_breaker(Opening(str(site.root), None, "cause", NOW))
    assert site.run("sweep") == 12
    assert "--accept-model" in capsys.readouterr().err
    assert site.run("sweep", "--accept-model") == 15
    assert "(cause): see what changed, then framekeep resume" in capsys.readouterr().err
    assert site.run("resume", "--reason", "seen") == 0
    assert site.run("sweep") == 0
    assert (site.root / "gate/1.jpg").read_bytes() != photograph(1)
    assert site.run("verify", "--labels") == 0
    assert "1 labels hold" in capsys.readouterr().err
