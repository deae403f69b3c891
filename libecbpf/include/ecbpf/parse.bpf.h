/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The one parser: Ethernet, two VLAN tags, IPv4 and IPv6 with their options and extension
 * headers, fragments, ports. Root runs it once for each packet; slots read its result.
 */
#ifndef ECBPF_PARSE_BPF_H
#define ECBPF_PARSE_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <ecbpf/abi.h>

#define ECBPF_EXTENSIONS_MAX 8

#define ECBPF_IP_RESERVED	 0x8000
#define ECBPF_IP_MORE_FRAGMENTS	 0x2000
#define ECBPF_IP_OFFSET_MASK	 0x1fff
#define ECBPF_IP6_MORE_FRAGMENTS 0x0001
#define ECBPF_IP6_OFFSET_MASK	 0xfff8

/* Frames may have parts beyond data_end (xdp.frags). Set by the loader before loading. */
const volatile __u32 ecbpf_frags = 0;

struct ecbpf_vlan_tag {
	__be16 tci;
	__be16 protocol;
};

/* IPv6 extension header as hop-by-hop, routing, destination and AH begin; the fragment header
 * has the same size (RFC 8200 section 4, RFC 4302).
 */
struct ecbpf_extension {
	__u8 next;
	__u8 length;
	__be16 fragment;
	__be32 id;
};

/* Octets of the whole frame; the helper is kernel 5.18. */
static __always_inline __u64 ecbpf_frame_length(struct xdp_md *ctx, void *data, void *end)
{
	if (ecbpf_frags)
		return bpf_xdp_get_buff_len(ctx);
	return end - data;
}

static __always_inline _Bool ecbpf_is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

static __always_inline _Bool ecbpf_is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS ||
	       protocol == IPPROTO_AH;
}

static __always_inline __u32 ecbpf_parse_tcp(struct ecbpf_packet *packet, void *l4, void *end)
{
	const __u8 *bytes = l4;
	const __be16 *halves = l4;

	if (l4 + sizeof(struct tcphdr) > end) {
		if (l4 + 4 > end)
			return ECBPF_TRUNCATED;
		packet->sport = halves[0];
		packet->dport = halves[1];
		return ECBPF_TRUNCATED | ECBPF_PORTS;
	}
	packet->sport = halves[0];
	packet->dport = halves[1];
	packet->tcp_flags = bytes[13];
	packet->tcp_window = halves[7];
	return ECBPF_PORTS | ECBPF_TCP;
}

static __always_inline __u32 ecbpf_parse_l4(struct ecbpf_packet *packet, void *l4, void *end)
{
	const __be16 *halves = l4;
	const __u8 *bytes = l4;

	switch (packet->protocol) {
	case IPPROTO_TCP:
		return ecbpf_parse_tcp(packet, l4, end);
	case IPPROTO_UDP:
		if (l4 + 4 > end)
			return ECBPF_TRUNCATED;
		packet->sport = halves[0];
		packet->dport = halves[1];
		return l4 + 8 > end ? ECBPF_TRUNCATED | ECBPF_PORTS : ECBPF_PORTS;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (l4 + 2 > end)
			return ECBPF_TRUNCATED;
		packet->icmp_type = bytes[0];
		packet->icmp_code = bytes[1];
		return l4 + 8 > end ? ECBPF_TRUNCATED | ECBPF_ICMP : ECBPF_ICMP;
	default:
		return l4 > end ? ECBPF_TRUNCATED : ECBPF_L4_UNKNOWN;
	}
}

static __always_inline __u32 ecbpf_parse_ipv4(struct ecbpf_packet *packet, void *data, __u32 offset,
					      void *end, __u64 frame_length)
{
	struct iphdr *ip = data + offset;
	__u32 header, length, flags, fragment;

	packet->family = 4;
	packet->l3_offset = offset;
	if ((void *)(ip + 1) > end)
		return ECBPF_TRUNCATED;
	if (ip->version != 4)
		return ECBPF_MALFORMED;

	packet->saddr[0] = ip->saddr;
	packet->daddr[0] = ip->daddr;
	packet->protocol = ip->protocol;
	packet->ttl = ip->ttl;
	flags = ECBPF_ADDRESSES;
	header = ip->ihl * 4;
	if (header != sizeof(*ip)) {
		if (header < sizeof(*ip))
			return flags | ECBPF_MALFORMED;
		flags |= ECBPF_OPTIONS;
	}
	packet->l4_offset = offset + header;

	/* A length of 0 is how the kernel writes packets of over 65 535 octets (BIG TCP). */
	length = bpf_ntohs(ip->tot_len);
	if (length < header || length > frame_length - offset) {
		if (length || frame_length - offset <= 0xffff)
			flags |= ECBPF_BAD_LENGTH;
	}

	fragment = bpf_ntohs(ip->frag_off);
	if (fragment & ~0x4000) {
		if (fragment & ECBPF_IP_RESERVED)
			flags |= ECBPF_EVIL_BIT;
		if (fragment & (ECBPF_IP_MORE_FRAGMENTS | ECBPF_IP_OFFSET_MASK))
			flags |= ECBPF_FRAGMENT;
		packet->fragment_offset = (fragment & ECBPF_IP_OFFSET_MASK) * 8;
		if (fragment & ECBPF_IP_OFFSET_MASK)
			return (void *)ip + header > end ? flags | ECBPF_TRUNCATED : flags;
		if (flags & ECBPF_FRAGMENT)
			flags |= ECBPF_FIRST_FRAGMENT;
	}
	return flags | ecbpf_parse_l4(packet, (void *)ip + header, end);
}

