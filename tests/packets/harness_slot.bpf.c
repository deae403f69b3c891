// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A subprogram for any slot that does as it is told, and leaves a trail. */
#include <linux/types.h>

const volatile __u32 slot_number = 0;

#define ECBPF_SLOT slot_number
#include <ecbpf/subprogram.bpf.h>

#include "harness_slot.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct slot_orders);
} orders SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct slot_trail);
} trail SEC(".maps");

static __always_inline void leave_trail(void)
{
	struct slot_trail *left;
	__u32 zero = 0;

	left = bpf_map_lookup_elem(&trail, &zero);
	if (left && left->count < SLOT_TRAIL)
		left->slots[left->count++] = slot_number;
}

static __always_inline void untag(struct xdp_md *ctx, struct ecbpf_packet *packet)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u8 addresses[12];

	if (data + 18 > end)
		return;
	__builtin_memcpy(addresses, data, sizeof(addresses));
	__builtin_memcpy(data + 4, addresses, sizeof(addresses));
	if (!bpf_xdp_adjust_head(ctx, 4))
		ecbpf_reparse(ctx, packet);
}

static __always_inline void prepend(struct xdp_md *ctx, struct ecbpf_packet *packet,
				    const struct slot_orders *told)
{
	void *data, *end;

	if (bpf_xdp_adjust_head(ctx, -(int)told->octets))
		return;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + SLOT_HEADER > end)
		return;
	__builtin_memcpy(data, told->header, SLOT_HEADER);
	ecbpf_reparse(ctx, packet);
}

static __always_inline void renumber(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__be16 *port = data + 34;
	__u16 next;

	if (data + 36 > end)
		return;
	next = bpf_ntohs(*port) + 1;
	*port = bpf_htons(next < 2000 ? next : 1000);
}

ECBPF_SUBPROGRAM(harness_slot_prog)
{
	struct slot_orders *told;
	__u32 zero = 0;

	leave_trail();
	told = bpf_map_lookup_elem(&orders, &zero);
	if (!told)
		return XDP_ABORTED;
	if (told->sample)
		packet->flags |= ECBPF_SAMPLED;
	switch (told->order) {
	case SLOT_VERDICT:
		return ecbpf_verdict(ctx, packet, told->action, told->reason);
	case SLOT_UNTAG:
		untag(ctx, packet);
		break;
	case SLOT_PREPEND:
		prepend(ctx, packet, told);
		break;
	case SLOT_CUT:
		bpf_xdp_adjust_tail(ctx, -(int)told->octets);
		break;
	case SLOT_RENUMBER:
		renumber(ctx);
		break;
	}
	return ecbpf_next(ctx, packet);
}

char _license[] SEC("license") = "Dual BSD/GPL";
