// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Path MTU messages: octet for octet, in answer to what, and how many. */
#define _GNU_SOURCE
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "filters.h"
#include "slots.h"
#include "xdp_root.skel.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define COUNT(stat)    (1U << FILTER_STAT_##stat)
#define MORE_FRAGMENTS 0x2000
#define GRE	       47
#define DESTINATION    60
#define FAR_FUTURE     (1ULL << 40)

#define FIRST(...) IPV4(.fragment = MORE_FRAGMENTS, __VA_ARGS__)
#define UDP_7_9	   UDP(.sport = 7, .dport = 9)
#define BROADCAST  0xffffffffffffULL
#define GROUP_MAC  0x01005e000001ULL

/**
 * struct answer - a frame, and what is sent back
 * @padding: octets of Ethernet padding behind it
 * @mtu: 0: 1500
 * @jumbo: takes a multi-buffer frame
 * @output: as frame_from_hex() reads it
 */
struct answer {
	const char *description;
	struct layer layers[LAYERS_MAX];
	size_t padding;
	uint32_t mtu;
	bool jumbo;
	const char *output;
};

static const struct answer answers[] = {
	{ "UDP over IPv4",
	  { ETHER(), FIRST(), UDP_7_9, OCTETS(1400) },
	  .output = "0200000000110200000000220800 "
		    "45c000380000000040018dcec6336402c0000201 "
		    "0304f18f000005dc "
		    "45000594123420003d1159eec0000201c6336402 "
		    "0007000905800000" },
	{ "12 octets of options, behind a tag",
	  { ETHER(), VLAN(5), FIRST(.options = 12), UDP_7_9, OCTETS(32) },
	  .output = "020000000011020000000022810000050800 "
		    "45c000440000000040018dc2c6336402c0000201 "
		    "0304f6e7000005dc "
		    "48000048123420003d115634c0000201c6336402010101010101010101010101 "
		    "0007000900280000" },
	{ "one octet to quote",
	  { ETHER(), FIRST(.next = EXACTLY(GRE)), OCTETS(1) },
	  .output = "0200000000110200000000220800 "
		    "45c000310000000040018dd5c6336402c0000201 "
		    "0304f71f000005dc "
		    "45000015123420003d2f5f4fc0000201c6336402 "
		    "00" },
	{ "40 octets of options and 7 to quote, behind two tags",
	  { ETHER(), QINQ(1), VLAN(2), FIRST(.options = 40, .next = EXACTLY(GRE)), OCTETS(7) },
	  .output = "02000000001102000000002288a80001810000020800 "
		    "45c0005f0000000040018da7c6336402c0000201 "
		    "0304eb16000005dc "
		    "4f000043123420003d2f410dc0000201c6336402"
		    "0101010101010101010101010101010101010101"
		    "0101010101010101010101010101010101010101 "
		    "00010203040506" },
	{ "nothing but a header to quote",
	  { ETHER(), FIRST(.next = EXACTLY(GRE)) },
	  .output = "0200000000110200000000220800 "
		    "45c000300000000040018dd6c6336402c0000201 "
		    "0304f71f000005dc "
		    "45000014123420003d2f5f50c0000201c6336402" },
	{ "padding of Ethernet is no part of it",
	  { ETHER(), FIRST(), UDP_7_9 },
	  .padding = 18,
	  .output = "0200000000110200000000220800 "
		    "45c000380000000040018dcec6336402c0000201 "
		    "0304f707000005dc "
		    "4500001c123420003d115f66c0000201c6336402 "
		    "0007000900080000" },
	{ "ICMP echo request",
	  { ETHER(), FIRST(), ICMP(8), OCTETS(64) },
	  .output = "0200000000110200000000220800 "
		    "45c000380000000040018dcec6336402c0000201 "
		    "0304ef1f000005dc "
		    "4500005c123420003d015f36c0000201c6336402 "
		    "0800000000000000" },
	{ "an MTU that the message can not hold",
	  { ETHER(), FIRST(), UDP_7_9, OCTETS(1400) },
	  .mtu = 100000,
	  .output = "0200000000110200000000220800 "
		    "45c000380000000040018dcec6336402c0000201 "
		    "0304f76b0000ffff "
		    "45000594123420003d1159eec0000201c6336402 "
		    "0007000905800000" },
	{ "a multi-buffer frame",
	  { ETHER(), FIRST(), UDP_7_9, OCTETS(9000) },
	  .mtu = 9000,
	  .jumbo = true,
	  .output = "0200000000110200000000220800 "
		    "45c000380000000040018dcec6336402c0000201 "
		    "0304b69300002328 "
		    "45002344123420003d113c3ec0000201c6336402 "
		    "0007000923300000" },
	{ "UDP over IPv6",
	  { ETHER(), IPV6(), FRAGMENT(1), UDP_7_9, OCTETS(64) },
	  .output = "02000000001102000000002286dd "
		    "6000000000803a4020010db80002000000000000"
		    "0000000220010db8000100000000000000000001 "
		    "02006816000005dc "
		    "6000000000502c3d20010db80001000000000000"
		    "0000000120010db8000200000000000000000002 "
		    "11000001000056780007000900480000 @64" },
	{ "more than fits, behind a tag",
	  { ETHER(), VLAN(5), IPV6(), FRAGMENT(1), UDP_7_9, OCTETS(1400) },
	  .output = "0200000000110200000000228100000586dd "
		    "6000000004d83a4020010db80002000000000000"
		    "0000000220010db8000100000000000000000001 "
		    "0200e1ac000005dc "
		    "6000000005882c3d20010db80001000000000000"
		    "0000000120010db8000200000000000000000002 "
		    "11000001000056780007000905800000 @1176" },
	{ "as much as fits",
	  { ETHER(), IPV6(), FRAGMENT(1), UDP_7_9, OCTETS(1176) },
	  .output = "02000000001102000000002286dd "
		    "6000000004d83a4020010db80002000000000000"
		    "0000000220010db8000100000000000000000001 "
		    "0200e36c000005dc "
		    "6000000004a82c3d20010db80001000000000000"
		    "0000000120010db8000200000000000000000002 "
		    "11000001000056780007000904a00000 @1176" },
	{ "one less than fits, behind two tags",
	  { ETHER(), QINQ(1), VLAN(2), IPV6(), FRAGMENT(1), UDP_7_9, OCTETS(1175) },
	  .output = "02000000001102000000002288a800018100000286dd "
		    "6000000004d73a4020010db80002000000000000"
		    "0000000220010db8000100000000000000000001 "
		    "0200e406000005dc "
		    "6000000004a72c3d20010db80001000000000000"
		    "0000000120010db8000200000000000000000002 "
		    "110000010000567800070009049f0000 @1175" },
	{ "three octets over a multiple of four",
	  { ETHER(), IPV6(), FRAGMENT(1), UDP_7_9, OCTETS(3) },
	  .output = "02000000001102000000002286dd "
		    "6000000000433a4020010db80002000000000000"
		    "0000000220010db8000100000000000000000001 "
		    "02004ad0000005dc "
		    "6000000000132c3d20010db80001000000000000"
		    "0000000120010db8000200000000000000000002 "
		    "110000010000567800070009000b0000000102" },
	{ "nothing but headers to quote",
	  { ETHER(), IPV6(), FRAGMENT(1, .next = EXACTLY(GRE)) },
	  .output = "02000000001102000000002286dd "
		    "6000000000383a4020010db80002000000000000"
		    "0000000220010db8000100000000000000000001 "
		    "02002f02000005dc "
		    "6000000000082c3d20010db80001000000000000"
		    "0000000120010db8000200000000000000000002 "
		    "2f00000100005678" },
	{ "headers before and behind that of the fragment",
	  { ETHER(), IPV6(), EXTENSION(0, 16), FRAGMENT(1), EXTENSION(DESTINATION, 8), UDP_7_9,
	    OCTETS(64) },
	  .output = "02000000001102000000002286dd "
		    "6000000000983a4020010db80002000000000000"
		    "0000000220010db8000100000000000000000001 "
		    "02002be5000005dc "
		    "600000000068003d20010db80001000000000000"
		    "0000000120010db8000200000000000000000002 "
		    "2c0100000000000000000000000000003c000001"
		    "0000567811000000000000000007000900480000 @64" },
	{ "ICMPv6 echo request",
	  { ETHER(), IPV6(), FRAGMENT(1), ICMP6(128), OCTETS(100) },
	  .mtu = 1280,
	  .output = "02000000001102000000002286dd "
		    "6000000000a43a4020010db80002000000000000"
		    "0000000220010db8000100000000000000000001 "
		    "0200083800000500 "
		    "6000000000742c3d20010db80001000000000000"
		    "0000000120010db8000200000000000000000002 "
		    "3a000001000056788000000000000000 @100" },
	{ "a multi-buffer frame of IPv6",
	  { ETHER(), IPV6(), FRAGMENT(1), UDP_7_9, OCTETS(9000) },
	  .jumbo = true,
	  .output = "02000000001102000000002286dd "
		    "6000000004d83a4020010db80002000000000000"
		    "0000000220010db8000100000000000000000001 "
		    "0200a64c000005dc "
		    "6000000023382c3d20010db80001000000000000"
		    "0000000120010db8000200000000000000000002 "
		    "11000001000056780007000923300000 @1176" },
};

