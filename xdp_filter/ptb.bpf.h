/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Path MTU messages in answer to first fragments: whether one may be sent (RFC 1122 3.2.2, RFC 4443
 * 2.4), whether this second has one left, and how the frame is turned into it.
 */
#ifndef PTB_BPF_H
#define PTB_BPF_H

#include <linux/bpf.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <ecbpf/parse.bpf.h>

#include "local.bpf.h"
#include "verifier.h"
#include "xdp_filter.h"

extern const volatile struct filter_config filter_config;

/* <linux/icmp.h> wants libc headers. */
struct ptb_icmp4 {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be16 unused;
	__be16 mtu;
};

enum ptb_icmp4_type {
	PTB_UNREACHABLE = 3,
	PTB_SOURCE_QUENCH = 4,
	PTB_REDIRECT = 5,
	PTB_TIME_EXCEEDED = 11,
	PTB_PARAMETER_PROBLEM = 12,
};

#define PTB_FRAG_NEEDED	    4
#define PTB_ICMPV6_REDIRECT 137

#define PTB_NSEC_PER_SEC 1000000000ULL

/* Ethernet header and two tags. */
#define PTB_LINK_MAX  (ETH_HLEN + 2 * sizeof(struct ecbpf_vlan_tag))
#define PTB_LINK_MASK 31
#define PTB_TTL	      64
/* Internetwork control, as routers mark their errors (RFC 1812 4.3.2.5). */
#define PTB_TOS 0xc0
/* Of the payload behind the quoted IPv4 header. */
#define PTB_QUOTED4 8
/* A whole ICMPv6 error fits the minimum MTU of IPv6. */
#define PTB_IPV6_MAX 1280

#define PTB_HEADERS4   (sizeof(struct iphdr) + sizeof(struct ptb_icmp4))
#define PTB_HEADERS6   (sizeof(struct ipv6hdr) + sizeof(struct icmp6hdr))
#define PTB_QUOTE4_MAX (60 + PTB_QUOTED4)
#define PTB_QUOTE6_MAX (PTB_IPV6_MAX - PTB_HEADERS6)
/* Octets that ptb_sum() takes of any quote: verifiers before 6.12 don't know the maximum then. */
#define PTB_SUM_MASK 0x7f8

enum ptb_result {
	PTB_BUILT,
	/* No room in front of the frame. */
	PTB_NO_ROOM,
	PTB_FAILED,
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct filter_ptb_budget);
} ptb_budget SEC(".maps");

/* An address that stands for one host, and that may be seen on a wire. */
static __always_inline _Bool ptb_is_host4(__be32 address)
{
	__u32 host = bpf_ntohl(address);

	/* Beyond 224.0.0.0: multicast, class E and the limited broadcast. */
	return host && host >> 24 != 127 && host < 0xe0000000;
}

static __always_inline _Bool ptb_is_host6(const __be32 *words)
{
	if ((words[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000))
		return 0;
	if (words[0] || words[1])
		return 1;
	/* ::, ::1 and mapped IPv4 addresses. */
	return words[2] ? words[2] != bpf_htonl(0xffff) : bpf_ntohl(words[3]) > 1;
}

/* ICMP that mustn't be answered by an error, or that ends before it says what it is. */
static __always_inline _Bool ptb_is_error4(const struct ecbpf_packet *packet)
{
	if (packet->protocol != IPPROTO_ICMP)
		return 0;
	if (!(packet->flags & ECBPF_ICMP))
		return 1;
	switch (packet->icmp_type) {
	case PTB_UNREACHABLE:
	case PTB_SOURCE_QUENCH:
	case PTB_REDIRECT:
	case PTB_TIME_EXCEEDED:
	case PTB_PARAMETER_PROBLEM:
		return 1;
	default:
		return 0;
	}
}

static __always_inline _Bool ptb_is_error6(const struct ecbpf_packet *packet)
{
	/* The chain is cut short or too long: what it carries may be an error. */
	if (ecbpf_is_extension(packet->protocol))
		return 1;
	if (packet->protocol != IPPROTO_ICMPV6)
		return 0;
	return !(packet->flags & ECBPF_ICMP) || packet->icmp_type < ICMPV6_INFOMSG_MASK ||
	       packet->icmp_type == PTB_ICMPV6_REDIRECT;
}

/* Neither from the host itself, nor from or to the broadcast address of one of its subnets. */
static __always_inline _Bool ptb_is_between_hosts(const struct ecbpf_packet *packet)
{
	return local_find(packet, packet->saddr) == FILTER_ELSEWHERE &&
	       local_find(packet, packet->daddr) != FILTER_BROADCAST;
}

/* Whether this first fragment is one that may be answered at all. */
static __always_inline _Bool ptb_may_answer(struct xdp_md *ctx, const struct ecbpf_packet *packet)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	const struct ethhdr *eth = data;

	if ((void *)(eth + 1) > end)
		return 0;
	if ((eth->h_dest[0] | eth->h_source[0]) & 1)
		return 0;
	if (packet->family == 4)
		return ptb_is_host4(packet->saddr[0]) && ptb_is_host4(packet->daddr[0]) &&
		       !ptb_is_error4(packet) && ptb_is_between_hosts(packet);
	return ptb_is_host6(packet->saddr) && ptb_is_host6(packet->daddr) &&
	       !ptb_is_error6(packet) && ptb_is_between_hosts(packet);
}

