/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The filter's statistics: what it counts itself, and what is counted as a verdict's reason. */
#ifndef XDP_FILTER_STATS_H
#define XDP_FILTER_STATS_H

#include <stdint.h>

#include "xdp_filter.h"

struct ecbpf_root;

/* Adds what @reasons (packets by enum ecbpf_reason) tells of the statistics. */
void filter_stats_add_reasons(const uint64_t *reasons, struct filter_stats *stats);

/* Raw sums of the "stats" map @fd, -1: none, and of the reasons in @root. Return: -errno. */
int filter_stats_read(struct ecbpf_root *root, int fd, struct filter_stats *stats);

#endif
