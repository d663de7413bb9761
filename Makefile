# Two targets are for everybody: `make up` runs Hubyard, `make test` tests it.
# Each says what it does, and prints how long it took.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help up test coverage test-needs env lint wheel generated lock properties golden attack attack-short attack-budget attack-offboard chaos-up chaos-ledger chaos-schedules chaos-runs chaos-stuck fuzz-tagged peers bench-serving bench-money bench-runs bench-lists bench-schedules models-zoo clean

PYTHON ?= python3
BIN := .venv/bin
STAMPS := .venv/stamps
LAB_SOURCES := $(addprefix lab_extension/,package.json yarn.lock tsconfig.json install.json) \
	$(shell find lab_extension/src lab_extension/style lab_extension/schema -type f)
ARGS ?=
# Tests wait as well as compute: this many files at once (0: one after the other), in
# order of their folders, in which the long ones come first.
JOBS ?= 3
# Bytecode is what makes the second start quick, whatever the caller's environment says.
unexport PYTHONDONTWRITEBYTECODE
# A Node lies in .venv/node only where the machine has none that serves.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/.venv/node:$(PATH)

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

up: env ## install what is missing and start Hubyard (options: make up ARGS="--port 9000")
	@$(BIN)/hubyard up --skeleton examples $(ARGS)

test: test-needs ## run every test (options: make test ARGS="tests/unit")
	@echo "==> tests"
	@$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder --cov --cov-report= $(ARGS)

coverage: env ## how much of each room the tests have run; below the bar it fails
	@$(BIN)/python scripts/coverage.py

test-needs: env ## install what only the tests need: a browser, a PostgreSQL server
	@scripts/install-test-needs

env: $(STAMPS)/python ## make the environment in .venv
	@$(MAKE) --silent --jobs=3 $(STAMPS)/bytecode $(STAMPS)/proxy $(STAMPS)/lab

$(STAMPS)/venv:
	@scripts/timed "1/5 a Python environment in .venv" scripts/make-venv $(PYTHON)
	@touch $@

$(STAMPS)/python: pyproject.toml requirements.lock | $(STAMPS)/venv
	@scripts/timed "2/5 Hubyard and the Python packages it needs" scripts/install-python
	@touch $@

$(STAMPS)/bytecode: $(STAMPS)/python
	@scripts/timed "3/5 their bytecode, for quick starts" scripts/compile-python
	@touch $@

$(STAMPS)/proxy: hub_config/proxy/package.json hub_config/proxy/yarn.lock | $(STAMPS)/python
	@scripts/timed "4/5 the proxy" scripts/install-front hub_config/proxy
	@touch $@

$(STAMPS)/lab: $(LAB_SOURCES) | $(STAMPS)/python
	@scripts/timed "5/5 the JupyterLab extension" scripts/build-lab
	@touch $@

lint: env ## formats, lints, types and room rules
	@scripts/timed "lints" scripts/lint

generated: env ## generated files are what their source says
	@scripts/timed "generated files" scripts/check-generated

wheel: env ## build the wheel, front end inside
	@scripts/timed "the wheel" scripts/build-wheel

lock: $(STAMPS)/venv ## pin what pyproject.toml newly asks for, so that each Python from 3.11 can have it
	@scripts/timed "requirements.lock" scripts/lock-python

properties: env ## look for what breaks a property: other examples each time, and many
	@$(BIN)/python -m pytest --numprocesses=$(JOBS) --hypothesis-profile=deep -m hypothesis $(ARGS)

golden: test-needs ## walk the golden path in a real browser, timed
	@$(BIN)/python tests/browser/golden.py $(ARGS)

attack: env ## ask every route as nobody and as another user
	@$(BIN)/python tests/security/attack.py

attack-short: env ## the same by each route's own methods, as nobody and with a token
	@$(BIN)/python tests/security/attack.py --short

attack-budget: test-needs ## start more at once than a budget covers, and forge every wish
	@$(BIN)/python tests/security/budget.py

attack-offboard: env ## offboard 20 people in the middle of all that they do
	@$(BIN)/python tests/security/offboard.py $(ARGS)

chaos-up: env ## kill each process under load; nothing may be lost
	@$(BIN)/python tests/chaos/up.py

chaos-ledger: env ## kill workloads and all that bills them; every second is paid for once
	@$(BIN)/python tests/chaos/ledger.py $(ARGS)

chaos-schedules: test-needs ## kill all that fires schedules; each due time has its run
	@$(BIN)/python tests/chaos/schedules.py $(ARGS)

chaos-stuck: test-needs ## let databases, MLflow, the platform and the disk hang; the hub stays quick
	@$(BIN)/python tests/chaos/stuck.py $(ARGS)

chaos-runs: env ## twelve ways in which a run goes wrong; each is told as it was
	@$(BIN)/python tests/chaos/runs.py $(ARGS)

fuzz-tagged: env ## tagged notebooks made by chance, from top to bottom and as steps
	@$(BIN)/python tests/fuzz/tagged.py $(ARGS)

peers: env ## notebooks of the shapes of papermill's own tests, through the runner
	@$(BIN)/python tests/peers/notebooks.py $(ARGS)

bench-serving: env ## an endpoint beside `mlflow models serve`
	@$(BIN)/python tests/bench/serving.py

bench-money: env ## the home page and the spend, beside the stock home page
	@$(BIN)/python tests/bench/money.py $(ARGS)

bench-runs: env ## small notebooks, beside papermill
	@$(BIN)/python tests/bench/runs.py $(ARGS)

bench-lists: env ## the list of a hundred large runs, beside a hundred small ones
	@$(BIN)/python tests/bench/lists.py $(ARGS)

bench-schedules: env ## a thousand schedules due at once: their runs, their owners' turns and the hub
	@$(BIN)/python tests/bench/schedules.py $(ARGS)

models-zoo: env ## many kinds of models, trained, registered, deployed and asked
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraints requirements.lock 'catboost>=1.2,<2' 'lightgbm>=4.6,<5' 'xgboost>=3.2,<4'
	@$(BIN)/python tests/zoo/visit.py $(ARGS)

clean: ## remove what was built
	@rm -rf .venv dist build lab_extension/{lib,labextension,node_modules,tsconfig.tsbuildinfo} hub_config/proxy/node_modules
