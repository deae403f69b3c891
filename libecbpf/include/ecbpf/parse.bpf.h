/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The one parser: Ethernet, two VLAN tags and any priority tags, IPv4 and IPv6 with their options
 * and extension headers, fragments, ports. Root runs it once for each packet; slots read its
 * result.
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

#define ecbpf_likely(condition)	  __builtin_expect(!!(condition), 1)
#define ecbpf_unlikely(condition) __builtin_expect(!!(condition), 0)

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

/**
 * struct ecbpf_frame - a frame being parsed
 * @data: its first piece, up to @end
 * @length: octets of all pieces
 * @pieces: read through the helper, from whatever piece; a constant wherever it is used, so that
 *	the verifier never meets a pointer into the frame where one to a copy may be
 */
struct ecbpf_frame {
	struct xdp_md *ctx;
	void *data;
	void *end;
	__u64 length;
	_Bool pieces;
};

/* Octets of the whole frame; the helper is kernel 5.18. */
static __always_inline __u64 ecbpf_frame_length(struct xdp_md *ctx, void *data, void *end)
{
	if (ecbpf_frags)
		return bpf_xdp_get_buff_len(ctx);
	return end - data;
}

/*
 * Whether there are @size octets at @offset: then @octets points there, or to @copy. The pointer is
 * no return value, because the compiler would take the trouble to compare it with NULL.
 */
static __always_inline _Bool ecbpf_frame_get(const struct ecbpf_frame *frame, __u32 offset,
					     const void **octets, void *copy, __u32 size)
{
	if (frame->pieces) {
		*octets = copy;
		return !bpf_xdp_load_bytes(frame->ctx, offset, copy, size);
	}
	*octets = frame->data + offset;
	return *octets + size <= frame->end;
}

static __always_inline _Bool ecbpf_frame_ends_before(const struct ecbpf_frame *frame, __u32 offset)
{
	return frame->pieces ? offset > frame->length : frame->data + offset > frame->end;
}

static __always_inline _Bool ecbpf_is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* A look at what the link header says, and at nothing behind it. */
static __always_inline _Bool ecbpf_is_untagged_ip(struct xdp_md *ctx)
{
	const struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return 0;
	return eth->h_proto == bpf_htons(ETH_P_IP) || eth->h_proto == bpf_htons(ETH_P_IPV6);
}

static __always_inline _Bool ecbpf_is_extension(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS ||
	       protocol == IPPROTO_AH;
}

static __always_inline __u32 ecbpf_parse_ports(struct ecbpf_packet *packet,
					       const struct ecbpf_frame *frame, __u32 offset)
{
	const __be32 *ports;
	__be32 copy;

	if (!ecbpf_frame_get(frame, offset, (const void **)&ports, &copy, sizeof(copy)))
		return 0;
	packet->ports = *ports;
	return ECBPF_PORTS;
}

static __always_inline __u32 ecbpf_parse_tcp(struct ecbpf_packet *packet,
					     const struct ecbpf_frame *frame, __u32 offset)
{
	__be32 copy[sizeof(struct tcphdr) / 4];
	const __be32 *words;

	if (ecbpf_unlikely(
		    !ecbpf_frame_get(frame, offset, (const void **)&words, copy, sizeof(copy))))
		return ECBPF_TRUNCATED | ecbpf_parse_ports(packet, frame, offset);
	packet->ports = words[0];
	packet->tcp_word = words[3];
	return ECBPF_PORTS | ECBPF_TCP;
}

static __always_inline __u32 ecbpf_parse_udp(struct ecbpf_packet *packet,
					     const struct ecbpf_frame *frame, __u32 offset)
{
	__u32 flags = ecbpf_parse_ports(packet, frame, offset);

	return ecbpf_frame_ends_before(frame, offset + 8) ? flags | ECBPF_TRUNCATED : flags;
}