struct silence {
	const char *description;
	struct layer layers[LAYERS_MAX];
};

/* Fragments that mustn't be answered. */
static const struct silence silences[] = {
	{ "later fragment", { ETHER(), IPV4(.fragment = 1, .next = EXACTLY(17)), OCTETS(16) } },
	{ "middle fragment",
	  { ETHER(), IPV4(.fragment = MORE_FRAGMENTS | 1, .next = EXACTLY(17)), OCTETS(16) } },
	{ "later fragment of IPv6",
	  { ETHER(), IPV6(), FRAGMENT(8, .next = EXACTLY(17)), OCTETS(16) } },
	{ "middle fragment of IPv6",
	  { ETHER(), IPV6(), FRAGMENT(9, .next = EXACTLY(17)), OCTETS(16) } },
	{ "ICMP unreachable", { ETHER(), FIRST(), ICMP(3), OCTETS(28) } },
	{ "ICMP source quench", { ETHER(), FIRST(), ICMP(4), OCTETS(28) } },
	{ "ICMP redirect", { ETHER(), FIRST(), ICMP(5), OCTETS(28) } },
	{ "ICMP time exceeded", { ETHER(), FIRST(), ICMP(11), OCTETS(28) } },
	{ "ICMP parameter problem", { ETHER(), FIRST(), ICMP(12), OCTETS(28) } },
	{ "ICMP that ends before its code", { ETHER(), FIRST(.next = EXACTLY(1)), OCTETS(1) } },
	{ "ICMPv6 unreachable", { ETHER(), IPV6(), FRAGMENT(1), ICMP6(1), OCTETS(40) } },
	{ "ICMPv6 too big", { ETHER(), IPV6(), FRAGMENT(1), ICMP6(2), OCTETS(40) } },
	{ "ICMPv6 time exceeded", { ETHER(), IPV6(), FRAGMENT(1), ICMP6(3), OCTETS(40) } },
	{ "ICMPv6 parameter problem", { ETHER(), IPV6(), FRAGMENT(1), ICMP6(4), OCTETS(40) } },
	{ "ICMPv6, an error of the future",
	  { ETHER(), IPV6(), FRAGMENT(1), ICMP6(127), OCTETS(40) } },
	{ "ICMPv6 redirect", { ETHER(), IPV6(), FRAGMENT(1), ICMP6(137), OCTETS(40) } },
	{ "ICMPv6 error behind a header",
	  { ETHER(), IPV6(), FRAGMENT(1), EXTENSION(DESTINATION, 8), ICMP6(1), OCTETS(40) } },
	{ "ICMPv6 that ends before its code",
	  { ETHER(), IPV6(), FRAGMENT(1, .next = EXACTLY(58)), OCTETS(1) } },
	{ "headers that end in the middle",
	  { ETHER(), IPV6(), FRAGMENT(1, .next = EXACTLY(DESTINATION)), OCTETS(7) } },
	{ "nine headers, then who knows",
	  { ETHER(), IPV6(), FRAGMENT(1), EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8),
	    EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8),
	    EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8),
	    ICMP6(1) } },
	{ "to the link's broadcast", { ETHER(.to_mac = BROADCAST), FIRST(), UDP_7_9 } },
	{ "to a group of the link", { ETHER(.to_mac = GROUP_MAC), FIRST(), UDP_7_9 } },
	{ "to a group of the link, IPv6",
	  { ETHER(.to_mac = 0x333300000001), IPV6(), FRAGMENT(1), UDP_7_9 } },
	{ "from a group of the link", { ETHER(.from_mac = GROUP_MAC), FIRST(), UDP_7_9 } },
	{ "to a group", { ETHER(), FIRST(.to = "224.0.0.1"), UDP_7_9 } },
	{ "to the last group", { ETHER(), FIRST(.to = "239.255.255.255"), UDP_7_9 } },
	{ "to everybody", { ETHER(), FIRST(.to = "255.255.255.255"), UDP_7_9 } },
	{ "to class E", { ETHER(), FIRST(.to = "240.0.0.1"), UDP_7_9 } },
	{ "to the sender's own loopback", { ETHER(), FIRST(.to = "127.0.0.1"), UDP_7_9 } },
	{ "to nobody", { ETHER(), FIRST(.to = "0.0.0.0"), UDP_7_9 } },
	{ "from nobody", { ETHER(), FIRST(.from = "0.0.0.0"), UDP_7_9 } },
	{ "from loopback", { ETHER(), FIRST(.from = "127.255.255.255"), UDP_7_9 } },
	{ "from a group", { ETHER(), FIRST(.from = "224.0.0.0"), UDP_7_9 } },
	{ "from class E", { ETHER(), FIRST(.from = "250.1.2.3"), UDP_7_9 } },
	{ "from everybody", { ETHER(), FIRST(.from = "255.255.255.255"), UDP_7_9 } },
	{ "to a group, IPv6", { ETHER(), IPV6(.to = "ff02::1"), FRAGMENT(1), UDP_7_9 } },
	{ "to loopback, IPv6", { ETHER(), IPV6(.to = "::1"), FRAGMENT(1), UDP_7_9 } },
	{ "to a mapped address",
	  { ETHER(), IPV6(.to = "::ffff:198.51.100.2"), FRAGMENT(1), UDP_7_9 } },
	{ "from nobody, IPv6", { ETHER(), IPV6(.from = "::"), FRAGMENT(1), UDP_7_9 } },
	{ "from loopback, IPv6", { ETHER(), IPV6(.from = "::1"), FRAGMENT(1), UDP_7_9 } },
	{ "from a group, IPv6", { ETHER(), IPV6(.from = "ff0e::1234"), FRAGMENT(1), UDP_7_9 } },
	{ "from a mapped address",
	  { ETHER(), IPV6(.from = "::ffff:192.0.2.1"), FRAGMENT(1), UDP_7_9 } },
	{ "to everybody in a subnet", { ETHER(), FIRST(.to = "10.9.0.255"), UDP_7_9 } },
	{ "to everybody in a subnet, as of old", { ETHER(), FIRST(.to = "10.9.0.0"), UDP_7_9 } },
	{ "from everybody in a subnet", { ETHER(), FIRST(.from = "10.9.0.255"), UDP_7_9 } },
	{ "from the subnet itself", { ETHER(), FIRST(.from = "10.9.0.0"), UDP_7_9 } },
	{ "from the host itself", { ETHER(), FIRST(.from = "10.9.0.1"), UDP_7_9 } },
	{ "from the host itself, IPv6",
	  { ETHER(), IPV6(.from = "2001:db8:9::1"), FRAGMENT(1), UDP_7_9 } },
};