/* No chain of ECBPF_EXTENSIONS_MAX headers reaches further than this. */
#define ECBPF_L4_OFFSET_MASK 0x7fff

/*
 * Follows the chain from packet->l4_offset and leaves there where it ends. Offset and flags
 * live in memory, which the verifier takes for unknown: it then sees one state for each turn
 * of the loop instead of one for each combination of headers. The barriers keep the compiler
 * from holding them in registers.
 */
static __always_inline void ecbpf_parse_extensions(struct ecbpf_packet *packet, void *data,
						   void *end)
{
	struct ecbpf_extension *extension;
	__u32 length, fragment;
	int i;

	packet->flags |= ECBPF_OPTIONS;
	for (i = 0; i < ECBPF_EXTENSIONS_MAX; i++) {
		asm volatile("" ::: "memory");
		if (!ecbpf_is_extension(packet->protocol))
			return;
		extension = data + (packet->l4_offset & ECBPF_L4_OFFSET_MASK);
		if ((void *)(extension + 1) > end) {
			packet->flags |= ECBPF_TRUNCATED;
			return;
		}
		length = (extension->length + 1) * 8;
		if (packet->protocol == IPPROTO_AH)
			length = (extension->length + 2) * 4;
		if (packet->protocol == IPPROTO_FRAGMENT) {
			length = sizeof(*extension);
			fragment = bpf_ntohs(extension->fragment);
			packet->fragment_offset = fragment & ECBPF_IP6_OFFSET_MASK;
			if (fragment & ECBPF_IP6_OFFSET_MASK)
				packet->flags = (packet->flags & ~ECBPF_FIRST_FRAGMENT) |
						ECBPF_FRAGMENT;
			else if (fragment & ECBPF_IP6_MORE_FRAGMENTS)
				packet->flags |= ECBPF_FRAGMENT | ECBPF_FIRST_FRAGMENT;
		}
		packet->protocol = extension->next;
		packet->l4_offset += length;
		if ((packet->flags & (ECBPF_FRAGMENT | ECBPF_FIRST_FRAGMENT)) == ECBPF_FRAGMENT)
			return;
	}
}

static __always_inline __u32 ecbpf_parse_ipv6(struct ecbpf_packet *packet, void *data, __u32 offset,
					      void *end, __u64 frame_length)
{
	struct ipv6hdr *ip = data + offset;
	__u32 flags = ECBPF_ADDRESSES;

	packet->family = 6;
	packet->l3_offset = offset;
	if ((void *)(ip + 1) > end)
		return ECBPF_TRUNCATED;
	if (ip->version != 6)
		return ECBPF_MALFORMED;

	__builtin_memcpy(packet->saddr, &ip->saddr, sizeof(packet->saddr));
	__builtin_memcpy(packet->daddr, &ip->daddr, sizeof(packet->daddr));
	packet->protocol = ip->nexthdr;
	packet->ttl = ip->hop_limit;
	offset += sizeof(*ip);
	if (bpf_ntohs(ip->payload_len) > frame_length - offset)
		flags |= ECBPF_BAD_LENGTH;

	packet->l4_offset = offset;
	if (ecbpf_is_extension(packet->protocol)) {
		packet->flags = flags;
		ecbpf_parse_extensions(packet, data, end);
		asm volatile("" ::: "memory");
		flags = packet->flags;
		if (flags & ECBPF_TRUNCATED ||
		    (flags & (ECBPF_FRAGMENT | ECBPF_FIRST_FRAGMENT)) == ECBPF_FRAGMENT)
			return flags;
		offset = packet->l4_offset & ECBPF_L4_OFFSET_MASK;
	}
	return flags | ecbpf_parse_l4(packet, data + offset, end);
}

/**
 * ecbpf_parse() - fill in what is known of a frame
 * @ctx: the frame
 * @packet: out: see struct ecbpf_packet
 *
 * Return: whether slots have something to look at: false for frames that carry no IP.
 */
static __always_inline _Bool ecbpf_parse(struct xdp_md *ctx, struct ecbpf_packet *packet)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u64 frame_length = ecbpf_frame_length(ctx, data, end);
	__u32 offset = sizeof(struct ethhdr);
	struct ecbpf_vlan_tag *tag = data + offset;
	struct ethhdr *eth = data;
	__be16 protocol;

	packet->vlan_count = 0;
	packet->family = 0;
	packet->flags = ECBPF_TRUNCATED;
	if ((void *)(eth + 1) > end)
		return 1;
	protocol = eth->h_proto;
	if (ecbpf_is_vlan(protocol)) {
		if ((void *)(tag + 1) > end)
			return 1;
		packet->vlan_tci[0] = tag->tci;
		packet->vlan_count = 1;
		protocol = tag->protocol;
		offset += sizeof(*tag);
		if (ecbpf_is_vlan(protocol)) {
			tag++;
			if ((void *)(tag + 1) > end)
				return 1;
			packet->vlan_tci[1] = tag->tci;
			packet->vlan_count = 2;
			protocol = tag->protocol;
			offset += sizeof(*tag);
		}
	}
	if (protocol == bpf_htons(ETH_P_IP)) {
		packet->flags = ecbpf_parse_ipv4(packet, data, offset, end, frame_length);
	} else if (protocol == bpf_htons(ETH_P_IPV6)) {
		packet->flags = ecbpf_parse_ipv6(packet, data, offset, end, frame_length);
	} else {
		packet->flags = 0;
		return 0;
	}
	return 1;
}

#endif
