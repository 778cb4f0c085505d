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
	@$(CARGO) build --release --locked --quiet --lib
	@ln -sf $(SHARED) $(RELEASE)/$(SONAME)

.PHONY: demo
demo: build ## profiles for agents, in C and in Python: the main job, in a dozen lines
	@RELEASE=$(RELEASE) CC="$(CC)" PYTHON3="$(PYTHON3)" sh demo/run

.PHONY: test
test: test-rust test-abi test-python test-system test-registry ## every test that downloads no agent

.PHONY: test-rust
test-rust: ## the core
	@$(CARGO) test --locked --quiet

.PHONY: test-abi
test-abi: build ## the C ABI: every function and rule, from C and C++, under Valgrind
	@tests/abi/run

.PHONY: test-python
test-python: build $(VENV)/made ## the Python package
	@$(PYTEST) bindings/python/tests

.PHONY: test-system
test-system: build $(VENV)/made ## promises that take other processes, users and file systems to attack
	@$(PYTEST) tests/system

.PHONY: test-registry
test-registry: build $(VENV)/made ## the registry: other implementations, kills, races, hostile files
	@$(PYTEST) tests/registry

.PHONY: test-agents
test-agents: build $(VENV)/made ## the real agent programs, downloaded once, run without network
	@$(PYTEST) tests/agents

.PHONY: lint
lint: $(VENV)/made ## formatting, clippy, ruff, mypy, and whether the header is current
	@$(CARGO) fmt --check
	@$(CARGO) clippy --locked --quiet --all-targets -- -D warnings
	@$(CARGO) test --locked --quiet --test header
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .
	@cd bindings/python && ../../$(VENV)/bin/mypy --strict src

.PHONY: header
header: ## generate include/agent_venv.h
	@AGENT_VENV_WRITE_HEADER=1 $(CARGO) test --locked --quiet --test header

.PHONY: doc
doc: ## the crate's documentation, without a warning
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --quiet --no-deps

.PHONY: install
install: build ## the libraries, the header and agent-venv.pc, below PREFIX (and DESTDIR)
	@CARGO="$(CARGO)" RELEASE=$(RELEASE) VERSION=$(VERSION) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) SHARED=$(SHARED) SONAME=$(SONAME) \
	  sh packaging/install

.PHONY: ci
ci: ## all of it, on a bare machine: installs what Debian must supply
	@sh packaging/debian
	@$(MAKE) --no-print-directory lint doc test test-agents demo test-install

.PHONY: test-install
test-install: ## a program outside the tree, built against an installed copy
	@sh packaging/test-install

$(VENV)/made: tests/requirements.txt
	@$(PYTHON3) -m venv $(VENV)
	@$(VENV)/bin/pip --quiet --disable-pip-version-check install --requirement tests/requirements.txt
	@touch $@
