# rehearse: `make help` lists what there is. demo and test set up everything themselves.
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.ready
# compiling everything again in each of hundreds of processes costs a fifth of the test run
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check fix bench clients clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

demo: $(STAMP) ## the whole story on a practice org, in a minute
	$(VENV)/bin/rehearse demo

test: $(STAMP) ## the test suite
	$(VENV)/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-all: $(STAMP) ## the test suite and the long faults: every call killed or failing, 120 random rehearsals
	REHEARSE_TEST=all $(VENV)/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: $(STAMP) ## format, lint, types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

fix: $(STAMP) ## format, and mend what lint can mend
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(STAMP) ## timings, as ratios against a named reference of the same run
	$(VENV)/bin/python -m tests.bench

clients: $(STAMP) ## other people's clients (sf, cci, SFDMU, jsforce, ...) at work on a practice org; needs npm the first time
	$(VENV)/bin/python -m tests.clients

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
