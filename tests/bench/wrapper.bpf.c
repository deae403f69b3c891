// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that make a frame ready and tail-call the one that is measured. BPF_PROG_TEST_RUN
 * repeats with the same frame, in the state in which the repetition before left it.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include <stddef.h>

#include <bpf/bpf_helpers.h>

#include "draw.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

/* One value: source addresses, or draws, side by side, source_mask + 1 of them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 8);
} sources SEC(".maps");

const volatile __u32 source_mask = 0;

/* Octets of the frame before it is answered, and how far an answer moves its start. */
const volatile __u32 frame_size = 0;
const volatile __s32 answer_headroom = 0;
/* Its link header: of what is behind it, an answer changes nothing but what it cuts off. */
const volatile __u16 link_header[ETH_HLEN / 2] = {};

#define TCP_FLAGS_OCTET 13

/* All runs are on one CPU. */
__u32 turn;

static __always_inline const void *source_value(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&sources, &zero);
}

SEC("xdp")
int write_source4(struct xdp_md *ctx)
{
	__be32 *source = (void *)(long)ctx->data + ETH_HLEN + offsetof(struct iphdr, saddr);
	const __be32 *addresses = source_value();

	if ((void *)(source + 1) > (void *)(long)ctx->data_end || !addresses)
		return XDP_ABORTED;
	*source = addresses[turn++ & source_mask];
	bpf_tail_call_static(ctx, &target, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int write_source6(struct xdp_md *ctx)
{
	struct in6_addr *source =
		(void *)(long)ctx->data + ETH_HLEN + offsetof(struct ipv6hdr, saddr);
	const struct in6_addr *addresses = source_value();

	if ((void *)(source + 1) > (void *)(long)ctx->data_end || !addresses)
		return XDP_ABORTED;
	*source = addresses[turn++ & source_mask];
	bpf_tail_call_static(ctx, &target, 0);
	return XDP_ABORTED;
}

static __always_inline void write_tcp(struct tcphdr *tcp, const struct draw *draw)
{
	tcp->source = draw->sport;
	tcp->dest = draw->dport;
	tcp->window = draw->window;
	((__u8 *)tcp)[TCP_FLAGS_OCTET] = draw->flags;
}

SEC("xdp")
int write_draw4(struct xdp_md *ctx)
{
	struct iphdr *ip = (void *)(long)ctx->data + ETH_HLEN;
	struct tcphdr *tcp = (void *)(ip + 1);
	const struct draw *draw = source_value();

	if ((void *)(tcp + 1) > (void *)(long)ctx->data_end || !draw)
		return XDP_ABORTED;
	draw += turn++ & source_mask;
	ip->saddr = draw->saddr[0];
	ip->daddr = draw->daddr[0];
	ip->ttl = draw->ttl;
	ip->protocol = draw->protocol;
	write_tcp(tcp, draw);
	bpf_tail_call_static(ctx, &target, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int write_draw6(struct xdp_md *ctx)
{
	struct ipv6hdr *ip = (void *)(long)ctx->data + ETH_HLEN;
	struct tcphdr *tcp = (void *)(ip + 1);
	const struct draw *draw = source_value();

	if ((void *)(tcp + 1) > (void *)(long)ctx->data_end || !draw)
		return XDP_ABORTED;
	draw += turn++ & source_mask;
	__builtin_memcpy(&ip->saddr, draw->saddr, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, draw->daddr, sizeof(ip->daddr));
	ip->hop_limit = draw->ttl;
	ip->nexthdr = draw->protocol;
	write_tcp(tcp, draw);
	bpf_tail_call_static(ctx, &target, 0);
	return XDP_ABORTED;
}

/* Calls the same helpers whether there is something to restore or not: it always costs the same. */
SEC("xdp")
int restore_frame(struct xdp_md *ctx)
{
	__s32 size = ctx->data_end - ctx->data;
	_Bool answered = size != (__s32)frame_size;
	__u16 *link;
	int i;

	if (bpf_xdp_adjust_head(ctx, answered ? answer_headroom : 0) ||
	    bpf_xdp_adjust_tail(ctx, answered ? (__s32)frame_size - (size - answer_headroom) : 0))
		return XDP_ABORTED;
	link = (void *)(long)ctx->data;
	if ((void *)link + ETH_HLEN > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	for (i = 0; i < ETH_HLEN / 2; i++)
		link[i] = link_header[i];
	bpf_tail_call_static(ctx, &target, 0);
	return XDP_ABORTED;
}

char _license[] SEC("license") = "Dual BSD/GPL";
