# Every target sets up what it needs; a second call starts at once.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
STAMP  := $(VENV)/.installed

.PHONY: help setup torch demo test lint typecheck bench chaos docs clean

help:            ## show this list
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/:/' | column -t -s ':'

$(STAMP): pyproject.toml
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo "cannot make a virtual environment: install python3-venv (Debian: apt-get install python3-venv)"; exit 1; }
	@echo "installing the dependencies into $(VENV) (once)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

setup: $(STAMP)  ## make the virtual environment

torch: $(STAMP)  ## add PyTorch, which some tests and benchmarks need
	$(PY) -m pip install --quiet --disable-pip-version-check torch==2.13.0

demo: $(STAMP)   ## train Q-learning on Grid through the three services, render an episode, write a GIF
	$(PY) -m examples.demo

test: $(STAMP)   ## run the tests: those of one process side by side, then those that start services and clusters
	$(PY) -m pytest -n auto --dist loadfile tests/unit tests/property tests/types tests/docs tests/wire
	$(PY) -m pytest tests/security tests/process tests/cli tests/ops tests/compose

lint: $(STAMP)   ## ruff
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

typecheck: $(STAMP)  ## mypy, strict
	$(PY) -m mypy

bench: $(STAMP)  ## the benchmarks (alone on the machine, please)
	$(PY) -m benchmarks.train --json bench-train.json
	$(PY) -m benchmarks.overhead --json bench-overhead.json
	$(PY) -m benchmarks.replay --json bench-replay.json
	$(PY) -m benchmarks.learning --json bench-learning.json --plot bench-learning.png
	$(PY) -m benchmarks.cluster --json bench-cluster.json  # needs a Docker engine

chaos: $(STAMP)  ## the long fault runs
	$(PY) -m pytest -m chaos

docs: $(STAMP)   ## write what is generated anew: pages, dashboard, manifests
	$(PY) -m docs.generate
	$(PY) -m ops.dashboard
	$(PY) -m ops.generate

clean:           ## remove what the targets made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis out
