# `make` lists what there is. Everything runs in .venv, made from the pinned requirements.

VENV ?= .venv
PYTHON ?= python3
PORT ?= 8000
MBAAS_DATA_DIR ?= data
PYTEST_WORKERS ?= auto
export MBAAS_DATA_DIR

BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
CLIENTS := tests/clients
# A module's tests share its server, so they go to one worker.
PYTEST := $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadscope

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run install dev test test-all test-oracle bench lint format types check pin clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp ## Serve everything on PORT (8000), data under MBAAS_DATA_DIR (./data)
	@$(BIN)/python manage.py bootstrap
	@exec $(BIN)/python manage.py serve --port $(PORT)

install: $(VENV)/run.stamp ## Make .venv with what is needed to run
dev: $(VENV)/dev.stamp ## Add what tests, lint and type checks need

test: $(VENV)/dev.stamp ## The tests that need Python alone, on SQLite
	$(PYTEST) -m "not node and not oracle"

test-all: $(VENV)/dev.stamp $(CLIENTS)/node_modules/.stamp ## All tests, also on PostgreSQL and Redis, from Node, against the oracle
	$(BIN)/python -m tests.services postgres redis -- $(PYTEST)
	@echo "The control plane's own tests, with its tables on PostgreSQL too:"
	MBAAS_TEST_CONTROL=postgres $(BIN)/python -m tests.services postgres redis -- \
	  $(PYTEST) tests/control tests/admin_ui

test-oracle: $(VENV)/dev.stamp ## The same requests to a real PocketBase and to us
	$(BIN)/python -m pytest -m oracle tests/oracle

bench: $(VENV)/dev.stamp ## Gets, lists, creates per second beside PocketBase (15 min; docs/benchmarks.md)
	$(BIN)/python -m benchmarks.records

lint: $(VENV)/dev.stamp ## Style, likely mistakes, house rules, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## Put the code into the house's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/dev.stamp ## mypy, strict
	$(BIN)/mypy

check: lint types test ## What a change must pass before it is handed in

pin: $(VENV)/dev.stamp ## Write requirements*.txt anew from requirements*.in
	for name in requirements requirements-dev; do \
	  $(BIN)/pip-compile --quiet --upgrade --strip-extras --allow-unsafe --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file $$name.txt $$name.in; \
	done

clean: ## Remove the environment and all caches; data stays
	rm -rf $(VENV) $(CLIENTS)/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(MBAAS_DATA_DIR)/*' -prune -exec rm -rf {} +

# --- environments: installed anew only when the pinned requirements changed --------------------------
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "mbaas needs Python 3.11 or newer; say where: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "No virtual environment could be made (Debian: apt install python3-venv)." >&2; exit 1; }

$(VENV)/run.stamp: requirements.txt | $(VENV)/bin/python
	@echo "Installing what mbaas needs into $(VENV) …"
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "Installing what its tests need into $(VENV) …"
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

# Without Node the client tests say why they are skipped (with CI=true they fail).
$(CLIENTS)/node_modules/.stamp: $(CLIENTS)/package-lock.json
	@if command -v npm >/dev/null; then \
	  cd $(CLIENTS) && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.stamp; \
	else echo "Without npm the client tests are skipped." >&2; fi
