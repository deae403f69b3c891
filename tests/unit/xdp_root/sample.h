/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Statuses to render. */
#ifndef TEST_XDP_ROOT_SAMPLE_H
#define TEST_XDP_ROOT_SAMPLE_H

#include <stdio.h>

#include <linux/bpf.h>

#include <ecbpf/ecbpf.h>

#define SAMPLE_S	 UINT64_C(1000000000)
#define SAMPLE_OTHER_ABI 99

static inline void sample_program(struct ecbpf_program_status *program, uint32_t id,
				  const char *name, uint64_t loaded)
{
	program->id = id;
	program->loaded = loaded;
	snprintf(program->name, sizeof(program->name), "%s", name);
}

/* Attached; slot 2 taken, slot 5 emptied after it had passed packets. */
static inline struct ecbpf_status sample_attached(void)
{
	struct ecbpf_status status = {
		.name = "eth0",
		.ifindex = 7,
		.attachment = ECBPF_ATTACHED,
		.mode = ECBPF_MODE_NATIVE,
		.generation = 3,
		.abi = ECBPF_ABI,
	};

	sample_program(&status.root, 1044, "xdp_root_prog", 1772366400 * SAMPLE_S);
	status.root.actions[XDP_ABORTED] = 1;
	status.root.actions[XDP_PASS] = UINT64_MAX;
	sample_program(&status.slots[2], 2257, "xdp_filter_prog", 1696028527 * SAMPLE_S + 5);
	status.slots[2].actions[XDP_DROP] = 330948;
	status.slots[2].actions[XDP_PASS] = 450;
	status.slots[2].actions[XDP_TX] = 330790;
	status.slots[5].actions[XDP_PASS] = 12;
	status.reasons[ECBPF_REASON_NO_OPINION] = 9;
	status.reasons[ECBPF_REASON_FILTER_SOURCE] = 330948;
	status.reasons[50] = 2;
	return status;
}

/* As interface "eth1". */
static inline struct ecbpf_status sample_without_counters(enum ecbpf_attachment attachment)
{
	return (struct ecbpf_status){
		.name = "eth1",
		.ifindex = attachment == ECBPF_STALE ? 0 : 8,
		.attachment = attachment,
		.mode = ECBPF_MODE_GENERIC,
		.foreign_id = attachment == ECBPF_FOREIGN ? 77 : 0,
		.abi = attachment == ECBPF_ATTACHED ? SAMPLE_OTHER_ABI : 0,
		.generation = attachment == ECBPF_ATTACHED ? 4 : 0,
	};
}

#endif
