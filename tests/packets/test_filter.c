// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the filter drops and why, what it leaves alone, and what it counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "filters.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define COUNT(stat)    (1U << FILTER_STAT_##stat)
#define MORE_FRAGMENTS 0x2000
#define RESERVED_BIT   0x8000
#define GRE	       47
#define DESTINATION    60

/**
 * struct fixture - a frame and its fate
 * @cut: octets that are left of the frame; 0: all
 * @reason: 0: the filter has no opinion, else it drops
 * @stats: COUNT()s that move, by one
 * @hit: id of the entry that is hit
 */
struct fixture {
	const char *description;
	struct layer layers[LAYERS_MAX];
	size_t cut;
	enum ecbpf_reason reason;
	uint32_t stats;
	uint32_t hit;
};

#define PASSES .reason = ECBPF_REASON_NO_OPINION

/* Shapes of packets that somebody may object to. */
#define FROM(source)                                                         \
	{                                                                    \
		ETHER(), IPV4(.from = (source)), UDP(.sport = 1, .dport = 2) \
	}
#define FROM6(source)                                                        \
	{                                                                    \
		ETHER(), IPV6(.from = (source)), UDP(.sport = 1, .dport = 2) \
	}
#define FIRST_FROM(source)                                                                    \
	{                                                                                     \
		ETHER(), IPV4(.from = (source), .fragment = MORE_FRAGMENTS), UDP(), OCTETS(8) \
	}
#define FIRST_FROM6(source)                                                    \
	{                                                                      \
		ETHER(), IPV6(.from = (source)), FRAGMENT(1), UDP(), OCTETS(8) \
	}
#define LATER_FROM(source)                                                                     \
	{                                                                                      \
		ETHER(), IPV4(.from = (source), .fragment = 2, .next = EXACTLY(17)), OCTETS(8) \
	}
#define LATER_FROM6(source)                                                                   \
	{                                                                                     \
		ETHER(), IPV6(.from = (source)), FRAGMENT(16, .next = EXACTLY(17)), OCTETS(8) \
	}
#define FIRST_TO(destination)                                                                    \
	{                                                                                        \
		ETHER(), IPV4(.to = (destination), .fragment = MORE_FRAGMENTS), UDP(), OCTETS(8) \
	}
#define FIRST_TO6(destination)                                                    \
	{                                                                         \
		ETHER(), IPV6(.to = (destination)), FRAGMENT(1), UDP(), OCTETS(8) \
	}
#define LATER_TO(destination)                                                                     \
	{                                                                                         \
		ETHER(), IPV4(.to = (destination), .fragment = 2, .next = EXACTLY(17)), OCTETS(8) \
	}
#define LATER_TO6(destination)                                                                   \
	{                                                                                        \
		ETHER(), IPV6(.to = (destination)), FRAGMENT(16, .next = EXACTLY(17)), OCTETS(8) \
	}
#define EVIL_FROM(source)                                                        \
	{                                                                        \
		ETHER(), IPV4(.from = (source), .fragment = RESERVED_BIT), UDP() \
	}
#define LONG_FROM(source)                                                     \
	{                                                                     \
		ETHER(), IPV4(.from = (source), .length = EXACTLY(29)), UDP() \
	}
#define LONG_FROM6(source)                                                   \
	{                                                                    \
		ETHER(), IPV6(.from = (source), .length = EXACTLY(9)), UDP() \
	}
#define OPTIONS_FROM(source)                                         \
	{                                                            \
		ETHER(), IPV4(.from = (source), .options = 4), UDP() \
	}
#define SMALL_FROM(source)                                                      \
	{                                                                       \
		ETHER(), IPV4(.from = (source), .next = EXACTLY(6)), OCTETS(12) \
	}
#define SMALL_FROM6(source)                                                     \
	{                                                                       \
		ETHER(), IPV6(.from = (source), .next = EXACTLY(6)), OCTETS(12) \
	}

/* As many extension headers as root follows */
#define EIGHT(...)                                                                                \
	{                                                                                         \
		ETHER(), IPV6(__VA_ARGS__), EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8), \
			EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8),                     \
			EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8),                     \
			EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8), UDP()               \
	}
/* One more: what comes there may be the header of a fragment. */
#define NINE(...)                                                                                 \
	{                                                                                         \
		ETHER(), IPV6(__VA_ARGS__), EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8), \
			EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8),                     \
			EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8),                     \
			EXTENSION(DESTINATION, 8), EXTENSION(DESTINATION, 8),                     \
			FRAGMENT(8, .next = EXACTLY(17)), OCTETS(8)                               \
	}

