/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Root and filter, loaded into the kernel but attached nowhere, and frames run through them. */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

#include <ecbpf/abi.h>

#include "scenes.h"

struct machine;

/* `packet` is root's opinion, the rest is what the frame met and became. */
struct outcome {
	uint32_t action;
	unsigned int slot;
	unsigned int reason;
	struct ecbpf_packet packet;
	const uint8_t *octets;
	size_t length;
};

/* 0 or -errno, the reason said. To be called in a network namespace of its own. */
int machine_open(const struct scene *scene, struct machine **out);
void machine_close(struct machine *machine);

/* `linear`: octets that programs can read directly, where the kernel lets choose; 0: its choice. */
int machine_run(struct machine *machine, const uint8_t *frame, size_t length, size_t linear,
		struct outcome *outcome);

/* Whether this kernel lets choose. */
bool machine_has_linear(const struct machine *machine);

/* The MTU that answers have to name. */
unsigned int machine_mtu(const struct machine *machine);

/* Packets that list entry `index` was counted for. */
int machine_hits(struct machine *machine, size_t index, uint64_t *hits);

#endif
