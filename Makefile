# Needs Python 3.11 or later and make; everything else goes into .venv of this checkout.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
STAMP := .venv/.synnodtest-installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help demo example test lint docs docs-run clean

help:
	@echo "make demo    run the shipped specs with the shipped models on phantoms; ends with the report's path"
	@echo "make example write reports/example, the report of the demo that lies in the repository"
	@echo "make test    run the project's tests"
	@echo "make lint    ruff and mypy"
	@echo "make docs    build the documentation into build/site, offline"
	@echo "make docs-run follow tutorials and how-to pages word for word: every command that needs no data of yours (minutes)"
	@echo "make clean   remove caches and reports (the environment .venv stays)"

demo: $(STAMP)
	$(BIN)/synnodtest demo --limit 30

example: $(STAMP)
	$(BIN)/python benchmarks/report_example.py --limit 16

test: $(STAMP)
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest tests -n 2 --dist worksteal $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(STAMP)
	$(BIN)/python -m mkdocs build --strict
	@echo "build/site/index.html"

docs-run: $(STAMP)
	$(BIN)/python docs/build/run_pages.py docs/tutorials/*.md docs/how-to/*.md

clean:
	rm -rf .synnodtest .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find reports -mindepth 1 -maxdepth 1 ! -name example -exec rm -rf {} +
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# pyradiomics 3.0.1 has no wheels and needs numpy at build time, so it goes first and by itself. Only measuring features
# needs it; without a C compiler, or on Python 3.12 and later, where it cannot be built, everything else works.
$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or later found; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(PIP) numpy "setuptools<81" wheel
	-$(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 12))' && $(PIP) --no-build-isolation pyradiomics
	$(PIP) -e '.[diffusion,yolo,dicom,onnx,openvino,parquet,metrics,signature,studio,dev]'
	$(BIN)/python -m compileall -q synnodtest
	touch $@
