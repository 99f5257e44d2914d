"""framekeep forecast."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.options import ConfigOption, JsonOption, load_config, verb

app = verb()


@app.command(epilog="Example: framekeep forecast /srv/archive --max-minutes 10")
def forecast(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Folders or pictures, below a watched root or not.", readable=False),
    ],
    *,
    confidence: Annotated[
        float,
        typer.Option(metavar="C", help="How sure the intervals are.", min=0.5, max=0.999),
    ] = 0.95,
    max_minutes: Annotated[
        float,
        typer.Option(metavar="M", help="When to begin no other picture, narrow enough or not.", min=0.001, max=10_000),
    ] = 5,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Tell what each keeper would save, from a sample.

    Draws pictures by chance, encodes them, looks at them as a sweep would, and tells for each keeper how many times
    smaller all of them would become, until half of each interval is at most a tenth of its ratio. Where a detector is
    here, also with a quality of their own for objects: as the camera delivered them ("exact"), and a quality factor.
    Ladder, floor and all else are as configured for each path. The first folder below a root, or below PATH outside of
    all roots, is a camera. Changes nothing, needs no ledger, and runs beside a daemon and before any installation.

    The time is that of one sweep on this machine: the measured seconds of a lazy search, without the disk's.
    """
    from cli.forecast_answer import document, exit_code, show_forecast, tell_shortcomings  # noqa: PLC0415 - --help needs no models
    from cli.forecast_progress import shown  # noqa: PLC0415 - as above
    from daemon.forecasting.forecasting import forecast as forecast_of  # noqa: PLC0415 - as above
    from daemon.forecasting.forecasting import open_models  # noqa: PLC0415 - as above
    from daemon.forecasting.listing import targets_of  # noqa: PLC0415 - as above
    from daemon.forecasting.progress import Progress  # noqa: PLC0415 - as above
    from daemon.log import configure  # noqa: PLC0415 - as above

    settings = load_config(config)
    configure(settings.service.log_format, "warning")
    targets = targets_of(settings, paths)
    models = open_models(settings)
    progress = Progress(60 * max_minutes)
    with shown(progress):
        found = forecast_of(settings, models, targets, confidence, progress)
    if as_json:
        typer.echo(json.dumps(document(found, confidence)))
    else:
        show_forecast(found, confidence)
    tell_shortcomings(found, confidence)
    raise typer.Exit(exit_code(found))
