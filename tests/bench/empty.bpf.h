/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A subprogram without an opinion, for the slot that the includer names. */
#ifndef BENCH_EMPTY_BPF_H
#define BENCH_EMPTY_BPF_H

#include <ecbpf/subprogram.bpf.h>

ECBPF_SUBPROGRAM(empty_prog)
{
	return ecbpf_next(ctx, packet);
}

char _license[] SEC("license") = "Dual BSD/GPL";

#endif
