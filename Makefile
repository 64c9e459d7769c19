# Everything a person types. `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: force help install build demo chat token test test-all verify check clean replay

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

# Make removes this file when it is interrupted itself, which is how the demo learns of it: only SIGTERM is handed on.
LEASH := node_modules/.demo-$(shell echo $$PPID)

force:

demo: $(LEASH) ## Run the whole system here until Ctrl-C

$(LEASH): node_modules/.installed force
	@$(NODE) scripts/demo.ts --leash $@

# As it was typed: a $ in a message is no variable of make's.
chat: override export MESSAGES := $(value MESSAGES)
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
	npm run --silent integrations:check
	npm run --silent agents:schema -- --check
	npm run --silent docs:check
	npm run --silent security:check
	npm run --silent tools:check
	npm run --silent unused

verify: check test ## What CI runs, but for the Debian packages

clean: ## Remove the demo's data and everything that was built
	@if [ -d node_modules ]; then $(NODE) scripts/clean.ts; fi
	@rm -rf build .data

replay: node_modules/.installed ## Run a finished turn again from its journal (TURN=… or SESSION=…)
	@$(NODE) scripts/replay.ts $${TURN:+--turn "$$TURN"} $${SESSION:+--session "$$SESSION"} $(ARGS)

.PHONY: load
load: build ## Many conversations at once: in order, none starved, through crashes and PgBouncer (six minutes)
	@$(NODE) bench/load.ts $(ARGS)

.PHONY: approvals dead-letters conversations handoffs erase
approvals: node_modules/.installed ## What waits for a person's decision (EMAIL=…, ARGS='--approve ID')
	@$(NODE) scripts/approvals.ts $(ARGS)

dead-letters: node_modules/.installed ## Events that were given up (ARGS='--show ID', '--redrive ID', '--discard ID')
	@$(NODE) scripts/dead-letters.ts $(ARGS)

conversations: node_modules/.installed ## List, show, export or delete conversations (EMAIL=…, ARGS='--help')
	@$(NODE) scripts/conversations.ts $(ARGS)

handoffs: node_modules/.installed ## Conversations that a person has (ARGS='--release ID')
	@$(NODE) scripts/handoffs.ts $(ARGS)

erase: node_modules/.installed ## Delete what is kept about a person (EMAIL=…, DATABASE_URL=…, ARGS=--yes)
	@$(NODE) scripts/erase.ts $(ARGS)

.PHONY: api-keys security
api-keys: node_modules/.installed ## The API keys of programs (ARGS='--create NAME', '--rotate ID', '--revoke ID')
	@$(NODE) scripts/api-keys.ts $(ARGS)

security: node_modules/.installed ## Write routes, threats and what was tried into docs/security.md (ARGS=--check)
	@$(NODE) scripts/security.ts $(ARGS)

.PHONY: hostile
hostile: node_modules/.installed ## A thousand conversations with a hostile model, and hostile text everywhere (ARGS='--seed N')
	@$(NODE) scripts/hostile.ts $(ARGS)

.PHONY: chaos chaos-self
chaos: node_modules/.installed ## Kill, hang and cut every function at every fault point (ARGS='--help')
	@$(NODE) scripts/chaos.ts $(ARGS)

chaos-self: node_modules/.installed ## Plant five bugs and see that make chaos finds each
	@$(NODE) scripts/chaos.ts --self $(ARGS)

.PHONY: burst reliability
burst: node_modules/.installed ## Five thousand requests at once, a slow model, and ticks that must not multiply them
	@BURST=$${BURST:-5000} $(NODE) node_modules/vitest/vitest.mjs run test/misbehaving/burst.test.ts -t burst $(ARGS)

reliability: node_modules/.installed ## Write what make chaos, hostile, burst and load found into docs/reliability.md (ARGS=--check)
	@$(NODE) scripts/reliability.ts $(ARGS)
