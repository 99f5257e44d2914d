"""The keeper HRS, which knows what each picture shows: from a CSV, or from the names of folders."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from cli.explain import document, show_explained
from daemon.explaining import explain_place
from daemon.findings import Verified
from daemon.labels import LabelCheck
from daemon.rules import limits_of
from daemon.sweep import targets_of
from daemon.verifying import Scope, verify
from framekeep.errors import ConfigurationError
from framekeep.evidence import Evidence, Prediction
from framekeep.models.base import Prepared
from storage.ledger.opening import open_reader
from storage.records import Place


class Eye:
    """A fake model that really looks: the brighter and smoother a picture, the surer is the dog, then the cat."""

    name, digest, device, class_names, transform = "eye", "ee", "cpu", ("cat", "dog", "fox"), "grey"

    def prepare(self, image) -> Prepared:
        grey = np.asarray(image.convert("L"), dtype=np.float32)
        return np.abs(np.diff(grey, axis=1)).mean()

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        rows = [np.array([0.4, 0.4 + (12 - grain) / 100, 0.1], np.float32) for grain in batch]
        return [Evidence(Prediction(row / row.sum())) for row in rows]


@pytest.fixture
def zoo(site, photograph):
    site.configure(selection={"keeper": "hrs", "ladder": [80, 50, 20]}, vault={"floor_megabytes": 0})
    site.add("dog/1.jpg", photograph(1))
    site.add("cat/2.jpg", photograph(2))
    site.add("yard/3.jpg", photograph(3))
    return site


def told(site) -> dict[str, tuple[str | None, str]]:
    return {one.place.path: (one.rung, one.reason.word) for one in reversed(site.decisions())}


def test_the_best_rank_of_the_known_label_is_kept(zoo):
    """The original is grainy, so the cat leads; where coding has smoothed it, the dog does."""
    zoo.sweep(Eye())
    found = told(zoo)
    assert found["dog/1.jpg"] == ("q20", "qualified")
    rung, reason = found["cat/2.jpg"]
    assert (rung, reason) != ("q20", "qualified")
    assert found["yard/3.jpg"] == (None, "no_known_label")


def test_labels_come_from_a_file_and_new_labels_are_a_cause_to_look_again(zoo):
    (zoo.folder / "labels.csv").write_text("file,label\nyard/3.jpg,dog\ncat/2.jpg,unicorn\n")
    zoo.configure(
        selection={"keeper": "hrs", "ladder": [80, 50, 20], "known_labels": "labels.csv"}, vault={"floor_megabytes": 0}
    )
    zoo.sweep(Eye())
    assert told(zoo)["yard/3.jpg"] == ("q20", "qualified")
    assert told(zoo)["dog/1.jpg"] == (None, "no_known_label")
    (unicorn,) = zoo.decisions("cat/2.jpg")
    assert unicorn.note == "the network has no class 'unicorn'"
    (zoo.folder / "labels.csv").write_text("file,label\ndog/1.jpg,dog\n")
    zoo.sweep(Eye())
    assert told(zoo)["dog/1.jpg"] == ("q20", "qualified")


def test_an_unreadable_file_of_labels_stops_at_the_start(zoo):
    zoo.configure(selection={"keeper": "hrs", "known_labels": "nowhere.csv"})
    with pytest.raises(ConfigurationError, match=r"known_labels: the labels .*nowhere.csv cannot be read"):
        zoo.sweep(Eye())


def test_an_explanation_tells_the_ranks(zoo, capsys: pytest.CaptureFixture[str]):
    answer = explain_place(zoo.config, Eye(), Place(str(zoo.root), "dog/1.jpg"))
    found = document(answer, Eye.class_names)
    assert found["original"]["rank"] == 2
    assert [one["rank"] for one in found["variants"]][-1] == 1
    json.dumps(found)
    show_explained(answer, Eye.class_names)
    assert "known to show dog, rank 2 in the original, 1 in what qualifies" in capsys.readouterr().out


def test_what_is_chosen_qualifies_also_where_the_best_rank_is_not_the_first(zoo):
    """The fox comes last in every variant."""
    zoo.add("fox/4.jpg", zoo.path("dog/1.jpg").read_bytes())
    found = document(explain_place(zoo.config, Eye(), Place(str(zoo.root), "fox/4.jpg")), Eye.class_names)
    assert found["choice"] == "q20"
    assert [(one["rank"], one["qualifies"], one["why"]) for one in found["variants"]] == [(3, True, "")] * 3


def test_a_rung_does_not_qualify_where_another_has_a_better_rank(zoo):
    found = document(explain_place(zoo.config, Eye(), Place(str(zoo.root), "dog/1.jpg")), Eye.class_names)
    assert {(one["rank"] == 1, one["qualifies"], one["why"]) for one in found["variants"]} == {
        (True, True, ""),
        (False, False, "rank 2"),
    }


def test_the_ledger_keeps_the_known_label_with_its_rank(zoo):
    zoo.sweep(Eye())
    (decision,) = zoo.decisions("dog/1.jpg")
    (before,) = json.loads(decision.evidence_before)["known"]
    (after,) = json.loads(decision.evidence_after)["known"]
    assert (before[0], before[2]) == ("dog", 2)
    assert (after[0], after[2]) == ("dog", 1)
    assert before[1] < after[1]


def test_an_original_that_was_only_squeezed_is_verified_by_its_pixels(zoo):
    """The cat does not lead in the variant, so its original is packed anew; of the dog's rung nothing can be said."""
    zoo.configure(
        selection={"keeper": "hrs", "ladder": [20]},
        vault={"floor_megabytes": 0},
        encoder={"progressive": True},
    )
    zoo.sweep(Eye())
    assert told(zoo)["cat/2.jpg"] == (None, "squeezed")
    scope = Scope(targets_of(zoo.config, []), limits_of(zoo.config), labels=LabelCheck(Eye()))
    verified = Verified()
    with open_reader(zoo.config.ledger.url) as reader:
        assert list(verify(reader, scope, verified)) == []
    assert (verified.labels_hold, verified.labels_unknown) == (1, 1)
