# Two targets are for everybody: `make up` runs Hubyard, `make test` tests it.
# Each says what it does, and prints how long it took.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help up test env lint wheel generated golden attack chaos-up bench-serving clean

PYTHON ?= python3
BIN := .venv/bin
STAMPS := .venv/stamps
ARGS ?=
# Bytecode is what makes the second start quick, whatever the caller's environment says.
unexport PYTHONDONTWRITEBYTECODE
# Where the machine has no Node, the one that pip installs serves.
export PATH := $(CURDIR)/$(BIN):$(PATH):$(CURDIR)/.venv/node

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

up: env ## install what is missing and start Hubyard (options: make up ARGS="--port 9000")
	@$(BIN)/hubyard up --skeleton examples $(ARGS)

test: env ## run every test
	@command -v chromium >/dev/null || { echo "The browser tests need Debian's chromium: apt-get install chromium"; exit 1; }
	@scripts/timed "tests" $(BIN)/python -m pytest $(ARGS)

env: $(STAMPS)/python $(STAMPS)/proxy $(STAMPS)/lab ## make the environment in .venv

$(STAMPS)/venv:
	@scripts/timed "a Python environment in .venv" scripts/make-venv $(PYTHON)
	@touch $@

$(STAMPS)/python: $(STAMPS)/venv pyproject.toml
	@scripts/timed "Hubyard and what it needs" scripts/install-python
	@touch $@

$(STAMPS)/proxy: $(STAMPS)/python hub_config/proxy/package.json hub_config/proxy/yarn.lock
	@scripts/timed "the proxy" scripts/install-front hub_config/proxy
	@touch $@

$(STAMPS)/lab: $(STAMPS)/python lab_extension/package.json lab_extension/yarn.lock $(shell find lab_extension/src lab_extension/style lab_extension/schema -type f 2>/dev/null)
	@scripts/timed "the JupyterLab extension" scripts/build-lab
	@touch $@

lint: env ## formats, lints, types and room rules
	@scripts/timed "lints" scripts/lint

generated: env ## generated files are what their source says
	@scripts/timed "generated files" scripts/check-generated

wheel: env ## build the wheel, front end inside
	@scripts/timed "the wheel" scripts/build-wheel

golden: env ## walk the golden path in a real browser, timed
	@$(BIN)/python tests/browser/golden.py

attack: env ## ask every route as nobody and as another user
	@$(BIN)/python tests/security/attack.py

chaos-up: env ## kill each process under load; nothing may be lost
	@$(BIN)/python tests/chaos/up.py

bench-serving: env ## an endpoint beside `mlflow models serve`
	@$(BIN)/python tests/bench/serving.py

clean: ## remove what was built
	@rm -rf .venv dist build lab_extension/{lib,labextension,node_modules,tsconfig.tsbuildinfo} hub_config/proxy/node_modules
