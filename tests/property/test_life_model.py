"""Cameras, daemon, administrator and crashes at random, against a simple model of what each path may hold.

Files, ledger, pipeline, replacement, recovery, vault and restore are real; the model of record is a fake that answers
at once. The rule that everything is held against stands in `paths_hold_what_was_delivered`.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from benchmarks.torture.blink import Blink
from benchmarks.torture.drawing import drawn
from benchmarks.torture.driving import config_of
from benchmarks.torture.site import Site
from benchmarks.torture.stepping import STEPS, Listener, Nobody, Step, passed
from daemon.config.schema import Config
from daemon.house import opened
from daemon.releasing import release_due
from daemon.restoring import restorable, restore_all
from storage import renameat2
from storage.ledger.answers import Decision, Held, Wanted
from storage.ledger.opening import open_reader
from storage.ledger.schema import State
from storage.records import Place

PATHS = ("gate/a.jpg", "gate/b.jpg", "yard/c.jpg")
PICTURES = (*(drawn(seed) for seed in range(4)), drawn(4)[:-40])
"""The last one is truncated: it is kept as it is."""
MOMENTS = [(when, step) for step in STEPS for when in ("before", "after")]

paths = st.sampled_from(PATHS)
pictures = st.sampled_from(PICTURES)
moments = st.sampled_from(MOMENTS)


class Crash(BaseException):
    """The process is gone: nobody catches this."""


class Once(Nobody):
    """Does something, to the first picture that reaches a step."""

    def __init__(self, wanted: tuple[str, str], act: Callable[[str], None]):
        self._wanted = wanted
        self._act: Callable[[str], None] | None = act

    def before(self, step: Step) -> None:
        self._reached("before", step)

    def after(self, step: Step) -> None:
        self._reached("after", step)

    def _reached(self, when: str, step: Step) -> None:
        if (when, step.name) == self._wanted and self._act:
            act, self._act = self._act, None
            act(step.path)


class HalfASwap(Nobody):
    """Dies right after the exchange itself."""

    def before(self, step: Step) -> None:
        if step.name == "swap_in":
            root, swap, *_ = step.arguments
            with root.folder_of(swap.path) as place:
                renameat2.exchange(*place, root.staged, swap.mark.entry)
            raise Crash


class Life(RuleBasedStateMachine):
    """`delivered`: what was put at each path last. `alone`: the paths at which this must never be shrunk."""

    def __init__(self):
        super().__init__()
        self.site = Site(Path(tempfile.mkdtemp())).make()
        self.config = self._config()
        self.delivered: dict[str, bytes] = {}
        self.alone: set[str] = set()
        self.ever: set[bytes] = set(PICTURES)

    def _config(self, *stages: dict[str, object], again: bool = False) -> Config:
        selection = {"ladder": [90], "allow_second_generation": again} | ({"stage": list(stages)} if stages else {})
        return config_of(self.site, encoder={"progressive": False}, selection=selection)

    def teardown(self):
        self.held.close()
        shutil.rmtree(self.site.folder)

    @initialize()
    def start(self):
        self.held = ExitStack()
        self.house = self.held.enter_context(opened(self.config, Blink()))

    # The cameras.

    @rule(path=paths, picture=pictures)
    def write(self, path: str, picture: bytes):
        """A new picture, or another one in place."""
        file = self.file(path)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(picture)
        self._now(path, picture, alone=False)

    @rule(path=paths, picture=pictures)
    def rename_over(self, path: str, picture: bytes):
        file = self.file(path)
        file.parent.mkdir(exist_ok=True)
        fresh = file.with_name(".fresh")
        fresh.write_bytes(picture)
        fresh.replace(file)
        self._now(path, picture, alone=False)

    @precondition(lambda self: self.delivered)
    @rule(data=st.data())
    def append(self, data: st.DataObject):
        path = self._one(data)
        with self.file(path).open("ab") as file:
            file.write(b"tail")
        self._now(path, self.file(path).read_bytes(), alone=False)

    @precondition(lambda self: self.delivered)
    @rule(data=st.data())
    def delete(self, data: st.DataObject):
        self._delete(self._one(data))

    @precondition(lambda self: self.delivered)
    @rule(data=st.data(), to=paths)
    def rename(self, data: st.DataObject, to: str):
        path = self._one(data)
        if path != to:
            content, alone = self.file(path).read_bytes(), self._is_framekeeps(path)
            self.file(to).parent.mkdir(exist_ok=True)
            self.file(path).rename(self.file(to))
            del self.delivered[path]
            self.alone.discard(path)
            self._now(to, content, alone=alone)

    # The daemon, undisturbed, raced and killed.

    @rule()
    def sweep(self):
        passed(self.house, Nobody())

    @rule(stages=st.sampled_from([(), ({"from_days": 1e-7, "ladder": [10]},)]), again=st.booleans())
    def stages_come_or_go(self, stages: tuple[dict[str, object], ...], *, again: bool):
        """With one, each picture has reached it; `again`: where the original is gone, from what stands."""
        self.config = self._config(*stages, again=again)
        self.held.close()
        self.start()

    @rule(moment=st.none() | moments, half=st.booleans(), again=st.booleans())
    def pictures_grow_old(self, moment: tuple[str, str] | None, half: bool, again: bool):
        """What there is is shrunk, and reaches a later stage: undisturbed, or with a crash on the way.

        `again`: its originals have been released before, so it becomes a second generation.
        """
        self.stages_come_or_go((), again=again)
        passed(self.house, Nobody())
        if again:
            self.release(8)
        self.stages_come_or_go(({"from_days": 1e-7, "ladder": [10]},), again=again)
        if half:
            self.crash_in_the_middle_of_the_swap()
        elif moment:
            self.crash(moment)
        passed(self.house, Nobody())

    @rule(moment=moments, picture=pictures, how=st.sampled_from(["write", "rename_over", "delete"]))
    def sweep_while_a_camera_acts(self, moment: tuple[str, str], picture: bytes, how: str):
        acts = {"delete": self._delete}
        passed(self.house, Once(moment, acts.get(how, lambda path: getattr(self, how)(path, picture))))

    @rule(moment=moments)
    def crash(self, moment: tuple[str, str]):
        def die(_path: str):
            raise Crash

        self._sweep_to_death(Once(moment, die))

    @rule()
    def crash_in_the_middle_of_the_swap(self):
        self._sweep_to_death(HalfASwap())

    def _sweep_to_death(self, listener: Listener):
        try:
            passed(self.house, listener)
        except BaseExceptionGroup as group:
            if group.split(Crash)[1]:
                raise
        self.held.close()
        self.start()

    # The administrator.

    @rule(path=paths)
    def restore(self, path: str):
        entry = self.house.reader.entry_of(str(self.site.root), path)
        there = self.file(path).read_bytes() if path in self.delivered else None
        list(restore_all(self.config, restorable(self.config, Held(below=(Place(str(self.site.root), path),)))))
        if entry and (there is None or sha(there) == entry.sha256_after):
            original = self.file(path).read_bytes()
            assert sha(original) == entry.sha256_before
            self._now(path, original, alone=True)

    @rule(days=st.sampled_from([1, 8]))
    def release(self, days: int):
        now = datetime.now(UTC) + timedelta(days=days)
        self.house.ledger.submit(release_due, self.house.writer, self.house.vaults, now).result()

    @precondition(lambda self: self.delivered)
    @rule(data=st.data())
    def touch(self, data: st.DataObject):
        self.file(self._one(data)).touch()

    @precondition(lambda self: self.delivered)
    @rule(data=st.data(), to=paths)
    def copy(self, data: st.DataObject, to: str):
        path = self._one(data)
        if path != to:
            self.file(to).parent.mkdir(exist_ok=True)
            shutil.copyfile(self.file(path), self.file(to))
            self._now(to, self.file(to).read_bytes(), alone=self._is_framekeeps(path))

    # What must hold after each of these.

    @invariant()
    def paths_hold_what_was_delivered(self):
        """Or a smaller variant of it, which the ledger confirms and whose original the vault holds or has released."""
        decisions = self._decisions()
        assert self._pictures() == set(self.delivered)
        for path, due in self.delivered.items():
            there = self.file(path).read_bytes()
            if there != due and not self._is_of_a_later_stage(path, there, decisions):
                assert path not in self.alone, "framekeep's own writing, or a restored picture, was shrunk"
                assert len(there) < len(due)
                assert (path, sha(due).hex(), sha(there).hex()) in {
                    (decision.place.path, source, decision.sha256_after)
                    for decision in decisions
                    for source in self._sources(decision)
                }

    @invariant()
    def the_vault_holds_what_the_ledger_says(self):
        held = {decision.vault_entry: decision.sha256_before for decision in self._decisions() if decision.vault_entry}
        vault = self.site.own / "vault"
        assert {file.name: sha(file.read_bytes()).hex() for file in vault.iterdir() if not file.suffix} == held

    @invariant()
    def nothing_is_left_over_and_nothing_dropped(self):
        assert not list((self.site.own / "staged").iterdir())
        assert {file.read_bytes() for file in (self.site.own / "strangers").iterdir()} <= self.ever

    def _is_of_a_later_stage(self, path: str, there: bytes, decisions: list[Decision]) -> bool:
        """Where a copy lies on a path that had the very same variant, that path's own original is its source."""
        known = {sha(content).hex() for content in self.ever}
        return path in self.alone and any(
            decision.succeeds and decision.place.path == path and decision.sha256_before in known
            for decision in decisions
            if decision.sha256_after == sha(there).hex()
        )

    def _sources(self, decision: Decision) -> set[str | None]:
        """What it was made from and, where that is a variant, what that was made from."""
        sources = {decision.sha256_before}
        with open_reader(self.config.ledger.url) as reader:
            every = {one.number: one for one in reader.decisions(Wanted())}
        while decision.generation > 1 and decision.succeeds:
            decision = every[decision.succeeds]
            sources.add(decision.sha256_before)
        return sources

    def file(self, path: str) -> Path:
        return self.site.root / path

    def _one(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.delivered)))

    def _delete(self, path: str) -> None:
        self.file(path).unlink()
        del self.delivered[path]
        self.alone.discard(path)

    def _now(self, path: str, content: bytes, *, alone: bool) -> None:
        self.delivered[path] = content
        self.ever.add(content)
        (self.alone.add if alone else self.alone.discard)(path)

    def _is_framekeeps(self, path: str) -> bool:
        """Whether what stands there is its variant, or was restored: wherever it goes, it is left alone."""
        return path in self.alone or self.file(path).read_bytes() != self.delivered[path]

    def _pictures(self) -> set[str]:
        files = {str(file.relative_to(self.site.root)) for file in self.site.root.rglob("*") if file.is_file()}
        return {path for path in files if not path.startswith(".framekeep/")}

    def _decisions(self) -> list[Decision]:
        with open_reader(self.config.ledger.url) as reader:
            found = list(reader.decisions(Wanted()))
        return [decision for decision in found if decision.state is State.CONFIRMED and decision.rung]


def sha(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
