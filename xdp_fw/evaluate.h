/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a ruleset does to a packet, rule after rule, as its meaning is documented: what the matcher
 * is tested against, and what --test explains with.
 */
#ifndef XDP_FW_EVALUATE_H
#define XDP_FW_EVALUATE_H

#include <ecbpf/abi.h>

#include "rules.h"

/* @length: octets of the frame. */
struct fw_facts {
	const struct ecbpf_packet *packet;
	uint32_t length;
};

/* @address: in network order, in the first word if the family is 4. */
bool fw_addresses_match(const struct fw_ruleset *ruleset, const struct fw_addresses *addresses,
			unsigned int family, const __be32 *address);
/* Of a TCP segment. */
bool fw_flags_match(const struct fw_flags *flags, uint8_t tcp_flags);

/* Fields in the order in which they are looked at; numbers follow. */
enum fw_field {
	FW_FIELD_NONE,
	FW_FIELD_FAMILY,
	FW_FIELD_FROM,
	FW_FIELD_TO,
	FW_FIELD_FRAGMENT,
	FW_FIELD_FLAGS,
	FW_FIELD_NUMBERS,
};

/* The first field that keeps @rule from matching; FW_FIELD_NONE: it matches. */
unsigned int fw_rule_differs(const struct fw_ruleset *ruleset, const struct fw_rule *rule,
			     const struct fw_facts *facts);
const char *fw_field_name(unsigned int field);

/**
 * struct fw_hooks - what an evaluation asks and tells
 * @over: whether a limit has no room for the packet; asking takes the room
 * @hit: a rule that counts the packet: a count, the rule that decides, or a limit that was asked
 */
struct fw_hooks {
	bool (*over)(void *context, size_t rule);
	void (*hit)(void *context, size_t rule, bool dropped);
	void *context;
};

/* @decided: some rule did; @rule is its place. */
struct fw_verdict {
	bool decided;
	bool drop;
	size_t rule;
};

void fw_evaluate(const struct fw_ruleset *ruleset, const struct fw_facts *facts,
		 const struct fw_hooks *hooks, struct fw_verdict *verdict);

/* ns between packets of a limit, and how far ahead of time they may come. */
uint64_t fw_rate_interval(const struct fw_rate *rate);
uint64_t fw_rate_tolerance(const struct fw_rate *rate);

#endif
