#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A debug build, under AddressSanitizer and UndefinedBehaviorSanitizer, passes the unit and packet
# tests: its BPF programs, which print, still load and give the same verdicts.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

variant sanitized "unit packets" -DCMAKE_BUILD_TYPE=Debug -DECBPF_SANITIZE=ON

# bpf_printk() keeps its formats in constants of this name.
for name in xdp_root/xdp_root xdp_filter/xdp_filter; do
	readelf -sW "$build_dir/variants/sanitized/$name.bpf.o" | grep '____fmt' >/dev/null ||
		fail "the debug build's $name.bpf.o prints nothing"
	! readelf -sW "$build_dir/$name.bpf.o" | grep '____fmt' ||
		fail "the release build's $name.bpf.o prints"
done
