"""A network made ready for the CPU by OpenVINO, in such a way that Ctrl-C still works."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def compiled(model: Any, options: Mapping[str, object]) -> Any:  # noqa: ANN401 - OpenVINO tells no types
    """`model`, compiled for the CPU. Raises RuntimeError for a network that OpenVINO cannot compile.

    OpenVINO's CPU plugin gives the thread in which it is made a signal stack of its own, and frees that when it goes,
    in whatever thread that is: where it is another one, the next signal to the first, be it Ctrl-C or a reload, ends
    the process with a segmentation fault. So it is made in a thread that ends at once.
    """
    import openvino  # noqa: PLC0415 - only where it is wanted

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(openvino.Core().compile_model, model, "CPU", dict(options)).result()
