"""framekeep models."""

import json
from dataclasses import asdict

import typer

from cli.options import ConfigOption, JsonOption, load_config, verb
from cli.tables import cell, show, table
from daemon.models import detector_choice, model_choice
from framekeep.models.detectors.listing import detector_listing
from framekeep.models.listing import ModelInfo, listing

app = verb()


@app.command(epilog="Example: framekeep models --json")
def models(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List which models can be used here.

    First classifiers, then detectors, of each the configured one first. Where one cannot be used, the reason follows.

    With --json each line is an object. Any classifier of timm and any detector of torchvision can be configured by its
    name.
    """
    configured = load_config(config)
    found = listing(model_choice(configured.selection)) + detector_listing(detector_choice(configured.detection))
    if as_json:
        for info in found:
            typer.echo(json.dumps(asdict(info)))
    else:
        _show(found)


def _show(found: list[ModelInfo]) -> None:
    shown = table("model", "kind", "usable", "classes", "licence", "source", right=("classes",))
    for info in found:
        classes = "" if info.classes is None else f"{info.classes:,}"
        kind_of_source = info.source.partition(" ")[0]
        usable = "yes" if info.usable else "no"
        shown.add_row(cell(info.name), info.kind, usable, classes, cell(info.licence or ""), kind_of_source)
    show(shown)
    for info in found:
        if info.why:
            typer.echo(f"{info.name}: {info.why}")
