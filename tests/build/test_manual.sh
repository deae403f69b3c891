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
	mandoc -T ascii "$page" | sed 's/.\x08//g' >"$scratch/page"
	"$tool" --help >"$scratch/help" 2>&1 || fail "$name --help"
	grep -oE -- '(^|[^a-z0-9-])--[a-z][a-z0-9-]*' "$scratch/help" | grep -oE -- '--.*' |
		sort -u >"$scratch/options" || fail "$name --help lists no option"
	while read -r option; do
		grep -qE -- "$option([^a-z0-9-]|$)" "$scratch/page" || fail "$name: the page lacks $option"
	done <"$scratch/options"
done