static __always_inline __u32 ecbpf_parse_icmp(struct ecbpf_packet *packet,
					      const struct ecbpf_frame *frame, __u32 offset)
{
	const __u8 *bytes;
	__u8 copy[2];

	if (!ecbpf_frame_get(frame, offset, (const void **)&bytes, copy, sizeof(copy)))
		return ECBPF_TRUNCATED;
	packet->icmp_type = bytes[0];
	packet->icmp_code = bytes[1];
	return ecbpf_frame_ends_before(frame, offset + 8) ? ECBPF_ICMP | ECBPF_TRUNCATED :
							    ECBPF_ICMP;
}

static __always_inline __u32 ecbpf_parse_l4(struct ecbpf_packet *packet,
					    const struct ecbpf_frame *frame, __u32 offset)
{
	if (ecbpf_likely(packet->protocol == IPPROTO_TCP))
		return ecbpf_parse_tcp(packet, frame, offset);
	switch (packet->protocol) {
	case IPPROTO_UDP:
		return ecbpf_parse_udp(packet, frame, offset);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return ecbpf_parse_icmp(packet, frame, offset);
	default:
		return ecbpf_frame_ends_before(frame, offset) ? ECBPF_TRUNCATED : ECBPF_L4_UNKNOWN;
	}
}

static __always_inline __u32 ecbpf_parse_ipv4(struct ecbpf_packet *packet,
					      const struct ecbpf_frame *frame, __u32 offset)
{
	__u32 header, length, flags, fragment;
	const struct iphdr *ip;
	struct iphdr copy;

	packet->family = 4;
	packet->l3_offset = offset;
	if (ecbpf_unlikely(
		    !ecbpf_frame_get(frame, offset, (const void **)&ip, &copy, sizeof(copy))))
		return ECBPF_TRUNCATED;
	if (ecbpf_unlikely(ip->version != 4))
		return ECBPF_MALFORMED;

	header = ip->ihl * 4;
	packet->saddr[0] = ip->saddr;
	packet->daddr[0] = ip->daddr;
	packet->protocol = ip->protocol;
	packet->ttl = ip->ttl;
	flags = ECBPF_ADDRESSES;
	if (ecbpf_unlikely(header != sizeof(*ip))) {
		if (header < sizeof(*ip))
			return flags | ECBPF_MALFORMED;
		flags |= ECBPF_OPTIONS;
	}
	packet->l4_offset = offset + header;

	/* A length of 0 is how the kernel writes packets of over 65 535 octets (BIG TCP). */
	length = bpf_ntohs(ip->tot_len);
	if (ecbpf_unlikely(length < header || length > frame->length - offset)) {
		if (length || frame->length - offset <= 0xffff)
			flags |= ECBPF_BAD_LENGTH;
	}

	fragment = bpf_ntohs(ip->frag_off);
	if (ecbpf_unlikely(fragment & ~0x4000)) {
		if (fragment & ECBPF_IP_RESERVED)
			flags |= ECBPF_EVIL_BIT;
		if (fragment & (ECBPF_IP_MORE_FRAGMENTS | ECBPF_IP_OFFSET_MASK))
			flags |= ECBPF_FRAGMENT;
		packet->fragment_offset = (fragment & ECBPF_IP_OFFSET_MASK) * 8;
		if (fragment & ECBPF_IP_OFFSET_MASK)
			return ecbpf_frame_ends_before(frame, offset + header) ?
				       flags | ECBPF_TRUNCATED :
				       flags;
		if (flags & ECBPF_FRAGMENT)
			flags |= ECBPF_FIRST_FRAGMENT;
	}
	return flags | ecbpf_parse_l4(packet, frame, offset + header);
}

/* No chain of ECBPF_EXTENSIONS_MAX headers reaches further than this. */
#define ECBPF_L4_OFFSET_MASK 0x7fff

/*
 * Follows the chain from packet->l4_offset and leaves there where it ends. Offset and flags
 * live in memory, which the verifier takes for unknown: it then sees one state for each turn
 * of the loop instead of one for each combination of headers. The barriers keep the compiler
 * from holding them in registers.
 */
