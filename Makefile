# StreamrP2P. `make help` lists every target. Needs git, make and Python 3.11 or newer: the rest is
# installed into .tools, .venv and node_modules of this checkout, from the hashed locks.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
SOLC_VERSION := 0.8.37
PIP_AUDIT_VERSION := 2.9.0
VENV := $(CURDIR)/.venv
TOOLS := $(CURDIR)/.tools
UV := $(TOOLS)/venv/bin/uv
SOLC := $(TOOLS)/solc/solc-v$(SOLC_VERSION)
# Each stamp lies in the folder that it speaks of, and goes with it.
UV_READY := $(TOOLS)/venv/.ready
VENV_READY := $(VENV)/.ready
PROJECT_READY := $(VENV)/.project-ready
NODE_READY := node_modules/.ready
WEB_READY := web/dist/.ready
WEB_SOURCES = $(shell find web -type d \( -name node_modules -o -name dist \) -prune -o -type f -print)
ANALYSIS := $(TOOLS)/analysis
ANALYSIS_READY := $(ANALYSIS)/.ready

# Nobody needs to activate anything: every recipe finds the tools of this checkout first.
export PATH := $(VENV)/bin:$(CURDIR)/node_modules/.bin:$(PATH)
export VIRTUAL_ENV := $(VENV)
# py-solc-x and ape look here for solc-v<version>.
export SOLCX_BINARY_PATH := $(TOOLS)/solc
export UV_NO_PROGRESS := 1
# The venv is made with the Python that was found; uv must not fetch another.
export UV_PYTHON_DOWNLOADS := never
unexport PYTHONPATH PYTHONHOME

NPM_WEB := npm --workspace web --silent run
PYTEST := pytest
PYTEST_ARGS ?=
# With ape's own plugin, which the other suites leave off.
PYTEST_APE := pytest -c tests/ape/pytest.ini tests/ape
PACKAGES := protocol/streamrp2p coordinator/streamrp2p_coordinator node/streamrp2p_node \
	origin/streamrp2p_origin signer/streamrp2p_signer auditor/streamrp2p_auditor demo/streamrp2p_demo

.PHONY: help
help: ## List every target
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ Setting up

.PHONY: setup
setup: $(PROJECT_READY) $(SOLC) ## Install everything into this checkout (again: under two seconds)

$(UV_READY): scripts/setup/uv.txt
	@scripts/setup/python.sh "$(PYTHON)" "$(TOOLS)/venv"
	@"$(TOOLS)/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
		--only-binary :all: -r scripts/setup/uv.txt
	@touch $@

$(VENV_READY): requirements.lock $(UV_READY)
	@[ -x "$(VENV)/bin/python" ] || "$(UV)" venv --quiet --python "$(TOOLS)/venv/bin/python" "$(VENV)"
	@"$(UV)" pip sync --quiet --require-hashes requirements.lock
	@touch $@

# The build backend is in the lock, so that nothing unpinned is fetched to build the project.
$(PROJECT_READY): pyproject.toml $(VENV_READY)
	@"$(UV)" pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE_READY): package.json package-lock.json web/package.json .npmrc $(VENV_READY)
	@npm ci --ignore-scripts --loglevel=error --no-progress >/dev/null
	@scripts/setup/foundry.sh
	@touch $@

$(SOLC): scripts/solc/install.sh $(NODE_READY)
	@scripts/solc/install.sh "$@"

# Slither and halmos, in a venv of their own. It is not on PATH: it brings another `solc`.
$(ANALYSIS_READY): scripts/setup/analysis.txt $(UV_READY)
	@[ -x "$(ANALYSIS)/bin/python" ] || "$(UV)" venv --quiet --python "$(TOOLS)/venv/bin/python" "$(ANALYSIS)"
	@VIRTUAL_ENV="$(ANALYSIS)" "$(UV)" pip sync --quiet --require-hashes --only-binary :all: scripts/setup/analysis.txt
	@touch $@

.PHONY: system-packages
system-packages: ## Install from Debian what the tests need: chromium, nginx, promtool, systemd, ssh (only as root)
	@scripts/setup/system.sh

.PHONY: lock
lock: $(UV_READY) ## Resolve the locks again (after a change of pyproject.toml or a package.json)
	"$(UV)" pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras --group dev \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock
	"$(UV)" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		scripts/setup/analysis.in -o scripts/setup/analysis.txt
	npm install --package-lock-only --ignore-scripts

.PHONY: clean
clean: ## Remove what was built, but keep .tools, .venv and node_modules
	rm -rf out cache build dist web/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .benchmarks
	find $(PACKAGES) scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## Remove .tools, .venv and node_modules as well
	rm -rf .tools .venv node_modules

##@ Checking

.PHONY: check
check: setup ## Format, lint, types, import directions, generated files: changes nothing
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	forge fmt --check
	forge lint --deny warnings contracts
	python scripts/generate.py --check
	$(NPM_WEB) check
	$(MAKE) licences
	$(MAKE) slither

.PHONY: licences
licences: setup ## Check that every installed package has a licence that we can work with
	python -m scripts.licences

# Not a part of `check`: what public databases know changes from day to day, and not every machine reaches them.
.PHONY: audit-dependencies
audit-dependencies: setup ## Ask public databases whether what is locked has known vulnerabilities
	@"$(UV)" tool run --python "$(TOOLS)/venv/bin/python" pip-audit@$(PIP_AUDIT_VERSION) \
		--strict --require-hashes --disable-pip --requirement requirements.lock \
		|| { echo "pip-audit: a package above has a known vulnerability, or its database was not reached" >&2; exit 1; }
	@npm audit \
		|| { echo "npm audit: a package above has a known vulnerability, or its database was not reached" >&2; exit 1; }

