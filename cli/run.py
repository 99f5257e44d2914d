"""framekeep run."""

import os

from cli.options import AcceptModelOption, ConfigOption, load_config, verb
from daemon.service import run as serve

app = verb()


@app.command(epilog="Example: framekeep run --config /etc/framekeep/config.toml")
def run(*, accept_model: AcceptModelOption = False, config: ConfigOption = None) -> None:
    """Watch the roots and shrink what arrives.

    Runs in the foreground until SIGTERM. SIGHUP reads the configuration again.
    """
    serve(lambda: load_config(config), os.environ, accept_model=accept_model)
