// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts TCP connections when they are established. The kernel runs programs of a control group
 * even where they come upon themselves in a soft interrupt, which it refuses at tracepoints: so none
 * is missed.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../record/kernel.bpf.h"
#include "tcp_counter.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* Inode of the only network namespace that counts, for count_in_netns. */
const volatile __u32 netns = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counter_counts);
} counts SEC(".maps");

static __always_inline bool is_ipv6(struct bpf_sock_ops *ctx)
{
	if (ctx->family != AF_INET6)
		return false;
	return ctx->remote_ip6[0] || ctx->remote_ip6[1] || ctx->remote_ip6[2] != bpf_htonl(0xffff);
}

static __always_inline bool direction_of(struct bpf_sock_ops *ctx, __u32 *direction)
{
	if (ctx->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		*direction = COUNTER_ACTIVE;
	else if (ctx->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		*direction = COUNTER_PASSIVE;
	else
		return false;
	return true;
}

static __always_inline void count(struct bpf_sock_ops *ctx, __u32 direction)
{
	struct counter_counts *mine;
	__u32 zero = 0;

	mine = bpf_map_lookup_elem(&counts, &zero);
	if (mine)
		__sync_fetch_and_add(&mine->established[direction & 1][is_ipv6(ctx)], 1);
}

SEC("sockops")
int count_all(struct bpf_sock_ops *ctx)
{
	__u32 direction;

	if (direction_of(ctx, &direction))
		count(ctx, direction);
	return 1;
}

SEC("sockops")
int count_in_netns(struct bpf_sock_ops *ctx)
{
	struct tcp_sock *tp;
	__u32 direction;

	if (!direction_of(ctx, &direction) || !ctx->sk)
		return 1;
	tp = bpf_skc_to_tcp_sock(ctx->sk);
	if (tp &&
	    BPF_CORE_READ(tp, inet_conn.icsk_inet.sk.__sk_common.skc_net.net, ns.inum) == netns)
		count(ctx, direction);
	return 1;
}
