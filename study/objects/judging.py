"""What each rule does to one picture, judged from one pass's observations alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from framekeep.evidence import Evidence
from framekeep.keepers.labels import LabelKeeper
from framekeep.keepers.objects import ObjectKeeper, detections_of
from study.objects.figures import Figures
from study.objects.rules import Bounds, Looked, Rule


@dataclass(frozen=True, slots=True)
class Changes:
    """What a variant changed. Ties are called: what a keeper avoids because it is too close to call is no change."""

    lost: bool = False
    new: bool = False
    top1: bool = False
    recognised: bool = False
    """The likeliest label differs where one that does not reach `min_confidence` is none."""


_NONE = Changes()


def judged(original: int, looked: Looked, rules: Sequence[Rule], bounds: Bounds) -> Iterator[tuple[str, Figures]]:
    """The figures of a picture, whose file has `original` bytes, by each rule's name."""
    found = bool(len(ObjectKeeper(bounds.objects, margin=0).wanted(detections_of(looked.seen[0]))))
    changes: dict[int, Changes] = {}
    for rule in rules:
        j = rule.choose(looked)
        if j not in changes:
            changes[j] = _changes_at(j, looked, bounds)
        yield rule.name, _figures(original, looked.sizes[j], changes[j], found=found)


def _changes_at(j: int, looked: Looked, bounds: Bounds) -> Changes:
    """None where the daemon writes the original's own pixels, since squeezed they are no larger than the variant."""
    if bounds.counting == "daemon" and looked.sizes[j] >= looked.sizes[0]:
        return _NONE
    return changes_between(looked.seen[0], looked.seen[j], bounds)


def changes_between(original: Evidence, variant: Evidence, bounds: Bounds) -> Changes:
    """As a person would count them, whatever was decided."""
    objects = ObjectKeeper(bounds.objects, margin=0).compare(detections_of(original), detections_of(variant))
    top1, recognised = (LabelKeeper("t1k", 1, least, margin=0) for least in (0.0, bounds.min_confidence))
    return Changes(
        bool(len(objects.lost)),
        bool(len(objects.new)),
        not top1.judge(original, variant).qualifies,
        not recognised.judge(original, variant).qualifies,
    )


def _figures(before: int, after: int, changes: Changes, *, found: bool) -> Figures:
    return Figures(
        pictures=1,
        found=int(found),
        before=before,
        after=after,
        lost=int(changes.lost),
        new=int(changes.new),
        either=int(changes.lost or changes.new),
        top1=int(changes.top1),
        recognised=int(changes.recognised),
    )
