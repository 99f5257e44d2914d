"""The device that a model runs on, and how exactly it computes there."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from framekeep.errors import ModelUnavailableError, StuckError


def pick_device(wish: str) -> torch.device:
    """One of "auto" (a CUDA GPU where there is one), "cpu", "cuda" and "cuda:N". Raises ModelUnavailableError."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wish == "cpu" or (wish == "auto" and gpus == 0):
        return torch.device("cpu")
    device = torch.device("cuda:0" if wish in ("auto", "cuda") else _parsed(wish))
    if device.type != "cuda":
        raise ModelUnavailableError(f'device = "{wish}" is not supported: use auto, cpu, cuda or cuda:N')
    if device.index >= gpus:
        raise ModelUnavailableError(
            f'device = "{wish}", but PyTorch sees {gpus} CUDA GPUs here: check the driver and that PyTorch is '
            'a CUDA build, or set device = "auto"'
        )
    return device


def _parsed(wish: str) -> torch.device:
    try:
        return torch.device(wish)
    except RuntimeError as error:
        raise ModelUnavailableError(f'device = "{wish}" is unknown: use auto, cpu, cuda or cuda:N') from error


def device_name(device: torch.device, runtime: str = "") -> str:
    """As decisions record it; `runtime` is what computes there instead of PyTorch."""
    if device.type == "cuda":
        return f"{device} {torch.cuda.get_device_name(device)}"
    return f"{device} ({runtime})" if runtime else str(device)


@contextmanager
def device_failures(model: str, device: str) -> Iterator[None]:
    """What is done inside raises ModelUnavailableError where it does not fit the GPU's memory.

    Where the GPU fails it raises StuckError: that lasts for as long as the process does, and a new one may be spared.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise ModelUnavailableError(
            f"the memory of {device} has no room for {model} and one picture: free some, choose a smaller model or "
            'set device = "cpu"'
        ) from error
    except RuntimeError as error:
        if not _is_of_device(error):
            raise
        raise StuckError(
            f"{device} failed under {model} ({str(error).splitlines()[0]}), and after that it computes nothing more in "
            'this process: start framekeep again and, if it comes back, see the kernel\'s log or set device = "cpu"'
        ) from error


def _is_of_device(error: RuntimeError) -> bool:
    """An older PyTorch has no class for it, and what cuBLAS says has none in any; the text begins in the same way."""
    return isinstance(error, getattr(torch, "AcceleratorError", ())) or str(error).startswith("CUDA error")


def forbid_reduced_precision() -> None:
    """fp32 means fp32 from here on in this process: PyTorch leaves TF32 on for convolutions."""
    if hasattr(torch.backends, "fp32_precision"):
        torch.backends.fp32_precision = "ieee"
        torch.backends.cuda.matmul.fp32_precision = "ieee"
        torch.backends.cudnn.conv.fp32_precision = "ieee"  # type: ignore[attr-defined]  # made at run time
    else:  # PyTorch before 2.9
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