/* Without configuration and list: only what lies is dropped. */
static const struct fixture lax[] = {
	{ "UDP", FROM(FRAME_FROM4), PASSES },
	{ "UDP over IPv6", FROM6(FRAME_FROM6), PASSES },
	{ "evil bit", EVIL_FROM(FRAME_FROM4), .reason = ECBPF_REASON_FILTER_EVIL_BIT,
	  .stats = COUNT(IP_EVIL_BIT) },
	{ "IPv4 length beyond the frame", LONG_FROM(FRAME_FROM4),
	  .reason = ECBPF_REASON_FILTER_BAD_LENGTH, .stats = COUNT(BAD_LENGTH) },
	{ "IPv6 length beyond the frame", LONG_FROM6(FRAME_FROM6),
	  .reason = ECBPF_REASON_FILTER_BAD_LENGTH, .stats = COUNT(BAD_LENGTH) },
	{ "evil bit and bad length",
	  { ETHER(), IPV4(.fragment = RESERVED_BIT, .length = EXACTLY(1)), UDP() },
	  .reason = ECBPF_REASON_FILTER_EVIL_BIT,
	  .stats = COUNT(IP_EVIL_BIT) },
	{ "IPv4 options", OPTIONS_FROM(FRAME_FROM4), PASSES },
	{ "IPv6 extension header", { ETHER(), IPV6(), EXTENSION(DESTINATION, 8), UDP() }, PASSES },
	{ "first fragment", FIRST_FROM(FRAME_FROM4), PASSES },
	{ "later fragment", LATER_FROM(FRAME_FROM4), PASSES },
	{ "first fragment of IPv6", FIRST_FROM6(FRAME_FROM6), PASSES },
	{ "nine headers", NINE(), PASSES },
	{ "later fragment of IPv6", LATER_FROM6(FRAME_FROM6), PASSES },
	{ "frame that ends in its tag",
	  { ETHER(), VLAN(1), IPV4(), UDP() },
	  .cut = 16,
	  .stats = COUNT(ETH_FRAME_ERR) },
	{ "frame that ends in its IPv4 header",
	  { ETHER(), IPV4(), UDP() },
	  .cut = 30,
	  .stats = COUNT(IP_HEADER_ERR) },
	{ "frame that ends in its IPv6 header",
	  { ETHER(), IPV6(), UDP() },
	  .cut = 50,
	  .stats = COUNT(IP6_HEADER_ERR) },
	{ "packet that ends in its TCP header", SMALL_FROM(FRAME_FROM4),
	  .stats = COUNT(IP_HEADER_ERR) },
	{ "packet that ends in its TCP header, IPv6", SMALL_FROM6(FRAME_FROM6),
	  .stats = COUNT(IP6_HEADER_ERR) },
	{ "frame that ends in its TCP header",
	  { ETHER(), IPV4(), TCP() },
	  .cut = 40,
	  .reason = ECBPF_REASON_FILTER_BAD_LENGTH,
	  .stats = COUNT(BAD_LENGTH) | COUNT(IP_HEADER_ERR) },
	{ "wrong version", { ETHER(), IPV4(.version = 6), UDP() }, .stats = COUNT(IP_HEADER_ERR) },
	{ "wrong version of IPv6",
	  { ETHER(), IPV6(.version = 4), UDP() },
	  .stats = COUNT(IP6_HEADER_ERR) },
	{ "IPv4 header length below 5",
	  { ETHER(), IPV4(.ihl = 3), UDP() },
	  .stats = COUNT(IP_HEADER_ERR) },
};

