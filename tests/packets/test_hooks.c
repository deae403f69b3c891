// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The chain of slots, whose verdict is counted where, and what may hook in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "harness_hook.skel.h"
#include "slots.h"
#include "xdp_root.skel.h"

#define ALL_SLOTS      ((1U << ECBPF_SLOTS) - 1)
#define XDPCAP_ACTIONS 5

static const struct layer plain[] = { ETHER(), VLAN(7), IPV4(), UDP(), OCTETS(32), { 0 } };
static const struct layer arp[] = { ETHER(.next = EXACTLY(0x0806)), OCTETS(46), { 0 } };

static struct harness root;
static struct slots slots;
static struct outcome outcome;

static void run(const struct layer *layers)
{
	static uint8_t frame[FRAME_MAX];

	harness_run(&root, frame, frame_build(layers, frame), &outcome);
}

static void check_verdict(unsigned int row, unsigned int column, unsigned int reason)
{
	assert_int_equal(outcome.row, row);
	assert_int_equal(outcome.column, column);
	assert_int_equal(outcome.reason, reason);
}

/* The slots in @which ran, the lowest first, each once. */
static void check_trail(uint32_t which)
{
	struct slot_trail trail = slots_trail(&slots);
	unsigned int slot, at = 0;

	for (slot = 0; slot < ECBPF_SLOTS; slot++) {
		if (!(which & 1U << slot))
			continue;
		assert_true(at < trail.count);
		assert_int_equal(trail.slots[at++], slot);
	}
	assert_int_equal(trail.count, at);
}

static void tell_all(const struct slot_orders *orders)
{
	unsigned int slot;

	for (slot = 0; slot < ECBPF_SLOTS; slot++)
		slots_tell(&slots, slot, orders);
}

static void test_chain(void **state)
{
	uint32_t occupied;

	(void)state;
	for (occupied = 0; occupied <= ALL_SLOTS; occupied++) {
		harness_occupy(&root, occupied);
		run(plain);
		check_trail(occupied);
		assert_int_equal(outcome.action, XDP_PASS);
		check_verdict(ECBPF_SLOT_ROOT, XDP_PASS, ECBPF_REASON_NO_OPINION);
	}
}

static void test_not_ip(void **state)
{
	(void)state;
	run(arp);
	check_trail(0);
	assert_int_equal(outcome.action, XDP_PASS);
	check_verdict(ECBPF_SLOT_ROOT, XDP_PASS, ECBPF_REASON_NOT_IP);
}

static void test_verdicts(void **state)
{
	static const uint32_t actions[] = { 0, 1, 2, 3, 4, XDP_REDIRECT + 1, 77, UINT32_MAX };
	struct slot_orders orders = { .order = SLOT_VERDICT };
	unsigned int slot;
	size_t i;

	(void)state;
	for (slot = 0; slot < ECBPF_SLOTS; slot++) {
		for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
			orders.action = actions[i];
			orders.reason = ECBPF_REASON_USER_0 + i % 4;
			slots_tell(&slots, slot, &orders);
			run(plain);
			/* The slots behind don't see it. */
			check_trail((2U << slot) - 1);
			assert_int_equal(outcome.action, actions[i]);
			check_verdict(slot,
				      actions[i] <= XDP_REDIRECT ? actions[i] :
								   ECBPF_ACTION_INVALID,
				      orders.reason);
		}
		slots_tell(&slots, slot, &(struct slot_orders){ .order = SLOT_NEXT });
	}
}

/* Its bit was read, and it was gone when it was called. */
static void test_lost_slot(void **state)
{
	unsigned int slot;

	(void)state;
	for (slot = 0; slot < ECBPF_SLOTS; slot++) {
		harness_fill(&root, slot, -1);
		run(plain);
		check_trail(ALL_SLOTS & ~(1U << slot));
		assert_int_equal(outcome.action, XDP_PASS);
		check_verdict(ECBPF_SLOT_ROOT, XDP_PASS, ECBPF_REASON_NO_OPINION);
		harness_fill(&root, slot, slots_program(&slots, slot));
	}
}

static void test_reparse(void **state)
{
	const uint32_t verdict_facts = ECBPF_ADDRESSES | ECBPF_PORTS;

	(void)state;
	run(plain);
	assert_int_equal(outcome.packet.l3_offset, 18);
	slots_tell(&slots, 0, &(struct slot_orders){ .order = SLOT_UNTAG, .sample = 1 });
	run(plain);
	slots_trail(&slots);
	assert_int_equal(outcome.packet.vlan_count, 0);
	assert_int_equal(outcome.packet.l3_offset, 14);
	/* The sampler's choice outlives it. */
	assert_int_equal(outcome.packet.flags, verdict_facts | ECBPF_SAMPLED);
}

/* An xdpcap-like program, loaded with attach type 0; @frags: with the multi-buffer flag. */
static struct harness_hook_bpf *load_hook(uint32_t action, bool frags)
{
	struct harness_hook_bpf *hook = harness_hook_bpf__open();

	assert_non_null(hook);
	hook->rodata->hook_action = action;
	bpf_program__set_expected_attach_type(hook->progs.harness_hook_prog, 0);
	if (frags)
		bpf_program__set_flags(hook->progs.harness_hook_prog, 1U << 5);
	assert_int_equal(harness_hook_bpf__load(hook), 0);
	return hook;
}

static int hook_program(const struct harness_hook_bpf *hook)
{
	return bpf_program__fd(hook->progs.harness_hook_prog);
}

static uint64_t hook_seen(const struct harness_hook_bpf *hook)
{
	uint64_t count = 0, none = 0;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(hook->maps.seen), &zero, &count), 0);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(hook->maps.seen), &zero, &none, BPF_ANY),
			 0);
	return count;
}

