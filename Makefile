# The verbs of this workspace, one line each: `make` lists them.

DATA ?= .data
DOCKET := tests/setup/rust.sh && cargo build -p docket && target/debug/docket

# mold links several times faster; a compiler that does not know it links as ever.
ifeq ($(shell cc -fuse-ld=mold -Wl,--version >/dev/null 2>&1 && echo known),known)
export RUSTFLAGS ?= -Clink-arg=-fuse-ld=mold
endif
ifdef CI
export CARGO_INCREMENTAL := 0
export NEXTEST_PROFILE := ci
endif

.DEFAULT_GOAL := help
.PHONY: help run up test check faults bench fmt golden setup clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## play a seeded service day, then keep serving (DATA=dir, SEED=n, EXIT=1 to end after the table)
	$(DOCKET) demo --data $(DATA) $(if $(SEED),--seed $(SEED)) $(if $(EXIT),--exit)

up: ## serve the whole cluster in one process from the data directory (DATA=dir)
	$(DOCKET) up --data $(DATA)

test: check ## install what is missing, check, run every test
	@tests/setup/test.sh

check: setup ## formatting, lints, the gRPC contract, the house rules
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	.venv/bin/buf lint proto
	.venv/bin/buf format -d --exit-code proto
	cargo nextest run -p tests --test tidy

faults: ## the long forms of what can go wrong: a thousand seeds, fifty kills (some half an hour)
	DOCKET_SEEDS=1000 DOCKET_KILLS=50 cargo nextest run --profile long -p tests -p docket simulation killing

bench: ## time rebuilding from a log of a million events and starting from its snapshot
	cargo run --profile ci -p docket -- bench

fmt: ## format the code and the gRPC contract
	cargo fmt --all && .venv/bin/buf format -w proto

golden: ## write the expected snapshots anew; read the difference before you commit it
	UPDATE_EXPECT=1 tests/setup/test.sh

setup: ## install what is missing of compilers, test runner and Python peers
	@tests/setup/rust.sh test && tests/setup/python.sh

clean: ## remove everything built; the data directory stays
	cargo clean && rm -rf .venv
