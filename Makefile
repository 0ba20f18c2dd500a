# `make run` starts taskgate, `make test` runs all its tests; each sets up what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

PROJECTS := pyproject.toml clients/python/pyproject.toml

# Acceptance tests that must pass also while transactions of servers and workers fail.
UNDER_FAULTS := $(addprefix tests/acceptance/test_,abort.py celery_programs.py context.py messages.py retry.py values.py)

# Stamps: a second call does nothing until one of the pyproject.toml changes.
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev

# What protos/ imports, and what details of errors are: buf must find it without a network, so it is
# the copy that pip installed.
GOOGLEAPIS := $(addprefix .tools/googleapis/google/rpc/,status.proto error_details.proto)

.PHONY: help setup setup-dev servers run test conformance celery-suite coverage check format generate verify bench bench-quick dist lock sbom packages faults soak clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(RUNTIME)  ## Make .venv with what taskgate needs to run

setup-dev: $(DEV)  ## Make .venv with the tools of the developers too

servers:  ## Install what the tests talk to: PostgreSQL, Redis, RabbitMQ, grpcurl
	@scripts/install-servers

run: setup  ## Start server and worker
	@$(BIN)/taskgate up

# Tests mostly wait for processes of theirs, so more of them run at once than there are cores.
test: setup-dev servers  ## Run all tests; PYTEST="-k abort -x" chooses
	$(BIN)/pytest --numprocesses=4 --dist=loadfile $(PYTEST)

faults: setup-dev servers  ## Break everything on purpose; the acceptance tests on the other brokers
	$(BIN)/pytest -m "" tests/faults $(PYTEST)
	$(BIN)/pytest -m long tests/acceptance $(PYTEST)
	TASKGATE_FAULTY_COMMITS=0.05:7 $(BIN)/pytest $(UNDER_FAULTS) $(PYTEST)

soak: setup-dev servers  ## An hour of mixed load, kills and restarts; MINUTES=10
	SOAK_MINUTES=$(or $(MINUTES),60) $(BIN)/pytest -m "" tests/faults/test_soak.py $(PYTEST)

conformance: setup-dev servers  ## Run the same scenarios with the clients of all languages
	$(BIN)/pytest tests/conformance

celery-suite: setup-dev servers  ## Run Celery's own integration tests here and on stock Celery
	PYTHONPATH=tests $(BIN)/python -m celery_suite $(SUITE)

COVERED := tests/unit tests/integration

coverage: setup-dev servers  ## Branches that tests reach, in servers and workers too; COVERED="tests/unit" chooses
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses=4 --dist=loadfile $(COVERED) $(PYTEST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --sort=cover

check: setup-dev $(GOOGLEAPIS)  ## Everything that judges the code without running it
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
	@scripts/breaking
	@scripts/check-model

format: setup-dev $(GOOGLEAPIS)  ## Put code and protos into shape
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format
	$(BIN)/buf format --write

generate: setup-dev $(GOOGLEAPIS)  ## Make the stubs from protos/
	@scripts/generate

verify: setup-dev $(GOOGLEAPIS)  ## Fail where the committed stubs are not what protos/ says
	@scripts/generate --check

dist: | $(BIN)/python  ## Build the wheels of server, worker and client into dist/
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist clients/python .

lock: setup-dev  ## Choose anew what the image installs: deploy/requirements.txt; LOCK="--upgrade"
	@scripts/lock $(LOCK)

sbom: setup-dev  ## Write what the image contains to dist/taskgate.cdx.json (CycloneDX)
	@mkdir -p dist
	@PYTHONWARNINGS=ignore::UserWarning $(BIN)/uvx --quiet --from 'cyclonedx-bom>=7.2,<8' cyclonedx-py requirements --output-reproducible \
		--pyproject pyproject.toml --output-file dist/taskgate.cdx.json deploy/requirements.txt

packages: setup-dev  ## Build all that is published, and have each registry's tool look at it
	@scripts/check-packages

clean:  ## Remove what make made; data under .taskgate/ stays
	rm -rf $(VENV) .venv-bench .tools .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist

$(BIN)/python:
	@scripts/make-venv $(PYTHON) $(VENV)

$(RUNTIME): $(PROJECTS) | $(BIN)/python
	@echo "Installing taskgate into $(VENV) ..."
	@$(PIP_INSTALL) --editable clients/python --editable '.[web]'
	@touch $@

$(DEV): $(PROJECTS) | $(BIN)/python
	@echo "Installing taskgate and its developers' tools into $(VENV) ..."
	@$(PIP_INSTALL) --editable clients/python --editable '.[dev]'
	@touch $@ $(RUNTIME)

$(GOOGLEAPIS): $(DEV)
	@mkdir -p $(@D)
	@cp "$$($(BIN)/python -c 'from google.rpc import __path__ as folders; print(*folders)')/$(@F)" $@

# What taskgate is compared with, with the same Celery.
BENCH := PYTHONPATH=tests:benchmarks $(BIN)/python -m bench
PEERS := .venv-bench/.installed

bench: setup-dev servers $(PEERS)  ## Compare with others, into docs/benchmarks.md; ROWS="submit get" MINUTES=15
	@$(BENCH) --rows "$(ROWS)" $(if $(MINUTES),--minutes $(MINUTES)) $(BENCH_OPTIONS)

bench-quick: setup-dev servers $(PEERS)  ## The same in three minutes, on the screen only
	@$(BENCH) --quick --rows "$(ROWS)" $(BENCH_OPTIONS)

$(PEERS): benchmarks/requirements.txt $(DEV)
	@echo "Installing what taskgate is compared with into .venv-bench ..."
	@[ -x .venv-bench/bin/python ] || scripts/make-venv $(PYTHON) .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check \
		--requirement benchmarks/requirements.txt \
		"celery==$$($(BIN)/python -c 'import celery; print(celery.__version__)')"
	@command -v h2load >/dev/null || scripts/apt-install nghttp2-client
	@touch $@
