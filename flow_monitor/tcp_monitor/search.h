/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flows that are looked for: open at the start, active now, and gone though nobody saw it. */
#ifndef TCP_MONITOR_SEARCH_H
#define TCP_MONITOR_SEARCH_H

#include <stdbool.h>

#include "tcp_monitor.h"

struct tcp_monitor_bpf;

/* Before loading: by iterators as far as the kernel takes them, by what stands in for them else. */
void search_choose(struct tcp_monitor_bpf *skel, bool iterators);

/**
 * search_open() - note flows that are open already
 *
 * By an iterator in each network namespace; without, by the descriptors of each process, so that those
 * are not found which have none: accepted by nobody yet, left by all, subflows of MPTCP.
 *
 * Return: how many namespaces or processes may not be looked at, which has been told.
 */
int search_open(struct tcp_monitor_bpf *skel);

/* Put flows whose socket is gone, though nobody saw their end, into the ring. */
int search_unseen(struct tcp_monitor_bpf *skel);

/* What all active flows look like now. */
int search_read(struct tcp_monitor_bpf *skel,
		void (*take)(const struct monitor_event *event, void *context), void *context);

#endif
