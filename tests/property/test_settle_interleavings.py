"""Files change, with and without events, while a consumer looks at them early or late."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from daemon.settle import QUIET_PART, SettleTracker
from storage.files import FileIdentity
from storage.records import Place

SETTLE = 2.0
PLACES = [Place("incoming", name) for name in ("a.jpg", "b.jpg", "c.jpg")]
places = st.sampled_from(PLACES)
# Sixteenths of a second are exact in binary: the bounds below hold without a tolerance.
pauses = st.integers(0, 48).map(lambda sixteenths: sixteenths / 16)


@dataclass
class File:
    identity: FileIdentity
    changed: float


@dataclass
class Look:
    asked: float
    seen: FileIdentity | None = None
    at: float | None = None


@dataclass
class World:
    """Files that move through states which never come back, as ctime makes them."""

    now: float = 0.0
    states: int = 0
    files: dict[Place, File] = field(default_factory=dict)
    heard: dict[Place, float] = field(default_factory=dict)

    def change(self, place: Place) -> None:
        self.states += 1
        self.files[place] = File(FileIdentity(size=9, mtime_ns=0, ctime_ns=self.states, inode=1), self.now)

    def identity(self, place: Place) -> FileIdentity | None:
        return self.files[place].identity if place in self.files else None


class Interleavings(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.tracker = SettleTracker(SETTLE)
        self.looks: dict[Place, Look] = {}
        self.settled: set[Place] = set()

    @rule(pause=pauses)
    def wait(self, pause: float) -> None:
        self.world.now += pause

    @rule(place=places, event=st.booleans())
    def change(self, place: Place, *, event: bool) -> None:
        self.world.change(place)
        if event:
            self.hear(place)

    @rule(place=places)
    def hear(self, place: Place) -> None:
        self.world.heard[place] = self.world.now
        self.settled.discard(place)
        self.tracker.touch(place, self.world.now)

    @rule(place=places)
    def vanish(self, place: Place) -> None:
        self.world.files.pop(place, None)

    @rule()
    def ask(self) -> None:
        for place in self.tracker.due(self.world.now):
            assert place not in self.looks, "two looks at one file at a time"
            assert place not in self.settled, "a settled file came again without an event"
            self.looks[place] = Look(asked=self.world.now)

    @precondition(lambda self: self.looks)
    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(sorted(self.looks, key=str)))
        if self.looks[place].at is None:
            self.looks[place] = Look(self.looks[place].asked, self.world.identity(place), self.world.now)

    @precondition(lambda self: any(look.at is not None for look in self.looks.values()))
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        done = sorted((place for place, look in self.looks.items() if look.at is not None), key=str)
        place = data.draw(st.sampled_from(done))
        look = self.looks.pop(place)
        if self.tracker.looked(place, look.seen, self.world.now):
            self.check_settled(place, look)

    def check_settled(self, place: Place, look: Look) -> None:
        assert look.at is not None
        assert look.seen is not None
        assert self.world.heard[place] <= self.world.now - SETTLE
        current = self.world.files.get(place)
        if current is not None and current.identity == look.seen:
            assert current.changed <= look.at - SETTLE
        assert place not in self.settled
        self.settled.add(place)

    @invariant()
    def it_sleeps_while_nothing_waits_for_a_look(self) -> None:
        if len(self.tracker) == len(self.looks) and not self.heard_while_looking():
            assert self.tracker.next_due() is None
        if len(self.tracker) > len(self.looks):
            assert self.tracker.next_due() is not None

    def heard_while_looking(self) -> bool:
        return any(self.world.heard[place] >= look.asked for place, look in self.looks.items())


Interleavings.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestInterleavings = Interleavings.TestCase


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[float, Place, bool]]:
    """(pause before it, place, whether an event tells of it) of changes."""
    return draw(st.lists(st.tuples(pauses, places, st.booleans()), max_size=25))


@given(histories())
@settings(max_examples=150, deadline=None)
def test_a_file_that_stops_changing_settles_within_a_bound(history: list[tuple[float, Place, bool]]):
    world, tracker = World(), SettleTracker(SETTLE)
    settled: dict[Place, tuple[float, FileIdentity]] = {}

    def run_until(end: float) -> None:
        while (due := tracker.next_due()) is not None and due <= end:
            world.now = max(world.now, due)
            for place in tracker.due(world.now):
                identity = world.identity(place)
                if tracker.looked(place, identity, world.now):
                    assert identity is not None
                    settled[place] = (world.now, identity)
        world.now = end

    for pause, place, event in history:
        run_until(world.now + pause)
        world.change(place)
        if event:
            world.heard[place] = world.now
            tracker.touch(place, world.now)
    run_until(world.now + 3 * SETTLE)

    assert len(tracker) == 0
    assert tracker.next_due() is None
    assert settled.keys() == world.heard.keys()
    for place, (when, identity) in settled.items():
        last = max(world.heard[place], world.files[place].changed)
        if identity == world.files[place].identity:
            assert when <= last + 2 * SETTLE + QUIET_PART * SETTLE
            assert when >= world.heard[place] + SETTLE
        else:  # it changed after it was settled, and no event told of that
            assert world.files[place].changed >= when


@given(st.integers(1, 60), st.integers(1, 64))
@settings(max_examples=60, deadline=None)
def test_a_file_that_changes_for_ever_neither_settles_nor_floods(changes: int, sixteenths: int):
    world, tracker, looks, step = World(), SettleTracker(SETTLE), 0, sixteenths / 16 / 4
    for _ in range(changes):
        world.change(PLACES[0])
        tracker.touch(PLACES[0], world.now)
        world.now += step
        for place in tracker.due(world.now):
            looks += 1
            assert not tracker.looked(place, world.identity(place), world.now)
    assert looks <= world.now / (SETTLE * QUIET_PART)
