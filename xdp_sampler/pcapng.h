/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Blocks of pcapng files (draft-ietf-opsawg-pcapng), encoded into memory in host order.
 *
 * One section; an interface block for each interface, in the order of their indexes; a packet
 * block for each sample with its verdict, queue and a comment; statistics at the end.
 */
#ifndef XDP_SAMPLER_PCAPNG_H
#define XDP_SAMPLER_PCAPNG_H

#include "sample.h"

enum pcapng_block {
	PCAPNG_SECTION = 0x0a0d0d0a,
	PCAPNG_INTERFACE = 1,
	PCAPNG_PACKET_OLD = 2,
	PCAPNG_PACKET_SIMPLE = 3,
	PCAPNG_STATISTICS = 5,
	PCAPNG_PACKET = 6,
};

#define PCAPNG_MAGIC 0x1a2b3c4d

enum pcapng_option {
	PCAPNG_OPTION_END = 0,
	PCAPNG_OPTION_COMMENT = 1,
	PCAPNG_SECTION_APPLICATION = 4,
	PCAPNG_INTERFACE_NAME = 2,
	PCAPNG_INTERFACE_DESCRIPTION = 3,
	PCAPNG_INTERFACE_RESOLUTION = 9,
	PCAPNG_INTERFACE_OFFSET = 14,
	PCAPNG_PACKET_FLAGS = 2,
	PCAPNG_PACKET_QUEUE = 6,
	PCAPNG_PACKET_VERDICT = 7,
	PCAPNG_STATISTICS_RECEIVED = 4,
	PCAPNG_STATISTICS_DROPPED = 5,
	PCAPNG_STATISTICS_ACCEPTED = 6,
	PCAPNG_STATISTICS_DELIVERED = 8,
};

/* epb_verdict: what gave it. */
#define PCAPNG_VERDICT_XDP 2

/* Room that any block but a packet's takes, and what a packet's takes beside its data. */
#define PCAPNG_BLOCK_MAX 512

/* Octets of the block that @sample takes at most. */
size_t pcapng_packet_max(const struct sample *sample);

/* Each writes one block at @to and returns its octets, a multiple of 4. */
size_t pcapng_section(uint8_t *to);
size_t pcapng_interface(uint8_t *to, const struct sampler_interface *interface);
size_t pcapng_packet(uint8_t *to, const struct sample *sample);

/**
 * pcapng_statistics() - how many packets there were and how many are in the file
 * @time: ns since the Unix epoch
 * @delivered: samples of this interface in the file
 * @lost: samples that did not get there
 */
size_t pcapng_statistics(uint8_t *to, unsigned int index, uint64_t time,
			 const struct sample_losses *losses, uint64_t delivered, uint64_t lost);

#endif
