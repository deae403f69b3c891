/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What --top counts by: the part of a sample that its rows are named after. */
#ifndef XDP_SAMPLER_TOP_KEY_H
#define XDP_SAMPLER_TOP_KEY_H

#include "sample.h"

#define TOP_KEY_TEXT 64

enum top_field {
	TOP_SOURCE,
	TOP_DESTINATION,
	TOP_DESTINATION_PORT,
	TOP_REASON,
};

/* @length: of an IPv4 prefix, @length6: of an IPv6 one. */
struct top_field_spec {
	enum top_field field;
	unsigned int length;
	unsigned int length6;
};

/**
 * struct top_key - names a row; equal rows are equal bytes
 * @family: 4, 6, or 0: the sample has no such part
 */
struct top_key {
	uint8_t family;
	uint8_t protocol;
	uint16_t number;
	uint8_t address[16];
};

/* "src", "dst", "src/24", "dst/24/48", "dport", "reason". -EINVAL. */
int top_field_parse(const char *text, struct top_field_spec *spec);

void top_key_of(const struct top_field_spec *spec, const struct sample *sample,
		struct top_key *key);

/* As text; gives @text back. */
const char *top_key_format(const struct top_field_spec *spec, const struct top_key *key,
			   char text[TOP_KEY_TEXT]);

#endif