/* Take one message from the budget of this second, if one is left. */
static __always_inline _Bool ptb_take(void)
{
	__u64 second = bpf_ktime_get_ns() / PTB_NSEC_PER_SEC;
	struct filter_ptb_budget *budget;
	__u32 zero = 0;
	_Bool taken;

	budget = bpf_map_lookup_elem(&ptb_budget, &zero);
	if (!budget)
		return 0;
	bpf_spin_lock(&budget->lock);
	/* Never back: another CPU may have read its clock later and come here first. */
	if (second > budget->second) {
		budget->second = second;
		budget->sent = 0;
	}
	taken = budget->sent < filter_config.ptb_max_pps;
	if (taken)
		budget->sent++;
	bpf_spin_unlock(&budget->lock);
	return taken;
}

static __always_inline __u32 ptb_mtu(struct xdp_md *ctx)
{
	__u32 mtu = 0;

	if (filter_config.have_check_mtu && bpf_check_mtu(ctx, 0, &mtu, 0, 0) >= 0)
		return mtu;
	return filter_config.mtu;
}

/* Sum of the 16-bit words from @data up to @end, by 8 octets, @turns at most. */
static __always_inline __u64 ptb_sum(const __u32 *data, void *end, __u32 turns)
{
	__u64 sum = 0;
	__u32 i;

	for (i = 0; i < turns; i++, data += 2) {
		if ((void *)(data + 2) > end)
			break;
		sum += (__u64)data[0] + data[1];
	}
	return sum;
}

/*
 * Sum of the up to seven octets that are left then. To be asked for before ptb_sum(): what comes
 * behind that loop, the verifier sees once for each of its turns.
 */
static __always_inline __u64 ptb_sum_rest(const void *rest, void *end)
{
	__u64 sum = 0;

	if (rest + 4 <= end) {
		sum = *(const __u32 *)rest;
		rest += 4;
	}
	if (rest + 2 <= end) {
		sum += *(const __u16 *)rest;
		rest += 2;
	}
	if (rest + 1 <= end)
		sum += bpf_htons((__u16)(*(const __u8 *)rest << 8));
	return sum;
}