static __always_inline void ecbpf_parse_extensions(struct ecbpf_packet *packet,
						   const struct ecbpf_frame *frame)
{
	const struct ecbpf_extension *extension;
	__u32 offset, length, fragment;
	struct ecbpf_extension copy;
	int i;

	packet->flags |= ECBPF_OPTIONS;
	for (i = 0; i < ECBPF_EXTENSIONS_MAX; i++) {
		asm volatile("" ::: "memory");
		if (!ecbpf_is_extension(packet->protocol))
			return;
		offset = packet->l4_offset & ECBPF_L4_OFFSET_MASK;
		if (!ecbpf_frame_get(frame, offset, (const void **)&extension, &copy,
				     sizeof(copy))) {
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

static __always_inline __u32 ecbpf_parse_ipv6(struct ecbpf_packet *packet,
					      const struct ecbpf_frame *frame, __u32 offset)
{
	__u32 flags = ECBPF_ADDRESSES;
	const struct ipv6hdr *ip;
	struct ipv6hdr copy;

	packet->family = 6;
	packet->l3_offset = offset;
	if (ecbpf_unlikely(
		    !ecbpf_frame_get(frame, offset, (const void **)&ip, &copy, sizeof(copy))))
		return ECBPF_TRUNCATED;
	if (ecbpf_unlikely(ip->version != 6))
		return ECBPF_MALFORMED;

	__builtin_memcpy(packet->saddr, &ip->saddr, sizeof(packet->saddr));
	__builtin_memcpy(packet->daddr, &ip->daddr, sizeof(packet->daddr));
	packet->protocol = ip->nexthdr;
	packet->ttl = ip->hop_limit;
	offset += sizeof(*ip);
	if (ecbpf_unlikely(bpf_ntohs(ip->payload_len) > frame->length - offset))
		flags |= ECBPF_BAD_LENGTH;

	packet->l4_offset = offset;
	if (ecbpf_unlikely(ecbpf_is_extension(packet->protocol))) {
		packet->flags = flags;
		ecbpf_parse_extensions(packet, frame);
		asm volatile("" ::: "memory");
		flags = packet->flags;
		if (flags & ECBPF_TRUNCATED ||
		    (flags & (ECBPF_FRAGMENT | ECBPF_FIRST_FRAGMENT)) == ECBPF_FRAGMENT)
			return flags;
		offset = packet->l4_offset & ECBPF_L4_OFFSET_MASK;
	}
	return flags | ecbpf_parse_l4(packet, frame, offset);
}

/* As many tags as fit a frame in one piece. */
#define ECBPF_TAGS_MAX 1024

/* No such number of tags reaches further than this. */
#define ECBPF_L3_OFFSET_MASK 0x1fff

/* 1 for a tag that names a VLAN, 0 for one that only has a priority; no branch for the verifier. */
static __always_inline __u32 ecbpf_names_vlan(__be16 tci)
{
	return ((bpf_ntohs(tci) & 0xfff) + 0xfff) >> 12;
}

/*
 * Kernels take priority tags off a frame however many there are, even without VLAN support, so IP
 * for this very interface may lie behind them. Follows tags from packet->l3_offset, leaves there
 * where they end, and sets @protocol to what is announced then: to 0, which is nobody's, if more
 * than two name VLANs. False: the frame, or patience, ends before. What changes lives in memory, as
 * in ecbpf_parse_extensions(); nobody reads l4_offset before addresses are known.
 */
static __always_inline _Bool ecbpf_parse_priority_tags(struct ecbpf_packet *packet,
						       const struct ecbpf_frame *frame,
						       __be16 *protocol)
{
	const struct ecbpf_vlan_tag *tag;
	struct ecbpf_vlan_tag copy;
	__u32 offset;
	int i;

	packet->l4_offset =
		ecbpf_names_vlan(packet->vlan_tci[0]) + ecbpf_names_vlan(packet->vlan_tci[1]);
	for (i = 0; i < ECBPF_TAGS_MAX; i++) {
		asm volatile("" ::: "memory");
		offset = packet->l3_offset & ECBPF_L3_OFFSET_MASK;
		if (!ecbpf_frame_get(frame, offset, (const void **)&tag, &copy, sizeof(copy)))
			return 0;
		packet->l4_offset += ecbpf_names_vlan(tag->tci);
		packet->l3_offset += sizeof(*tag);
		if (tag->protocol == bpf_htons(ETH_P_8021Q))
			continue;
		if (tag->protocol == bpf_htons(ETH_P_8021AD))
			continue;
		*protocol = packet->l4_offset > 2 ? 0 : tag->protocol;
		return 1;
	}
	return 0;
}

/* A frame that ends before its IP header begins. */
static __always_inline _Bool ecbpf_parse_nothing(struct ecbpf_packet *packet)
{
	packet->family = 0;
	packet->flags = ECBPF_TRUNCATED;
	return 1;
}

static __always_inline _Bool ecbpf_parse_frame(struct ecbpf_packet *packet,
					       const struct ecbpf_frame *frame)
{
	__u32 offset = sizeof(struct ethhdr);
	const struct ecbpf_vlan_tag *tag;
	struct ecbpf_vlan_tag tag_copy;
	__be16 eth_copy[sizeof(struct ethhdr) / 2];
	const __be16 *eth;
	__be16 protocol;

	packet->vlan_count = 0;
	if (ecbpf_unlikely(
		    !ecbpf_frame_get(frame, 0, (const void **)&eth, eth_copy, sizeof(eth_copy))))
		return ecbpf_parse_nothing(packet);
	protocol = eth[offsetof(struct ethhdr, h_proto) / 2];
	/* Most packets, by a copy with constant offsets. */
	if (!frame->pieces && ecbpf_likely(protocol == bpf_htons(ETH_P_IP))) {
		packet->flags = ecbpf_parse_ipv4(packet, frame, sizeof(struct ethhdr));
		return 1;
	}
	if (ecbpf_unlikely(ecbpf_is_vlan(protocol))) {
		if (!ecbpf_frame_get(frame, offset, (const void **)&tag, &tag_copy,
				     sizeof(tag_copy)))
			return ecbpf_parse_nothing(packet);
		packet->vlan_tci[0] = tag->tci;
		packet->vlan_count = 1;
		protocol = tag->protocol;
		offset += sizeof(*tag);
		if (ecbpf_is_vlan(protocol)) {
			if (!ecbpf_frame_get(frame, offset, (const void **)&tag, &tag_copy,
					     sizeof(tag_copy)))
				return ecbpf_parse_nothing(packet);
			packet->vlan_tci[1] = tag->tci;
			packet->vlan_count = 2;
			protocol = tag->protocol;
			offset += sizeof(*tag);
			if (ecbpf_is_vlan(protocol)) {
				packet->l3_offset = offset;
				if (!ecbpf_parse_priority_tags(packet, frame, &protocol))
					return ecbpf_parse_nothing(packet);
				offset = packet->l3_offset & ECBPF_L3_OFFSET_MASK;
			}
		}
	}
	if (ecbpf_likely(protocol == bpf_htons(ETH_P_IP))) {
		packet->flags = ecbpf_parse_ipv4(packet, frame, offset);
	} else if (protocol == bpf_htons(ETH_P_IPV6)) {
		packet->flags = ecbpf_parse_ipv6(packet, frame, offset);
	} else {
		packet->family = 0;
		packet->flags = 0;
		return 0;
	}
	return 1;
}

/* Headers may go on behind the first piece, which drivers make as short as they like. */
static __always_inline _Bool ecbpf_parse_pieces(struct xdp_md *ctx, struct ecbpf_packet *packet)
{
	const struct ecbpf_frame frame = {
		.ctx = ctx,
		.length = bpf_xdp_get_buff_len(ctx),
		.pieces = 1,
	};

	if (frame.length == ctx->data_end - ctx->data)
		return 1;
	return ecbpf_parse_frame(packet, &frame);
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
	struct ecbpf_frame frame = {
		.ctx = ctx,
		.data = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};

	frame.length = ecbpf_frame_length(ctx, frame.data, frame.end);
	if (ecbpf_unlikely(!ecbpf_parse_frame(packet, &frame)))
		return 0;
	if (ecbpf_frags && packet->flags & ECBPF_TRUNCATED)
		return ecbpf_parse_pieces(ctx, packet);
	return 1;
}

#endif
