#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Every shell script passes shellcheck; guests begin with nothing fetched.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

need shellcheck shellcheck
cd "$source_dir"
list_sources '*' | while IFS= read -r file; do
	case $file in
	*.sh | scripts/completions/*) printf '%s\0' "$file" ;;
	*.*) ;;
	*) ! head -n 1 "$file" | grep -aqE '^#!.*\b(ba)?sh\b' || printf '%s\0' "$file" ;;
	esac
done >"$scratch/scripts"
[ -s "$scratch/scripts" ] || fail "no shell script found"
xargs -0 shellcheck -x <"$scratch/scripts"

# Where no kernel was fetched yet, none is listed.
ECBPF_VM_CACHE=$scratch/nothing tests/vm/guest list >"$scratch/kernels"
[ ! -s "$scratch/kernels" ] || fail "kernels in an empty cache: $(cat "$scratch/kernels")"
