// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "slots.h"

#include <setjmp.h>
#include <stdarg.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "harness_slot.skel.h"

/* Any of them: the trail is everybody's. */
static const struct harness_slot_bpf *first(const struct slots *slots)
{
	unsigned int slot = 0;

	while (slot < ECBPF_SLOTS - 1 && !slots->skeletons[slot])
		slot++;
	return slots->skeletons[slot];
}

static void slot_open(struct slots *slots, unsigned int slot)
{
	const struct harness_slot_bpf *earlier = first(slots);
	struct harness_slot_bpf *skeleton = harness_slot_bpf__open();

	assert_non_null(skeleton);
	skeleton->rodata->slot_number = slot;
	skeleton->rodata->ecbpf_frags = slots->harness->frags;
	harness_prepare(slots->harness, skeleton->obj);
	if (earlier)
		assert_int_equal(bpf_map__reuse_fd(skeleton->maps.trail,
						   bpf_map__fd(earlier->maps.trail)),
				 0);
	assert_int_equal(harness_slot_bpf__load(skeleton), 0);
	slots->skeletons[slot] = skeleton;
	harness_fill(slots->harness, slot, slots_program(slots, slot));
}

void slots_open(struct slots *slots, struct harness *harness, uint32_t which)
{
	unsigned int slot;

	*slots = (struct slots){ .harness = harness };
	for (slot = 0; slot < ECBPF_SLOTS; slot++)
		if (which & 1U << slot)
			slot_open(slots, slot);
}

void slots_close(struct slots *slots)
{
	unsigned int slot;

	for (slot = 0; slot < ECBPF_SLOTS; slot++)
		harness_slot_bpf__destroy(slots->skeletons[slot]);
	*slots = (struct slots){ 0 };
}

int slots_program(const struct slots *slots, unsigned int slot)
{
	return bpf_program__fd(slots->skeletons[slot]->progs.harness_slot_prog);
}

void slots_tell(struct slots *slots, unsigned int slot, const struct slot_orders *orders)
{
	uint32_t zero = 0;

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(slots->skeletons[slot]->maps.orders),
					     &zero, orders, BPF_ANY),
			 0);
}

struct slot_trail slots_trail(const struct slots *slots)
{
	const struct slot_trail none = { 0 };
	int map = bpf_map__fd(first(slots)->maps.trail);
	struct slot_trail trail;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(map, &zero, &trail), 0);
	assert_int_equal(bpf_map_update_elem(map, &zero, &none, BPF_ANY), 0);
	return trail;
}
