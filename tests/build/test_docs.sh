#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the documents name is there: links lead somewhere, manual pages know no option that the tools
# don't, every verdict reason and every statistic is explained, README shows what the filter prints.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

cd "$source_dir"
export LC_ALL=C.UTF-8

# words FILE: lower-case names with underscores, one a line
words()
{
	grep -oE '\b[a-z][a-z0-9]*_[a-z0-9_]*\b' "$1" | sort -u
}

# all_in FILE: standard input's words are all in it
all_in()
{
	local missing
	missing=$(comm -23 <(sort -u) <(words "$1"))
	[ -z "$missing" ] || fail "$1 doesn't mention: ${missing//$'\n'/, }"
}

check_lines()
{
	list_sources '*.md' | xargs grep -nE '^.{101,}' >"$scratch/long" || true
	[ ! -s "$scratch/long" ] || fail "longer than 100 columns: $(cat "$scratch/long")"
}

check_links()
{
	local file target
	list_sources '*.md' | while IFS= read -r file; do
		grep -oE '\]\([^)#]+' "$file" | sed 's/^](//' | grep -vE '^https?:' |
			while IFS= read -r target; do
				[ -e "$(dirname "$file")/$target" ] || printf '%s: %s\n' "$file" "$target"
			done || true
	done >"$scratch/dead"
	[ ! -s "$scratch/dead" ] || fail "links to what isn't there: $(cat "$scratch/dead")"
}

# Long options that the page describes, as items of a list
check_options()
{
	local page=$1 name tool
	name=$(basename "${page%.*}")
	tool=$(find "$build_dir" -type f -name "$name" -perm -u+x -print -quit)
	[ -n "$tool" ] || return 0
	"$tool" --help >"$scratch/help"
	diff <(sed -nE 's/^ +-(.), --([a-z-]+).*/\1 \2/p' "$scratch/help" | sort) \
		<(sed -nE 's/^\.It Fl (.) , Fl -([a-z-]+).*/\1 \2/p' "$page" | sort) ||
		fail "$page has other short options (>) than $name (<)"
	grep -oE -- '--[a-z][a-z-]*' "$scratch/help" | sort -u >"$scratch/options"
	sed -n 's/^\.It Fl/Fl/p' "$page" | grep -oE 'Fl -[a-z][a-z-]*' | sed 's/^Fl -/--/' |
		sort -u | comm -23 - "$scratch/options" >"$scratch/unknown"
	[ ! -s "$scratch/unknown" ] || fail "$page has, but $name has not: $(cat "$scratch/unknown")"
}

check_lines
check_links
for page in docs/man/*.[1-9]; do
	check_options "$page"
done

sed -nE 's/.*X\([A-Z0-9_]+, "([a-z0-9_]+)".*/\1/p' libecbpf/include/ecbpf/reasons.h >"$scratch/reasons"
[ -s "$scratch/reasons" ] || fail "no reason found in reasons.h"
all_in docs/man/ecbpf.7 <"$scratch/reasons"

sed -nE 's/.*X\([A-Z0-9_]+, ([a-z0-9_]+)\).*/\1/p' xdp_filter/xdp_filter.h >"$scratch/stats"
[ -s "$scratch/stats" ] || fail "no statistic found in xdp_filter.h"
for file in docs/man/xdp_filter.8 docs/schema/xdp_filter-status.schema.json; do
	all_in "$file" <"$scratch/stats"
done
sed -n "/^Stats for interface/,/^\`\`\`/s/^\([a-z0-9_]*\): [0-9]*\$/\1/p" README.md |
	diff "$scratch/stats" - || fail "README shows other statistics (>) than there are (<)"
