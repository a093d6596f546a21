# licentia: one entry for everything. `make demo` and `make test` do their own set-up.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

PREFIX ?= /usr/local
DESTDIR ?=
export CARGO_TARGET_DIR := $(CURDIR)/target
STAGE := target/stage
STRICT := -O2 -Wall -Wextra -Wpedantic -Werror
LINK := -I$(STAGE)/include -L$(STAGE)/lib -Wl,-rpath,'$$ORIGIN/lib' -llicentia
VENV := .venv/bin

.PHONY: help demo desk screenshots test soak bench bench-server dist install bless clean command \
	stage stage-http python node packages test-style test-core test-server test-c test-python \
	test-node test-page test-vectors test-targets

help: ## Say what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

demo: command stage python node ## Show the main job, end to end
	@$(VENV)/python examples/demo.py

desk: command ## Start a license server with a year of made-up business, and say where it is
	@exec target/debug/examples/desk $(ARGS)

test: ## Check everything that must hold
	@$(MAKE) packages test-style test-core test-server test-c test-python \
		test-node test-page test-vectors test-targets demo
	@echo "make test: everything holds"

install: ## Install the C library, its headers, pkg-config and CMake files (PREFIX, DESTDIR)
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" sh ffi/install.sh

screenshots: command tests/page/node_modules/.package-lock.json ## Take pictures of every page of the desk
	@cd tests/page && node desk/screenshots.mjs

dist: ## Build what one ships from here into dist/, and try it in empty folders
	@bindings/packaging/dist.sh
	@bindings/packaging/test_dist.sh

bench: ## Measure beside what one would pick instead
	@bench/run

bench-server: ## Measure the license server at a million licenses (minutes; needs wrk)
	@bench/run server

soak: ## Try for hours: fuzzing (needs nightly and cargo-fuzz), and longer tests
	@tests/soak.sh

bless: ## Rewrite what is generated: the header, tables in the docs, vectors
	LICENTIA_BLESS=1 cargo test --locked -q -p licentia
	LICENTIA_BLESS=1 cargo test --locked -q -p licentia-server openapi
	LICENTIA_BLESS=1 cargo test --locked -q -p licentia-ffi --test header
	LICENTIA_BLESS=1 cargo test --locked -q -p licentia-ffi --test host stable
	LICENTIA_BLESS=1 cargo test --locked -q -p licentia-cli
	LICENTIA_BLESS=1 cargo test --locked -q -p licentia-tests --test vectors --test webhooks --test tidy

