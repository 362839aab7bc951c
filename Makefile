# The verbs of this workspace, one line each: `make` lists them.

export DATA ?= .data
BUILD := tests/setup/rust.sh && cargo build -p docket
DOCKET := $(BUILD) && target/debug/docket

# mold links several times faster; a compiler that does not know it links as ever.
ifeq ($(shell cc -fuse-ld=mold -Wl,--version >/dev/null 2>&1 && echo known),known)
export RUSTFLAGS ?= -Clink-arg=-fuse-ld=mold
endif
ifdef CI
export CARGO_INCREMENTAL := 0
export NEXTEST_PROFILE := ci
endif

.DEFAULT_GOAL := help
ifdef CLUSTER
RUN := $(BUILD) && deploy/local/day.sh
else
RUN := $(DOCKET) --data $(DATA) demo
endif

.PHONY: help run serve up down test check faults bench client fmt golden setup clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## play a seeded service day, then keep serving (DATA=dir, SEED=n, EXIT=1 to end after the table, CLUSTER=1 on processes)
	$(RUN) $(if $(SEED),--seed $(SEED)) $(if $(EXIT),--exit)

serve: ## serve the whole cluster in one process from the data directory (DATA=dir)
	$(DOCKET) up --data $(DATA)

up: ## start PostgreSQL, nats-server, the relay and the five services, each a process (DATA=dir, REPLICAS=n, SMTP=url)
	$(BUILD) && deploy/local/cluster.sh up

down: ## stop what `make up` started
	deploy/local/cluster.sh down

test: check ## install what is missing, check, run the tests; the long ones are `make faults`
	@tests/setup/test.sh

check: setup ## formatting, lints, the gRPC contract, the house rules
	cargo fmt --all --check && cargo fmt --manifest-path tests/bench/Cargo.toml --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --manifest-path tests/bench/Cargo.toml --target-dir target -- -D warnings
	.venv/bin/buf lint proto
	.venv/bin/buf format -d --exit-code proto
	cargo nextest run -p tests --test tidy

faults: setup ## the long forms of what can go wrong: a thousand seeds, fifty kills, 200 faults on a cluster (about two hours)
	DOCKET_SEEDS=1000 DOCKET_KILLS=50 cargo nextest run --profile long -p tests -p docket simulation kill
	tests/peers/faults/faults.sh

bench: ## Docket beside its peers and its limits, in one table (RUNS=n rounds, BENCH=append,replay,relay,react,flood,clocks,whatif,alertmanager,learning or nminus)
	tests/bench/bench.sh

client: ## the descriptor set and the Python client of this version, into target/client
	@deploy/python/build.sh

fmt: ## format the code and the gRPC contract
	cargo fmt --all && cargo fmt --manifest-path tests/bench/Cargo.toml && .venv/bin/buf format -w proto

golden: ## write the expected snapshots anew; read the difference before you commit it
	UPDATE_EXPECT=1 tests/setup/test.sh

setup: ## install what is missing of compilers, test runner, Python and JavaScript peers
	@tests/setup/rust.sh test && tests/setup/python.sh && tests/setup/node.sh

clean: ## remove everything built; the data directory stays
	cargo clean && rm -rf .venv
