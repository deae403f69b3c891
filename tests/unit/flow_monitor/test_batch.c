// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is read from the ring in a turn: in the order of its times, and never more than there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "batch.h"

static struct batch *batch;

static int open_batch(void **state)
{
	(void)state;
	return batch_new(&batch);
}

static int close_batch(void **state)
{
	(void)state;
	batch_free(batch);
	return 0;
}

static void add(__u64 now, __u32 pid)
{
	const struct monitor_event event = { .now = now, .pid = pid };

	assert_true(batch_add(batch, &event, 1));
}

static void assert_order(const __u32 *pids, size_t count)
{
	size_t i;

	assert_int_equal(batch_count(batch), count);
	for (i = 0; i < count; i++)
		assert_int_equal(batch_at(batch, i)->pid, pids[i]);
}

static void test_sorted_by_time(void **state)
{
	static const __u32 added[] = { 1, 2, 3, 4, 5 }, sorted[] = { 4, 2, 1, 3, 5 };

	(void)state;
	batch_clear(batch);
	add(30, 1);
	add(20, 2);
	add(30, 3);
	add(10, 4);
	add(UINT64_MAX, 5);
	assert_order(added, 5);
	batch_sort(batch);
	assert_order(sorted, 5);
}

static void test_nothing_is_left_of_the_turn_before(void **state)
{
	static const __u32 two[] = { 7, 6 };

	(void)state;
	batch_clear(batch);
	batch_sort(batch);
	assert_order(NULL, 0);
	add(9, 6);
	batch_clear(batch);
	add(8, 6);
	add(7, 7);
	batch_sort(batch);
	assert_order(two, 2);
}

/* Whoever stops when it is told to loses nothing. */
static void test_there_is_room_until_it_says_no(void **state)
{
	struct monitor_event events[MONITOR_GATHERED] = {};
	size_t added = 0, i;
	bool more = true;

	(void)state;
	batch_clear(batch);
	while (more) {
		for (i = 0; i < MONITOR_GATHERED; i++)
			events[i].now = BATCH_MAX - added - i;
		more = batch_add(batch, events, MONITOR_GATHERED);
		added += MONITOR_GATHERED;
		assert_int_equal(batch_count(batch), added);
	}
	assert_true(added > BATCH_MAX - 2 * MONITOR_GATHERED);
	batch_sort(batch);
	for (i = 1; i < added; i++)
		assert_true(batch_at(batch, i - 1)->now <= batch_at(batch, i)->now);
	assert_false(batch_add(batch, events, MONITOR_GATHERED));
	assert_true(batch_count(batch) <= BATCH_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_by_time),
		cmocka_unit_test(test_nothing_is_left_of_the_turn_before),
		cmocka_unit_test(test_there_is_room_until_it_says_no),
	};

	return cmocka_run_group_tests(tests, open_batch, close_batch);
}
