"""The comparison as one JSON object; docs/schemas/study_objects.json describes it."""

from typing import Any

from framekeep.jpeg.codec import encoder_versions
from framekeep.keepers.objects import ObjectRule
from framekeep.models.base import Model
from study.objects.figures import Figures, overall
from study.objects.looking import SEED, Compared
from study.objects.rules import Constant, Keeping, Rule, rules_of
from study.passing.counting import ENCODER


def document(compared: Compared) -> dict[str, Any]:
    """Paths are relative to the folder."""
    bounds, sample = compared.bounds, compared.sample
    return {
        "detector": _model(compared.models.detector),
        "classifier": _model(compared.models.classifier),
        "objects": _objects(bounds.objects),
        "min_confidence": bounds.min_confidence,
        "ladder": [rung.quality for rung in bounds.ladder.rungs],
        "counting": bounds.counting,
        "encoder": f"{encoder_versions()}, {ENCODER.subsampling}",
        "sample": {"pictures": len(sample.paths), "of": sample.of, "seed": SEED},
        "left_out": dict(compared.left_out),
        "rules": [_rule(rule, compared) for rule in rules_of(bounds)],
    }


def _model(model: Model) -> dict[str, Any]:
    return {"name": model.name, "digest": model.digest, "transform": model.transform, "device": model.device}


def _objects(rule: ObjectRule) -> dict[str, Any]:
    return {"min_score": rule.min_score, "slack": rule.slack, "iou": rule.iou, "classes": list(rule.classes)}


def _rule(rule: Rule, compared: Compared) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "keeper": rule.keeper.name if isinstance(rule, Keeping) else None,
        "min_confidence": rule.min_confidence if isinstance(rule, Keeping) else None,
        "quality": rule.rung.quality if isinstance(rule, Constant) else None,
        "all": _figures(overall(compared.cameras)[rule.name]),
        "cameras": {camera: _figures(figures[rule.name]) for camera, figures in compared.cameras.items()},
    }


def _figures(figures: Figures) -> dict[str, Any]:
    counts = {
        "lost": figures.lost,
        "new": figures.new,
        "lost_or_new": figures.either,
        "top1_changed": figures.top1,
        "recognised_changed": figures.recognised,
    }
    return {
        "pictures": figures.pictures,
        "with_objects": figures.found,
        "bytes_before": figures.before,
        "bytes_after": figures.after,
        "cr": figures.ratio,
        **{name: {"pictures": count, "share": figures.share(count)} for name, count in counts.items()},
    }
