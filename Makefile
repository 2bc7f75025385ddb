# What a newcomer types. Everything is installed into .venv from requirements/, nothing elsewhere.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TWO_WORKERS := -n 2 --dist loadfile --no-loadscope-reorder

# Compiled once: else each process of a test run compiles all modules and their assertions.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up test check days lint bench fmt lock spec clean

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

up: $(STAMP) ## Run the whole service here until Ctrl-C; PACK=dir shows a district of your own
	@exec $(BIN)/talent up $(if $(PACK),--pack "$(PACK)")

test: $(STAMP) ## Run the tests, but for the slow ones, on real servers started for the run
	$(BIN)/python -m pytest $(TWO_WORKERS) -q -m "not slow"

check: $(STAMP) ## Everything that must be green: all tests with coverage, the sampled days, lint
	$(BIN)/python -m pytest $(TWO_WORKERS) -q --cov --cov-report=term:skip-covered --cov-fail-under=95
	@$(MAKE) --no-print-directory days lint

days: $(STAMP) ## Run the tests that compute with days as on each of the sampled days
	$(BIN)/python -m tests.days

lint: $(STAMP) ## Linters, types, import rules, dependencies, migrations, documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/talent migrate --sql > $(VENV)/migrations.sql
	$(BIN)/squawk $(VENV)/migrations.sql
	$(BIN)/talent pack check config/packs/demo
	$(BIN)/talent pack schema --check
	$(BIN)/talent spec check

bench: $(STAMP) ## Measure what a request costs, on this machine
	$(BIN)/python -m tests.performance.bench

fmt: $(STAMP) ## Format, and correct what can be corrected
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

spec: $(STAMP) ## Record examples and rights, write api_specs/ and config/schema/ anew from the code
	RECORD=1 $(BIN)/python -m pytest -q tests/api/test_recorded.py tests/migrations/test_access.py
	$(BIN)/talent spec write
	$(BIN)/talent pack schema

lock: $(STAMP) ## Write requirements/ anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --no-header --universal --generate-hashes --python-version 3.11 \
		pyproject.toml --output-file requirements/runtime.txt
	$(BIN)/uv pip compile --quiet --no-header --universal --generate-hashes --python-version 3.11 \
		pyproject.toml --extra local --group dev --output-file requirements/dev.txt

clean: ## Forget what was installed and every local datum
	rm -rf $(VENV) var

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it with PYTHON=…"; exit 1; }
	@echo "Installing into $(VENV): this takes some minutes (正在安装，需要几分钟) …"
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)
