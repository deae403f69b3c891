/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sampler in slot 1 of a harness, and what it emitted. */
#ifndef PACKETS_SAMPLERS_H
#define PACKETS_SAMPLERS_H

#include "harness.h"
#include "xdp_sampler.h"

#define SAMPLER_RING (1U << 20)

struct xdp_sampler_bpf;
struct ring_buffer;
struct sampler_filter;

/**
 * struct sampler - programs and ring
 * @records: how many were read since the last sampler_read()
 * @record: the last of them, with its octets
 * @seen: called for each of them, may be NULL
 */
struct sampler {
	struct harness *harness;
	struct xdp_sampler_bpf *skeleton;
	struct ring_buffer *ring;
	struct sampler_settings settings;
	uint64_t records;
	struct {
		struct sampler_record head;
		uint8_t data[SAMPLER_SNAPLEN_MAX];
	} record;
	void (*seen)(const struct sampler_record *record);
};

/**
 * sampler_open() - load it and fill slot and emitter
 * @settings: what isn't given: rate 1, snaplen 128, ring of SAMPLER_RING
 * @before: whose ring and counts go on, may be NULL
 */
void sampler_open(struct sampler *sampler, struct harness *harness,
		  const struct sampler_settings *settings, const struct sampler *before);
void sampler_close(struct sampler *sampler);

/* Without touching slot and emitter. */
void sampler_load(struct sampler *sampler, struct harness *harness,
		  const struct sampler_settings *settings, const struct sampler *before);
void sampler_join_slot(struct sampler *sampler);
void sampler_join_emitter(struct sampler *sampler);

/* What the ring held. */
uint64_t sampler_read(struct sampler *sampler);

/* Sums over all CPUs; picked must be the sum of its parts. */
void sampler_counts_read(const struct sampler *sampler, struct sampler_counts *counts);

/* Send a frame @repeat times, at once. */
void sampler_run(struct harness *harness, const uint8_t *frame, size_t length, uint32_t repeat);

#endif
