// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A dispatcher as libxdp loads it, whose stubs may change packets. From kernel 6.13 on (and in
 * stable kernels since) a replacement that tail-calls, as root does, is refused for a stub that
 * doesn't. Names, layout and protocol are libxdp's (prog_dispatcher.h, version 2).
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define PROGRAMS_MAX	   10
#define DISPATCHER_VERSION 2
/* Highest bit of chain_call_actions: what a stub that nothing replaced returns. */
#define NOT_REPLACED 31

struct xdp_dispatcher_config {
	__u8 magic;
	__u8 dispatcher_version;
	__u8 num_progs_enabled;
	__u8 is_xdp_frags;
	/* Bit N: after action N the next program runs. */
	__u32 chain_call_actions[PROGRAMS_MAX];
	__u32 run_prios[PROGRAMS_MAX];
	__u32 program_flags[PROGRAMS_MAX];
};

static volatile const struct xdp_dispatcher_config conf = {};

#define STUB(name)                                             \
	__attribute__((noinline)) int name(struct xdp_md *ctx) \
	{                                                      \
		volatile int result = NOT_REPLACED;            \
                                                               \
		if (!ctx || bpf_xdp_adjust_head(ctx, 0))       \
			return XDP_ABORTED;                    \
		return result;                                 \
	}

STUB(prog0)
STUB(prog1)
STUB(prog2)
STUB(prog3)
STUB(prog4)
STUB(prog5)
STUB(prog6)
STUB(prog7)
STUB(prog8)
STUB(prog9)
/* libxdp replaces this one to find out whether it can. */
STUB(compat_test)

#define CALL(ctx, index)                                                     \
	do {                                                                 \
		int action;                                                  \
                                                                             \
		if (conf.num_progs_enabled <= (index))                       \
			return XDP_PASS;                                     \
		action = prog##index(ctx);                                   \
		if (!(1U << (action & 31) & conf.chain_call_actions[index])) \
			return action;                                       \
	} while (0)

SEC("xdp")
int xdp_dispatcher(struct xdp_md *ctx)
{
	CALL(ctx, 0);
	CALL(ctx, 1);
	CALL(ctx, 2);
	CALL(ctx, 3);
	CALL(ctx, 4);
	CALL(ctx, 5);
	CALL(ctx, 6);
	CALL(ctx, 7);
	CALL(ctx, 8);
	CALL(ctx, 9);
	/* Never reached; keeps the function in the program. */
	if (conf.num_progs_enabled > PROGRAMS_MAX && compat_test(ctx) != NOT_REPLACED)
		return XDP_ABORTED;
	return XDP_PASS;
}

SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
__uint(dispatcher_version, DISPATCHER_VERSION) SEC("xdp_metadata");
