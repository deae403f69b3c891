// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "import_nft_range.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "prefix.h"

__extension__ typedef unsigned __int128 number;

static number number_of(const struct prefix *address)
{
	unsigned int i, octets = prefix_length_max(address->family) / 8;
	number value = 0;

	for (i = 0; i < octets; i++)
		value = value << 8 | address->addr[i];
	return value;
}

static void set_number(number value, struct prefix *address)
{
	unsigned int i = prefix_length_max(address->family) / 8;

	for (; i; i--, value >>= 8)
		address->addr[i - 1] = value;
}

/* How many bits the largest prefix that begins at @first and ends by @last leaves open. */
static unsigned int open_bits(number first, number last, unsigned int bits_max)
{
	unsigned int bits = 0;
	number size = 2;

	for (; bits < bits_max && size; bits++, size <<= 1)
		if (first & (size - 1) || last - first < size - 1)
			break;
	return bits;
}

static int append(const struct prefix *prefix, char *out, size_t room)
{
	char text[PREFIX_TEXT_SIZE];
	size_t used = strlen(out);

	prefix_format(prefix, text);
	if (used + strlen(text) + 3 > room)
		return -E2BIG;
	snprintf(out + used, room - used, "%s%s", used && out[used - 1] != ' ' ? ", " : "", text);
	return 0;
}

int nft_range_prefixes(const char *first_text, const char *last_text, char *out, size_t room)
{
	struct prefix from, to;
	number first, last;
	bool ignored;
	int err = 0;

	if (prefix_parse_as_written(first_text, &from, &ignored) ||
	    prefix_parse_as_written(last_text, &to, &ignored) || from.family != to.family)
		return -EINVAL;
	first = number_of(&from);
	last = number_of(&to);
	while (first <= last && !err) {
		unsigned int max = prefix_length_max(from.family);
		unsigned int bits = open_bits(first, last, max);

		from.length = max - bits;
		set_number(first, &from);
		err = append(&from, out, room);
		if (bits == max || first + (((number)1 << bits) - 1) == last)
			break;
		first += (number)1 << bits;
	}
	return first > last ? -EINVAL : err;
}
