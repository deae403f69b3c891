/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records in datagrams, to whoever collects them. */
#ifndef TCP_MONITOR_OUTPUT_UDP_H
#define TCP_MONITOR_OUTPUT_UDP_H

#include "record.h"

#define OUTPUT_UDP_BATCH_MAX 256

/**
 * struct output_udp_options - where to, and how much at once
 * @batch: records that are sent without waiting for more, at most OUTPUT_UDP_BATCH_MAX
 * @flush_ms: how long a record waits at most
 * @datagram: octets of UDP payload, at least a record's
 */
struct output_udp_options {
	const char *host;
	uint64_t port;
	uint64_t batch;
	uint64_t flush_ms;
	uint64_t datagram;
};

int output_udp_open(const struct output_udp_options *options, struct record_output **output);

#endif
