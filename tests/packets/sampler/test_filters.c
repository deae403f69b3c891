// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* --filter as the kernel runs it decides as libpcap does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include <bpf/libbpf.h>
#include <cmocka.h>

#include "filter.h"
#include "samplers.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define MORE_FRAGMENTS 0x2000
#define VARIANTS       8

static const char *const expressions[] = {
	"ip",
	"ip6",
	"not ip",
	"arp",
	"tcp",
	"udp",
	"icmp",
	"icmp6",
	"ip proto 17",
	"ip6 proto 17",
	"ip6 protochain 17",
	"tcp port 80",
	"tcp port 80 and net 2001:db8::/32",
	"tcp dst port 80 or udp src port 7",
	"port 53",
	"portrange 1-1023",
	"src host 192.0.2.1",
	"dst host 198.51.100.2 and udp",
	"net 192.0.2.0/24",
	"src net 192.0.0.0/9 or dst net 198.51.100.0/31",
	"src net 2001:db8:1::/48",
	"host 2001:db8:1::1 and not host 2001:db8:2::2",
	"ether host 02:00:00:00:00:11",
	"ether src 02:00:00:00:00:22",
	"ether multicast",
	"ether broadcast",
	"ip multicast",
	"vlan",
	"vlan 7",
	"vlan 7 and udp",
	"vlan and ip6",
	"vlan 3 and vlan 5 and tcp",
	"not vlan and udp",
	"tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
	"tcp[13] != 0",
	"tcp[14:2] > 1000",
	"ip[6:2] & 0x3fff != 0",
	"ip[0] & 0xf != 5",
	"ip[8] < 64",
	"ip[8] * 2 - 3 >= ip[9] + 40",
	"ip[9] / 2 == 8 or ip[9] % 5 == 1",
	"ip[2:2] / ip[8] > 1",
	"ip[2:2] % ip[1] == 0",
	"ip[9] ^ 17 == 0",
	"ip[9] << 2 == 68 and ip[9] >> 4 == 1",
	"-ip[9] < 0 - 16",
	"ip[ip[9]] = 0",
	"ether[ip[9] + 20] != 3",
	"ether[12:4] = 0x08004500",
	"udp[4:2] >= 40",
	"ip6[6] = 44",
	"ip6[40:4] & 0xff000000 != 0",
	"len > 100",
	"less 64",
	"greater 1000",
	"len % 2 == 1",
	"udp[1200] = 0xb0",
	"icmp[icmptype] = icmp-echo",
	"icmp[0] == 3 and icmp[1] == 4",
	"tcp or (udp and (port 9 or port 53)) or icmp6",
	"ip and (tcp or udp) and len > 60 and not net 10.0.0.0/8 and not port 22",
	"gateway 02:00:00:00:00:11",
	"ip broadcast",
	"mpls",
	"pppoes",
	"inbound",
};

static const struct layer frames[][LAYERS_MAX] = {
	{ ETHER(), IPV4(), UDP(.sport = 7, .dport = 9), OCTETS(1400) },
	{ ETHER(), IPV4(.ttl = 3, .tos = 4), UDP(.sport = 53, .dport = 4000), OCTETS(5) },
	{ ETHER(), IPV4(), TCP(.sport = 1234, .dport = 80, .tcp_flags = 2, .window = 1024) },
	{ ETHER(), IPV4(), TCP(.sport = 80, .dport = 1234, .tcp_flags = 0x12), OCTETS(33) },
	{ ETHER(), IPV4(.options = 12), TCP(.sport = 1, .dport = 22, .tcp_flags = 16) },
	{ ETHER(), IPV4(.fragment = MORE_FRAGMENTS), UDP(.sport = 7, .dport = 9), OCTETS(8) },
	{ ETHER(), IPV4(.fragment = 3, .next = EXACTLY(17)), OCTETS(40) },
	{ ETHER(), IPV4(), ICMP(8), OCTETS(56) },
	{ ETHER(), IPV4(), ICMP(3, .code = 4), OCTETS(28) },
	{ ETHER(.to_mac = 0x01005e000001), IPV4(.to = "224.0.0.1"), UDP(.dport = 5353) },
	{ ETHER(.to_mac = 0xffffffffffff), IPV4(.to = "10.255.255.255"), UDP(.dport = 67) },
	{ ETHER(), IPV4(.next = EXACTLY(47)), OCTETS(70) },
	{ ETHER(), IPV6(), UDP(.sport = 7, .dport = 9), OCTETS(100) },
	{ ETHER(), IPV6(), TCP(.sport = 9999, .dport = 80, .tcp_flags = 2) },
	{ ETHER(), IPV6(), EXTENSION(0, 8), UDP(.sport = 7, .dport = 53) },
	{ ETHER(), IPV6(), FRAGMENT(1), UDP(.sport = 7, .dport = 9), OCTETS(48) },
	{ ETHER(), IPV6(), ICMP6(128), OCTETS(64) },
	{ ETHER(), VLAN(7), IPV4(), UDP(.sport = 7, .dport = 9), OCTETS(20) },
	{ ETHER(), VLAN(8), IPV6(), TCP(.sport = 5, .dport = 80) },
	{ ETHER(), QINQ(3), VLAN(5), IPV4(), TCP(.sport = 5, .dport = 80) },
};

