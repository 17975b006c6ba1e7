#!/bin/sh
# Installs what building and running Aralez needs on Debian and Ubuntu. Says nothing when nothing is missing.
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
    # Another system: the programs themselves are what counts.
    for program in cc c++ cmake curl make perl pkg-config; do
        command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
    done
    if [ -n "$missing" ]; then
        fail "These programs are missing:$missing." \
            "Install them and OpenSSL's headers with this system's packages, then try again."
    fi
fi

if [ -n "$missing" ]; then
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            fail "These packages are missing, and only root may install them:$missing." \
                "Ask for: apt-get install$missing"
        fi
        as_root="sudo"
    fi
    say "Installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # The lists of a fresh image are empty or old; without the network the install says what it lacks.
    $as_root apt-get update -qq || say "The package lists could not be renewed; trying with those that are here."
    # shellcheck disable=SC2086 # a list of words
    $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
        fail "Could not install:$missing. Install them by hand, then try again."
fi

if ! command -v cargo >/dev/null 2>&1; then
    fail "cargo is missing: Aralez is built with Rust (the release in rust-toolchain.toml)." \
        "Get it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" \
        "then open a new shell, or run: . \"\$HOME/.cargo/env\""
fi
