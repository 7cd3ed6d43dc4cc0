# `make` lists what there is. Every command makes or updates the Python environment in .venv first, and nothing else has to be
# installed by hand.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.SUFFIXES:

# By way of the interpreter: the scripts in .venv/bin name the directory they were installed in.
PYTHON := .venv/bin/python
LOCAL := $(PYTHON) -m deploy.local
COMPILE := -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header pyproject.toml

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.venv/.installed: requirements-dev.lock
	@sh deploy/local/bootstrap.sh

.PHONY: install
install: .venv/.installed ## Make the Python environment, or bring it up to date

.PHONY: run
run: .venv/.installed ## Bring the product up and see it at work: a campaign, an import, the statistics
	@$(LOCAL) run

.PHONY: up
up: .venv/.installed ## Bring the product up (GATEWAY_PORT=8080, STACK=local or docker)
	@$(LOCAL) up

.PHONY: down
down: .venv/.installed ## Stop the product; its data stays
	@$(LOCAL) down

.PHONY: status
status: .venv/.installed ## Show what each process does
	@$(LOCAL) status

.PHONY: logs
logs: .venv/.installed ## Show the logs (NAME=lead-api for one process, FOLLOW=1 to keep watching)
	@$(LOCAL) logs $(if $(FOLLOW),--follow) $(NAME)

.PHONY: rebuild
rebuild: .venv/.installed ## Build totals and reports anew from the history of events, while everything goes on
	@$(LOCAL) rebuild

.PHONY: events
events: .venv/.installed ## Show events as they are published (TYPE='lead.*', COMPANY=1, SINCE=1h, FROM_START=1, FOLLOW=0, JSON=1)
	@$(LOCAL) events $(if $(TYPE),--type '$(TYPE)') $(if $(COMPANY),--company '$(COMPANY)') $(if $(SINCE),--since '$(SINCE)') \
	$(if $(FROM_START),--from-start) $(if $(filter 0,$(FOLLOW)),--no-follow) $(if $(JSON),--json)

.PHONY: dlq
dlq: .venv/.installed ## Look after dead letters (ARGS='list', 'show QUEUE', 'retry QUEUE --all', 'drop QUEUE --id ID', '--help')
	@$(LOCAL) dlq $(ARGS)

.PHONY: subscriber
subscriber: .venv/.installed ## Make a broker account for a program that subscribes to events (NAME=crm), and print its URL
	@$(LOCAL) subscriber '$(NAME)'

.PHONY: token
token: .venv/.installed ## Print an access token (COMPANY=1 or 1,2; ROLE=user or admin; SUB=name)
	@$(LOCAL) token --company '$(or $(COMPANY),1)' --role '$(or $(ROLE),user)' --sub '$(or $(SUB),local)'

.PHONY: test
test: .venv/.installed ## Run the tests, on real servers (PYTEST_ARGS for pytest)
	@$(PYTHON) -m pytest $(PYTEST_ARGS)

.PHONY: lint
lint: .venv/.installed ## Check style, types and which part may use which
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(PYTHON) .venv/bin/lint-imports

.PHONY: format
format: .venv/.installed ## Rewrite the code in the project's style
	@$(PYTHON) -m ruff check --fix
	@$(PYTHON) -m ruff format

.PHONY: openapi
openapi: .venv/.installed ## Write the API document that the gateway serves
	@$(PYTHON) -m deploy.openapi

.PHONY: asyncapi
asyncapi: .venv/.installed ## Write what subscribers are told of the events: AsyncAPI, JSON Schemas, docs/events.md
	@$(PYTHON) -m deploy.asyncapi

.PHONY: publish-events
publish-events: .venv/.installed ## Make the events' schemas the published ones, at a release; refused if readers could stumble
	@$(PYTHON) -m shared.events.publication

.PHONY: soak
soak: .venv/.installed ## Load with random kills, then compare everything with what clients were told (SECONDS=300, SEED=number)
	@$(PYTHON) -m tests.soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

.PHONY: bench
bench: .venv/.installed ## Measure the import: beside a bare COPY, and the usual way
	@$(PYTHON) -m benchmarks.import

.PHONY: bench-campaigns
bench-campaigns: .venv/.installed ## Measure reading, listing and creating campaigns: beside a bare handler, with a thousand and a million
	@$(PYTHON) -m benchmarks.campaigns

.PHONY: bench-leads
bench-leads: .venv/.installed ## Measure creating, listing and bulk updates of leads: beside bare handlers and a bare UPDATE
	@$(PYTHON) -m benchmarks.leads

.PHONY: bench-export
bench-export: .venv/.installed ## Measure the export: beside psql's \copy and a bare xlsxwriter, and its memory at a million
	@$(PYTHON) -m benchmarks.export

.PHONY: bench-reports
bench-reports: .venv/.installed ## Measure every report: beside a plain GROUP BY on a million raw rows; and the projection
	@$(PYTHON) -m benchmarks.reports

.PHONY: bench-freshness
bench-freshness: .venv/.installed ## Measure how soon a change is in a report, while files are imported
	@$(PYTHON) -m benchmarks.freshness

.PHONY: lock
lock: .venv/.installed ## Lock the dependencies of pyproject.toml anew, with hashes
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && $(PYTHON) -m venv "$$tools" && \
	"$$tools/bin/python" -m pip install --quiet --disable-pip-version-check uv && \
	"$$tools/bin/python" $(COMPILE) --output-file requirements.lock && \
	"$$tools/bin/python" $(COMPILE) --group dev --output-file requirements-dev.lock

.PHONY: clean
clean: ## Stop the product; delete its local data, the Python environment and caches
	@if [ -x $(PYTHON) ]; then $(LOCAL) clean; fi
	@rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
