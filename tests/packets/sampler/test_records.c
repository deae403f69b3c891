// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is emitted for each verdict: octet for octet the frame, and who decided what and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include <ecbpf/tool.h>

#include "filters.h"
#include "harness_hook.skel.h"
#include "samplers.h"
#include "slots.h"
#include "xdp_root.skel.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define MORE_FRAGMENTS 0x2000
#define RESERVED_BIT   0x8000
#define IFINDEX	       4711
#define RATE	       1
/* A budget's second that doesn't end under the test. */
#define FAR_FUTURE (1ULL << 40)

#define UDP_7_9 UDP(.sport = 7, .dport = 9)

/**
 * struct fixture - a frame and what the filter makes of it
 * @cut: octets that are left of the frame; 0: all
 * @no_budget: no path MTU message may be sent any more
 * @jumbo: takes multi-buffer frames
 */
struct fixture {
	const char *description;
	struct layer layers[LAYERS_MAX];
	size_t cut;
	bool no_budget;
	bool jumbo;
	enum xdp_action action;
	enum ecbpf_reason reason;
};

#define PASSES	.action = XDP_PASS, .reason = ECBPF_REASON_NO_OPINION
#define DROPPED .action = XDP_DROP, .reason

static const struct fixture fixtures[] = {
	{ "UDP", { ETHER(), IPV4(), UDP_7_9 }, PASSES },
	{ "longer than most are kept", { ETHER(), IPV4(), UDP_7_9, OCTETS(1400) }, PASSES },
	{ "behind two tags", { ETHER(), QINQ(3), VLAN(5), IPV6(), TCP(), OCTETS(77) }, PASSES },
	{ "listed source",
	  { ETHER(), IPV4(.from = "203.0.113.7"), UDP_7_9, OCTETS(300) },
	  DROPPED = ECBPF_REASON_FILTER_SOURCE },
	{ "listed source, IPv6",
	  { ETHER(), IPV6(.from = "2001:db8:bad::1"), UDP_7_9, OCTETS(300) },
	  DROPPED = ECBPF_REASON_FILTER_SOURCE6 },
	{ "later fragment",
	  { ETHER(), IPV4(.fragment = 2, .next = EXACTLY(17)), OCTETS(64) },
	  DROPPED = ECBPF_REASON_FILTER_FRAGMENT },
	{ "first fragment",
	  { ETHER(), IPV4(.fragment = MORE_FRAGMENTS), UDP_7_9, OCTETS(1000) },
	  .action = XDP_TX,
	  .reason = ECBPF_REASON_FILTER_TOO_BIG },
	{ "first fragment, IPv6",
	  { ETHER(), VLAN(9), IPV6(), FRAGMENT(1), UDP_7_9, OCTETS(1400) },
	  .action = XDP_TX,
	  .reason = ECBPF_REASON_FILTER_TOO_BIG },
	{ "first fragment beyond the budget",
	  { ETHER(), IPV4(.fragment = MORE_FRAGMENTS), UDP_7_9, OCTETS(100) },
	  .no_budget = true,
	  DROPPED = ECBPF_REASON_FILTER_TOO_BIG_LIMIT },
	{ "first fragment that can't be answered",
	  { ETHER(), VLAN(0), VLAN(0), VLAN(0), IPV4(.fragment = MORE_FRAGMENTS), UDP_7_9 },
	  DROPPED = ECBPF_REASON_FILTER_TOO_BIG_ERROR },
	{ "evil bit",
	  { ETHER(), IPV4(.fragment = RESERVED_BIT), UDP_7_9 },
	  DROPPED = ECBPF_REASON_FILTER_EVIL_BIT },
	{ "length that lies",
	  { ETHER(), IPV4(.length = EXACTLY(99)), UDP_7_9 },
	  DROPPED = ECBPF_REASON_FILTER_BAD_LENGTH },
	{ "options",
	  { ETHER(), IPV4(.options = 8), UDP_7_9 },
	  DROPPED = ECBPF_REASON_FILTER_IP_OPTIONS },
	{ "ends in TCP's header",
	  { ETHER(), IPV4(.length = EXACTLY(30)), TCP() },
	  .cut = 44,
	  DROPPED = ECBPF_REASON_FILTER_TRUNCATED },
	{ "multi-buffer", { ETHER(), IPV4(), UDP_7_9, OCTETS(9000) }, .jumbo = true, PASSES },
	{ "multi-buffer, answered",
	  { ETHER(), IPV4(.fragment = MORE_FRAGMENTS), UDP_7_9, OCTETS(9000) },
	  .jumbo = true,
	  .action = XDP_TX,
	  .reason = ECBPF_REASON_FILTER_TOO_BIG },
};

