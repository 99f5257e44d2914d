"""What an opening of models leaves to the garbage collector."""

import gc

from daemon.models import _no_garbage


def test_what_an_opened_model_made_counts_as_old():
    """Else the first pictures would wait until all of it has been looked through, twice."""
    with _no_garbage():
        assert not gc.isenabled()
        made = [[number] for number in range(50_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    young = {id(one) for generation in (0, 1) for one in gc.get_objects(generation)}
    old = {id(one) for one in gc.get_objects(2)}
    assert not any(id(one) in young for one in made)
    assert all(id(one) in old for one in made)


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with _no_garbage():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
