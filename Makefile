# What can be done here: `make help`.

CARGO   ?= cargo
CC      ?= cc
PYTHON3 ?= python3
PREFIX  ?= /usr/local
DESTDIR ?=

RELEASE := $(abspath $(or $(CARGO_TARGET_DIR),target))/release
VENV    := target/venv
PY      := $(VENV)/bin/python
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)

ifeq ($(shell uname -s),Darwin)
SHARED := libagent_venv.dylib
SONAME := libagent_venv.0.dylib
else
SHARED := libagent_venv.so
SONAME := libagent_venv.so.0
endif

# Tests of the Python package run on its sources and this library.
export PYTHONPATH := $(abspath bindings/python/src)
export PYTHONDONTWRITEBYTECODE := 1
PYTEST := AGENT_VENV_LIBRARY=$(RELEASE)/$(SHARED) $(PY) -m pytest -q -p no:cacheprovider

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 20

.PHONY: build
build: ## the shared and the static library, in target/release
	@$(CARGO) rustc --release --locked --quiet --lib --crate-type cdylib,staticlib # without the Rust library's symbols: smaller
	@ln -sf $(SHARED) $(RELEASE)/$(SONAME)

.PHONY: demo
demo: build ## profiles for agents, in C and in Python: the main job, in a dozen lines
	@RELEASE=$(RELEASE) CC="$(CC)" PYTHON3="$(PYTHON3)" sh demo/run

.PHONY: test
test: test-rust test-abi test-cpp test-python test-adapters test-system test-registry test-faults test-security test-go test-node test-any-ffi conformance ## every test that downloads no agent

# A toolchain that a part needs: $(call with,PROGRAM,PART,COMMAND). Without it the part is left out, and said to be; with CI=true
# that is a failure.
with = if command -v $(1) >/dev/null; then $(3); else echo "LEFT OUT: $(2) (there is no $(1))" >&2; [ "$$CI" != true ]; fi

.PHONY: test-rust
test-rust: ## the core, and the crate with and without tokio
	@$(CARGO) test --locked --quiet
	@$(CARGO) test --locked --quiet --features tokio --test tokio
	@$(CARGO) test --locked --quiet --features tokio --doc
	@$(CARGO) run --locked --quiet --example quickstart >/dev/null

.PHONY: test-abi
test-abi: build ## the C ABI: every function and rule, from C and C++, under Valgrind
	@$(call with,valgrind,the C ABI,tests/abi/run)

.PHONY: test-cpp
test-cpp: build ## the C++ wrapper
	@$(call with,valgrind,the C++ wrapper,tests/cpp/run)

.PHONY: test-python
test-python: build $(VENV)/made ## the Python package
	@$(PYTEST) bindings/python

.PHONY: test-adapters
test-adapters: build $(VENV)/made ## adapters' documents: the schema and the library agree
	@$(PYTEST) tests/adapters

.PHONY: test-system
test-system: build $(VENV)/made ## promises that take other processes, users and file systems to attack
	@$(PYTEST) tests/system

.PHONY: test-registry
test-registry: build $(VENV)/made ## the registry: another implementation, hostile files
	@$(PYTEST) tests/registry

.PHONY: test-faults
test-faults: build $(VENV)/made ## each system call fails once, is killed at, is raced; AGENT_VENV_FAULTS=full for the long form
	@$(PYTEST) -n 2 --dist worksteal tests/faults

.PHONY: test-security
test-security: build $(VENV)/made ## what an agent leaves, who swaps directories for links, takes names, fills the disk, holds locks
	@$(PYTEST) -n 2 --dist worksteal tests/security

.PHONY: test-sanitizers
test-sanitizers: ## the library under AddressSanitizer, LeakSanitizer and ThreadSanitizer, from C and C++
	@tests/sanitizers/run

.PHONY: fuzz
fuzz: ## specs, adapters, index, metadata and sequences of calls; FUZZ_SECONDS (60) for each
	@fuzz/run

.PHONY: fuzz-planted
fuzz-planted: ## plants a bug for each fuzz target, which it must find
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),300) fuzz/run --planted

SOAK_SECONDS ?= 3600

