/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VERIFIER_BPF_H
#define VERIFIER_BPF_H

#include <linux/types.h>

#include <bpf/bpf_helpers.h>

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

#endif
