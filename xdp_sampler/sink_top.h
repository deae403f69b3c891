/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A live table of heavy hitters, estimated from samples. */
#ifndef XDP_SAMPLER_SINK_TOP_H
#define XDP_SAMPLER_SINK_TOP_H

#include "sample.h"

/*
 * Whether @key is "src", "dst", "dport", "reason", or an address with a prefix length; and one that
 * xdp_filter drops by, if it is to be suggested. -EINVAL: said why not.
 */
int sink_top_check(const char *key, bool suggest);

/**
 * sink_top_open() - draw the table every @interval ns
 * @suggest: add the xdp_filter command that drops what leads it
 */
int sink_top_open(const char *key, uint64_t interval, bool suggest,
		  const struct sampler_interface *interfaces, size_t count,
		  struct sample_sink **out);

#endif
