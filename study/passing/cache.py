"""The cache of exhaustive passes on disk: one folder for all that a row depends on, in it shards of parquet.

A shard appears under its name whole or not at all, so whatever ends a pass, what it wrote before stays. Passes may
share a folder: a picture that two of them saw is read once. Memory does not grow with the pictures while a pass runs.
"""

import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from framekeep.errors import UsageError
from study.observations import Conditions, Observations

Key = tuple[bytes, int]
"""SHA-256 of a picture, and its label: rank and probability are those of the label."""


@dataclass(frozen=True)
class Row:
    """A picture with its variants; arrays are as Observations has them, less their first axis."""

    sha256: bytes
    label: int
    originals: int
    sizes: Sequence[int]
    eligible: Sequence[bool]
    ranks: Sequence[int]
    truth: Sequence[float]
    top: Sequence[int]
    """Of one variant after the other."""
    probabilities: Sequence[float]

    @property
    def key(self) -> Key:
        return self.sha256, self.label


_PICTURES: Final = {"originals": np.int64}
_VARIANTS: Final = {"sizes": np.int64, "eligible": np.bool_, "ranks": np.int32, "truth": np.float32}
_CLASSES: Final = {"top": np.int32, "probabilities": np.float32}


@dataclass(frozen=True)
class Cache:
    """The rows of one network, ladder, encoder and way of counting."""

    folder: Path
    conditions: Conditions

    @classmethod
    def at(cls, place: Path, conditions: Conditions) -> "Cache":
        """The cache of these conditions below a folder. Raises UsageError where it cannot be made."""
        text = json.dumps(conditions.document(), sort_keys=True)
        name = re.sub(r"[^\w.-]", "_", conditions.model)
        folder = place / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "conditions.json").write_text(json.dumps(conditions.document(), indent=2) + "\n")
        except OSError as error:
            raise UsageError(
                f"the cache {folder} cannot be written ({error.strerror}): name another with --cache"
            ) from error
        return cls(folder, conditions)

    def keys(self) -> set[Key]:
        """Of all pictures that are there."""
        found: set[Key] = set()
        for shard in self._shards(["sha256", "label"]):
            found.update(zip(shard["sha256"].to_pylist(), shard["label"].to_pylist(), strict=True))
        return found

    def add(self, rows: Sequence[Row]) -> None:
        """Writes a shard, durable when this returns. Raises UsageError where there is no room for it."""
        schema = self._schema()
        columns = {name: [getattr(row, name) for row in rows] for name in schema.names}
        name = uuid.uuid4().hex
        partial = self.folder / f".{name}.partial"
        try:
            with partial.open("wb") as file:
                pq.write_table(pa.table(columns, schema), file)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(self.folder / f"{name}.parquet")
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise UsageError(f"the cache {self.folder} cannot be written: {error}") from error

    def observations(self, wanted: Sequence[tuple[str, Key]], class_names: Sequence[str]) -> Observations:
        """Of these pictures (path and key), in their order. Raises KeyError where one is not there."""
        places: dict[Key, list[int]] = {}
        for k, (_, key) in enumerate(wanted):
            places.setdefault(key, []).append(k)
        arrays = self._empty(len(wanted))
        for shard in self._shards(None):
            self._take(shard, places, arrays)
        if places:
            raise KeyError(next(iter(places)))
        paths, keys = [path for path, _ in wanted], [key for _, key in wanted]
        labels = np.array([label for _, label in keys], np.int32)
        return Observations(
            self.conditions, class_names, tuple(paths), tuple(sha256 for sha256, _ in keys), labels, **arrays
        )

    def _take(self, shard: pa.Table, places: dict[Key, list[int]], arrays: dict[str, Any]) -> None:
        """Copies the rows that are still wanted to their places, of which each is taken from `places` then."""
        keys = zip(shard["sha256"].to_pylist(), shard["label"].to_pylist(), strict=True)
        found = [(k, places.pop(key)) for k, key in enumerate(keys) if key in places]
        sources = [k for k, targets in found for _ in targets]
        targets = [target for _, targets in found for target in targets]
        if not sources:
            return
        for name, array in arrays.items():
            column = shard[name].combine_chunks()
            values = column.to_numpy(zero_copy_only=False) if name in _PICTURES else _flat(column)
            array[targets] = values.reshape(len(shard), *array.shape[1:])[sources]

    def _empty(self, pictures: int) -> dict[str, Any]:
        variants, top = self.conditions.variants, self.conditions.top
        shapes: tuple[tuple[dict[str, Any], tuple[int, ...]], ...] = (
            (_PICTURES, ()),
            (_VARIANTS, (variants,)),
            (_CLASSES, (variants, top)),
        )
        return {name: np.empty((pictures, *rest), kind) for kinds, rest in shapes for name, kind in kinds.items()}

    def _schema(self) -> pa.Schema:
        variants, top = self.conditions.variants, self.conditions.top
        return pa.schema(
            [
                ("sha256", pa.binary(32)),
                ("label", pa.int32()),
                *((name, _arrow(kind)) for name, kind in _PICTURES.items()),
                *((name, pa.list_(_arrow(kind), variants)) for name, kind in _VARIANTS.items()),
                *((name, pa.list_(_arrow(kind), variants * top)) for name, kind in _CLASSES.items()),
            ]
        )

    def _shards(self, columns: list[str] | None) -> Iterator[pa.Table]:
        """One after the other; one that cannot be read is passed over, and so its pictures are looked at again."""
        for path in sorted(self.folder.glob("*.parquet")):
            try:
                yield pq.read_table(path, columns=columns)
            except (OSError, pa.ArrowException):
                continue


def _arrow(kind: Any) -> pa.DataType:  # noqa: ANN401 - numpy's scalar types have no common class that says so
    return pa.from_numpy_dtype(kind)


def _flat(column: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    """The values of fixed-size lists one after another, as numpy has them."""
    return column.flatten().to_numpy(zero_copy_only=False)
