// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "evaluate.h"

#include <string.h>

#include <arpa/inet.h>

bool fw_addresses_match(const struct fw_ruleset *ruleset, const struct fw_addresses *addresses,
			unsigned int family, const __be32 *address)
{
	struct prefix whole = { .family = family, .length = prefix_length_max(family) };
	bool covered = false;
	size_t i;

	if (!addresses->given)
		return true;
	memcpy(whole.addr, address, whole.length / 8);
	for (i = 0; i < addresses->count && !covered; i++)
		covered = prefix_covers(&addresses->items[i], &whole);
	for (i = 0; i < addresses->set_count && !covered; i++)
		covered = fw_set_covers(&ruleset->sets[addresses->sets[i]], &whole);
	return covered != addresses->negated;
}

static bool fragment_matches(enum fw_fragment wanted, const struct ecbpf_packet *packet)
{
	bool fragment = packet->flags & ECBPF_FRAGMENT;

	return wanted == FW_FRAGMENT_ANY || fragment == (wanted == FW_FRAGMENT_YES);
}

bool fw_flags_match(const struct fw_flags *flags, uint8_t tcp_flags)
{
	return !flags->given || ((tcp_flags & flags->mask) == flags->flags) != flags->negated;
}

static bool flags_match(const struct fw_flags *flags, const struct ecbpf_packet *packet)
{
	return !flags->given ||
	       (packet->flags & ECBPF_TCP && fw_flags_match(flags, packet->tcp_flags));
}

/* The tag that comes first in the frame counts. */
static uint32_t vlan_of(const struct ecbpf_packet *packet)
{
	return packet->vlan_count ? ntohs(packet->vlan_tci[0]) & 0xfff : FW_VLAN_NONE;
}

/* False: the packet has no such field. */
static bool number_of(const struct fw_facts *facts, enum fw_number number, uint32_t *value)
{
	const struct ecbpf_packet *packet = facts->packet;

	switch (number) {
	case FW_LENGTH:
		*value = facts->length;
		return true;
	case FW_TTL:
		*value = packet->ttl;
		return true;
	case FW_SPORT:
		*value = ntohs(packet->sport);
		return packet->flags & ECBPF_PORTS;
	case FW_DPORT:
		*value = ntohs(packet->dport);
		return packet->flags & ECBPF_PORTS;
	case FW_WINDOW:
		*value = ntohs(packet->tcp_window);
		return packet->flags & ECBPF_TCP;
	case FW_TYPE:
		*value = packet->icmp_type;
		return packet->flags & ECBPF_ICMP;
	case FW_CODE:
		*value = packet->icmp_code;
		return packet->flags & ECBPF_ICMP;
	case FW_VLAN:
		*value = vlan_of(packet);
		return true;
	case FW_PROTOCOL:
		*value = packet->protocol;
		return true;
	default:
		return false;
	}
}

unsigned int fw_rule_differs(const struct fw_ruleset *ruleset, const struct fw_rule *rule,
			     const struct fw_facts *facts)
{
	const struct ecbpf_packet *packet = facts->packet;
	uint32_t value;
	int number;

	if (!(packet->flags & ECBPF_ADDRESSES) || packet->family != rule->family)
		return FW_FIELD_FAMILY;
	if (!fw_addresses_match(ruleset, &rule->from, packet->family, packet->saddr))
		return FW_FIELD_FROM;
	if (!fw_addresses_match(ruleset, &rule->to, packet->family, packet->daddr))
		return FW_FIELD_TO;
	if (!fragment_matches(rule->fragment, packet))
		return FW_FIELD_FRAGMENT;
	for (number = FW_NUMBERS - 1; number >= 0; number--)
		if (rule->numbers[number].given &&
		    (!number_of(facts, number, &value) ||
		     !fw_numbers_contain(&rule->numbers[number], value)))
			return FW_FIELD_NUMBERS + number;
	return flags_match(&rule->flags, packet) ? FW_FIELD_NONE : FW_FIELD_FLAGS;
}

const char *fw_field_name(unsigned int field)
{
	static const char *const names[] = {
		[FW_FIELD_NONE] = "", [FW_FIELD_FAMILY] = "IP version", [FW_FIELD_FROM] = "from",
		[FW_FIELD_TO] = "to", [FW_FIELD_FRAGMENT] = "fragment", [FW_FIELD_FLAGS] = "flags",
	};

	return field < FW_FIELD_NUMBERS ? names[field] : fw_number_name(field - FW_FIELD_NUMBERS);
}

static void decide(const struct fw_hooks *hooks, struct fw_verdict *verdict, size_t rule, bool drop)
{
	*verdict = (struct fw_verdict){ .decided = true, .drop = drop, .rule = rule };
	hooks->hit(hooks->context, rule, drop);
}

static void evaluate_first_match(const struct fw_ruleset *ruleset, const struct fw_facts *facts,
				 const struct fw_hooks *hooks, struct fw_verdict *verdict)
{
	size_t i;

	for (i = 0; i < ruleset->count; i++) {
		const struct fw_rule *rule = &ruleset->rules[i];

		if (fw_rule_differs(ruleset, rule, facts))
			continue;
		if (rule->action == FW_COUNT) {
			hooks->hit(hooks->context, i, false);
			continue;
		}
		decide(hooks, verdict, i,
		       rule->action == FW_LIMIT ? hooks->over(hooks->context, i) :
						  rule->action == FW_DROP);
		return;
	}
}

/* The first rule that matches and has this action, or the number of rules. */
static size_t first_with(const struct fw_ruleset *ruleset, const struct fw_facts *facts,
			 enum fw_action action, size_t from)
{
	size_t i;

	for (i = from; i < ruleset->count; i++)
		if (ruleset->rules[i].action == action &&
		    !fw_rule_differs(ruleset, &ruleset->rules[i], facts))
			break;
	return i;
}

/* Pass, drop, limit: in this order; every limit that matches must have room. */
static void evaluate_any(const struct fw_ruleset *ruleset, const struct fw_facts *facts,
			 const struct fw_hooks *hooks, struct fw_verdict *verdict)
{
	size_t i;

	for (i = first_with(ruleset, facts, FW_COUNT, 0); i < ruleset->count;
	     i = first_with(ruleset, facts, FW_COUNT, i + 1))
		hooks->hit(hooks->context, i, false);
	i = first_with(ruleset, facts, FW_PASS, 0);
	if (i < ruleset->count) {
		decide(hooks, verdict, i, false);
		return;
	}
	i = first_with(ruleset, facts, FW_DROP, 0);
	if (i < ruleset->count) {
		decide(hooks, verdict, i, true);
		return;
	}
	for (i = first_with(ruleset, facts, FW_LIMIT, 0); i < ruleset->count;
	     i = first_with(ruleset, facts, FW_LIMIT, i + 1)) {
		decide(hooks, verdict, i, hooks->over(hooks->context, i));
		if (verdict->drop)
			return;
	}
}

void fw_evaluate(const struct fw_ruleset *ruleset, const struct fw_facts *facts,
		 const struct fw_hooks *hooks, struct fw_verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	if (ruleset->first_match)
		evaluate_first_match(ruleset, facts, hooks, verdict);
	else
		evaluate_any(ruleset, facts, hooks, verdict);
}

uint64_t fw_rate_interval(const struct fw_rate *rate)
{
	return 1000000000 / rate->per_second;
}

uint64_t fw_rate_tolerance(const struct fw_rate *rate)
{
	return (rate->burst - 1) * fw_rate_interval(rate);
}
