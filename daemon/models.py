"""The model of record that a configuration asks for: a classifier, a detector or both, as its keepers need."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

from daemon.config.detection import Detection
from daemon.config.schema import Config, Selection
from framekeep.errors import ConfigurationError, ModelUnavailableError
from framekeep.keepers.base import Need
from framekeep.keepers.naming import compares_labels, compares_objects
from framekeep.models.base import Model, timed_look
from framekeep.models.both import Both, part_for
from framekeep.models.catalogue import ModelChoice
from framekeep.models.detectors.catalogue import DetectorChoice
from framekeep.models.detectors.conventions import Conventions, InputConventions, OutputConventions


def open_record(config: Config) -> Model:
    """Every model that some camera's keeper needs. Raises ModelUnavailableError, ConfigurationError."""
    classifier = open_model(config.selection) if any(map(compares_labels, config.keepers)) else None
    detector = open_detection(config) if any(map(compares_objects, config.keepers)) else None
    if classifier and detector:
        return Both(classifier, detector)
    return classifier or detector or open_model(config.selection)


def check_objects(config: Config, model: Model) -> None:
    """Raises ConfigurationError for classes that the detector of an open model has not."""
    if any(map(compares_objects, config.keepers)):
        check_classes(config, part_for(model, {Need.DETECTIONS}))


def open_model(selection: Selection) -> Model:
    """The configured classifier. Raises ModelUnavailableError."""
    with _no_garbage():
        from framekeep.models.classifier import open_classifier  # noqa: PLC0415 - torch takes seconds to import

        model = open_classifier(model_choice(selection), selection.device, selection.batch)
    _try(model)
    return model


def open_detection(config: Config) -> Model:
    """The configured detector. Raises ModelUnavailableError, and ConfigurationError for classes that it has not."""
    with _no_garbage():
        from framekeep.models.detectors.opening import open_detector  # noqa: PLC0415 - as above

        model = open_detector(detector_choice(config.detection), config.selection.device, config.selection.batch)
    check_classes(config, model)
    _try(model)
    return model


@contextmanager
def _no_garbage() -> Iterator[None]:
    """What imports and an opened model make stays: looking for garbage among it took a sixth of the imports' time.

    Afterwards it counts as old, so that the first pictures do not wait until it has been looked through as new.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def model_choice(selection: Selection) -> ModelChoice:
    """What the configuration asks for, in the heart's words."""
    return ModelChoice(selection.model, selection.weights, selection.weights_sha256, selection.class_names)


def detector_choice(detection: Detection) -> DetectorChoice:
    """The same for the detector."""
    conventions = None
    if detection.output is not None:
        wanted = detection.input.model_dump() if detection.input else {}
        conventions = Conventions(OutputConventions(**detection.output.model_dump()), InputConventions(**wanted))
    return DetectorChoice(detection.model, detection.weights, detection.weights_sha256, detection.labels, conventions)


def _try(model: Model) -> None:
    try:
        timed_look(model, time.perf_counter)
    except (FloatingPointError, RuntimeError) as error:
        raise ModelUnavailableError(f"the model {model.name} cannot look at a picture: {error}") from error


def check_classes(config: Config, model: Model) -> None:
    unknown = sorted(set(_classes(config)) - set(model.class_names))
    if unknown:
        raise ConfigurationError(
            f"[detection] classes and regions_classes: {model.name} knows no {', '.join(map(repr, unknown))}; it knows "
            f"{', '.join(model.class_names)}"
        )


def _classes(config: Config) -> Iterator[str]:
    yield from (*config.detection.classes, *config.detection.regions_classes)
    stages = [*(config.selection.stage or ()), *(stage for block in config.policy for stage in block.stage or ())]
    for choice in (*config.policy, *stages):
        yield from (*(choice.classes or ()), *(choice.regions_classes or ()))
