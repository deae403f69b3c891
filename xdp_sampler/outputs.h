/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which outputs a command line asks for, and for which samples. */
#ifndef XDP_SAMPLER_OUTPUTS_H
#define XDP_SAMPLER_OUTPUTS_H

#include <ecbpf/tool.h>

#include "reader.h"
#include "sink_pcapng.h"

/* As typed; see the tool's options. Numbers that are 0 were not given. */
struct outputs_options {
	bool live;
	struct pcapng_files files;
	struct ecbpf_strings collectors;
	bool top;
	const char *top_key;
	uint64_t top_interval;
	bool top_suggest;
	const char *statsd_host;
	uint64_t statsd_port;
	struct ecbpf_strings actions;
	struct ecbpf_strings slots;
	struct ecbpf_strings reasons;
	uint64_t count;
};

void outputs_options_free(struct outputs_options *options);

/* Names to wishes. -EINVAL: said which name is none. */
int outputs_wishes(const struct outputs_options *options, struct reader_wishes *wishes);

/* Whether the options fit together, before anything is attached. */
int outputs_check(const struct outputs_options *options);

/**
 * outputs_open() - make the sinks
 * @sinks: room for SAMPLER_OUTPUT_MAX; out
 * @open: out: how many
 */
int outputs_open(const struct outputs_options *options, const struct sampler_interface *interfaces,
		 size_t count, struct sample_sink **sinks, size_t *open);

#endif
