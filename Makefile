# The project's commands. `make demo` and `make test` set up everything that they need.
# Needs make, git and a Python between 3.10 and 3.13 (on Debian with python3-venv).

VENV ?= .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
CONNECTOR ?= all

.PHONY: help setup demo sandbox test lint types unit integration test-long test-wheel test-newest-cdk test-secrets images test-images test-pyairbyte test-spark campaign mutations coverage mutants benchmark encoder fuzz streams format picture lock clean
.DEFAULT_GOAL := help

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Create the virtual environment from the lock

$(READY): requirements/dev.txt pyproject.toml scripts/create-venv.sh
	@sh scripts/create-venv.sh $(VENV)
	@touch $@

demo: $(READY) ## Watch real syncs against the sandbox, end to end (CONNECTOR=segment for one)
	@$(PYTHON) -m sandbox.demo --connector $(CONNECTOR)

sandbox: $(READY) ## Serve the simulated vendors on this machine (ARGS="--scale 0.1 --port 9000")
	@$(PYTHON) -m sandbox $(ARGS)

test: lint types ## Lint, types, unit tests, integration tests
	$(PYTHON) -m pytest --numprocesses auto --dist worksteal

lint: $(READY) ## Check style and formatting
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types: $(READY) ## Check types
	$(PYTHON) -m mypy

unit: $(READY) ## Unit tests only: no network, no server
	$(PYTHON) -m pytest unit_tests

integration: $(READY) ## Integration tests only: real processes against the sandbox
	$(PYTHON) -m pytest integration_tests

test-long: $(READY) ## Tests that take minutes each: a million records, ten days of syncs, a new stream in a copy
	$(PYTHON) -m pytest unit_tests integration_tests -m long_tests

test-wheel: $(READY) ## Build the wheel, install it on its own, and run every connector's spec
	@sh scripts/test-wheel.sh $(VENV)

test-newest-cdk: $(READY) ## Run the unit tests against the newest airbyte-cdk, in a separate environment
	@sh scripts/test-newest-cdk.sh

test-secrets: $(READY) ## Plant secrets and personal data in 10,000 configurations and 10,000 responses (an hour of CPU time)
	PLANTED_CASES=10000 $(PYTHON) -m pytest unit_tests/cdp_connectors/test_planted_secrets.py --numprocesses auto

images: ## Build the images with docker (CONNECTOR=heap for one, BASE_IMAGE for another base)
	@sh scripts/build-images.sh $(CONNECTOR)

test-images: $(READY) build/pyairbyte/.ready images ## Build and test the images
	$(PYTHON) -m pytest integration_tests/test_images.py integration_tests/test_pyairbyte.py -m image_tests

test-pyairbyte: $(READY) build/pyairbyte/.ready ## Test the sources in PyAirbyte, into DuckDB and PostgreSQL
	$(PYTHON) -m pytest integration_tests/test_pyairbyte.py -m "pyairbyte and not image_tests"

build/pyairbyte/.ready: requirements/pyairbyte.txt scripts/pyairbyte-venv.sh
	@sh scripts/pyairbyte-venv.sh
	@touch $@

test-spark: $(READY) ## Test pyspark_heap with every supported PySpark (needs Java 17; SPARK=4.1.4 for one)
	@sh scripts/test-spark.sh $(VENV) $(SPARK)

coverage: $(READY) ## Measure the branch coverage of the complete suite, including the connectors' processes
	$(PYTHON) -m pytest --numprocesses auto --cov --cov-report=term-missing:skip-covered $(ARGS)

mutants: $(READY) ## Mutation testing of the modules that decide what is read and what counts as sent (ONLY=positions)
	@sh scripts/test-mutants.sh $(VENV) $(ONLY)

mutations: $(READY) ## Read mutated responses (CONNECTOR=heap, RESPONSES=10000)
	@$(PYTHON) -m campaign.mutations --connector $(CONNECTOR) --responses $(or $(RESPONSES),10000) --minutes $(or $(MINUTES),600) $(if $(SEED),--seed $(SEED))

campaign: $(READY) ## Run sync jobs with faults drawn from a seed (CONNECTOR=heap, MINUTES=10, SEED=17 for one case)
	@$(PYTHON) -m campaign --connector $(CONNECTOR) --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) $(if $(FIRST),--first $(FIRST))

benchmark: $(READY) ## Measure speed and memory (CONNECTOR=segment for one)
	$(PYTHON) -m benchmarks --connector $(CONNECTOR)

encoder: $(READY) ## Recompile Heap's encoder after a change (needs rustc)
	$(PYTHON) -m scripts.compile_encoder

fuzz: ## Fuzz Heap's encoder for ten minutes (SECONDS=60 for one; needs rustc and LLVM's fuzzer)
	@sh scripts/fuzz-encoder.sh $(or $(SECONDS),600)

streams: $(READY) ## Regenerate the tables of streams and costs in the READMEs
	@$(PYTHON) -m scripts.stream_tables
	@$(PYTHON) -m scripts.cost_tables

format: $(READY) ## Format the code and apply safe fixes
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

picture: docs/data-flow.svg ## Regenerate docs/data-flow.svg (needs Graphviz)

docs/data-flow.svg: docs/data-flow.dot
	dot -Tsvg $< -o $@

lock: $(READY) ## Regenerate requirements/ from pyproject.toml
	@sh scripts/lock.sh $(VENV)

clean: ## Remove the virtual environment and everything that was built
	rm -rf $(VENV) build dist
