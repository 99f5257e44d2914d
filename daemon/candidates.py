"""A candidate: a file that has come to framekeep's attention."""

from dataclasses import dataclass

from daemon.rules import Rules
from storage.files import FileIdentity
from storage.records import Place
from storage.root import Tree


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file to look at, in the state in which it was found."""

    tree: Tree
    path: str
    identity: FileIdentity
    missed: bool = False
    """Only a rescan found it: the watcher had missed it."""
    settled: bool = True
    """False: it has been changing for as long as anybody wanted to wait."""

    rules: Rules | None = None
    """Those of a later stage than its age's; None: those of its age."""

    @property
    def place(self) -> Place:
        return Place(self.tree.path, self.path)
