"""Exhaustive passes with a real network: what a row holds, what an interruption costs, what memory does."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from framekeep.errors import UsageError
from framekeep.evidence import Prediction
from framekeep.jpeg.codec import decode
from framekeep.ladder import parse_ladder
from framekeep.models.classifier import Classifier
from study.data.folder import DataSet, Labelled
from study.networks import open_network, parse_network
from study.observations import Counting
from study.passing.exhaustive import Observed, Progress, Setting, observe

LADDER = parse_ladder("90,30,5")
VARIANTS = len(LADDER) + 1
PROGRAM = """
import sys, resource
from pathlib import Path
import torch
from framekeep.ladder import parse_ladder
from framekeep.labelling.classes import classes_of
from study.data.folder import read_folder
from study.networks import open_network, parse_network
from study.passing.exhaustive import Setting, observe
torch.set_num_threads(1)
model = open_network(parse_network(sys.argv[1]), "cpu", 4).model
data = read_folder(Path(sys.argv[2]), classes_of(model.class_names))
observe(data, model, Setting(parse_ladder("90,30,5"), "paper", Path(sys.argv[3]), 4, 2), lambda progress: None)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small network with random weights, as --model names it; its last layer is sharp, so that ranks differ."""
    torch.manual_seed(11)
    weights = timm.create_model("test_resnet").state_dict()
    weights["fc.weight"] *= 40
    file = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_file(weights, file)
    return f"test_resnet={file}"


@pytest.fixture(scope="module")
def model(network: str) -> Iterator[Classifier]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield open_network(parse_network(network), "cpu", VARIANTS).model
    torch.set_num_threads(threads)


@pytest.fixture
def pictures(tmp_path: Path, photograph: Callable[..., bytes]) -> DataSet:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for k in range(6):
        (folder / f"{k}.jpg").write_bytes(photograph(k, comment=b"where and when"))
    return DataSet(folder, "drawn", tuple(Labelled(f"{k}.jpg", k * 100) for k in range(6)))


def passed(data: DataSet, model: Classifier, counting: Counting = "paper") -> tuple[Observed, Progress]:
    told: list[Progress] = []
    cache = data.folder.parent / "cache"
    observed = observe(data, model, Setting(LADDER, counting, cache, pictures=4, threads=2), told.append)
    return observed, told[-1]


def test_a_row_holds_what_the_network_sees_in_each_variant(pictures: DataSet, model: Classifier) -> None:
    seen = passed(pictures, model)[0].observations
    assert seen.paths == tuple(f"{k}.jpg" for k in range(6))
    for k, picture in enumerate(pictures.pictures):
        data = (pictures.folder / picture.path).read_bytes()
        variants = [data, *(plainly_encoded(data, rung.quality) for rung in LADDER.rungs)]
        assert seen.originals[k] == len(data)
        assert seen.sizes[k].tolist() == [len(variant) for variant in variants]
        assert seen.eligible[k].all()
        for j, variant in enumerate(variants):
            prediction = model.look([model.prepare(decode(variant))])[0].prediction
            assert prediction is not None
            assert_same(prediction, picture.label, seen.ranks[k, j], seen.truth[k, j])
            assert seen.top[k, j].tolist() == [label for label, _ in prediction.top(6)]
            assert seen.probabilities[k, j] == pytest.approx([p for _, p in prediction.top(6)], abs=1e-5)


def plainly_encoded(data: bytes, quality: int) -> bytes:
    """With Pillow alone, less the comment that it would take over."""
    file = io.BytesIO()
    Image.open(io.BytesIO(data)).save(file, "JPEG", quality=quality, comment=b"")
    return file.getvalue()


def assert_same(prediction: Prediction, label: int, rank: int, truth: float) -> None:
    assert prediction.rank(label) == rank
    assert prediction.probabilities[label] == pytest.approx(truth, abs=1e-5)


def test_nothing_is_looked_at_twice(pictures: DataSet, model: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    first, progress = passed(pictures, model)
    assert (progress.done, progress.cached) == (6, 0)
    monkeypatch.setattr(model, "look", lambda _: pytest.fail("looked again"))
    again, progress = passed(pictures, model)
    assert (progress.done, progress.cached) == (6, 6)
    for name in ("sizes", "ranks", "truth", "top", "probabilities"):
        assert np.array_equal(getattr(first.observations, name), getattr(again.observations, name))


def test_another_label_is_another_row(pictures: DataSet, model: Classifier) -> None:
    passed(pictures, model)
    other = tuple(Labelled(one.path, one.label + (one.path == "3.jpg")) for one in pictures.pictures)
    observed, progress = passed(DataSet(pictures.folder, "drawn", other), model)
    assert progress.cached == 5
    assert observed.observations.labels.tolist() == [0, 100, 200, 301, 400, 500]


def test_the_same_picture_under_two_names_counts_twice(pictures: DataSet, model: Classifier) -> None:
    (pictures.folder / "copy.jpg").write_bytes((pictures.folder / "2.jpg").read_bytes())
    both = DataSet(pictures.folder, "drawn", (Labelled("2.jpg", 200), Labelled("copy.jpg", 200)))
    seen = passed(both, model)[0].observations
    assert (seen.paths, seen.sha256[0]) == (("2.jpg", "copy.jpg"), seen.sha256[1])
    assert np.array_equal(seen.top[0], seen.top[1])


def test_a_name_that_is_not_utf8_is_as_good_as_any(pictures: DataSet, model: Classifier) -> None:
    name = os.fsdecode(b"n\xe4chtlich.jpg")
    (pictures.folder / "0.jpg").rename(pictures.folder / name)
    odd = DataSet(pictures.folder, "drawn", (Labelled(name, 0), *pictures.pictures[1:]))
    observed, _ = passed(odd, model)
    assert observed.observations.paths[0] == name


def test_what_cannot_be_looked_at_is_left_out_with_the_reason(pictures: DataSet, model: Classifier) -> None:
    (pictures.folder / "1.jpg").write_bytes((pictures.folder / "1.jpg").read_bytes()[:900])
    (pictures.folder / "4.jpg").unlink()
    observed, progress = passed(pictures, model)
    assert observed.observations.paths == ("0.jpg", "2.jpg", "3.jpg", "5.jpg")
    assert (set(observed.left_out), progress.left_out) == ({"1.jpg", "4.jpg"}, 2)
    assert observed.left_out["4.jpg"] == "No such file or directory"


def test_what_is_no_file_stops_nobody(pictures: DataSet, model: Classifier) -> None:
    """Nobody writes to the FIFO, so whoever waits for it waits for ever."""
    (pictures.folder / "1.jpg").unlink()
    os.mkfifo(pictures.folder / "1.jpg")
    assert passed(pictures, model)[0].left_out == {"1.jpg": "not a regular file"}


def test_a_set_of_which_nothing_can_be_looked_at_is_told(pictures: DataSet, model: Classifier) -> None:
    gone = DataSet(pictures.folder, "drawn", (Labelled("gone.jpg", 0),))
    with pytest.raises(UsageError, match=r"no picture in .* could be looked at: No such file"):
        passed(gone, model)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_gray_and_cmyk_pictures_are_pictures_of_the_set(tmp_path: Path, model: Classifier, mode: str) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.linear_gradient("L").convert(mode).save(folder / "0.jpg")
    seen = passed(DataSet(folder, "drawn", (Labelled("0.jpg", 0),)), model)[0].observations
    assert (seen.sizes > 0).all()


def test_a_shard_that_is_damaged_is_looked_at_again(pictures: DataSet, model: Classifier) -> None:
    passed(pictures, model)
    (shard,) = pictures.folder.parent.glob("cache/*/*.parquet")
    shard.write_bytes(shard.read_bytes()[:-40])
    observed, progress = passed(pictures, model)
    assert (progress.cached, len(observed.observations)) == (0, 6)


def test_a_cache_that_cannot_be_written_is_told(pictures: DataSet, model: Classifier) -> None:
    (pictures.folder.parent / "cache").write_text("a file where the folder should be")
    with pytest.raises(UsageError, match="name another with --cache"):
        passed(pictures, model)


def test_in_the_daemons_way_nothing_is_larger_and_variants_are_squeezed(pictures: DataSet, model: Classifier) -> None:
    plain = passed(pictures, model)[0].observations
    seen = passed(pictures, model, "daemon")[0].observations
    assert (seen.sizes <= seen.originals[:, None]).all()
    assert (seen.sizes[:, -1] < plain.sizes[:, -1] + len(b"where and when") + 4).all()
    assert np.array_equal(seen.ranks, plain.ranks)
    assert seen.eligible[:, 0].all()


def many(folder: Path, photograph: bytes, count: int) -> Path:
    """One picture so often, each with a comment of its own, so that no two are the same file."""
    folder.mkdir()
    for k in range(count):
        comment = str(k).encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        (folder / f"n01440764_{k}.jpg").write_bytes(photograph[:2] + segment + photograph[2:])
    return folder


def started(network: str, folder: Path, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, network, str(folder), str(cache)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def test_a_killed_pass_goes_on_where_it_was(
    tmp_path: Path, photograph: Callable[..., bytes], network: str, model: Classifier
) -> None:
    folder = many(tmp_path / "pictures", photograph(1), 140)
    with started(network, folder, tmp_path / "cache") as child:
        while not list(tmp_path.glob("cache/*/*.parquet")):
            assert child.poll() is None, "the pass was over before it could be killed"
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
    data = DataSet(folder, "drawn", tuple(Labelled(path.name, 0) for path in sorted(folder.iterdir())))
    observed, progress = passed(data, model)
    assert len(observed.observations) == 140
    assert 100 <= progress.cached < 140
    assert len({tuple(row) for row in observed.observations.top.reshape(140, -1).tolist()}) == 1


def test_memory_does_not_grow_with_the_pictures(tmp_path: Path, network: str) -> None:
    noise = np.random.default_rng(3).normal(128, 20, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=95)
    peaks = []
    for count in (15, 115):
        folder = many(tmp_path / f"pictures{count}", file.getvalue(), count)
        with started(network, folder, tmp_path / "cache") as child:
            peaks.append(int(child.communicate()[0]))
    assert peaks[1] - peaks[0] < 50  # MB; 100 pictures with their variants are 350 decoded and 120 transformed
