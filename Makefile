# The two commands are `make demo` and `make test`; both install what they need into .venv. Linux and macOS.
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
DEMO ?=
BENCH ?=
TESTS ?=
WORKERS ?= 2
SEEDS ?= 1000
FROM ?= 0
PLANTED ?=
DISK ?=
JUDGE ?=
ROUNDS ?= 10

# The first Python that is new enough, or none; `make install PYTHON=/path/to/python3.12` takes another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

.PHONY: install tools demo test check simulate explore chaos judge wire bench bench-oracle clean

install: $(VENV)/.installed

# What running needs, nothing else.
$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "adsindex needs Python 3.11 or later, and found none. Install one, or name it:" \
		"make install PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old: adsindex needs" \
		"Python 3.11 or later" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) can't make virtual environments." \
		"On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) .
	@sync # else the first edits of the demo wait for the disk to take what pip has written
	@touch $@

# And what developing needs.
tools: $(VENV)/.tools

$(VENV)/.tools: $(VENV)/.installed
	$(INSTALL) '.[dev,files,hbase,rpc]'
	@touch $@

demo: install
	$(BIN)/adsindex demo $(DEMO)

# Hundreds of processes of ours start in them: each would compile all that it imports where no bytecode may be written.
test: tools
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

check: tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -n 0 tests/tidy

# Seeds FROM, FROM+1, ...: clients and oracles over the in-memory twin of HBase, under faults. One seed: with its trace.
simulate: tools
	$(BIN)/python -m tests.simulation.simulate --seeds $(SEEDS) --from $(FROM) $(if $(PLANTED),--planted $(PLANTED)) \
		$(if $(DOCUMENTS),--documents)

# Random tests with examples that nobody has seen yet, until one fails.
RANDOM_TESTS = $(shell grep -rl 'from hypothesis' tests --include='test_*.py')
explore: tools
	@for round in $$(seq $(ROUNDS)); do \
	    ADSINDEX_EXPLORE=1 $(BIN)/python -m pytest -q -n 2 $(RANDOM_TESTS) || exit 1; done

# A running book shop under kills, schema changes and pauses, by seeds; DISK=1: on a disk that fails, too (strace).
chaos: tools
	$(BIN)/python -m tests.chaos --seeds $(SEEDS) --from $(FROM) $(if $(DISK),--disk)

# 20,000 transactions of list-append on an HBase of its own, while leading oracles are killed; and the judge of them.
judge: tools
	$(BIN)/python -m tests.judge.run $(JUDGE)

# The Python modules of proto/wire, from its .proto files.
wire: tools
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. proto/wire/*.proto

# Job J4, here and in Pathway and Flink, each of which gets an environment of its own under .bench when it is first run.
bench: install
	$(BIN)/python -m tests.benchmarks.peers.compare $(BENCH)

# The oracle as a process, beside Omid's; on an HBase of its own, in .bench/oracle.
bench-oracle: tools
	$(BIN)/python -m tests.benchmarks.oracle_service $(BENCH)

clean:
	rm -rf $(VENV) .bench build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
