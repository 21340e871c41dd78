# One command each. `make` alone lists them. Nothing is installed outside this folder, except the browser that
# `make test` needs where the machine has none and the system's packages may be added.

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# The first Python on PATH that is new enough; `make run PYTHON=/path/to/python` chooses another.
PYTHON ?= $(firstword $(shell for each in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$each"; done))

PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet
RUNTIME := $(VENV)/.runtime-installed
TESTING := $(VENV)/.testing-installed

.PHONY: help run once test coverage faults bench picture lint types assets lock browser secrets clean
.DELETE_ON_ERROR:

help:
	@echo "make run     start everything, announce the example once, stay up until Ctrl-C"
	@echo "make once    the same, and end when all is settled and proven (exit status 1 if not)"
	@echo "make test    lint, types and every test; what touches a database on both kinds"
	@echo "make faults  the fault matrix at full size"
	@echo "make coverage  what the suite does not reach, by branch"
	@echo "make bench   the benchmarks; make picture: the README's picture"
	@echo "make lint    ruff, layers, unused requirements; make types: mypy"
	@echo "make assets  style sheet, fonts, translations; make lock: requirements from pyproject.toml"
	@echo "make secrets passwords and keys for docker-compose.yml"
	@echo "make clean   remove what these commands made, except your data in .omroeper"

run: $(RUNTIME) assets
	@exec $(BIN)/omroeper run $(ARGS)

once: $(RUNTIME) assets
	@exec $(BIN)/omroeper run --once $(ARGS)

test: $(TESTING) assets browser
	@exec $(BIN)/python -m tests.run $(ARGS)

coverage: $(TESTING) assets browser
	@exec $(BIN)/python -m tests.run coverage

faults: $(TESTING) assets
	@exec $(BIN)/python -m tests.run faults $(ARGS)

bench: $(TESTING) assets
	@exec $(BIN)/python -m benchmarks $(ARGS)

picture: $(TESTING) assets browser
	@exec $(BIN)/python docs/picture.py

lint: $(TESTING)
	@exec $(BIN)/python -m tests.run lint

types: $(TESTING)
	@exec $(BIN)/python -m tests.run types

assets: $(RUNTIME)
	@$(BIN)/python assets/build.py
	@$(BIN)/python -m dispatcher.locale.catalogues

browser: $(TESTING)
	@$(BIN)/python -m tests.support.browser

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Omroeper needs Python 3.11 or newer, and none was found. Install one, or name it: make run PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is not Python 3.11 or newer. Name another: make run PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Making the virtual environment …"
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

$(RUNTIME): requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Omroeper needs (once, about 60 MB) …"
	@$(PIP) --require-hashes -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(TESTING): requirements-test.txt $(RUNTIME)
	@echo "Installing what the tests need (once) …"
	@$(PIP) --require-hashes -r requirements-test.txt
	@touch $@

# uv resolves for every supported system and Python at once. Its own lock names registries, so it is not kept.
UV := $(shell command -v uv 2>/dev/null || echo $(BIN)/uv)
EXPORT := $(UV) export --quiet --frozen --no-emit-project --no-header --no-annotate --no-default-groups
lock: | $(BIN)/python
	@test -x "$(UV)" || $(PIP) uv
	@$(UV) lock --quiet $(if $(UPGRADE),--upgrade)
	@$(EXPORT) --group build --output-file requirements.txt
	@$(EXPORT) --group build --group test --output-file requirements-test.txt
	@$(EXPORT) --only-group assets --output-file assets/requirements-node.txt
	@! grep -n '://' requirements.txt requirements-test.txt assets/requirements-node.txt

# For docker-compose.yml. Containers read them as another user: the folder is closed, the files in it are not.
secrets:
	@test ! -e secrets || { echo "secrets/ is there already; nothing was changed." >&2; exit 1; }
	@mkdir -m 0700 secrets
	@new() { head -c 36 /dev/urandom | base64 | tr -d '/+=\n'; }; postgres=$$(new); redis=$$(new); cd secrets; \
	printf '%s' "$$postgres" > postgres_password; printf '%s' "$$redis" > redis_password; new > secret_key; \
	printf 'postgres://omroeper:%s@postgres:5432/omroeper' "$$postgres" > database_url; \
	printf 'redis://:%s@redis:6379/0' "$$redis" > redis_url; chmod 0444 -- *

clean:
	rm -rf $(VENV) assets/node_modules assets/.node dispatcher/assets/built .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache .coverage*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
