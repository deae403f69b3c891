// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reading pcapng files (draft-ietf-opsawg-pcapng), of either byte order. */
#include "pcapng_read.h"

#include <byteswap.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/ecbpf.h>

#include "pcapng.h"

/* Larger blocks than any packet makes are taken for damage. */
#define BLOCK_MAX (1U << 20)
#define BLOCK_MIN 12

/**
 * struct interface - what an interface block said
 * @unit: units of its timestamps in a second, a power of ten or two
 */
struct interface {
	uint16_t link_type;
	uint64_t unit;
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
	uint32_t snaplen;
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
	    !take32(body, &snaplen))
		return damaged(reader, "interface without a link type");
	while (take_option(body, &code, &value)) {
		if (code == PCAPNG_INTERFACE_NAME)
			copy_text(interface->name, sizeof(interface->name), &value);
		if (code == PCAPNG_INTERFACE_RESOLUTION && take(&value, &resolution, 1))
			interface->unit = unit_of(resolution);
	}
	if (!interface->unit)
		return damaged(reader, "unusable time resolution");
	reader->count++;
	return 0;
}

static uint64_t nanoseconds(uint64_t stamp, uint64_t unit)
{
	return stamp / unit * 1000000000 + (unsigned __int128)(stamp % unit) * 1000000000 / unit;
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

static int read_packet(struct pcapng_reader *reader, struct cursor *body,
		       struct pcapng_packet *packet)
{
	uint32_t index, high, low, captured, length;
	const struct interface *interface;
	size_t padded;

	if (!take32(body, &index) || !take32(body, &high) || !take32(body, &low) ||
	    !take32(body, &captured) || !take32(body, &length))
		return damaged(reader, "packet cut short");
	padded = ((size_t)captured + 3) & ~(size_t)3;
	if (index >= reader->count || padded > body->left)
		return damaged(reader, index >= reader->count ? "unknown interface" :
								"packet longer than its block");
	interface = &reader->interfaces[index];
	*packet = (struct pcapng_packet){
		.time = nanoseconds((uint64_t)high << 32 | low, interface->unit),
		.length = length,
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

	if (length < BLOCK_MIN || length > BLOCK_MAX || length % 4)
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
		return ferror(reader->file) ? -EIO : damaged(reader, "file ends");
	if (word(reader, reader->block + length - 4) != length)
		return damaged(reader, "two lengths that differ");
	return 0;
}

/* Return: 1: a packet; 0: another block; 2: the end. */
static int read_block(struct pcapng_reader *reader, struct pcapng_packet *packet)
{
	uint8_t head[BLOCK_MIN];
	size_t got = fread(head, 1, sizeof(head), reader->file);
	struct cursor body;
	uint32_t type, length;
	int err;

	if (!got && feof(reader->file))
		return 2;
	if (got != sizeof(head))
		return ferror(reader->file) ? -EIO : damaged(reader, "file ends");
	/* The same in both byte orders. */
	type = word(reader, head);
	err = type == PCAPNG_SECTION ? begin_section(reader, head) : 0;
	if (!err && !reader->in_section)
		err = damaged(reader, "no section header");
	length = word(reader, head + 4);
	err = err ?: read_rest(reader, head, length);
	if (err)
		return err;
	body = (struct cursor){ reader->block + 8, length - BLOCK_MIN, reader->swapped };
	if (type == PCAPNG_INTERFACE)
		err = read_interface(reader, &body);
	else if (type == PCAPNG_PACKET)
		err = read_packet(reader, &body, packet);
	reader->offset += length;
	return err;
}

int pcapng_reader_open(FILE *file, const char *name, struct pcapng_reader **out)
{
	struct pcapng_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	reader->file = file;
	reader->name = name;
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

void pcapng_reader_close(struct pcapng_reader *reader)
{
	if (!reader)
		return;
	free(reader->interfaces);
	free(reader->block);
	free(reader);
}
