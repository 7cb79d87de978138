# Two commands do everything on a fresh machine, make demo and make test; both work again when the environment exists.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# one more than the cores these tests are meant for: some tests wait for a browser or for another process
WORKERS ?= 3

# make lowest: torch as elsewhere, because an older one is a download of gigabytes; with a network TORCH=2.6.0
LOWEST ?= .venv-lowest
# make lock, make sbom: programs that nothing else here needs
TOOLS ?= .venv-tools
TORCH ?= 2.13.0

# compiled modules are kept also where the environment says otherwise, as containers do: torch alone takes two seconds
# to compile, in every process anew
export PYTHONDONTWRITEBYTECODE =

.PHONY: demo test test-fast lint docs docs-tables scripts lowest dist lock sbom licences clean

demo: $(VENV)/.installed
	$(BIN)/plausible train gan

# every test and every doctest
test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

# without what is marked slow, while writing
test-fast: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not scheduled"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# the documentation as a site, in site/: python -m http.server -d site shows it with its search
docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# the numbers in README.md and docs/ as the results have them; CHECK=1 only compares
docs-tables: $(VENV)/.installed-dev
	$(BIN)/python -m docs.tables $(if $(CHECK),--check)

# every script of benchmarks/ and experiments/, every command of the docs and every notebook, on less, now and then: an hour
scripts: $(VENV)/.installed-dev
	$(BIN)/python .ci/scripts.py $(ONLY)
	$(if $(ONLY),,$(BIN)/python .ci/doc_commands.py)
	$(if $(ONLY),,$(BIN)/python -m pytest -m scheduled)

# the lowest versions that pyproject.toml allows, in an environment of their own, now and then
lowest: $(LOWEST)/.installed
	$(LOWEST)/bin/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not scheduled" -p no:cacheprovider

# sdist and wheel in build/dist, what they hold, and the wheel used in a clean environment; TESTS=tests runs all there
dist: $(VENV)/.installed-dev
	$(BIN)/python .ci/dist.py $(TESTS)

# every version and hash that development installs, for all systems, as the package index has them; torch, of which each
# machine wants another build, in a file of its own
lock: $(TOOLS)/.installed
	echo torch > $(TOOLS)/torch.txt
	$(LOCKED) --extra dev --excludes $(TOOLS)/torch.txt pyproject.toml -o requirements-dev.lock
	$(LOCKED) $(TOOLS)/torch.txt -o requirements-torch.lock

LOCKED = $(TOOLS)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --annotation-style line \
	--custom-compile-command "make lock" -c constraints.txt

# what is installed in .venv, with versions and licences, as a CycloneDX file: build/sbom.json
sbom: $(TOOLS)/.installed $(BIN)/python
	mkdir -p build
	$(TOOLS)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible -o build/sbom.json $(BIN)/python

# docs/licences.md anew, from what is installed in .venv
licences: $(VENV)/.installed-dev
	$(BIN)/python .ci/licences.py > docs/licences.md

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# without compiling: Python does that for the modules that are used, when they are first imported
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile -q -c constraints.txt -e .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --no-compile -q -c constraints.txt -e '.[dev]'
	touch $@ $(VENV)/.installed

$(LOWEST)/.installed: pyproject.toml .ci/lowest.py
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python .ci/lowest.py torch==$(TORCH) > $(LOWEST)/constraints.txt
	$(LOWEST)/bin/python -m pip install --disable-pip-version-check -q -c $(LOWEST)/constraints.txt -e '.[dev]'
	touch $@

$(TOOLS)/.installed:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --disable-pip-version-check -q uv cyclonedx-bom
	touch $@

clean:
	rm -rf $(VENV) $(LOWEST) $(TOOLS) build site src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
