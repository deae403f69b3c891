# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034
#
# Sourced by the tests of the build. ctest sets ECBPF_SOURCE_DIR and ECBPF_BUILD_DIR.
set -euo pipefail

# Tests that have deadlines run beside these.
renice -n 10 $$ >/dev/null

source_dir=${ECBPF_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build_dir=${ECBPF_BUILD_DIR:-$source_dir/build/release}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ecbpf-build-XXXXXX")
trap 'rm -rf -- "$scratch"' EXIT

fail()
{
	printf 'FAIL: %s\n' "$*" >&2
	exit 1
}

skip()
{
	printf 'SKIP: %s\n' "$*"
	exit 77
}

need()
{
	command -v "$1" >/dev/null || skip "no $1 here (package $2)"
}

# quietly COMMAND...: shows what it printed only if it fails
quietly()
{
	"$@" >"$scratch/log" 2>&1 || {
		cat "$scratch/log" >&2
		fail "$*"
	}
}

# variant NAME LABELS CMAKE-ARGUMENT...: builds another kind of build, kept for the next run, and
# runs the tests of these labels in it
variant()
{
	local folder=$build_dir/variants/$1 labels=$2 label
	shift 2
	quietly cmake -S "$source_dir" -B "$folder" -DECBPF_TESTS=ON "$@"
	for label in $labels; do
		quietly cmake --build "$folder" -j "$(nproc)" --target "${label}_tests"
	done
	quietly ctest --test-dir "$folder" --output-on-failure -L "^(${labels// /|})\$"
}

# list_sources PATTERN...: the project's own files, libbpf's left out
list_sources()
{
	local pattern found=()
	if git -C "$source_dir" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git -C "$source_dir" ls-files -co --exclude-standard -- "$@" ':!ext/libbpf' |
			while IFS= read -r pattern; do
				[ ! -f "$source_dir/$pattern" ] || printf '%s\n' "$pattern"
			done
		return
	fi
	for pattern in "$@"; do
		found+=(-o -path "./$pattern" -o -path "*/$pattern")
	done
	(cd "$source_dir" && find . \( -path ./build -o -path ./ext/libbpf -o -path ./.git \) -prune \
		-o -type f \( "${found[@]:1}" \) -print)
}

# copy_tree FOLDER: the sources as they stand, without what was built
copy_tree()
{
	mkdir -p "$1"
	tar -C "$source_dir" -cf - --exclude=./build --exclude=./.git --exclude=./ext/libbpf . |
		tar -C "$1" -xf -
}
