// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The matcher finds what the evaluator finds: random rules, random packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "engine.h"
#include "evaluate.h"
#include "packet.h"
#include "random_rules.h"
#include "rules_text.h"

#define PACKETS 500
/* Rulesets and packets that are compared at least. */
#define PAIRS_MIN 200000

/* What the evaluator said of one packet. */
struct said {
	struct fw_verdict verdict;
	size_t limits[FW_RULES_MAX];
	size_t limit_count;
	size_t counts[FW_RULES_MAX];
	size_t count_count;
	const struct fw_ruleset *ruleset;
};

static bool never_over(void *context, size_t rule)
{
	struct said *said = context;

	said->limits[said->limit_count++] = rule;
	return false;
}

static void hit(void *context, size_t rule, bool dropped)
{
	struct said *said = context;

	(void)dropped;
	if (said->ruleset->rules[rule].action == FW_COUNT)
		said->counts[said->count_count++] = rule;
}

static size_t pairs;

static char *random_text(struct random *random, size_t count)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	random_rules(random, count, out);
	fclose(out);
	return text;
}

/* Leave out the rules of IPv6. */
static void keep_ipv4(char *text)
{
	char *from = text, *to = text, *end;

	for (; *from; from = end) {
		end = strchr(from, '\n') + 1;
		if (!strncmp(from, "ip6 ", 4))
			continue;
		memmove(to, from, end - from);
		to += end - from;
	}
	*to = 0;
}

static bool contains(const struct fw_entry *const *entries, size_t count, size_t rule)
{
	while (count--)
		if (entries[count]->rule == rule)
			return true;
	return false;
}

static void check(const struct engine *engine, struct said *said, const struct ecbpf_packet *packet,
		  uint32_t length)
{
	static struct engine_found found;
	const struct fw_ruleset *ruleset = said->ruleset;
	size_t i, counted = 0;

	engine_match(engine, packet, length, &found);
	if (ruleset->first_match || (said->verdict.decided && !said->limit_count)) {
		assert_int_equal(found.decides != NULL, said->verdict.decided);
		if (found.decides)
			assert_int_equal(found.decides->rule, said->verdict.rule);
	} else {
		assert_null(found.decides);
		assert_int_equal(found.limit_count, said->limit_count);
		for (i = 0; i < said->limit_count; i++)
			assert_int_equal(found.limits[i]->rule, said->limits[i]);
	}
	for (i = 0; i < found.count_count; i++)
		counted += !ruleset->first_match || !found.decides ||
			   found.counts[i]->priority < found.decides->priority;
	assert_int_equal(counted, said->count_count);
	for (i = 0; i < said->count_count; i++)
		assert_true(contains(found.counts, found.count_count, said->counts[i]));
}

static void compare_text(struct random *random, const char *text, size_t packets)
{
	static struct said said;
	struct fw_hooks hooks = { .over = never_over, .hit = hit, .context = &said };
	uint8_t frame[RANDOM_FRAME_MAX];
	struct fw_ruleset ruleset;
	struct ecbpf_packet packet;
	struct engine engine, tables;
	size_t i;

	if (fw_rules_parse("random", text, strlen(text), stderr, &ruleset))
		fail_msg("%s", text);
	assert_int_equal(engine_open(&engine, &ruleset), 0);
	tables = engine_without_runs(&engine);
	for (i = 0; i < packets; i++) {
		size_t length = random_frame(random, frame);
		struct fw_facts facts = { .packet = &packet, .length = length };

		if (!fw_packet_parse(frame, length, &packet) || !(packet.flags & ECBPF_ADDRESSES))
			continue;
		said.limit_count = said.count_count = 0;
		said.ruleset = &ruleset;
		fw_evaluate(&ruleset, &facts, &hooks, &said.verdict);
		check(&engine, &said, &packet, length);
		check(&tables, &said, &packet, length);
		pairs++;
	}
	engine_close(&engine);
	fw_ruleset_free(&ruleset);
}

static void compare(uint64_t seed, size_t rules, size_t packets)
{
	struct random random = random_for(4711, seed);
	char *text = random_text(&random, rules);

	compare_text(&random, text, packets);
	free(text);
}

static void random_small(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 0; seed < 125; seed++)
		compare(seed, 1 + seed % 40, 3 * PACKETS);
}

