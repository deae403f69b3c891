/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Classic BPF as an XDP program. */
#ifndef XDP_SAMPLER_FILTER_XDP_H
#define XDP_SAMPLER_FILTER_XDP_H

#include "filter.h"

/**
 * filter_xdp_load() - load @code as an XDP program that goes on to one of two others
 * @stages: descriptor of the prog array with enum sampler_stage: MARK if the frame matches, else
 *	SKIP
 * @frags: load for multi-buffer frames, which takes kernel 5.18
 *
 * Return: a descriptor to close(), or -EOPNOTSUPP, saying nothing: it can't be expressed.
 */
int filter_xdp_load(const struct classic_insn *code, size_t count, int stages, bool frags);

#endif