static const struct listed list[] = {
	{ "10.0.0.0/8", FILTER_DROP, 0 },
	{ "10.1.0.0/16", FILTER_ALLOW, 0 },
	{ "10.1.2.0/24", FILTER_DROP, 0 },
	{ "192.0.2.66", FILTER_DROP, 0 },
	{ "172.16.0.0/12", FILTER_DROP, EXPIRED },
	{ "172.16.5.0/24", FILTER_DROP, EXPIRES_LATE },
	{ "100.64.0.0/10", FILTER_DROP, 0 },
	{ "100.64.1.0/24", FILTER_DROP, EXPIRED },
	{ "100.64.2.0/24", FILTER_ALLOW, EXPIRED },
	{ "100.64.3.0/24", FILTER_DROP, EXPIRES_LATE },
	{ "100.64.4.0/24", FILTER_ALLOW, EXPIRES_LATE },
	{ "100.64.4.128/25", FILTER_DROP, 0 },
	{ "2001:db8:f::/48", FILTER_DROP, 0 },
	{ "2001:db8:f:1::/64", FILTER_ALLOW, 0 },
	{ "2001:db8:f:2::5", FILTER_DROP, 0 },
	{ "2001:db8:e::/48", FILTER_DROP, EXPIRED },
	{ "2001:db8:e:1::/64", FILTER_DROP, EXPIRES_LATE },
	{ "2001:db8:d::/48", FILTER_DROP, 0 },
	{ "2001:db8:d:1::/64", FILTER_ALLOW, EXPIRED },
	{ "2001:db8:d:2::/64", FILTER_ALLOW, EXPIRES_LATE },
	{ "203.0.113.0/24", FILTER_ALLOW, 0 },
	{ "203.0.113.128/25", FILTER_ALLOW, EXPIRED },
	{ "198.18.0.0/15", FILTER_ALLOW, EXPIRED },
	{ "2001:db8:a::/48", FILTER_ALLOW, 0 },
	{ 0 },
};

/* The place in the list is the id. */
enum {
	ID_10_0 = 1,
	ID_10_1_2 = 3,
	ID_66 = 4,
	ID_172_16_5 = 6,
	ID_100 = 7,
	ID_100_3 = 10,
	ID_F = 13,
	ID_F_2_5 = 15,
	ID_E_1 = 17,
	ID_D = 18,
};

#define HIT(id)	 .reason = ECBPF_REASON_FILTER_SOURCE, .stats = COUNT(IP_DROP), .hit = (id)
#define HIT6(id) .reason = ECBPF_REASON_FILTER_SOURCE6, .stats = COUNT(IP6_DROP), .hit = (id)

static const struct fixture sources[] = {
	{ "nobody's", FROM("11.0.0.1"), PASSES },
	{ "in a prefix", FROM("10.200.1.1"), HIT(ID_10_0) },
	{ "first address of it", FROM("10.0.0.0"), HIT(ID_10_0) },
	{ "last address of it", FROM("10.255.255.255"), HIT(ID_10_0) },
	{ "before it", FROM("9.255.255.255"), PASSES },
	{ "allowed within it", FROM("10.1.1.1"), PASSES },
	{ "dropped within the allowed: allow wins", FROM("10.1.2.3"), PASSES },
	{ "one address", FROM("192.0.2.66"), HIT(ID_66) },
	{ "its neighbour", FROM("192.0.2.67"), PASSES },
	{ "expired", FROM("172.20.1.1"), PASSES },
	{ "live within the expired", FROM("172.16.5.9"), HIT(ID_172_16_5) },
	{ "expired drop within a drop", FROM("100.64.1.1"), HIT(ID_100) },
	{ "expired allow within a drop", FROM("100.64.2.1"), HIT(ID_100) },
	{ "drop for now within a drop", FROM("100.64.3.1"), HIT(ID_100_3) },
	{ "allow for now within a drop", FROM("100.64.4.1"), PASSES },
	{ "drop within an allow for now", FROM("100.64.4.200"), PASSES },
	{ "nobody's IPv6", FROM6("2001:db8:1::1"), PASSES },
	{ "IPv6 in a prefix", FROM6("2001:db8:f::1"), HIT6(ID_F) },
	{ "IPv6 allowed within it", FROM6("2001:db8:f:1::1"), PASSES },
	{ "IPv6 address", FROM6("2001:db8:f:2::5"), HIT6(ID_F_2_5) },
	{ "IPv6 neighbour", FROM6("2001:db8:f:2::6"), HIT6(ID_F) },
	{ "IPv6 expired", FROM6("2001:db8:e:2::1"), PASSES },
	{ "IPv6 live within the expired", FROM6("2001:db8:e:1::1"), HIT6(ID_E_1) },
	{ "IPv6 expired allow within a drop", FROM6("2001:db8:d:1::1"), HIT6(ID_D) },
	{ "IPv6 allow for now within a drop", FROM6("2001:db8:d:2::1"), PASSES },
	{ "the mapped form of a listed source", FROM6("::ffff:192.0.2.66"), PASSES },
	{ "behind tags",
	  { ETHER(), QINQ(1), VLAN(2), IPV4(.from = "10.0.0.1"), UDP() },
	  HIT(ID_10_0) },
	{ "an unknown protocol",
	  { ETHER(), IPV4(.from = "10.0.0.1", .next = EXACTLY(GRE)), OCTETS(9) },
	  HIT(ID_10_0) },
	{ "behind nine extension headers", NINE(.from = "2001:db8:f::1"), HIT6(ID_F) },
	{ "in a later fragment", LATER_FROM("10.0.0.1"), HIT(ID_10_0) },
	{ "evil bit and a listed source", EVIL_FROM("10.0.0.1"), HIT(ID_10_0) },
	{ "header length below 5 and a listed source",
	  { ETHER(), IPV4(.from = "10.0.0.1", .ihl = 4), UDP() },
	  .reason = ECBPF_REASON_FILTER_SOURCE,
	  .stats = COUNT(IP_DROP) | COUNT(IP_HEADER_ERR),
	  .hit = ID_10_0 },
	{ "cut short and a listed source", SMALL_FROM6("2001:db8:f::1"),
	  .reason = ECBPF_REASON_FILTER_SOURCE6, .stats = COUNT(IP6_DROP) | COUNT(IP6_HEADER_ERR),
	  .hit = ID_F },
};

