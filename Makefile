# Vitalwire. What a target installs it says first.
.PHONY: run web build test lint bench

# Builds everything and opens a live virtual ward of 24 beds.
run: build
	./target/release/vitalwire demo

build: web
	cargo build --release --locked -p vitalwire

# The pages: installs their packages through npm, from the lock file.
web:
	@echo "npm: installing the pages' packages (web/package-lock.json)"
	cd web && npm ci --no-audit --no-fund --loglevel=error && npm run build

# All tests of the crates and the pages' unit tests.
test: web
	cargo test --workspace --locked
	cd web && npm test

lint:
	cargo clippy --workspace --all-targets --locked

bench: build
	cargo run --release -p store --example budget
	cargo run --release -p mapping --example hot_path
	cargo run --release -p wire-hl7 --example speed