/* Looking beyond the first buffer of LARGE octets. */
#define LARGE 20000

static const char *const far[] = {
	"udp[5000] = 0x77",
	"udp[8191:2] = 0x7777",
	"ether[4000:4] = 0x77777777",
	"ether[ip[8] * 64 + 1000] = 0x77",
	"ether[17000] = 0x77",
	"ether[ip[8] * 256] = 0x77",
	"ether[19998:2] = 0x7777",
	"not ether[19999:2] = 0x7777",
	"ether[65535] = 0 or ether[19999] = 0x77",
	"ether[ip[8] * ip[8] * 256] = 0 or udp",
	"len > 15000",
	"len = 20000 and udp[9000:4] - udp[7000:4] = 0 and ip",
};

static struct harness roots[2], *root = &roots[0];
static unsigned int root_count;
static uint8_t frame[FRAME_MAX];

static uint64_t marked(const struct sampler *sampler)
{
	struct sampler_counts counts;

	sampler_counts_read(sampler, &counts);
	assert_int_equal(counts.values[SAMPLER_COUNT_ABANDONED], 0);
	assert_int_equal(counts.pending, 0);
	return counts.values[SAMPLER_COUNT_PICKED] - counts.values[SAMPLER_COUNT_FILTERED];
}

static uint64_t picked(const struct sampler *sampler)
{
	struct sampler_counts counts;

	sampler_counts_read(sampler, &counts);
	return counts.values[SAMPLER_COUNT_PICKED];
}

/* Variant 0 is the frame as described; others end early, or hold other octets behind Ethernet. */
static size_t vary(const struct layer *layers, unsigned int variant)
{
	size_t length = frame_build(layers, frame), i;

	if (!variant)
		return length;
	srandom(variant);
	for (i = 0; i < variant % 4; i++)
		frame[24 + random() % (length < 80 ? length - 24 : 56)] = random();
	if (variant % 2)
		length -= random() % (length - 34);
	return length;
}

/* Frames that don't get as far as the slot are nobody's. */
static unsigned int compare(struct sampler *sampler, const struct sampler_filter *filter)
{
	unsigned int i, variant, matched = 0;
	uint64_t before, seen;
	size_t length;
	bool match;

	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		for (variant = 0; variant < VARIANTS; variant++) {
			length = vary(frames[i], variant);
			before = marked(sampler);
			seen = picked(sampler);
			sampler_run(root, frame, length, 1);
			if (picked(sampler) == seen)
				continue;
			match = sampler_filter_match(filter, frame, length, length);
			if (marked(sampler) - before != match)
				print_message("frame %u, variant %u: libpcap says %d\n", i, variant,
					      match);
			assert_int_equal(marked(sampler) - before, match);
			matched += match;
		}
	}
	return matched;
}

