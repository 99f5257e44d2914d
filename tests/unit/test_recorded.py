"""What the ledger keeps of an original's evidence, as the judge of a second generation."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from daemon.config.schema import Config
from daemon.recorded import evidence_in
from daemon.rules import RuleBook, Rules
from framekeep.evidence import Detections, Evidence, Prediction
from framekeep.keepers.naming import keeper_of
from framekeep.keepers.objects import ObjectRule
from framekeep.models.base import Prepared
from framekeep.models.both import Both, part_for
from framekeep.models.identity import use_of
from framekeep.reasons import Kept, Reason
from storage.records import Recorded

NAMES = ("ant", "bee", "cow", "dog", "elk", "fox", "gnu", "hen")
SEEN = Evidence(
    Prediction(np.array([0.4, 0.2, 0.1, 0.09, 0.08, 0.07, 0.04, 0.02], np.float32)),
    Detections(
        ("person", "car"), np.array([0.7, 0.43], np.float32), np.array([[0, 0, 9, 9], [1, 1, 5, 5]], np.float32)
    ),
)


class Blind:
    """Nobody asks it for a look."""

    device, transform = "cpu", "none"

    def __init__(self, name: str, digest: str, class_names: Sequence[str]):
        self.name, self.digest, self.class_names = name, digest, class_names

    def prepare(self, image: Image.Image) -> Prepared:
        raise AssertionError(image)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        raise AssertionError(batch)


MODEL = Both(Blind("classifier", "c0", NAMES), Blind("detector", "d0", ("person", "car")))


def rules(keeper: str, **detection: Any) -> Rules:
    selection = {"keeper": keeper, "allow_second_generation": True}
    config = Config.model_validate({"selection": selection, "detection": detection})
    return RuleBook(config, MODEL).for_path("gate/1.jpg")


def recorded(keeper: str, rule: ObjectRule | None = None, model: Both = MODEL) -> Recorded:
    made = keeper_of(keeper, objects=rule)
    part = part_for(model, made.needs)
    objects = str(rule or ObjectRule()) if "objects" in keeper else ""
    excerpt = json.dumps(made.excerpt(SEEN, part.class_names))
    return Recorded(excerpt, made.name, part.digest, use_of(part), objects)


def refused(records: Sequence[Recorded], wanted: Rules) -> bool:
    try:
        evidence_in(records, wanted)
    except Kept as kept:
        return kept.reason is Reason.NO_EVIDENCE
    return False


@pytest.mark.parametrize(
    ("keeper", "was"),
    [
        ("t1k", "t1k"),
        ("t5k", "t5k"),
        ("t1k", "t5k"),
        ("t1k,t5k", "t5k"),
        ("t1k", "t1k,objects"),
        ("objects", "objects"),
    ],
)
def test_what_was_recorded_is_as_good_as_what_was_seen(keeper: str, was: str):
    wanted = rules(keeper)
    evidence = evidence_in([recorded(was)], wanted)
    assert wanted.keeper.judge(SEEN, SEEN).qualifies
    assert wanted.keeper.judge(evidence, SEEN).qualifies
    assert wanted.keeper.excerpt(evidence, wanted.model.class_names) == wanted.keeper.excerpt(
        SEEN, wanted.model.class_names
    )


def test_objects_are_had_from_a_record_of_labels_and_objects():
    assert not refused([recorded("t1k,objects")], rules("objects"))
    assert not refused([recorded("t1k,objects")], rules("t1k"))


@pytest.mark.parametrize(
    ("keeper", "was"), [("t5k", "t1k"), ("objects", "t1k"), ("t1k", "objects"), ("t1k,objects", "t1k")]
)
def test_what_was_not_recorded_is_not_guessed(keeper: str, was: str):
    assert refused([recorded(was)], rules(keeper))


def test_of_several_the_newest_that_has_it_all_is_taken():
    old = recorded("t1k")
    other = Recorded(old.evidence.replace("ant", "cow"), *("t1k", old.model_digest, old.model_use, ""))
    evidence = evidence_in([recorded("objects"), other, old], rules("t1k"))
    assert evidence.prediction
    assert evidence.prediction.top(1)[0][0] == NAMES.index("cow")


@pytest.mark.parametrize(
    ("was", "wanted"),
    [
        (ObjectRule(slack=0.1), {"slack": 0.2}),
        (ObjectRule(min_score=0.6), {"min_score": 0.5, "slack": 0.0}),
        (ObjectRule(classes=("person",)), {}),
        (ObjectRule(classes=("person",)), {"classes": ["person", "car"]}),
    ],
)
def test_fainter_objects_and_other_classes_than_were_recorded_are_refused(was: ObjectRule, wanted: dict[str, Any]):
    assert refused([recorded("objects", was)], rules("objects", **wanted))


@pytest.mark.parametrize(
    ("was", "wanted"),
    [
        (ObjectRule(slack=0.2), {"slack": 0.1}),
        (ObjectRule(), {"classes": ["person"]}),
        (ObjectRule(classes=("person", "car")), {"classes": ["car"]}),
    ],
)
def test_what_a_record_holds_more_is_no_harm(was: ObjectRule, wanted: dict[str, Any]):
    assert not refused([recorded("objects", was)], rules("objects", **wanted))


def test_another_digest_or_use_is_another_model():
    other = Both(Blind("classifier", "c1", NAMES), MODEL.detector)
    renamed = Both(Blind("classifier", "c0", NAMES[::-1]), MODEL.detector)
    assert refused([recorded("t1k", model=other), recorded("t1k", model=renamed)], rules("t1k"))
    assert not refused([recorded("objects", model=other)], rules("objects")), "the detector is the same"


def test_neither_hrs_nor_regions_nor_a_record_of_nobody():
    assert refused([recorded("hrs")], rules("hrs"))
    assert refused([recorded("objects")], rules("objects", regions="exact"))
    assert refused([Recorded("{}", "unknown", "", "", "")], rules("t1k"))
    assert refused([], rules("t1k"))