/* The neighbours of those: they are answered. */
static const struct silence answered[] = {
	{ "ICMP echo reply", { ETHER(), FIRST(), ICMP(0), OCTETS(28) } },
	{ "ICMP 6", { ETHER(), FIRST(), ICMP(6), OCTETS(28) } },
	{ "ICMP router solicitation", { ETHER(), FIRST(), ICMP(10), OCTETS(28) } },
	{ "ICMP timestamp", { ETHER(), FIRST(), ICMP(13), OCTETS(28) } },
	{ "ICMPv6's number over IPv4", { ETHER(), FIRST(.next = EXACTLY(58)), OCTETS(28) } },
	{ "ICMP that ends behind its code", { ETHER(), FIRST(.next = EXACTLY(1)), OCTETS(2) } },
	{ "ICMPv6 echo reply", { ETHER(), IPV6(), FRAGMENT(1), ICMP6(129), OCTETS(40) } },
	{ "ICMPv6 neighbour advertisement",
	  { ETHER(), IPV6(), FRAGMENT(1), ICMP6(136), OCTETS(40) } },
	{ "ICMPv6 138", { ETHER(), IPV6(), FRAGMENT(1), ICMP6(138), OCTETS(40) } },
	{ "no next header", { ETHER(), IPV6(), FRAGMENT(1, .next = EXACTLY(59)) } },
	{ "from the first address", { ETHER(), FIRST(.from = "0.0.0.1"), UDP_7_9 } },
	{ "from before loopback", { ETHER(), FIRST(.from = "126.255.255.255"), UDP_7_9 } },
	{ "from behind loopback", { ETHER(), FIRST(.from = "128.0.0.0"), UDP_7_9 } },
	{ "to the host itself", { ETHER(), FIRST(.to = "10.9.0.1"), UDP_7_9 } },
	{ "to the host itself, IPv6",
	  { ETHER(), IPV6(.to = "2001:db8:9::1"), FRAGMENT(1), UDP_7_9 } },
	{ "from before a subnet's broadcast", { ETHER(), FIRST(.from = "10.9.0.254"), UDP_7_9 } },
	{ "to behind a subnet's broadcast", { ETHER(), FIRST(.to = "10.9.1.0"), UDP_7_9 } },
	{ "from before the groups", { ETHER(), FIRST(.from = "223.255.255.255"), UDP_7_9 } },
	{ "from behind ::1", { ETHER(), IPV6(.from = "::2"), FRAGMENT(1), UDP_7_9 } },
	{ "from before mapped addresses",
	  { ETHER(), IPV6(.from = "::fffe:ffff:ffff"), FRAGMENT(1), UDP_7_9 } },
	{ "from behind mapped addresses",
	  { ETHER(), IPV6(.from = "::1:0:0:0"), FRAGMENT(1), UDP_7_9 } },
	{ "from before the groups, IPv6",
	  { ETHER(), IPV6(.from = "feff::1"), FRAGMENT(1), UDP_7_9 } },
	{ "from the link", { ETHER(), IPV6(.from = "fe80::1"), FRAGMENT(1), UDP_7_9 } },
};

