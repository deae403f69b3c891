// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "dissector.h"

#define CHAIN_MAX 8

/* The octets of a frame, eaten from the front. */
struct cursor {
	const uint8_t *frame;
	size_t length;
	size_t at;
};

static bool has(const struct cursor *cursor, size_t octets)
{
	return cursor->at <= cursor->length && cursor->length - cursor->at >= octets;
}

static unsigned int octet(const struct cursor *cursor, size_t offset)
{
	return cursor->frame[cursor->at + offset];
}

static unsigned int pair(const struct cursor *cursor, size_t offset)
{
	return octet(cursor, offset) << 8 | octet(cursor, offset + 1);
}

/* RFC 9293, 768, 792, 4443. A cut header still says what its first fields say. */
static void dissect_transport(struct cursor *cursor, struct facts *facts)
{
	bool tcp = facts->protocol == 6, udp = facts->protocol == 17;
	/* Either family's ICMP is read in both; they are laid out alike. */
	bool icmp = facts->protocol == 1 || facts->protocol == 58;

	if (!has(cursor, 0)) {
		facts->cut = true;
		return;
	}
	facts->l4_unknown = !tcp && !udp && !icmp;
	if (facts->l4_unknown)
		return;
	facts->cut = !has(cursor, tcp ? 20 : 8);
	if ((tcp || udp) && has(cursor, 4)) {
		facts->ports = true;
		facts->source_port = pair(cursor, 0);
		facts->destination_port = pair(cursor, 2);
	}
	if (tcp && !facts->cut) {
		facts->tcp = true;
		facts->tcp_flags = octet(cursor, 13);
		facts->tcp_window = pair(cursor, 14);
	}
	if (icmp && has(cursor, 2)) {
		facts->icmp = true;
		facts->icmp_type = octet(cursor, 0);
		facts->icmp_code = octet(cursor, 1);
	}
}

/* RFC 791. */
static void dissect_ipv4(struct cursor *cursor, struct facts *facts)
{
	size_t header, total, present = cursor->length - cursor->at;
	unsigned int word;

	if (!has(cursor, 20)) {
		facts->cut = true;
		return;
	}
	facts->malformed = octet(cursor, 0) >> 4 != 4;
	if (facts->malformed)
		return;
	facts->addresses = true;
	memcpy(facts->source, cursor->frame + cursor->at + 12, 4);
	memcpy(facts->destination, cursor->frame + cursor->at + 16, 4);
	facts->protocol = octet(cursor, 9);
	facts->ttl = octet(cursor, 8);

	header = (octet(cursor, 0) & 15) * 4;
	facts->malformed = header < 20;
	if (facts->malformed)
		return;
	facts->options = header > 20;
	total = pair(cursor, 2);
	facts->bad_length = total < header || total > present;
	/* BIG TCP: more than the field can say. */
	if (!total && present > 65535)
		facts->bad_length = false;

	word = pair(cursor, 6);
	facts->reserved_bit = word >> 15;
	facts->fragment_offset = word % 8192 * 8;
	facts->fragment = facts->fragment_offset || (word >> 13 & 1);
	facts->first_fragment = facts->fragment && !facts->fragment_offset;
	facts->cut = !has(cursor, header);
	cursor->at += header;
	facts->l4 = cursor->at;
	if (!facts->fragment || facts->first_fragment)
		dissect_transport(cursor, facts);
}

/* RFC 8200 section 4, RFC 4302 section 2.2. Length of the header at the cursor, 0: no such. */
static size_t extension_length(const struct cursor *cursor, uint8_t kind)
{
	switch (kind) {
	case 0: /* hop-by-hop options */
	case 43: /* routing */
	case 60: /* destination options */
		return 8 + 8 * octet(cursor, 1);
	case 44: /* fragment */
		return 8;
	case 51: /* authentication */
		return 8 + 4 * octet(cursor, 1);
	default:
		return 0;
	}
}

static bool is_extension(uint8_t kind)
{
	static const uint8_t kinds[] = { 0, 43, 44, 51, 60 };

	return memchr(kinds, kind, sizeof(kinds));
}

