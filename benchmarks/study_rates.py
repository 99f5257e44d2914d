"""What an exhaustive pass costs a picture: seconds of one processor for the codec and for each network. Markdown.

usage: python -m benchmarks.study_rates DIR NETWORK[=FILE]…

Processor time and not the clock's, with one thread, so that other work on the machine hardly matters. A network whose
weights are not present is built with random ones: they take the same time.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

import timm
import torch
from safetensors.torch import save_file

from framekeep.jpeg.codec import encoder_versions
from framekeep.ladder import parse_ladder
from framekeep.models.classifier import Classifier
from study.networks import WeightsNotPresentError, open_network, parse_network
from study.passing.counting import read, try_out

Done = TypeVar("Done")

PICTURES: Final = 50_000
SAMPLE: Final = 20
LADDER: Final = parse_ladder("paper")
VARIANTS: Final = len(LADDER) + 1


def main(folder: Path, networks: Sequence[str]) -> None:
    torch.set_num_threads(1)
    paths = sorted(path for path in folder.rglob("*") if path.suffix.casefold() in (".jpg", ".jpeg"))
    sample = paths[:: max(1, len(paths) // SAMPLE)][:SAMPLE]
    print(f"{processor()}, torch {torch.__version__}, {encoder_versions()}; {len(sample)} pictures\n")
    print(f"| network | codec and transform | network | {PICTURES:,} pictures, hours of one core | of these codec |")
    print("|---|---:|---:|---:|---:|")
    for name in networks:
        codec, look = costs(opened(name), sample)
        hours, of_codec = (PICTURES * seconds / 3600 for seconds in (codec + look, codec))
        print(f"| {name.partition('=')[0]} | {codec:.3f} s | {look:.3f} s | {hours:.1f} | {of_codec:.1f} |", flush=True)


def costs(model: Classifier, sample: Sequence[Path]) -> tuple[float, float]:
    """Seconds of one processor a picture: for the codec with the transform, and for the network."""
    codec = look = 0.0
    for path in sample:
        content, sha256 = read(path)
        spent, tried = timed(lambda c=content, s=sha256: try_out(c, s, LADDER, "paper", model.prepare))
        codec += spent
        look += timed(lambda t=tried: model.look(t.prepared))[0]
    return codec / len(sample), look / len(sample)


def timed(work: Callable[[], Done]) -> tuple[float, Done]:
    start = time.process_time()
    done = work()
    return time.process_time() - start, done


def opened(name: str) -> Classifier:
    try:
        return open_network(parse_network(name), "cpu", VARIANTS).model
    except WeightsNotPresentError:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "random.safetensors"
            save_file(timm.create_model(name).state_dict(), file)
            return open_network(parse_network(f"{name}={file}"), "cpu", VARIANTS).model


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown processor")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
