"""Whether the drift check's second model can be had."""

from daemon.checks.check import Check, State
from daemon.config.schema import Config
from framekeep.errors import ModelUnavailableError
from framekeep.models.catalogue import ModelChoice, packaged
from framekeep.models.weights import packaged_file

_NAME = "drift check"


def check_drift(config: Config) -> Check:
    """A missing second model keeps nothing from working."""
    drift = config.drift
    if not drift.sample_per_day:
        return Check(_NAME, State.OK, "off ([drift] sample_per_day = 0)")
    if drift.second_model == config.selection.model:
        sentence = "off: [drift] second_model is the configured model itself; name another one"
        return Check(_NAME, State.WARNING, sentence)
    package = packaged(ModelChoice(drift.second_model))
    try:
        there = package is None or packaged_file(package).exists()
    except ModelUnavailableError as error:
        return Check(_NAME, State.WARNING, f"off: {error}; or set [drift] sample_per_day = 0")
    if not there:
        return Check(_NAME, State.WARNING, f"off: {drift.second_model}'s package is broken: install it again")
    return Check(_NAME, State.OK, f"{drift.second_model} looks at {drift.sample_per_day} pictures a day")
