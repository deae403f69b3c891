// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The verifier accepts the largest rulesets: all rules of one family, every field and action. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "firewalls.h"

static const char *const actions[] = { "drop", "pass", "limit 5/second", "count",
				       "limit 5/second per source" };

/* Rule @number; none of them is another's. */
static void write_rule(FILE *out, unsigned int family, unsigned int number)
{
	char address[64];

	if (family == 4)
		snprintf(address, sizeof(address), "10.%u.%u.0/24", number / 256, number % 256);
	else
		snprintf(address, sizeof(address), "2001:db8:%x::/48", number);
	fprintf(out,
		"packet length { 0-%u } %s from { %s } to not { %s } ttl { 1-%u } "
		"tcp sport { %u } dport { %u-%u } window { %u-60000 } flags { syn } mask { syn, ack } "
		"vlan not { %u } not fragment action %s name \"rule %u\"\n",
		1500 + number, family == 4 ? "ip" : "ip6", address, address, 1 + number % 250,
		number + 1, number, number + 1000, number, number % 4000, actions[number % 5],
		number);
}

/* Sent from rule 0's source, which drops it; another one passes. */
static void send(struct harness *harness, unsigned int family)
{
	struct layer layers[] = { ETHER(),
				  IPV4(.from = "10.0.0.1", .ttl = 1),
				  TCP(.sport = 1, .dport = 7, .window = 9, .tcp_flags = 2),
				  OCTETS(8),
				  {} };
	static uint8_t frame[FRAME_MAX];
	struct outcome outcome;
	size_t length;

	if (family == 6)
		layers[1] = (struct layer)IPV6(.from = "2001:db8::1", .ttl = 1);
	length = frame_build(layers, frame);
	harness_run(harness, frame, length, &outcome);
	assert_int_equal(outcome.action, XDP_DROP);
	layers[1].from = family == 4 ? "10.200.0.1" : "2001:db8:ffff::1";
	length = frame_build(layers, frame);
	harness_run(harness, frame, length, &outcome);
	assert_int_equal(outcome.action, XDP_PASS);
}

static void largest(unsigned int family, bool first_match)
{
	struct firewall firewall;
	struct harness harness;
	char *text = NULL;
	unsigned int i;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (first_match)
		fprintf(out, "order first-match\n");
	for (i = 0; i < FW_RULES_MAX; i++)
		write_rule(out, family, i);
	fclose(out);
	harness_open(&harness, false);
	firewall_open(&firewall, &harness, text, NULL);
	send(&harness, family);
	firewall_close(&firewall);
	harness_close(&harness);
	free(text);
}

static void ipv4(void **state)
{
	(void)state;
	largest(4, false);
}

static void ipv6(void **state)
{
	(void)state;
	largest(6, false);
}

static void first_match(void **state)
{
	(void)state;
	largest(4, true);
	largest(6, true);
}

/* More addresses than runs are for: they are in tables. Sources are every other one. */
static void many_addresses(void **state)
{
	struct layer layers[] = { ETHER(), IPV4(), UDP(.dport = 7), OCTETS(8), {} };
	static const struct {
		const char *from;
		unsigned int family;
		int action;
	} cases[] = {
		{ "10.0.0.2", 4, XDP_DROP },	  { "10.0.0.3", 4, XDP_PASS },
		{ "10.1.255.254", 4, XDP_DROP },  { "2001:db8::2:0", 6, XDP_DROP },
		{ "2001:db8::2:1", 6, XDP_PASS }, { "2001:db8::1:fffe:0", 6, XDP_DROP },
	};
	static uint8_t frame[FRAME_MAX];
	struct firewall firewall;
	struct outcome outcome;
	struct harness harness;
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fprintf(out, "set s { 10.0.0.0");
	for (i = 2; i < 2 * FW_RUNS_MAX; i += 2)
		fprintf(out, ", 10.%zu.%zu.%zu, 2001:db8::%zx:%zx:0", i >> 16, i >> 8 & 255,
			i & 255, i >> 16, i & 0xffff);
	fprintf(out, " }\nip from s to any udp\nip6 from s to any udp\n");
	fclose(out);
	harness_open(&harness, false);
	firewall_open(&firewall, &harness, text, NULL);
	assert_int_equal(firewall.compiled.tables.source_runs4.levels, 0);
	assert_int_equal(firewall.compiled.tables.source_runs6.levels, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		layers[1] = cases[i].family == 4 ? (struct layer)IPV4(.from = cases[i].from) :
						   (struct layer)IPV6(.from = cases[i].from);
		harness_run(&harness, frame, frame_build(layers, frame), &outcome);
		assert_int_equal(outcome.action, cases[i].action);
	}
	firewall_close(&firewall);
	harness_close(&harness);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(first_match),
		cmocka_unit_test(many_addresses),
	};

	if (!harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
