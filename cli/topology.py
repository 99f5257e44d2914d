"""framekeep study: train, evaluate."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from cli.options import JsonOption, verb
from cli.studying import DEFAULT_MODEL, LadderOption, asked_ladder, show_sheet, shown, tell_left_out
from framekeep.errors import UsageError
from storage.names import printable

if TYPE_CHECKING:
    from study.topology.opening import Opened
    from study.topology.pictures import Picture
    from study.topology.recipe import Epoch, Recipe
    from study.topology.results import Evaluation
    from study.topology.runs import Parts

app = verb()

_ONE_IN: Final = 5
"""So many pictures stand for one that is held out where nothing is said of validation."""

FoldersArgument = Annotated[
    list[Path], typer.Argument(metavar="DIR...", help="Folders of labelled pictures.", readable=False)
]
DeviceOption = Annotated[str, typer.Option(metavar="D", help="auto, cpu, cuda or cuda:N.")]
MarkdownOption = Annotated[bool, typer.Option("--markdown", help="Print Markdown on standard output.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Processes that decode and encode; 0: none but this. [default: one a processor]",
        min=0,
        show_default=False,
    ),
]


@app.command(epilog="Example: framekeep study train imagenet/train --validation imagenet/val --blocks 3")
def train(
    folders: FoldersArgument,
    *,
    run: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="RUN", help="The folder that the run is written to, or goes on in. Without it: MODEL-INIT."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME[=FILE[:SHA256]]", help="A network by timm's name, with a file of weights.")
    ] = DEFAULT_MODEL,
    ladder: LadderOption = "paper",
    validation: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="A folder of pictures to validate with; again for more.", readable=False),
    ] = None,
    hold_out: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Without --validation: hold out so many drawn pictures. [default: one in five]",
            min=1,
            show_default=False,
        ),
    ] = None,
    init: Annotated[
        Literal["random", "original", "mean"],
        typer.Option(help="How the last layer starts: at random, as the network alone, as the mean of its logits."),
    ] = "random",
    blocks: Annotated[int, typer.Option(metavar="N", help="Unfreeze so many blocks, one after another.", min=0)] = 1,
    epochs: Annotated[int, typer.Option(metavar="N", help="At most so many for each stage.", min=1)] = 20,
    patience: Annotated[
        int, typer.Option(metavar="N", help="Epochs without a smaller validation error that make a plateau.", min=1)
    ] = 2,
    batch: Annotated[int, typer.Option(metavar="N", help="Pictures in a batch, over all GPUs.", min=1)] = 100,
    learning_rate: Annotated[
        float, typer.Option(metavar="X", help="Of the last layer; each block divides it by 10.", min=0)
    ] = 0.01,
    momentum: Annotated[
        float, typer.Option(metavar="X", help="Of the descent; the paper tells of none.", min=0, max=1)
    ] = 0.0,
    weight_decay: Annotated[
        float, typer.Option(metavar="X", help="Of weights; biases and normalisation have none.", min=0)
    ] = 1e-4,
    averaging: Annotated[
        float, typer.Option(metavar="X", help="The decay of the running average of the parameters.", min=0, max=1)
    ] = 0.9999,
    seed: Annotated[int, typer.Option(metavar="N", help="Of all that is drawn.", min=0)] = 0,
    features: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where the trunk's features go, which runs may share. Without it: in the run."
        ),
    ] = None,
    device: DeviceOption = "auto",
    workers: WorkersOption = None,
) -> None:
    """Train the paper's parallel topology (its section 4) over a network.

    The original and its variants go through one network; a last layer over all of their features is trained, then one
    block more at a time. An interrupted run goes on when the same command is given again. Several GPUs: torchrun
    --no-python --nproc-per-node 2 framekeep study train ...
    """
    from study.networks import parse_network  # noqa: PLC0415 - the study imports torch and timm
    from study.topology.opening import Wish, open_topology  # noqa: PLC0415 - as above
    from study.topology.processes import joined_world  # noqa: PLC0415 - as above
    from study.topology.recipe import Recipe  # noqa: PLC0415 - as above

    recipe = Recipe(init, blocks, epochs, patience, batch, learning_rate, momentum, weight_decay, averaging, seed)
    if validation and hold_out:
        raise UsageError("--validation and --hold-out exclude each other")
    place = run or Path(f"{model.partition('=')[0]}-{init}")
    with joined_world(device) as world:
        opened = open_topology(Wish(parse_network(model), asked_ladder(ladder), init, seed), world, _workers(workers))
        parts = _parts(opened, folders, validation or [], hold_out, recipe)
        curve = _trained(opened, parts, recipe, place, features or place / "features")
    if world.leads:
        typer.echo(f"{printable(str(place))}: {_sentence(curve[-1])}")


@app.command(epilog="Example: framekeep study evaluate inception_v3-random imagenet/val --markdown")
def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder that the training wrote.", readable=False)],
    folders: FoldersArgument,
    *,
    as_json: JsonOption = False,
    as_markdown: MarkdownOption = False,
    device: DeviceOption = "auto",
    workers: WorkersOption = None,
) -> None:
    """Print the paper's tables 3, 4 and 5 for a run.

    Pictures that the run was trained with are left out. The network alone and the mean of its logits over all inputs
    stand beside what training gave.
    """
    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other")
    from study.tables.markdown import markdown  # noqa: PLC0415 - the study imports torch and timm
    from study.topology.results import document, sheets  # noqa: PLC0415 - as above

    made = _evaluated(run, folders, device, _workers(workers))
    if as_json:
        typer.echo(json.dumps(document(made), indent=2))
    elif as_markdown:
        typer.echo(markdown(sheets(made)))
    else:
        for sheet in sheets(made):
            show_sheet(sheet)


def _pictures(opened: "Opened", folders: Sequence[Path]) -> "list[Picture]":
    """Tells on stderr what is left out."""
    from study.topology.opening import pictures_of  # noqa: PLC0415 - the study imports torch and timm

    sets = [opened.read(folder) for folder in folders]
    if opened.looking.world.leads:
        for data in sets:
            tell_left_out(data)
    return pictures_of(sets)


def _parts(
    opened: "Opened", folders: Sequence[Path], validation: Sequence[Path], wanted: int | None, recipe: "Recipe"
) -> "Parts":
    from study.topology.pictures import hold_out  # noqa: PLC0415 - the study imports torch and timm
    from study.topology.runs import Parts  # noqa: PLC0415 - as above

    pictures = _pictures(opened, folders)
    if validation:
        return Parts(tuple(pictures), tuple(_pictures(opened, validation)))
    count = wanted or max(len(pictures) // _ONE_IN, 1)
    if count >= len(pictures):
        raise UsageError(f"of {len(pictures):,} pictures {count:,} are to be held out, and none is left to train with")
    training, held = hold_out(pictures, count, recipe.seed)
    return Parts(tuple(training), tuple(held))


def _trained(opened: "Opened", parts: "Parts", recipe: "Recipe", place: Path, features: Path) -> "Sequence[Epoch]":
    from study.topology.features import features_of  # noqa: PLC0415 - the study imports torch and timm
    from study.topology.plotting import plot_curve  # noqa: PLC0415 - as above
    from study.topology.runs import begin, write_curve  # noqa: PLC0415 - as above
    from study.topology.training import Training, train  # noqa: PLC0415 - as above

    looking = opened.looking
    leads = looking.world.leads
    if recipe.unfreeze > len(looking.topology.blocks):
        raise UsageError(f"--blocks {recipe.unfreeze}: the network has {len(looking.topology.blocks)} blocks")
    if leads:
        begin(place, opened.run(recipe), parts)

    def told(curve: Sequence["Epoch"]) -> None:
        if leads:
            write_curve(place, curve)
            typer.echo(_sentence(curve[-1]), err=True)

    pictures = (*parts.training, *parts.validation)
    with shown("features", len(pictures)) if leads else nullcontext(_silent) as done:
        seen = features_of(pictures, looking, features, done)
    if leads:
        _tell_unreadable(len(pictures) - len(seen))
    training, held = seen.of(parts.training), seen.of(parts.validation)
    curve = train(Training(looking, training, held, recipe, place), told)
    if leads:
        plot_curve(curve, place / "curve.png")
    return curve


def _evaluated(run: Path, folders: Sequence[Path], device: str, workers: int) -> "Evaluation":
    from framekeep.models.device import pick_device  # noqa: PLC0415 - imports torch
    from study.measuring import Resampling  # noqa: PLC0415 - as above
    from study.topology.evaluating import contenders, rank  # noqa: PLC0415 - as above
    from study.topology.opening import Wish, open_topology, without  # noqa: PLC0415 - as above
    from study.topology.processes import World  # noqa: PLC0415 - as above
    from study.topology.results import Evaluation, measured  # noqa: PLC0415 - as above
    from study.topology.runs import read_pictures, read_run  # noqa: PLC0415 - as above

    asked = read_run(run)
    wish = Wish(asked.choice, asked_ladder(asked.ladder), "original", asked.recipe.seed)
    opened = open_topology(wish, World(pick_device(device)), workers)
    given = _pictures(opened, folders)
    pictures = without(given, read_pictures(run).training)
    if not pictures:
        raise UsageError("the run was trained with all of these pictures: give it others")
    rows = contenders(opened.network.module, opened.looking, run)
    with shown("pictures", len(pictures)) as done:
        ranks = rank(pictures, opened.looking, rows, done)
    _tell_unreadable(ranks.unreadable)
    resampling = Resampling()
    found = measured(rows, ranks, resampling)
    return Evaluation(asked, ranks.pictures, ranks.unreadable, len(given) - len(pictures), resampling, found)


def _workers(wanted: int | None) -> int:
    from study.networks import codec_threads  # noqa: PLC0415 - imports torch

    return codec_threads() if wanted is None else wanted


def _sentence(epoch: "Epoch") -> str:
    loss = "before any training" if epoch.loss is None else f"loss {epoch.loss:.4f}"
    return (
        f"epoch {epoch.number}, {epoch.stage} blocks unfrozen: {loss}; validation loss {epoch.validation_loss:.4f}, "
        f"top-1 {epoch.top1:.1%}, top-5 {epoch.top5:.1%}"
    )


def _tell_unreadable(count: int) -> None:
    if count:
        typer.echo(f"{count:,} pictures cannot be read and are left out", err=True)


def _silent(_done: int) -> None:
    """Of several processes one tells of progress."""