/* Leaves the cursor behind the chain. False: it ends the packet as far as this frame knows it. */
static bool dissect_chain(struct cursor *cursor, struct facts *facts)
{
	int taken;

	for (taken = 0; taken < CHAIN_MAX && is_extension(facts->protocol); taken++) {
		uint8_t kind = facts->protocol;

		facts->options = true;
		if (!has(cursor, 8)) {
			facts->cut = true;
			return false;
		}
		facts->protocol = octet(cursor, 0);
		if (kind == 44) {
			unsigned int word = pair(cursor, 2);

			facts->fragment_offset = word & ~7U;
			/* Neither: an atomic fragment, whole (RFC 6946). */
			facts->fragment |= facts->fragment_offset || (word & 1);
			/* Of a fragment in a fragment, this frame begins nothing. */
			facts->first_fragment = facts->fragment && !facts->fragment_offset;
		}
		cursor->at += extension_length(cursor, kind);
		facts->l4 = cursor->at;
		if (facts->fragment && !facts->first_fragment)
			return false;
	}
	facts->chain_goes_on = is_extension(facts->protocol) && has(cursor, 0);
	return true;
}

/* RFC 8200 section 3. */
static void dissect_ipv6(struct cursor *cursor, struct facts *facts)
{
	if (!has(cursor, 40)) {
		facts->cut = true;
		return;
	}
	facts->malformed = octet(cursor, 0) >> 4 != 6;
	if (facts->malformed)
		return;
	facts->addresses = true;
	facts->protocol = octet(cursor, 6);
	facts->ttl = octet(cursor, 7);
	memcpy(facts->source, cursor->frame + cursor->at + 8, 16);
	memcpy(facts->destination, cursor->frame + cursor->at + 24, 16);
	facts->bad_length = !has(cursor, 40 + pair(cursor, 4));
	cursor->at += 40;
	facts->l4 = cursor->at;
	if (dissect_chain(cursor, facts))
		dissect_transport(cursor, facts);
}

/*
 * IEEE 802.1Q: TPID, TCI, and then again a type. Two tags are told of. Beyond them the kernel,
 * which takes off as many priority tags (VLAN 0) as there are, may find IP as long as no third one
 * names a VLAN. The cursor is left behind the type that ends them, which counts as 0 if more than
 * two name one. -1: cut short.
 */
static int dissect_tags(struct cursor *cursor, struct facts *facts)
{
	unsigned int type, named = 0, tag;

	for (tag = 0; has(cursor, 2); tag++) {
		type = pair(cursor, 0);
		cursor->at += 2;
		if (type != 0x8100 && type != 0x88a8)
			return named > 2 ? 0 : type;
		if (!has(cursor, 4))
			break;
		named += pair(cursor, 0) % 4096 != 0;
		if (tag < 2)
			facts->tci[facts->tags++] = pair(cursor, 0);
		cursor->at += 2;
	}
	return -1;
}

void dissect(const uint8_t *frame, size_t length, struct facts *facts)
{
	struct cursor cursor = { .frame = frame, .length = length, .at = 12 };
	int type;

	memset(facts, 0, sizeof(*facts));
	type = dissect_tags(&cursor, facts);
	facts->cut = type < 0;
	facts->l3 = cursor.at;
	facts->family = type == 0x0800 ? 4 : type == 0x86dd ? 6 : 0;
	facts->for_slots = facts->cut || facts->family;
	if (facts->family == 4)
		dissect_ipv4(&cursor, facts);
	else if (facts->family == 6)
		dissect_ipv6(&cursor, facts);
}