static void random_large(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 0; seed < 15; seed++)
		compare(1000 + seed, 100 + 50 * seed, 5 * PACKETS);
	for (seed = 0; seed < 2; seed++)
		compare(2000 + seed, 1900, 4 * PACKETS);
}

/* More of one family than a word of aggregate has bits for words. */
static void random_largest(void **state)
{
	struct random random = random_for(4711, 3000);
	char *text = random_text(&random, 2 * FW_RULES_MAX - 400);

	(void)state;
	keep_ipv4(text);
	compare_text(&random, text, PACKETS);
	free(text);
}

/* A few of many words have rules for a packet, in both words of the aggregate; the last decides. */
static void few_words_of_many(void **state)
{
	struct random random = random_for(4711, 5000);
	size_t size, i, last = FW_RULES_MAX - 200;
	char *text;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (i = 0; i <= last; i++) {
		const char *more = i % 1200 == last % 1200 ? ", 10.0.0.0/16" : "";
		size_t high = 128 + i / 128, low = i % 128 * 2;

		fprintf(out,
			"ip from { %zu.%zu.0.0/15%s } to { %zu.%zu.0.0/15%s } proto not { 200 } "
			"action %s\n",
			high, low, more, high, low, more, i == last ? "pass" : "drop");
	}
	fclose(out);
	compare_text(&random, text, PACKETS);
	free(text);
}

static void every_packet(void **state)
{
	static const char *const actions[] = { "drop", "pass", "count", "limit 1/second" };
	struct random random = random_for(4711, 4000);
	char *text;
	size_t size, action, rules, i;
	FILE *out;

	(void)state;
	for (action = 0; action < sizeof(actions) / sizeof(actions[0]); action++)
		for (rules = 1; rules <= 201; rules += 100) {
			out = open_memstream(&text, &size);
			for (i = 0; i < rules; i++)
				fprintf(out,
					"ip from any to any proto any action %s\n"
					"ip6 from any to any proto any action %s\n",
					actions[action], actions[action]);
			fclose(out);
			compare_text(&random, text, 20);
			free(text);
		}
}

static void parse_udp6(const char *source, struct ecbpf_packet *packet)
{
	uint8_t frame[62] = { [12] = 0x86, [13] = 0xdd, [14] = 0x60, [19] = 8, [20] = 17, [59] = 8 };

	assert_int_equal(inet_pton(AF_INET6, source, frame + 22), 1);
	assert_true(fw_packet_parse(frame, sizeof(frame), packet));
	assert_true(packet->flags & ECBPF_ADDRESSES);
}

/* IPv4-mapped prefixes are of IPv6 packets. */
static void mapped_addresses(void **state)
{
	static const char text[] = "set s { ::ffff:192.0.2.0/120 }\n"
				   "ip6 from s to any udp\n"
				   "ip6 from ::ffff:198.51.100.7 to any udp\n"
				   "ip from s to any udp\n";
	static const struct {
		const char *source;
		bool decided;
	} cases[] = {
		{ "::ffff:192.0.2.7", true },	 { "::ffff:192.0.3.7", false },
		{ "::ffff:198.51.100.7", true }, { "::ffff:198.51.100.8", false },
		{ "2001:db8::c000:207", false },
	};
	static struct said said;
	struct fw_hooks hooks = { .over = never_over, .hit = hit, .context = &said };
	struct fw_ruleset ruleset;
	struct ecbpf_packet packet;
	struct engine engine;
	size_t i;

	(void)state;
	assert_int_equal(fw_rules_parse("rules", text, strlen(text), stderr, &ruleset), 0);
	assert_int_equal(engine_open(&engine, &ruleset), 0);
	said.ruleset = &ruleset;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fw_facts facts = { .packet = &packet, .length = 62 };

		parse_udp6(cases[i].source, &packet);
		fw_evaluate(&ruleset, &facts, &hooks, &said.verdict);
		assert_int_equal(said.verdict.decided, cases[i].decided);
		check(&engine, &said, &packet, 62);
	}
	engine_close(&engine);
	fw_ruleset_free(&ruleset);
}