/* Of the host that answers. */
static const char *const own[] = { "10.9.0.1", "2001:db8:9::1", NULL };
static const char *const broadcasts[] = { "10.9.0.255", "10.9.0.0", NULL };

static const struct layer first_fragment[] = { ETHER(), FIRST(), UDP_7_9, OCTETS(1400), { 0 } };

#define ANSWERING .frags_drop = 1, .ptb_max_pps = UINT32_MAX

/* The second also with multi-buffer frames, where the kernel has them. */
static struct harness roots[2];
static unsigned int root_count;
static struct filter filter;
static struct outcome outcome;

static void open_filter(struct harness *root, struct filter_config config)
{
	if (!config.mtu)
		config.mtu = 1500;
	filter_open(
		&filter, root,
		&(struct filter_setup){ .config = config, .local = own, .broadcast = broadcasts });
}

/* Run a frame and compare the stats that moved. */
static void run(struct harness *root, const uint8_t *frame, size_t length, uint32_t stats)
{
	struct filter_stats before, after;
	int i;

	filter_stats_sum(&filter, &before);
	harness_run(root, frame, length, &outcome);
	filter_stats_sum(&filter, &after);
	for (i = 0; i < FILTER_STAT_COUNT; i++)
		assert_int_equal(after.values[i] - before.values[i], stats >> i & 1);
	assert_int_equal(outcome.row, ECBPF_SLOT_FILTER);
	assert_int_equal(outcome.column, outcome.action);
}

