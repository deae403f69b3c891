// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <ecbpf/ecbpf.h>
#include <linux/bpf.h>

#include "compare.h"

static const struct {
	const char *name;
	unsigned int action, slot, reason;
} fates[] = {
	[FATE_PASS_NOT_IP] = { "pass, not IP", XDP_PASS, ECBPF_SLOT_ROOT, ECBPF_REASON_NOT_IP },
	[FATE_PASS] = { "pass", XDP_PASS, ECBPF_SLOT_ROOT, ECBPF_REASON_NO_OPINION },
	[FATE_DROP_SOURCE] = { "drop, source", XDP_DROP, ECBPF_SLOT_FILTER,
			       ECBPF_REASON_FILTER_SOURCE },
	[FATE_DROP_SOURCE6] = { "drop, source6", XDP_DROP, ECBPF_SLOT_FILTER,
				ECBPF_REASON_FILTER_SOURCE6 },
	[FATE_DROP_RESERVED_BIT] = { "drop, evil bit", XDP_DROP, ECBPF_SLOT_FILTER,
				     ECBPF_REASON_FILTER_EVIL_BIT },
	[FATE_DROP_LENGTH] = { "drop, length", XDP_DROP, ECBPF_SLOT_FILTER,
			       ECBPF_REASON_FILTER_BAD_LENGTH },
	[FATE_DROP_CUT] = { "drop, truncated", XDP_DROP, ECBPF_SLOT_FILTER,
			    ECBPF_REASON_FILTER_TRUNCATED },
	[FATE_DROP_OPTIONS] = { "drop, options", XDP_DROP, ECBPF_SLOT_FILTER,
				ECBPF_REASON_FILTER_IP_OPTIONS },
	[FATE_DROP_FRAGMENT] = { "drop, fragment", XDP_DROP, ECBPF_SLOT_FILTER,
				 ECBPF_REASON_FILTER_FRAGMENT },
	[FATE_ANSWER] = { "answer", XDP_TX, ECBPF_SLOT_FILTER, ECBPF_REASON_FILTER_TOO_BIG },
};

const char *fate_name(enum fate fate)
{
	return fates[fate].name;
}

static const char *differ(const char *what, unsigned long ours, unsigned long theirs)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s: expected %#lx, is %#lx", what, ours, theirs);
	return text;
}

static uint32_t flags_of(const struct facts *facts)
{
	return facts->addresses * ECBPF_ADDRESSES | facts->ports * ECBPF_PORTS |
	       facts->tcp * ECBPF_TCP | facts->icmp * ECBPF_ICMP |
	       facts->fragment * ECBPF_FRAGMENT | facts->first_fragment * ECBPF_FIRST_FRAGMENT |
	       facts->cut * ECBPF_TRUNCATED | facts->malformed * ECBPF_MALFORMED |
	       facts->bad_length * ECBPF_BAD_LENGTH | facts->options * ECBPF_OPTIONS |
	       facts->reserved_bit * ECBPF_EVIL_BIT | facts->l4_unknown * ECBPF_L4_UNKNOWN;
}

/* Facts one by one; those that a flag announces count only with it. */
static const char *compare_facts(const struct facts *facts, const struct ecbpf_packet *packet)
{
	size_t width = facts->family == 4 ? 4 : 16;
	const struct {
		const char *what;
		bool counts;
		unsigned long ours, theirs;
	} rows[] = {
		{ "flags", true, flags_of(facts), packet->flags },
		{ "family", true, facts->family, packet->family },
		{ "vlan_count", true, facts->tags, packet->vlan_count },
		{ "outer tag", facts->tags > 0, facts->tci[0], ntohs(packet->vlan_tci[0]) },
		{ "inner tag", facts->tags > 1, facts->tci[1], ntohs(packet->vlan_tci[1]) },
		{ "l3_offset", facts->family, facts->l3, packet->l3_offset },
		{ "l4_offset", facts->addresses && !facts->malformed, facts->l4,
		  packet->l4_offset },
		{ "protocol", facts->addresses, facts->protocol, packet->protocol },
		{ "ttl", facts->addresses, facts->ttl, packet->ttl },
		{ "fragment_offset", facts->fragment, facts->fragment_offset,
		  packet->fragment_offset },
		{ "sport", facts->ports, facts->source_port, ntohs(packet->sport) },
		{ "dport", facts->ports, facts->destination_port, ntohs(packet->dport) },
		{ "tcp_flags", facts->tcp, facts->tcp_flags, packet->tcp_flags },
		{ "tcp_window", facts->tcp, facts->tcp_window, ntohs(packet->tcp_window) },
		{ "icmp_type", facts->icmp, facts->icmp_type, packet->icmp_type },
		{ "icmp_code", facts->icmp, facts->icmp_code, packet->icmp_code },
		{ "source", facts->addresses, 0, memcmp(facts->source, packet->saddr, width) },
		{ "destination", facts->addresses, 0,
		  memcmp(facts->destination, packet->daddr, width) },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].counts && rows[i].ours != rows[i].theirs)
			return differ(rows[i].what, rows[i].ours, rows[i].theirs);
	return NULL;
}

static bool ran_out(const struct scene *scene, const struct outcome *outcome)
{
	return scene->policy.limited && outcome->action == XDP_DROP &&
	       outcome->reason == ECBPF_REASON_FILTER_TOO_BIG_LIMIT;
}

/*
 * An answer is written into the first piece, and keeps two tags: where the one is too short or the
 * others are more, there is none.
 */
static bool has_no_room(const struct facts *facts, size_t linear, const struct outcome *outcome)
{
	size_t quote = facts->family == 4 ? facts->l4 - facts->l3 + 8 : 1232;

	if (outcome->action != XDP_DROP || outcome->reason != ECBPF_REASON_FILTER_TOO_BIG_ERROR)
		return false;
	return facts->l3 > 22 || (linear && linear < facts->l3 + quote);
}

static const char *compare_fate(enum fate fate, const struct outcome *outcome)
{
	static char text[128];

	if (outcome->action == fates[fate].action && outcome->reason == fates[fate].reason &&
	    outcome->slot == fates[fate].slot)
		return NULL;
	snprintf(text, sizeof(text), "expected '%s', is %s by slot %u: %s", fates[fate].name,
		 ecbpf_action_name(outcome->action), outcome->slot,
		 ecbpf_reason_name(outcome->reason));
	return text;
}

const char *compare(const struct scene *scene, const struct facts *facts,
		    const struct expected *expected, size_t linear, const struct outcome *outcome)
{
	const char *difference = NULL;

	if (expected->fate != FATE_ANSWER ||
	    (!ran_out(scene, outcome) && !has_no_room(facts, linear, outcome)))
		difference = compare_fate(expected->fate, outcome);
	if (!difference)
		difference = compare_facts(facts, &outcome->packet);
	return difference;
}
