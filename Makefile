# Two commands do everything: `make demo` and `make test`.

# python3.11 first: constraints.txt is made with it.
PYTHON ?= $(shell for python in python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && exit; done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCHMARKS := $(patsubst benchmarks/bench_%.py,bench-%,$(wildcard benchmarks/bench_*.py))

.PHONY: help demo train picture test check format constraints bench $(BENCHMARKS) clean

help:
	@echo "make demo         environment, sample help centre, four customers' messages answered"
	@echo "make test         environment and all tests"
	@echo "make check        ruff, mypy, import rules"
	@echo "make format       ruff mends what it can"
	@echo "make bench        every benchmark; one by one: $(BENCHMARKS)"
	@echo "make train        the weights that tell what matters on a screenshot, anew"
	@echo "make picture      the README's picture of an answer"
	@echo "make constraints  constraints.txt anew, after a change of dependencies"
	@echo "make clean        removes the environment and the demo's data"

# The large wheels (PyTorch, Chroma) take minutes the first time; pip shows its progress.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Deskmate needs Python 3.11 or newer, and $(PYTHON) is not. Name one:"; \
		echo "  make $(or $(MAKECMDGOALS),demo) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(PYTHON) lacks venv. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Preparing $(VENV) with $(PYTHON): a few minutes the first time …"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade --quiet pip
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.[test]'
	@touch $(READY)

demo: $(READY)
	$(BIN)/python examples/demo.py

train: $(VENV)/.bench-ready
	$(BIN)/python -m benchmarks.train_screens

picture: $(READY)
	$(BIN)/python examples/picture.py docs/pictures/answer.svg

# Tests mostly wait, for servers and timers: three processes keep two cores busy.
test: $(READY)
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile

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

# From a new environment, so that what no dependency asks for any more is left out. What is pinned
# stays where it is; to move a package, take its line out first.
constraints:
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --upgrade --quiet pip
	build/constraints/bin/python -m pip install --constraint constraints.txt '.[test,bench]'
	build/constraints/bin/python -m pip freeze --exclude deskmate | sed 's/+cpu//' \
		> build/constraints.txt
	mv build/constraints.txt constraints.txt

clean:
	rm -rf $(VENV) .deskmate/demo build dist