static void run_answered(struct harness *root, const uint8_t *frame, size_t length)
{
	run(root, frame, length, COUNT(IP_FRAG_DROP) | COUNT(PTB_SENT));
	assert_int_equal(outcome.action, XDP_TX);
	assert_int_equal(outcome.reason, ECBPF_REASON_FILTER_TOO_BIG);
}

static void run_dropped(struct harness *root, const uint8_t *frame, size_t length,
			enum ecbpf_reason reason, uint32_t stats)
{
	run(root, frame, length, COUNT(IP_FRAG_DROP) | stats);
	assert_int_equal(outcome.action, XDP_DROP);
	assert_int_equal(outcome.reason, reason);
}

static void run_answer(struct harness *root, const struct answer *answer)
{
	static uint8_t frame[FRAME_MAX], expected[FRAME_MAX];
	size_t length = frame_build(answer->layers, frame);

	print_message("  %s\n", answer->description);
	memset(frame + length, 0, answer->padding);
	run_answered(root, frame, length + answer->padding);
	length = frame_from_hex(answer->output, expected);
	assert_int_equal(outcome.length, length);
	assert_memory_equal(outcome.frame, expected, length);
}

static void test_octets(void **state)
{
	unsigned int i;
	size_t j;

	(void)state;
	for (i = 0; i < root_count; i++) {
		for (j = 0; j < ARRAY_SIZE(answers); j++) {
			if (answers[j].jumbo && !roots[i].frags)
				continue;
			open_filter(&roots[i],
				    (struct filter_config){ ANSWERING, .mtu = answers[j].mtu });
			run_answer(&roots[i], &answers[j]);
			filter_close(&filter);
		}
	}
}

