#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A second build does nothing; a changed BPF header rebuilds what includes it, and no more.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

work()
{
	cmake --build "$scratch/build" --target xdp_root_loader xdp_filter | grep -E 'Building|Linking|Generating' >"$scratch/work" || true
}

copy_tree "$scratch/tree"
cmake -S "$scratch/tree" -B "$scratch/build" -DECBPF_TESTS=OFF >"$scratch/log" 2>&1 ||
	fail "configure: $(cat "$scratch/log")"
quietly cmake --build "$scratch/build" -j "$(nproc)" --target xdp_root_loader xdp_filter

work
[ ! -s "$scratch/work" ] || fail "a second build did: $(cat "$scratch/work")"

touch "$scratch/tree/xdp_filter/xdp_filter.h"
work
grep -q 'BPF object xdp_filter.bpf.o' "$scratch/work" || fail "xdp_filter.bpf.o was not rebuilt"
grep -q 'skeleton xdp_filter.skel.h' "$scratch/work" || fail "its skeleton was not rebuilt"
! grep -q 'xdp_root' "$scratch/work" || fail "xdp_root was rebuilt: $(cat "$scratch/work")"

touch "$scratch/tree/libecbpf/include/ecbpf/reasons.h"
work
for name in xdp_root xdp_filter; do
	grep -q "BPF object $name.bpf.o" "$scratch/work" || fail "$name.bpf.o was not rebuilt"
done
