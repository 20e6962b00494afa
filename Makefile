# Needs make, Python 3.11 or newer, and network or a filled cache. `make help` lists the targets; docs/toolchain.md
# says what is set up where.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo preview destroy check quick fuzz mutants test versions lint audit sbom licences bench setup engine states clean

# Many containers set it. Without a cache of bytecode each of the hundreds of Pythons that tests start compiles all that
# it loads, and each process of pytest rewrites every test.
unexport PYTHONDONTWRITEBYTECODE

# The first Python that is new enough; `make PYTHON=...` names another one.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && exit; \
	done; echo python3)
BOOTSTRAP := $(PYTHON) toolchain/bootstrap.py
BIN := .venv/bin
# What needs no engine. A test file stays on one core: its tests may share what was made for the first of them.
QUICK := tests/unit tests/plugin tests/components -n auto --dist loadfile
# Of the packages, by the written examples of the quick tests (tests/conftest.py), branches included; raise it when it
# has risen.
COVERAGE_FLOOR := 98
# What needs the engine, Postfix and others: each test has a directory, ports and a state of its own, a file stays together.
# One process more than two cores, as tests wait for services that are dead on purpose.
INTEGRATION := tests/integration -n 3 --dist loadfile
CHECKED := pki postfix postseal postseal_core tests toolchain benchmarks __main__.py

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "make %-8s %s\n", $$1, $$2 }'

demo: setup ## bring up the stack dev in out/dev and show files, certificates and outputs
	@$(BIN)/python -m toolchain.demo up

preview: setup ## show what `make demo` would change
	@$(BIN)/python -m toolchain.demo preview

destroy: setup ## take down what `make demo` has made
	@$(BIN)/python -m toolchain.demo destroy

check: lint quick ## what to run before a commit: checks and quick tests, about a minute on two idle cores

quick: ## unit, plugin and component tests, on all cores; they need no engine
	@$(BOOTSTRAP) uv
	@$(BIN)/pytest -q $(QUICK) --hypothesis-profile few -m "not takes_long"

fuzz: ## hand changed inputs to every reader, a minute each; make fuzz FUZZ="--seconds 600 roster_yaml"
	@$(BOOTSTRAP) uv
	@$(BIN)/python -m tests.fuzz $(FUZZ)

mutants: ## change the packages place by place: do tests notice? make mutants MUTANTS="--group core"
	@$(BOOTSTRAP) uv
	@$(BIN)/python -m toolchain.mutation $(MUTANTS)

test: setup ## run all tests (installs missing programs with apt-get when root)
	@$(BOOTSTRAP) debian zlint
	@$(BIN)/pytest -q $(QUICK) --cov --cov-fail-under=$(COVERAGE_FLOOR)
	@$(BIN)/pytest -v --durations=20 $(INTEGRATION)

versions: ## the quick tests under the other Pythons that this machine has
	@$(BOOTSTRAP) uv
	@$(BIN)/python -m toolchain.versions

lint: ## check format, rules, types, import contracts, hooks and workflows
	@$(BOOTSTRAP) uv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict $(CHECKED)
	$(BIN)/lint-imports
	$(BIN)/pre-commit validate-config
	$(BIN)/shellcheck --shell=sh postfix/deploy/program/postseal-host
	$(BOOTSTRAP) workflows

audit: ## ask the OSV database what is known against the packages of uv.lock (needs a network)
	@$(BOOTSTRAP) uv
	@$(BIN)/python -m toolchain.supply audit

sbom: ## write what the wheel brings with it to dist/postseal.cdx.json (CycloneDX)
	@$(BOOTSTRAP) uv
	@$(BIN)/python -m toolchain.supply sbom

licences: ## write docs/licences.md anew from uv.lock
	@$(BOOTSTRAP) uv
	@$(BIN)/python -m toolchain.supply licences

bench: setup ## measure (see benchmarks/)
	@$(BIN)/python benchmarks/run.py

states: setup ## store a stack of every resource type anew, for tests/integration/test_stored_states.py
	@$(BIN)/python -m tests.support.stored_states 1

setup: ## make .venv and the engine ready; quick when they are
	@$(BOOTSTRAP) uv engine

engine: ## make the Pulumi engine ready, building it if need be
	@$(BOOTSTRAP) engine

clean: ## remove .venv and caches of the checkout; keeps state, passphrase and out/
	rm -rf .venv .grimp_cache .hypothesis .import_linter_cache .mutants .mypy_cache .pytest_cache .ruff_cache htmlcov
	rm -f .coverage .coverage.*
	find . -name __pycache__ -type d -not -path './.pulumi/*' -prune -exec rm -rf {} +
	@echo "Kept: .pulumi (state and passphrase of your stacks), out/ (deployed files), and the engine in the cache."
