// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "frames.h"

/* As many as root follows, nearly. */
#define TAGS_MAX 1000

/* Where the frame being built stands: the field that says what comes next, and IP's length. */
struct builder {
	struct frame *frame;
	const struct theme *theme;
	struct random *random;
	size_t next_field;
	unsigned int family;
	size_t network;
	/* Later fragments carry no transport header. */
	bool headless;
};

static uint8_t *add(struct builder *builder, enum part_kind kind, size_t octets)
{
	struct frame *frame = builder->frame;
	size_t at = frame->length;

	if (frame->part_count < PARTS_MAX)
		frame->parts[frame->part_count++] = (struct part){ kind, at };
	if (octets > FRAME_MAX - at)
		octets = FRAME_MAX - at;
	memset(frame->octets + at, 0, octets);
	frame->length += octets;
	return frame->octets + at;
}

static void put16(uint8_t *octets, unsigned int value)
{
	octets[0] = value >> 8;
	octets[1] = value;
}

static size_t pick(struct builder *builder, size_t below)
{
	return random_below(builder->random, below);
}

static bool chance(struct builder *builder, unsigned int percent)
{
	return random_chance(builder->random, percent);
}

static void pick_special(uint8_t *address, unsigned int family, struct random *random)
{
	static const uint8_t special4[][4] = {
		{ 0 },
		{ 0, 0, 0, 1 },
		{ 127, 0, 0, 1 },
		{ 224, 0, 0, 1 },
		{ 239, 255, 255, 255 },
		{ 240, 0, 0, 1 },
		{ 255, 255, 255, 255 },
		{ 126, 255, 255, 255 },
		{ 128 },
		{ 223, 255, 255, 255 },
	};
	static const uint8_t special6[][16] = {
		{ 0 },
		{ [15] = 1 },
		{ [15] = 2 },
		{ [14] = 1 },
		{ 0xff, 2, [15] = 1 },
		{ 0xfe, 0x80, [15] = 1 },
		{ 0xff, 0xff, [15] = 1 },
		{ [10] = 0xff, 0xff, 192, 0, 2, 1 },
		{ [10] = 0xff, 0xfe, 192, 0, 2, 1 },
		{ [8] = 1, [10] = 0xff, 0xff, 10, 0, 0, 1 },
		{ [12] = 192, 0, 2, 1 },
	};

	if (family == 4)
		memcpy(address, special4[random_below(random, 10)], 4);
	else
		memcpy(address, special6[random_below(random, 11)], 16);
}

/* An entry's first or last address, or one beside them. */
static void pick_edge(uint8_t *address, const struct listed *entry, struct random *random)
{
	size_t width = entry->family == 4 ? 4 : 16, bit;
	bool last = random_chance(random, 50);
	int step = random_below(random, 2);

	memcpy(address, entry->address, width);
	for (bit = entry->length; last && bit < width * 8; bit++)
		address[bit / 8] |= 0x80 >> bit % 8;
	while (step && width--) {
		address[width] += last ? 1 : -1;
		step = address[width] == (last ? 0 : 0xff);
	}
}

static void pick_inside(uint8_t *address, const struct listed *entry, struct random *random)
{
	size_t width = entry->family == 4 ? 32 : 128, bit;

	random_fill(random, address, width / 8);
	for (bit = 0; bit < entry->length; bit++) {
		address[bit / 8] &= ~(0x80 >> bit % 8);
		address[bit / 8] |= entry->address[bit / 8] & 0x80 >> bit % 8;
	}
}

/* False if what it came upon is of the other family. */
static bool pick_local(uint8_t *address, unsigned int family, const struct policy *policy,
		       struct random *random)
{
	const struct listed *local;

	if (!policy->local_length)
		return false;
	local = &policy->local[random_below(random, policy->local_length)];
	if (local->family != family)
		return false;
	memcpy(address, local->address, family == 4 ? 4 : 16);
	return true;
}

void frame_pick_address(uint8_t *address, unsigned int family, const struct theme *theme,
			struct random *random)
{
	const struct policy *policy = theme->policy;
	const struct listed *entry = NULL;
	size_t dice = random_below(random, 100);

