/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PACKETS_TABLE_LOOKUP_H
#define PACKETS_TABLE_LOOKUP_H

#include <linux/types.h>

/* Value of "lookups": an address, network order, and what its table says of it. */
struct table_lookup {
	__be32 address[4];
	__u32 family;
	__u32 answer;
};

#define TABLE_LOOKUPS 16384

#endif
