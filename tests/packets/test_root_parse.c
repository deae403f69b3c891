// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What root finds out about frames, and that slots run once addresses are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/bpf.h>

#include <cmocka.h>

#include "found.h"
#include "harness.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

enum {
	HOP_BY_HOP = 0,
	ROUTING = 43,
	FRAGMENTED = 44,
	ESP = 50,
	AUTHENTICATION = 51,
	NO_NEXT = 59,
	DESTINATION = 60,
};

#define KNOWN	       ECBPF_ADDRESSES
#define MORE_FRAGMENTS 0x2000
#define DONT_FRAGMENT  0x4000
#define RESERVED_BIT   0x8000

/**
 * struct fixture - a frame and what root makes of it
 * @cut: octets that are left of the frame; 0: all
 * @padding: octets added behind it
 * @not_ip: no slot sees it
 */
struct fixture {
	const char *description;
	struct layer layers[LAYERS_MAX];
	size_t cut, padding;
	bool not_ip;
	struct found found;
};

static const struct fixture plain[] = {
	{ "TCP over IPv4",
	  { ETHER(), IPV4(), TCP(.sport = 1000, .dport = 80, .tcp_flags = 0x12, .window = 4096) },
	  .found = FOUND(4, 6, 14, 34, KNOWN | ECBPF_PORTS | ECBPF_TCP, .sport = 1000, .dport = 80,
			 .tcp_flags = 0x12, .window = 4096) },
	{ "UDP over IPv4",
	  { ETHER(), IPV4(.from = "10.1.2.3", .to = "10.4.5.6", .ttl = 1, .tos = 0xb8),
	    UDP(.sport = 53, .dport = 40000), OCTETS(20) },
	  .found = FOUND(4, 17, 14, 34, KNOWN | ECBPF_PORTS, .from = "10.1.2.3", .to = "10.4.5.6",
			 .ttl = 1, .sport = 53, .dport = 40000) },
	{ "ICMP over IPv4",
	  { ETHER(), IPV4(), ICMP(3, .code = 4), OCTETS(28) },
	  .found = FOUND(4, 1, 14, 34, KNOWN | ECBPF_ICMP, .icmp_type = 3, .icmp_code = 4) },
	{ "GRE over IPv4: unknown, slots run",
	  { ETHER(), IPV4(.next = EXACTLY(47)), OCTETS(24) },
	  .found = FOUND(4, 47, 14, 34, KNOWN | ECBPF_L4_UNKNOWN) },
	{ "ESP over IPv4",
	  { ETHER(), IPV4(.next = EXACTLY(ESP)), OCTETS(24) },
	  .found = FOUND(4, ESP, 14, 34, KNOWN | ECBPF_L4_UNKNOWN) },
	{ "AH over IPv4: not followed",
	  { ETHER(), IPV4(.next = EXACTLY(AUTHENTICATION)), OCTETS(24) },
	  .found = FOUND(4, AUTHENTICATION, 14, 34, KNOWN | ECBPF_L4_UNKNOWN) },
	{ "TCP over IPv6",
	  { ETHER(), IPV6(.ttl = 255),
	    TCP(.sport = 1000, .dport = 443, .tcp_flags = 2, .window = 65535) },
	  .found = FOUND(6, 6, 14, 54, KNOWN | ECBPF_PORTS | ECBPF_TCP, .ttl = 255, .sport = 1000,
			 .dport = 443, .tcp_flags = 2, .window = 65535) },
	{ "UDP over IPv6",
	  { ETHER(), IPV6(.from = "fe80::1", .to = "ff02::fb"), UDP(.sport = 5353, .dport = 5353) },
	  .found = FOUND(6, 17, 14, 54, KNOWN | ECBPF_PORTS, .from = "fe80::1", .to = "ff02::fb",
			 .sport = 5353, .dport = 5353) },
	{ "ICMPv6 over IPv6",
	  { ETHER(), IPV6(), ICMP6(135), OCTETS(16) },
	  .found = FOUND(6, 58, 14, 54, KNOWN | ECBPF_ICMP, .icmp_type = 135) },
	{ "ESP over IPv6",
	  { ETHER(), IPV6(.next = EXACTLY(ESP)), OCTETS(24) },
	  .found = FOUND(6, ESP, 14, 54, KNOWN | ECBPF_L4_UNKNOWN) },
	{ "no next header",
	  { ETHER(), IPV6(.next = EXACTLY(NO_NEXT)) },
	  .found = FOUND(6, NO_NEXT, 14, 54, KNOWN | ECBPF_L4_UNKNOWN) },
};