	if (policy->list_length)
		entry = &policy->list[random_below(random, policy->list_length)];
	if (dice < 15)
		pick_special(address, family, random);
	else if (dice < 20 && pick_local(address, family, policy, random))
		return;
	else if (dice < 45 && entry && entry->family == family)
		pick_inside(address, entry, random);
	else if (dice < 65 && entry && entry->family == family)
		pick_edge(address, entry, random);
	else
		random_fill(random, address, family == 4 ? 4 : 16);
	/* Host addresses of common kind are what most traffic has. */
	if (dice >= 85 && family == 4)
		address[0] = 1 + address[0] % 126;
	else if (dice >= 85)
		address[0] = 0x20 | (address[0] & 0x1f);
}

static void pick_destination(struct builder *builder, uint8_t *address)
{
	if (chance(builder, 30) &&
	    pick_local(address, builder->family, builder->theme->policy, builder->random))
		return;
	frame_pick_address(address, builder->family, builder->theme, builder->random);
	if (chance(builder, 60))
		address[0] = builder->family == 4 ? 10 : 0x2a;
}

static void build_link(struct builder *builder)
{
	uint8_t *ethernet = add(builder, PART_ETHERNET, 14);
	size_t tags = 0, i;
	uint8_t *tag;

	random_fill(builder->random, ethernet, 12);
	if (chance(builder, 95))
		ethernet[0] &= ~1;
	if (chance(builder, 97))
		ethernet[6] &= ~1;
	builder->next_field = 12;
	if (chance(builder, 40))
		tags = chance(builder, 20) ? 3 + pick(builder, 4) : 1 + pick(builder, 2);
	if (chance(builder, 1))
		tags = pick(builder, TAGS_MAX);
	for (i = 0; i < tags; i++) {
		put16(builder->frame->octets + builder->next_field,
		      chance(builder, 50) ? 0x8100 : 0x88a8);
		tag = add(builder, PART_TAG, 4);
		random_fill(builder->random, tag, 2);
		/* Priority tags, which name no VLAN. */
		if (chance(builder, tags > 2 ? 80 : 20))
			put16(tag, tag[0] << 8 & 0xf000);
		builder->next_field += 4;
	}
}

static void build_ipv4(struct builder *builder)
{
	static const unsigned int fragments[] = { 0x2000, 0x2000, 0x2001, 0x0001, 0x1fff, 0x6000 };
	size_t options = chance(builder, 25) ? pick(builder, 11) * 4 : 0;
	uint8_t *ip;

	put16(builder->frame->octets + builder->next_field, 0x0800);
	builder->family = 4;
	builder->network = builder->frame->length;
	builder->next_field = builder->network + 9;
	ip = add(builder, PART_IPV4, 20 + options);
	ip[0] = 0x40 | (20 + options) / 4;
	random_fill(builder->random, ip + 4, 2);
	ip[6] = chance(builder, 50) ? 0x40 : 0;
	if (chance(builder, 45))
		put16(ip + 6, fragments[pick(builder, 6)]);
	if (chance(builder, 3))
		ip[6] |= 0x80;
	builder->headless = (ip[6] & 0x1f) || ip[7];
	ip[8] = 64;
	random_fill(builder->random, ip + 10, 2);
	frame_pick_address(ip + 12, 4, builder->theme, builder->random);
	pick_destination(builder, ip + 16);
	random_fill(builder->random, ip + 20, options);
}

static void build_extension(struct builder *builder)
{
	static const uint8_t kinds[] = { 0, 43, 60, 44, 51 };
	uint8_t kind = kinds[pick(builder, 5)];
	size_t units = chance(builder, 3) ? pick(builder, 256) : pick(builder, 4), octets;
	uint8_t *extension;

	octets = kind == 44 ? 8 : kind == 51 ? (units + 2) * 4 : (units + 1) * 8;
	builder->frame->octets[builder->next_field] = kind;
	builder->next_field = builder->frame->length;
	extension = add(builder, PART_EXTENSION, octets);
	random_fill(builder->random, extension + 2, octets - 2);
	extension[1] = kind == 44 ? 0 : units;
	if (kind != 44)
		return;
	put16(extension + 2, chance(builder, 50) ? 0x0001 : chance(builder, 50) ? 0 : 0x05a9);
	builder->headless |= extension[2] || extension[3] & 0xf8;
}

