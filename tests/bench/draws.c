// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "draws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include <ecbpf/ecbpf.h>

#include "fuzz/random.h"
#include "xdp_fw/evaluate.h"
#include "xdp_fw/packet.h"

#define SEED 3
/* How often a packet is drawn until it is of the kind that is asked for. */
#define TRIES_MAX 1000
/* Of 100 fields, so many are anything, or some rules could never be missed. */
#define ANYTHING 10

#define TCP_FLAGS_OCTET 13

/* Of which rule each field is. */
struct origin {
	const struct fw_ruleset *ruleset;
	struct random *random;
	enum draws_kind kind;
	const struct fw_rule *rule;
};

static const struct fw_rule *any_rule(const struct origin *origin)
{
	if (origin->kind == DRAWS_LAST)
		return &origin->ruleset->rules[origin->ruleset->count - 1];
	return &origin->ruleset->rules[random_below(origin->random, origin->ruleset->count)];
}

/* The rule that the next field is to satisfy, or NULL. */
static const struct fw_rule *next_rule(const struct origin *origin)
{
	if (origin->kind == DRAWS_RANDOM)
		return NULL;
	if (origin->kind != DRAWS_NEAR)
		return origin->rule;
	return random_chance(origin->random, ANYTHING) ? NULL : any_rule(origin);
}

static void draw_address(const struct origin *origin, const struct fw_addresses *wanted,
			 unsigned int family, __be32 address[4])
{
	unsigned int octets = family == 4 ? 4 : 16, i, kept = 0;
	uint8_t *out = (uint8_t *)address;
	const struct prefix *prefix = NULL;

	if (wanted && wanted->given && !wanted->negated && wanted->count)
		prefix = &wanted->items[random_below(origin->random, wanted->count)];
	for (i = 0; i < octets; i++) {
		uint8_t mask = 0xff, octet = random_next(origin->random);

		if (prefix) {
			kept = prefix->length > 8 * i ? prefix->length - 8 * i : 0;
			mask = kept < 8 ? 0xff >> kept : 0;
			octet = (prefix->addr[i] & ~mask) | (octet & mask);
		}
		out[i] = octet;
	}
}

static uint32_t draw_number(const struct origin *origin, const struct fw_rule *rule,
			    enum fw_number number)
{
	const struct fw_numbers *wanted = rule ? &rule->numbers[number] : NULL;
	const struct fw_range *range;

	if (!wanted || !wanted->given || wanted->negated)
		return random_below(origin->random, fw_number_max(number) + 1);
	range = &wanted->items[random_below(origin->random, wanted->count)];
	return range->first + random_below(origin->random, range->last - range->first + 1);
}

static void draw_one(struct origin *origin, unsigned int family, struct draw *draw)
{
	const struct fw_rule *rule;

	memset(draw, 0, sizeof(*draw));
	origin->rule = any_rule(origin);
	rule = next_rule(origin);
	draw_address(origin, rule ? &rule->from : NULL, family, draw->saddr);
	rule = next_rule(origin);
	draw_address(origin, rule ? &rule->to : NULL, family, draw->daddr);
	draw->sport = htons(draw_number(origin, next_rule(origin), FW_SPORT));
	draw->dport = htons(draw_number(origin, next_rule(origin), FW_DPORT));
	draw->window = htons(draw_number(origin, next_rule(origin), FW_WINDOW));
	draw->ttl = draw_number(origin, next_rule(origin), FW_TTL);
	rule = next_rule(origin);
	draw->flags = rule && rule->flags.given ? rule->flags.flags : random_next(origin->random);
	rule = next_rule(origin);
	draw->protocol = rule && !fw_numbers_contain(&rule->numbers[FW_PROTOCOL], IPPROTO_TCP) ?
				 IPPROTO_UDP :
				 IPPROTO_TCP;
}

void draw_frame(unsigned int family, const struct draw *draw, struct bench_frame *frame)
{
	struct ipv6hdr *ip6;
	struct iphdr *ip;
	struct tcphdr *tcp;

	bench_tcp_frame(family, NULL, frame);
	ip = (void *)(frame->octets + ETH_HLEN);
	ip6 = (void *)ip;
	if (family == 4) {
		memcpy(&ip->saddr, draw->saddr, sizeof(ip->saddr));
		memcpy(&ip->daddr, draw->daddr, sizeof(ip->daddr));
		ip->ttl = draw->ttl;
		ip->protocol = draw->protocol;
		tcp = (void *)(ip + 1);
	} else {
		memcpy(&ip6->saddr, draw->saddr, sizeof(ip6->saddr));
		memcpy(&ip6->daddr, draw->daddr, sizeof(ip6->daddr));
		ip6->hop_limit = draw->ttl;
		ip6->nexthdr = draw->protocol;
		tcp = (void *)(ip6 + 1);
	}
	tcp->source = draw->sport;
	tcp->dest = draw->dport;
	tcp->window = draw->window;
	((uint8_t *)tcp)[TCP_FLAGS_OCTET] = draw->flags;
}

static bool never_over(void *context, size_t rule)
{
	(void)context;
	(void)rule;
	return false;
}

static void ignore_hit(void *context, size_t rule, bool dropped)
{
	(void)context;
	(void)rule;
	(void)dropped;
}

static bool is_of_kind(const struct fw_ruleset *ruleset, unsigned int family, enum draws_kind kind,
		       const struct draw *draw)
{
	const struct fw_hooks hooks = { .over = never_over, .hit = ignore_hit };
	struct fw_verdict verdict = {};
	struct ecbpf_packet packet;
	struct bench_frame frame;
	struct fw_facts facts = { .packet = &packet };

	draw_frame(family, draw, &frame);
	facts.length = frame.size;
	if (fw_packet_parse(frame.octets, frame.size, &packet))
		fw_evaluate(ruleset, &facts, &hooks, &verdict);
	if (kind == DRAWS_LAST)
		return verdict.drop && verdict.rule == ruleset->count - 1;
	return verdict.drop == (kind == DRAWS_HIT);
}

int draws_make(const struct fw_ruleset *ruleset, unsigned int family, enum draws_kind kind,
	       struct draw *draws, size_t count)
{
	struct random random = random_for(SEED, 10 * family + kind);
	struct origin origin = { .ruleset = ruleset, .random = &random, .kind = kind };
	size_t i, tries;

	for (i = 0; i < count; i++) {
		for (tries = 0; tries < TRIES_MAX; tries++) {
			draw_one(&origin, family, &draws[i]);
			if (is_of_kind(ruleset, family, kind, &draws[i]))
				break;
		}
		if (tries == TRIES_MAX)
			return ecbpf_fail(-EBADMSG, "no packet of the kind that is looked for");
	}
	return 0;
}
