// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Samples of sFlow version 5. */
#include "sflow.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <string.h>

enum {
	VERSION = 5,
	ADDRESS_IP4 = 1,
	ADDRESS_IP6 = 2,
	FLOW_SAMPLE = 1,
	COUNTERS_SAMPLE = 2,
	RAW_HEADER = 1,
	GENERIC_COUNTERS = 1,
	HEADER_ETHERNET = 1,
	IFTYPE_ETHERNET = 6,
	DIRECTION_UNKNOWN = 0,
};

/* Output interface of a packet that was dropped, by an access list. */
#define DISCARDED_BY_ACL (1U << 30 | 258)

static uint8_t *put(uint8_t *to, uint32_t value)
{
	value = htonl(value);
	memcpy(to, &value, sizeof(value));
	return to + sizeof(value);
}

static uint8_t *put64(uint8_t *to, uint64_t value)
{
	return put(put(to, value >> 32), value);
}

static uint8_t *put_octets(uint8_t *to, const void *data, size_t octets)
{
	size_t padding = -octets & 3;

	memcpy(to, data, octets);
	memset(to + octets, 0, padding);
	return to + octets + padding;
}

/* The length of what follows it, once that is there. */
static void put_length(uint8_t *at, const uint8_t *end)
{
	put(at, end - at - 4);
}

static uint8_t *put_address(uint8_t *to, const struct sockaddr_storage *address)
{
	const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *ip4 = (const struct sockaddr_in *)address;

	if (address->ss_family == AF_INET6)
		return put_octets(put(to, ADDRESS_IP6), &ip6->sin6_addr, sizeof(ip6->sin6_addr));
	return put_octets(put(to, ADDRESS_IP4), &ip4->sin_addr, sizeof(ip4->sin_addr));
}

size_t sflow_header(uint8_t *begin, const struct sockaddr_storage *agent, uint32_t sequence,
		    uint32_t uptime, uint32_t samples)
{
	uint8_t *to = put(begin, VERSION);

	to = put_address(to, agent);
	/* Sub-agent: there is one. */
	to = put(to, 0);
	to = put(put(put(to, sequence), uptime), samples);
	return to - begin;
}

static uint32_t output_interface(const struct sample *sample)
{
	switch (sample->action) {
	case XDP_TX:
		return sample->interface->ifindex;
	case XDP_PASS:
	case XDP_REDIRECT:
		return 0;
	default:
		return DISCARDED_BY_ACL;
	}
}

size_t sflow_flow(uint8_t *begin, const struct sample *sample, uint32_t sequence, uint32_t pool,
		  uint32_t drops)
{
	uint32_t captured = sample->captured < SFLOW_PACKET_MAX ? sample->captured :
								  SFLOW_PACKET_MAX;
	uint8_t *length = begin + 4, *record, *to;

	put(begin, FLOW_SAMPLE);
	to = put(length + 4, sequence);
	/* Source: an interface by its index. */
	to = put(to, sample->interface->ifindex & 0xffffff);
	to = put(put(put(to, sample->rate), pool), drops);
	to = put(put(to, sample->interface->ifindex), output_interface(sample));
	to = put(to, 1);

	record = put(to, RAW_HEADER);
	to = put(record + 4, HEADER_ETHERNET);
	/* Frames come without their checksum: nothing was stripped that the length counts. */
	to = put(put(to, sample->length), 0);
	to = put_octets(put(to, captured), sample->data, captured);
	put_length(record, to);
	put_length(length, to);
	return to - begin;
}

size_t sflow_counters(uint8_t *begin, const struct sampler_interface *interface, uint32_t sequence,
		      const struct sflow_counters *counters)
{
	uint8_t *length = begin + 4, *record, *to;

	put(begin, COUNTERS_SAMPLE);
	to = put(length + 4, sequence);
	to = put(to, interface->ifindex & 0xffffff);
	to = put(to, 1);

	record = put(to, GENERIC_COUNTERS);
	to = put(put(record + 4, interface->ifindex), IFTYPE_ETHERNET);
	/* Speed: not known here. */
	to = put(put(put64(to, 0), DIRECTION_UNKNOWN), counters->status);
	to = put64(to, counters->in_octets);
	to = put(put(to, counters->in_packets - counters->in_multicast), counters->in_multicast);
	/* Broadcasts are not counted apart: all ones is the protocol's "unknown". */
	to = put(put(put(to, UINT32_MAX), counters->in_discards), counters->in_errors);
	to = put(to, UINT32_MAX);
	to = put64(to, counters->out_octets);
	to = put(put(put(to, counters->out_packets), UINT32_MAX), UINT32_MAX);
	to = put(put(to, counters->out_discards), counters->out_errors);
	to = put(to, 0);
	put_length(record, to);
	put_length(length, to);
	return to - begin;
}
