// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Blocks of pcapng files. */
#include "pcapng.h"

#include <stdio.h>
#include <string.h>

#include <ecbpf/ecbpf.h>

#define LINKTYPE_ETHERNET 1
#define FLAGS_INBOUND	  1
#define COMMENT_MAX	  160

static size_t padded(size_t octets)
{
	return (octets + 3) & ~(size_t)3;
}

static uint8_t *put16(uint8_t *to, uint16_t value)
{
	memcpy(to, &value, sizeof(value));
	return to + sizeof(value);
}

static uint8_t *put32(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
	return to + sizeof(value);
}

static uint8_t *put64(uint8_t *to, uint64_t value)
{
	memcpy(to, &value, sizeof(value));
	return to + sizeof(value);
}

/* Octets, and zeroes up to the next multiple of 4. */
static uint8_t *put_padded(uint8_t *to, const void *data, size_t octets)
{
	memcpy(to, data, octets);
	memset(to + octets, 0, padded(octets) - octets);
	return to + padded(octets);
}

static uint8_t *put_option(uint8_t *to, uint16_t code, const void *value, uint16_t octets)
{
	to = put16(put16(to, code), octets);
	return put_padded(to, value, octets);
}

static uint8_t *put_text(uint8_t *to, uint16_t code, const char *text)
{
	return put_option(to, code, text, strlen(text));
}

static uint8_t *put_time(uint8_t *to, uint64_t time)
{
	return put32(put32(to, time >> 32), time);
}

/* The length stands before and behind what a block holds. */
static size_t finish(uint8_t *block, uint32_t type, uint8_t *end)
{
	uint32_t octets = end + 4 - block;

	put32(put32(block, type), octets);
	put32(end, octets);
	return octets;
}

size_t pcapng_section(uint8_t *block)
{
	uint8_t *to = block + 8;

	to = put32(to, PCAPNG_MAGIC);
	to = put16(put16(to, 1), 0);
	/* Length of the section: not known. */
	to = put64(to, UINT64_MAX);
	to = put_text(to, PCAPNG_SECTION_APPLICATION, "ecbpf xdp_sampler " ECBPF_VERSION);
	to = put_option(to, PCAPNG_OPTION_END, "", 0);
	return finish(block, PCAPNG_SECTION, to);
}

size_t pcapng_interface(uint8_t *block, const struct sampler_interface *interface)
{
	const uint8_t nanoseconds = 9;
	uint8_t *to = block + 8;

	to = put16(put16(to, LINKTYPE_ETHERNET), 0);
	/* No limit: snaplen can change while the file is written. */
	to = put32(to, 0);
	to = put_text(to, PCAPNG_INTERFACE_NAME, interface->name);
	to = put_text(to, PCAPNG_INTERFACE_DESCRIPTION, "Packets sampled at their XDP verdict");
	to = put_option(to, PCAPNG_INTERFACE_RESOLUTION, &nanoseconds, sizeof(nanoseconds));
	to = put_option(to, PCAPNG_OPTION_END, "", 0);
	return finish(block, PCAPNG_INTERFACE, to);
}

/* Made once for each combination, as a file holds millions of few. */
static const char *comment(const struct sample *sample)
{
	static char texts[ECBPF_SLOTS + 1][ECBPF_ACTIONS][ECBPF_REASON_MAX][COMMENT_MAX];
	unsigned int reason = sample->reason % ECBPF_REASON_MAX;
	char *text = texts[sample->slot][sample->action][reason], slot[16] = "root";

	if (text[0])
		return text;
	if (sample->slot < ECBPF_SLOTS)
		snprintf(slot, sizeof(slot), "slot %u", sample->slot);
	snprintf(text, COMMENT_MAX, "%s: %s, %s: %s", slot, ecbpf_action_name(sample->action),
		 ecbpf_reason_name(sample->reason), ecbpf_reason_sentence(sample->reason));
	return text;
}

size_t pcapng_packet_max(const struct sample *sample)
{
	return PCAPNG_BLOCK_MAX + sample->captured;
}

size_t pcapng_packet(uint8_t *block, const struct sample *sample)
{
	uint8_t verdict[9] = { PCAPNG_VERDICT_XDP };
	const uint32_t flags = FLAGS_INBOUND;
	uint8_t *to = block + 8;

	put64(verdict + 1, sample->action);
	to = put32(to, sample->interface->index);
	to = put_time(to, sample->time);
	to = put32(put32(to, sample->captured), sample->length);
	to = put_padded(to, sample->data, sample->captured);
	to = put_text(to, PCAPNG_OPTION_COMMENT, comment(sample));
	to = put_option(to, PCAPNG_PACKET_FLAGS, &flags, sizeof(flags));
	to = put_option(to, PCAPNG_PACKET_QUEUE, &sample->queue, sizeof(sample->queue));
	to = put_option(to, PCAPNG_PACKET_VERDICT, verdict, sizeof(verdict));
	to = put_option(to, PCAPNG_OPTION_END, "", 0);
	return finish(block, PCAPNG_PACKET, to);
}

size_t pcapng_statistics(uint8_t *block, unsigned int index, uint64_t time,
			 const struct sample_losses *losses, uint64_t delivered, uint64_t lost)
{
	const uint64_t dropped = losses->lost + lost, accepted = losses->picked - losses->filtered;
	uint8_t *to = block + 8;

	to = put_time(put32(to, index), time);
	to = put_option(to, PCAPNG_STATISTICS_RECEIVED, &losses->pool, sizeof(losses->pool));
	to = put_option(to, PCAPNG_STATISTICS_DROPPED, &dropped, sizeof(dropped));
	to = put_option(to, PCAPNG_STATISTICS_ACCEPTED, &accepted, sizeof(accepted));
	to = put_option(to, PCAPNG_STATISTICS_DELIVERED, &delivered, sizeof(delivered));
	to = put_option(to, PCAPNG_OPTION_END, "", 0);
	return finish(block, PCAPNG_STATISTICS, to);
}