/* Everything that can be dropped is. */
static const struct fixture strict[] = {
	{ "first fragment", FIRST_FROM(FRAME_FROM4), .reason = ECBPF_REASON_FILTER_FRAGMENT,
	  .stats = COUNT(IP_FRAG_DROP) },
	{ "later fragment", LATER_FROM(FRAME_FROM4), .reason = ECBPF_REASON_FILTER_FRAGMENT,
	  .stats = COUNT(IP_FRAG_DROP) },
	{ "first fragment of IPv6", FIRST_FROM6(FRAME_FROM6),
	  .reason = ECBPF_REASON_FILTER_FRAGMENT, .stats = COUNT(IP_FRAG_DROP) },
	{ "later fragment of IPv6", LATER_FROM6(FRAME_FROM6),
	  .reason = ECBPF_REASON_FILTER_FRAGMENT, .stats = COUNT(IP_FRAG_DROP) },
	{ "eight headers", EIGHT(), PASSES },
	{ "nine headers", NINE(), .reason = ECBPF_REASON_FILTER_FRAGMENT,
	  .stats = COUNT(IP_FRAG_DROP) },
	{ "nine headers, allowed", NINE(.from = "2001:db8:a::1"), PASSES },
	{ "atomic fragment", { ETHER(), IPV6(), FRAGMENT(0), UDP() }, PASSES },
	{ "don't fragment", { ETHER(), IPV4(.fragment = 0x4000), UDP() }, PASSES },
	{ "IPv4 options", OPTIONS_FROM(FRAME_FROM4), .reason = ECBPF_REASON_FILTER_IP_OPTIONS,
	  .stats = COUNT(IP_OPTIONS) },
	{ "IPv6 extension header", { ETHER(), IPV6(), EXTENSION(DESTINATION, 8), UDP() }, PASSES },
	{ "fragment with options",
	  { ETHER(), IPV4(.options = 4, .fragment = 1, .next = EXACTLY(17)), OCTETS(8) },
	  .reason = ECBPF_REASON_FILTER_IP_OPTIONS,
	  .stats = COUNT(IP_OPTIONS) },
	{ "small packet with options",
	  { ETHER(), IPV4(.options = 4, .next = EXACTLY(6)), OCTETS(1) },
	  .reason = ECBPF_REASON_FILTER_TRUNCATED,
	  .stats = COUNT(IP_HEADER_ERR) },
	{ "frame that ends in its tag",
	  { ETHER(), VLAN(1), IPV4(), UDP() },
	  .cut = 16,
	  .reason = ECBPF_REASON_FILTER_TRUNCATED,
	  .stats = COUNT(ETH_FRAME_ERR) },
	{ "frame that ends in its IPv4 header",
	  { ETHER(), IPV4(), UDP() },
	  .cut = 30,
	  .reason = ECBPF_REASON_FILTER_TRUNCATED,
	  .stats = COUNT(IP_HEADER_ERR) },
	{ "frame that ends in its IPv6 header",
	  { ETHER(), IPV6(), UDP() },
	  .cut = 50,
	  .reason = ECBPF_REASON_FILTER_TRUNCATED,
	  .stats = COUNT(IP6_HEADER_ERR) },
	{ "packet that ends in its TCP header", SMALL_FROM(FRAME_FROM4),
	  .reason = ECBPF_REASON_FILTER_TRUNCATED, .stats = COUNT(IP_HEADER_ERR) },
	{ "wrong version: the kernel's",
	  { ETHER(), IPV4(.version = 6), UDP() },
	  .stats = COUNT(IP_HEADER_ERR) },
	{ "header length below 5: the kernel's",
	  { ETHER(), IPV4(.ihl = 3), UDP() },
	  .stats = COUNT(IP_HEADER_ERR) },
	{ "expired drop, later fragment", LATER_FROM("172.20.1.1"),
	  .reason = ECBPF_REASON_FILTER_FRAGMENT, .stats = COUNT(IP_FRAG_DROP) },
	{ "live drop, later fragment", LATER_FROM("172.16.5.1"), HIT(ID_172_16_5) },
};