static const struct filter_setup strict = {
	.config = { .frags_drop = 1,
		    .drop_options = 1,
		    .truncated_drop = 1,
		    .ptb_max_pps = 1000000,
		    .mtu = 1500 },
	.list = (const struct listed[]){ { "203.0.113.0/24", FILTER_DROP, 0 },
					 { "2001:db8:bad::/48", FILTER_DROP, 0 },
					 { 0 } },
};

static struct sampler sampler;
static struct filter filter;
static struct outcome outcome;
static uint8_t frame[FRAME_MAX];

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * UINT64_C(1000000000) + time.tv_nsec;
}

/* The one record there is tells of @octets of length @length, decided at or after @since. */
static void check_record(const uint8_t *octets, size_t length, uint64_t since, bool whole)
{
	const struct sampler_config *config = &sampler.settings.config;
	const struct sampler_record *record = &sampler.record.head;
	uint64_t sequence = record->sequence;

	assert_int_equal(sampler_read(&sampler), 1);
	assert_int_equal(record->length, length);
	if (whole)
		assert_int_equal(record->captured,
				 length < config->snaplen ? length : config->snaplen);
	assert_true(record->captured <= length && record->captured >= 14);
	assert_memory_equal(sampler.record.data, octets, record->captured);
	assert_int_equal(record->flags, config->as_sent ? SAMPLER_AS_SENT : 0);
	assert_true(record->timestamp >= since && record->timestamp <= now());
	assert_int_equal(record->sequence, sequence + 1);
	assert_int_equal(record->ifindex, IFINDEX);
	assert_int_equal(record->queue, 0);
	assert_int_equal(record->rate, config->rate);
	assert_int_equal(record->cpu, sampler.harness->cpu);
}

static void check_fate(unsigned int slot, unsigned int action, unsigned int reason)
{
	assert_int_equal(sampler.record.head.slot, slot);
	assert_int_equal(sampler.record.head.action, action);
	assert_int_equal(sampler.record.head.reason, reason);
}

static void run_fixture(const struct fixture *fixture)
{
	const struct sampler_config *config = &sampler.settings.config;
	size_t length = frame_build(fixture->layers, frame);
	uint64_t since = now();
	bool whole = config->have_load_bytes || !fixture->jumbo;

	print_message("    %s\n", fixture->description);
	if (fixture->cut)
		length = fixture->cut;
	filter_budget_write(&filter, FAR_FUTURE,
			    fixture->no_budget ? strict.config.ptb_max_pps : 0);
	harness_run(sampler.harness, frame, length, &outcome);
	assert_int_equal(outcome.action, fixture->action);
	assert_int_equal(outcome.reason, fixture->reason);
	if (config->as_sent)
		check_record(outcome.frame, outcome.length, since, whole);
	else
		check_record(frame, length, since, whole);
	check_fate(fixture->action == XDP_PASS ? ECBPF_SLOT_ROOT : ECBPF_SLOT_FILTER,
		   fixture->action, fixture->reason);
}

/* All fixtures through a sampler configured so. */
static void run_fixtures(bool frags, struct sampler_config config)
{
	const struct sampler_settings settings = { .config = config };
	struct harness root;
	size_t i;

	print_message("  snaplen %u%s%s%s\n", config.snaplen, config.as_sent ? ", as sent" : "",
		      config.have_load_bytes ? "" : ", direct", frags ? ", frags" : "");
	harness_open(&root, frags);
	filter_open(&filter, &root, &strict);
	sampler_open(&sampler, &root, &settings, NULL);
	for (i = 0; i < ARRAY_SIZE(fixtures); i++)
		if (frags || !fixtures[i].jumbo)
			run_fixture(&fixtures[i]);
	sampler_close(&sampler);
	filter_close(&filter);
	harness_close(&root);
}

static void test_verdicts(void **state)
{
	static const uint32_t snaplens[] = { 14, 15, 64, 128, 256, 1500, SAMPLER_SNAPLEN_MAX };
	struct sampler_config config = { .rate = RATE, .ifindex = IFINDEX };
	const bool can = ecbpf_have_load_bytes(), frags = harness_has_frags();
	/* Emulated guests take seconds to verify each. */
	const size_t step = getenv("ECBPF_GUEST") ? 3 : 1;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(snaplens); i += step) {
		config.snaplen = snaplens[i];
		for (config.as_sent = 0; config.as_sent < 2; config.as_sent++) {
			config.have_load_bytes = 0;
			if (snaplens[i] <= SAMPLER_SNAPLEN_MAX_DIRECT)
				run_fixtures(false, config);
			config.have_load_bytes = 1;
			if (can)
				run_fixtures(false, config);
			if (can && frags)
				run_fixtures(true, config);
		}
	}
}

