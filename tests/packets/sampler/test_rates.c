// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* How many packets are picked, and that each of them is accounted for. */
#include <arpa/inet.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "samplers.h"
#include "slots.h"
#include "xdp_root.skel.h"
#include "xdp_sampler.skel.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define MILLION	   1000000
#define FLOWS	   1000
#define FIRST_PORT 1000
/* One million in 370 ends beyond it: of TRIES, one at least must not. */
#define SIGMAS 3
#define TRIES  3

static const struct layer plain[] = { ETHER(), IPV4(), UDP(.sport = 7, .dport = 9), { 0 } };

static struct harness root;
static struct sampler sampler;
static uint8_t frame[FRAME_MAX];
static size_t length;

static void open_rate(uint32_t rate, bool random, uint64_t ring)
{
	const struct sampler_settings settings = { .config = { .rate = rate, .random = random },
						   .ring = ring };

	sampler_open(&sampler, &root, &settings, NULL);
}

/* What root still counts down on this CPU, since its last sample. */
static int64_t left(void)
{
	struct ecbpf_percpu *values = calloc(libbpf_num_possible_cpus(), sizeof(*values));
	uint32_t zero = 0;
	int64_t packets;

	assert_non_null(values);
	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(root.root->maps.ecbpf_percpu), &zero, values), 0);
	packets = values[root.cpu].countdown.left;
	free(values);
	return packets;
}

static uint64_t under_way(void)
{
	struct sampler_pace *values = calloc(libbpf_num_possible_cpus(), sizeof(*values));
	uint32_t zero = 0;
	uint64_t packets;

	assert_non_null(values);
	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(sampler.skeleton->maps.pace), &zero, values), 0);
	packets = values[root.cpu].distance - left();
	free(values);
	return packets;
}

static void check_pool(uint64_t packets)
{
	struct sampler_counts counts;

	sampler_counts_read(&sampler, &counts);
	assert_int_equal(counts.values[SAMPLER_COUNT_POOL] + under_way(), packets);
	assert_int_equal(counts.pending, 0);
}

static uint64_t picked(void)
{
	struct sampler_counts counts;

	sampler_counts_read(&sampler, &counts);
	return counts.values[SAMPLER_COUNT_PICKED];
}

static void test_every_nth(void **state)
{
	static const uint32_t rates[] = { 1, 2, 3, 7, 100, 2500, MILLION, MILLION + 1 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		open_rate(rates[i], false, 0);
		sampler_run(&root, frame, length, MILLION);
		check_pool(MILLION);
		assert_true(picked() >= MILLION / rates[i]);
		assert_true(picked() <= (MILLION + rates[i] - 1) / rates[i]);
		sampler_close(&sampler);
	}
}

/* The first sample of a CPU is anywhere in the first round. */
static void test_start(void **state)
{
	unsigned int seen[8] = { 0 }, i;
	uint64_t packets;

	(void)state;
	for (i = 0; i < 64; i++) {
		open_rate(8, false, 0);
		for (packets = 1; packets <= 8; packets++) {
			sampler_run(&root, frame, length, 1);
			if (picked())
				break;
		}
		assert_in_range(packets, 1, 8);
		seen[packets - 1]++;
		sampler_close(&sampler);
	}
	/* One place for 64 samplers is a chance of 8^-63. */
	for (i = 0; i < 8; i++)
		assert_int_not_equal(seen[i], 64);
}

/* How far the samples of a million packets are off their number, in standard deviations. */
static double try_random(uint32_t rate)
{
	const double expected = (double)MILLION / rate;
	double deviation;

	open_rate(rate, true, 0);
	sampler_run(&root, frame, length, MILLION);
	check_pool(MILLION);
	deviation = (picked() - expected) / sqrt(expected * (1 - 1.0 / rate));
	print_message("  1:%u: %llu picked, %.2f sigma off\n", rate, (unsigned long long)picked(),
		      deviation);
	sampler_close(&sampler);
	return deviation;
}

static void test_random(void **state)
{
	static const uint32_t rates[] = { 2, 3, 10, 100, 2500 };
	int tries;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		for (tries = TRIES; tries && fabs(try_random(rates[i])) > SIGMAS; tries--)
			;
		assert_int_not_equal(tries, 0);
	}
}

static unsigned int hits[FLOWS];

static void count_flow(const struct sampler_record *record)
{
	unsigned int port = record->data[34] << 8 | record->data[35];

	assert_in_range(port, FIRST_PORT, FIRST_PORT + FLOWS - 1);
	hits[port - FIRST_PORT]++;
}

/* Samples of each flow against its share: chi squared over all of them, in standard deviations. */
static double try_flows(void)
{
	const uint32_t rate = 20;
	const double expected = (double)MILLION / FLOWS / rate;
	const double variance = expected * (1 - 1.0 / rate);
	double sum = 0, off;
	size_t flow;

	memset(hits, 0, sizeof(hits));
	open_rate(rate, true, 16 * SAMPLER_RING);
	sampler.seen = count_flow;
	sampler_run(&root, frame, length, MILLION);
	check_pool(MILLION);
	assert_int_equal(sampler_read(&sampler), picked());
	for (flow = 0; flow < FLOWS; flow++) {
		off = hits[flow] - expected;
		sum += off * off / variance;
		/* Once in a million tries, of all flows. */
		assert_true(fabs(off) < 6.5 * sqrt(variance));
	}
	print_message("  chi squared of %d flows: %.0f\n", FLOWS, sum);
	sampler_close(&sampler);
	return (sum - FLOWS) / sqrt(2.0 * FLOWS);
}

/* A thousand flows that take turns are sampled in proportion. */
static void test_flows(void **state)
{
	struct layer layers[] = { ETHER(), IPV4(), UDP(.sport = FIRST_PORT), { 0 } };
	struct slots slots;
	int tries;

	(void)state;
	slots_open(&slots, &root, 1);
	slots_tell(&slots, 0, &(struct slot_orders){ .order = SLOT_RENUMBER });
	length = frame_build(layers, frame);
	for (tries = TRIES; tries && fabs(try_flows()) > SIGMAS; tries--)
		;
	assert_int_not_equal(tries, 0);
	harness_fill(&root, 0, -1);
	slots_close(&slots);
}

static void test_full_ring(void **state)
{
	struct sampler_counts counts;
	uint64_t emitted, round;

	(void)state;
	open_rate(1, false, 4096);
	for (round = 1; round <= 3; round++) {
		sampler_run(&root, frame, length, 1000);
		sampler_counts_read(&sampler, &counts);
		emitted = counts.values[SAMPLER_COUNT_EMITTED];
		assert_int_equal(counts.values[SAMPLER_COUNT_PICKED], round * 1000);
		assert_int_equal(emitted + counts.values[SAMPLER_COUNT_RING_FULL], round * 1000);
		assert_true(sampler_read(&sampler) > 0);
		assert_int_equal(sampler.records * round, emitted);
		/* Losses leave gaps. */
		assert_int_equal(sampler.record.head.sequence,
				 (round - 1) * 1000 + sampler.records);
	}
	sampler_close(&sampler);
}

static int set_up(void **state)
{
	(void)state;
	harness_open(&root, false);
	return 0;
}

static int reset(void **state)
{
	(void)state;
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
		cmocka_unit_test_setup(test_every_nth, reset),
		cmocka_unit_test_setup(test_start, reset),
		cmocka_unit_test_setup(test_random, reset),
		cmocka_unit_test_setup(test_flows, reset),
		cmocka_unit_test_setup(test_full_ring, reset),
	};

	if (!harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
