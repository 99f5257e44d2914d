"""What is explained of a picture, with models that see what the tests say."""

import io
from collections.abc import Sequence
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from framekeep.evidence import Evidence, Prediction
from framekeep.explaining import Explanation, Rule, explain
from framekeep.jpeg.source import Limits, Original, understand
from framekeep.jpeg.squeeze import squeeze
from framekeep.keepers.naming import keeper_of
from framekeep.ladder import parse_ladder
from framekeep.models.base import Prepared
from framekeep.reasons import Kept, Reason
from framekeep.search import lazy, run
from framekeep.variants import Encoder, Written


class Scripted:
    """Sees this label in the original, and then these in the variants."""

    name, digest, device, class_names = "scripted", "00", "cpu", ("cat", "dog", "cow")

    def __init__(self, *labels: int) -> None:
        self._labels = iter(labels)

    def prepare(self, image: Image.Image) -> Prepared:  # noqa: ARG002 - the protocol's argument
        return np.zeros((3, 1, 1), np.float32)

    def look(self, batch: Sequence[Prepared]) -> list[Evidence]:
        rows = np.full((len(batch), 3), 0.1, np.float32)
        rows[range(len(batch)), list(islice(self._labels, len(batch)))] = 0.8
        return [Evidence(Prediction(row)) for row in rows]


@pytest.fixture(scope="module")
def original() -> Original:
    noise = np.random.default_rng(1).normal(128, 20, (96, 128, 3)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=92)
    return understand(file.getvalue(), Limits(10**6, 10**6))


def explained(original: Original, ladder: str, *labels: int, min_saving: float = 0.01) -> Explanation:
    rule = Rule(keeper_of("t1k"), parse_ladder(ladder), Encoder("4:2:0", progressive=True), min_saving)
    return explain(original, squeeze(original.data), rule, Scripted(*labels))


def test_the_largest_j_that_qualifies_is_chosen(original: Original):
    told = explained(original, "90,70,50,30,10", 0, 0, 1, 0, 0, 2)
    assert [seen.qualifies for seen in told.variants] == [True, False, True, True, False]
    assert [seen.why for seen in told.variants] == ["", "top-1 differs", "", "", "top-1 differs"]
    assert [seen.variant.rung.quality for seen in told.variants] == [90, 70, 50, 30, 10]
    assert isinstance(told.outcome, Written)
    assert told.outcome.rung == told.variants[3].variant.rung
    assert told.outcome.reason is Reason.QUALIFIED
    assert len(told.outcome.data) < len(told.variants[3].variant.data)  # squeezed


def test_a_variant_that_is_not_smaller_is_shown_and_never_chosen(original: Original):
    told = explained(original, "100,50", 0, 0, 1)
    assert told.variants[0].why == "not smaller"
    assert not told.variants[0].qualifies
    assert isinstance(told.outcome, Written)
    assert (told.outcome.rung, told.outcome.reason) == (None, Reason.SQUEEZED)


def test_nothing_that_saves_enough_keeps_the_picture(original: Original):
    told = explained(original, "90,50", 0, 1, 1, min_saving=0.9)
    assert isinstance(told.outcome, Kept)
    assert told.outcome.reason is Reason.WOULD_NOT_SHRINK


def test_what_is_explained_is_what_the_lazy_search_chooses(original: Original):
    for labels in ([0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]):
        told = explained(original, "80,50,20", 0, *labels)
        j = run(lazy(3, 0), lambda j, told=told: told.variants[j - 1].cost)
        chosen = told.variants[j - 1].variant.rung if j else None
        assert isinstance(told.outcome, Written)
        assert told.outcome.rung == chosen
