/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What harness_slot.bpf.c is told to do, and what it says of itself. */
#ifndef PACKETS_HARNESS_SLOT_H
#define PACKETS_HARNESS_SLOT_H

#include <linux/types.h>

enum slot_order {
	SLOT_NEXT,
	SLOT_VERDICT,
	/* Take the first VLAN tag out, say so, go on. */
	SLOT_UNTAG,
	/* Put octets before the frame that begin with the header given, say so, go on. */
	SLOT_PREPEND,
	/* Cut octets off the end, keep it secret, go on. */
	SLOT_CUT,
	/* Make the source port of UDP over IPv4 the next of 1000 (1000 to 1999), go on. */
	SLOT_RENUMBER,
};

/* Ethernet and IPv4. */
#define SLOT_HEADER 34

/* Value of "orders", each slot's own. */
struct slot_orders {
	__u32 order;
	__u32 action;
	__u32 reason;
	/* Choose the packet as a sample. */
	__u32 sample;
	/* To prepend or to cut. */
	__u32 octets;
	__u8 header[SLOT_HEADER];
	__u8 reserved[2];
};

#define SLOT_TRAIL 16

/* Value of "trail", which all slots share: who ran, in order. */
struct slot_trail {
	__u32 count;
	__u8 slots[SLOT_TRAIL];
};

#endif
