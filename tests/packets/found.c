// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "found.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "frames.h"

static unsigned int host16(__be16 value)
{
	const uint8_t *octets = (const uint8_t *)&value;

	return octets[0] << 8 | octets[1];
}

static void check_address(unsigned int family, const char *text, const __be32 *seen)
{
	uint8_t octets[16];
	size_t size = frame_address(text, octets);

	assert_int_equal(size, family == 4 ? 4 : 16);
	assert_memory_equal(seen, octets, size);
}

static void check_addresses(const struct found *found, const struct ecbpf_packet *packet)
{
	const char *from = found->family == 4 ? FRAME_FROM4 : FRAME_FROM6;
	const char *to = found->family == 4 ? FRAME_TO4 : FRAME_TO6;

	check_address(found->family, found->from ? found->from : from, packet->saddr);
	check_address(found->family, found->to ? found->to : to, packet->daddr);
	assert_int_equal(packet->protocol, found->protocol);
	assert_int_equal(packet->ttl, found->ttl ? found->ttl : 61);
	if (!(found->flags & ECBPF_MALFORMED))
		assert_int_equal(packet->l4_offset, found->l4);
}

void found_check(const struct found *found, const struct ecbpf_packet *packet)
{
	unsigned int i;

	assert_int_equal(packet->flags, found->flags);
	assert_int_equal(packet->family, found->family);
	if (found->family)
		assert_int_equal(packet->l3_offset, found->l3);
	assert_int_equal(packet->vlan_count, found->tags);
	for (i = 0; i < found->tags; i++)
		assert_int_equal(host16(packet->vlan_tci[i]), found->tci[i]);
	if (found->flags & ECBPF_ADDRESSES)
		check_addresses(found, packet);
	if (found->flags & ECBPF_FRAGMENT)
		assert_int_equal(packet->fragment_offset, found->fragment_offset);
	if (found->flags & ECBPF_PORTS) {
		assert_int_equal(host16(packet->sport), found->sport);
		assert_int_equal(host16(packet->dport), found->dport);
	}
	if (found->flags & ECBPF_TCP) {
		assert_int_equal(packet->tcp_flags, found->tcp_flags);
		assert_int_equal(host16(packet->tcp_window), found->window);
	}
	if (found->flags & ECBPF_ICMP) {
		assert_int_equal(packet->icmp_type, found->icmp_type);
		assert_int_equal(packet->icmp_code, found->icmp_code);
	}
}
