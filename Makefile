# Vitalwire. What a target installs it says first.
.PHONY: run web build test lint bench fuzz

# Builds everything and opens a live virtual ward of 24 beds.
run: build
	./target/release/vitalwire demo

build: web
	cargo build --release --locked -p vitalwire

# The pages: installs their packages through npm, from the lock file.
web:
	@echo "npm: installing the pages' packages (web/package-lock.json)"
	cd web && npm ci --no-audit --no-fund --loglevel=error && npm run build

# All tests: of the crates and of the pages; then of the debug build of the program, with other people's
# clients (tests/) and in a browser (web/e2e). TEST_JOBS says how many files of tests/ run at once.
TEST_JOBS ?= 3
test: web
	sh tests/setup.sh
	cargo test --workspace --locked
	cargo build --locked -p vitalwire
	cd web && npm test
	target/test-venv/bin/pytest tests -n $(TEST_JOBS) --dist loadfile --durations 10
	cd web && VITALWIRE_BIN=$(CURDIR)/target/debug/vitalwire npm run e2e

# The house rules that a machine can check, and the compiler's and clippy's advice as errors.
lint:
	cargo xtask tidy
	cargo clippy --workspace --all-targets --locked -- -D warnings

bench: build
	cargo run --release -p store --example budget
	cargo run --release -p mapping --example hot_path
	cargo run --release -p wire-hl7 --example speed

# Fuzz targets one after the other (fuzz/README.md); needs `cargo install cargo-fuzz`.
FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?= $(shell sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"/\1/p' fuzz/Cargo.toml)
fuzz:
	cargo run --quiet --manifest-path fuzz/Cargo.toml --example seed
	cd fuzz && for target in $(FUZZ_TARGETS); do \
		RUSTC_BOOTSTRAP=1 nice cargo fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done
