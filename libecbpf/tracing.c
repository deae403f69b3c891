// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What programs at tracepoints need to know about the kernel. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <ecbpf/host.h>

#include "internal.h"

#define KERNEL_BTF    "/sys/kernel/btf/vmlinux"
#define POSSIBLE_CPUS "/sys/devices/system/cpu/possible"

bool ecbpf_have_kernel_btf(void)
{
	return !access(KERNEL_BTF, R_OK);
}

int ecbpf_cpu_numbers(void)
{
	FILE *file = fopen(POSSIBLE_CPUS, "re");
	int number, last = -1;

	/* Ranges that ascend: "0-3,8-11". */
	while (file && fscanf(file, "%d%*[,-]", &number) == 1)
		last = number;
	if (file)
		fclose(file);
	return last < 0 ? ecbpf_fail(-ENODEV, POSSIBLE_CPUS ": tells no CPUs") : last + 1;
}

bool ecbpf_have_iterator(const char *name)
{
	/* r0 = 0; exit */
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_ITER);
	int type = libbpf_find_vmlinux_btf_id(name, BPF_TRACE_ITER);
	CLEANUP_FD int fd = -1;

	if (type <= 0)
		return false;
	options.attach_btf_id = type;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "ecbpf_probe", "Dual BSD/GPL", nothing,
			   ARRAY_SIZE(nothing), &options);
	return fd >= 0;
}

bool ecbpf_have_cmpxchg(void)
{
	/* r0 = 0; *(u64 *)(r10 - 8) = r0; r0 = cmpxchg(r10 - 8, r0, r0); exit */
	const struct bpf_insn exchange[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_STX | BPF_DW | BPF_MEM, .dst_reg = BPF_REG_10, .off = -8 },
		{ .code = BPF_STX | BPF_DW | BPF_ATOMIC,
		  .dst_reg = BPF_REG_10,
		  .off = -8,
		  .imm = BPF_CMPXCHG },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	CLEANUP_FD int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "ecbpf_probe",
					  "Dual BSD/GPL", exchange, ARRAY_SIZE(exchange), NULL);

	return fd >= 0;
}

int ecbpf_btf_check(const char *file)
{
	struct btf *btf;

	if (!file && ecbpf_have_kernel_btf())
		return 0;
	if (!file)
		return ecbpf_fail(-EOPNOTSUPP,
				  KERNEL_BTF ": %m; this kernel has no types of its own: give them "
					     "with --btf FILE");
	btf = btf__parse(file, NULL);
	if (!btf)
		/* Beyond what errno has, libbpf has numbers of its own. */
		return ecbpf_fail(-ENODEV, "--btf %s: %s; give a file of BTF, or a kernel with it",
				  file,
				  errno < __LIBBPF_ERRNO__START ? strerror(errno) : "no BTF in it");
	btf__free(btf);
	return 0;
}

uint64_t ecbpf_program_misses(int program)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);

	/* Before 5.12 the kernel leaves it at 0. */
	return program >= 0 && !bpf_obj_get_info_by_fd(program, &info, &length) ?
		       info.recursion_misses :
		       0;
}
