# Vitalwire. What a target installs it says first.
.PHONY: run web build test lint bench fuzz

# Builds everything and opens a live virtual ward of 24 beds.
run: build
	./target/release/vitalwire demo

# The program, and beside it what it is made of (CycloneDX) and where it comes from (SLSA provenance).
build: web
	cargo build --release --locked -p vitalwire
	cargo run --quiet --locked -p xtask -- sbom > target/release/vitalwire.cdx.json
	cargo run --quiet --locked -p xtask -- provenance target/release/vitalwire > target/release/vitalwire.provenance.json

# The pages: installs their packages through npm, from the lock file.
web:
	@echo "npm: installing the pages' packages (web/package-lock.json)"
	cd web && npm ci --no-audit --no-fund --loglevel=error && npm run build

# All tests: house rules; the crates and the pages; then the program that cargo built for its own tests, with
# other people's clients (tests/) and in a browser (web/e2e). TEST_JOBS says how many files of tests/ run at once.
TEST_JOBS ?= 3
test: web
	sh tests/setup.sh
	cargo xtask tidy
	cargo test --workspace --locked
	cd web && npm test
	target/test-venv/bin/pytest tests -n $(TEST_JOBS) --dist loadfile --durations 10
	cd web && VITALWIRE_BIN=$(CURDIR)/target/debug/vitalwire npm run e2e

# The house rules that a machine can check, and the compiler's and clippy's advice as errors.
lint:
	cargo xtask tidy
	cargo clippy --workspace --all-targets --locked -- -D warnings

# Measures the release program against its budgets, and mosquitto with PostgreSQL doing the same work
# (docs/benchmarks.md). BENCH passes on options, such as BENCH="--quick --only trends".
BENCH ?=
bench: build
	@if ! [ -x /usr/sbin/mosquitto ] || ! [ -x /usr/lib/postgresql/15/bin/initdb ]; then \
		echo "apt: installing mosquitto and postgresql, to compare with; neither is left running as a service"; \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		printf '#!/bin/sh\nexit 101\n' > target/policy-rc.d && chmod +x target/policy-rc.d; \
		[ -e /usr/sbin/policy-rc.d ] || { $$sudo cp target/policy-rc.d /usr/sbin/policy-rc.d; ours=1; }; \
		$$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends mosquitto postgresql; status=$$?; \
		[ -z "$$ours" ] || $$sudo rm /usr/sbin/policy-rc.d; exit $$status; \
	fi
	@if ! cmp -s tools/codec_peers.txt target/bench-venv/installed.txt; then \
		echo "pip: installing other people's codecs into target/bench-venv (tools/codec_peers.txt), to compare with"; \
		rm -rf target/bench-venv && python3 -m venv target/bench-venv && \
		target/bench-venv/bin/pip install --quiet --disable-pip-version-check --requirement tools/codec_peers.txt && \
		cp tools/codec_peers.txt target/bench-venv/installed.txt || echo "pip: that failed; nothing is compared with others' codecs"; \
	fi
	cargo build --release --locked -p bench
	ulimit -n 20000 && ./target/release/bench $(BENCH)

# Fuzz targets one after the other (fuzz/README.md); needs `cargo install cargo-fuzz`.
FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= $(shell sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"/\1/p' fuzz/Cargo.toml)
fuzz:
	cargo run --quiet --manifest-path fuzz/Cargo.toml --example seed
	cd fuzz && for target in $(FUZZ_TARGETS); do \
		ASAN_OPTIONS=detect_odr_violation=0 RUSTC_BOOTSTRAP=1 nice cargo fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done
