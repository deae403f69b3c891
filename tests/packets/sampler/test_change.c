// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The sampler changed and taken away under traffic: what becomes of packets that it had marked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "samplers.h"
#include "slots.h"
#include "xdp_root.skel.h"

static const struct layer plain[] = { ETHER(), IPV4(), UDP(.sport = 7, .dport = 9), { 0 } };
static const struct sampler_settings defaults = {};

static struct harness root;
static uint8_t frame[FRAME_MAX];
static size_t length;

static void check_counts(const struct sampler *sampler, uint64_t emitted, uint64_t abandoned,
			 uint64_t pending)
{
	struct sampler_counts counts;

	sampler_counts_read(sampler, &counts);
	assert_int_equal(counts.values[SAMPLER_COUNT_EMITTED], emitted);
	assert_int_equal(counts.values[SAMPLER_COUNT_ABANDONED], abandoned);
	assert_int_equal(counts.pending, pending);
}

static void remove_emitter(void)
{
	assert_int_equal(harness_join(bpf_map__fd(root.root->maps.ecbpf_emitter), 0, -1), 0);
}

/* Emitter first, then slot, as the loader does. */
static void test_replaced(void **state)
{
	struct sampler old, new;

	(void)state;
	sampler_open(&old, &root, &defaults, NULL);
	sampler_run(&root, frame, length, 10);
	check_counts(&old, 10, 0, 0);
	sampler_load(&new, &root, &defaults, &old);
	sampler_join_emitter(&new);
	sampler_run(&root, frame, length, 7);
	check_counts(&old, 10, 7, 0);
	sampler_join_slot(&new);
	sampler_run(&root, frame, length, 10);
	check_counts(&new, 20, 7, 0);
	sampler_close(&old);
	assert_int_equal(sampler_read(&new), 20);
	sampler_close(&new);
}

/* And the other way round. */
static void test_slot_first(void **state)
{
	struct sampler old, new;

	(void)state;
	sampler_open(&old, &root, &defaults, NULL);
	sampler_load(&new, &root, &defaults, &old);
	sampler_join_slot(&new);
	sampler_run(&root, frame, length, 7);
	check_counts(&old, 0, 7, 0);
	sampler_join_emitter(&new);
	sampler_run(&root, frame, length, 3);
	check_counts(&new, 3, 7, 0);
	sampler_close(&old);
	sampler_close(&new);
}

static void test_no_verdict(void **state)
{
	struct sampler sampler;

	(void)state;
	sampler_open(&sampler, &root, &defaults, NULL);
	remove_emitter();
	sampler_run(&root, frame, length, 5);
	check_counts(&sampler, 0, 4, 1);
	sampler_join_emitter(&sampler);
	sampler_run(&root, frame, length, 1);
	check_counts(&sampler, 1, 5, 0);
	sampler_close(&sampler);
}

static void test_detached(void **state)
{
	struct sampler sampler;
	struct outcome outcome;

	(void)state;
	sampler_open(&sampler, &root, &defaults, NULL);
	harness_run(&root, frame, length, &outcome);
	assert_true(outcome.packet.flags & ECBPF_SAMPLED);
	harness_fill(&root, ECBPF_SLOT_SAMPLER, -1);
	harness_occupy(&root, 0);
	remove_emitter();
	harness_run(&root, frame, length, &outcome);
	assert_false(outcome.packet.flags & ECBPF_SAMPLED);
	check_counts(&sampler, 1, 0, 0);
	assert_int_equal(sampler_read(&sampler), 1);
	sampler_close(&sampler);
}

/* A mark that somebody else makes is nobody's sample. */
static void test_foreign_mark(void **state)
{
	struct sampler sampler;
	struct slots slots;

	(void)state;
	sampler_load(&sampler, &root, &defaults, NULL);
	slots_open(&slots, &root, 1U << 3);
	slots_tell(&slots, 3, &(struct slot_orders){ .sample = 1 });
	sampler_join_emitter(&sampler);
	sampler_run(&root, frame, length, 5);
	check_counts(&sampler, 0, 0, 0);
	slots_close(&slots);
	sampler_close(&sampler);
}

static int set_up(void **state)
{
	(void)state;
	harness_open(&root, false);
	length = frame_build(plain, frame);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	harness_close(&root);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slot_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_verdict, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_detached, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_foreign_mark, set_up, tear_down),
	};

	if (!harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
