/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "utf8.h"

#include <string.h>

size_t utf8_octets(const char *text, size_t size)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t octets, i;

	if (!size)
		return 0;
	if (*at < 0x80)
		return 1;
	octets = *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
	if (*at < 0xc2 || *at > 0xf4 || octets > size)
		return 0;
	if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
	    (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f))
		return 0;
	for (i = 1; i < octets; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return octets;
}

bool utf8_is_valid(const char *text)
{
	size_t left = strlen(text), octets;

	for (; left; left -= octets, text += octets) {
		octets = utf8_octets(text, left);
		if (!octets)
			return false;
	}
	return true;
}
