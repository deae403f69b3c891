/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A compiled ruleset as a BPF program with its maps. */
#ifndef XDP_FW_PROGRAM_H
#define XDP_FW_PROGRAM_H

#include "compile.h"

struct xdp_fw_bpf;

/* Constants and sizes of maps; before it is loaded. Return: -errno. */
int fw_program_prepare(struct xdp_fw_bpf *skeleton, const struct fw_ruleset *ruleset,
		       const struct fw_compiled *compiled);

/* What is in the maps; once it is loaded, before a packet sees it. Return: -errno. */
int fw_program_fill(struct xdp_fw_bpf *skeleton, const struct fw_ruleset *ruleset,
		    const struct fw_compiled *compiled);

#endif
