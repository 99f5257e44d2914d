"""From what a data set calls a class to its index in the network: ImageNet's WNIDs, names in words, plain numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

WNID: Final = re.compile(r"n\d{8}")
"""WordNet's number of a noun, as ImageNet names its classes."""

_BACKGROUND: Final = 1001
"""Classes of TensorFlow's networks: ImageNet's 1,000 behind a first one, which is none of them."""
_AMBIGUOUS: Final = -1


@dataclass(frozen=True)
class Classes:
    """The classes of one network."""

    count: int
    offset: int
    """The index of the first class that a data set counts: 1 where the network has a class of its own before it."""
    wnids: Mapping[str, int]
    words: Mapping[str, int]
    """Each name and synonym, folded, with its index; two classes that share one have it in vain."""

    def index(self, label: str) -> int:
        """The index of "n01440764", of "tench" or of "0". Raises ValueError with what is wrong in a few words."""
        if label.isdecimal():
            return self._numbered(int(label))
        if WNID.fullmatch(label):
            return self._with_wnid(label)
        found = self.words.get(_folded(label))
        if found is None:
            raise ValueError(f"the network has no class {label!r}")
        if found == _AMBIGUOUS:
            raise ValueError(f"more than one class is called {label!r}: give its WNID or its index")
        return found

    def _numbered(self, number: int) -> int:
        if number + self.offset >= self.count:
            raise ValueError(f"the network has no class {number}: they run from 0 to {self.count - 1 - self.offset}")
        return number + self.offset

    def _with_wnid(self, wnid: str) -> int:
        if not self.wnids:
            raise ValueError("the network has no WNIDs, for its classes are not ImageNet's")
        if wnid not in self.wnids:
            raise ValueError(f"the network has no class {wnid}: it is none of ImageNet's {len(self.wnids):,}")
        return self.wnids[wnid]


def classes_of(names: Sequence[str]) -> Classes:
    """The classes of a network with these class names, in its order. A WNID's index is its rank among the sorted."""
    from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset  # noqa: PLC0415 - slow to import

    offset = 1 if len(names) == _BACKGROUND else 0
    subset = infer_imagenet_subset({"num_classes": len(names) - offset})
    wnids: list[str] = []
    descriptions: list[str] = []
    if subset is not None:
        info = ImageNetInfo(subset)
        wnids = list(info.label_names())  # type: ignore[no-untyped-call]  # as timm has it
        descriptions = list(info.label_descriptions())
    words = _without_doubles([*_synonyms(names, 0), *_synonyms(descriptions, offset)])
    return Classes(len(names), offset, {wnid: k + offset for k, wnid in enumerate(wnids)}, words)


def _synonyms(descriptions: Sequence[str], offset: int) -> list[tuple[str, int]]:
    """Each description as a whole, and each of the synonyms between its commas."""
    return [
        (_folded(word), k + offset)
        for k, description in enumerate(descriptions)
        for word in {description, *description.split(",")}
    ]


def _without_doubles(pairs: Sequence[tuple[str, int]]) -> dict[str, int]:
    words: dict[str, int] = {}
    for word, k in pairs:
        words[word] = k if words.get(word, k) == k else _AMBIGUOUS
    return words


def _folded(word: str) -> str:
    return " ".join(word.replace("_", " ").casefold().split())
