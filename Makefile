# Commands for developers. Each target installs what is missing, or reports it.

# Link the system's OpenSSL: building it from source takes minutes. Only `dist` links a bundled one.
export OPENSSL_NO_VENDOR := 1

# rustup's folder for cargo, for shells started before rustup was installed.
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: up test prove bench dist advisories build-deps test-deps bench-deps programs

# Builds control, proxy and the commands in release mode, and runs them with a sample site on http://127.0.0.1:6193/.
up: build-deps
	cargo build --release -p aralez-control -p aralez-proxy -p aralez-ctl
	exec "$${CARGO_TARGET_DIR:-target}/release/aralez-ctl" up

# All checks that must pass before a merge. `cargo test` comes last, so that the output ends with its result.
# One build of all targets precedes the tests, so that every crate is compiled with one set of features.
# Two tests run at a time, because the end-to-end tests start whole fleets.
test: build-deps test-deps
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
	cargo bench --profile instructions -p aralez-proxy --bench request_path --no-run
	cargo build --workspace --all-targets
	RUST_TEST_THREADS=2 cargo test --workspace

# Checks that take too long for every change: oauth2-proxy and golang-jwt as built from their modules, all slow peers at full number, five times
# the victims, a minute of fuzzing for each reader, more generated messages compared with other parsers, more seeds of the model, hundreds of
# kills of both daemons while they write. Then, in release mode, the effects that users of a running fleet see (prove-changes), and a full-size
# fleet (prove-fleet): about an hour on an otherwise idle machine. Each measurement of a promise becomes a row in tests/PROOF.md. PROVE selects
# parts of prove-changes, such as PROVE="large"; FLEET passes options to prove-fleet, such as FLEET="removals --nodes 1000".
PROVE := changes saves large edits hosts
prove: build-deps test-deps programs
	cargo build --workspace --all-targets
	cargo test -p aralez-tests --test oauth2_proxy --test golang_jwt -- --ignored
	ARALEZ_PROVE=1 ARALEZ_FUZZ_SECONDS=60 cargo test -p aralez-proxy --test fuzz --test differential -- --nocapture
	ARALEZ_PROVE=1 cargo test -p aralez-tests --test slow_peers --test idle_peers --test no_effect --test corpus --test model -- --nocapture
	ARALEZ_PROVE=1 cargo test -p aralez-tests --test cache_kills --test cache_damage --test ledger_kills --test full_disk --test watchdog --test handover --test endpoints --test room -- --nocapture
	cargo build --release -p aralez-control -p aralez-proxy -p aralez-ctl -p aralez-tests -p aralez-bench
	for part in $(PROVE); do "$${CARGO_TARGET_DIR:-target}/release/prove-changes" $$part || exit 1; done
	"$${CARGO_TARGET_DIR:-target}/release/prove-fleet" --out "$${CARGO_TARGET_DIR:-target}/proof/fleet.md" $(FLEET)
	"$${CARGO_TARGET_DIR:-target}/release/proof" "$${CARGO_TARGET_DIR:-target}/proof" tests/PROOF.md

# Compares our proxy with nginx, HAProxy and a minimal pingora-proxy; ours and the last are built as for a release (fat LTO). Takes about half
# an hour on an otherwise idle machine, and as long to build.
# `make bench QUICK=1` takes about three minutes and detects only large differences. BENCH passes more options, such as
# BENCH="--scenario post64k --workers 1", or BENCH="--proxies ours --before FOLDER" to compare with another build of aralez-control and
# aralez-proxy; `bench --help` lists them. The report is printed, and written to target/bench.md.
BENCH_LENGTH := $(if $(QUICK),--pairs 3 --starts 1 --seconds 0.5 --warm 0.2 --connections 8 --traced 500,)
bench: build-deps bench-deps
	cargo build --profile dist -p aralez-control -p aralez-proxy -p aralez-bench
	PATH="$$PATH:/usr/sbin:/sbin" "$${CARGO_TARGET_DIR:-target}/dist/bench" $(BENCH_LENGTH) \
		--out "$${CARGO_TARGET_DIR:-target}/bench.md" $(BENCH)

# Builds the release programs: fat LTO, OpenSSL linked in. Slow.
dist: build-deps
	OPENSSL_NO_VENDOR=0 cargo build --profile dist -p aralez-control -p aralez-proxy -p aralez-ctl

# Queries RustSec for advisories that are not in tests/advisories.txt yet. Needs the network, so it is not part of `make test`.
advisories:
	command -v cargo-audit >/dev/null || cargo install cargo-audit --locked
	cargo audit

build-deps:
	./deploy/install-build-deps.sh

test-deps:
	./deploy/install-tools.sh valgrind htpasswd=apache2-utils curl openssl

bench-deps:
	./deploy/install-tools.sh nginx=nginx-light haproxy strace

# Builds the programs of other projects that `make prove` runs against ours, at the versions that `tests/programs` pins.
PROGRAMS := github.com/oauth2-proxy/oauth2-proxy/v7 github.com/golang-jwt/jwt/v5/cmd/jwt
programs:
	@command -v go >/dev/null || { echo "Go 1.26 or newer is needed to build $(PROGRAMS): https://go.dev/dl/" >&2; exit 1; }
	GOBIN="$(abspath $(or $(CARGO_TARGET_DIR),target))/programs" go -C tests/programs install -mod=readonly $(PROGRAMS)