static void all_as_libpcap(void)
{
	struct sampler_settings settings = {};
	unsigned int i, here = 0, matched;
	struct sampler_filter *filter;
	struct sampler sampler;

	for (i = 0; i < ARRAY_SIZE(expressions); i++) {
		if (sampler_filter_compile(expressions[i], SAMPLER_SNAPLEN_DEFAULT, &filter))
			continue;
		snprintf(settings.filter, sizeof(settings.filter), "%s", expressions[i]);
		sampler_open(&sampler, root, &settings, NULL);
		if (sampler.settings.config.filtered) {
			matched = compare(&sampler, filter);
			here++;
			print_message("  %s: %u match\n", expressions[i], matched);
		} else {
			print_message("  %s: left to user space\n", expressions[i]);
		}
		sampler_close(&sampler);
		sampler_filter_free(filter);
	}
	print_message("  %u of %zu run in the kernel\n", here, ARRAY_SIZE(expressions));
	assert_true(here >= ARRAY_SIZE(expressions) - 8);
}

static void test_as_libpcap(void **state)
{
	(void)state;
	for (root = roots; root < roots + root_count; root++)
		all_as_libpcap();
	root = &roots[0];
}

/* Frames of every length around which a load falls off them, and out of the first buffer. */
static void test_multi_buffer(void **state)
{
	static const size_t lengths[] = { 14,	1500, 3000,  4000,  4003,      8234,
					  8235, 9002, 17000, 17001, LARGE - 1, LARGE };
	struct sampler_settings settings = {};
	struct sampler_filter *filter;
	struct sampler sampler;
	unsigned int all = 0, matched;
	size_t i, j;
	bool match;

	(void)state;
	if (root_count < 2)
		skip();
	memset(frame, 0x77, LARGE);
	frame_build((const struct layer[LAYERS_MAX]){ ETHER(), IPV4(), UDP() }, frame);
	for (i = 0; i < ARRAY_SIZE(far); i++) {
		assert_int_equal(sampler_filter_compile(far[i], LARGE, &filter), 0);
		snprintf(settings.filter, sizeof(settings.filter), "%s", far[i]);
		sampler_open(&sampler, &roots[1], &settings, NULL);
		assert_int_equal(sampler.settings.config.filtered, 1);
		for (j = 0, matched = 0; j < ARRAY_SIZE(lengths); j++) {
			uint64_t seen = picked(&sampler), before = marked(&sampler);

			sampler_run(&roots[1], frame, lengths[j], 1);
			if (picked(&sampler) == seen)
				continue;
			match = sampler_filter_match(filter, frame, lengths[j], lengths[j]);
			if (marked(&sampler) - before != match)
				print_message("%s, %zu octets: libpcap says %d\n", far[i],
					      lengths[j], match);
			assert_int_equal(marked(&sampler) - before, match);
			matched += match;
		}
		print_message("  %s: %u match\n", far[i], matched);
		all += matched > 0;
		sampler_close(&sampler);
		sampler_filter_free(filter);
	}
}

/* Two registers' shift differs between both machines; backward jumps are none of eBPF's here. */
static void test_left_to_user_space(void **state)
{
	static const char *const those[] = { "ip[8] << ip[9] == 0", "ip6 protochain 17",
					     "ether[16384] = 0" };
	struct sampler_settings settings = {};
	struct sampler sampler;
	size_t i, length = frame_build(frames[0], frame);

	(void)state;
	for (i = 0; i < ARRAY_SIZE(those); i++) {
		snprintf(settings.filter, sizeof(settings.filter), "%s", those[i]);
		sampler_open(&sampler, root, &settings, NULL);
		assert_int_equal(sampler.settings.config.filtered, 0);
		/* Then everything is a sample, for the reader to choose from. */
		sampler_run(root, frame, length, 3);
		assert_int_equal(marked(&sampler), 3);
		sampler_close(&sampler);
	}
}

static int set_up(void **state)
{
	(void)state;
	root_count = harness_open_both(roots);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	while (root_count--)
		harness_close(&roots[root_count]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_libpcap),
		cmocka_unit_test(test_multi_buffer),
		cmocka_unit_test(test_left_to_user_space),
	};

	if (!harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