/* Whatever a slot behind the sampler says. */
static void test_slots(void **state)
{
	static const uint32_t actions[] = { XDP_ABORTED, XDP_DROP,     XDP_PASS,
					    XDP_TX,	 XDP_REDIRECT, XDP_REDIRECT + 1 };
	const struct sampler_settings settings = { .config = { .ifindex = IFINDEX } };
	const struct layer layers[] = { ETHER(), IPV4(), TCP(), OCTETS(40), { 0 } };
	size_t length = frame_build(layers, frame), i;
	struct slot_orders orders = { .order = SLOT_VERDICT };
	struct slots slots;
	struct harness root;
	unsigned int slot;
	uint64_t since;

	(void)state;
	harness_open(&root, false);
	slots_open(&slots, &root, 0xfc);
	sampler_open(&sampler, &root, &settings, NULL);
	for (slot = 2; slot < ECBPF_SLOTS; slot++) {
		for (i = 0; i < ARRAY_SIZE(actions); i++) {
			orders.action = actions[i];
			orders.reason = i % 2 ? ECBPF_REASON_USER_3 : ECBPF_REASON_MAX - 1;
			slots_tell(&slots, slot, &orders);
			since = now();
			harness_run(&root, frame, length, &outcome);
			assert_int_equal(outcome.action, actions[i]);
			check_record(frame, length, since, true);
			check_fate(slot, actions[i], orders.reason);
		}
		slots_tell(&slots, slot, &(struct slot_orders){ .order = SLOT_NEXT });
	}
	sampler_close(&sampler);
	slots_close(&slots);
	harness_close(&root);
}

/* A slot that takes a tag out and goes on. */
static void test_rewritten_on_the_way(void **state)
{
	struct sampler_settings settings = { .config = { .ifindex = IFINDEX } };
	const struct layer layers[] = { ETHER(), VLAN(7), IPV4(), UDP_7_9, OCTETS(40), { 0 } };
	size_t length = frame_build(layers, frame);
	struct slots slots;
	struct harness root;

	(void)state;
	for (; settings.config.as_sent < 2; settings.config.as_sent++) {
		harness_open(&root, false);
		slots_open(&slots, &root, 1U << 4);
		slots_tell(&slots, 4, &(struct slot_orders){ .order = SLOT_UNTAG });
		sampler_open(&sampler, &root, &settings, NULL);
		harness_run(&root, frame, length, &outcome);
		assert_int_equal(outcome.length, length - 4);
		if (settings.config.as_sent)
			check_record(outcome.frame, outcome.length, 0, true);
		else
			check_record(frame, length, 0, true);
		check_fate(ECBPF_SLOT_ROOT, XDP_PASS, ECBPF_REASON_NO_OPINION);
		sampler_close(&sampler);
		slots_close(&slots);
		harness_close(&root);
	}
}

/* The emitter goes on to the capture tool's hook. */
static void test_xdpcap(void **state)
{
	const struct sampler_settings settings = { .config = { .ifindex = IFINDEX } };
	const struct layer layers[] = { ETHER(), IPV4(.from = "203.0.113.7"), UDP_7_9, { 0 } };
	struct harness_hook_bpf *hook = harness_hook_bpf__open();
	size_t length = frame_build(layers, frame);
	struct harness root;
	uint64_t seen = 0;
	uint32_t zero = 0;

	(void)state;
	assert_non_null(hook);
	hook->rodata->hook_action = XDP_DROP;
	bpf_program__set_expected_attach_type(hook->progs.harness_hook_prog, 0);
	assert_int_equal(harness_hook_bpf__load(hook), 0);
	harness_open(&root, false);
	filter_open(&filter, &root, &strict);
	sampler_open(&sampler, &root, &settings, NULL);
	assert_int_equal(harness_join(bpf_map__fd(root.root->maps.xdpcap_hook), XDP_DROP,
				      bpf_program__fd(hook->progs.harness_hook_prog)),
			 0);
	harness_run(&root, frame, length, &outcome);
	assert_int_equal(outcome.action, XDP_DROP);
	check_record(frame, length, 0, true);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(hook->maps.seen), &zero, &seen), 0);
	assert_int_equal(seen, 1);
	sampler_close(&sampler);
	filter_close(&filter);
	harness_close(&root);
	harness_hook_bpf__destroy(hook);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_rewritten_on_the_way),
		cmocka_unit_test(test_xdpcap),
	};

	if (!harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
