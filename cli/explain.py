"""framekeep explain."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from cli.options import ConfigOption, JsonOption, load_config, verb
from cli.paths import as_text, path_fields
from cli.picture import check_drawable, write_picture
from cli.tables import cell, facts, show, table
from daemon.explaining import Explained, explain_place
from daemon.log import configure
from daemon.models import open_record
from daemon.sweep import picture_of
from framekeep.evidence import Detections, Evidence
from framekeep.explaining import Explanation, Seen
from framekeep.keepers.base import Keeper
from framekeep.keepers.labels import HighestRank, prediction_of
from framekeep.keepers.objects import detections_of, object_keeper_in
from framekeep.ladder import EXACT
from framekeep.models.describing import top_five
from framekeep.reasons import Kept
from framekeep.regions.rule import Region, RegionRule
from framekeep.variants import Written

app = verb()

_SOURCES: Final = {"vault": "the original in the vault", "file": "the file itself", None: "nothing"}


@app.command(epilog="Example: framekeep explain incoming/gate/0001.jpg")
def explain(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A picture below a root.", readable=False)],
    *,
    keeper: Annotated[str | None, typer.Option(metavar="K[,K]", help="Instead of the configured one.")] = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw original, kept variant and every rung with what is seen in them."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show what the model sees in a picture's variants.

    Looks at every variant, and tells which qualify, why the others do not, and what is chosen. A picture that was
    replaced is explained from its original while the vault holds it. Tells of a legal hold, too. Changes nothing.
    """
    check_drawable(picture)
    settings = load_config(config).overridden(keeper=keeper)
    configure(settings.service.log_format, "warning")
    place = picture_of(settings, path)
    model = open_record(settings)
    answer = explain_place(settings, model, place)
    if picture:
        write_picture(picture, answer, model.class_names)
    if as_json:
        typer.echo(json.dumps(document(answer, model.class_names)))
    else:
        show_explained(answer, model.class_names)


def document(answer: Explained, names: Sequence[str]) -> dict[str, Any]:
    explanation, keeper = answer.explanation, answer.rules.keeper
    return {
        **path_fields(answer.place.path),
        "root": as_text(answer.place.root),
        "camera": as_text(answer.place.camera),
        "source": answer.source.name if answer.source else None,
        "hold": answer.source.hold.number if answer.source and answer.source.hold else None,
        "keeper": answer.rules.keeper.name,
        "min_confidence": answer.rules.min_confidence,
        "ladder": answer.rules.ladder.name,
        "floor_quality": answer.rules.floor_quality,
        "floor": _rounded(explanation.floor) if explanation else None,
        "model": answer.rules.settings.model,
        "original": _evidence(explanation.original, names, keeper) if explanation else None,
        "regions": [_region(region) for region in explanation.regions] if explanation else [],
        "variants": [_variant(seen, names, keeper) for seen in explanation.variants] if explanation else [],
        **_outcome(answer.outcome, len(answer.source.data) if answer.source else None),
    }


def _variant(seen: Seen, names: Sequence[str], keeper: Keeper) -> dict[str, Any]:
    """`bytes` are those before squeezing, which only the choice undergoes; `ssim` is the likeness to the original."""
    return {
        "rung": seen.variant.rung.name,
        "quality": seen.variant.rung.quality,
        "encoder": seen.variant.rung.encoder,
        "bytes": len(seen.variant.data),
        "ssim": _rounded(seen.likeness),
        **_evidence(seen.evidence, names, keeper),
        "qualifies": seen.qualifies,
        "why": seen.why,
        **({"lost": _boxes(seen.objects.lost), "new": _boxes(seen.objects.new)} if seen.objects else {}),
    }


def _rounded(likeness: float | None) -> float | None:
    """None also for a picture that is too small to compare."""
    return None if likeness is None or math.isnan(likeness) else round(likeness, 5)


def _evidence(evidence: Evidence, names: Sequence[str], keeper: Keeper) -> dict[str, Any]:
    """`rank` is the known label's, for the keeper that knows one."""
    ranked = {"rank": prediction_of(evidence).rank(keeper.label)} if isinstance(keeper, HighestRank) else {}
    detected = {} if evidence.detections is None else {"detections": _boxes(evidence.detections)}
    return {"top5": top_five(evidence, names), **ranked, **detected}


def _boxes(detections: Detections) -> list[dict[str, Any]]:
    """`box`: left, top, right and bottom in pixels."""
    rows = zip(detections.labels, detections.scores.tolist(), detections.boxes.tolist(), strict=True)
    return [
        {"label": label, "score": round(score, 4), "box": [round(side, 1) for side in box]}
        for label, score, box in rows
    ]


def _region(region: Region) -> dict[str, Any]:
    return {"label": region.label, "score": round(region.score, 4), "box": list(region.box)}


