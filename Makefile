# Thin on purpose: it calls meson, and tools/ for what a fresh machine lacks.

BUILD ?= build
ARGS ?=

# Whatever the list of `make help` has.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\# .*/\1/p' Makefile)

build: setup $(BUILD)/build.ninja ## compile (the default)
	@meson compile -C $(BUILD)

run: setup $(BUILD)/build.ninja ## compile, then serve on 127.0.0.1:8080; ARGS="..." goes to drover
	@meson compile -C $(BUILD) drover drover-node
	@BUILD=$(BUILD) bash tools/run.sh $(ARGS)

test: setup-test ## every test: gcc, gcc with sanitizers, clang
	@python3 tools/test.py

# The page of results is written when everything was measured, not when ARGS choose a part.
bench: build ## compare with nginx and HAProxy, side by side (15 minutes): bench/RESULTS.md
	@sh tools/setup.sh bench
	@python3 bench/compare.py --build $(BUILD) $(or $(ARGS),--results bench/RESULTS.md)
	@$(if $(ARGS),,python3 bench/swaps.py --build $(BUILD) --quick --results bench/RESULTS.md)

bench-swaps: build ## only where models are swapped (40 minutes; ARGS="--quick": 5)
	@sh tools/setup.sh bench
	@python3 bench/swaps.py --build $(BUILD) $(or $(ARGS),--results bench/RESULTS.md)

bench-cache: build ## hit ratios of the cache beside those of a plain LRU, on a trace with scans
	@$(BUILD)/bench/bench-cachesim

upgrade-storm: build setup-test ## 50 upgrades in place under load: no request may fail
	@DROVER_UPGRADES=50 .venv/bin/python -m pytest -q -s --build $(BUILD) tests/e2e/test_upgrade.py -k no_request

reload-storm: build ## 20 reloads a second for a minute under load, beside nginx and HAProxy: no request may fail
	@sh tools/setup.sh bench
	@python3 bench/reloads.py --build $(BUILD) $(ARGS)

instructions: build ## count what a request, a token and a hit cost, and write bench/instructions.json
	@sh tools/setup.sh test
	@python3 bench/instructions.py --build $(BUILD) --write $(ARGS)

bench-watchers: build ## what 50 watchers of the dashboard cost those who ask
	@python3 bench/watchers.py --build $(BUILD) $(ARGS)

soak-page: setup-test build ## a dashboard that is left open for ten hours of updates (some 15 minutes)
	@DROVER_PAGE_UPDATES=36000 DROVER_TEST_LIMIT=3600 .venv/bin/python -m pytest -q -s \
		--build $(BUILD) tests/e2e/test_page.py -k left_open

test-tls: build setup-test ## the end-to-end tests with clients that come by TLS (2 minutes)
	@.venv/bin/python -m pytest -q -n 2 --build $(BUILD) --tls $(or $(ARGS),tests/e2e)

faults: build setup-test ## each row of docs/faults.md, at full size (5 minutes)
	@.venv/bin/python -m pytest -q --build $(BUILD) --faults docs/faults.md tests/e2e/test_faults.py

setup: ## install what compiling needs (apt, only when something is missing)
	@sh tools/setup.sh build

chaos: build setup-test ## ten minutes of everything that can go wrong, then the books; ARGS="--seed 1 --seconds 60"
	@.venv/bin/python tests/e2e/chaos.py --build $(BUILD) $(ARGS)

setup-test: ## the same for the tests
	@sh tools/setup.sh test

asan: setup-test ## the suite under AddressSanitizer and UndefinedBehaviorSanitizer alone
	@python3 tools/test.py asan

# Left out of the end-to-end tests: what is about how many and how fast.
valgrind: setup-test build ## under memcheck: unit tests, simulations, and the program in end-to-end tests (an hour)
	@meson setup --reconfigure $(BUILD) >/dev/null
	@meson test -C $(BUILD) --no-rebuild --setup valgrind --suite unit --print-errorlogs
	@meson test -C $(BUILD) --no-rebuild --setup valgrind --print-errorlogs sim/limits sim/variants sim/sched
	@DROVER_TEST_LIMIT=600 .venv/bin/python -m pytest -q --memcheck --build $(BUILD) \
		-k "not many_handshakes and not storm and not no_request_fails" \
		$(addprefix tests/e2e/test_,stream.py client_gone.py reload.py cache.py tls.py life.py)

fuzz: setup-test ## every fuzzer for a minute; ARGS="--seconds 3600 http_head json" for others
	@python3 tools/fuzz.py $(ARGS)

coverage: setup-test ## lines of parsers and configuration that unit tests and corpora reach
	@python3 tools/coverage.py $(ARGS)

lint: setup-test $(BUILD)/build.ninja ## floors, sizes, format
	@meson test -C $(BUILD) --suite lint --print-errorlogs

format: setup-test ## clang-format on every C file
	@python3 tests/lint/lint.py --fix format

tidy: setup-test build ## clang-tidy on every C file that changed since it was clean (all: 15 minutes)
	@sh tools/setup.sh tidy
	@python3 tests/lint/analyse.py --build $(BUILD) $(ARGS) tidy

cppcheck: setup-test $(BUILD)/build.ninja ## cppcheck on every C file, as in the suite lint
	@python3 tests/lint/analyse.py --build $(BUILD) cppcheck

install: build ## meson install; DESTDIR counts
	@meson install -C $(BUILD) --no-rebuild

man: build ## write the list of settings in drover.yaml(5) anew
	@python3 tests/lint/man.py --fix $(BUILD)/src/app/drover $(BUILD)/src/node/drover-node $(BUILD)/src/load/drover-bench

package: setup ## the Debian package, from what is committed, in build/package
	@sh tools/setup.sh package
	@sh tools/package.sh

package-test: package ## install it in a clean Debian root (debootstrap; as root) and try it
	@sh tools/package_test.sh build/package/drover_*.deb

clean: ## remove what was built
	rm -rf build build-gcc build-asan build-clang build-fuzz build-coverage

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) $$(pkg-config --exists cmocka || echo -Dtests=disabled)
