import time

from daemon.settle import SettleTracker
from storage.files import FileIdentity
from storage.records import Place

X = Place("incoming", "gate/x.jpg")
Y = Place("incoming", "gate/y.jpg")
QUIET = 0.25  # an eighth of the two seconds below


def identity(size: int, *, changed: int = 1, inode: int = 7) -> FileIdentity:
    return FileIdentity(size=size, mtime_ns=1_000_000_000, ctime_ns=changed, inode=inode)


def test_a_file_that_stays_as_it_is_settles_after_the_wait():
    tracker = SettleTracker(2)
    tracker.touch(X, 10.0)
    assert tracker.next_due() == 10 + QUIET
    assert tracker.due(10.2) == []
    assert tracker.due(10.25) == [X]
    assert not tracker.looked(X, identity(5), 10.3)
    assert tracker.next_due() == 12.3
    assert tracker.due(12.2) == []
    assert tracker.due(12.3) == [X]
    assert tracker.looked(X, identity(5), 12.4)
    assert len(tracker) == 0
    assert tracker.next_due() is None


def test_a_burst_of_events_costs_one_look():
    tracker = SettleTracker(2)
    for hundredths in range(100):
        tracker.touch(X, hundredths / 100)
        assert tracker.due(hundredths / 100) == []
    assert tracker.due(0.99 + QUIET) == [X]
    assert len(tracker) == 1


def test_an_upload_with_a_preserved_mtime_waits_until_it_stops_growing():
    tracker = SettleTracker(2)
    tracker.touch(X, 0)
    now = 0.0
    for size in range(1, 6):  # no further event tells of it
        now += 2.1
        assert tracker.due(now) == [X]
        assert not tracker.looked(X, identity(size, changed=size), now)
    assert tracker.due(now + 2) == [X]
    assert tracker.looked(X, identity(5, changed=5), now + 2)


def test_the_same_size_and_mtime_with_another_ctime_or_inode_is_another_state():
    tracker = SettleTracker(2)
    tracker.touch(X, 0)
    tracker.due(1)
    tracker.looked(X, identity(5, changed=1), 1)
    tracker.due(3)
    assert not tracker.looked(X, identity(5, changed=2), 3)
    tracker.due(5)
    assert not tracker.looked(X, identity(5, changed=2, inode=8), 5)
    tracker.due(7)
    assert tracker.looked(X, identity(5, changed=2, inode=8), 7)


def test_an_event_between_the_looks_starts_the_wait_again():
    tracker = SettleTracker(2)
    tracker.touch(X, 0)
    tracker.due(1)
    tracker.looked(X, identity(5), 1)
    tracker.touch(X, 2.9)
    assert tracker.due(3) == []
    assert tracker.due(2.9 + QUIET) == [X]
    assert not tracker.looked(X, identity(5), 3.2)
    assert tracker.due(5.1) == []
    assert tracker.due(5.2) == [X]
    assert tracker.looked(X, identity(5), 5.2)


def test_an_event_during_the_look_spoils_it():
    tracker = SettleTracker(2)
    tracker.touch(X, 0)
    tracker.due(1)
    tracker.looked(X, identity(5), 1)
    assert tracker.due(3) == [X]
    tracker.touch(X, 3.1)
    assert tracker.due(4) == []  # one look at a time
    assert not tracker.looked(X, identity(5), 4)
    assert tracker.due(4) == [X]


def test_a_vanished_file_is_forgotten_unless_an_event_came_since():
    tracker = SettleTracker(2)
    for place in (X, Y):
        tracker.touch(place, 0)
    assert sorted(tracker.due(1), key=str) == [X, Y]
    tracker.touch(Y, 1.1)
    assert not tracker.looked(X, None, 1.2)
    assert not tracker.looked(Y, None, 1.2)
    assert len(tracker) == 1
    assert tracker.due(2) == [Y]


def test_nothing_wakes_for_a_file_that_is_forgotten():
    tracker = SettleTracker(2)
    tracker.touch(X, 0)
    tracker.due(1)
    tracker.looked(X, identity(5), 1)
    tracker.touch(X, 1.5)
    assert tracker.due(1.75) == [X]
    assert tracker.next_due() is None
    tracker.looked(X, None, 1.75)
    assert tracker.next_due() is None
    assert tracker.due(3) == []


def test_events_and_looks_in_turn_leave_no_heap_behind():
    tracker = SettleTracker(2)
    for turn in range(1000):
        tracker.touch(X, turn)
        assert tracker.due(turn + 0.3) == [X]
        tracker.looked(X, identity(turn), turn + 0.35)
        assert tracker.due(turn + 0.6) == []
    assert len(tracker._agenda) < 5


def test_a_settled_file_comes_out_again_only_after_a_new_event():
    tracker = SettleTracker(0)
    tracker.touch(X, 0)
    assert tracker.due(0) == [X]
    assert not tracker.looked(X, identity(5), 0)
    assert tracker.due(0) == [X]
    assert tracker.looked(X, identity(5), 0)
    assert not tracker.looked(X, identity(5), 1)
    assert tracker.due(1) == []
    tracker.touch(X, 2)
    assert tracker.due(2) == [X]


def test_unasked_answers_are_not_heeded():
    tracker = SettleTracker(2)
    tracker.touch(X, 0)
    assert not tracker.looked(X, None, 0.1)
    assert not tracker.looked(Y, identity(5), 0.1)
    assert tracker.due(1) == [X]
    assert len(tracker) == 1


def test_a_hundred_thousand_files_wait_without_effort():
    tracker = SettleTracker(2)
    places = [Place("incoming", f"gate/{number}.jpg") for number in range(100_000)]
    began = time.perf_counter()
    for place in places:
        tracker.touch(place, 0)
        tracker.touch(place, 1)
    for now in (1.25, 3.25):
        due = tracker.due(now)
        assert len(due) == 100_000
        settled = sum(tracker.looked(place, identity(5), now) for place in due)
    assert settled == 100_000
    assert tracker.next_due() is None
    assert time.perf_counter() - began < 10  # about 0.5 s; a quadratic tracker takes minutes
