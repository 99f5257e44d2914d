"""What the commands of `framekeep study` measure of each network: open it, let it look, report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from cli.studying import Asked, observed
from framekeep.errors import UsageError
from framekeep.models.catalogue import ModelChoice

if TYPE_CHECKING:
    from study.report import Absent, NetworkReport
    from study.tables.document import Facts

CONFIDENCES: Final = (0.3,)
"""The `min_confidence` of the keepers that reject, where none is asked for."""


def measured(
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
