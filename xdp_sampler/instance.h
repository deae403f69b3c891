/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sampler in its slot: put there, changed, read, taken away. */
#ifndef XDP_SAMPLER_INSTANCE_H
#define XDP_SAMPLER_INSTANCE_H

#include <ecbpf/tool.h>

#include "distance.h"
#include "sample.h"

/**
 * struct sampler_options - what an attach changes
 * @rate, @snaplen, @ring: 0: as it is, or the default
 * @random, @as_sent: 0, 1, or -1: as it is
 * @filter: libpcap expression, "": none, NULL: as it is
 * @ring: octets of the ring buffer, a power of two of at least a page
 */
struct sampler_options {
	uint64_t rate;
	uint64_t snaplen;
	uint64_t ring;
	int random;
	int as_sent;
	const char *filter;
	bool stage;
};

/**
 * struct sampler_instance - what runs on an interface
 * @counts: sums over all CPUs
 * @taken: that of @reader which holds
 * @held: by output, for a reader that runs to deliver; what a dead one held is in @reader.lost
 * @ring_octets: size of the ring buffer
 * @program_id: in the slot
 */
struct sampler_instance {
	struct sampler_config config;
	struct sampler_counts counts;
	struct sampler_reader reader;
	struct sampler_taken taken;
	uint64_t held[SAMPLER_OUTPUT_MAX];
	char filter[SAMPLER_FILTER_MAX];
	uint64_t ring_octets;
	uint32_t program_id;
};

/* Map the octet up to which the ring @fd is consumed. NULL: errno tells why. */
const uint64_t *sampler_ring_position(int fd);

/* Also accepts NULL. */
void sampler_ring_unmap(const uint64_t *position);

/*
 * Saying nothing: -ENOENT: no sampler in @root's slot; -ESTALE: it was replaced meanwhile, which the
 * lock prevents.
 */
int sampler_instance_read(struct ecbpf_root *root, struct sampler_instance *instance);

/**
 * sampler_instance_attach() - put a sampler into @root's slot, or change the one there
 *
 * Atomic for packets. The ring buffer and all counts go on, so a reader isn't disturbed.
 */
int sampler_instance_attach(struct ecbpf_root *root, const struct sampler_options *options);

/* Whether sampler_instance_attach() would take @options: why not is said. */
int sampler_instance_check(struct ecbpf_root *root, const struct sampler_options *options);

/* Return: -ENOENT, saying nothing: there is none. */
int sampler_instance_detach(struct ecbpf_root *root);

#endif
