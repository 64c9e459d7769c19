# Everything a person types. `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help install build demo chat token test test-all verify check clean

NODE := sh scripts/node.sh

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)$$/  make \1\t\2/' | expand -t 20

node_modules/.installed: package.json package-lock.json
	@command -v npm >/dev/null 2>&1 || { echo "npm was not found: install Node.js 20 or newer, which brings it." >&2; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

install: node_modules/.installed ## Install what package-lock.json names

build: node_modules/.installed ## Bundle each function into build/
	@$(NODE) scripts/build.ts

demo: build ## Run the whole system here until Ctrl-C
	@$(NODE) scripts/demo.ts

chat: node_modules/.installed ## Talk to the demo (EMAIL=…, MESSAGES='refresh|yes|3|yes')
	@$(NODE) scripts/chat.ts

token: node_modules/.installed ## Print a bearer token for the demo (EMAIL=…)
	@$(NODE) scripts/token.ts $${EMAIL:+"$$EMAIL"} $(ARGS)

test: build ## Run the tests (needs npm alone)
	@$(NODE) scripts/test.ts $(ARGS)

test-all: test ## Run the tests, and those against Debian's PostgreSQL (root)
	@sh scripts/test-debian.sh

check: node_modules/.installed ## Types, lint, unused code, agent files and generated documents
	npm run --silent typecheck
	npm run --silent lint
	npm run --silent agents:check
	npm run --silent docs:check
	npm run --silent tools:check
	npm run --silent unused

verify: check test ## What CI runs, but for the Debian packages

clean: ## Remove the demo's data and everything that was built
	@if [ -d node_modules ]; then $(NODE) scripts/clean.ts; fi
	@rm -rf build .data