/* Only the hook of @action, or none, has seen a packet. */
static void check_hooks(struct harness_hook_bpf *const *hooks, uint32_t action)
{
	uint32_t i;

	for (i = 0; i < XDPCAP_ACTIONS; i++)
		assert_int_equal(hook_seen(hooks[i]), i == action);
}

static void test_xdpcap(void **state)
{
	struct harness_hook_bpf *hooks[XDPCAP_ACTIONS];
	struct slot_orders orders = { .order = SLOT_VERDICT, .reason = ECBPF_REASON_USER_1 };
	int map = bpf_map__fd(root.root->maps.xdpcap_hook);
	uint32_t action;

	(void)state;
	for (action = 0; action < XDPCAP_ACTIONS; action++) {
		hooks[action] = load_hook(action, false);
		assert_int_equal(harness_join(map, action, hook_program(hooks[action])), 0);
	}
	for (action = 0; action <= XDPCAP_ACTIONS; action++) {
		orders.action = action;
		slots_tell(&slots, 4, &orders);
		run(plain);
		assert_int_equal(outcome.action, action);
		check_verdict(4, action, ECBPF_REASON_USER_1);
		check_hooks(hooks, action);
	}
	slots_tell(&slots, 4, &(struct slot_orders){ .order = SLOT_NEXT });
	run(plain);
	check_hooks(hooks, XDP_PASS);
	run(arp);
	check_hooks(hooks, XDP_PASS);
	slots_trail(&slots);
	for (action = 0; action < XDPCAP_ACTIONS; action++) {
		assert_int_equal(harness_join(map, action, -1), 0);
		harness_hook_bpf__destroy(hooks[action]);
	}
}

static void test_emitter(void **state)
{
	int emitter_map = bpf_map__fd(root.root->maps.ecbpf_emitter);
	int hook_map = bpf_map__fd(root.root->maps.xdpcap_hook);
	struct harness_hook_bpf *emitter = load_hook(XDP_DROP, false);
	struct harness_hook_bpf *hook = load_hook(XDP_DROP, false);

	(void)state;
	assert_int_equal(harness_join(emitter_map, 0, hook_program(emitter)), 0);
	assert_int_equal(harness_join(hook_map, XDP_DROP, hook_program(hook)), 0);
	slots_tell(&slots, 1, &(struct slot_orders){ .sample = 1 });
	slots_tell(&slots, 5,
		   &(struct slot_orders){ .order = SLOT_VERDICT,
					  .action = XDP_DROP,
					  .reason = ECBPF_REASON_USER_2 });
	run(plain);
	check_verdict(5, XDP_DROP, ECBPF_REASON_USER_2);
	assert_int_equal(outcome.packet.verdict_slot, 5);
	assert_int_equal(outcome.packet.verdict_action, XDP_DROP);
	assert_int_equal(outcome.packet.verdict_reason, ECBPF_REASON_USER_2);
	/* Going on to the hook is the emitter's business. */
	assert_int_equal(hook_seen(emitter), 1);
	assert_int_equal(hook_seen(hook), 0);

	/* A sampler that is gone, its mark on the packet. */
	assert_int_equal(harness_join(emitter_map, 0, -1), 0);
	run(plain);
	assert_int_equal(outcome.action, XDP_DROP);
	assert_int_equal(hook_seen(hook), 1);
	slots_trail(&slots);
	assert_int_equal(harness_join(hook_map, XDP_DROP, -1), 0);
	harness_hook_bpf__destroy(emitter);
	harness_hook_bpf__destroy(hook);
}

/* A prog array takes programs of its own kind only: with the multi-buffer flag, or without. */
static void check_kind(bool frags)
{
	struct harness_hook_bpf *same = load_hook(XDP_PASS, frags);
	struct harness_hook_bpf *other = load_hook(XDP_PASS, !frags);
	struct harness generation;
	const struct bpf_map *maps[3];
	size_t i;

	harness_open(&generation, frags);
	maps[0] = generation.root->maps.ecbpf_slots;
	maps[1] = generation.root->maps.ecbpf_emitter;
	maps[2] = generation.root->maps.xdpcap_hook;
	for (i = 0; i < 3; i++) {
		assert_int_equal(harness_join(bpf_map__fd(maps[i]), 0, hook_program(other)),
				 -EINVAL);
		assert_int_equal(harness_join(bpf_map__fd(maps[i]), 0, hook_program(same)), 0);
	}
	harness_close(&generation);
	harness_hook_bpf__destroy(same);
	harness_hook_bpf__destroy(other);
}

static void test_frags(void **state)
{
	(void)state;
	if (!harness_has_frags())
		skip();
	check_kind(false);
	check_kind(true);
}

static int set_up(void **state)
{
	(void)state;
	harness_open(&root, false);
	slots_open(&slots, &root, ALL_SLOTS);
	return 0;
}

static int reset(void **state)
{
	(void)state;
	tell_all(&(struct slot_orders){ .order = SLOT_NEXT });
	harness_occupy(&root, ALL_SLOTS);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	slots_close(&slots);
	harness_close(&root);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_chain, reset),
		cmocka_unit_test_setup(test_not_ip, reset),
		cmocka_unit_test_setup(test_verdicts, reset),
		cmocka_unit_test_setup(test_lost_slot, reset),
		cmocka_unit_test_setup(test_reparse, reset),
		cmocka_unit_test_setup(test_xdpcap, reset),
		cmocka_unit_test_setup(test_emitter, reset),
		cmocka_unit_test(test_frags),
	};

	if (!harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
