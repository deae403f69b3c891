// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What programs at tracepoints need to know about the kernel. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include <ecbpf/host.h>

#include "internal.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

bool ecbpf_have_kernel_btf(void)
{
	return !access(KERNEL_BTF, R_OK);
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
		return ecbpf_fail(-ENODEV, "--btf %s: %m; give a file of BTF, or a kernel with it",
				  file);
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
