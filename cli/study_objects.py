"""framekeep study objects."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.options import JsonOption, verb
from cli.studying import DEFAULT_MODEL, LadderOption, asked_ladder, need_extra, show_sheet, shown
from framekeep.errors import UsageError
from framekeep.keepers.objects import ObjectRule
from framekeep.models.detectors.catalogue import PEDESTRIAN, DetectorChoice
from storage.names import printable

if TYPE_CHECKING:
    from framekeep.models.base import Model
    from framekeep.models.both import Both
    from study.objects.looking import Compared, Sample
    from study.objects.rules import Bounds
    from study.tables.sheets import Sheet

app = verb()

_KINDS: Final = (".png", ".svg")
_DEFAULT: Final = ObjectRule()


@app.command(epilog="Example: framekeep study objects DIR --detector pedestrian_ssdlite --plot objects.png")
def objects(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Pictures, in one folder a camera.", readable=False)],
    *,
    detector: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"Whose objects are compared. Without it: {PEDESTRIAN}.", show_default=False),
    ] = None,
    detector_weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The detector's file, where it is not in its usual place.", readable=False),
    ] = None,
    detector_config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="A configuration whose [detection] says which detector, so that it may be one of your own.",
            readable=False,
        ),
    ] = None,
    min_score: Annotated[
        float, typer.Option(metavar="S", help="What the detector is surer of is an object.", min=0, max=1)
    ] = _DEFAULT.min_score,
    slack: Annotated[
        float, typer.Option(metavar="S", help="How much fainter an object may be found again.", min=0, max=1)
    ] = _DEFAULT.slack,
    iou: Annotated[
        float, typer.Option(metavar="IOU", help="How much its box must overlap then.", min=0.01, max=0.95)
    ] = _DEFAULT.iou,
    classes: Annotated[
        str | None,
        typer.Option(metavar="C[,C]", help="Only objects of these classes. Without it: all.", show_default=False),
    ] = None,
    model: Annotated[
        str,
        typer.Option(metavar="NAME[=FILE[:SHA256]]", help="The network whose labels are compared, by timm's name."),
    ] = DEFAULT_MODEL,
    ladder: LadderOption = "paper",
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", help="Only so many pictures, drawn by chance, always the same.", min=1),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Count plain encodings: not squeezed, no metadata, also if larger.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw it (.png or .svg): saving against lost objects.", readable=False),
    ] = None,
    as_json: JsonOption = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown on standard output.")] = False,
) -> None:
    """Compare keepers with a constant quality: what is saved, and what a detector loses.

    Every picture is looked at once in the original and at each rung, encoded as the daemon does it. For each keeper
    and each constant QF this tells the compression ratio, and the share of pictures that lose or invent an object or
    change their likeliest label, for all pictures and by camera (the first folder below DIR). "label at 0.3" is the
    share whose recognised label changes: one that is less likely than 0.3 counts as none. Nothing is written to DIR.

    Of a configuration only the detector is taken; scores, slack, IoU and classes are those of the options.
    """
    need_extra()
    _check(plot, both_formats=as_json and as_markdown)
    rule = _asked_rule(min_score, slack, iou, classes)
    choice = _asked_detector(detector, detector_weights, detector_config)
    compared = _compared(folder, limit, (choice, model), _bounds(ladder, rule, plain=plain))
    if plot:
        from study.objects.plotting import plot as draw  # noqa: PLC0415 - imports matplotlib

        draw(compared, plot)
    _print(compared, as_json=as_json, as_markdown=as_markdown)


def _check(plot: Path | None, *, both_formats: bool) -> None:
    """Raises UsageError before anything slow is done."""
    if both_formats:
        raise UsageError("--json and --markdown exclude each other")
    if plot and plot.suffix.lower() not in _KINDS:
        raise UsageError(f"{plot} names no kind of picture that can be drawn: end its name in {' or '.join(_KINDS)}")
    if plot and not plot.absolute().parent.is_dir():
        raise UsageError(f"{plot} cannot be written: its folder is not there")


def _asked_detector(name: str | None, weights: Path | None, config: Path | None) -> DetectorChoice:
    """Raises UsageError, ConfigurationError."""
    if config is None:
        return DetectorChoice(name or PEDESTRIAN, weights)
    if name or weights:
        raise UsageError("--config says which detector: leave --detector and --detector-weights out")
    from daemon.config.loading import load  # noqa: PLC0415 - imports pydantic
    from daemon.models import detector_choice  # noqa: PLC0415 - as above

    return detector_choice(load(config).detection)


def _asked_rule(min_score: float, slack: float, iou: float, classes: str | None) -> ObjectRule:
    from daemon.config.detection import with_evidence  # noqa: PLC0415 - imports pydantic

    names = tuple(name.strip() for name in classes.split(",")) if classes else ()
    try:
        return with_evidence(ObjectRule(min_score, slack, iou, names))
    except ValueError as error:
        raise UsageError(f"--min-score and --slack: {error}") from error


def _bounds(ladder: str, rule: ObjectRule, *, plain: bool) -> "Bounds":
    from study.objects.rules import Bounds  # noqa: PLC0415 - as above

    return Bounds(asked_ladder(ladder), rule, counting="paper" if plain else "daemon")


def _compared(folder: Path, limit: int | None, wanted: tuple[DetectorChoice, str], bounds: "Bounds") -> "Compared":
    from study.data.folder import pictures_in  # noqa: PLC0415 - imports timm
    from study.networks import codec_threads  # noqa: PLC0415 - as above
    from study.objects.looking import compare, sampled  # noqa: PLC0415 - as above

    sample: Sample = sampled(folder, pictures_in(folder), limit)
    models = _opened(*wanted, bounds)
    with shown(models.detector.name, len(sample.paths)) as told:
        compared = compare(sample, models, bounds, codec_threads(), told)
    for path, why in compared.left_out.items():
        typer.echo(f"{printable(path)} left out: {printable(why)}", err=True)
    return compared


def _opened(choice: DetectorChoice, network: str, bounds: "Bounds") -> "Both":
    """The detector first: it is what may be missing."""
    from framekeep.models.both import Both  # noqa: PLC0415 - as above
    from framekeep.models.detectors.opening import open_detector  # noqa: PLC0415 - as above
    from study.networks import codec_threads, open_network, parse_network  # noqa: PLC0415 - as above

    detector = open_detector(choice, "auto", codec_threads())
    _check_classes(bounds.objects.classes, detector)
    return Both(open_network(parse_network(network), "auto", len(bounds.ladder) + 1).model, detector)


def _check_classes(classes: tuple[str, ...], detector: "Model") -> None:
    unknown = [name for name in classes if name not in detector.class_names]
    if unknown:
        raise UsageError(
            f"--classes: {detector.name} knows no {', '.join(map(repr, unknown))}; it knows "
            f"{', '.join(detector.class_names)}"
        )


def _print(compared: "Compared", *, as_json: bool, as_markdown: bool) -> None:
    from study.objects.document import document  # noqa: PLC0415 - as above
    from study.objects.sheets import sheets  # noqa: PLC0415 - as above
    from study.tables.markdown import markdown  # noqa: PLC0415 - as above

    made = [_named(sheet) for sheet in sheets(compared)]
    if as_json:
        typer.echo(json.dumps(document(compared), indent=2))
    elif as_markdown:
        typer.echo(markdown(made))
    else:
        for sheet in made:
            show_sheet(sheet)


def _named(sheet: "Sheet") -> "Sheet":
    """Cameras are folders of unknown names."""
    return replace(sheet, headers=tuple(map(printable, sheet.headers)))
