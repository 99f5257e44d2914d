"""ImageNet's ground truth, with the devkit's synsets."""

from pathlib import Path
from typing import Final

from framekeep.errors import UsageError
from framekeep.labelling.classes import WNID

GROUND_TRUTH: Final = "ILSVRC2012_validation_ground_truth.txt"
_ILSVRC: Final = 1000


def read_ground_truth(path: Path, synsets: Path | None) -> dict[int, str]:
    """From each validation picture's number, from 1, to its WNID. Raises UsageError.

    The file has one ILSVRC2012_ID a line. `synsets` (None: what lies beside it) is the devkit's meta.mat, or a text
    file with the 1,000 WNIDs in the order of those ids, which is not the sorted one.
    """
    numbers = _numbers(path)
    wnids = _synsets(synsets or _beside(path))
    wrong = next((number for number in numbers if not 1 <= number <= len(wnids)), None)
    if wrong is not None:
        raise UsageError(f"{path} holds the id {wrong}: ILSVRC2012_IDs run from 1 to {len(wnids)}")
    return {k: wnids[number - 1] for k, number in enumerate(numbers, 1)}


def _numbers(path: Path) -> list[int]:
    try:
        return [int(word) for word in path.read_text(encoding="utf-8-sig").split()]
    except (OSError, ValueError) as error:
        raise UsageError(f"the ground truth {path} cannot be read as one id a line: {error}") from error


def _beside(path: Path) -> Path:
    found = next((path.with_name(name) for name in ("meta.mat", "synsets.txt") if path.with_name(name).is_file()), None)
    if found is None:
        raise UsageError(
            f"{path} counts classes in ILSVRC's own order, which only the devkit tells: put its data/meta.mat beside "
            "the file, or name it with --synsets"
        )
    return found


def _synsets(path: Path) -> list[str]:
    wnids = _from_devkit(path) if path.suffix == ".mat" else _from_text(path)
    if len(wnids) != _ILSVRC or len(set(wnids)) != _ILSVRC or not all(map(WNID.fullmatch, wnids)):
        raise UsageError(f"{path} does not hold ILSVRC2012's {_ILSVRC:,} WNIDs, one a line in the order of their ids")
    if wnids == sorted(wnids):
        raise UsageError(
            f"{path} is sorted by WNID, and ILSVRC2012_IDs are not in that order: give the devkit's data/meta.mat"
        )
    return wnids


def _from_text(path: Path) -> list[str]:
    """The first word of each line: such lists often go on with the names."""
    try:
        return [line.split()[0] for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the synsets {path} cannot be read: {error}") from error


def _from_devkit(path: Path) -> list[str]:
    from scipy.io import loadmat  # noqa: PLC0415 - slow to import

    try:
        synsets = loadmat(str(path), squeeze_me=True)["synsets"]
        known = {int(one["ILSVRC2012_ID"]): str(one["WNID"]) for one in synsets}
        return [known[number] for number in range(1, _ILSVRC + 1)]
    except Exception as error:
        raise UsageError(f"{path} is not the devkit's meta.mat: {error}") from error
