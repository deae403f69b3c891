/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which flows are wanted: from the command line into the programs' configuration and maps. */
#ifndef TCP_MONITOR_FILTER_H
#define TCP_MONITOR_FILTER_H

#include <ecbpf/tool.h>

#include "tcp_monitor.h"

/**
 * struct filter - what flows must have, of each kind that is given
 * @ports: a bit for each
 * @by_port: whether any is given
 */
struct filter {
	struct monitor_prefix *prefixes;
	size_t prefix_count;
	uint64_t *cgroups;
	size_t cgroup_count;
	uint32_t *namespaces;
	size_t namespace_count;
	uint64_t ports[MONITOR_PORT_WORDS];
	bool by_port;
};

/**
 * filter_parse() - read "ADDRESS[/LENGTH]", "PORT[-PORT]", "cgroup=FOLDER", or the first two behind
 * "address=" and "port="
 * @netns: names, process ids, paths
 *
 * Return: -EINVAL: not understood, -ENODEV: no such control group or namespace. Free it in any case.
 */
int filter_parse(const struct ecbpf_strings *terms, const struct ecbpf_strings *netns,
		 struct filter *filter);
void filter_free(struct filter *filter);

/* What goes into .rodata. */
void filter_configure(const struct filter *filter, struct monitor_config *config);

/* Fill the maps, by descriptor. */
int filter_fill(const struct filter *filter, int addresses, int cgroups, int namespaces);

#endif
