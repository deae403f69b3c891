#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Manual pages pass mandoc's linter, and document every option that --help lists.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

need mandoc mandoc
pages=$(find "$build_dir/man" -type f)
[ -n "$pages" ] || fail "no manual page in $build_dir/man"

for page in $pages; do
	mandoc -T lint -W warning "$page" || fail "$page"
	name=$(basename "${page%.*}")
	tool=$(find "$build_dir" -type f -name "$name" -perm -u+x -print -quit)
	[ -n "$tool" ] || continue
	mandoc -T utf8 "$page" | col -bx >"$scratch/page"
	"$tool" --help 2>&1 | grep -oE -- '(^|[ ,|[])--[a-z][a-z0-9-]*' | grep -oE -- '--.*' | sort -u |
		while read -r option; do
			grep -qF -- "$option" "$scratch/page" || fail "$name: the page lacks $option"
		done
done
