"""The mutants are kept true; `make mutants` shows that a test fails for each."""

import pytest

from benchmarks.torture.mutants import EQUIVALENT, NAMED, REPOSITORY, Mutant, copied, is_killed, mutants, sources


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.name)
def test_the_safeguard_is_where_it_was(mutant: Mutant):
    source = (REPOSITORY / mutant.file).read_text()
    assert mutant.applied(source) != source


def test_every_fsync_is_one():
    calls = sum(path.read_text().count("os.fsync(") for path in sources())
    assert len(mutants()) == len(NAMED) + calls - len(EQUIVALENT)


def test_a_mutant_is_killed(tmp_path):
    assert is_killed(copied(tmp_path), NAMED[0])
