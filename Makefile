# What a person types. They install what they need on Debian, or say exactly what to install.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test e2e chaos outage bench fuzz schemathesis fmt lint

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Build, start nizamd with demo data and the module, show a lookup and a route; RUN_ONCE=1 ends after the show
	@tests/run-demo.sh

test: ## Format, lints, every test; skips are listed with their reasons
	@tests/run.sh

e2e: ## The suites on a real FreeSWITCH with sipp and baresip
	@tests/run-e2e.sh

chaos: ## CALLS (20000) on a real FreeSWITCH while nizamd, PostgreSQL, FreeSWITCH and the link die; no CDR is lost or doubled
	@tests/run-chaos.sh e2e_chaos

outage: ## Calls while nizamd is away for OUTAGE (600) seconds, and while the disk of the spool is full
	@tests/run-chaos.sh e2e_outage

bench: ## The figures of the design, one line each; BENCH=NAME runs a part
	@tests/bench/run.sh

fuzz: ## The parsers of outside bytes for FUZZ_SECONDS (60) each; FUZZ=NAME runs one
	@tests/fuzz/run.sh

schemathesis: ## Requests made from the OpenAPI document, EXAMPLES (200) for each operation, on both databases
	@tests/schemathesis/run.sh

fmt: ## Format the Rust code
	@cargo fmt --all

lint: ## Formatting and clippy, as make test runs them
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets -- -D warnings