static void test_silence(void **state)
{
	/* Leaves an ICMP type behind that is no error, for who looks at one that isn't there. */
	static const struct layer echo[] = { ETHER(), IPV6(), ICMP6(128), { 0 } };
	static uint8_t frame[FRAME_MAX];
	size_t i, length;

	(void)state;
	open_filter(&roots[0], (struct filter_config){ ANSWERING });
	for (i = 0; i < ARRAY_SIZE(silences); i++) {
		print_message("  %s\n", silences[i].description);
		harness_run(&roots[0], frame, frame_build(echo, frame), &outcome);
		assert_int_equal(outcome.action, XDP_PASS);
		length = frame_build(silences[i].layers, frame);
		harness_run(&roots[0], frame, length, &outcome);
		assert_int_equal(outcome.action, XDP_DROP);
		assert_int_equal(outcome.reason, ECBPF_REASON_FILTER_FRAGMENT);
		assert_int_equal(outcome.length, length);
		assert_memory_equal(outcome.frame, frame, length);
	}
	/* None of them was taken for one that is sent. */
	assert_int_equal(filter_budget_read(&filter).sent, 0);
	assert_int_equal(filter_budget_read(&filter).second, 0);
}

static void test_neighbours(void **state)
{
	static uint8_t frame[FRAME_MAX];
	size_t i;

	(void)state;
	open_filter(&roots[0], (struct filter_config){ ANSWERING });
	for (i = 0; i < ARRAY_SIZE(answered); i++) {
		print_message("  %s\n", answered[i].description);
		harness_run(&roots[0], frame, frame_build(answered[i].layers, frame), &outcome);
		assert_int_equal(outcome.action, XDP_TX);
		assert_int_equal(outcome.reason, ECBPF_REASON_FILTER_TOO_BIG);
	}
}

