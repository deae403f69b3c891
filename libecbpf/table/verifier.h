/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_VERIFIER_H
#define ECBPF_VERIFIER_H

#include <linux/types.h>

#ifdef __bpf__
#include <bpf/bpf_helpers.h>
#endif

/*
 * @value, of which the verifier then knows nothing, given that it knows nothing of @unknown:
 * without this it follows a loop once for each value that it knows to be alive across it.
 */
static __always_inline __u32 verifier_forget(__u32 value, __u32 unknown)
{
	value ^= unknown;
	asm volatile("" : "+r"(value));
	return value ^ unknown;
}

static __always_inline __u64 verifier_forget64(__u64 value, __u64 unknown)
{
	value ^= unknown;
	asm volatile("" : "+r"(value));
	return value ^ unknown;
}

#endif
