// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the program does to a packet is what the evaluator says: random rules, random frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "evaluate.h"
#include "firewalls.h"
#include "map_view.h"
#include "packet.h"
#include "random_rules.h"
#include "rules_text.h"
#include "xdp_fw.skel.h"
#include "xdp_root.skel.h"

#define FRAMES 400

/*
 * Limits let one packet pass, whatever time a run takes: those of the interface the first one, those
 * of a source the first of each, which takes remembering them all.
 */
struct expected {
	const struct fw_ruleset *ruleset;
	const struct ecbpf_packet *packet;
	struct fw_hits hits[FW_RULES_MAX];
	bool spent[FW_RULES_MAX];
	struct fw_source_key *sources;
	size_t source_count;
};

static bool over(void *context, size_t rule)
{
	struct expected *expected = context;
	struct fw_source_key key = { .rule = rule, .family = expected->packet->family };
	bool spent = expected->spent[rule];
	size_t i;

	if (!expected->ruleset->rules[rule].rate.per_source) {
		expected->spent[rule] = true;
		return spent;
	}
	memcpy(key.address, expected->packet->saddr, key.family == 4 ? 4 : 16);
	for (i = 0; i < expected->source_count; i++)
		if (!memcmp(&expected->sources[i], &key, sizeof(key)))
			return true;
	assert_int_equal(fw_grow(&expected->sources, expected->source_count, sizeof(key)), 0);
	expected->sources[expected->source_count++] = key;
	return false;
}

static void hit(void *context, size_t rule, bool dropped)
{
	struct expected *expected = context;

	expected->hits[rule].matched++;
	expected->hits[rule].dropped += dropped;
}

static int run_frame(const struct harness *harness, const uint8_t *frame, size_t length)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length,
		    .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(harness->root->progs.xdp_root_prog),
						&options),
			 0);
	return options.retval;
}

static void send(struct firewall *firewall, struct random *random, struct expected *expected)
{
	struct fw_hooks hooks = { .over = over, .hit = hit, .context = expected };
	uint8_t frame[RANDOM_FRAME_MAX];
	struct fw_verdict verdict = {};
	struct ecbpf_packet packet;
	struct fw_facts facts = { .packet = &packet };

	facts.length = random_frame(random, frame);
	expected->packet = &packet;
	if (fw_packet_parse(frame, facts.length, &packet))
		fw_evaluate(&firewall->ruleset, &facts, &hooks, &verdict);
	assert_int_equal(run_frame(firewall->harness, frame, facts.length),
			 verdict.drop ? XDP_DROP : XDP_PASS);
}

/* Limits for one packet in a week. */
static void slow_limits(const struct firewall *firewall)
{
	struct fw_entry *entries;
	struct map_view view;
	uint32_t i;

	assert_int_equal(map_view_open(bpf_map__fd(firewall->skeleton->maps.entries), true, &view),
			 0);
	for (entries = view.data, i = 0; i < view.entries; i++)
		if (entries[i].action == FW_LIMIT)
			entries[i].interval = 7 * 86400 * UINT64_C(1000000000);
	map_view_close(&view);
}

static void compare(struct harness *harness, uint64_t seed, size_t rules, size_t frames)
{
	static struct expected expected;
	struct random random = random_for(815, seed);
	struct firewall firewall;
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	random_rules(&random, rules, out);
	fclose(out);
	firewall_open(&firewall, harness, text, NULL);
	free(text);
	slow_limits(&firewall);
	memset(&expected, 0, sizeof(expected));
	expected.ruleset = &firewall.ruleset;
	for (i = 0; i < frames; i++)
		send(&firewall, &random, &expected);
	for (i = 0; i < firewall.ruleset.count; i++) {
		struct fw_hits hits = firewall_hits(&firewall, i);

		assert_int_equal(hits.matched, expected.hits[i].matched);
		assert_int_equal(hits.dropped, expected.hits[i].dropped);
	}
	free(expected.sources);
	firewall_close(&firewall);
}

static void random_rules_match(void **state)
{
	/* Guests are emulated: what matters there is that the program is accepted. */
	bool guest = getenv("ECBPF_GUEST") != NULL;
	struct harness harness;
	uint64_t seed;

	(void)state;
	harness_open(&harness, false);
	for (seed = 0; seed < 25; seed += guest ? 8 : 1)
		compare(&harness, seed, 1 + 3 * seed, guest ? FRAMES / 8 : FRAMES);
	compare(&harness, 100, 1000, guest ? FRAMES / 8 : 2 * FRAMES);
	compare(&harness, 101, 8000, guest ? FRAMES / 8 : FRAMES);
	harness_close(&harness);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_rules_match),
	};

	if (!harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
