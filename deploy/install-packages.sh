#!/bin/sh
# Installs the given packages on Debian and Ubuntu, as root or with sudo. Used by the scripts that know what is missing.
set -eu

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

if ! command -v apt-get >/dev/null 2>&1; then
    fail "Missing: $*. Install them with this system's package manager, then try again."
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        fail "Missing packages: $*. Only root can install them, and sudo is not available." \
            "Run as root: apt-get install $*"
    fi
    as_root="sudo"
fi

say "Installing: $*"
export DEBIAN_FRONTEND=noninteractive
# The package lists of a fresh image are empty or old. Without network access, the install below reports what it cannot find.
$as_root apt-get update -qq || say "Cannot update the package lists; using the existing ones."
$as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
    fail "Cannot install: $*. Install them manually, then try again."
