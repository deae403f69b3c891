/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What root is to find out about a frame. */
#ifndef PACKETS_FOUND_H
#define PACKETS_FOUND_H

#include <stdint.h>

#include <ecbpf/abi.h>

/* In host order; only what the flags announce is compared. */
struct found {
	uint32_t flags;
	unsigned int family, protocol, l3, l4;
	const char *from, *to;
	unsigned int ttl, fragment_offset;
	unsigned int sport, dport, tcp_flags, window;
	unsigned int icmp_type, icmp_code;
	unsigned int tags, tci[2];
};

/* IP family, protocol, offsets of IP header and what follows, flags; then by name. */
#define FOUND(version, number, l3_offset, l4_offset, announced, ...)                             \
	{                                                                                        \
		.family = (version), .protocol = (number), .l3 = (l3_offset), .l4 = (l4_offset), \
		.flags = (announced), __VA_ARGS__                                                \
	}

/* Fails the test if @packet says otherwise. */
void found_check(const struct found *found, const struct ecbpf_packet *packet);

#endif
