// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reading pcapng files (draft-ietf-opsawg-pcapng), of either byte order. */
#include "pcapng_read.h"

#include <byteswap.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/ecbpf.h>

#include "pcapng.h"

/* Larger blocks than any packet makes are taken for damage; others are not kept in memory. */
#define BLOCK_MAX (16U << 20)
#define BLOCK_MIN 12
#define NS_PER_S  1000000000

/**
 * struct interface - what an interface block said
 * @snaplen: 0: no limit
 * @unit: units of its timestamps in a second, a power of ten or two
 * @offset: seconds to add to them
 */
struct interface {
	uint16_t link_type;
	uint32_t snaplen;
	uint64_t unit;
	int64_t offset;
	char name[IF_NAMESIZE];
};

struct pcapng_reader {
	FILE *file;
	const char *name;
	uint64_t offset;
	bool swapped;
	bool in_section;
	struct interface *interfaces;
	uint32_t count;
	uint8_t *block;
	size_t room;
};

/* What is left of a block's body. */
struct cursor {
	const uint8_t *at;
	size_t left;
	bool swapped;
};

static int damaged(const struct pcapng_reader *reader, const char *what)
{
	return ecbpf_fail(-EBADMSG, "%s: %s in the block at octet %llu", reader->name, what,
			  (unsigned long long)reader->offset);
}

/* Less could be read than a block needs. */
static int cut_short(const struct pcapng_reader *reader)
{
	if (ferror(reader->file))
		return ecbpf_fail(-EIO, "%s: %s", reader->name, strerror(errno));
	return damaged(reader, "file ends");
}

static bool take(struct cursor *cursor, void *to, size_t octets)
{
	if (cursor->left < octets)
		return false;
	memcpy(to, cursor->at, octets);
	cursor->at += octets;
	cursor->left -= octets;
	return true;
}

static bool take16(struct cursor *cursor, uint16_t *value)
{
	if (!take(cursor, value, sizeof(*value)))
		return false;
	*value = cursor->swapped ? bswap_16(*value) : *value;
	return true;
}

static bool take32(struct cursor *cursor, uint32_t *value)
{
	if (!take(cursor, value, sizeof(*value)))
		return false;
	*value = cursor->swapped ? bswap_32(*value) : *value;
	return true;
}

static bool take64(struct cursor *cursor, uint64_t *value)
{
	if (!take(cursor, value, sizeof(*value)))
		return false;
	*value = cursor->swapped ? bswap_64(*value) : *value;
	return true;
}

/* The next option: false at the end, or where none fits any more. */
static bool take_option(struct cursor *cursor, uint16_t *code, struct cursor *value)
{
	uint16_t octets;
	size_t padded;

	if (!take16(cursor, code) || !take16(cursor, &octets) || *code == PCAPNG_OPTION_END)
		return false;
	padded = ((size_t)octets + 3) & ~(size_t)3;
	if (padded > cursor->left)
		return false;
	*value = (struct cursor){ cursor->at, octets, cursor->swapped };
	cursor->at += padded;
	cursor->left -= padded;
	return true;
}

static void copy_text(char *to, size_t size, const struct cursor *value)
{
	size_t octets = value->left < size - 1 ? value->left : size - 1;

	memcpy(to, value->at, octets);
	to[octets] = '\0';
}

/* if_tsresol: 10 to the minus N, or with the highest bit 2 to the minus N. */
static uint64_t unit_of(uint8_t resolution)
{
	uint64_t unit = 1;
	unsigned int i, exponent = resolution & 0x7f;

	if (resolution & 0x80)
		return exponent < 64 ? 1ULL << exponent : 0;
	for (i = 0; i < exponent; i++) {
		if (unit > UINT64_MAX / 10)
			return 0;
		unit *= 10;
	}
	return unit;
}

