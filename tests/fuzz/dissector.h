/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A second opinion on packets, written from the RFCs and not from the BPF programs: what a frame
 * is, and what root and filter have to do with it.
 */
#ifndef FUZZ_DISSECTOR_H
#define FUZZ_DISSECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All numbers in host order; addresses as on the wire, IPv4 in the first four octets. */
struct facts {
	/* IPv4 or IPv6 by EtherType, or cut before that can be told: slots run. */
	bool for_slots;
	unsigned int family;
	unsigned int tags;
	uint16_t tci[2];
	size_t l3, l4;
	/* The frame ends inside a header. */
	bool cut;
	/* Version or header length can't be. */
	bool malformed;
	bool bad_length;
	bool options;
	bool reserved_bit;
	bool fragment, first_fragment;
	unsigned int fragment_offset;
	bool l4_unknown;
	/* IPv6 extension headers go on where this stopped to read them. */
	bool chain_goes_on;
	/* What follows each is valid only with it. */
	bool addresses;
	uint8_t source[16], destination[16];
	uint8_t protocol, ttl;
	bool ports;
	uint16_t source_port, destination_port;
	bool tcp;
	uint8_t tcp_flags;
	uint16_t tcp_window;
	bool icmp;
	uint8_t icmp_type, icmp_code;
};

void dissect(const uint8_t *frame, size_t length, struct facts *facts);

/* An entry of the list; `live` is false once it has expired. */
struct listed {
	uint8_t family, length;
	uint8_t address[16];
	bool allow, live;
};

struct policy {
	bool frags_drop, frags_local_pass, drop_options, truncated_drop;
	/* Path MTU messages: at all, and whether a second may run out of them. */
	bool answers, limited;
	const struct listed *list;
	size_t list_length;
	/* The first are the host's own, as struct facts has them; the others are for broadcasts. */
	const struct listed *local;
	size_t own_length, local_length;
};

enum fate {
	FATE_PASS_NOT_IP,
	FATE_PASS,
	FATE_DROP_SOURCE,
	FATE_DROP_SOURCE6,
	FATE_DROP_RESERVED_BIT,
	FATE_DROP_LENGTH,
	FATE_DROP_CUT,
	FATE_DROP_OPTIONS,
	FATE_DROP_FRAGMENT,
	/* Answered, or dropped where the policy is limited. */
	FATE_ANSWER,
};

struct expected {
	enum fate fate;
	/* With FATE_DROP_SOURCE and FATE_DROP_SOURCE6, the place in the list of who decides. */
	size_t entry;
};

void judge(const uint8_t *frame, const struct facts *facts, const struct policy *policy,
	   struct expected *expected);

/*
 * answer.c: what is wrong with `answer` as the path MTU message to `frame`, whose facts these are;
 * NULL: nothing. `mtu` is the interface's.
 */
const char *fault_of_answer(const uint8_t *frame, const struct facts *facts, unsigned int mtu,
			    const uint8_t *answer, size_t length);

#endif
