#!/bin/sh
# Installs the packages that Aralez needs to build and run, on Debian and Ubuntu. Prints nothing if nothing is missing.
set -eu

packages="ca-certificates cmake curl g++ gcc libssl-dev make perl pkg-config"

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

missing=""
if command -v dpkg-query >/dev/null 2>&1; then
    for package in $packages; do
        state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$state" = installed ] || missing="$missing $package"
    done
else
    # Not a Debian system: check for the programs themselves.
    for program in cc c++ cmake curl make perl pkg-config; do
        command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
    done
    if [ -n "$missing" ]; then
        fail "Missing programs:$missing." \
            "Install them and the OpenSSL headers with this system's package manager, then try again."
    fi
fi

if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # a list of packages
    "$(dirname "$0")/install-packages.sh" $missing
fi

if ! command -v cargo >/dev/null 2>&1; then
    fail "cargo is missing: Aralez needs Rust (the version in rust-toolchain.toml)." \
        "Install it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" \
        "then open a new shell, or run: . \"\$HOME/.cargo/env\""
fi
