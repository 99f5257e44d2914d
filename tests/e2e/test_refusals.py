"""What cannot work ends at once, with the documented exit code and a sentence that says what to do."""


def test_every_fault_of_a_configuration_is_told_at_once(site):
    site.configure(watch={"settle_seconds": -1, "root": "incoming"}, selection={"keeper": "best"})
    refused = site.run("run")
    assert refused.returncode == 10
    assert all(
        fault in refused.stderr for fault in ("3 errors", "watch.settle_seconds", "watch.root", "selection.keeper")
    )
    assert "Traceback" not in refused.stderr


def test_a_root_that_is_not_there(site):
    site.root.rmdir()
    refused = site.run("run")
    assert (refused.returncode, refused.stdout) == (10, "")
    assert "does not exist; create it or correct the path" in refused.stderr


def test_weights_with_another_digest(site):
    weights = site.folder / "own.safetensors"
    weights.write_bytes(b"not what was agreed")
    site.configure(selection={"weights": "own.safetensors", "weights_sha256": "0" * 64})
    refused = site.run("run")
    assert refused.returncode == 12
    assert "not the ones that were asked for" in refused.stderr


def test_a_ledger_that_is_no_database(site):
    (site.folder / "var").mkdir()
    (site.folder / "var/ledger.sqlite").write_text("shopping list" * 100)
    refused = site.run("run")
    assert refused.returncode == 13
    assert "is not a SQLite database" in refused.stderr


def test_a_sweep_outside_every_root(site):
    refused = site.run("sweep", site.folder)
    assert refused.returncode == 2
    assert "lies outside every watched root" in refused.stderr
