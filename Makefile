# What a developer runs; CONTRIBUTING.md has the same commands without make. `make demo` and `make test` need
# Python 3.11 or newer, git and make only.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DOCS := .venv/.docs

.PHONY: setup demo check test test-slow bench fuzz results docs wheel wheel-demo

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --progress-bar on --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

$(DOCS): $(READY)
	$(BIN)/python -m pip install --quiet --progress-bar on --constraint constraints.txt --editable '.[dev,docs]'
	touch $(DOCS)

demo: $(READY)
	$(BIN)/aplt demo

check: $(READY)
	$(BIN)/ruff format --check src tests bench tools examples
	$(BIN)/ruff check src tests bench tools examples
	$(BIN)/mypy
	$(BIN)/lint-imports

# Many processes import the same modules: where no bytecode is written each compiles all of them.
test: export PYTHONDONTWRITEBYTECODE =
test: $(READY)
	$(BIN)/pytest --numprocesses auto

test-slow: $(READY)
	$(BIN)/pytest -m slow -o faulthandler_timeout=1800

bench: $(READY)
	$(BIN)/python bench/kmeans.py
	$(BIN)/python bench/loading.py

# Damaged files of every kind that is read, and work that is killed and goes on: half an hour.
fuzz: $(READY)
	$(BIN)/python -m bench.fuzz
	$(BIN)/python -m bench.kills

# The tables of all published studies, from results/*/compare.csv to docs/results/, which git does not hold.
results: $(READY)
	$(BIN)/python tools/make_results.py

# The site, in site/.
docs: $(DOCS) results
	$(BIN)/mkdocs build --strict

# The wheel in an environment of its own: `aplt --version`; wheel-demo tries `aplt demo` there.
wheel:
	$(PYTHON) tools/try_wheel.py

wheel-demo:
	$(PYTHON) tools/try_wheel.py --demo
