/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs in the kernel, at the best hook that there is. */
#ifndef TCP_MONITOR_PROGRAMS_H
#define TCP_MONITOR_PROGRAMS_H

#include <stdbool.h>

#include <ecbpf/tool.h>

#include "filter.h"
#include "tcp_monitor.h"

/**
 * struct programs_options - what is loaded
 * @hook: name, NULL: the best that works
 * @btf: file with the kernel's types, NULL: its own
 * @max_flows: active at once; beyond 65536, at least
 * @ring: octets, a power of two
 */
struct programs_options {
	struct monitor_config config;
	const char *hook;
	const char *btf;
	uint64_t max_flows;
	uint64_t ring;
};

struct programs;
struct tcp_monitor_bpf;

/* Load and attach; -EOPNOTSUPP: the kernel lacks what this needs. */
int programs_open(const struct programs_options *options, const struct filter *filter,
		  struct programs **programs);

/* No event is seen from now on. */
void programs_detach(struct programs *programs);

/* Also accepts NULL. */
void programs_close(struct programs *programs);

/* The next MONITOR_TOUCHED_PAGES of the ring, as far as there is room. */
int programs_touch_ring(const struct programs *programs);

/*
 * What CPUs have gathered goes into the ring. True: something is left, of a CPU where a program is at it
 * just now, or because the ring has no room.
 */
bool programs_put_gathered(const struct programs *programs);

const char *programs_hook(const struct programs *programs);

struct tcp_monitor_bpf *programs_skel(const struct programs *programs);

/* Descriptors of maps. */
int programs_events(const struct programs *programs);
int programs_percpu(const struct programs *programs);
int programs_report(const struct programs *programs);

/* Runs that the kernel refused the program at the hook, and those that make up for that. */
void programs_misses(const struct programs *programs, uint64_t *first, uint64_t *rescuer);

#endif