static void build_ipv6(struct builder *builder)
{
	size_t extensions = 0;
	uint8_t *ip;

	put16(builder->frame->octets + builder->next_field, 0x86dd);
	builder->family = 6;
	builder->network = builder->frame->length;
	builder->next_field = builder->network + 6;
	ip = add(builder, PART_IPV6, 40);
	ip[0] = 0x60;
	ip[7] = 64;
	frame_pick_address(ip + 8, 6, builder->theme, builder->random);
	pick_destination(builder, ip + 24);
	if (chance(builder, 70))
		extensions = chance(builder, 20) ? 7 + pick(builder, 4) : 1 + pick(builder, 4);
	while (extensions-- && builder->frame->length < FRAME_MAX - 4096)
		build_extension(builder);
}

static void build_transport(struct builder *builder)
{
	static const uint8_t protocols[] = {
		6, 6, 17, 17, 1, 58, 58, 1, 59, 50, 4, 41, 47, 132, 255
	};
	static const uint8_t errors[] = { 3, 4, 5, 11, 12, 1, 2, 3, 127, 137 };
	uint8_t protocol = protocols[pick(builder, sizeof(protocols))], *header;

	if (chance(builder, 20))
		protocol = builder->family == 4 ? 1 : 58;
	builder->frame->octets[builder->next_field] = protocol;
	if (builder->headless && chance(builder, 80))
		return;
	header = add(builder, PART_TRANSPORT, protocol == 6 ? 20 : 8);
	random_fill(builder->random, header, protocol == 6 ? 20 : 8);
	if (protocol == 6)
		header[12] = 0x50;
	if ((protocol == 1 || protocol == 58) && chance(builder, 50))
		header[0] = errors[pick(builder, sizeof(errors))];
	else if (protocol == 1 || protocol == 58)
		header[0] = protocol == 1 ? 8 : 128;
}

static void build_payload(struct builder *builder)
{
	size_t octets = pick(builder, 64), room, length;
	uint8_t *ip = builder->frame->octets + builder->network, *payload;

	if (chance(builder, 15))
		octets = 1200 + pick(builder, 400);
	if (chance(builder, 2))
		octets = pick(builder, FRAME_MAX);
	room = builder->theme->length_max > builder->frame->length ?
		       builder->theme->length_max - builder->frame->length :
		       0;
	if (octets > room)
		octets = room;
	payload = add(builder, PART_PAYLOAD, octets);
	random_fill(builder->random, payload, octets);
	length = builder->frame->length - builder->network;
	if (builder->family == 4)
		put16(ip + 2, length);
	else
		put16(ip + 4, length - 40);
}

static void build_other(struct builder *builder)
{
	static const unsigned int types[] = {
		0x0806, 0x88cc, 0x8864, 0x8847, 0x9100, 0x0026, 0x86de
	};
	size_t octets = 46 + pick(builder, 64);

	put16(builder->frame->octets + builder->next_field, types[pick(builder, 7)]);
	random_fill(builder->random, add(builder, PART_PAYLOAD, octets), octets);
}

void frame_build(struct frame *frame, const struct theme *theme, struct random *random)
{
	struct builder builder = { .frame = frame, .theme = theme, .random = random };

	frame->length = 0;
	frame->part_count = 0;
	build_link(&builder);
	if (chance(&builder, 2)) {
		build_other(&builder);
	} else {
		if (chance(&builder, 50))
			build_ipv4(&builder);
		else
			build_ipv6(&builder);
		build_transport(&builder);
		build_payload(&builder);
		if (chance(&builder, 10))
			add(&builder, PART_PAYLOAD, pick(&builder, 32));
	}
	if (frame->length > theme->length_max)
		frame->length = theme->length_max;
}
