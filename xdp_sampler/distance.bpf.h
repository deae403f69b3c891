/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Geometrically distributed distances: sampling each packet with probability p costs the packets
 * between samples nothing if the distance to the next one is drawn at once. By inversion:
 * 1 + floor(log2(u) / log2(1 - p)) for u uniform in (0, 1).
 */
#ifndef XDP_SAMPLER_DISTANCE_BPF_H
#define XDP_SAMPLER_DISTANCE_BPF_H

#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "distance.h"

/* log2(1 + i / 256), 16 fractional bits; the loader fills it. */
const volatile __u32 distance_log2[DISTANCE_TABLE + 1] = {};

/* Zeroes before the highest bit of @value, which is not 0. */
static __always_inline __u32 distance_zeroes(__u32 value)
{
	__u32 zeroes = 0;

	if (!(value & 0xffff0000)) {
		zeroes += 16;
		value <<= 16;
	}
	if (!(value & 0xff000000)) {
		zeroes += 8;
		value <<= 8;
	}
	if (!(value & 0xf0000000)) {
		zeroes += 4;
		value <<= 4;
	}
	if (!(value & 0xc0000000)) {
		zeroes += 2;
		value <<= 2;
	}
	return zeroes + !(value & 0x80000000);
}

/* @scale: see struct sampler_config. */
static __always_inline __u64 distance_draw(__u64 scale)
{
	__u32 uniform = bpf_get_prandom_u32(), zeroes, mantissa, index, fraction, low, high;
	__u64 exponential;

	if (!uniform)
		uniform = 1;
	zeroes = distance_zeroes(uniform);
	mantissa = uniform << zeroes;
	index = (mantissa >> 23) & (DISTANCE_TABLE - 1);
	fraction = (mantissa >> 7) & 0xffff;
	low = distance_log2[index];
	high = distance_log2[index + 1];
	exponential = ((__u64)(zeroes + 1) << 16) - (low + ((high - low) * fraction >> 16));
	return 1 + (exponential * scale >> 32);
}

#endif
