/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Frames described as layers, so that fixtures are data:
 *
 *	struct layer layers[] = { ETHER(), VLAN(7), IPV4(.ttl = 3), UDP(.dport = 53), OCTETS(8) };
 *
 * What isn't given is made right: types, protocols, lengths, checksums of IPv4.
 */
#ifndef PACKETS_FRAMES_H
#define PACKETS_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX  70000
#define LAYERS_MAX 14

/* The addresses of frames that don't say. */
#define FRAME_FROM4    "192.0.2.1"
#define FRAME_TO4      "198.51.100.2"
#define FRAME_FROM6    "2001:db8:1::1"
#define FRAME_TO6      "2001:db8:2::2"
#define FRAME_FROM_MAC 0x020000000011ULL
#define FRAME_TO_MAC   0x020000000022ULL

enum layer_kind {
	LAYER_END,
	LAYER_ETHER,
	LAYER_VLAN,
	LAYER_IPV4,
	LAYER_IPV6,
	LAYER_EXTENSION,
	LAYER_TCP,
	LAYER_UDP,
	LAYER_ICMP,
	LAYER_OCTETS,
};

/* A field that is to hold this, 0 included, and not what would be right. */
#define EXACTLY(value) (0x10000 | (value))

/**
 * struct layer - a header, or the payload
 * @next: EXACTLY() the EtherType or protocol that it announces
 * @length: EXACTLY() its length field: of IPv4, IPv6, or an extension header; the second octet of a
 *	fragment header
 * @from, @to: IP addresses as text
 * @fragment: octets 6 and 7 of IPv4, or octets 2 and 3 of a fragment header
 * @options: octets of IPv4 options
 * @size: octets of an extension header, or of payload, which counts 0, 1, 2 …
 * @protocol: an extension header's own; ICMP's or ICMPv6's
 */
struct layer {
	enum layer_kind kind;
	int next;
	int length;
	union {
		struct {
			uint64_t from_mac, to_mac;
		};
		struct {
			uint16_t tpid, tci;
		};
		struct {
			const char *from, *to;
			uint8_t version, tos, ttl, ihl, options;
		};
		struct {
			uint16_t sport, dport, window;
			uint8_t tcp_flags;
		};
		struct {
			uint8_t type, code;
		};
	};
	uint8_t protocol;
	uint16_t fragment;
	uint32_t size;
};

#define ETHER(...)                               \
	{                                        \
		.kind = LAYER_ETHER, __VA_ARGS__ \
	}
#define VLAN(id, ...)                                        \
	{                                                    \
		.kind = LAYER_VLAN, .tci = (id), __VA_ARGS__ \
	}
#define QINQ(id) VLAN(id, .tpid = 0x88a8)
#define IPV4(...)                               \
	{                                       \
		.kind = LAYER_IPV4, __VA_ARGS__ \
	}
#define IPV6(...)                               \
	{                                       \
		.kind = LAYER_IPV6, __VA_ARGS__ \
	}
#define EXTENSION(number, octets, ...)                                                       \
	{                                                                                    \
		.kind = LAYER_EXTENSION, .protocol = (number), .size = (octets), __VA_ARGS__ \
	}
#define FRAGMENT(word, ...) EXTENSION(44, 8, .fragment = (word), __VA_ARGS__)
#define TCP(...)                               \
	{                                      \
		.kind = LAYER_TCP, __VA_ARGS__ \
	}
#define UDP(...)                               \
	{                                      \
		.kind = LAYER_UDP, __VA_ARGS__ \
	}
#define ICMP(number, ...)                                                        \
	{                                                                        \
		.kind = LAYER_ICMP, .protocol = 1, .type = (number), __VA_ARGS__ \
	}
#define ICMP6(number, ...)                                                        \
	{                                                                         \
		.kind = LAYER_ICMP, .protocol = 58, .type = (number), __VA_ARGS__ \
	}
#define OCTETS(count)                                 \
	{                                             \
		.kind = LAYER_OCTETS, .size = (count) \
	}

/* Write the frame; returns its length. */
size_t frame_build(const struct layer *layers, uint8_t *frame);

/*
 * Octets from text: pairs of hex digits, spaces anywhere between them, and "@N" for N octets that
 * count 0, 1, 2 … as payload does.
 */
size_t frame_from_hex(const char *text, uint8_t *frame);

/* Network-order octets of an address; returns 4 or 16, or 0 if it is none. */
size_t frame_address(const char *text, void *octets);

#endif
