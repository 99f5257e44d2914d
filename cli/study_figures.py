"""framekeep study: figures, paper."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import verb
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
from cli.tables import cell, show, table
from framekeep.errors import UsageError
from storage.names import printable

if TYPE_CHECKING:
    from study.figures.album import Album, Example
    from study.page.sections import Section
    from study.report import Absent, NetworkReport
    from study.tables.document import Facts

app = verb()

PictureOption = Annotated[
    list[str] | None,
    typer.Option(
        "--picture",
        metavar="PATH",
        help="The picture, by its path below DIR, that stands for the paper's #651; again for #37. [default: found]",
        show_default=False,
    ),
]
LayerOption = Annotated[
    list[str] | None,
    typer.Option(
        "--layer",
        metavar="L",
        help="The layer of Figure 6, by number or module; again for that of Figures 9 and 11. [default: 1 and 2]",
        show_default=False,
    ),
]


@app.command(epilog="Example: framekeep study figures DIR --out figures")
def figures(
    folder: FolderArgument,
    *,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the figures go.")] = Path("figures"),
    find: Annotated[
        bool, typer.Option("--find", help="Only list pictures like the paper's #651 and #37, the best first.")
    ] = False,
    picture: PictureOption = None,
    layer: LayerOption = None,
    model: ModelOption = None,
    ladder: LadderOption = "paper",
    labels: LabelsOption = None,
    synsets: SynsetsOption = None,
    as_daemon: AsDaemonOption = False,
    cache: CacheOption = None,
) -> None:
    """Draw the paper's figures 3 to 11 as PNG and SVG, with their data as JSON.

    Figures 4 to 6 and 9 to 11 show two pictures as the first network sees them: those whose rank the lowest QF improves
    most, unless others are named.
    """
    need_extra()
    _check(picture, layer)
    asked = Asked(folder, asked_ladder(ladder), labels, synsets, cache, as_daemon)
    models = model or [DEFAULT_MODEL]
    reports, facts = measured(asked, models, CONFIDENCES)
    if find:
        _show_found(facts)
        return
    made, _ = _album(reports, facts, models, picture or (), layer)
    _write_album(made, out)


@app.command(epilog="Example: framekeep study paper DIR --model tf_efficientnet_lite0 --out paper")
def paper(
    folder: FolderArgument,
    *,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the page and its parts go.")] = Path("paper"),
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What framekeep study evaluate --json printed, for tables 3, 4 and 5; again for more.",
            readable=False,
            show_default=False,
        ),
    ] = None,
    picture: PictureOption = None,
    layer: LayerOption = None,
    model: ModelOption = None,
    ladder: LadderOption = "paper",
    labels: LabelsOption = None,
    synsets: SynsetsOption = None,
    as_daemon: AsDaemonOption = False,
    cache: CacheOption = None,
) -> None:
    """Make all tables and figures, and one HTML page that says of each whether the paper's claim holds here.

    The page, paper.html, stands alone: pictures are in it, and it asks the network for nothing. What was not measured
    is named. Beside it are tables.json, tables.md, claims.json, and each figure as PNG, SVG and JSON.
    """
    need_extra()
    _check(picture, layer)
    from study.page.evaluations import read_evaluation  # noqa: PLC0415 - the study imports torch and timm
    from study.page.sections import Findings, sections  # noqa: PLC0415 - as above

    evaluations = [read_evaluation(path) for path in evaluation or ()]
    asked = Asked(folder, asked_ladder(ladder), labels, synsets, cache, as_daemon)
    models = model or [DEFAULT_MODEL]
    reports, facts = measured(asked, models, CONFIDENCES)
    made, chosen = _album(reports, facts, models, picture or (), layer)
    page = sections(Findings(reports, facts.seen, made, chosen, evaluations))
    _write_album(made, out)
    _write_page(page, reports, facts, out)
    _show_verdicts(page)


def _check(picture: Sequence[str] | None, layer: Sequence[str] | None) -> None:
    for name, given in (("--picture", picture), ("--layer", layer)):
        if given is not None and len(given) > 2:  # noqa: PLR2004 - the paper shows two of each
            raise UsageError(f"{name} can be given twice at most")


def _album(
    reports: Sequence["NetworkReport | Absent"],
    facts: "Facts",
    models: Sequence[str],
    pictures: Sequence[str],
    layers: Sequence[str] | None,
) -> tuple["Album", Sequence["Example"]]:
    from study.figures.album import LAYERS, Looked, album, examples  # noqa: PLC0415 - the study imports torch and timm
    from study.networks import load, parse_network  # noqa: PLC0415 - as above
    from study.report import NetworkReport  # noqa: PLC0415 - as above

    chosen = examples(facts.seen, pictures)
    choice = next(one for one in map(parse_network, models) if one.name == facts.seen.conditions.model)
    both = (layers[0], layers[-1]) if layers else LAYERS
    looked = Looked(facts.seen, facts.data.folder, load(choice), both)
    return album([one for one in reports if isinstance(one, NetworkReport)], looked, chosen), chosen


def _show_found(facts: "Facts") -> None:
    from study.figures.finding import found_sheets  # noqa: PLC0415 - as above

    for sheet in found_sheets(facts.seen):
        show_sheet(sheet)


def _write_album(made: "Album", folder: Path) -> None:
    from study.figures.drawing import Drawn, write  # noqa: PLC0415 - imports matplotlib

    write([one for one in made if isinstance(one, Drawn)], folder)
    for one in made:
        if not isinstance(one, Drawn):
            typer.echo(f"not drawn: Figure {', '.join(one.numbers)}: {printable(one.why)}", err=True)


def _write_page(
    page: Sequence["Section"], reports: Sequence["NetworkReport | Absent"], facts: "Facts", folder: Path
) -> None:
    from study.page.rendering import render  # noqa: PLC0415 - imports Jinja2
    from study.page.sections import document as claims  # noqa: PLC0415 - as above
    from study.tables.document import document  # noqa: PLC0415 - as above
    from study.tables.markdown import markdown  # noqa: PLC0415 - as above
    from study.tables.sheets import sheets  # noqa: PLC0415 - as above

    tables = sheets(reports)
    try:
        _write_json(folder / "tables.json", document(reports, facts, tables))
        (folder / "tables.md").write_text(markdown(tables), "utf-8", errors="backslashreplace")
        _write_json(folder / "claims.json", claims(page))
        # A file's name may hold what is no character, which UTF-8 cannot write.
        (folder / "paper.html").write_text(render(page, reports, facts), "utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(f"the page cannot be written to {folder}: {error.strerror}") from error


def _write_json(path: Path, told: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    path.write_text(json.dumps(told, indent=2) + "\n")


def _show_verdicts(page: Sequence["Section"]) -> None:
    shown = table("", "claim", "here")
    for section in page:
        shown.add_row(*map(cell, (", ".join(section.names), section.title, section.verdict.standing)))
    show(shown)
