"""The record adds up."""

from pathlib import Path

import pytest

from benchmarks.torture.record import Run, append, runs
from benchmarks.torture.table import BEGIN, END, put_into, table


def test_runs_add_up_by_test(tmp_path: Path):
    record = tmp_path / "record.jsonl"
    facts = {"views": 10, "most_mib_late": 90}
    for run in (
        Run("races", 100, 0, 0, 0, 1, 2.5, facts),
        Run("inputs", 7, 0, 1, 0, 1, 1.0, {}),
        Run("races", 50, 0, 0, 0, 2, 2.5, {"views": 5, "most_mib_late": 80}),
    ):
        append(run, record)
    assert [run.count for run in runs(record)] == [100, 7, 50]
    races, inputs = table(runs(record)).splitlines()[2:]
    assert "| `races` | 2 | 150 | 0 | 0 | 0 | views 15, most mib late 90 |" in races
    assert "| `inputs` | 1 | 7 | 0 | 1 | 0 |  |" in inputs


def test_a_row_is_titled_as_its_script_describes_itself():
    assert "| Bad inputs: files that broke decoders" in table([Run("inputs", 1, 0, 0, 0, 1, 1.0, {})])
    assert "| no_such_test | `no_such_test` |" in table([Run("no_such_test", 1, 0, 0, 0, 1, 1.0, {})])


def test_the_table_stands_between_its_markers():
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert put_into(put_into(page, "new"), "newer") == f"before\n{BEGIN}\n\nnewer\n\n{END}\nafter\n"
    with pytest.raises(ValueError, match="has no lines"):
        put_into("a page without markers", "new")
