"""What the ledger keeps of the evidence of an original that is gone: a second generation is judged against it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from daemon.rules import Rules
from framekeep.evidence import Evidence
from framekeep.keepers.base import Need
from framekeep.keepers.excerpts import UnknownNameError, evidence_of
from framekeep.keepers.labels import MARGIN
from framekeep.keepers.naming import HRS, keeper_of
from framekeep.keepers.objects import ObjectRule
from framekeep.models.both import part_for
from framekeep.models.identity import use_of
from framekeep.reasons import Kept, Reason
from framekeep.regions.rule import OFF
from storage.records import Recorded

_LABELS: Final = {"t1k": 2, "t5k": 6}
"""How many labels a keeper compares, and one more, which tells whether they are too close to call."""
_KINDS: Final = {Need.PREDICTION: ("labels",), Need.DETECTIONS: ("objects", "fainter")}


def evidence_in(recorded: Iterable[Recorded], rules: Rules) -> Evidence:
    """The original's, from the newest record that holds all that the rules' keeper compares.

    Raises Kept where there is none, and where a second generation cannot be judged at all.
    """
    if rules.settings.keeper == HRS:
        raise Kept(Reason.NO_EVIDENCE, "hrs asks for the original's ranks, which the ledger does not keep")
    if rules.regions != OFF:
        raise Kept(Reason.NO_EVIDENCE, "regions ask for the original's own coefficients")
    for one in recorded:
        excerpt = json.loads(one.evidence)
        if _is_same_model(one, rules) and _holds_labels(excerpt, rules) and _holds_objects(excerpt, one, rules):
            try:
                return evidence_of(_compared(excerpt, rules), rules.model.class_names)
            except UnknownNameError:
                continue
    raise Kept(Reason.NO_EVIDENCE, "the ledger has too little of it, or of another model")


def _is_same_model(one: Recorded, rules: Rules) -> bool:
    try:
        needs = keeper_of(one.keeper).needs
    except ValueError:  # a rebuilt ledger's "unknown"
        return False
    model = part_for(rules.record, needs)
    return (one.model_digest, one.model_use) == (model.digest, use_of(model))


def _compared(excerpt: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """What the keeper compares; the rest may be in the words of a model that it does not ask."""
    kinds = [kind for need in rules.keeper.needs for kind in _KINDS[need]]
    return {kind: excerpt[kind] for kind in kinds}


def _holds_labels(excerpt: Mapping[str, Any], rules: Rules) -> bool:
    keepers = rules.settings.keeper.split(",")
    needed = max((_LABELS.get(keeper, 0) for keeper in keepers), default=0)
    return len(excerpt.get("labels", ())) >= min(needed, len(rules.model.class_names))


def _holds_objects(excerpt: Mapping[str, Any], one: Recorded, rules: Rules) -> bool:
    if not rules.settings.objects:
        return True
    if not one.objects or "objects" not in excerpt:
        return False
    kept, wanted = ObjectRule.of(one.objects), ObjectRule.of(rules.settings.objects)
    has_scores = kept.min_score - kept.slack <= wanted.min_score - max(wanted.slack, MARGIN)
    has_classes = not kept.classes or (bool(wanted.classes) and set(wanted.classes) <= set(kept.classes))
    return has_scores and has_classes
