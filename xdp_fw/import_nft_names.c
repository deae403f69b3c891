// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "import_nft_names.h"

#include <stddef.h>

const struct nft_named nft_protocols[] = {
	{ "icmp", 1 }, { "tcp", 6 },	    { "udp", 17 },    { "gre", 47 },   { "esp", 50 },
	{ "ah", 51 },  { "ipv6-icmp", 58 }, { "icmpv6", 58 }, { "sctp", 132 }, { NULL, 0 },
};

const struct nft_named nft_types[] = {
	{ "echo-reply", 0 },	       { "destination-unreachable", 3 },
	{ "source-quench", 4 },	       { "redirect", 5 },
	{ "echo-request", 8 },	       { "router-advertisement", 9 },
	{ "router-solicitation", 10 }, { "time-exceeded", 11 },
	{ "parameter-problem", 12 },   { "timestamp-request", 13 },
	{ "timestamp-reply", 14 },     { "info-request", 15 },
	{ "info-reply", 16 },	       { "address-mask-request", 17 },
	{ "address-mask-reply", 18 },  { NULL, 0 },
};

const struct nft_named nft_types6[] = {
	{ "destination-unreachable", 1 }, { "packet-too-big", 2 },
	{ "time-exceeded", 3 },		  { "parameter-problem", 4 },
	{ "echo-request", 128 },	  { "echo-reply", 129 },
	{ "mld-listener-query", 130 },	  { "mld-listener-report", 131 },
	{ "mld-listener-done", 132 },	  { "mld-listener-reduction", 132 },
	{ "nd-router-solicit", 133 },	  { "nd-router-advert", 134 },
	{ "nd-neighbor-solicit", 135 },	  { "nd-neighbor-advert", 136 },
	{ "nd-redirect", 137 },		  { "router-renumbering", 138 },
	{ "ind-neighbor-solicit", 141 },  { "ind-neighbor-advert", 142 },
	{ "mld2-listener-report", 143 },  { NULL, 0 },
};

const struct nft_named nft_codes[] = {
	{ "net-unreachable", 0 },   { "host-unreachable", 1 }, { "prot-unreachable", 2 },
	{ "port-unreachable", 3 },  { "net-prohibited", 9 },   { "host-prohibited", 10 },
	{ "admin-prohibited", 13 }, { "frag-needed", 4 },      { NULL, 0 },
};

const struct nft_named nft_codes6[] = {
	{ "no-route", 0 },
	{ "admin-prohibited", 1 },
	{ "addr-unreachable", 3 },
	{ "port-unreachable", 4 },
	{ "policy-fail", 5 },
	{ "reject-route", 6 },
	{ NULL, 0 },
};