def _outcome(outcome: Written | Kept, before: int | None) -> dict[str, Any]:
    if isinstance(outcome, Kept):
        told: dict[str, Any] = {"choice": None, "note": outcome.note, "bytes_after": before}
    else:
        told = {"choice": outcome.rung.name if outcome.rung else None, "note": "", "bytes_after": len(outcome.data)}
    return {"reason": outcome.reason.word, "bytes_before": before} | told


def show_explained(answer: Explained, names: Sequence[str]) -> None:
    rules = answer.rules
    shown = facts()
    shown.add_row("picture", cell(f"{answer.place.root}/{answer.place.path}"))
    shown.add_row("seen in", _SOURCES[answer.source.name if answer.source else None])
    shown.add_row("rule", f"{rules.keeper.name}, min_confidence {rules.min_confidence:g}, ladder {rules.ladder.name}")
    if rules.settings.search == "quick":
        shown.add_row("search", "quick: what is written may be larger than this, the exact choice")
    if answer.explanation and rules.regions.regions != "off":
        shown.add_row("regions", cell(_protected(answer.explanation, rules.regions)))
    if answer.explanation and (floor := answer.explanation.floor) is not None and not math.isnan(floor):
        shown.add_row("floor", f"SSIM {floor:.4f}: nothing that is written looks worse to people")
    shown.add_row("choice", cell(_conclusion(answer.outcome)))
    if answer.source and (hold := answer.source.hold):
        shown.add_row("hold", f"{hold.number}: neither replaced nor released until that hold is removed")
    show(shown)
    if answer.source and answer.explanation:
        typer.echo()
        _show_variants(answer.explanation, len(answer.source.data), names)
        _show_rank(answer.explanation, rules.keeper, names)
        _show_objects(answer.explanation, rules.keeper)


def _protected(explanation: Explanation, rule: RegionRule) -> str:
    if explanation.note:
        return f"none: {explanation.note}"
    quality = "as the camera delivered it" if rule.regions == EXACT else f"at quality {rule.regions}"
    counted = Counter(region.label for region in explanation.regions).most_common()
    return ", ".join(f"{count} {label}" for label, count in counted) + f", each {quality}" if counted else "none found"


def _conclusion(outcome: Written | Kept) -> str:
    if isinstance(outcome, Kept):
        told = outcome.reason.sentence + (f" ({outcome.note})" if outcome.note else "")
        return f"the file as it is: {told}"
    rung = outcome.rung.name if outcome.rung else "the original"
    return f"{rung}, written in {len(outcome.data):,} bytes: {outcome.reason.sentence}"


def _show_variants(explanation: Explanation, before: int, names: Sequence[str]) -> None:
    sees_labels = explanation.original.prediction is not None
    columns = ("rung", "bytes", "SSIM", "qualifies", *(["top five"] if sees_labels else []))
    shown = table(*columns, right=("bytes", "SSIM"))
    shown.add_row("original", f"{before:,}", "", "", *_classes(explanation.original, names))
    for seen in explanation.variants:
        rung, size = seen.variant.rung.name, f"{len(seen.variant.data):,}"
        verdict = "yes" if seen.qualifies else f"no: {seen.why}"
        shown.add_row(rung, size, f"{seen.likeness:.4f}", verdict, *_classes(seen.evidence, names))
    show(shown)


def _classes(evidence: Evidence, names: Sequence[str]) -> list[Text]:
    """The cell of the top five, where labels are seen."""
    if evidence.prediction is None:
        return []
    return [cell(", ".join(f"{name} {probability:.2f}" for name, probability in top_five(evidence, names)))]


def _show_rank(explanation: Explanation, keeper: Keeper, names: Sequence[str]) -> None:
    """Where a label is known: its rank in the original, and the one that all variants have that qualify."""
    if not isinstance(keeper, HighestRank):
        return
    rank = prediction_of(explanation.original).rank(keeper.label)
    told = f"known to show {names[keeper.label]}, rank {rank} in the original"
    best = next((seen for seen in explanation.variants if seen.qualifies), None)
    if best:
        told += f", {prediction_of(best.evidence).rank(keeper.label)} in what qualifies"
    typer.echo(f"\n{cell(told).plain}")


def _show_objects(explanation: Explanation, keeper: Keeper) -> None:
    """The original's objects, each with the rungs that lose it."""
    object_keeper = object_keeper_in(keeper)
    if object_keeper is None:
        return
    typer.echo()
    shown = table("object", "score", "box", "lost at", right=("score",))
    for one in _boxes(object_keeper.wanted(detections_of(explanation.original))):
        lost_at = [seen.variant.rung.name for seen in explanation.variants if _loses(seen, one)]
        left, top, right, bottom = one["box"]
        shown.add_row(
            cell(one["label"]),
            f"{one['score']:.2f}",
            f"{left:.0f},{top:.0f} to {right:.0f},{bottom:.0f}",
            ", ".join(lost_at) or "none",
        )
    show(shown)


def _loses(seen: Seen, one: dict[str, Any]) -> bool:
    return seen.objects is not None and one in _boxes(seen.objects.lost)
