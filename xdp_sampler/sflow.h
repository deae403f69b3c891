/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Samples of sFlow version 5, encoded into memory as XDR (sflow.org/sflow_version_5.txt).
 */
#ifndef XDP_SAMPLER_SFLOW_H
#define XDP_SAMPLER_SFLOW_H

#include <sys/socket.h>

#include "sample.h"

/* So that a datagram passes every Ethernet whole. */
#define SFLOW_DATAGRAM_MAX 1400
/* A datagram before its samples, with an IPv6 agent. */
#define SFLOW_HEADER_MAX 40
/* A flow sample beside its packet's octets, and a counter sample. */
#define SFLOW_FLOW_MAX	   64
#define SFLOW_COUNTERS_MAX 128

/* ifStatus. */
enum sflow_status {
	SFLOW_ADMIN_UP = 1,
	SFLOW_OPER_UP = 2,
};

/* Of one interface, as /proc/net/dev has them; @status: enum sflow_status, or'ed. */
struct sflow_counters {
	uint32_t status;
	uint64_t in_octets;
	uint64_t in_packets;
	uint64_t in_errors;
	uint64_t in_discards;
	uint64_t in_multicast;
	uint64_t out_octets;
	uint64_t out_packets;
	uint64_t out_errors;
	uint64_t out_discards;
};

/**
 * sflow_header() - what begins a datagram
 * @agent: address of who sends
 * @uptime: ms
 *
 * Returns octets, a multiple of 4, as all of these.
 */
size_t sflow_header(uint8_t *to, const struct sockaddr_storage *agent, uint32_t sequence,
		    uint32_t uptime, uint32_t samples);

/* Octets of its packet that a flow sample takes at most, so that it fits a datagram. */
#define SFLOW_PACKET_MAX 256

/**
 * sflow_flow() - a packet
 * @sequence: of samples of this interface
 * @pool: packets that it could have been
 * @drops: samples that got lost before
 */
size_t sflow_flow(uint8_t *to, const struct sample *sample, uint32_t sequence, uint32_t pool,
		  uint32_t drops);

size_t sflow_counters(uint8_t *to, const struct sampler_interface *interface, uint32_t sequence,
		      const struct sflow_counters *counters);

#endif
