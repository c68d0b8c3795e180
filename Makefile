# Two commands do everything: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCHMARKS := $(patsubst benchmarks/bench_%.py,bench-%,$(wildcard benchmarks/bench_*.py))

.PHONY: help demo test check format bench $(BENCHMARKS) clean

help:
	@echo "make demo        environment, sample help centre, four customers' messages answered"
	@echo "make test        environment and all tests"
	@echo "make check       ruff, mypy, import rules"
	@echo "make bench       every benchmark ($(BENCHMARKS))"

# The large wheels (PyTorch, Chroma) take minutes the first time; pip shows its progress.
$(READY): pyproject.toml constraints.txt
	@echo "Preparing $(VENV) (a few minutes the first time) …"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade --quiet pip
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[test]'
	@touch $(READY)

demo: $(READY)
	$(BIN)/python examples/demo.py

test: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/.bench-ready: $(READY)
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[test,bench]'
	@touch $@

bench: $(BENCHMARKS)

$(BENCHMARKS): bench-%: $(VENV)/.bench-ready
	$(BIN)/python -m benchmarks.bench_$*

clean:
	rm -rf $(VENV) .deskmate build dist
