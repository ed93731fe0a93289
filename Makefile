# make setup   .venv with onnxlrp and the development tools (again only when pyproject.toml changes)
# make run     open the designer on http://127.0.0.1:5006
# make test    format, lint, types, import contracts, spelling, tests
# make bench   time the engine against onnxruntime's plain forward, PyTorch, zennit and captum
# make clean   remove everything that make made

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := run
.PHONY: setup run test browser bench clean

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The first Python on the path that is new enough.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; \
	done; true)

setup: $(READY)

$(READY): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

# Debian splits the venv module from Python; root may install it, everyone else is told how.
$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "onnxlrp needs Python 3.11 or newer: install it, or name it: make PYTHON=/path/to/python"; \
		exit 1; \
	fi
	@if ! $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
		if [ -f /etc/debian_version ] && [ "$$(id -u)" = 0 ]; then \
			apt-get update -qq && apt-get install -y -qq python3-venv; \
		else \
			echo "$(PYTHON) has no venv module: install it (on Debian: apt-get install python3-venv)"; \
			exit 1; \
		fi; \
	fi
	$(PYTHON) -m venv $(VENV)

run: setup
	$(BIN)/onnxlrp serve

test: setup browser
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/pytest -q

# The browser tests drive an installed Chromium or Chrome; on Debian root may install it, everyone else
# is told how. Nothing is skipped.
browser: setup
	@if ! $(BIN)/python tests/ui/browser.py >/dev/null 2>&1 && [ -f /etc/debian_version ] && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && apt-get install -y -qq chromium >/dev/null; \
	fi
	@$(BIN)/python tests/ui/browser.py >/dev/null

# The peers live in an environment of their own, installed one by one: one that cannot be had is left
# out, the results say so, and the next run tries again. zennit asks for a later patch release of
# Python 3.11 than it needs.
BENCH_VENV := .bench-venv
BENCH_READY := $(BENCH_VENV)/.ready

$(BENCH_READY): benchmarks/peers-requirements.txt | $(BIN)/python
	$(BIN)/python -m venv $(BENCH_VENV)
	missed=0; grep -v '^#' $< | xargs -n 1 $(BENCH_VENV)/bin/python -m pip install --quiet || missed=1; \
	$(BENCH_VENV)/bin/python -m pip install --quiet --no-deps --ignore-requires-python \
		zennit==1.0.0 || missed=1; \
	if [ $$missed = 0 ]; then touch $@; fi

bench: setup $(BENCH_READY)
	@peers=; if $(BENCH_VENV)/bin/python -c 'import torch, onnx' 2>/dev/null; then \
		peers='--peers $(BENCH_VENV)/bin/python'; \
	else echo 'PyTorch could not be installed: its peers are left out.'; fi; \
	$(BIN)/python benchmarks/compare.py $$peers --write

clean:
	rm -rf $(VENV) $(BENCH_VENV) output dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find onnxlrp ui tests -name __pycache__ -type d -prune -exec rm -rf {} +