.PHONY: soak
soak: build ## everything in one process for SOAK_SECONDS: memory, descriptors and the disk stay flat
	@mkdir -p target/soak
	@$(CC) -std=c99 -D_GNU_SOURCE -O1 -pthread -Iinclude -Itests/abi tests/soak/soak.c -o target/soak/soak -L$(RELEASE) -lagent_venv -Wl,-rpath,$(RELEASE)
	@GLIBC_TUNABLES=glibc.malloc.tcache_count=0 nice target/soak/soak $(SOAK_SECONDS)

.PHONY: test-go
test-go: build ## the Go package
	@$(call with,go,the Go package,bindings/go/test)

.PHONY: test-node
test-node: build ## the Node package, from its sources and from its tarball
	@$(call with,npm,the Node package,bindings/node/test)

.PHONY: test-any-ffi
test-any-ffi: build ## Ruby and Lua on the bare ABI
	@$(call with,luajit,Ruby and Lua,tests/any-ffi/run)

.PHONY: conformance
conformance: build $(VENV)/made ## all languages, case by case and pair by pair: a table
	@mkdir -p target/conformance
	@PYTHON3=$(PY) tests/conformance/programs rust c cpp python node go pypi >target/conformance/programs
	@$(PY) tests/conformance/run.py <target/conformance/programs
	@$(PYTEST) tests/conformance

.PHONY: conformance-programs
conformance-programs: build ## builds the conformance programs; a line for each: language, tab, command
	@tests/conformance/programs

.PHONY: test-agents
test-agents: build $(VENV)/made ## the real agent programs, downloaded once, run without network
	@$(PYTEST) tests/agents

.PHONY: bench
bench: build $(VENV)/made ## ours, the floor and the public packages side by side; writes docs/performance.md
	@AGENT_VENV_LIBRARY=$(RELEASE)/$(SHARED) $(PY) benches/run.py

.PHONY: lint
lint: $(VENV)/made ## formatting, clippy, ruff, mypy, and whether the header is current
	@$(CARGO) fmt --check
	@$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	@$(CARGO) metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null
	@$(CARGO) clippy --locked --quiet --all-targets --all-features -- -D warnings
	@$(CARGO) test --locked --quiet --test header
	@$(VENV)/bin/ruff check --quiet bindings/python tests demo fuzz benches
	@$(VENV)/bin/ruff format --quiet --check bindings/python tests demo fuzz benches
	@cd bindings/python && ../../$(VENV)/bin/mypy --strict src

CACHE := $(or $(AGENT_VENV_TEST_CACHE),$(HOME)/.cache/agent-venv-tests)
DENY  := $(CACHE)/cargo-deny-0.20.2/bin/cargo-deny

.PHONY: deny
deny: $(DENY) ## licences, duplicates and sources of what the crate depends on (deny.toml)
	@$(DENY) --locked check --hide-inclusion-graph licenses bans sources

$(DENY):
	@$(CARGO) install --quiet --locked cargo-deny --version =0.20.2 --root $(CACHE)/cargo-deny-0.20.2

.PHONY: header
header: ## generate include/agent_venv.h
	@AGENT_VENV_WRITE_HEADER=1 $(CARGO) test --locked --quiet --test header

.PHONY: doc
doc: ## the crate's documentation, without a warning
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --quiet --no-deps --all-features

.PHONY: install
install: build ## the libraries, the header and agent-venv.pc, below PREFIX (and DESTDIR)
	@CARGO="$(CARGO)" RELEASE=$(RELEASE) VERSION=$(VERSION) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) SHARED=$(SHARED) SONAME=$(SONAME) \
	  sh packaging/install

.PHONY: ci
ci: ## all of it, on a bare machine: installs what Debian must supply
	@sh packaging/debian
	@$(MAKE) --no-print-directory lint deny doc test test-sanitizers fuzz test-agents demo test-install conformance-programs

.PHONY: test-install
test-install: ## a program outside the tree, built against an installed copy
	@sh packaging/test-install

$(VENV)/made: tests/requirements.txt
	@$(PYTHON3) -m venv $(VENV)
	@$(VENV)/bin/pip --quiet --disable-pip-version-check install --requirement tests/requirements.txt
	@touch $@
