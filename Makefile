# Spacelab. `make up` and `make test` are all the set-up a fresh machine needs.
PYTHON ?= python3
RUNTIME ?=
JOBS ?= 2
BIN := .venv/bin

.PHONY: help up demo test test-containers test-desktops test-long test-frameworks quick check doctor reference screenshots clean

help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

up: ## Install what is missing and start the platform; Ctrl-C ends it
	@$(PYTHON) deploy/bootstrap.py
	@exec $(if $(RUNTIME),env SPACELAB_RUNTIME=$(RUNTIME) )$(BIN)/spacelab up

demo: ## Do the main job without a browser: launch, compute, check the answer, stop
	@$(PYTHON) deploy/bootstrap.py
	@exec $(BIN)/spacelab demo $(if $(RUNTIME),--runtime $(RUNTIME))

test: ## Install what the tests need and run them, JOBS at once; those of containers where there is Podman
	@$(PYTHON) deploy/bootstrap.py --tests
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest -n $(JOBS) --dist loadfile

test-containers: ## The tests of containers alone: images, builds, desktops; the first time builds the images
	@$(PYTHON) deploy/bootstrap.py --tests
	@$(BIN)/pytest -m container

test-desktops: ## Build and open desktop programs in containers; the first time builds their base image
	@$(PYTHON) deploy/bootstrap.py --tests
	@$(BIN)/pytest -m desktops

test-long: ## What takes minutes: all base images, labs of every era, Slurm, PostgreSQL, plain mode, mail, restore
	@$(PYTHON) deploy/bootstrap.py --tests
	@$(BIN)/pytest -m long

test-frameworks: ## Build, launch and use an application of every web framework; downloads 1 GB, takes ten minutes
	@$(PYTHON) deploy/bootstrap.py --tests
	@$(BIN)/pytest -m frameworks

quick: ## The tests that need neither a sandbox nor a browser
	@$(PYTHON) deploy/bootstrap.py --tests
	@$(BIN)/pytest -m "not slow and not browser and not runtime"

check: ## Lint, types, import contracts, missing migrations, types of the islands
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/spacelab makemigrations --check --dry-run
	@$(PYTHON) deploy/islands.py

doctor: ## Say what this host can and cannot do, and what would mend it
	@$(PYTHON) deploy/bootstrap.py
	@exec $(BIN)/spacelab doctor

reference: ## Write the reference pages that come from the code
	@$(PYTHON) deploy/bootstrap.py --tests
	@$(BIN)/python docs/generate_reference.py

screenshots: ## Take the pictures in the documentation from the running product
	@$(PYTHON) deploy/bootstrap.py --tests
	@$(BIN)/python docs/take_screenshots.py

clean: ## Remove what was installed; the state directory stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
