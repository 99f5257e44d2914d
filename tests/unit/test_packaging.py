"""What is installed where: framekeep's packages have generic names, so nothing else may own one of them."""

import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGES = ("framekeep", "storage", "daemon", "study", "cli")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    if find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds the wheel, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_project_declares_the_packages_that_are_tested_here():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    assert tuple(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_belongs_to_framekeep_alone(package):
    owners = set(packages_distributions().get(package, []))
    assert owners <= {"framekeep"}  # an editable install owns its packages by a path, which is not listed
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).parents[1] in {CHECKOUT, Path(str(distribution("framekeep").locate_file("")))}


def test_python_daemon_which_has_a_package_of_the_same_name_is_not_there():
    with pytest.raises(PackageNotFoundError):
        distribution("python-daemon")


def test_the_wheel_holds_every_module_and_nothing_else(wheel):
    modules = {str(path.relative_to(CHECKOUT)) for package in PACKAGES for path in (CHECKOUT / package).rglob("*.py")}
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert {name for name in names if name.endswith(".py")} == modules
    assert {name.partition("/")[0] for name in names} == set(PACKAGES)


def test_the_wheel_holds_the_default_configuration(wheel):
    assert wheel.read("daemon/config/defaults.toml") == (CHECKOUT / "config.toml").read_bytes()


def test_the_wheel_holds_the_ledgers_migrations(wheel):
    shipped = [name for name in wheel.namelist() if name.startswith("storage/ledger/migrations/versions/v")]
    assert len(shipped) == len(list((CHECKOUT / "storage/ledger/migrations/versions").glob("v*.py"))) > 0


def test_the_wheel_holds_the_template_of_the_studys_page(wheel):
    assert wheel.read("study/page/page.html.j2") == (CHECKOUT / "study/page/page.html.j2").read_bytes()


def test_the_command_is_installed_beside_this_python():
    assert (Path(sys.executable).parent / "framekeep").is_file()
