/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What changes a firewall. */
#ifndef XDP_FW_CHANGE_H
#define XDP_FW_CHANGE_H

#include <ecbpf/tool.h>

/**
 * struct fw_change - what to load
 * @rules: file, "-": standard input
 * @expires: ns after which the rules stop to match; 0: never
 * @update: only where there is a firewall already
 */
struct fw_change {
	const char *rules;
	uint64_t expires;
	bool dry_run;
	bool update;
	bool stage;
};

int fw_change_install(struct ecbpf_strings *interfaces, const struct fw_change *change);
int fw_change_detach(const struct ecbpf_strings *interfaces, bool stage);
int fw_change_reset(const struct ecbpf_strings *interfaces);

/* Read the rules and compile them, for nothing but what may be wrong with them. */
int fw_change_validate(const char *rules);

#endif
