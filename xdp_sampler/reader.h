/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads the rings of several interfaces and hands what is wanted to the outputs. */
#ifndef XDP_SAMPLER_READER_H
#define XDP_SAMPLER_READER_H

#include <ecbpf/tool.h>

#include "sample.h"

/**
 * struct reader_wishes - which samples outputs get
 * @actions, @slots: a bit for each; 0: all
 * @reasons: likewise, by enum ecbpf_reason
 * @count: stop after so many, 0: never
 */
struct reader_wishes {
	uint32_t actions;
	uint32_t slots;
	uint64_t reasons;
	uint64_t count;
};

struct sampler_reader_handle;

/**
 * reader_open() - take hold of the rings of @interfaces, on which a sampler runs
 *
 * Return: -ENOENT: none runs on one of them, -EBUSY: another process reads there.
 */
int reader_open(const struct ecbpf_strings *interfaces, struct sampler_reader_handle **out);

/* Before reader_run(): filter as the samplers that run now leave it to the reader. */
int reader_follow(struct sampler_reader_handle *reader);

/* For outputs: @count interfaces by index. */
const struct sampler_interface *reader_interfaces(const struct sampler_reader_handle *reader,
						  size_t *count);

/**
 * reader_run() - until ecbpf_interrupted(), enough samples, or until nobody takes them any more
 *
 * Closes the sinks, having read what the rings still held. Return: -ENODEV, said of which
 * interface: its sampler was taken away or attached anew, so no more samples come from there.
 */
int reader_run(struct sampler_reader_handle *reader, const struct reader_wishes *wishes,
	       struct sample_sink **sinks, size_t count);

/* Also accepts NULL. */
void reader_close(struct sampler_reader_handle *reader);

#endif
