// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "frames.h"

/* Octets of headers: mutations of payload tell little. */
static size_t header_octets(const struct frame *frame)
{
	size_t i;

	for (i = 0; i < frame->part_count; i++)
		if (frame->parts[i].kind == PART_PAYLOAD && frame->parts[i].at < frame->length)
			return frame->parts[i].at;
	return frame->length;
}

static void resize(struct frame *frame, const struct theme *theme, size_t length)
{
	if (length > theme->length_max)
		length = theme->length_max;
	if (length < FRAME_MIN)
		length = FRAME_MIN;
	if (length > frame->length)
		memset(frame->octets + frame->length, 0, length - frame->length);
	frame->length = length;
}

static void write_octet(struct frame *frame, size_t at, uint8_t value)
{
	if (at < frame->length)
		frame->octets[at] = value;
}

static size_t part_end(const struct frame *frame, size_t index)
{
	size_t end = index + 1 < frame->part_count ? frame->parts[index + 1].at : frame->length;

	return end < frame->length ? end : frame->length;
}

/* Values at which parsers change their mind. */
static uint8_t edge_value(struct random *random)
{
	static const uint8_t values[] = {
		0,  1,	2,  3,	4,  5,	6,   8,	  17,  20,  40,	 43,  44,
		50, 51, 58, 59, 60, 64, 127, 128, 135, 137, 224, 254, 255
	};

	return values[random_below(random, sizeof(values))];
}

static void flip_bits(struct frame *frame, const struct frame *other, const struct theme *theme,
		      struct random *random)
{
	size_t count = 1 + random_below(random, 3), bit;

	(void)other;
	(void)theme;
	while (count--) {
		bit = random_below(random, header_octets(frame) * 8);
		frame->octets[bit / 8] ^= 1 << bit % 8;
	}
}

static void set_octet(struct frame *frame, const struct frame *other, const struct theme *theme,
		      struct random *random)
{
	size_t at = random_below(random, header_octets(frame));

	(void)other;
	(void)theme;
	write_octet(frame, at, edge_value(random));
}

static void edit_ipv4(struct frame *frame, size_t at, const struct theme *theme,
		      struct random *random)
{
	uint8_t address[16];
	size_t side, i;

	switch (random_below(random, 5)) {
	case 0:
		write_octet(frame, at, random_next(random));
		break;
	case 1:
		write_octet(frame, at, 0x40 | random_below(random, 16));
		break;
	case 2:
		write_octet(frame, at + 6, random_next(random));
		if (random_chance(random, 50))
			write_octet(frame, at + 7, 0);
		break;
	case 3:
		write_octet(frame, at + 9, edge_value(random));
		break;
	default:
		side = random_chance(random, 70) ? 12 : 16;
		frame_pick_address(address, 4, theme, random);
		for (i = 0; i < 4; i++)
			write_octet(frame, at + side + i, address[i]);
	}
}

static void edit_ipv6(struct frame *frame, size_t at, const struct theme *theme,
		      struct random *random)
{
	uint8_t address[16];
	size_t side, i;

	switch (random_below(random, 3)) {
	case 0:
		write_octet(frame, at, random_next(random));
		break;
	case 1:
		write_octet(frame, at + 6, edge_value(random));
		break;
	default:
		side = random_chance(random, 70) ? 8 : 24;
		frame_pick_address(address, 6, theme, random);
		for (i = 0; i < 16; i++)
			write_octet(frame, at + side + i, address[i]);
	}
}

static void edit_field(struct frame *frame, const struct frame *other, const struct theme *theme,
		       struct random *random)
{
	const struct part *part = &frame->parts[random_below(random, frame->part_count)];
	static const uint8_t types[] = { 0x81, 0x88, 0x08, 0x86, 0x91, 0x06 };
	static const uint8_t types_low[] = { 0x00, 0xa8, 0x00, 0xdd, 0x00, 0x01 };
	size_t i = random_below(random, sizeof(types));

	(void)other;
	switch (part->kind) {
	case PART_ETHERNET:
	case PART_TAG:
		/* Most of what could stand there is no IP, and soon told. */
		if (random_chance(random, 70))
			break;
		write_octet(frame, part->at + (part->kind == PART_TAG ? 2 : 12), types[i]);
		write_octet(frame, part->at + (part->kind == PART_TAG ? 3 : 13), types_low[i]);
		break;
	case PART_IPV4:
		edit_ipv4(frame, part->at, theme, random);
		break;
	case PART_IPV6:
		edit_ipv6(frame, part->at, theme, random);
		break;
	case PART_EXTENSION:
		write_octet(frame, part->at + random_below(random, 4), edge_value(random));
		break;
	default:
		write_octet(frame, part->at + random_below(random, 16), edge_value(random));
	}
}

/* Anywhere at all, but most often within the headers and around their ends. */
static void cut(struct frame *frame, const struct frame *other, const struct theme *theme,
		struct random *random)
{
	size_t length = random_below(random, frame->length + 1);