clean: ## Remove everything that was built or installed here
	rm -rf target .venv dist {bindings,examples,bench}/node/node_modules bindings/node/*.node \
		bench/server/node_modules tests/page/node_modules \
		bindings/node/LICENSE-* bindings/python/python/licentia/*.so tests/fuzz/{target,corpus} \
		bench/python/.venv .hypothesis .mypy_cache .pytest_cache \
		bindings/python/{.hypothesis,.mypy_cache,.pytest_cache}
	find . -name __pycache__ -prune -exec rm -rf {} +

# What is built. Each face on its own: built together, cargo would give all of them the code
# that signs, which only the command may have.

# As it is developed: in half the time, and of what its tests are made of. Whoever installs it builds
# it for speed.
command: ## Build the command, target/debug/licentia, and the example desk
	@echo "building the command (minutes the first time)"
	@cargo build --locked --quiet -p licentia-server -p licentia-cli --bin licentia --example desk

stage: ## Build the C library and its examples in target/stage
	@echo "building the C library"
	@PREFIX="$(CURDIR)/$(STAGE)" DESTDIR= sh ffi/install.sh >/dev/null
	@for name in quickstart daemon online; do \
		cc -std=c11 $(STRICT) examples/c/$$name.c -o $(STAGE)/$$name-c $(LINK); done
	@rm -f $(STAGE)/{quickstart,desktop,online}-cpp
	@if command -v c++ >/dev/null; then for name in quickstart desktop online; do \
		c++ -std=c++17 $(STRICT) examples/cpp/$$name.cpp -o $(STAGE)/$$name-cpp $(LINK); done; fi
	@$(MAKE) stage-http

# Web servers, and the hosts that are made of them, where there are the libraries to serve with.
stage-http:
	@rm -f $(STAGE)/{webserver,host}-{c,cpp}
	@if [ -e /usr/include/microhttpd.h ]; then \
		cc -std=c11 $(STRICT) examples/c/webserver.c -o $(STAGE)/webserver-c $(LINK) -lmicrohttpd; \
		cc -std=c11 $(STRICT) tests/hosts/c.c -o $(STAGE)/host-c $(LINK) -lmicrohttpd; \
	else echo "skipped: a web server in C (Debian package libmicrohttpd-dev)"; fi
	@if [ -e /usr/include/httplib.h ] && command -v c++ >/dev/null && \
		command -v pkg-config >/dev/null; then \
		flags="-std=c++17 $(STRICT) -pthread $$(pkg-config --cflags cpp-httplib)"; \
		c++ $$flags examples/cpp/webserver.cpp -o $(STAGE)/webserver-cpp $(LINK) -lcpp-httplib; \
		c++ $$flags tests/hosts/cpp.cpp -o $(STAGE)/host-cpp $(LINK) -lcpp-httplib; \
	else echo "skipped: a web server in C++ (Debian packages libcpp-httplib-dev, pkg-config)"; fi

.venv/ready: bindings/python/requirements-test.txt tests/requirements.txt
	@python3 -m venv .venv || { rm -rf .venv; \
		echo "python3 cannot make a virtual environment: apt-get install python3-venv"; exit 1; }
	$(VENV)/python -m pip install --quiet --disable-pip-version-check $(^:%=-r %)
	@touch $@

# An environment that was moved, or whose Python is gone, is made again.
python: ## Build the Python module into .venv
	@echo "building the Python module"
	@$(VENV)/python -c '' 2>/dev/null || rm -rf .venv
	@$(MAKE) .venv/ready
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(VENV)/python -m maturin develop --release --locked \
		--manifest-path bindings/python/Cargo.toml >.venv/build.log 2>&1 || \
		{ cat .venv/build.log; exit 1; }

NODE_MODULES := $(addsuffix /node/node_modules/.package-lock.json,bindings examples)

%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

node: $(NODE_MODULES) ## Build the Node addon
	@echo "building the Node addon"
	@cd bindings/node && npm run --silent build -- --locked >/dev/null

# What is tested.

packages:
	@.ci/packages

test-style:
	@if cargo fmt --version >/dev/null 2>&1; then cargo fmt --all --check; \
	else echo "skipped: formatting (no rustfmt here)"; fi
	@if cargo clippy --version >/dev/null 2>&1; then \
		cargo clippy --locked --quiet --workspace --all-targets -- -D warnings; \
	else echo "skipped: lints (no clippy here)"; fi

# As it is shipped, with a network; and that it is whole without.
test-core:
	cargo test --locked -p licentia --features net
	cargo check --locked --quiet -p licentia

# The server and the command, on SQLite, and on PostgreSQL where there is one to start: together,
# so that what both are made of is built once. schemathesis is in the Python environment.
test-server: python
	cargo test --locked -p licentia-server -p licentia-cli

test-c:
	cargo test --locked -p licentia-ffi

test-python: command python
	$(VENV)/python -m pytest -q bindings/python

test-node: command node
	cd bindings/node && npm test --silent

tests/page/node_modules/.package-lock.json: tests/page/package-lock.json
	cd tests/page && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The page and the desk as a browser has them: every look with LICENTIA_SOAK. Pictures are in
# target/page.
test-page: command node
	@if [ -x "$${CHROMIUM:-/usr/bin/chromium}" ]; then \
		$(MAKE) tests/page/node_modules/.package-lock.json && cd tests/page && node --test --test-reporter=spec; \
	else echo "skipped: the page in a browser (no chromium here; Debian package chromium)"; fi

# With the server and the command, for what they were built from; the tests are these alone.
test-vectors: command stage python node
	@command -v c++ >/dev/null || echo "skipped: C++ (there is no c++ here; Debian package g++)"
	LICENTIA_REQUIRE=c$$(command -v c++ >/dev/null && echo ,cpp || true),python,node,cli \
		cargo test --locked -p licentia-server -p licentia-cli -p licentia-tests \
		$$(ls tests/tests | sed 's/\.rs$$//; s/^/--test /')

# The parts of other systems are compiled where their targets are; they have not been run yet.
test-targets:
	@for target in x86_64-pc-windows-gnu aarch64-apple-darwin; do \
		if rustup target list --installed 2>/dev/null | grep -qx $$target; then \
			cargo check --locked -p licentia --features issue --target $$target; \
		else echo "skipped: compiling for $$target (rustup target add $$target)"; fi; \
	done