/* An allow entry spares a source from all of that. */
static const struct fixture allowed[] = {
	{ "first fragment", FIRST_FROM("203.0.113.1"), PASSES },
	{ "later fragment", LATER_FROM("203.0.113.1"), PASSES },
	{ "evil bit", EVIL_FROM("203.0.113.1"), PASSES },
	{ "bad length", LONG_FROM("203.0.113.1"), PASSES },
	{ "options", OPTIONS_FROM("203.0.113.1"), PASSES },
	{ "truncated", SMALL_FROM("203.0.113.1"), .stats = COUNT(IP_HEADER_ERR) },
	{ "IPv6, first fragment", FIRST_FROM6("2001:db8:a::1"), PASSES },
	{ "IPv6, later fragment", LATER_FROM6("2001:db8:a::1"), PASSES },
	{ "IPv6, bad length", LONG_FROM6("2001:db8:a::1"), PASSES },
	{ "IPv6, truncated", SMALL_FROM6("2001:db8:a::1"), .stats = COUNT(IP6_HEADER_ERR) },
	{ "expired allow within a live one", EVIL_FROM("203.0.113.200"), PASSES },
	{ "allow within a drop", EVIL_FROM("10.1.1.1"), PASSES },
	{ "drop within an allow", EVIL_FROM("10.1.2.3"), PASSES },
	{ "allow for now within a drop", EVIL_FROM("100.64.4.1"), PASSES },
	{ "IPv6, allow for now within a drop", LATER_FROM6("2001:db8:d:2::1"), PASSES },
	{ "expired allow", EVIL_FROM("198.18.0.1"), .reason = ECBPF_REASON_FILTER_EVIL_BIT,
	  .stats = COUNT(IP_EVIL_BIT) },
	{ "outside", EVIL_FROM("203.0.112.255"), .reason = ECBPF_REASON_FILTER_EVIL_BIT,
	  .stats = COUNT(IP_EVIL_BIT) },
};

static const char *const local_addresses[] = { "198.51.100.7", "2001:db8:2::7", NULL };
static const char *const broadcast_addresses[] = { "198.51.100.255", NULL };