static void test_budget(void **state)
{
	static uint8_t frame[FRAME_MAX];
	const size_t length = frame_build(first_fragment, frame);
	int i;

	(void)state;
	open_filter(&roots[0], (struct filter_config){ .frags_drop = 1, .ptb_max_pps = 3 });
	/* A second that doesn't end under the test. */
	filter_budget_write(&filter, FAR_FUTURE, 0);
	for (i = 0; i < 3; i++)
		run_answered(&roots[0], frame, length);
	for (i = 0; i < 3; i++) {
		run_dropped(&roots[0], frame, length, ECBPF_REASON_FILTER_TOO_BIG_LIMIT,
			    COUNT(PTB_LIMIT));
		assert_int_equal(outcome.length, length);
		assert_memory_equal(outcome.frame, frame, length);
	}
	assert_int_equal(filter_budget_read(&filter).sent, 3);
	assert_int_equal(filter_budget_read(&filter).second, FAR_FUTURE);

	/* A second that is over. */
	filter_budget_write(&filter, 1, 3);
	run_answered(&roots[0], frame, length);
	assert_int_equal(filter_budget_read(&filter).sent, 1);
	assert_true(filter_budget_read(&filter).second > 1);
}

#define CPUS_MAX     8
#define RUNS_PER_CPU 400
#define RACED_BUDGET 100

struct racer {
	pthread_t thread;
	int cpu;
	unsigned int answered, limited;
};

static void *race(void *argument)
{
	uint8_t frame[2048], output[2048];
	struct racer *racer = argument;
	cpu_set_t cpus;
	size_t length;
	int i;

	CPU_ZERO(&cpus);
	CPU_SET(racer->cpu, &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	length = frame_build(first_fragment, frame);
	for (i = 0; i < RUNS_PER_CPU; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length,
			    .data_out = output, .data_size_out = sizeof(output), .repeat = 1);

		if (bpf_prog_test_run_opts(bpf_program__fd(roots[0].root->progs.xdp_root_prog),
					   &options))
			break;
		racer->answered += options.retval == XDP_TX;
		racer->limited += options.retval == XDP_DROP;
	}
	return NULL;
}

/* One budget for all CPUs. */
static void test_budget_of_all_cpus(void **state)
{
	struct racer racers[CPUS_MAX] = { 0 };
	int i, cpus = libbpf_num_possible_cpus();
	unsigned int answered = 0, limited = 0;

	(void)state;
	if (cpus > CPUS_MAX)
		cpus = CPUS_MAX;
	open_filter(&roots[0],
		    (struct filter_config){ .frags_drop = 1, .ptb_max_pps = RACED_BUDGET });
	filter_budget_write(&filter, FAR_FUTURE, 0);
	for (i = 0; i < cpus; i++) {
		racers[i].cpu = i;
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (i = 0; i < cpus; i++) {
		pthread_join(racers[i].thread, NULL);
		answered += racers[i].answered;
		limited += racers[i].limited;
	}
	assert_int_equal(answered, RACED_BUDGET);
	assert_int_equal(answered + limited, cpus * RUNS_PER_CPU);
	assert_int_equal(filter_budget_read(&filter).sent, RACED_BUDGET);
}

static int set_loopback_mtu(int mtu)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_mtu = mtu };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;

	if (fd < 0)
		return -1;
	err = ioctl(fd, SIOCSIFMTU, &request);
	close(fd);
	return err;
}

/* Frames of a test run come in over the loopback interface of the caller's network namespace. */
static void test_mtu_of_now(void **state)
{
	static const struct {
		int mtu;
		uint8_t octets[2];
	} cases[] = { { 1400, { 0x05, 0x78 } },
		      { 9000, { 0x23, 0x28 } },
		      { 70000, { 0xff, 0xff } } };
	static uint8_t frame[FRAME_MAX];
	size_t i, length = frame_build(first_fragment, frame);

	(void)state;
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_check_mtu, NULL) != 1) {
		print_message("not run: this kernel has no bpf_check_mtu()\n");
		skip();
	}
	if (unshare(CLONE_NEWNET)) {
		print_message("not run: no network namespace for it without CAP_SYS_ADMIN\n");
		skip();
	}
	open_filter(&roots[0], (struct filter_config){ ANSWERING, .have_check_mtu = 1 });
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(set_loopback_mtu(cases[i].mtu), 0);
		run_answered(&roots[0], frame, length);
		assert_memory_equal(outcome.frame + 14 + 20 + 6, cases[i].octets, 2);
	}
	filter_close(&filter);
}

