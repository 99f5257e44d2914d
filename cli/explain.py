"""framekeep explain."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from cli.options import ConfigOption, JsonOption, load_config, verb
from cli.paths import as_text, path_fields
from cli.tables import cell, facts, show, table
from daemon.explaining import Explained, explain_place
from daemon.house import open_model
from daemon.log import configure
from daemon.sweep import place_of
from framekeep.evidence import Evidence
from framekeep.explaining import Explanation, Seen
from framekeep.models.describing import top_five
from framekeep.reasons import Kept
from framekeep.variants import Written

app = verb()

_SOURCES: Final = {"vault": "the original in the vault", "file": "the file itself", None: "nothing"}


@app.command(epilog="Example: framekeep explain incoming/gate/0001.jpg")
def explain(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A picture below a root.", readable=False)],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show what the model sees in a picture's variants.

    Looks at every variant, and tells which qualify, why the others do not, and what is chosen. A picture that was
    replaced is explained from its original while the vault holds it. Changes nothing.
    """
    settings = load_config(config)
    configure(settings.service.log_format, "warning")
    place = place_of(settings, path)
    model = open_model(settings.selection)
    answer = explain_place(settings, model, place)
    if as_json:
        typer.echo(json.dumps(_document(answer, model.class_names)))
    else:
        _show(answer, model.class_names)


def _document(answer: Explained, names: Sequence[str]) -> dict[str, Any]:
    explanation = answer.explanation
    return {
        **path_fields(answer.place.path),
        "root": as_text(answer.place.root),
        "camera": as_text(answer.place.camera),
        "source": answer.source.name if answer.source else None,
        "keeper": answer.rules.keeper.name,
        "min_confidence": answer.rules.min_confidence,
        "ladder": answer.rules.ladder.name,
        "model": answer.rules.settings.model,
        "original": {"top5": top_five(explanation.original, names)} if explanation else None,
        "variants": [_variant(seen, names) for seen in explanation.variants] if explanation else [],
        **_outcome(answer.outcome, len(answer.source.data) if answer.source else None),
    }


def _variant(seen: Seen, names: Sequence[str]) -> dict[str, Any]:
    """`bytes` are those before squeezing, which only the choice undergoes."""
    return {
        "rung": seen.variant.rung.name,
        "quality": seen.variant.rung.quality,
        "bytes": len(seen.variant.data),
        "top5": top_five(seen.evidence, names),
        "qualifies": seen.qualifies,
        "why": seen.why,
    }


def _outcome(outcome: Written | Kept, before: int | None) -> dict[str, Any]:
    if isinstance(outcome, Kept):
        told: dict[str, Any] = {"choice": None, "note": outcome.note, "bytes_after": before}
    else:
        told = {"choice": outcome.rung.name if outcome.rung else None, "note": "", "bytes_after": len(outcome.data)}
    return {"reason": outcome.reason.word, "bytes_before": before} | told


def _show(answer: Explained, names: Sequence[str]) -> None:
    rules = answer.rules
    shown = facts()
    shown.add_row("picture", cell(f"{answer.place.root}/{answer.place.path}"))
    shown.add_row("seen in", _SOURCES[answer.source.name if answer.source else None])
    shown.add_row("rule", f"{rules.keeper.name}, min_confidence {rules.min_confidence:g}, ladder {rules.ladder.name}")
    shown.add_row("choice", cell(_conclusion(answer.outcome)))
    show(shown)
    if answer.source and answer.explanation:
        typer.echo()
        _show_variants(answer.explanation, len(answer.source.data), names)


def _conclusion(outcome: Written | Kept) -> str:
    if isinstance(outcome, Kept):
        return f"the file as it is: {outcome.note or outcome.reason.sentence}"
    rung = outcome.rung.name if outcome.rung else "the original"
    return f"{rung}, written in {len(outcome.data):,} bytes: {outcome.reason.sentence}"


def _show_variants(explanation: Explanation, before: int, names: Sequence[str]) -> None:
    shown = table("rung", "bytes", "qualifies", "top five", right=("bytes",))
    shown.add_row("original", f"{before:,}", "", _classes(explanation.original, names))
    for seen in explanation.variants:
        verdict = "yes" if seen.qualifies else f"no: {seen.why}"
        shown.add_row(seen.variant.rung.name, f"{len(seen.variant.data):,}", verdict, _classes(seen.evidence, names))
    show(shown)


def _classes(evidence: Evidence, names: Sequence[str]) -> Text:
    return cell(", ".join(f"{name} {probability:.2f}" for name, probability in top_five(evidence, names)))
