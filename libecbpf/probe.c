// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What this kernel can do, found out by trying. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "internal.h"

bool ecbpf_have_frags(void)
{
	/* r0 = XDP_PASS; exit */
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	CLEANUP_FD int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "ecbpf_probe", "Dual BSD/GPL", pass,
					  ARRAY_SIZE(pass), &options);

	return fd >= 0;
}

static bool have_helper(enum bpf_func_id helper)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, helper, NULL) == 1;
}

bool ecbpf_have_check_mtu(void)
{
	return have_helper(BPF_FUNC_check_mtu);
}

bool ecbpf_have_load_bytes(void)
{
	return have_helper(BPF_FUNC_xdp_load_bytes);
}
