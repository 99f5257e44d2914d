"""What a reload tries while the old configuration is in force: what it cannot have leaves that so."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from daemon.house import opened
from daemon.service import read_anew
from framekeep.errors import AlreadyRunningError, ConfigurationError, ModelUnavailableError
from storage.root import Root

TINY = "test_resnet"


@pytest.fixture
def yard(site) -> Path:
    """A folder that is not watched yet."""
    yard = site.folder / "yard"
    yard.mkdir()
    return yard


@pytest.fixture
def watch(site) -> Callable[..., None]:
    """Configures the roots."""
    return lambda *names: site.configure(watch={"settle_seconds": 0.1, "roots": list(names)})


@pytest.fixture
def squares(steadfast) -> Any:
    """A fake detector that knows squares."""
    model = steadfast()
    model.name, model.class_names = "squares", ("square",)
    return model


def is_locked(path: Path) -> bool:
    with Root(str(path)) as root:
        try:
            root.lock()
        except AlreadyRunningError:
            return True
        return False


def test_a_new_root_that_another_instance_works_on_is_refused(site, steadfast, watch, yard):
    with opened(site.config, steadfast()) as house:
        watch("incoming", "yard")
        with Root(str(yard)) as theirs:
            theirs.lock()
            with pytest.raises(AlreadyRunningError, match=str(yard)):
                read_anew(house, lambda: site.config)
        assert not is_locked(yard)
        assert is_locked(site.root)


def test_a_new_root_is_locked_before_the_old_ones_are_closed_and_handed_over(site, steadfast, watch, yard):
    with opened(site.config, steadfast()) as house:
        watch("incoming", "yard")
        fresh = read_anew(house, lambda: site.config)
        assert is_locked(yard)
    assert is_locked(yard)
    with opened(fresh.config, fresh.model, fresh.taken) as house:
        assert [house.roots[str(yard)]] == fresh.taken
        assert is_locked(site.root)
    assert not is_locked(yard)


def test_what_a_failed_reload_has_locked_is_free_again(site, steadfast, watch, yard):
    with opened(site.config, steadfast()) as house:
        watch("incoming", "yard", "yard2")
        (site.folder / "yard2").mkdir()
        (site.folder / "yard2/.framekeep").mkdir()
        (site.folder / "yard2/.framekeep").chmod(0o755)
        with pytest.raises(ConfigurationError):
            read_anew(house, lambda: site.config)
        assert not is_locked(yard)


def test_an_unusable_folder_at_a_roots_path_is_refused(site, steadfast):
    with opened(site.config, steadfast()) as house:
        site.root.rename(site.folder / "before")
        (site.root / ".framekeep/vault").mkdir(parents=True)
        (site.root / ".framekeep").chmod(0o755)
        with pytest.raises(ConfigurationError, match="open to others"):
            read_anew(house, lambda: site.config)


def test_a_root_that_moved_together_with_its_name_is_still_our_own(site, steadfast, watch):
    with opened(site.config, steadfast()) as house:
        site.root.rename(site.folder / "archive")
        watch("archive")
        fresh = read_anew(house, lambda: site.config)
    with opened(fresh.config, fresh.model, fresh.taken):
        assert is_locked(site.folder / "archive")


@pytest.fixture
def tuned(site) -> Callable[[int], None]:
    """Writes weights of the owner's, others for each seed, to where the configuration looks for them."""
    (site.folder / "names.txt").write_text("gate open\ngate shut\n")
    site.configure(selection={"model": TINY, "weights": "tuned.pth", "class_names": "names.txt"})

    def write(seed: int) -> None:
        torch.manual_seed(seed)
        torch.save(timm.create_model(TINY, num_classes=2).state_dict(), site.folder / "tuned.pth")

    return write


def test_other_weights_at_the_same_path_are_noticed_and_refused_as_at_a_start(site, tuned):
    tuned(1)
    with opened(site.config) as house:
        tuned(1)
        assert read_anew(house, lambda: site.config).model is house.model
        tuned(2)
        with pytest.raises(ModelUnavailableError, match="--accept-model"):
            read_anew(house, lambda: site.config)


def test_class_names_that_were_edited_are_noticed_and_refused_as_at_a_start(site, tuned):
    tuned(1)
    with opened(site.config) as house:
        (site.folder / "names.txt").write_text("gate shut\ngate open\n")
        with pytest.raises(ModelUnavailableError, match=r"the class names: .*--accept-model"):
            read_anew(house, lambda: site.config)


def test_known_labels_that_cannot_be_read_are_refused_as_at_a_start(site, steadfast):
    (site.folder / "labels.csv").write_text("file,label\ngate/1.jpg,cat\n")
    site.configure(selection={"keeper": "hrs", "known_labels": "labels.csv"})
    with opened(site.config, steadfast()) as house:
        (site.folder / "labels.csv").write_text("file,label\ngate/1.jpg,\n")
        with pytest.raises(ConfigurationError, match="line 2"):
            read_anew(house, lambda: site.config)


def test_classes_that_the_detector_has_not_are_refused_as_at_a_start(site, squares):
    """Else nothing would be wanted, and every picture would fall to the lowest quality."""
    site.configure(selection={"keeper": "objects"})
    with opened(site.config, squares) as house:
        site.configure(selection={"keeper": "objects"}, detection={"classes": ["sqare"]})
        with pytest.raises(ConfigurationError, match="knows no 'sqare'"):
            read_anew(house, lambda: site.config)
        site.configure(selection={"keeper": "objects"}, policy=[{"match": "gate/**", "classes": ["sqare"]}])
        with pytest.raises(ConfigurationError, match="knows no 'sqare'"):
            read_anew(house, lambda: site.config)


def test_weights_that_no_keeper_asks_for_are_not_looked_for(site, squares):
    site.configure(selection={"keeper": "objects", "weights": "gone.pth"})
    with opened(site.config, squares) as house:
        assert read_anew(house, lambda: site.config).model is house.model


def test_a_reload_makes_the_process_nicer(site, steadfast):
    """In a child, since no process becomes less nice again."""
    with opened(site.config, steadfast()) as house:
        wanted = os.getpriority(os.PRIO_PROCESS, 0) + 1
        site.configure(service={"nice": wanted})
        child = os.fork()
        if child == 0:
            try:
                read_anew(house, lambda: site.config)
            finally:
                os._exit(os.getpriority(os.PRIO_PROCESS, 0))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == wanted
