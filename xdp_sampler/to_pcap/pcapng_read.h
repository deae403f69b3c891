/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading pcapng files, with the options that libpcap doesn't tell of. */
#ifndef XDP_SAMPLER_PCAPNG_READ_H
#define XDP_SAMPLER_PCAPNG_READ_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PCAPNG_COMMENT_MAX    256
#define PCAPNG_INTERFACES_MAX 4096

struct pcapng_reader;

/**
 * struct pcapng_packet - an enhanced, simple or old packet block
 * @time: ns since the Unix epoch; 0 of a simple one
 * @verdict: action that XDP decided, or -1
 * @queue: or -1
 * @interface: name, "" if the file has none
 * @comment: the first one, cut at its room
 * @data: @captured octets, valid until the next call
 */
struct pcapng_packet {
	uint64_t time;
	uint32_t length;
	uint32_t captured;
	int64_t verdict;
	int64_t queue;
	uint16_t link_type;
	const char *interface;
	char comment[PCAPNG_COMMENT_MAX];
	const uint8_t *data;
};

/**
 * pcapng_reader_open() - read the header that a file begins with
 * @file: stays the caller's
 * @name: for messages
 *
 * Return: -ENOMEM, or as pcapng_reader_next().
 */
int pcapng_reader_open(FILE *file, const char *name, struct pcapng_reader **out);

/**
 * pcapng_reader_next() - the next packet; other blocks are passed over
 *
 * Return: 1: there is one; 0: the end of the file; -EBADMSG: it contradicts itself, or is empty;
 * -EIO. Said where.
 */
int pcapng_reader_next(struct pcapng_reader *reader, struct pcapng_packet *packet);

/* Also accepts NULL. */
void pcapng_reader_close(struct pcapng_reader *reader);

#endif
