/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Subprograms that do as a test tells them, see harness_slot.h. */
#ifndef PACKETS_SLOTS_H
#define PACKETS_SLOTS_H

#include "harness.h"
#include "harness_slot.h"

struct harness_slot_bpf;

struct slots {
	struct harness *harness;
	struct harness_slot_bpf *skeletons[ECBPF_SLOTS];
};

/* Load subprograms for the slots whose bit is set, and fill these. */
void slots_open(struct slots *slots, struct harness *harness, uint32_t which);
void slots_close(struct slots *slots);

int slots_program(const struct slots *slots, unsigned int slot);
void slots_tell(struct slots *slots, unsigned int slot, const struct slot_orders *orders);

/* Who ran since the last call. */
struct slot_trail slots_trail(const struct slots *slots);

#endif