static __always_inline __u16 ptb_checksum(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/*
 * Leave the link header, @headers octets of room, and the first @quoted octets of the IP packet.
 * The frame is one piece afterwards, and the link header that of an answer.
 */
static __always_inline enum ptb_result ptb_reshape(struct xdp_md *ctx, __u32 link, __u32 headers,
						   __u32 quoted)
{
	__u64 length =
		ecbpf_frame_length(ctx, (void *)(long)ctx->data, (void *)(long)ctx->data_end);
	__u8 header[PTB_LINK_MAX];
	void *data, *end;

	if (link + quoted < length && bpf_xdp_adjust_tail(ctx, (int)(link + quoted - length)))
		return PTB_FAILED;
	if (bpf_xdp_adjust_head(ctx, -(int)headers))
		return PTB_NO_ROOM;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (end - data != link + headers + quoted)
		return PTB_FAILED;
	if (data + headers + PTB_LINK_MAX > end)
		return PTB_FAILED;
	/* Two tags are copied even where there are none: the new IP header overwrites the rest. */
	__builtin_memcpy(header, data + headers, PTB_LINK_MAX);
	__builtin_memcpy(data, header + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(data + ETH_ALEN, header, ETH_ALEN);
	__builtin_memcpy(data + 2 * ETH_ALEN, header + 2 * ETH_ALEN, PTB_LINK_MAX - 2 * ETH_ALEN);
	return PTB_BUILT;
}

static __always_inline enum ptb_result ptb_build4(struct xdp_md *ctx, __u32 link, __u32 mtu)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + link;
	enum ptb_result result;
	struct ptb_icmp4 *icmp;
	__u32 quoted, total;
	__be32 from, to;
	__u64 sum;

	if ((void *)(ip + 1) > end)
		return PTB_FAILED;
	from = ip->daddr;
	to = ip->saddr;
	quoted = ip->ihl * 4 + PTB_QUOTED4;
	total = bpf_ntohs(ip->tot_len);
	/* 0: BIG TCP's way of writing more than 65 535. */
	if (total && quoted > total)
		quoted = total;
	if (quoted > PTB_QUOTE4_MAX)
		return PTB_FAILED;
	result = ptb_reshape(ctx, link, PTB_HEADERS4, quoted);
	if (result != PTB_BUILT)
		return result;

	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	ip = data + link;
	icmp = (void *)(ip + 1);
	if ((void *)(icmp + 1) > end)
		return PTB_FAILED;
	*ip = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*ip) / 4,
		.tos = PTB_TOS,
		.tot_len = bpf_htons(PTB_HEADERS4 + quoted),
		.ttl = PTB_TTL,
		.protocol = IPPROTO_ICMP,
		.saddr = from,
		.daddr = to,
	};
	ip->check = ptb_checksum(bpf_csum_diff(NULL, 0, (void *)ip, sizeof(*ip), 0));
	*icmp = (struct ptb_icmp4){
		.type = PTB_UNREACHABLE,
		.code = PTB_FRAG_NEEDED,
		.mtu = bpf_htons(mtu < 0xffff ? mtu : 0xffff),
	};
	sum = ptb_sum_rest(data + link + PTB_HEADERS4 + (quoted & PTB_SUM_MASK), end);
	sum += ptb_sum((void *)icmp, end, (sizeof(*icmp) + PTB_QUOTE4_MAX) / 8);
	icmp->checksum = ptb_checksum(sum);
	return PTB_BUILT;
}

static __always_inline enum ptb_result ptb_build6(struct xdp_md *ctx, __u32 link, __u32 mtu)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ipv6hdr *ip = data + link;
	struct in6_addr from, to;
	enum ptb_result result;
	struct icmp6hdr *icmp;
	__u32 quoted;
	__u64 sum;

	if ((void *)(ip + 1) > end)
		return PTB_FAILED;
	from = ip->daddr;
	to = ip->saddr;
	quoted = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (quoted > PTB_QUOTE6_MAX)
		quoted = PTB_QUOTE6_MAX;
	quoted = verifier_forget(quoted, ip->payload_len);
	result = ptb_reshape(ctx, link, PTB_HEADERS6, quoted);
	if (result != PTB_BUILT)
		return result;

	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	ip = data + link;
	icmp = (void *)(ip + 1);
	if ((void *)(icmp + 1) > end)
		return PTB_FAILED;
	*ip = (struct ipv6hdr){
		.version = 6,
		.payload_len = bpf_htons(sizeof(*icmp) + quoted),
		.nexthdr = IPPROTO_ICMPV6,
		.hop_limit = PTB_TTL,
		.saddr = from,
		.daddr = to,
	};
	*icmp = (struct icmp6hdr){
		.icmp6_type = ICMPV6_PKT_TOOBIG,
		.icmp6_mtu = bpf_htonl(mtu),
	};
	/* The pseudo header: addresses here, then length and protocol. */
	sum = ptb_sum_rest(data + link + PTB_HEADERS6 + (quoted & PTB_SUM_MASK), end);
	sum += bpf_htons(sizeof(*icmp) + quoted) + bpf_htons(IPPROTO_ICMPV6);
	sum += ptb_sum((void *)&ip->saddr, end,
		       (2 * sizeof(from) + sizeof(*icmp) + PTB_QUOTE6_MAX) / 8);
	icmp->icmp6_cksum = ptb_checksum(sum);
	return PTB_BUILT;
}

/* Turn the frame of a first fragment into the answer to it. */
static __always_inline enum ptb_result ptb_build(struct xdp_md *ctx,
						 const struct ecbpf_packet *packet)
{
	__u32 link = packet->l3_offset;
	__u32 mtu = ptb_mtu(ctx);

	if (link > PTB_LINK_MAX)
		return PTB_FAILED;
	/* Verifiers before 6.12 may have seen a copy compared; the barrier keeps the mask. */
	asm volatile("" : "+r"(link));
	link &= PTB_LINK_MASK;
	return packet->family == 4 ? ptb_build4(ctx, link, mtu) : ptb_build6(ctx, link, mtu);
}

#endif
