"""Folders of labelled pictures in the layouts that researchers have, and what is said of those that are not."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from timm.data.imagenet_info import ImageNetInfo

from framekeep.errors import UsageError
from framekeep.labelling.classes import Classes, classes_of
from study.data.documents import GROUND_TRUTH
from study.data.folder import DataSet, read_folder

DEVKIT = "ILSVRC2012_devkit_t12/data"
WNIDS = ImageNetInfo().label_names()
ILSVRC = [*reversed(WNIDS)]
"""An order that is not the sorted one, as ILSVRC's own is not."""


@pytest.fixture(scope="module")
def imagenet() -> Classes:
    return classes_of([f"class {k}" for k in range(1000)])


def made(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"picture")
    return folder


def labels(data: DataSet) -> dict[str, int]:
    return {picture.path: picture.label for picture in data.pictures}


def devkit(folder: Path, ids: list[int]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / GROUND_TRUTH).write_text("".join(f"{number}\n" for number in ids))
    synsets = np.array([(k, wnid) for k, wnid in enumerate(ILSVRC, 1)], [("ILSVRC2012_ID", "f8"), ("WNID", "O")])
    savemat(str(folder / "meta.mat"), {"synsets": synsets})
    return folder / GROUND_TRUTH


def test_a_class_index_is_the_rank_of_the_wnid(imagenet: Classes) -> None:
    assert [imagenet.index(wnid) for wnid in ("n01440764", "n01443537", "n15075141")] == [0, 1, 999]


