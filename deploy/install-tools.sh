#!/bin/sh
# Installs programs that tests and measurements use. Each argument is PROGRAM or PROGRAM=PACKAGE. Prints nothing if nothing is missing.
set -eu

# Debian installs daemons in /usr/sbin, which is not in every user's PATH.
PATH="$PATH:/usr/sbin:/sbin"

# Check for programs, not packages: any nginx package is fine.
missing=""
for wanted in "$@"; do
    command -v "${wanted%%=*}" >/dev/null 2>&1 || missing="$missing ${wanted##*=}"
done
[ -n "$missing" ] || exit 0

# shellcheck disable=SC2086 # a list of packages
exec "$(dirname "$0")/install-packages.sh" $missing
