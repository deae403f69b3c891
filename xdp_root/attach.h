/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What changes an interface: attaching, detaching, staging. */
#ifndef XDP_ROOT_ATTACH_H
#define XDP_ROOT_ATTACH_H

#include <stdbool.h>
#include <stddef.h>

#include <ecbpf/tool.h>

/**
 * struct root_options - how to attach
 * @frags: load for multi-buffer frames: 0, 1, or -1: only if the MTU asks for it
 * @force: change the mode, or drop a generation that others filled
 * @nop: a program that passes everything instead of the root array
 * @keep_rxvlan: leave rx-vlan offload as it is
 */
struct root_options {
	enum ecbpf_mode mode;
	int frags;
	bool force;
	bool nop;
	bool keep_rxvlan;
};

/*
 * Each sorts @interfaces, and works on all of them or, where it can't be taken back, names what was done.
 * Returns 0 or a negative errno, having said why.
 */
int root_attach(struct ecbpf_strings *interfaces, const struct root_options *options);
int root_detach(struct ecbpf_strings *interfaces, const struct root_options *options);
int root_stage(struct ecbpf_strings *interfaces, const struct root_options *options);
int root_commit(struct ecbpf_strings *interfaces, const struct root_options *options);
int root_abort(struct ecbpf_strings *interfaces, const struct root_options *options);

#endif
