#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A newer clang compiles BPF programs that the kernel takes and that do the same, without a warning.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

used=$(sed -n 's/^ECBPF_CLANG:FILEPATH=//p' "$build_dir/CMakeCache.txt")
major=$("$used" -dumpversion | cut -d. -f1)
newer=
for version in {16..30}; do
	[ "$version" -le "$major" ] || [ "$newer" ] || newer=$(command -v "clang-$version" || true)
done
[ "$newer" ] || skip "no clang newer than $major here (package clang-16)"

variant "${newer##*/}" packets "-DECBPF_CLANG=$newer" -DECBPF_WERROR=ON
quietly cmake --build "$build_dir/variants/${newer##*/}" -j "$(nproc)" --target tools
find "$build_dir/variants/${newer##*/}" -name '*.bpf.o' -exec \
	python3 "$source_dir/tests/build/back_edges.py" {} + ||
	fail "some kernels don't take these loops: lay them out otherwise"
