/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is asked for, and the two ways to get it. */
#ifndef TCP_STATS_STATS_H
#define TCP_STATS_STATS_H

#include <ecbpf/tool.h>

#include "tcp_stats.h"

/**
 * struct stats_options - what to sample
 * @cgroup: folder; NULL: the root
 * @btf: file with the kernel's types, NULL: its own
 * @poll_ms: between two samples of a connection; 0: no polling
 * @interval: of netlink, ns
 * @count: samples, or netlink's rounds; 0: no end
 */
struct stats_options {
	const char *cgroup;
	const char *btf;
	uint64_t poll_ms;
	bool states;
	uint64_t interval;
	uint64_t count;
	struct ecbpf_strings terms;
};

/* sockops.c: by programs of a control group. */
int sockops_run(const struct stats_options *options);

/* netlink.c: by sock_diag, in this network namespace. */
int netlink_run(const struct stats_options *options);

#endif
