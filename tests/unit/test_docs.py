"""What can be proved of the documents: links lead somewhere, quotes are exact, nothing tells of one machine alone."""

import re
import subprocess
from pathlib import Path

import pytest

import daemon.life
import storage.recovery
import storage.restorations
import storage.root

HOME = Path(__file__).parents[2]
DOCUMENTS = [HOME / "README.md", HOME / "CHANGELOG.md", *sorted((HOME / "docs").rglob("*.md"))]
CODE = [
    path for package in ("framekeep", "storage", "daemon", "study", "cli") for path in (HOME / package).rglob("*.py")
]

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
EVENT = re.compile(r"\blog\.(?:debug|info|warning|error|exception)\(\s*\"(\w+)\"")
# In brackets, so that this file does not name them either.
FOREIGN = re.compile(
    r"pypi\.[o]rg|python[h]osted|pytorch\.[o]rg|conda\.[i]o|anaconda\.[o]rg|npmjs\.[o]rg"  # registries
    r"|(?<![\w.$}])/(?:[w]ork|[t]mp|[r]oot)/"  # paths
)


def anchors(document: Path) -> set[str]:
    """The anchors that a viewer makes of headings."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(HOME)))
def test_internal_links_lead_somewhere(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link[0]]
    for path, anchor in links:
        target = document.parent / path if path else document
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), anchor


@pytest.mark.parametrize("module", [storage.recovery, storage.restorations, storage.root, daemon.life])
def test_the_architecture_quotes_the_code_to_the_letter(module) -> None:
    lines = (HOME / "docs" / "architecture.md").read_text().splitlines()
    quoted = {line.strip() for line in lines if line.startswith("    ")}
    drawn = [line.strip() for line in module.__doc__.splitlines() if re.search(r"\S  +\S|→", line)]
    assert drawn
    assert [line for line in drawn if not any(line in text for text in quoted)] == []


def test_operations_explains_every_line_of_the_log() -> None:
    events = {event for path in CODE for event in EVENT.findall(path.read_text())}
    explained = set(re.findall(r"`(\w+)`", (HOME / "docs" / "operations.md").read_text()))
    assert len(events) > 10
    assert events - explained == set()


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = {
        str(path.relative_to(HOME)): found
        for path in files_of_the_repository()
        if (found := FOREIGN.findall(path.read_text(errors="replace")))
    }
    assert found == {}


def files_of_the_repository() -> list[Path]:
    """Those that are committed, and those that would be."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=False, cwd=HOME, capture_output=True)
    if listed.returncode:
        pytest.skip("this is no git checkout, which knows the repository's files")
    paths = [HOME / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]