	(void)other;
	if (random_chance(random, 50))
		length = random_below(random, header_octets(frame) + 1);
	else if (random_chance(random, 50))
		length = frame->parts[random_below(random, frame->part_count)].at +
			 random_below(random, 24);
	if (length < frame->length)
		resize(frame, theme, length);
}

static void grow(struct frame *frame, const struct frame *other, const struct theme *theme,
		 struct random *random)
{
	size_t before = frame->length;

	(void)other;
	resize(frame, theme, before + 1 + random_below(random, 64));
	if (frame->length > before)
		random_fill(random, frame->octets + before, frame->length - before);
}

/* IP's own length, off by little, or altogether. */
static void lie(struct frame *frame, const struct frame *other, const struct theme *theme,
		struct random *random)
{
	size_t i, at = 0;
	unsigned int value;

	(void)other;
	(void)theme;
	for (i = 0; i < frame->part_count; i++) {
		if (frame->parts[i].kind == PART_IPV4)
			at = frame->parts[i].at + 2;
		else if (frame->parts[i].kind == PART_IPV6)
			at = frame->parts[i].at + 4;
	}
	if (!at || at + 2 > frame->length)
		return;
	value = frame->octets[at] << 8 | frame->octets[at + 1];
	value += random_below(random, 129) - 64;
	if (random_chance(random, 20))
		value = random_chance(random, 50) ? 0 : 0xffff;
	write_octet(frame, at, value >> 8);
	write_octet(frame, at + 1, value);
}

/* Put the octets of another place, or of another frame, in between. */
static void insert(struct frame *frame, const struct frame *other, const struct theme *theme,
		   struct random *random)
{
	const struct frame *lender = random_chance(random, 50) ? other : frame;
	size_t source = random_below(random, lender->part_count);
	size_t target = random_below(random, frame->part_count);
	size_t at = frame->parts[target].at, from = lender->parts[source].at;
	size_t count = part_end(lender, source), room, i;
	uint8_t copy[256];

	count = count > from ? count - from : 0;
	room = theme->length_max > frame->length ? theme->length_max - frame->length : 0;
	if (count > sizeof(copy))
		count = sizeof(copy);
	if (!count || count > room || at > frame->length)
		return;
	memcpy(copy, lender->octets + from, count);
	memmove(frame->octets + at + count, frame->octets + at, frame->length - at);
	memcpy(frame->octets + at, copy, count);
	frame->length += count;
	for (i = target + 1; i < frame->part_count; i++)
		frame->parts[i].at += count;
}

static void take_out(struct frame *frame, const struct frame *other, const struct theme *theme,
		     struct random *random)
{
	size_t index = random_below(random, frame->part_count), i;
	size_t at = frame->parts[index].at, end = part_end(frame, index);

	(void)other;
	if (!index || end <= at || frame->length - (end - at) < FRAME_MIN)
		return;
	memmove(frame->octets + at, frame->octets + end, frame->length - end);
	resize(frame, theme, frame->length - (end - at));
	for (i = index + 1; i < frame->part_count; i++)
		frame->parts[i].at -= end - at;
}

/* The head of one, the tail of another. */
static void splice(struct frame *frame, const struct frame *other, const struct theme *theme,
		   struct random *random)
{
	size_t head = frame->parts[random_below(random, frame->part_count)].at;
	size_t from = other->parts[random_below(random, other->part_count)].at, count;

	if (head < FRAME_MIN || head > frame->length || from > other->length)
		return;
	count = other->length - from;
	if (count > theme->length_max - head)
		count = theme->length_max - head;
	memcpy(frame->octets + head, other->octets + from, count);
	frame->length = head + count;
	while (frame->part_count && frame->parts[frame->part_count - 1].at >= frame->length)
		frame->part_count--;
}

/* The lengths true again, so that what a mutation did isn't hidden behind a lie. */
static void mend(struct frame *frame)
{
	size_t i, at, length;

	for (i = 0; i < frame->part_count; i++) {
		at = frame->parts[i].at;
		if (at + 40 > frame->length)
			continue;
		length = frame->length - at - (frame->parts[i].kind == PART_IPV6 ? 40 : 0);
		if (frame->parts[i].kind == PART_IPV4) {
			frame->octets[at + 2] = length >> 8;
			frame->octets[at + 3] = length;
		} else if (frame->parts[i].kind == PART_IPV6) {
			frame->octets[at + 4] = length >> 8;
			frame->octets[at + 5] = length;
		}
	}
}

void frame_mutate(struct frame *frame, const struct frame *other, const struct theme *theme,
		  struct random *random)
{
	static void (*const mutators[])(struct frame *, const struct frame *, const struct theme *,
					struct random *) = {
		flip_bits, set_octet, edit_field, edit_field, cut,
		grow,	   lie,	      insert,	  take_out,   splice,
	};
	size_t count = sizeof(mutators) / sizeof(mutators[0]);

	mutators[random_below(random, count)](frame, other, theme, random);
	if (random_chance(random, 60))
		mend(frame);
}
