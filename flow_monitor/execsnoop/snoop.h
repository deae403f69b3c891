/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the ring to standard output. */
#ifndef EXECSNOOP_SNOOP_H
#define EXECSNOOP_SNOOP_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct snoop_options - what to tell
 * @btf: file with the kernel's types, NULL: its own
 * @count: events; 0: no end
 */
struct snoop_options {
	const char *btf;
	bool exits;
	bool json;
	uint64_t count;
};

int snoop_run(const struct snoop_options *options);

#endif
