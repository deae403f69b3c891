#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A BPF object without BTF, and a clang that is too old, fail the build and say why.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

clang=$(sed -n 's/^ECBPF_CLANG:[^=]*=//p' "$build_dir/CMakeCache.txt")
[ -x "$clang" ] || fail "$build_dir/CMakeCache.txt names no ECBPF_CLANG"

# fake_clang VERSION: the real one, with another version number and deaf to -g
fake_clang()
{
	cat >"$scratch/clang" <<-SCRIPT
		#!/usr/bin/env bash
		[ "\$1" != -dumpversion ] || { echo "$1"; exit; }
		arguments=()
		for argument; do [ "\$argument" = -g ] || arguments+=("\$argument"); done
		exec "$clang" "\${arguments[@]}"
	SCRIPT
	chmod +x "$scratch/clang"
}

configure()
{
	cmake -S "$source_dir" -B "$scratch/build" -DECBPF_TESTS=OFF \
		"-DECBPF_CLANG=$scratch/clang" >"$scratch/log" 2>&1
}

fake_clang 14.0.0
configure || fail "configure: $(cat "$scratch/log")"
if cmake --build "$scratch/build" --target xdp_nop_skel_generated >"$scratch/log" 2>&1; then
	fail "an object without BTF passed"
fi
grep -q 'no BTF' "$scratch/log" || fail "the error doesn't name BTF: $(cat "$scratch/log")"
[ ! -e "$scratch/build/xdp_root/xdp_nop.bpf.o" ] || fail "the object without BTF was left behind"

fake_clang 13.0.1
if configure; then
	fail "clang 13 was accepted"
fi
grep -q "version '13.0.1'" "$scratch/log" || fail "the error doesn't name the version"
