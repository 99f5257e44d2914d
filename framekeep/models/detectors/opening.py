"""From what a configuration asks for to a detector that can look."""

from framekeep.models.base import Model
from framekeep.models.detectors.catalogue import DetectorChoice, Kind, kind_of
from framekeep.models.detectors.weights import require_openvino


def open_detector(choice: DetectorChoice, device: str, batch: int) -> Model:
    """Load what the configuration asks for. `batch` is the most pictures that are looked at at once.

    torchvision's run on `device`, all others on the CPU. Raises ModelUnavailableError.
    """
    if kind_of(choice) is Kind.TORCHVISION:
        from framekeep.models.detectors.torchvision_detector import open_torchvision  # noqa: PLC0415 - takes seconds

        return open_torchvision(choice, device, batch)
    require_openvino()
    from framekeep.models.detectors.graph_opening import open_graph  # noqa: PLC0415 - only now it is known to be there

    return open_graph(choice, batch)
