#!/bin/sh
# Installs programs that tests and measurements use, on Debian and Ubuntu. Each argument is PROGRAM or PROGRAM=PACKAGE. Prints nothing if
# nothing is missing.
set -eu

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

# Debian installs daemons in /usr/sbin, which is not in every user's PATH.
PATH="$PATH:/usr/sbin:/sbin"

# Check for programs, not packages: any nginx package is fine.
missing=""
for wanted in "$@"; do
    command -v "${wanted%%=*}" >/dev/null 2>&1 || missing="$missing ${wanted##*=}"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    fail "Missing programs:$missing. Install them with this system's package manager, then try again."
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        fail "Missing packages:$missing. Only root can install them, and sudo is not available." \
            "Run as root: apt-get install$missing"
    fi
    as_root="sudo"
fi

say "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# The package lists of a fresh image are empty or old. Without network access, the install below reports what it cannot find.
$as_root apt-get update -qq || say "Cannot update the package lists; using the existing ones."
# shellcheck disable=SC2086 # a list of packages
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    fail "Cannot install:$missing. Install them manually, then try again."