.PHONY: slither
slither: setup $(ANALYSIS_READY) ## Look for known kinds of mistakes in the contracts
	@mkdir -p cache
	FOUNDRY_PROFILE=slither "$(ANALYSIS)/bin/slither" . --solc "$(SOLC)" 2>&1 | tee cache/slither.log
	@# It goes on where it could not read a function, and then finds nothing there.
	@! grep "^ERROR" cache/slither.log

.PHONY: format
format: setup ## Format Python, Solidity and TypeScript, apply safe fixes
	ruff format .
	ruff check --fix .
	forge fmt
	$(NPM_WEB) format

.PHONY: generate
generate: setup ## Write the generated files: ABI, OpenAPI, the player's API types, vectors
	python scripts/generate.py

##@ Testing

# A suite that cannot run fails: no target skips one. The system's tests run alone, since they keep
# real time; all other Python tests share the cores, and come last, so that their summary ends the run.
.PHONY: test
test: setup ## Run everything: Solidity, ape, the player, the whole system, Python
	forge test
	$(PYTEST_APE)
	$(NPM_WEB) test
	$(PYTEST) -m e2e $(PYTEST_ARGS)
	$(PYTEST) -n auto -m "not e2e" $(PYTEST_ARGS)

.PHONY: test-unit
test-unit: setup ## Run the fast tests: no socket, process or database
	$(PYTEST) -n auto -m "not integration and not e2e and not slow" $(PYTEST_ARGS)

.PHONY: test-web
test-web: setup ## Run the player's tests, without a browser
	$(NPM_WEB) test

.PHONY: test-contracts
test-contracts: setup ## Run the contracts' tests: forge, then ape
	forge test
	$(PYTEST_APE)

.PHONY: prove
prove: setup $(ANALYSIS_READY) ## Prove the contracts' libraries right for all inputs, within stated bounds
	rm -rf cache/halmos
	VIRTUAL_ENV="$(ANALYSIS)" FOUNDRY_PROFILE=halmos python scripts/prove/run.py "$(ANALYSIS)/bin/halmos" --config tests/contracts/symbolic/halmos.toml
	python scripts/prove/complete.py cache/halmos/result.json

.PHONY: test-integration
test-integration: setup ## Run the tests with a real chain, database or process
	$(PYTEST) -n auto -m integration $(PYTEST_ARGS)

.PHONY: test-e2e
test-e2e: setup ## Run the tests of the whole system
	$(PYTEST) -m e2e $(PYTEST_ARGS)

##@ Contracts

.PHONY: contracts
contracts: setup ## Compile the contracts
	python scripts/compile_contracts.py
	forge build

.PHONY: gas
gas: setup ## Measure the gas of whole transactions against docs/gas.json (UPDATE=1 writes it)
	python -m benchmarks.gas $(if $(UPDATE),--update)

##@ Player

.PHONY: web
web: setup $(WEB_READY) ## Build the player: the library and the page to embed, into web/dist

$(WEB_READY): $(NODE_READY) $(WEB_SOURCES)
	@$(NPM_WEB) build
	@touch $@

##@ Releasing

.PHONY: release
release: web ## Build and sign what a release consists of (RELEASE_DIR, RELEASE_KEY: an SSH key)
	scripts/release.sh "$(or $(RELEASE_DIR),dist)" $(if $(RELEASE_KEY),"$(RELEASE_KEY)")

##@ Running

.PHONY: demo
demo: setup ## Run every actor on this machine, with a local chain
	streamrp2p demo $(DEMO_ARGS)

.PHONY: stack
stack: setup web ## Run the services of compose.yaml from packages, until Ctrl-C (STACK_DIR, STACK_ARGS)
	python -m scripts.stack --dir "$(or $(STACK_DIR),/var/tmp/streamrp2p-stack)" $(STACK_ARGS)

.PHONY: tokenomics
tokenomics: setup ## Draw the plots of docs/tokenomics
	python docs/tokenomics/model.py

.PHONY: av-sync
av-sync: setup ## Measure how far picture and sound lie apart through a whole origin, in real time
	python -m benchmarks.av_sync --seconds $(or $(AV_SYNC_SECONDS),60)

.PHONY: part-latency
part-latency: setup ## Measure how long after its last picture a part can be read from an origin
	python -m benchmarks.part_latency

.PHONY: bench
bench: setup ## Measure speeds, serving and costs (needs nginx and wrk); load, gas, attacks are measured apart
	python -m benchmarks
	$(NPM_WEB) bench
	$(MAKE) bench-serving
	$(MAKE) costs

.PHONY: costs
costs: setup ## Measure what a stream costs its origin, relays and viewers (UPDATE=1 writes docs/costs.md)
	python -m benchmarks.costs $(if $(UPDATE),--update)

.PHONY: load
load: setup ## Measure what a coordinator takes in a second, on both databases
	python -m benchmarks.load rate --database sqlite
	python -m benchmarks.load rate --database postgresql

.PHONY: soak
soak: setup ## Put a million sessions on a coordinator, kill it twice, recompute all
	python -m benchmarks.load soak

.PHONY: attacks
attacks: setup ## Play attacks against a coordinator, and what they bring (UPDATE=1 writes docs/attacks.md)
	python -m tests.attacks $(if $(UPDATE),--update)

.PHONY: bench-serving
bench-serving: setup ## Measure a node's throughput beside nginx's (needs nginx and wrk)
	python -m benchmarks.serving
