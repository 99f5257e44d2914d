"""What stands on the page: one section for each of the paper's tables and figures, in its order."""

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from study.figures.album import Album, Example
from study.figures.course import course_of
from study.figures.drawing import Drawn, NotDrawn
from study.observations import Observations
from study.page import verdicts
from study.page.verdicts import Verdict, not_measured, of_all
from study.report import Absent, NetworkReport
from study.tables.sheets import Sheet, sheets
from study.topology.figures import TABLE_3, TABLE_4, TABLE_5, PrintedTable
from study.topology.results import Evaluation
from study.topology.results import sheets as topology_sheets

_NO_RUN: Final = (
    "the topology takes a training of its own, and the paper's took ImageNet's 1.28 million pictures; the commands "
    "below do it"
)
_HONEST: Final = (
    "The paper's +0.4 points come from 1.28 million training pictures. Few pictures do not give them: with about 1,250 "
    "an independent trial had 83.4% top-1 with the network alone, 83.2% with the topology trained from the network's "
    "own last layer (--init original), 41.8% from random weights, and 81.4% with the plain mean of the eleven logits."
)
_LAST_LAYER: Final = (
    "The trunk is shared, but a last layer over eleven concatenated blocks has eleven times the weights: over "
    "Inception V3's 2,048 features 22.5 M instead of 2.0 M. Table 5 prints the network's own 24 M."
)
_COMMANDS: Final = (
    "framekeep study train imagenet/train --validation imagenet/val --out inception \\",
    "    --model inception_v3.tf_in1k --blocks 3 --weight-decay 4e-5",
    "framekeep study evaluate inception imagenet/val --json > inception.json",
    "framekeep study train imagenet/train --validation imagenet/val --out resnet --model resnetv2_50=FILE --blocks 1",
    "framekeep study evaluate resnet imagenet/val --json > resnet.json",
    "framekeep study paper imagenet/val --model inception_v3.tf_in1k --model resnetv2_50=FILE \\",
    "    --evaluation inception.json --evaluation resnet.json",
)
_MAPS: Final = (
    "The feature maps of QF 10 are much cleaner and have a better contrast: JPEG and ReLU wipe out the background, and "
    "take less from the foreground."
)


@dataclass(frozen=True)
class Picture:
    """A figure as a data URI."""

    source: str
    caption: str


@dataclass(frozen=True)
class Section:
    """`names` are the paper's, such as ("Table 7", "Table 8")."""

    names: tuple[str, ...]
    title: str
    claim: str
    verdict: Verdict
    sheets: tuple[Sheet, ...] = ()
    pictures: tuple[Picture, ...] = ()
    note: str = ""
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """All that the page tells of."""

    reports: Sequence[NetworkReport | Absent]
    seen: Observations
    """Of the first network that was measured."""
    album: Album
    chosen: Sequence[Example]
    evaluations: Sequence[Evaluation] = ()

    @property
    def measured(self) -> list[NetworkReport]:
        return [one for one in self.reports if isinstance(one, NetworkReport)]


def sections(found: Findings) -> list[Section]:
    made = [*_tables(found), *_topology(found.evaluations), *_figures(found), _diagrams()]
    return sorted(made, key=lambda section: _order(section.names[0]))


def _order(name: str) -> tuple[int, int]:
    """Theorem, tables, figures; each by number."""
    kind, _, number = name.partition(" ")
    return ("Theorem", "Table", "Figure").index(kind), int(number)


def _tables(found: Findings) -> Iterable[Section]:
    measured = found.measured
    first, second, sixth, seventh, constant, confident = sheets(found.reports)
    claim = "For any set of pictures, any selector and any k, HRS has the highest top-k accuracy."
    yield Section(("Theorem 1",), "HRS is optimal", claim, of_all(measured, verdicts.theorem))
    claim = "HRS raises top-1 accuracy by 5.6% and top-5 accuracy by 1.9% on average."
    yield Section(("Table 1",), "Accuracy of HRS", claim, of_all(measured, verdicts.hrs_accuracy), (first,))
    claim = "HRS reduces the size dramatically: its CR is 8 on average."
    yield Section(("Table 2",), "Compression by HRS", claim, of_all(measured, verdicts.hrs_size), (second,))
    claim = "T1K keeps top-1 accuracy and costs up to 1.5% of top-5; T5K keeps top-5 and costs up to 1.26% of top-1."
    verdict = of_all(measured, verdicts.keepers_accuracy)
    yield Section(("Table 6",), "Accuracy of T1K and T5K", claim, verdict, (sixth, confident))
    claim = "T1K, T5K and TTK have CRs of 8.8, 3.3 and 3.1 on average."
    verdict = of_all(measured, verdicts.keepers_sizes)
    yield Section(("Table 7", "Table 8"), "Compression by the keepers", claim, verdict, (seventh,))
    yield Section(
        ("Figure 3",),
        "One QF for all pictures",
        "Accuracy deteriorates as the QF decreases.",
        of_all(measured, verdicts.constant_quality),
        (constant,),
        _pictures(found, "3"),
    )


