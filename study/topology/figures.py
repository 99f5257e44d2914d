"""The paper's tables 3, 4 and 5, as printed: accuracies in per cent, parameters in millions (M)."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Printed:
    """One line of Table 3 or 4: what was trained, and accuracies digit by digit as they stand there."""

    trained: str
    top1: str
    top5: str


@dataclass(frozen=True)
class PrintedTable:
    """The lines begin with "Default"; the next one is stage 0's, and so on."""

    number: int
    network: str
    lines: Sequence[Printed]


@dataclass(frozen=True, slots=True)
class Cited:
    """One line of Table 5. `source` is the number of the paper's reference; None: the paper's own topology."""

    model: str
    source: int | None
    top1: str
    top5: str
    parameters: str


TABLE_3: Final = PrintedTable(
    3,
    "Inception V3",
    (
        Printed("Default", "77.6%", "93.83%"),
        Printed("Logits Block", "77.77%", "93.880%"),
        Printed("From Block10 onward", "77.896%", "94.094%"),
        Printed("From Block9 onward", "77.936%", "94.11%"),
        Printed("From Block8 onward", "77.964%", "94.15%"),
    ),
)
TABLE_4: Final = PrintedTable(
    4,
    "ResNet-50 V2",
    (
        Printed("Default", "75.588%", "92.828%"),
        Printed("LogitsBlock", "75.852%", "92.982%"),
        Printed("From Block4 onward", "75.978%", "93.012%"),
    ),
)
TABLES: Final = MappingProxyType({"inception_v3": TABLE_3, "resnetv2_50": TABLE_4})
"""By timm's architecture, that is without a tag."""

TABLE_5: Final = (
    Cited("VGG 16", 36, "71.5%", "89.8%", "138M"),
    Cited("Inception V1", 7, "69.8%", "89.9%", "6.8M"),
    Cited("Inception V3", 9, "77.6%", "93.8%", "24M"),
    Cited("Inception ResNet-V2", 37, "80.4%", "95.3%", "56M"),
    Cited("ResNet-50 V2", 35, "75.6%", "92.8%", "25M"),
    Cited("ResNet-152 V2", 35, "77.8%", "94.1%", "60M"),
    Cited("ResNet-200 V2", 35, "78.3%", "94.2%", "65M"),
    Cited("Our topology + Inception V3", None, "78.0%", "94.2%", "24M"),
    Cited("Our topology + ResNet 50-V2", None, "76.0%", "93.0%", "25M"),
)
