/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Samples as pcapng: into files that rotate, or live into a pipe. */
#ifndef XDP_SAMPLER_SINK_PCAPNG_H
#define XDP_SAMPLER_SINK_PCAPNG_H

#include "sample.h"

/**
 * struct pcapng_files - where to write
 * @path: NULL: stdout, live
 * @rotate_octets: begin another file beyond that size, 0: never
 * @rotate_ns: begin another file after that time, 0: never
 * @files: keep the newest so many, 0: all
 * @others: there are other outputs, which go on when this one's pipe is closed
 */
struct pcapng_files {
	const char *path;
	uint64_t rotate_octets;
	uint64_t rotate_ns;
	uint64_t files;
	bool others;
};

/* Return: why the first file can't be written, having said so. */
int sink_pcapng_open(const struct pcapng_files *files, const struct sampler_interface *interfaces,
		     size_t count, struct sample_sink **out);

#endif
