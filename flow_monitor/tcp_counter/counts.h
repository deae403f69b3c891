/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counting until told to end. */
#ifndef TCP_COUNTER_COUNTS_H
#define TCP_COUNTER_COUNTS_H

#include <ecbpf/tool.h>

/**
 * struct counts_options - what to count and how to tell
 * @cgroup: folder; NULL: the root
 * @netns: NULL: all
 * @btf: file with the kernel's types, NULL: its own
 * @interval: ns
 * @count: lines; 0: no end
 */
struct counts_options {
	const char *cgroup;
	const char *netns;
	const char *btf;
	uint64_t interval;
	uint64_t count;
	bool json;
};

int counts_run(const struct counts_options *options);

#endif
