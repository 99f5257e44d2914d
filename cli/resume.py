"""framekeep resume."""

from typing import Annotated

import typer

from cli.options import ConfigOption, check_reason, load_config, verb
from daemon.config.schema import Config
from daemon.openings import facts_of, name_of, sentence
from framekeep.errors import UsageError
from storage.ledger.breakers import Opening
from storage.ledger.opening import open_reader, open_writer
from storage.names import printable

app = verb()


@app.command(epilog='Example: framekeep resume --camera gate --reason "lens cleaned"')
def resume(
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is right to go on; it is recorded.")],
    camera: Annotated[str | None, typer.Option(metavar="NAME", help="Only this camera's; all if none.")] = None,
    config: ConfigOption = None,
) -> None:
    """Let pictures be replaced again where the breaker stopped it.

    What is usual is learned anew from then on. A running daemon notices within seconds, and looks again at what it
    left alone.
    """
    settings = load_config(config)
    check_reason(reason)
    wanted = [opening for opening in _open(settings) if camera in (None, opening.camera)]
    if not wanted:
        raise UsageError(_nothing(settings, camera))
    with open_writer(settings.ledger.url) as writer:
        writer.resume(wanted, reason)
        for opening in wanted:
            writer.note("breaker_resumed", {**facts_of(opening), "reason": reason})
            typer.echo(f"resumed: {printable(name_of(opening))} ({opening.cause})")
    typer.echo("the daemon goes on by itself; where none runs, framekeep sweep looks at what was left alone", err=True)


def _open(config: Config) -> list[Opening]:
    """Asked of a reader: a writer would make a ledger where none is."""
    with open_reader(config.ledger.url) as reader:
        return reader.openings()


def _nothing(config: Config, camera: str | None) -> str:
    others = _open(config)
    if not others:
        return "the breaker is not open: there is nothing to resume"
    told = "; ".join(map(sentence, others))
    return f"the breaker is not open for {printable(camera or '')}, but {told}"