static const struct fixture local[] = {
	{ "first fragment to the host", FIRST_TO("198.51.100.7"), .stats = COUNT(FRAG_LOCAL) },
	{ "later fragment to the host", LATER_TO("198.51.100.7"), .stats = COUNT(FRAG_LOCAL) },
	{ "first fragment through the host", FIRST_TO("198.51.100.8"),
	  .reason = ECBPF_REASON_FILTER_FRAGMENT, .stats = COUNT(IP_FRAG_DROP) },
	{ "later fragment to everybody in a subnet", LATER_TO("198.51.100.255"),
	  .reason = ECBPF_REASON_FILTER_FRAGMENT, .stats = COUNT(IP_FRAG_DROP) },
	{ "first fragment of IPv6 to the host", FIRST_TO6("2001:db8:2::7"),
	  .stats = COUNT(FRAG_LOCAL) },
	{ "later fragment of IPv6 to the host", LATER_TO6("2001:db8:2::7"),
	  .stats = COUNT(FRAG_LOCAL) },
	{ "later fragment of IPv6 through the host", LATER_TO6("2001:db8:2::8"),
	  .reason = ECBPF_REASON_FILTER_FRAGMENT, .stats = COUNT(IP_FRAG_DROP) },
	{ "nine headers to the host", NINE(.to = "2001:db8:2::7"), .stats = COUNT(FRAG_LOCAL) },
	{ "whole packet to the host", { ETHER(), IPV4(.to = "198.51.100.7"), UDP() }, PASSES },
	{ "evil fragment to the host",
	  { ETHER(), IPV4(.to = "198.51.100.7", .fragment = RESERVED_BIT | 1), OCTETS(8) },
	  .reason = ECBPF_REASON_FILTER_EVIL_BIT,
	  .stats = COUNT(IP_EVIL_BIT) },
	{ "fragment to the host from a listed source",
	  { ETHER(), IPV4(.from = "10.0.0.1", .to = "198.51.100.7", .fragment = 1), OCTETS(8) },
	  HIT(ID_10_0) },
	{ "fragment to the host from a source listed for now",
	  { ETHER(), IPV4(.from = "100.64.3.1", .to = "198.51.100.7", .fragment = 1), OCTETS(8) },
	  HIT(ID_100_3) },
	{ "fragment to the host from a source listed until now",
	  { ETHER(), IPV4(.from = "172.20.0.1", .to = "198.51.100.7", .fragment = 1), OCTETS(8) },
	  .stats = COUNT(FRAG_LOCAL) },
};

/* The host's addresses matter only if that is asked for. */
static const struct fixture not_local[] = {
	{ "first fragment to the host", FIRST_TO("198.51.100.7"),
	  .reason = ECBPF_REASON_FILTER_FRAGMENT, .stats = COUNT(IP_FRAG_DROP) },
	{ "later fragment of IPv6 to the host", LATER_TO6("2001:db8:2::7"),
	  .reason = ECBPF_REASON_FILTER_FRAGMENT, .stats = COUNT(IP_FRAG_DROP) },
};

#define STRICT .frags_drop = 1, .drop_options = 1, .truncated_drop = 1, .mtu = 1500

/* A table of fixtures, and the filter that they go through. */
struct table {
	struct filter_setup setup;
	const struct fixture *fixtures;
	size_t count;
};

#define TABLE(array, ...)                             \
	(&(struct table){ .fixtures = (array),        \
			  .count = ARRAY_SIZE(array), \
			  .setup = { __VA_ARGS__ } })

static struct harness root;
static struct filter filter;
static struct outcome outcome;

static uint64_t *read_hits(uint64_t *hits)
{
	uint32_t id;

	for (id = 0; id <= filter.entries; id++)
		hits[id] = filter_hits_read(&filter, id);
	return hits;
}

static void check_fate(const struct fixture *fixture)
{
	assert_int_equal(outcome.reason, fixture->reason);
	assert_int_equal(outcome.action, fixture->reason ? XDP_DROP : XDP_PASS);
	assert_int_equal(outcome.column, outcome.action);
	assert_int_equal(outcome.row, fixture->reason ? ECBPF_SLOT_FILTER : ECBPF_SLOT_ROOT);
}

static void run_once(const struct fixture *fixture, const uint8_t *frame, size_t length)
{
	uint64_t hits_before[64], hits[64];
	struct filter_stats before, after;
	size_t i;

	assert_true(filter.entries < ARRAY_SIZE(hits));
	filter_stats_sum(&filter, &before);
	read_hits(hits_before);
	harness_run(&root, frame, length, &outcome);
	check_fate(fixture);
	assert_int_equal(outcome.length, length);
	assert_memory_equal(outcome.frame, frame, length);
	filter_stats_sum(&filter, &after);
	for (i = 0; i < FILTER_STAT_COUNT; i++)
		assert_int_equal(after.values[i] - before.values[i], fixture->stats >> i & 1);
	read_hits(hits);
	for (i = 0; i <= filter.entries; i++)
		assert_int_equal(hits[i] - hits_before[i], fixture->hit && i == fixture->hit);
}

/* The second time, the filter may know the source from the first. */
static void run_fixture(const struct fixture *fixture)
{
	static uint8_t frame[FRAME_MAX];
	size_t length;
	int turn;

	print_message("  %s\n", fixture->description);
	length = frame_build(fixture->layers, frame);
	if (fixture->cut)
		length = fixture->cut;
	for (turn = 0; turn < 2; turn++)
		run_once(fixture, frame, length);
}

