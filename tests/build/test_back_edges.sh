#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# No BPF program has a loop that old kernels refuse for how it is laid out.
# shellcheck source=tests/build/common.sh
. "$(dirname "$0")/common.sh"

clang=$(sed -n 's/^ECBPF_CLANG:[^=]*=//p' "$build_dir/CMakeCache.txt")
check()
{
	python3 "$source_dir/tests/build/back_edges.py" "$@"
}

# assemble STATEMENT...: a program of these
assemble()
{
	printf '.section xdp,"ax",@progbits\n'
	printf '%s\n' "$@"
}

assemble 'r0 = 0' 'goto head' 'step: r0 += 1' 'head: if r0 < 9 goto step' exit |
	"$clang" -target bpf -x assembler -c -o "$scratch/refused.o" -
assemble 'r0 = 0' 'head: r0 += 1' 'if r0 < 9 goto head' exit |
	"$clang" -target bpf -x assembler -c -o "$scratch/taken.o" -
! check "$scratch/refused.o" >"$scratch/said" || fail "a loop that is refused wasn't found"
grep -q 'from instruction 2 back to 3' "$scratch/said" || fail "$(cat "$scratch/said")"
check "$scratch/taken.o" || fail "a loop that is taken was refused"

mapfile -t objects < <(find "$build_dir" -path "$build_dir/variants" -prune -o \
	-name '*.bpf.o' -print)
[ "${#objects[@]}" -gt 10 ] || fail "only ${#objects[@]} BPF objects in $build_dir"
check "${objects[@]}" || fail "some kernels don't take these loops: lay them out otherwise"
printf '%s objects\n' "${#objects[@]}"
