# `make` lists the targets. Every target first makes or updates the Python environment in .venv; nothing else has to be
# installed by hand.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.SUFFIXES:

# Started by the interpreter: the scripts in .venv/bin contain the directory in which they were installed.
PYTHON := .venv/bin/python
LOCAL := $(PYTHON) -m deploy.local
COMPILE := -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header pyproject.toml

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' \
	$(firstword $(MAKEFILE_LIST))

.venv/.installed: requirements-dev.lock
	@sh deploy/local/bootstrap.sh

##@ The product

.PHONY: run
run: .venv/.installed ## Start the product and show it at work: a campaign, an import, the statistics
	@$(LOCAL) run

.PHONY: up
up: .venv/.installed ## Start the product (GATEWAY_PORT=8080, STACK=local or docker)
	@$(LOCAL) up

.PHONY: down
down: .venv/.installed ## Stop the product; its data stays
	@$(LOCAL) down

.PHONY: status
status: .venv/.installed ## Print the state of each process
	@$(LOCAL) status

.PHONY: logs
logs: .venv/.installed ## Print the logs (NAME=lead-api for one process, FOLLOW=1 to continue)
	@$(LOCAL) logs $(if $(FOLLOW),--follow) $(NAME)

.PHONY: token
token: .venv/.installed ## Print an access token (COMPANY=1 or 1,2; ROLE=user or admin; SUB=name)
	@$(LOCAL) token --company '$(or $(COMPANY),1)' --role '$(or $(ROLE),user)' --sub '$(or $(SUB),local)'

##@ Operations

.PHONY: events
events: .venv/.installed ## Print events as they are published (TYPE='lead.*', COMPANY=1, SINCE=1h, FROM_START=1, FOLLOW=0, JSON=1)
	@$(LOCAL) events

.PHONY: dlq
dlq: .venv/.installed ## List, show, retry or drop dead letters (ARGS='list', 'show QUEUE', 'retry QUEUE --all', 'drop QUEUE --id ID', '--help')
	@$(LOCAL) dlq $(ARGS)

.PHONY: subscriber
subscriber: .venv/.installed ## Create a broker account for a program that subscribes to events (NAME=crm), and print its URL
	@$(LOCAL) subscriber '$(NAME)'

.PHONY: rebuild
rebuild: .venv/.installed ## Rebuild totals and reports from the history of events while the product runs
	@$(LOCAL) rebuild

##@ Development

.PHONY: install
install: .venv/.installed ## Create the Python environment or update it

.PHONY: check
check: .venv/.installed ## Run everything that a change must pass: lint, then the tests
	@$(MAKE) lint
	@$(MAKE) test

.PHONY: test
test: .venv/.installed ## Run the tests on real servers, on all cores (PYTEST_ARGS for pytest: docs/testing.md)
	@$(PYTHON) -m pytest --numprocesses auto --durations 20 $(PYTEST_ARGS)

.PHONY: lint
lint: .venv/.installed ## Check style, types, which module may import which, and retired words
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(PYTHON) .venv/bin/lint-imports
	@git ls-files -z | xargs -0 $(PYTHON) .venv/bin/codespell

.PHONY: format
format: .venv/.installed ## Rewrite the code in the project's style
	@$(PYTHON) -m ruff check --fix
	@$(PYTHON) -m ruff format

.PHONY: openapi
openapi: .venv/.installed ## Write the API document that the gateway serves
	@$(PYTHON) -m deploy.openapi

.PHONY: asyncapi
asyncapi: .venv/.installed ## Write the documents about events for subscribers: AsyncAPI, JSON Schemas, docs/events.md
	@$(PYTHON) -m deploy.asyncapi

.PHONY: diagram
diagram: ## Draw docs/pictures/architecture.svg (needs Graphviz)
	@dot -Tsvg docs/pictures/architecture.dot -o docs/pictures/architecture.svg

.PHONY: publish-events
publish-events: .venv/.installed ## Publish the schemas of events, at a release; incompatible changes are rejected
	@$(PYTHON) -m shared.events.publication

.PHONY: soak
soak: .venv/.installed ## Run load with random kills, then check all data against the responses clients got (SECONDS=300, SEED=number)
	@$(PYTHON) -m tests.soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

.PHONY: bench
bench: .venv/.installed ## Run a benchmark (WHAT=imports, leads, campaigns, reports, freshness or export)
	@$(PYTHON) -m benchmarks.$(or $(WHAT),imports)

.PHONY: lock
lock: .venv/.installed ## Lock the dependencies of pyproject.toml, with hashes
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && $(PYTHON) -m venv "$$tools" && \
	"$$tools/bin/python" -m pip install --quiet --disable-pip-version-check uv && \
	"$$tools/bin/python" $(COMPILE) --output-file requirements.lock && \
	"$$tools/bin/python" $(COMPILE) --group dev --output-file requirements-dev.lock

.PHONY: clean
clean: ## Stop the product; delete its local data, the Python environment and caches
	@if [ -x $(PYTHON) ]; then $(LOCAL) clean; fi
	@rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