static void test_table(void **state)
{
	const struct table *table = *state;
	size_t i;

	filter_open(&filter, &root, &table->setup);
	for (i = 0; i < table->count; i++)
		run_fixture(&table->fixtures[i]);
}

static int close_filter(void **state)
{
	(void)state;
	filter_close(&filter);
	return 0;
}

static void check_shards(const struct filter_setup *setup)
{
	static const struct layer layers[LAYERS_MAX] = FROM("10.0.0.1");
	static uint8_t frame[FRAME_MAX];
	const size_t length = frame_build(layers, frame);
	const int home = root.cpu;
	uint64_t expected[2] = { 0 };
	int cpu;

	filter_open(&filter, &root, setup);
	assert_int_equal(filter.hit_shards, ARRAY_SIZE(expected));
	for (cpu = 0; cpu < 2; cpu++) {
		if (!harness_move(&root, cpu))
			continue;
		harness_run(&root, frame, length, &outcome);
		expected[cpu]++;
		assert_int_equal(filter_shard_read(&filter, 0, ID_10_0), expected[0]);
		assert_int_equal(filter_shard_read(&filter, 1, ID_10_0), expected[1]);
	}
	assert_true(harness_move(&root, home));
}

/* CPUs share the copies of the hit counters out among themselves. */
static void test_shards(void **state)
{
	(void)state;
	check_shards(&(struct filter_setup){ .list = list });
}

static void test_shared_shards(void **state)
{
	(void)state;
	check_shards(&(struct filter_setup){ .config = { .hit_shards_shared = 1 }, .list = list });
}

/* What a CPU knows of the source that it dropped last isn't for other lists, nor for other packets of it. */
static void test_memo(void **state)
{
	static const struct listed drops[] = { { "10.0.0.1", FILTER_DROP, 0 }, { 0 } };
	static const struct listed others[] = { { "10.0.0.2", FILTER_DROP, 0 },
						{ "10.0.0.1", FILTER_DROP, EXPIRED },
						{ 0 } };
	const struct fixture dropped = { "dropped", FROM("10.0.0.1"), HIT(1) };
	const struct fixture malformed = { "malformed",
					   { ETHER(), IPV4(.from = "10.0.0.1", .ihl = 4), UDP() },
					   .reason = ECBPF_REASON_FILTER_SOURCE,
					   .stats = COUNT(IP_DROP) | COUNT(IP_HEADER_ERR),
					   .hit = 1 };
	const struct fixture six = { "IPv6 that begins alike", FROM6("a00:1::"), PASSES };
	const struct fixture passed = { "passed", FROM("10.0.0.1"), PASSES };
	const struct fixture other = { "other", FROM("10.0.0.2"), HIT(1) };

	(void)state;
	filter_open(&filter, &root, &(struct filter_setup){ .list = drops });
	run_fixture(&dropped);
	run_fixture(&malformed);
	run_fixture(&six);
	run_fixture(&dropped);
	filter_close(&filter);
	filter_open(&filter, &root, &(struct filter_setup){ .list = others });
	run_fixture(&passed);
	run_fixture(&other);
	run_fixture(&passed);
	filter_close(&filter);
	filter_open(&filter, &root, &(struct filter_setup){ .list = NULL });
	run_fixture(&passed);
}

/* Prefixes as short as ::/0 cover the mapped form of IPv4 addresses, but say nothing of IPv4. */
static void test_families(void **state)
{
	static const struct listed both[] = { { "::/0", FILTER_ALLOW, 0 }, { 0 } };
	static const struct listed four[] = { { "0.0.0.0/0", FILTER_ALLOW, 0 }, { 0 } };
	const struct fixture evil = { "evil", EVIL_FROM("9.9.9.9"),
				      .reason = ECBPF_REASON_FILTER_EVIL_BIT,
				      .stats = COUNT(IP_EVIL_BIT) };
	const struct fixture spared = { "spared", EVIL_FROM("9.9.9.9"), PASSES };
	const struct fixture fragment6 = { "fragment", LATER_FROM6("::ffff:9.9.9.9"),
					   .reason = ECBPF_REASON_FILTER_FRAGMENT,
					   .stats = COUNT(IP_FRAG_DROP) };
	const struct fixture spared6 = { "spared", LATER_FROM6("2001:db8::1"), PASSES };

	(void)state;
	filter_open(&filter, &root, &(struct filter_setup){ .config = { STRICT }, .list = both });
	run_fixture(&evil);
	run_fixture(&spared6);
	filter_close(&filter);
	filter_open(&filter, &root, &(struct filter_setup){ .config = { STRICT }, .list = four });
	run_fixture(&spared);
	run_fixture(&fragment6);
}

