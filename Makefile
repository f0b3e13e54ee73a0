# make run      environment, a first result within a minute, then the main job
# make test     all tests but the long ones, which try schedules, clusters and faults for real; under ten minutes
# make check    what CI runs: format, lint, import contracts, all tests, smoke run
# make viz      the lineage in a browser, on localhost
# make app      try, look and decide in a browser, on localhost
# make schedule runs at the times that conf/<env>/schedules.yml says, with a page on localhost
#
# PYTHON=python3.12 chooses the interpreter, PIP_ARGS is passed to pip, e.g. to take torch from an index of CPU builds.

PYTHON ?= python3
PIP_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin

export DO_NOT_TRACK := 1
export TOKENIZERS_PARALLELISM := false
export YOLO_OFFLINE := 1

.PHONY: run test check viz app schedule environment environment-app environment-scheduler environment-dev

run: environment
	@echo "== smoke: the whole graph in miniature"
	$(BIN)/kedro run --env smoke
	@echo "== the main job"
	$(BIN)/kedro run

test: environment-dev
	$(BIN)/python -m pytest --numprocesses 2 -m "not long"

check: environment-dev
	PATH="$(abspath $(BIN)):$$PATH" scripts/check

viz: environment
	$(BIN)/kedro viz run --host 127.0.0.1

app: environment-app
	$(BIN)/kedro app

schedule: environment-scheduler
	$(BIN)/kedro schedules start

environment: $(VENV)/.installed
environment-app: $(VENV)/.installed-app
environment-scheduler: $(VENV)/.installed-scheduler
environment-dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
		{ echo "Python 3.11 to 3.13 is needed; found $$($(PYTHON) --version). Choose one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check $(PIP_ARGS) -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-app: requirements-app.txt $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check --quiet $(PIP_ARGS) -r requirements-app.txt
	@touch $@

$(VENV)/.installed-scheduler: requirements-scheduler.txt $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check --quiet $(PIP_ARGS) -r requirements-scheduler.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-app.txt requirements-ray.txt requirements-scheduler.txt $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check --quiet $(PIP_ARGS) -r requirements-dev.txt
	@touch $@