static bool within(const struct facts *facts, const uint8_t *address, const struct listed *entry)
{
	unsigned int bit;

	if (entry->family != facts->family)
		return false;
	for (bit = 0; bit < entry->length; bit++)
		if ((address[bit / 8] ^ entry->address[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

enum opinion {
	OPINION_NONE,
	OPINION_DROP,
	OPINION_ALLOW,
};

/* An allow entry wins over every drop; of drops, the longest decides. */
static enum opinion ask_list(const struct facts *facts, const struct policy *policy,
			     size_t *decides)
{
	const struct listed *longest = NULL;
	size_t i;

	for (i = 0; i < policy->list_length; i++) {
		const struct listed *entry = &policy->list[i];

		if (!entry->live || !within(facts, facts->source, entry))
			continue;
		if (entry->allow)
			return OPINION_ALLOW;
		if (!longest || entry->length > longest->length)
			longest = entry;
	}
	if (!longest)
		return OPINION_NONE;
	*decides = longest - policy->list;
	return OPINION_DROP;
}

/* Whether @address is local, in places from @begin to before @end. */
static bool is_local(const struct facts *facts, const uint8_t *address, const struct policy *policy,
		     size_t begin, size_t end)
{
	for (; begin < end; begin++)
		if (within(facts, address, &policy->local[begin]))
			return true;
	return false;
}

static bool is_for_us(const struct facts *facts, const struct policy *policy)
{
	return is_local(facts, facts->destination, policy, 0, policy->own_length);
}

static bool is_zero(const uint8_t *octets, size_t count)
{
	while (count && !octets[count - 1])
		count--;
	return !count;
}

/* One host, which a message can come from or go to. */
static bool is_host(unsigned int family, const uint8_t *address)
{
	if (family == 4)
		return !is_zero(address, 4) && address[0] != 127 && address[0] < 224;
	if (address[0] == 0xff)
		return false;
	/* ::, ::1, and ::ffff:0:0/96, which is for use inside hosts (RFC 4291 2.5.5.2). */
	if (is_zero(address, 15) && address[15] < 2)
		return false;
	return !(is_zero(address, 10) && address[10] == 0xff && address[11] == 0xff);
}

/* RFC 1122 section 3.2.2 and RFC 4443 section 2.4 (e), and what might be such but is cut short. */
static bool may_be_error(const struct facts *facts)
{
	if (facts->family == 4) {
		if (facts->protocol != 1)
			return false;
		if (!facts->icmp)
			return true;
		return memchr("\x03\x04\x05\x0b\x0c", facts->icmp_type, 5);
	}
	if (is_extension(facts->protocol))
		return true;
	if (facts->protocol != 58)
		return false;
	return !facts->icmp || facts->icmp_type < 128 || facts->icmp_type == 137;
}

static bool deserves_answer(const uint8_t *frame, const struct facts *facts,
			    const struct policy *policy)
{
	bool group = frame[0] & 1 || frame[6] & 1;

	/* RFC 1122 section 3.2.2: to or from all in a subnet; and none is for the host itself. */
	if (is_local(facts, facts->source, policy, 0, policy->local_length) ||
	    is_local(facts, facts->destination, policy, policy->own_length, policy->local_length))
		return false;
	return facts->first_fragment && !group && is_host(facts->family, facts->source) &&
	       is_host(facts->family, facts->destination) && !may_be_error(facts);
}

static enum fate fate_by_looks(const uint8_t *frame, const struct facts *facts,
			       const struct policy *policy)
{
	if (facts->reserved_bit)
		return FATE_DROP_RESERVED_BIT;
	if (facts->bad_length)
		return FATE_DROP_LENGTH;
	if (facts->cut && policy->truncated_drop)
		return FATE_DROP_CUT;
	if (facts->options && facts->family == 4 && policy->drop_options)
		return FATE_DROP_OPTIONS;
	if (!policy->frags_drop || (!facts->fragment && !facts->chain_goes_on))
		return FATE_PASS;
	if (policy->frags_local_pass && is_for_us(facts, policy))
		return FATE_PASS;
	if (policy->answers && deserves_answer(frame, facts, policy))
		return FATE_ANSWER;
	return FATE_DROP_FRAGMENT;
}

void judge(const uint8_t *frame, const struct facts *facts, const struct policy *policy,
	   struct expected *expected)
{
	enum opinion opinion = OPINION_NONE;

	memset(expected, 0, sizeof(*expected));
	if (!facts->for_slots) {
		expected->fate = FATE_PASS_NOT_IP;
		return;
	}
	if (facts->addresses)
		opinion = ask_list(facts, policy, &expected->entry);
	if (opinion == OPINION_ALLOW)
		expected->fate = FATE_PASS;
	else if (opinion == OPINION_DROP)
		expected->fate = facts->family == 4 ? FATE_DROP_SOURCE : FATE_DROP_SOURCE6;
	else
		expected->fate = fate_by_looks(frame, facts, policy);
}