def _topology(evaluations: Sequence[Evaluation]) -> Iterable[Section]:
    made = [topology_sheets(one) for one in evaluations]
    claim = "Even partially trained, the topology raises top-1 accuracy by about 0.4% and top-5 by 0.32% and 0.2%."
    by_block = (*(one[0] for one in made), _printed(TABLE_3), _printed(TABLE_4))
    title = "The parallel topology, by trained block"
    verdict = _of_runs(evaluations, verdicts.topology)
    yield Section(("Table 3", "Table 4"), title, claim, verdict, by_block, (), _HONEST, _COMMANDS)
    claim = "The topology has essentially as many parameters to be trained as the network alone."
    verdict, among = _of_runs(evaluations, verdicts.parameters), tuple(one[1] for one in made) or (_cited(),)
    yield Section(("Table 5",), "Accuracy and number of parameters", claim, verdict, among, (), _LAST_LAYER)


def _of_runs(evaluations: Sequence[Evaluation], judge: Callable[[Evaluation], Verdict]) -> Verdict:
    found = [judge(one) for one in evaluations]
    if not found:
        return not_measured(_NO_RUN)
    return Verdict(verdicts.worst(one.standing for one in found), " ".join(one.sentence for one in found))


def _printed(table: PrintedTable) -> Sheet:
    rows = tuple((line.trained, line.top1, line.top5) for line in table.lines)
    return Sheet(str(table.number), f"{table.network}, as the paper prints it", ("trained", "top-1", "top-5"), rows)


def _cited() -> Sheet:
    rows = tuple(
        (one.model, f"cited [{one.source}]" if one.source else "the paper", one.top1, one.top5, one.parameters)
        for one in TABLE_5
    )
    return Sheet("5", "as the paper prints it", ("model", "from", "top-1", "top-5", "parameters"), rows, words=2)


def _figures(found: Findings) -> Iterable[Section]:
    claim = "For one picture a lower QF can give the ground truth a better rank and a higher probability."
    verdict = verdicts.one_picture(found.seen)
    yield Section(("Figure 4",), "One picture, all QFs", claim, verdict, (), _pictures(found, "4"))
    yield _pair(found, "5", "#651: the ground truth goes from rank 2, 37%, to rank 1, 72%, at QF 10.")
    yield _pair(found, "10", "#37: the ground truth goes from rank 6 to rank 5 at QF 10.")
    for number, title in (
        ("6", "#651, one feature map of layer 1"),
        ("9", "#651, feature maps of layer 2"),
        ("11", "#37, feature maps of layer 2"),
    ):
        yield Section(
            (f"Figure {number}",), title, _MAPS, _of_maps(found.album, number), (), _pictures(found, number), _MEASURE
        )
    claim = "A lower QF is selected more often than a higher one, and the lowest most often."
    verdict = of_all(found.measured, verdicts.selected_qualities)
    names = ("Figure 7", "Figure 8")
    yield Section(names, "QFs that are selected", claim, verdict, (), _pictures(found, "7"))


_MEASURE: Final = (
    "Energy is the sum of the squared differences from a map's median. Foreground, inside the white line, is where the "
    "network's class activation map of the ground truth is above its mean; the background is the rest."
)


def _pair(found: Findings, number: str, claim: str) -> Section:
    one = next((example for example in found.chosen if example.pair == number), None)
    if one is None or one.picture is None:
        verdict = _why_not(found.album, number)
    else:
        verdict = verdicts.example(one.name, course_of(found.seen, one.picture))
    title = f"{claim.partition(':')[0]}, original and QF 10"
    return Section((f"Figure {number}",), title, claim, verdict, (), _pictures(found, number))


def _of_maps(album: Album, number: str) -> Verdict:
    drawn = next((one for one in album if isinstance(one, Drawn) and number in one.numbers), None)
    return verdicts.feature_maps(drawn.data) if drawn else _why_not(album, number)


def _why_not(album: Album, number: str) -> Verdict:
    why = next((one.why for one in album if isinstance(one, NotDrawn) and number in one.numbers), None)
    return not_measured(why or "no picture was asked for")


def _pictures(found: Findings, number: str) -> tuple[Picture, ...]:
    return tuple(
        Picture(f"data:image/png;base64,{base64.b64encode(one.png).decode()}", one.caption)
        for one in found.album
        if isinstance(one, Drawn) and number in one.numbers
    )


def _diagrams() -> Section:
    names = ("Figure 1", "Figure 2", "Figure 12")
    verdict = not_measured("these are diagrams, which hold no measurement")
    return Section(names, "What is computed", "A DNN with a constant QF, with a selector, and the topology.", verdict)


def document(made: Sequence[Section]) -> list[dict[str, object]]:
    """For JSON: what is claimed, and whether it holds."""
    return [
        {"names": one.names, "claim": one.claim, "standing": one.verdict.standing, "sentence": one.verdict.sentence}
        for one in made
    ]
