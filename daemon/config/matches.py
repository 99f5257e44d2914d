"""Whether the patterns of policies can match anything, and whether a later policy can still hold. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pathspec import GitIgnoreSpec

from daemon.names import NameFilter
from storage.patterns import compiled, folded

_ALL: Final = frozenset({"*", "**", "/*", "/**", "**/*"})
_WILD: Final = "*?[\\"


def fault_of_match(pattern: str, roots: Sequence[Path], names: NameFilter) -> str | None:
    """Why a pattern can match no picture; None where it may match some."""
    steps = pattern.removeprefix("!").split("/")
    for root in roots:
        if root.name and Path(pattern).is_relative_to(root):
            return f"{pattern} is a path on this machine, where patterns are for paths below a root: leave {root} out"
    if {".", ".."} & set(steps):
        return f"{pattern} matches nothing: . and .. are not part of a picture's path"
    if not names.folder(folder_of(pattern)):
        return f"{pattern} matches no picture: [watch] ignore leaves that folder out"
    return None


def folder_of(pattern: str) -> str:
    """The folder without wildcards that all must lie in that a pattern matches: "gate/2026/**" gives "gate/2026".

    Empty where it may match anywhere below a root, as a pattern with no slash but at its end does.
    """
    pattern = pattern.removeprefix("!")
    *folders, name = pattern.rstrip("/").split("/")
    if not folders:
        return ""
    steps = [step for step in (*folders, *([name] if pattern.endswith("/") else [])) if step]
    literal = next((index for index, step in enumerate(steps) if any(sign in step for sign in _WILD)), len(steps))
    return "/".join(steps[:literal])


def superfluous(matches: Sequence[Sequence[str]]) -> Iterator[str]:
    """A sentence for each policy, by its patterns, that can never hold since earlier ones match all that it does.

    Only what is certain is told: patterns that are the same, and folders that lie in what an earlier one matches whole.
    """
    earlier: list[_Match] = []
    for match in map(_Match.of, matches):
        if covering := _covering(earlier, match):
            numbers = " and ".join(f"#{other + 1}" for other in sorted(covering))
            names = ", ".join(match.patterns)
            own = f"#{len(earlier) + 1} would do nothing"
            yield f"{own}: all of {names} is matched by {numbers} before, and the first wins"
        earlier.append(match)


@dataclass(frozen=True, slots=True)
class _Match:
    """The patterns of a policy; without regard to case."""

    patterns: tuple[str, ...]
    spec: GitIgnoreSpec
    excepts: bool
    """Some of them are negated, so that not all is matched that the others match."""

    @classmethod
    def of(cls, patterns: Sequence[str]) -> Self:
        small = tuple(pattern.lower() for pattern in patterns)
        return cls(small, compiled(small), any(pattern.startswith("!") for pattern in small))

    def covers(self, pattern: str) -> bool:
        """Whether all that the pattern matches is matched."""
        if self.excepts:
            return False
        if pattern in self.patterns or not _ALL.isdisjoint(self.patterns):
            return True
        folder = folder_of(pattern)  # what matches a folder matches all that lies in it
        return bool(folder) and self.spec.match_file(f"{folded(folder)}/")


def _covering(earlier: Sequence[_Match], match: _Match) -> set[int]:
    """Those of the earlier ones that together match all that the last does; none where something may be left for it."""
    same = {index for index, other in enumerate(earlier) if other.patterns == match.patterns}
    if same:
        return {min(same)}
    wanted = [pattern for pattern in match.patterns if not pattern.startswith("!")]
    covering = [next((index for index, other in enumerate(earlier) if other.covers(one)), None) for one in wanted]
    return set() if None in covering else {index for index in covering if index is not None}