@pytest.mark.parametrize("word", ["0", "n01440764", "tench", "Tench, Tinca tinca", "tinca_tinca"])
def test_a_label_may_be_an_index_a_wnid_or_any_of_the_names(imagenet: Classes, word: str) -> None:
    assert imagenet.index(word) == 0


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("crane", "more than one class is called 'crane': give its WNID"),
        ("1000", "no class 1000: they run from 0 to 999"),
        ("n00000001", "no class n00000001"),
        ("unicorn", "no class 'unicorn'"),
    ],
)
def test_what_is_no_label_is_told(imagenet: Classes, word: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        imagenet.index(word)


def test_tensorflows_networks_have_a_class_before_imagenets() -> None:
    classes = classes_of(["background", *(f"class {k}" for k in range(1000))])
    assert [classes.index(word) for word in ("n01440764", "tench", "0", "999", "background")] == [1, 1, 1, 1000, 0]
    with pytest.raises(ValueError, match="from 0 to 999"):
        classes.index("1000")


def test_a_network_of_ones_own_has_its_names_and_no_wnids() -> None:
    classes = classes_of(["gate open", "gate shut"])
    assert classes.index("Gate_Shut") == 1
    with pytest.raises(ValueError, match="not ImageNet's"):
        classes.index("n01440764")


def test_the_wnid_before_the_underscore(tmp_path: Path, imagenet: Classes) -> None:
    made(tmp_path, "n01443537_goldfish.JPEG", "below/n01440764_tench.jpg", "readme.txt", ".n01440764_hidden.JPEG")
    data = read_folder(tmp_path, imagenet)
    assert labels(data) == {"below/n01440764_tench.jpg": 0, "n01443537_goldfish.JPEG": 1}


def test_one_folder_a_class(tmp_path: Path, imagenet: Classes) -> None:
    made(tmp_path, "n01440764/a.JPEG", "goldfish/b.jpeg", "2021/c.jpg", "d.jpg", ".hidden/n01440764_e.jpg")
    data = read_folder(tmp_path, imagenet)
    assert labels(data) == {"n01440764/a.JPEG": 0, "goldfish/b.jpeg": 1}
    assert data.unlabelled == ("2021/c.jpg", "d.jpg")


@pytest.mark.parametrize(
    "text",
    [
        "file,label\na.jpg,n01440764\nsub/b.jpg,goldfish\ngone.jpg,5\n",
        "file,class_index\na.jpg,0\n./sub/b.jpg,1\ngone.jpg,5\n",
        "a.jpg,0\nsub/b.jpg,1\ngone.jpg,5\n",
        "size,wnid,path\n9,n01440764,a.jpg\n9,n01443537,sub/b.jpg\n\n9,n01440764,gone.jpg\n",
    ],
)
def test_a_csv(tmp_path: Path, imagenet: Classes, text: str) -> None:
    made(tmp_path, "a.jpg", "sub/b.jpg", "c.jpg")
    (tmp_path / "labels.csv").write_text(text)
    data = read_folder(tmp_path, imagenet)
    assert labels(data) == {"a.jpg": 0, "sub/b.jpg": 1}
    assert (data.unlabelled, data.missing) == (("c.jpg",), ("gone.jpg",))


def test_a_csv_elsewhere_goes_before_the_names(tmp_path: Path, imagenet: Classes) -> None:
    folder = made(tmp_path / "pictures", "n01440764_a.jpg")
    (tmp_path / "mine.csv").write_text("file,label\nn01440764_a.jpg,7\n")
    assert labels(read_folder(folder, imagenet, tmp_path / "mine.csv")) == {"n01440764_a.jpg": 7}


@pytest.mark.parametrize("place", ["pictures", ".", f"pictures/{DEVKIT}", DEVKIT])
def test_imagenets_ground_truth_is_in_ilsvrcs_own_order(tmp_path: Path, imagenet: Classes, place: str) -> None:
    names = "ILSVRC2012_val_00000001.JPEG", "val/ILSVRC2012_val_00000003.JPEG"
    folder = made(tmp_path / "pictures", *names, "other.jpg")
    devkit(tmp_path / place, [1, 500, 1000])
    data = read_folder(folder, imagenet)
    assert labels(data) == dict(zip(names, (999, 0), strict=True))
    assert data.unlabelled == ("other.jpg",)


def test_the_ground_truth_with_a_list_of_synsets(tmp_path: Path, imagenet: Classes) -> None:
    made(tmp_path, "ILSVRC2012_val_00000002.JPEG")
    truth, synsets = tmp_path / "truth.txt", tmp_path / "list.txt"
    truth.write_text("1\n2\n")
    synsets.write_text("".join(f"{wnid} some name\n" for wnid in ILSVRC))
    assert labels(read_folder(tmp_path, imagenet, truth, synsets)) == {"ILSVRC2012_val_00000002.JPEG": 998}


def test_the_ground_truth_of_other_pictures_does_not_bother_a_folder(tmp_path: Path, imagenet: Classes) -> None:
    (tmp_path / GROUND_TRUTH).write_text("1\n")
    folder = made(tmp_path / "pictures", "n01440764_a.jpg")
    assert labels(read_folder(folder, imagenet)) == {"n01440764_a.jpg": 0}


def test_a_folder_for_each_class_needs_no_ground_truth(tmp_path: Path, imagenet: Classes) -> None:
    made(tmp_path, "n01440764/ILSVRC2012_val_00000293.JPEG")
    (tmp_path / GROUND_TRUTH).write_text("1\n")
    assert labels(read_folder(tmp_path, imagenet)) == {"n01440764/ILSVRC2012_val_00000293.JPEG": 0}


def refused_truth(folder: Path, truth: str, synsets: str | None) -> Path:
    (folder / GROUND_TRUTH).write_text(truth)
    if synsets is not None:
        (folder / "synsets.txt").write_text(synsets)
    return folder


@pytest.mark.parametrize(
    ("truth", "synsets", "complaint"),
    [
        ("1\n", None, "ILSVRC's own order, which only the devkit tells.*--synsets"),
        ("1\n", "\n".join(WNIDS), "sorted by WNID"),
        ("1\n", "\n".join(ILSVRC[:999]), "does not hold ILSVRC2012's 1,000 WNIDs"),
        ("1001\n", "\n".join(ILSVRC), "holds the id 1001"),
        ("tench\n", "\n".join(ILSVRC), "one id a line"),
    ],
)
def test_a_ground_truth_that_would_mislead_is_refused(
    tmp_path: Path, imagenet: Classes, truth: str, synsets: str | None, complaint: str
) -> None:
    made(tmp_path, "ILSVRC2012_val_00000001.JPEG")
    refused_truth(tmp_path, truth, synsets)
    with pytest.raises(UsageError, match=complaint):
        read_folder(tmp_path, imagenet)


def test_a_file_that_only_is_called_meta_is_told(tmp_path: Path, imagenet: Classes) -> None:
    made(tmp_path, "ILSVRC2012_val_00000001.JPEG")
    (tmp_path / "meta.mat").write_bytes(b"not MATLAB's")
    (tmp_path / GROUND_TRUTH).write_text("1\n")
    with pytest.raises(UsageError, match="not the devkit's"):
        read_folder(tmp_path, imagenet)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "are empty"),
        ("a,b,c\n1,2,3\n", "name them in the first line, as file,label"),
        ("file,label\na.jpg\n", "line 2 of the labels .* lacks a file or its label: 'a.jpg'"),
        ("file,label\n\na.jpg, \n", "line 3 of .* lacks a file or its label"),
        ("b.jpg,0\n,0\n", "line 2 of .* lacks a file or its label"),
        ("file,label\na.jpg,0\n./a.jpg,1\n", "line 3 of the labels .* calls 'a.jpg' '1', an earlier one '0'"),
        ("file,label\na.jpg,unicorn\n", "label of a.jpg is not usable.*unicorn"),
    ],
)
def test_a_csv_that_says_nothing_usable_is_told(tmp_path: Path, imagenet: Classes, text: str, complaint: str) -> None:
    made(tmp_path, "a.jpg")
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(UsageError, match=complaint):
        read_folder(tmp_path, imagenet)


def test_a_csv_may_say_the_same_twice(tmp_path: Path, imagenet: Classes) -> None:
    made(tmp_path, "a.jpg")
    (tmp_path / "labels.csv").write_text("file,label\na.jpg,3\n./a.jpg,3\n")
    assert labels(read_folder(tmp_path, imagenet)) == {"a.jpg": 3}


def test_folders_without_pictures_or_labels_say_what_to_do(tmp_path: Path, imagenet: Classes) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        read_folder(tmp_path / "gone", imagenet)
    with pytest.raises(UsageError, match="holds no pictures"):
        read_folder(tmp_path, imagenet)
    with pytest.raises(UsageError, match="--labels"):
        read_folder(made(tmp_path, "a.jpg"), imagenet)