static const struct fixture tagged[] = {
	{ "802.1Q",
	  { ETHER(), VLAN(0x6123), IPV4(), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(4, 17, 18, 38, KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2, .tags = 1,
			 .tci = { 0x6123 }) },
	{ "802.1ad",
	  { ETHER(), QINQ(9), IPV6(), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(6, 17, 18, 58, KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2, .tags = 1,
			 .tci = { 9 }) },
	{ "802.1Q in 802.1ad",
	  { ETHER(), QINQ(100), VLAN(4095), IPV4(), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(4, 17, 22, 42, KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2, .tags = 2,
			 .tci = { 100, 4095 }) },
	{ "802.1Q in 802.1Q",
	  { ETHER(), VLAN(1), VLAN(2), IPV6(), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(6, 17, 22, 62, KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2, .tags = 2,
			 .tci = { 1, 2 }) },
	{ "three tags: the kernel's",
	  { ETHER(), VLAN(1), VLAN(2), VLAN(3), IPV4(), UDP() },
	  .not_ip = true },
	{ "a priority tag behind two tags",
	  { ETHER(), VLAN(1), VLAN(2), VLAN(0xe000), IPV4(), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(4, 17, 26, 46, KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2, .tags = 2,
			 .tci = { 1, 2 }) },
	{ "two VLANs among priority tags",
	  { ETHER(), VLAN(0), QINQ(7), VLAN(0), VLAN(9), QINQ(0), IPV6(),
	    UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(6, 17, 34, 74, KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2, .tags = 2,
			 .tci = { 0, 7 }) },
	{ "three VLANs among priority tags",
	  { ETHER(), VLAN(0), VLAN(7), VLAN(0), VLAN(9), VLAN(1), IPV4(), UDP() },
	  .not_ip = true },
	{ "ARP", { ETHER(.next = EXACTLY(0x0806)), OCTETS(46) }, .not_ip = true },
	{ "ARP behind a tag",
	  { ETHER(), VLAN(5, .next = EXACTLY(0x0806)), OCTETS(46) },
	  .not_ip = true },
	{ "LLDP", { ETHER(.next = EXACTLY(0x88cc)), OCTETS(46) }, .not_ip = true },
	{ "a length instead of an EtherType",
	  { ETHER(.next = EXACTLY(38)), OCTETS(46) },
	  .not_ip = true },
	{ "nothing behind an unknown EtherType",
	  { ETHER(.next = EXACTLY(0x88cc)) },
	  .not_ip = true },
};

static const struct fixture headers[] = {
	{ "40 octets of IPv4 options",
	  { ETHER(), IPV4(.options = 40), UDP(.sport = 7, .dport = 9) },
	  .found = FOUND(4, 17, 14, 74, KNOWN | ECBPF_PORTS | ECBPF_OPTIONS, .sport = 7,
			 .dport = 9) },
	{ "4 octets of IPv4 options behind two tags",
	  { ETHER(), QINQ(1), VLAN(2), IPV4(.options = 4), ICMP(8) },
	  .found = FOUND(4, 1, 22, 46, KNOWN | ECBPF_ICMP | ECBPF_OPTIONS, .icmp_type = 8,
			 .tags = 2, .tci = { 1, 2 }) },
	{ "IPv4 header length 4",
	  { ETHER(), IPV4(.ihl = 4), UDP() },
	  .found = FOUND(4, 17, 14, 0, KNOWN | ECBPF_MALFORMED) },
	{ "IPv4 header length 1",
	  { ETHER(), IPV4(.ihl = 1), UDP() },
	  .found = FOUND(4, 17, 14, 0, KNOWN | ECBPF_MALFORMED) },
	{ "version 5 in an IPv4 frame",
	  { ETHER(), IPV4(.version = 5), UDP() },
	  .found = FOUND(4, 0, 14, 0, ECBPF_MALFORMED) },
	{ "IPv6 in an IPv4 frame",
	  { ETHER(.next = EXACTLY(0x0800)), IPV6(), UDP() },
	  .found = FOUND(4, 0, 14, 0, ECBPF_MALFORMED) },
	{ "version 4 in an IPv6 frame",
	  { ETHER(), IPV6(.version = 4), UDP() },
	  .found = FOUND(6, 0, 14, 0, ECBPF_MALFORMED) },
	{ "don't fragment",
	  { ETHER(), IPV4(.fragment = DONT_FRAGMENT), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(4, 17, 14, 34, KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2) },
	{ "evil bit",
	  { ETHER(), IPV4(.fragment = RESERVED_BIT), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(4, 17, 14, 34, KNOWN | ECBPF_PORTS | ECBPF_EVIL_BIT, .sport = 1,
			 .dport = 2) },
	{ "evil bit on a later fragment",
	  { ETHER(), IPV4(.fragment = RESERVED_BIT | 3, .next = EXACTLY(17)), OCTETS(16) },
	  .found = FOUND(4, 17, 14, 34, KNOWN | ECBPF_EVIL_BIT | ECBPF_FRAGMENT,
			 .fragment_offset = 24) },
};

static const struct fixture lengths[] = {
	{ "IPv4 length longer than the frame by one",
	  { ETHER(), IPV4(.length = EXACTLY(33)), UDP(.sport = 1, .dport = 2), OCTETS(4) },
	  .found = FOUND(4, 17, 14, 34, KNOWN | ECBPF_PORTS | ECBPF_BAD_LENGTH, .sport = 1,
			 .dport = 2) },
	{ "IPv4 length shorter than the header by one",
	  { ETHER(), IPV4(.length = EXACTLY(23), .options = 4), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(4, 17, 14, 38, KNOWN | ECBPF_PORTS | ECBPF_BAD_LENGTH | ECBPF_OPTIONS,
			 .sport = 1, .dport = 2) },
	{ "IPv4 length of the header alone",
	  { ETHER(), IPV4(.length = EXACTLY(20)), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(4, 17, 14, 34, KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2) },
	{ "IPv4 length 0 in a small frame",
	  { ETHER(), IPV4(.length = EXACTLY(0)), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(4, 17, 14, 34, KNOWN | ECBPF_PORTS | ECBPF_BAD_LENGTH, .sport = 1,
			 .dport = 2) },
	{ "IPv4 with padding of Ethernet",
	  { ETHER(), IPV4(), UDP(.sport = 1, .dport = 2) },
	  .padding = 18,
	  .found = FOUND(4, 17, 14, 34, KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2) },
	{ "IPv6 length longer than the frame by one, behind a tag",
	  { ETHER(), VLAN(1), IPV6(.length = EXACTLY(13)), UDP(.sport = 1, .dport = 2), OCTETS(4) },
	  .found = FOUND(6, 17, 18, 58, KNOWN | ECBPF_PORTS | ECBPF_BAD_LENGTH, .sport = 1,
			 .dport = 2, .tags = 1, .tci = { 1 }) },
	{ "IPv6 with padding of Ethernet",
	  { ETHER(), IPV6(), UDP(.sport = 1, .dport = 2) },
	  .padding = 2,
	  .found = FOUND(6, 17, 14, 54, KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2) },
	{ "IPv6 length 0 in a small frame",
	  { ETHER(), IPV6(.length = EXACTLY(0)), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(6, 17, 14, 54, KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2) },
};

static const struct fixture fragments[] = {
	{ "first fragment of IPv4",
	  { ETHER(), IPV4(.fragment = MORE_FRAGMENTS), UDP(.sport = 1, .dport = 2), OCTETS(8) },
	  .found = FOUND(4, 17, 14, 34, KNOWN | ECBPF_PORTS | ECBPF_FRAGMENT | ECBPF_FIRST_FRAGMENT,
			 .sport = 1, .dport = 2) },
	{ "middle fragment of IPv4",
	  { ETHER(), IPV4(.fragment = MORE_FRAGMENTS | 2, .next = EXACTLY(6)), OCTETS(24) },
	  .found = FOUND(4, 6, 14, 34, KNOWN | ECBPF_FRAGMENT, .fragment_offset = 16) },
	{ "last fragment of IPv4, as far back as can be",
	  { ETHER(), IPV4(.fragment = 0x1fff, .next = EXACTLY(1)), OCTETS(5) },
	  .found = FOUND(4, 1, 14, 34, KNOWN | ECBPF_FRAGMENT, .fragment_offset = 65528) },
	{ "first fragment of IPv4 that ends before the ports",
	  { ETHER(), IPV4(.fragment = MORE_FRAGMENTS, .next = EXACTLY(6)), OCTETS(3) },
	  .found = FOUND(4, 6, 14, 34,
			 KNOWN | ECBPF_FRAGMENT | ECBPF_FIRST_FRAGMENT | ECBPF_TRUNCATED) },
	{ "first fragment of IPv6",
	  { ETHER(), IPV6(), FRAGMENT(1), UDP(.sport = 1, .dport = 2), OCTETS(8) },
	  .found =
		  FOUND(6, 17, 14, 62,
			KNOWN | ECBPF_PORTS | ECBPF_OPTIONS | ECBPF_FRAGMENT | ECBPF_FIRST_FRAGMENT,
			.sport = 1, .dport = 2) },
	{ "middle fragment of IPv6",
	  { ETHER(), IPV6(), FRAGMENT(0x08 | 1, .next = EXACTLY(6)), OCTETS(24) },
	  .found = FOUND(6, 6, 14, 62, KNOWN | ECBPF_OPTIONS | ECBPF_FRAGMENT,
			 .fragment_offset = 8) },
	{ "last fragment of IPv6, reserved bits set",
	  { ETHER(), IPV6(), FRAGMENT(0xfff8 | 6, .next = EXACTLY(58)), OCTETS(4) },
	  .found = FOUND(6, 58, 14, 62, KNOWN | ECBPF_OPTIONS | ECBPF_FRAGMENT,
			 .fragment_offset = 65528) },
	{ "later fragment of IPv6 that begins like an extension header",
	  { ETHER(), IPV6(), FRAGMENT(0x08, .next = EXACTLY(DESTINATION)), OCTETS(24) },
	  .found = FOUND(6, DESTINATION, 14, 62, KNOWN | ECBPF_OPTIONS | ECBPF_FRAGMENT,
			 .fragment_offset = 8) },
	{ "atomic fragment of IPv6: none",
	  { ETHER(), IPV6(), FRAGMENT(0), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(6, 17, 14, 62, KNOWN | ECBPF_PORTS | ECBPF_OPTIONS, .sport = 1,
			 .dport = 2) },
	{ "a later fragment in a first one",
	  { ETHER(), IPV6(), FRAGMENT(1), FRAGMENT(0x10, .next = EXACTLY(17)), OCTETS(24) },
	  .found = FOUND(6, 17, 14, 70, KNOWN | ECBPF_OPTIONS | ECBPF_FRAGMENT,
			 .fragment_offset = 16) },
	{ "an atomic fragment in a first one",
	  { ETHER(), IPV6(), FRAGMENT(1), FRAGMENT(0), UDP(.sport = 1, .dport = 2) },
	  .found =
		  FOUND(6, 17, 14, 70,
			KNOWN | ECBPF_PORTS | ECBPF_OPTIONS | ECBPF_FRAGMENT | ECBPF_FIRST_FRAGMENT,
			.sport = 1, .dport = 2) },
	{ "headers behind the fragment header of a first fragment",
	  { ETHER(), IPV6(), EXTENSION(HOP_BY_HOP, 16), FRAGMENT(1), EXTENSION(DESTINATION, 8),
	    TCP(.sport = 1, .dport = 2, .tcp_flags = 0x10, .window = 1) },
	  .found = FOUND(6, 6, 14, 86,
			 KNOWN | ECBPF_PORTS | ECBPF_TCP | ECBPF_OPTIONS | ECBPF_FRAGMENT |
				 ECBPF_FIRST_FRAGMENT,
			 .sport = 1, .dport = 2, .tcp_flags = 0x10, .window = 1) },
};

static const struct fixture extensions[] = {
	{ "one hop-by-hop header",
	  { ETHER(), IPV6(), EXTENSION(HOP_BY_HOP, 8), ICMP6(143), OCTETS(8) },
	  .found = FOUND(6, 58, 14, 62, KNOWN | ECBPF_ICMP | ECBPF_OPTIONS, .icmp_type = 143) },
	{ "the longest hop-by-hop header",
	  { ETHER(), IPV6(), EXTENSION(HOP_BY_HOP, 2048), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(6, 17, 14, 2102, KNOWN | ECBPF_PORTS | ECBPF_OPTIONS, .sport = 1,
			 .dport = 2) },
	{ "AH counts in units of 4",
	  { ETHER(), IPV6(), EXTENSION(AUTHENTICATION, 24), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(6, 17, 14, 78, KNOWN | ECBPF_PORTS | ECBPF_OPTIONS, .sport = 1,
			 .dport = 2) },
	{ "the longest AH",
	  { ETHER(), IPV6(), EXTENSION(AUTHENTICATION, 1028), UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(6, 17, 14, 1082, KNOWN | ECBPF_PORTS | ECBPF_OPTIONS, .sport = 1,
			 .dport = 2) },
	{ "the fragment header has no length",
	  { ETHER(), IPV6(), EXTENSION(FRAGMENTED, 8, .length = EXACTLY(7)),
	    UDP(.sport = 1, .dport = 2) },
	  .found = FOUND(6, 17, 14, 62, KNOWN | ECBPF_PORTS | ECBPF_OPTIONS, .sport = 1,
			 .dport = 2) },
	{ "every kind, behind two tags",
	  { ETHER(), QINQ(1), VLAN(2), IPV6(), EXTENSION(HOP_BY_HOP, 8), EXTENSION(DESTINATION, 16),
	    EXTENSION(ROUTING, 24), FRAGMENT(0), EXTENSION(AUTHENTICATION, 16),
	    EXTENSION(DESTINATION, 8), TCP(.sport = 1, .dport = 2, .tcp_flags = 1, .window = 2) },
	  .found = FOUND(6, 6, 22, 142, KNOWN | ECBPF_PORTS | ECBPF_TCP | ECBPF_OPTIONS, .sport = 1,
			 .dport = 2, .tcp_flags = 1, .window = 2, .tags = 2, .tci = { 1, 2 }) },
	{ "headers, then ESP",
	  { ETHER(), IPV6(), EXTENSION(DESTINATION, 8, .next = EXACTLY(ESP)), OCTETS(16) },
	  .found = FOUND(6, ESP, 14, 62, KNOWN | ECBPF_OPTIONS | ECBPF_L4_UNKNOWN) },
	{ "headers, then none",
	  { ETHER(), IPV6(), EXTENSION(DESTINATION, 8, .next = EXACTLY(NO_NEXT)) },
	  .found = FOUND(6, NO_NEXT, 14, 62, KNOWN | ECBPF_OPTIONS | ECBPF_L4_UNKNOWN) },
	{ "mobility header: none that is followed",
	  { ETHER(), IPV6(.next = EXACTLY(135)), OCTETS(16) },
	  .found = FOUND(6, 135, 14, 54, KNOWN | ECBPF_L4_UNKNOWN) },
};

/* A cut frame is shorter than its length field says, unless that is beyond the cut. */
static const struct fixture truncated[] = {
	{ "no octet behind the Ethernet header of IPv4",
	  { ETHER(), IPV4(), UDP() },
	  .cut = 14,
	  .found = FOUND(4, 0, 14, 0, ECBPF_TRUNCATED) },
	{ "no octet behind the Ethernet header of IPv6",
	  { ETHER(), IPV6(), UDP() },
	  .cut = 14,
	  .found = FOUND(6, 0, 14, 0, ECBPF_TRUNCATED) },
	{ "within the first tag",
	  { ETHER(), VLAN(1), VLAN(2), IPV4(), UDP() },
	  .cut = 17,
	  .found = FOUND(0, 0, 0, 0, ECBPF_TRUNCATED) },
	{ "within the second tag",
	  { ETHER(), VLAN(1), VLAN(2), IPV4(), UDP() },
	  .cut = 21,
	  .found = FOUND(0, 0, 0, 0, ECBPF_TRUNCATED, .tags = 1, .tci = { 1 }) },
	{ "within the third tag",
	  { ETHER(), VLAN(1), VLAN(2), VLAN(0), IPV4(), UDP() },
	  .cut = 25,
	  .found = FOUND(0, 0, 0, 0, ECBPF_TRUNCATED, .tags = 2, .tci = { 1, 2 }) },
	{ "within the IPv4 header",
	  { ETHER(), VLAN(1), IPV4(), UDP() },
	  .cut = 37,
	  .found = FOUND(4, 0, 18, 0, ECBPF_TRUNCATED, .tags = 1, .tci = { 1 }) },
	{ "within the IPv6 header",
	  { ETHER(), IPV6(), UDP() },
	  .cut = 53,
	  .found = FOUND(6, 0, 14, 0, ECBPF_TRUNCATED) },
	{ "within IPv4 options before TCP",
	  { ETHER(), IPV4(.options = 8), TCP() },
	  .cut = 38,
	  .found =
		  FOUND(4, 6, 14, 42, KNOWN | ECBPF_TRUNCATED | ECBPF_OPTIONS | ECBPF_BAD_LENGTH) },
	{ "within IPv4 options before what isn't known",
	  { ETHER(), IPV4(.options = 8, .next = EXACTLY(47)), OCTETS(8) },
	  .cut = 41,
	  .found = FOUND(4, 47, 14, 42,
			 KNOWN | ECBPF_TRUNCATED | ECBPF_OPTIONS | ECBPF_BAD_LENGTH) },
	{ "within IPv4 options of a later fragment",
	  { ETHER(), IPV4(.options = 8, .fragment = 1, .next = EXACTLY(6)), OCTETS(8) },
	  .cut = 41,
	  .found =
		  FOUND(4, 6, 14, 42,
			KNOWN | ECBPF_TRUNCATED | ECBPF_OPTIONS | ECBPF_BAD_LENGTH | ECBPF_FRAGMENT,
			.fragment_offset = 8) },
	{ "within the ports of TCP",
	  { ETHER(), IPV4(), TCP() },
	  .cut = 37,
	  .found = FOUND(4, 6, 14, 34, KNOWN | ECBPF_TRUNCATED | ECBPF_BAD_LENGTH) },
	{ "within TCP behind the ports",
	  { ETHER(), IPV6(), TCP(.sport = 8, .dport = 9) },
	  .cut = 73,
	  .found = FOUND(6, 6, 14, 54, KNOWN | ECBPF_TRUNCATED | ECBPF_BAD_LENGTH | ECBPF_PORTS,
			 .sport = 8, .dport = 9) },
	{ "within the ports of UDP",
	  { ETHER(), IPV6(), UDP() },
	  .cut = 57,
	  .found = FOUND(6, 17, 14, 54, KNOWN | ECBPF_TRUNCATED | ECBPF_BAD_LENGTH) },
	{ "within UDP behind the ports",
	  { ETHER(), IPV4(), UDP(.sport = 8, .dport = 9) },
	  .cut = 38,
	  .found = FOUND(4, 17, 14, 34, KNOWN | ECBPF_TRUNCATED | ECBPF_BAD_LENGTH | ECBPF_PORTS,
			 .sport = 8, .dport = 9) },
	{ "within ICMP before the code",
	  { ETHER(), IPV4(), ICMP(3) },
	  .cut = 35,
	  .found = FOUND(4, 1, 14, 34, KNOWN | ECBPF_TRUNCATED | ECBPF_BAD_LENGTH) },
	{ "within ICMPv6 behind the code",
	  { ETHER(), IPV6(), ICMP6(1, .code = 2) },
	  .cut = 56,
	  .found = FOUND(6, 58, 14, 54, KNOWN | ECBPF_TRUNCATED | ECBPF_BAD_LENGTH | ECBPF_ICMP,
			 .icmp_type = 1, .icmp_code = 2) },
	{ "a whole small packet that holds less than a UDP header",
	  { ETHER(), IPV4(.next = EXACTLY(17)), OCTETS(6) },
	  .found = FOUND(4, 17, 14, 34, KNOWN | ECBPF_TRUNCATED | ECBPF_PORTS, .sport = 0x0001,
			 .dport = 0x0203) },
	{ "within the fragment header",
	  { ETHER(), IPV6(), FRAGMENT(1), UDP() },
	  .cut = 61,
	  .found = FOUND(6, FRAGMENTED, 14, 54,
			 KNOWN | ECBPF_TRUNCATED | ECBPF_BAD_LENGTH | ECBPF_OPTIONS) },
	{ "within the second extension header",
	  { ETHER(), IPV6(), EXTENSION(HOP_BY_HOP, 8), EXTENSION(DESTINATION, 8), UDP() },
	  .cut = 69,
	  .found = FOUND(6, DESTINATION, 14, 62,
			 KNOWN | ECBPF_TRUNCATED | ECBPF_BAD_LENGTH | ECBPF_OPTIONS) },
	{ "within a long extension header before UDP",
	  { ETHER(), IPV6(), EXTENSION(DESTINATION, 32), UDP() },
	  .cut = 85,
	  .found = FOUND(6, 17, 14, 86,
			 KNOWN | ECBPF_TRUNCATED | ECBPF_BAD_LENGTH | ECBPF_OPTIONS) },
	{ "within a long extension header before what isn't known",
	  { ETHER(), IPV6(), EXTENSION(DESTINATION, 32, .next = EXACTLY(ESP)), OCTETS(8) },
	  .cut = 85,
	  .found = FOUND(6, ESP, 14, 86,
			 KNOWN | ECBPF_TRUNCATED | ECBPF_BAD_LENGTH | ECBPF_OPTIONS) },
};

/* Also a root with the multi-buffer flag, where the kernel has it: both must see the same. */
static struct harness roots[2];
static unsigned int root_count;

static size_t make_frame(const struct fixture *fixture, uint8_t *frame)
{
	size_t length = frame_build(fixture->layers, frame);

	if (fixture->cut)
		length = fixture->cut;
	memset(frame + length, 0, fixture->padding);
	return length + fixture->padding;
}

static void run_once(struct harness *harness, const uint8_t *frame, size_t length,
		     struct outcome *outcome)
{
	harness_run(harness, frame, length, outcome);
	assert_int_equal(outcome->action, XDP_PASS);
	assert_int_equal(outcome->row, ECBPF_SLOT_ROOT);
	assert_int_equal(outcome->column, XDP_PASS);
	assert_int_equal(outcome->length, length);
	assert_memory_equal(outcome->frame, frame, length);
}

/*
 * Root alone passes everything on, unchanged. It parses only for slots that seem occupied, and comes
 * to the same verdict without.
 */
static void run_frame(struct harness *harness, const uint8_t *frame, size_t length,
		      struct outcome *outcome)
{
	unsigned int reason;

	harness_occupy(harness, 0);
	run_once(harness, frame, length, outcome);
	reason = outcome->reason;
	harness_occupy(harness, 1);
	run_once(harness, frame, length, outcome);
	assert_int_equal(outcome->reason, reason);
}

static void run_fixture(struct harness *harness, const struct fixture *fixture)
{
	static uint8_t frame[FRAME_MAX];
	static struct outcome outcome;

	print_message("  %s\n", fixture->description);
	run_frame(harness, frame, make_frame(fixture, frame), &outcome);
	if (fixture->not_ip) {
		assert_int_equal(outcome.reason, ECBPF_REASON_NOT_IP);
		return;
	}
	assert_int_equal(outcome.reason, ECBPF_REASON_NO_OPINION);
	found_check(&fixture->found, &outcome.packet);
}

struct table {
	const struct fixture *fixtures;
	size_t count;
};

#define TABLE(array) (&(struct table){ array, ARRAY_SIZE(array) })

static void test_table(void **state)
{
	const struct table *table = *state;
	unsigned int i;
	size_t j;

	for (i = 0; i < root_count; i++)
		for (j = 0; j < table->count; j++)
			run_fixture(&roots[i], &table->fixtures[j]);
}

static const struct table every_table[] = {
	{ plain, ARRAY_SIZE(plain) },	      { tagged, ARRAY_SIZE(tagged) },
	{ headers, ARRAY_SIZE(headers) },     { lengths, ARRAY_SIZE(lengths) },
	{ fragments, ARRAY_SIZE(fragments) }, { extensions, ARRAY_SIZE(extensions) },
	{ truncated, ARRAY_SIZE(truncated) },
};

/* Wherever the first piece of a frame ends, root reads on. */
static void test_pieces(void **state)
{
	static const size_t sizes[] = { 14, 15, 18, 33, 34, 37, 41, 54, 57, 62, 75, 90, 120 };
	struct harness *root = &roots[1];
	size_t i, j, k;

	(void)state;
	if (root_count < 2 || !harness_has_pieces())
		skip();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		print_message(" %zu octets in the first piece\n", sizes[i]);
		root->first_piece = sizes[i];
		for (j = 0; j < ARRAY_SIZE(every_table); j++)
			for (k = 0; k < every_table[j].count; k++)
				run_fixture(root, &every_table[j].fixtures[k]);
	}
	root->first_piece = 0;
}

/* Where the headers that root reads end, in a frame that has them all. */
static size_t headers_end(const struct found *found)
{
	switch (found->flags & ECBPF_L4_UNKNOWN ? 0 : found->protocol) {
	case 6:
		return found->l4 + 20;
	case 1:
	case 17:
	case 58:
		return found->l4 + 8;
	default:
		return found->l4;
	}
}

static void test_cut_anywhere(void **state)
{
	static uint8_t frame[FRAME_MAX];
	static struct outcome outcome;
	size_t i, cut, whole, end;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		whole = make_frame(&plain[i], frame);
		end = headers_end(&plain[i].found);
		for (cut = 14; cut <= whole; cut++) {
			run_frame(&roots[0], frame, cut, &outcome);
			assert_int_equal(outcome.reason, ECBPF_REASON_NO_OPINION);
			assert_int_equal(!!(outcome.packet.flags & ECBPF_TRUNCATED), cut < end);
			if (cut >= end)
				assert_int_equal(outcome.packet.flags & ~ECBPF_BAD_LENGTH,
						 plain[i].found.flags);
		}
	}
}

#define CHAIN_FOLLOWED 8
#define CHAIN_TRIED    10

/* Eight headers are followed; behind them slots run, but don't learn the transport. */
static void run_chain(uint8_t kind, unsigned int count)
{
	char description[40];
	struct fixture fixture = {
		.description = description,
		.layers = { ETHER(), IPV6() },
		.found = FOUND(6, 0, 14, 0, KNOWN | ECBPF_OPTIONS),
	};
	const struct layer header = EXTENSION(kind, 8), udp = UDP(.sport = 1, .dport = 2);
	struct found *found = &fixture.found;
	unsigned int i;

	snprintf(description, sizeof(description), "%u headers of kind %u", count, kind);
	for (i = 0; i < count; i++)
		fixture.layers[2 + i] = header;
	fixture.layers[2 + count] = udp;
	if (count <= CHAIN_FOLLOWED) {
		found->flags |= ECBPF_PORTS;
		found->protocol = 17;
		found->l4 = 54 + 8 * count;
		found->sport = 1;
		found->dport = 2;
	} else {
		found->flags |= ECBPF_L4_UNKNOWN;
		found->protocol = kind;
		found->l4 = 54 + 8 * CHAIN_FOLLOWED;
	}
	run_fixture(&roots[0], &fixture);
}

static void test_chains(void **state)
{
	static const uint8_t kinds[] = { HOP_BY_HOP, ROUTING, FRAGMENTED, AUTHENTICATION,
					 DESTINATION };
	unsigned int count;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (count = 1; count <= CHAIN_TRIED; count++)
			run_chain(kinds[i], count);
}

#define TAGS_TRIED 800

/* As many priority tags as one likes. */
static void test_many_tags(void **state)
{
	static const struct layer ether = ETHER(), tag = VLAN(0), ip = IPV4(),
				  udp = UDP(.sport = 1, .dport = 2);
	const struct found found = FOUND(4, 17, 14 + 4 * TAGS_TRIED, 34 + 4 * TAGS_TRIED,
					 KNOWN | ECBPF_PORTS, .sport = 1, .dport = 2, .tags = 2);
	static struct layer layers[TAGS_TRIED + 4];
	static uint8_t frame[FRAME_MAX];
	static struct outcome outcome;
	size_t i;

	(void)state;
	layers[0] = ether;
	for (i = 1; i <= TAGS_TRIED; i++)
		layers[i] = tag;
	layers[i++] = ip;
	layers[i] = udp;
	run_frame(&roots[0], frame, frame_build(layers, frame), &outcome);
	assert_int_equal(outcome.reason, ECBPF_REASON_NO_OPINION);
	found_check(&found, &outcome.packet);
}

/* Packets of more than 65 535 octets have 0 in their length field. */
static void test_big_tcp(void **state)
{
	struct fixture fixture = {
		.description = "BIG TCP",
		.layers = { ETHER(), IPV4(.length = EXACTLY(0)),
			    TCP(.sport = 1, .dport = 2, .tcp_flags = 0x10, .window = 3),
			    OCTETS(65536 - 40) },
		.found = FOUND(4, 6, 14, 34, KNOWN | ECBPF_PORTS | ECBPF_TCP, .sport = 1,
			       .dport = 2, .tcp_flags = 0x10, .window = 3),
	};

	(void)state;
	if (root_count < 2)
		skip();
	run_fixture(&roots[1], &fixture);
	fixture.layers[3].size--;
	fixture.found.flags |= ECBPF_BAD_LENGTH;
	run_fixture(&roots[1], &fixture);
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
		{ "plain", test_table, NULL, NULL, TABLE(plain) },
		{ "tags", test_table, NULL, NULL, TABLE(tagged) },
		{ "IP headers", test_table, NULL, NULL, TABLE(headers) },
		{ "IP lengths", test_table, NULL, NULL, TABLE(lengths) },
		{ "fragments", test_table, NULL, NULL, TABLE(fragments) },
		{ "extension headers", test_table, NULL, NULL, TABLE(extensions) },
		{ "truncated", test_table, NULL, NULL, TABLE(truncated) },
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_many_tags),
		cmocka_unit_test(test_big_tcp),
	};

	if (!harness_usable())
		return HARNESS_SKIP;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
