"""framekeep study: the paper's experiments."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli import study_objects, topology
from cli.options import JsonOption, verb
from cli.studying import (
    DEFAULT_MODEL,
    AsDaemonOption,
    Asked,
    CacheOption,
    FolderArgument,
    LabelsOption,
    LadderOption,
    ModelOption,
    SynsetsOption,
    asked_ladder,
    need_extra,
    observed,
    show_sheet,
)
from framekeep.errors import UsageError
from framekeep.models.catalogue import ModelChoice

if TYPE_CHECKING:
    from study.report import Absent, NetworkReport
    from study.tables.document import Facts

app = verb()
app.add_typer(study_objects.app)
app.add_typer(topology.app)

_CONFIDENCES: Final = (0.3,)


@app.callback(no_args_is_help=True)
def study() -> None:
    """Repeat the experiments of the paper on pictures of your own."""


@app.command(epilog="Example: framekeep study tables DIR --model tf_efficientnet_lite0 --markdown")
def tables(
    folder: FolderArgument,
    *,
    model: ModelOption = None,
    ladder: LadderOption = "paper",
    labels: LabelsOption = None,
    synsets: SynsetsOption = None,
    min_confidence: Annotated[
        list[float] | None,
        typer.Option(
            "--min-confidence",
            metavar="T",
            help="Also keepers that count a label only from there; again for more. [default: 0.3]",
            min=0,
            max=1,
            show_default=False,
        ),
    ] = None,
    as_daemon: AsDaemonOption = False,
    cache: CacheOption = None,
    as_json: JsonOption = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown on standard output.")] = False,
) -> None:
    """Print the paper's tables 1, 2, 6, 7 and 8 for pictures and networks of your own.

    Every picture's variants are looked at once. What was seen is kept in a cache, so an interrupted run goes on where
    it was. Labels are found in labels.csv (file,label), in ILSVRC2012's ground truth, in names such as
    n01440764_tench.JPEG, or one folder a class.
    """
    need_extra()
    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other")
    asked = Asked(folder, asked_ladder(ladder), labels, synsets, cache, as_daemon)
    reports, facts = _measured(asked, model or [DEFAULT_MODEL], min_confidence or _CONFIDENCES)
    _print(reports, facts, as_json=as_json, as_markdown=as_markdown)


def _measured(
    asked: Asked, models: Sequence[str], confidences: Sequence[float]
) -> tuple[list["NetworkReport | Absent"], "Facts"]:
    """A report of each network, in order, and what they share. Raises what the first raised if none can be opened."""
    from study.measuring import Resampling  # noqa: PLC0415 - the study imports torch and timm
    from study.networks import WeightsNotPresentError, open_network, parse_network  # noqa: PLC0415 - as above
    from study.report import Absent, report  # noqa: PLC0415 - as above
    from study.tables.document import Facts  # noqa: PLC0415 - as above

    reports: list[NetworkReport | Absent] = []
    facts: Facts | None = None
    missing: WeightsNotPresentError | None = None
    for choice in _distinct([parse_network(text) for text in models]):
        try:
            network = open_network(choice, "auto", asked.variants)
        except WeightsNotPresentError as error:
            missing = missing or error
            reports.append(Absent(choice.name, str(error)))
            continue
        data, found = observed(asked, network)
        facts = facts or Facts(data, found.left_out, found.observations, Resampling())
        device = network.model.device
        reports.append(report(found.observations, network.parameters, device, confidences, facts.resampling))
    if facts is None:
        raise missing or UsageError("name a network with --model")
    return reports, facts


def _distinct(choices: Sequence[ModelChoice]) -> Sequence[ModelChoice]:
    """Raises UsageError where two networks have one name, by which tables and JSON tell them apart."""
    names = [choice.name for choice in choices]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise UsageError(f"--model names {double} twice")
    return choices


def _print(reports: Sequence["NetworkReport | Absent"], facts: "Facts", *, as_json: bool, as_markdown: bool) -> None:
    from study.tables.document import document  # noqa: PLC0415 - as above
    from study.tables.markdown import markdown  # noqa: PLC0415 - as above
    from study.tables.sheets import sheets  # noqa: PLC0415 - as above

    made = sheets(reports)
    if as_json:
        typer.echo(json.dumps(document(reports, facts, made), indent=2))
    elif as_markdown:
        typer.echo(markdown(made))
    else:
        for sheet in made:
            show_sheet(sheet)
