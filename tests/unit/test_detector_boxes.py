"""Anchors, overlaps and suppression, each beside a computation that is slower and plainer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framekeep.models.detectors.anchors import ssd_anchors
from framekeep.models.detectors.catalogue import OID_CLASSES, SCORE_FLOOR
from framekeep.models.detectors.overlap import iou_table, survivors
from framekeep.models.detectors.raw_heads import RawHeads
from framekeep.models.detectors.reading import detections

SCALES = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95]


def plain_anchors() -> np.ndarray:
    """As MediaPipe's calculator goes about it: layer, row, column, anchor."""
    anchors = []
    for layer, (stride, scale) in enumerate(zip([16, 32, 64, 128, 256, 512], SCALES, strict=True)):
        above = SCALES[layer + 1] if layer < 5 else 1.0
        shapes = [(ratio, scale) for ratio in (1.0, 2.0, 0.5, 3.0, 0.3333)] + [(1.0, (scale * above) ** 0.5)]
        if layer == 0:
            shapes = [(1.0, 0.1), (2.0, 0.2), (0.5, 0.2)]
        side = int(np.ceil(300 / stride))
        for row in range(side):
            for column in range(side):
                for ratio, size in shapes:
                    centre = ((column + 0.5) / side, (row + 0.5) / side)
                    anchors.append((*centre, size * ratio**0.5, size / ratio**0.5))
    return np.array(anchors)


def test_the_anchors_are_the_published_ones():
    anchors = ssd_anchors()
    assert anchors.shape == (1917, 4)
    np.testing.assert_allclose(anchors, plain_anchors(), rtol=1e-12)
    np.testing.assert_allclose(anchors[0], [0.5 / 19, 0.5 / 19, 0.1, 0.1])
    np.testing.assert_allclose(anchors[3 * 19 * 19 + 3], [0.05, 0.05, 0.35 * 3**0.5, 0.35 / 3**0.5])
    np.testing.assert_allclose(anchors[-1], [0.5, 0.5, 0.95**0.5, 0.95**0.5])


side = st.integers(0, 12)
box = st.tuples(side, side, st.integers(1, 8), st.integers(1, 8)).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
boxes = st.lists(box, min_size=1, max_size=12).map(lambda found: np.array(found, float))


def covered(one: np.ndarray) -> set[tuple[int, int]]:
    left, top, right, bottom = one.astype(int)
    return {(x, y) for x in range(left, right) for y in range(top, bottom)}


@given(boxes, boxes)
def test_the_overlap_is_that_of_the_pixels_covered(these: np.ndarray, those: np.ndarray):
    table = iou_table(these, those)
    for row, one in zip(table, these, strict=True):
        for found, other in zip(row, those, strict=True):
            shared, both = covered(one) & covered(other), covered(one) | covered(other)
            assert found == pytest.approx(len(shared) / len(both))


@given(boxes, st.data())
def test_suppression_is_the_greedy_one(found: np.ndarray, data: st.DataObject):
    classes = np.array(data.draw(st.lists(st.integers(0, 1), min_size=len(found), max_size=len(found))))
    scores = np.array(data.draw(st.permutations(range(len(found))))) / len(found)
    kept: list[int] = []
    for i in scores.argsort()[::-1]:
        rivals = [j for j in kept if classes[j] == classes[i]]
        if all(iou_table(found[[i]], found[[j]])[0, 0] < 0.5 for j in rivals):
            kept.append(i)
    assert survivors(classes, scores, found, 0.5).tolist() == kept


def heads(objects: dict[int, tuple[int, float]]) -> list[np.ndarray]:
    """Anchors' classes and logits; every encoding is zero, so that a box is its anchor."""
    logits = np.full((1, 1917, 24), -9, np.float32)
    for anchor, (number, logit) in objects.items():
        logits[0, anchor, 1 + number] = logit
    return [logits, np.zeros((1, 1917, 4), np.float32)]


def test_raw_heads_are_read_as_anchors_with_scores():
    person, car = OID_CLASSES.index("person"), OID_CLASSES.index("car")
    middle = 3 * (9 * 19 + 9)
    found = RawHeads(OID_CLASSES).read(heads({middle: (person, 0.0), 0: (car, 2.0), 1: (car, -2.0)}), (1000, 500))
    assert found.labels == ("car", "person")
    np.testing.assert_allclose(found.scores, [1 / (1 + np.exp(-2)), 0.5], rtol=1e-6)
    np.testing.assert_allclose(found.boxes[1], [450, 225, 550, 275], rtol=1e-6)
    assert (found.scores.dtype, found.boxes.dtype) == (np.float32, np.float32)


def test_an_encoding_moves_and_stretches_its_anchor():
    outputs = heads({3 * (9 * 19 + 9): (0, 3.0)})
    outputs[1][0, 3 * (9 * 19 + 9)] = [1.0, 2.0, 5 * np.log(3), 5 * np.log(2)]  # y, x, height, width
    found = RawHeads(OID_CLASSES).read(outputs, (1000, 500))
    np.testing.assert_allclose(found.boxes, [[420, 180, 620, 330]], rtol=1e-5)


def test_on_one_object_the_likelier_box_stays_unless_the_class_is_another():
    here = [0, 19 * 3]  # two rows of anchors of side 0.1 overlap by a third; so does the same anchor with itself
    found = RawHeads(OID_CLASSES).read(heads({here[0]: (2, 2.0), here[1]: (2, 1.0)}), (300, 300))
    assert len(found) == 2
    outputs = heads({1083: (2, 2.0), 1088: (2, 1.0)})  # squares of sides 0.35 and 0.42 at one place
    assert RawHeads(OID_CLASSES).read(outputs, (300, 300)).labels == (OID_CLASSES[2],)
    outputs = heads({1083: (2, 2.0), 1088: (3, 1.0)})
    assert RawHeads(OID_CLASSES).read(outputs, (300, 300)).labels == (OID_CLASSES[2], OID_CLASSES[3])


def test_heads_of_another_network_are_told():
    reader = RawHeads(OID_CLASSES)
    assert reader.fault(heads({}), (9, 9)) is None
    fault = reader.fault([np.zeros((1, 1917, 91)), np.zeros((1, 1917, 4))], (9, 9))
    assert fault is not None
    assert "(1, 1917, 91)" in fault
    assert "(1, 1917, 24)" in fault
    assert "23 classes" in fault


def test_detections_are_sorted_and_without_what_is_no_object():
    scores = np.array([SCORE_FLOOR, 0.9, 0.5, SCORE_FLOOR - 1e-6, 0.8])
    found = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [2, 2, 4, 4], [3, 3, 5, 5], [7, 4, 7, 6]], float)
    seen = detections(("cat", "dog"), np.array([0, 1, 2, 0, 0]), scores, found)
    assert seen.labels == ("dog", "class 2", "cat")
    np.testing.assert_array_equal(seen.boxes[:, 0], [1, 2, 0])


def test_no_objects_are_an_empty_answer():
    seen = RawHeads(OID_CLASSES).read(heads({}), (640, 480))
    assert (len(seen), seen.scores.shape, seen.boxes.shape) == (0, (0,), (0, 4))
