// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Path MTU messages by RFC 792, 1191, 4443: is this one what the frame deserved? */
#include <string.h>

#include "dissector.h"

#define MINIMUM_MTU6 1280

/* RFC 1071, in two sums of octets. */
struct sum {
	unsigned long even, odd;
};

static void sum_octets(struct sum *sum, const uint8_t *octets, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		*(i & 1 ? &sum->odd : &sum->even) += octets[i];
}

/* Whether what was summed holds a right checksum. */
static bool sum_is_right(const struct sum *sum)
{
	unsigned long words = sum->even * 256 + sum->odd;

	return words && words % 65535 == 0;
}

static unsigned long number(const uint8_t *octets, size_t count)
{
	unsigned long value = 0;

	while (count--)
		value = value << 8 | *octets++;
	return value;
}

static const char *fault_of_link(const uint8_t *frame, const struct facts *facts,
				 const uint8_t *answer)
{
	if (memcmp(answer, frame + 6, 6) || memcmp(answer + 6, frame, 6))
		return "MAC addresses aren't those of the frame, swapped";
	if (memcmp(answer + 12, frame + 12, facts->l3 - 12))
		return "VLAN tags or EtherType changed";
	return NULL;
}

static const char *fault_of_facts(const struct facts *facts, const struct facts *told)
{
	size_t width = facts->family == 4 ? 4 : 16;

	if (told->family != facts->family || told->l3 != facts->l3 || !told->addresses)
		return "not of the frame's family";
	if (told->cut || told->malformed || told->bad_length || told->options ||
	    told->reserved_bit || told->fragment)
		return "its own IP header is odd";
	if (memcmp(told->source, facts->destination, width) ||
	    memcmp(told->destination, facts->source, width))
		return "IP addresses aren't those of the frame, swapped";
	if (told->ttl < 32)
		return "TTL or hop limit too small";
	return NULL;
}

static const char *fault_of_ipv4(const uint8_t *packet, const uint8_t *answer, size_t length,
				 unsigned int mtu)
{
	size_t quote = (packet[0] & 15) * 4 + 8;
	struct sum header = { 0 }, message = { 0 };

	if (quote > number(packet + 2, 2) && number(packet + 2, 2))
		quote = number(packet + 2, 2);
	if (length != 28 + quote || number(answer + 2, 2) != length)
		return "length isn't that of the headers and the quote";
	if (answer[9] != 1 || answer[20] != 3 || answer[21] != 4)
		return "not ICMP 'fragmentation needed'";
	sum_octets(&header, answer, 20);
	if (!sum_is_right(&header))
		return "checksum of the IPv4 header";
	sum_octets(&message, answer + 20, length - 20);
	if (!sum_is_right(&message))
		return "checksum of ICMP";
	if (number(answer + 24, 2) || number(answer + 26, 2) != (mtu < 65535 ? mtu : 65535))
		return "MTU isn't the interface's";
	if (memcmp(answer + 28, packet, quote))
		return "the quote differs from the frame";
	return NULL;
}

static const char *fault_of_ipv6(const uint8_t *packet, const uint8_t *answer, size_t length,
				 unsigned int mtu)
{
	size_t quote = 40 + number(packet + 4, 2);
	uint8_t pseudo[8] = { [7] = 58 };
	struct sum message = { 0 };

	if (quote > MINIMUM_MTU6 - 48)
		quote = MINIMUM_MTU6 - 48;
	if (length != 48 + quote || number(answer + 4, 2) != length - 40)
		return "length isn't that of the headers and the quote";
	if (answer[6] != 58 || answer[40] != 2 || answer[41] != 0)
		return "not ICMPv6 'packet too big'";
	pseudo[2] = (length - 40) >> 8;
	pseudo[3] = length - 40;
	sum_octets(&message, answer + 8, 32);
	sum_octets(&message, pseudo, sizeof(pseudo));
	sum_octets(&message, answer + 40, length - 40);
	if (!sum_is_right(&message))
		return "checksum of ICMPv6";
	if (number(answer + 44, 4) != mtu)
		return "MTU isn't the interface's";
	if (memcmp(answer + 48, packet, quote))
		return "the quote differs from the frame";
	return NULL;
}

const char *fault_of_answer(const uint8_t *frame, const struct facts *facts, unsigned int mtu,
			    const uint8_t *answer, size_t length)
{
	struct facts told;
	const char *fault;

	dissect(answer, length, &told);
	fault = fault_of_facts(facts, &told);
	if (!fault)
		fault = fault_of_link(frame, facts, answer);
	if (fault)
		return fault;
	return (facts->family == 4 ? fault_of_ipv4 : fault_of_ipv6)(
		frame + facts->l3, answer + facts->l3, length - facts->l3, mtu);
}