static void parse_udp4(const char *source, struct ecbpf_packet *packet)
{
	uint8_t frame[42] = { [12] = 8, [14] = 0x45, [17] = 28, [23] = 17, [39] = 8 };

	assert_int_equal(inet_pton(AF_INET, source, frame + 26), 1);
	assert_true(fw_packet_parse(frame, sizeof(frame), packet));
	assert_true(packet->flags & ECBPF_ADDRESSES);
}

/* Both ends of all addresses and of their halves. */
static const char *const end_prefixes[] = {
	"0.0.0.0/32",
	"255.255.255.255/32",
	"127.255.255.255/32",
	"128.0.0.0/32",
	"128.0.0.0/1",
	"::/128",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
	"7fff:ffff:ffff:ffff::/64",
	"8000::/1",
	"7fff:ffff:ffff:ffff:8000::/66",
	"8000::7/128",
	"ffff:ffff:ffff:ffff::/65",
};

#define END_PREFIXES_IPV4 5
#define END_PREFIXES	  (sizeof(end_prefixes) / sizeof(end_prefixes[0]))

static const char *const end_addresses[] = {
	"0.0.0.0",
	"0.0.0.1",
	"127.255.255.254",
	"127.255.255.255",
	"128.0.0.0",
	"128.0.0.1",
	"255.255.255.254",
	"255.255.255.255",
	"::",
	"::1",
	"0:0:0:1::",
	"7fff:ffff:ffff:fffe:ffff:ffff:ffff:ffff",
	"7fff:ffff:ffff:ffff::",
	"7fff:ffff:ffff:ffff:8000::",
	"7fff:ffff:ffff:ffff:c000::",
	"7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"8000::",
	"8000::7",
	"8000::8",
	"8000:0:0:1::",
	"ffff:ffff:ffff:ffff:7fff:ffff:ffff:ffff",
	"ffff:ffff:ffff:ffff:8000::",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};

/* The prefixes of which @mask has bits. */
static char *end_text(size_t mask)
{
	size_t i, size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	for (i = 0; i < END_PREFIXES; i++)
		if (mask >> i & 1)
			fprintf(out, "%s from %s to any udp\n",
				i < END_PREFIXES_IPV4 ? "ip" : "ip6", end_prefixes[i]);
	fclose(out);
	return text;
}

static void compare_ends(const struct engine *engine, const struct engine *tables,
			 const struct fw_ruleset *ruleset)
{
	static struct said said;
	const struct fw_hooks hooks = { .over = never_over, .hit = hit, .context = &said };
	struct ecbpf_packet packet;
	size_t i;

	said.ruleset = ruleset;
	for (i = 0; i < sizeof(end_addresses) / sizeof(end_addresses[0]); i++) {
		struct fw_facts facts = { .packet = &packet, .length = 62 };

		if (strchr(end_addresses[i], ':'))
			parse_udp6(end_addresses[i], &packet);
		else
			parse_udp4(end_addresses[i], &packet);
		said.limit_count = said.count_count = 0;
		fw_evaluate(ruleset, &facts, &hooks, &said.verdict);
		check(engine, &said, &packet, 62);
		check(tables, &said, &packet, 62);
	}
}

/* All choices of one family's prefixes. */
static void ends_of_addresses(void **state)
{
	struct engine engine, tables;
	struct fw_ruleset ruleset;
	size_t mask;
	char *text;

	(void)state;
	for (mask = 1; mask < (size_t)1 << END_PREFIXES; mask++) {
		if (mask >> END_PREFIXES_IPV4 && mask % (1U << END_PREFIXES_IPV4))
			continue;
		text = end_text(mask);
		ruleset = (struct fw_ruleset){};
		assert_int_equal(fw_rules_parse("rules", text, strlen(text), stderr, &ruleset), 0);
		assert_int_equal(engine_open(&engine, &ruleset), 0);
		tables = engine_without_runs(&engine);
		compare_ends(&engine, &tables, &ruleset);
		engine_close(&engine);
		fw_ruleset_free(&ruleset);
		free(text);
	}
}

static void enough_pairs(void **state)
{
	(void)state;
	assert_true(pairs >= PAIRS_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_small),	     cmocka_unit_test(random_large),
		cmocka_unit_test(random_largest),    cmocka_unit_test(few_words_of_many),
		cmocka_unit_test(every_packet),	     cmocka_unit_test(mapped_addresses),
		cmocka_unit_test(ends_of_addresses), cmocka_unit_test(enough_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