/* A slot before the filter took the room in front of the frame. */
static void test_no_room(void **state)
{
	static const struct layer small[] = { ETHER(), IPV4(), UDP_7_9, OCTETS(8), { 0 } };
	static const struct layer grown[] = { ETHER(), FIRST(), UDP_7_9, OCTETS(208), { 0 } };
	struct slot_orders orders = { .order = SLOT_PREPEND, .octets = 200 };
	static uint8_t frame[FRAME_MAX];
	struct slots slots;

	(void)state;
	open_filter(&roots[0], (struct filter_config){ ANSWERING });
	slots_open(&slots, &roots[0], 1);
	frame_build(grown, frame);
	memcpy(orders.header, frame, sizeof(orders.header));
	slots_tell(&slots, 0, &orders);
	run_dropped(&roots[0], frame, frame_build(small, frame), ECBPF_REASON_FILTER_TOO_BIG_ERROR,
		    COUNT(PTB_MEM_ERR));
	slots_close(&slots);
}

/* A slot before the filter cut the frame and didn't say so. */
static void test_cut_unawares(void **state)
{
	static const struct layer layers[] = { ETHER(), FIRST(), UDP_7_9, OCTETS(8), { 0 } };
	const struct slot_orders orders = { .order = SLOT_CUT, .octets = 15 };
	static uint8_t frame[FRAME_MAX];
	struct slots slots;

	(void)state;
	open_filter(&roots[0], (struct filter_config){ ANSWERING });
	slots_open(&slots, &roots[0], 1);
	slots_tell(&slots, 0, &orders);
	run_dropped(&roots[0], frame, frame_build(layers, frame), ECBPF_REASON_FILTER_TOO_BIG_ERROR,
		    COUNT(PTB_ERR));
	slots_close(&slots);
}

/* What would be quoted doesn't lie in the first piece. */
static void test_pieces(void **state)
{
	static uint8_t frame[FRAME_MAX];
	const size_t length = frame_build(first_fragment, frame);

	(void)state;
	if (root_count < 2 || !harness_has_pieces())
		skip();
	open_filter(&roots[1], (struct filter_config){ ANSWERING });
	roots[1].first_piece = 14 + 20 + 8;
	run_answered(&roots[1], frame, length);
	for (roots[1].first_piece--; roots[1].first_piece >= 14; roots[1].first_piece--)
		run_dropped(&roots[1], frame, length, ECBPF_REASON_FILTER_TOO_BIG_ERROR,
			    COUNT(PTB_ERR));
	roots[1].first_piece = 0;
	filter_close(&filter);
	harness_occupy(&roots[1], 0);
}

/* More tags than an answer can carry. */
static void test_many_tags(void **state)
{
	static const struct layer layers[] = { ETHER(), VLAN(0), VLAN(0), VLAN(0),
					       FIRST(), UDP_7_9, { 0 } };
	static uint8_t frame[FRAME_MAX];

	(void)state;
	open_filter(&roots[0], (struct filter_config){ ANSWERING });
	run_dropped(&roots[0], frame, frame_build(layers, frame), ECBPF_REASON_FILTER_TOO_BIG_ERROR,
		    COUNT(PTB_ERR));
}

static int close_filter(void **state)
{
	(void)state;
	filter_close(&filter);
	harness_occupy(&roots[0], 0);
	return 0;
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
	while (root_count)
		harness_close(&roots[--root_count]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_octets),
		cmocka_unit_test_teardown(test_silence, close_filter),
		cmocka_unit_test_teardown(test_neighbours, close_filter),
		cmocka_unit_test_teardown(test_budget, close_filter),
		cmocka_unit_test_teardown(test_budget_of_all_cpus, close_filter),
		cmocka_unit_test(test_mtu_of_now),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test_teardown(test_many_tags, close_filter),
		cmocka_unit_test_teardown(test_no_room, close_filter),
		cmocka_unit_test_teardown(test_cut_unawares, close_filter),
	};

	if (!harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
