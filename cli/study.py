"""framekeep study: the paper's experiments."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli import study_figures, study_objects, topology
from cli.options import JsonOption, verb
from cli.study_networks import CONFIDENCES, measured
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
    show_sheet,
)
from framekeep.errors import UsageError

if TYPE_CHECKING:
    from study.report import Absent, NetworkReport
    from study.tables.document import Facts

app = verb()
app.add_typer(study_figures.app)
app.add_typer(study_objects.app)
app.add_typer(topology.app)


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
    """Print the paper's tables 1, 2, 6, 7 and 8.

    They are of your own pictures and networks, beside the paper's figures. Every picture's variants are looked at
    once. What was seen is kept in a cache, so an interrupted run goes on where it was. Labels are found in labels.csv
    (file,label), in ILSVRC2012's ground truth, in names such as n01440764_tench.JPEG, or one folder a class.
    """
    need_extra()
    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other")
    asked = Asked(folder, asked_ladder(ladder), labels, synsets, cache, as_daemon)
    reports, facts = measured(asked, model or [DEFAULT_MODEL], min_confidence or CONFIDENCES)
    _print(reports, facts, as_json=as_json, as_markdown=as_markdown)


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