static int read_interface(struct pcapng_reader *reader, struct cursor *body)
{
	struct interface *interface, *grown;
	uint16_t code, reserved;
	struct cursor value;
	uint64_t offset;
	uint8_t resolution;

	if (reader->count == PCAPNG_INTERFACES_MAX)
		return damaged(reader, "too many interfaces");
	grown = realloc(reader->interfaces, (reader->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	reader->interfaces = grown;
	interface = &grown[reader->count];
	*interface = (struct interface){ .unit = 1000000 };
	if (!take16(body, &interface->link_type) || !take16(body, &reserved) ||
	    !take32(body, &interface->snaplen))
		return damaged(reader, "interface without a link type");
	while (take_option(body, &code, &value)) {
		if (code == PCAPNG_INTERFACE_NAME)
			copy_text(interface->name, sizeof(interface->name), &value);
		if (code == PCAPNG_INTERFACE_RESOLUTION && take(&value, &resolution, 1))
			interface->unit = unit_of(resolution);
		if (code == PCAPNG_INTERFACE_OFFSET && take64(&value, &offset))
			interface->offset = (int64_t)offset;
	}
	if (!interface->unit)
		return damaged(reader, "unusable time resolution");
	reader->count++;
	return 0;
}

/* Since the Unix epoch, as far as there is room for it. */
static uint64_t nanoseconds(uint64_t stamp, const struct interface *interface)
{
	__int128 time = (__int128)(stamp / interface->unit) * NS_PER_S;

	time += (__int128)(stamp % interface->unit) * NS_PER_S / interface->unit;
	time += (__int128)interface->offset * NS_PER_S;
	if (time < 0)
		return 0;
	return time > UINT64_MAX ? UINT64_MAX : (uint64_t)time;
}

static void read_packet_options(struct cursor *body, struct pcapng_packet *packet)
{
	struct cursor value;
	uint32_t words[2], queue;
	uint16_t code;
	uint8_t type;

	while (take_option(body, &code, &value)) {
		if (code == PCAPNG_OPTION_COMMENT && !packet->comment[0])
			copy_text(packet->comment, sizeof(packet->comment), &value);
		if (code == PCAPNG_PACKET_QUEUE && take32(&value, &queue))
			packet->queue = queue;
		if (code == PCAPNG_PACKET_VERDICT && take(&value, &type, 1) &&
		    type == PCAPNG_VERDICT_XDP && take32(&value, &words[0]) &&
		    take32(&value, &words[1]))
			packet->verdict = value.swapped ? words[1] : words[0];
	}
}

/* @captured octets of a packet of interface @index, at the start of @body, and what follows. */
static int take_packet(struct pcapng_reader *reader, struct cursor *body, uint32_t index,
		       uint32_t captured, struct pcapng_packet *packet)
{
	size_t padded = ((size_t)captured + 3) & ~(size_t)3;
	const struct interface *interface;

	if (index >= reader->count || padded > body->left)
		return damaged(reader, index >= reader->count ? "unknown interface" :
								"packet longer than its block");
	interface = &reader->interfaces[index];
	*packet = (struct pcapng_packet){
		.captured = captured,
		.verdict = -1,
		.queue = -1,
		.link_type = interface->link_type,
		.interface = interface->name,
		.data = body->at,
	};
	body->at += padded;
	body->left -= padded;
	read_packet_options(body, packet);
	return 1;
}

/* Also its predecessor, which has 16 bits for the interface and 16 for drops. */
static int read_packet(struct pcapng_reader *reader, struct cursor *body, bool old,
		       struct pcapng_packet *packet)
{
	uint32_t index, high, low, captured, length;
	uint16_t index16, drops;
	int result;

	if (!(old ? take16(body, &index16) && take16(body, &drops) : take32(body, &index)) ||
	    !take32(body, &high) || !take32(body, &low) || !take32(body, &captured) ||
	    !take32(body, &length))
		return damaged(reader, "packet cut short");
	if (old)
		index = index16;
	result = take_packet(reader, body, index, captured, packet);
	if (result < 0)
		return result;
	packet->time = nanoseconds((uint64_t)high << 32 | low, &reader->interfaces[index]);
	packet->length = length;
	return result;
}

/* Of the first interface, without a time; what was captured follows from its limit. */
static int read_simple(struct pcapng_reader *reader, struct cursor *body,
		       struct pcapng_packet *packet)
{
	uint32_t length, snaplen = reader->count ? reader->interfaces[0].snaplen : 0;
	int result;

	if (!take32(body, &length))
		return damaged(reader, "packet cut short");
	result = take_packet(reader, body, 0, snaplen && snaplen < length ? snaplen : length,
			     packet);
	if (result > 0)
		packet->length = length;
	return result;
}

/* The byte order stands in the section's own header, behind its length. */
static int begin_section(struct pcapng_reader *reader, const uint8_t *head)
{
	uint32_t magic;

	memcpy(&magic, head + 8, sizeof(magic));
	if (magic != PCAPNG_MAGIC && magic != bswap_32(PCAPNG_MAGIC))
		return damaged(reader, "no byte order that pcapng knows");
	reader->swapped = magic != PCAPNG_MAGIC;
	reader->in_section = true;
	reader->count = 0;
	return 0;
}

static uint32_t word(const struct pcapng_reader *reader, const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return reader->swapped ? bswap_32(value) : value;
}

/* A block of @length octets, of which 12 were read. */
static int read_rest(struct pcapng_reader *reader, const uint8_t *head, uint32_t length)
{
	uint8_t *grown;

	if (length > BLOCK_MAX)
		return damaged(reader, "impossible length");
	if (length > reader->room) {
		grown = realloc(reader->block, length);
		if (!grown)
			return -ENOMEM;
		reader->block = grown;
		reader->room = length;
	}
	memcpy(reader->block, head, BLOCK_MIN);
	if (fread(reader->block + BLOCK_MIN, 1, length - BLOCK_MIN, reader->file) !=
	    length - BLOCK_MIN)
		return cut_short(reader);
	if (word(reader, reader->block + length - 4) != length)
		return damaged(reader, "two lengths that differ");
	return 0;
}

/* As read_rest(), of a block that nothing is wanted of. */
static int skip_rest(struct pcapng_reader *reader, const uint8_t *head, uint32_t length)
{
	uint32_t left = length - BLOCK_MIN, octets;
	uint8_t chunk[4096];

	/* Of the smallest block, that is its second length; else the last chunk has it. */
	memcpy(chunk, head + 8, 4);
	for (octets = 4; left; left -= octets) {
		octets = left < sizeof(chunk) ? left : sizeof(chunk);
		if (fread(chunk, 1, octets, reader->file) != octets)
			return cut_short(reader);
	}
	if (word(reader, chunk + octets - 4) != length)
		return damaged(reader, "two lengths that differ");
	return 0;
}

static int read_body(struct pcapng_reader *reader, uint32_t type, const uint8_t *head,
		     uint32_t length, struct pcapng_packet *packet)
{
	struct cursor body;
	int err = read_rest(reader, head, length);

	if (err)
		return err;
	body = (struct cursor){ reader->block + 8, length - BLOCK_MIN, reader->swapped };
	switch (type) {
	case PCAPNG_INTERFACE:
		return read_interface(reader, &body);
	case PCAPNG_PACKET:
	case PCAPNG_PACKET_OLD:
		return read_packet(reader, &body, type == PCAPNG_PACKET_OLD, packet);
	case PCAPNG_PACKET_SIMPLE:
		return read_simple(reader, &body, packet);
	default:
		return 0;
	}
}

static bool is_wanted(uint32_t type)
{
	return type == PCAPNG_INTERFACE || type == PCAPNG_PACKET || type == PCAPNG_PACKET_OLD ||
	       type == PCAPNG_PACKET_SIMPLE;
}

/* Return: 1: a packet; 0: another block; 2: the end. */
static int read_block(struct pcapng_reader *reader, struct pcapng_packet *packet)
{
	uint8_t head[BLOCK_MIN];
	size_t got = fread(head, 1, sizeof(head), reader->file);
	uint32_t type, length;
	int result;

	if (!got && feof(reader->file))
		return reader->in_section ? 2 : damaged(reader, "file ends");
	if (got != sizeof(head))
		return cut_short(reader);
	/* The same in both byte orders. */
	type = word(reader, head);
	result = type == PCAPNG_SECTION ? begin_section(reader, head) : 0;
	if (!result && !reader->in_section)
		result = damaged(reader, "no section header");
	if (result)
		return result;
	length = word(reader, head + 4);
	if (length < BLOCK_MIN || length % 4)
		return damaged(reader, "impossible length");
	result = is_wanted(type) ? read_body(reader, type, head, length, packet) :
				   skip_rest(reader, head, length);
	reader->offset += length;
	return result;
}

void pcapng_reader_close(struct pcapng_reader *reader)
{
	if (!reader)
		return;
	free(reader->interfaces);
	free(reader->block);
	free(reader);
}

int pcapng_reader_open(FILE *file, const char *name, struct pcapng_reader **out)
{
	struct pcapng_reader *reader = calloc(1, sizeof(*reader));
	int err;

	if (!reader)
		return -ENOMEM;
	reader->file = file;
	reader->name = name;
	/* The header of a section: no packet can stand first. */
	err = read_block(reader, NULL);
	if (err) {
		pcapng_reader_close(reader);
		return err;
	}
	*out = reader;
	return 0;
}

int pcapng_reader_next(struct pcapng_reader *reader, struct pcapng_packet *packet)
{
	int result;

	do
		result = read_block(reader, packet);
	while (!result);
	return result == 2 ? 0 : result;
}
