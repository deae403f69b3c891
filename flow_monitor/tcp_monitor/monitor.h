/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the ring to the outputs, until told to end. */
#ifndef TCP_MONITOR_MONITOR_H
#define TCP_MONITOR_MONITOR_H

#include <ecbpf/tool.h>

#include "output_udp.h"
#include "programs.h"

/**
 * struct monitor_options - what to do with which flows
 * @print: to standard output, as JSON if @json
 * @send: over UDP
 * @interval: of records of flows that run, ns; 0: none
 * @flush_open: report flows that are open at the end
 */
struct monitor_options {
	bool print;
	bool json;
	bool send;
	bool flush_open;
	uint64_t interval;
	struct ecbpf_strings terms;
	struct ecbpf_strings netns;
	struct programs_options programs;
	struct output_udp_options udp;
};

int monitor_run(struct monitor_options *options);
void monitor_options_free(struct monitor_options *options);

#endif
