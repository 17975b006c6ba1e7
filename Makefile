# What a person runs here. Each target says what is missing, or installs it.

# The system's OpenSSL: building it from source takes minutes. Only what is shipped links its own.
export OPENSSL_NO_VENDOR := 1

# Where rustup puts cargo, for shells that have not heard of it yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: up test prove bench dist advisories build-deps bench-deps

# Builds control, proxy and the commands in release mode, and runs them with a sample site on http://127.0.0.1:6193/.
up: build-deps
	cargo build --release -p aralez-control -p aralez-proxy -p aralez-ctl
	exec "$${CARGO_TARGET_DIR:-target}/release/aralez-ctl" up

# Everything that must hold before a change is merged. The last lines are the test runner's own.
# One build of all targets feeds the tests, so that every crate is compiled with one set of features;
# two tests at a time, since the end-to-end ones start whole fleets.
test: build-deps
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
	cargo build --workspace --all-targets
	RUST_TEST_THREADS=2 cargo test --workspace

# What takes longer than a change should wait for: every slow peer at full number, five times the victims, a minute of fuzzing for each
# reader, more generated messages beside other parsers, more seeds of the model, hundreds of kills of both daemons while they write. Then, in
# release mode, what users of a running fleet see, and a fleet of full size: about an hour that wants a machine which does nothing else.
# What is measured against a promise becomes a row in tests/PROOF.md. PROVE="large" runs some parts of the former alone, FLEET holds options
# of prove-fleet, such as FLEET="removals --nodes 1000".
PROVE := changes saves large edits hosts
prove: build-deps
	cargo build --workspace --all-targets
	ARALEZ_PROVE=1 ARALEZ_FUZZ_SECONDS=60 cargo test -p aralez-proxy --test fuzz --test differential -- --nocapture
	ARALEZ_PROVE=1 cargo test -p aralez-tests --test slow_peers --test idle_peers --test no_effect --test corpus --test model -- --nocapture
	ARALEZ_PROVE=1 cargo test -p aralez-tests --test cache_kills --test cache_damage --test ledger_kills --test full_disk --test watchdog --test handover --test endpoints --test room -- --nocapture
	cargo build --release -p aralez-control -p aralez-proxy -p aralez-ctl -p aralez-tests -p aralez-bench
	for part in $(PROVE); do "$${CARGO_TARGET_DIR:-target}/release/prove-changes" $$part || exit 1; done
	"$${CARGO_TARGET_DIR:-target}/release/prove-fleet" --out "$${CARGO_TARGET_DIR:-target}/proof/fleet.md" $(FLEET)
	"$${CARGO_TARGET_DIR:-target}/release/proof" "$${CARGO_TARGET_DIR:-target}/proof" tests/PROOF.md

# Our proxy beside nginx, HAProxy and a minimal pingora-proxy, ours and the last as they are shipped (fat LTO): about half an hour on a
# machine that does nothing else, and as long to build.
# `make bench QUICK=1` takes about three minutes and shows only what is far off. BENCH holds more options, such as
# BENCH="--scenario post64k --workers 1", or BENCH="--proxies ours --before FOLDER" for another build of aralez-control and aralez-proxy beside
# this one; `bench --help` lists them. The report is printed, and kept in target/bench.md.
BENCH_LENGTH := $(if $(QUICK),--pairs 3 --starts 1 --seconds 0.5 --warm 0.2 --connections 8 --traced 500,)
bench: build-deps bench-deps
	cargo build --profile dist -p aralez-control -p aralez-proxy -p aralez-bench
	PATH="$$PATH:/usr/sbin:/sbin" "$${CARGO_TARGET_DIR:-target}/dist/bench" $(BENCH_LENGTH) \
		--out "$${CARGO_TARGET_DIR:-target}/bench.md" $(BENCH)

# What is shipped: fat LTO, OpenSSL linked in. Slow.
dist: build-deps
	OPENSSL_NO_VENDOR=0 cargo build --profile dist -p aralez-control -p aralez-proxy -p aralez-ctl

# Asks RustSec for advisories that tests/advisories.txt does not know yet. Wants the network, so `make test` does without.
advisories:
	command -v cargo-audit >/dev/null || cargo install cargo-audit --locked
	cargo audit

build-deps:
	./deploy/install-build-deps.sh

bench-deps:
	./deploy/install-bench-deps.sh
