#!/bin/sh
# Installs what `make bench` compares with and counts with, on Debian and Ubuntu. Says nothing when nothing is missing.
set -eu

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

# Debian keeps daemons where only root looks.
PATH="$PATH:/usr/sbin:/sbin"

# The programs are what counts: any package of nginx is fine.
missing=""
command -v nginx >/dev/null 2>&1 || missing="$missing nginx-light"
command -v haproxy >/dev/null 2>&1 || missing="$missing haproxy"
command -v strace >/dev/null 2>&1 || missing="$missing strace"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    fail "These are missing:$missing. Install them with this system's packages, then try again."
fi
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
