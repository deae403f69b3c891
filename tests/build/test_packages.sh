#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# build.sh names missing packages and stops (not root), or installs exactly those (root), and
# leaves apt alone where nothing is missing. dpkg, apt and the compilers are stand-ins here.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

mkdir -p "$scratch/tree" "$scratch/bin"
cp "$source_dir/build.sh" "$scratch/tree"

# stand_in NAME BODY
stand_in()
{
	printf '#!/bin/sh\n%s\n' "$2" >"$scratch/bin/$1"
	chmod +x "$scratch/bin/$1"
}

# run_build: prints what build.sh said, gives its status
run_build()
{
	(cd "$scratch/tree" && PATH=$scratch/bin:$PATH ./build.sh -b 2>&1)
}

every_package=$("$source_dir/build.sh" deps --list | sed 's/^/ii  /')
stand_in cmake 'exit 0'
stand_in apt-get "echo \"\$*\" >>'$scratch/apt-calls'"
stand_in pkg-config 'exit 1'

stand_in dpkg-query "cat <<'LIST'
$every_package
LIST"
stand_in id 'echo 0'
run_build >"$scratch/said" || fail "nothing is missing, but: $(cat "$scratch/said")"
[ ! -e "$scratch/apt-calls" ] || fail "nothing is missing, but apt-get $(cat "$scratch/apt-calls")"

stand_in dpkg-query "cat <<'LIST'
$(grep -vE ' (libbpf-dev|libjson-c-dev|libcmocka-dev)$' <<<"$every_package")
LIST"
stand_in id 'echo 1000'
status=0
run_build >"$scratch/said" || status=$?
[ "$status" -eq 69 ] || fail "exit status $status instead of 69: $(cat "$scratch/said")"
grep -q 'missing packages: libbpf-dev libjson-c-dev;' "$scratch/said" ||
	fail "wrong packages named: $(cat "$scratch/said")"
[ ! -e "$scratch/apt-calls" ] || fail "apt-get was called without root"

stand_in id 'echo 0'
run_build >"$scratch/said" || fail "$(cat "$scratch/said")"
grep -q 'install libbpf-dev libjson-c-dev$' "$scratch/apt-calls" ||
	fail "wrong packages installed: $(cat "$scratch/apt-calls")"
[ "$(grep -c ' install ' "$scratch/apt-calls")" -eq 1 ] || fail "more than one installation"
[ "$(grep -c ' update$' "$scratch/apt-calls")" -eq 1 ] || fail "not one apt-get update"
