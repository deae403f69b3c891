/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "prefix.h"

#define MAPPED_BYTES 12

static int parse_length(const char *text, unsigned int max, unsigned int *out)
{
	unsigned int length = 0;
	const char *digit;

	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (digit = text; *digit; digit++) {
		if (*digit < '0' || *digit > '9')
			return -EINVAL;
		length = length * 10 + (*digit - '0');
		if (length > max)
			return -EINVAL;
	}
	*out = length;
	return 0;
}

static int parse_address(const char *text, size_t size, struct prefix *out)
{
	char copy[INET6_ADDRSTRLEN];

	if (size >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, copy, out->addr) == 1)
		out->family = 4;
	else if (inet_pton(AF_INET6, copy, out->addr) == 1)
		out->family = 6;
	else
		return -EINVAL;
	return 0;
}

static void unmap(struct prefix *prefix)
{
	static const __u8 mapped[MAPPED_BYTES] = { [10] = 0xff, [11] = 0xff };

	if (prefix->family != 6 || prefix->length <= 8 * MAPPED_BYTES ||
	    memcmp(prefix->addr, mapped, MAPPED_BYTES))
		return;
	prefix->family = 4;
	prefix->length -= 8 * MAPPED_BYTES;
	memmove(prefix->addr, prefix->addr + MAPPED_BYTES, 4);
	memset(prefix->addr + 4, 0, sizeof(prefix->addr) - 4);
}

/* Clears what is behind the length; true if there was anything. */
static bool clear_host_bits(struct prefix *prefix)
{
	bool found = false;
	unsigned int i;

	for (i = prefix->length / 8; i < sizeof(prefix->addr); i++) {
		__u8 keep = i == prefix->length / 8 ? ~(0xff >> prefix->length % 8) : 0;

		found |= prefix->addr[i] & ~keep;
		prefix->addr[i] &= keep;
	}
	return found;
}

int prefix_parse_as_written(const char *text, struct prefix *out, bool *host_bits)
{
	const char *slash = strchr(text, '/');
	struct prefix parsed;
	unsigned int length;
	int err;

	err = parse_address(text, slash ? (size_t)(slash - text) : strlen(text), &parsed);
	if (err)
		return err;
	length = prefix_length_max(parsed.family);
	if (slash) {
		err = parse_length(slash + 1, length, &length);
		if (err)
			return err;
	}
	parsed.length = length;
	*host_bits = clear_host_bits(&parsed);
	*out = parsed;
	return 0;
}

int prefix_parse(const char *text, struct prefix *out, bool *host_bits)
{
	int err = prefix_parse_as_written(text, out, host_bits);

	if (!err)
		unmap(out);
	return err;
}

const char *prefix_format(const struct prefix *prefix, char *text)
{
	size_t used;

	if (!inet_ntop(prefix->family == 4 ? AF_INET : AF_INET6, prefix->addr, text,
		       PREFIX_TEXT_SIZE))
		text[0] = '\0';
	used = strlen(text);
	snprintf(text + used, PREFIX_TEXT_SIZE - used, "/%u", prefix->length);
	return text;
}

int prefix_compare(const struct prefix *left, const struct prefix *right)
{
	int order = left->family - right->family;

	if (!order)
		order = memcmp(left->addr, right->addr, sizeof(left->addr));
	if (!order)
		order = left->length - right->length;
	return order;
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	unsigned int whole = outer->length / 8, rest = outer->length % 8;

	if (outer->family != inner->family || outer->length > inner->length ||
	    memcmp(outer->addr, inner->addr, whole))
		return false;
	return !rest || !((outer->addr[whole] ^ inner->addr[whole]) >> (8 - rest));
}
