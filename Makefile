# Thin on purpose: it calls meson, and tools/ for what a fresh machine lacks.

BUILD ?= build
ARGS ?=

.PHONY: build run test bench bench-hits bench-swaps setup setup-test asan lint format tidy clean install help

build: setup $(BUILD)/build.ninja ## compile (the default)
	@meson compile -C $(BUILD)

run: setup $(BUILD)/build.ninja ## compile, then serve on 127.0.0.1:8080; ARGS="..." goes to drover
	@meson compile -C $(BUILD) drover drover-node
	@BUILD=$(BUILD) bash tools/run.sh $(ARGS)

test: setup-test ## every test: gcc, gcc with sanitizers, clang
	@python3 tools/test.py

bench: build ## compare with nginx and HAProxy, side by side; ARGS="..." goes to bench/compare.py
	@sh tools/setup.sh bench
	@python3 bench/compare.py --build $(BUILD) $(ARGS)

bench-hits: build ## hits of the cache beside those of nginx, and hit ratios beside a plain LRU
	@sh tools/setup.sh bench
	@python3 bench/hits.py --build $(BUILD) $(ARGS)
	@$(BUILD)/bench/bench-cachesim

bench-swaps: build ## the same where models are swapped (about 40 minutes; ARGS="--quick": 5)
	@sh tools/setup.sh bench
	@python3 bench/swaps.py --build $(BUILD) $(ARGS)

setup: ## install what compiling needs (apt, only when something is missing)
	@sh tools/setup.sh build

setup-test: ## the same for the tests
	@sh tools/setup.sh test

asan: setup-test ## the suite under AddressSanitizer and UndefinedBehaviorSanitizer alone
	@python3 tools/test.py asan

lint: setup-test $(BUILD)/build.ninja ## floors, sizes, format
	@meson test -C $(BUILD) --suite lint --print-errorlogs

format: setup-test ## clang-format on every C file
	@python3 tests/lint/lint.py --fix format

tidy: setup-test $(BUILD)/build.ninja ## clang-tidy on every C file
	@python3 tests/lint/lint.py --build $(BUILD) tidy

install: build ## meson install; DESTDIR counts
	@meson install -C $(BUILD) --no-rebuild

clean: ## remove what was built
	rm -rf build build-gcc build-asan build-clang

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) $$(pkg-config --exists cmocka || echo -Dtests=disabled)