/* A prefix of all ones. */
#define CHAIN_TEXT 64

/* Every length that there is, the longest first. */
static void make_chain(struct listed *chain, char (*text)[CHAIN_TEXT], unsigned int family,
		       uint32_t expires)
{
	unsigned int i, longest = family == 4 ? 32 : 128;

	for (i = 0; i <= longest; i++) {
		snprintf(text[i], CHAIN_TEXT, "%s/%u",
			 family == 4 ? "255.255.255.255" :
				       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			 longest - i);
		chain[i] = (struct listed){ text[i], FILTER_DROP, expires };
	}
	chain[i].prefix = NULL;
}

/* The walk reaches the end of the longest chain. */
static void check_chain(unsigned int family)
{
	static const struct layer layers[2][LAYERS_MAX] = {
		FROM("255.255.255.255"), FROM6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
	};
	const uint32_t last = family == 4 ? 33 : 129;
	static char text[130][CHAIN_TEXT];
	static uint8_t frame[FRAME_MAX];
	struct listed chain[130];
	size_t length = frame_build(layers[family == 6], frame);
	enum filter_action action;

	for (action = FILTER_DROP; action <= FILTER_ALLOW; action++) {
		make_chain(chain, text, family, action == FILTER_ALLOW ? EXPIRES_LATE : EXPIRED);
		chain[last - 1].action = action;
		chain[last - 1].expires = 0;
		filter_open(&filter, &root, &(struct filter_setup){ .list = chain });
		harness_run(&root, frame, length, &outcome);
		assert_int_equal(outcome.action, action == FILTER_ALLOW ? XDP_PASS : XDP_DROP);
		assert_int_equal(filter_hits_read(&filter, last), action == FILTER_DROP);
		filter_close(&filter);
	}
}

static void test_long_chains(void **state)
{
	(void)state;
	check_chain(4);
	check_chain(6);
}

/* Goes past the filter. */
static void test_not_ip(void **state)
{
	static const struct layer arp[] = { ETHER(.next = EXACTLY(0x0806)), OCTETS(46), { 0 } };
	static uint8_t frame[FRAME_MAX];
	struct filter_stats before, after;

	(void)state;
	filter_open(&filter, &root, &(struct filter_setup){ .config = { STRICT } });
	filter_stats_sum(&filter, &before);
	harness_run(&root, frame, frame_build(arp, frame), &outcome);
	assert_int_equal(outcome.action, XDP_PASS);
	assert_int_equal(outcome.reason, ECBPF_REASON_NOT_IP);
	filter_stats_sum(&filter, &after);
	assert_memory_equal(&after, &before, sizeof(after));
}

static int set_up(void **state)
{
	(void)state;
	harness_open(&root, false);
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
		{ "lax", test_table, NULL, close_filter, TABLE(lax, .list = NULL) },
		{ "sources", test_table, NULL, close_filter, TABLE(sources, .list = list) },
		{ "sources, strict", test_table, NULL, close_filter,
		  TABLE(sources, .list = list, .config = { .frags_drop = 1, .drop_options = 1 }) },
		{ "strict", test_table, NULL, close_filter,
		  TABLE(strict, .list = list, .config = { STRICT }) },
		{ "allowed", test_table, NULL, close_filter,
		  TABLE(allowed, .list = list, .config = { STRICT }) },
		{ "fragments to the host", test_table, NULL, close_filter,
		  TABLE(local, .list = list, .local = local_addresses,
			.broadcast = broadcast_addresses,
			.config = { STRICT, .frags_local_pass = 1 }) },
		{ "fragments to the host, too", test_table, NULL, close_filter,
		  TABLE(not_local, .list = list, .local = local_addresses, .config = { STRICT }) },
		cmocka_unit_test_teardown(test_shards, close_filter),
		cmocka_unit_test_teardown(test_shared_shards, close_filter),
		cmocka_unit_test_teardown(test_memo, close_filter),
		cmocka_unit_test_teardown(test_families, close_filter),
		cmocka_unit_test(test_long_chains),
		cmocka_unit_test_teardown(test_not_ip, close_filter),
	};

	if (!harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
