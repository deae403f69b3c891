/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "utf8.h"

size_t utf8_length(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length, i;

	if (*at < 0x80)
		return 1;
	if (*at < 0xc2 || *at > 0xf4 || (*at == 0xe0 && at[1] < 0xa0) ||
	    (*at == 0xed && at[1] > 0x9f) || (*at == 0xf0 && at[1] < 0x90) ||
	    (*at == 0xf4 && at[1] > 0x8f))
		return 0;
	if (*at < 0xe0)
		length = 2;
	else
		length = *at < 0xf0 ? 3 : 4;
	for (i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

bool utf8_is_valid(const char *text)
{
	size_t length;

	for (; *text; text += length) {
		length = utf8_length(text);
		if (!length)
			return false;
	}
	return true;
}
