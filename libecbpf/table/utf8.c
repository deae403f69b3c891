/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include "utf8.h"

bool utf8_is_valid(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	unsigned int more;

	while (*at) {
		if (*at < 0x80)
			more = 0;
		else if (*at < 0xe0)
			more = 1;
		else
			more = *at < 0xf0 ? 2 : 3;
		if ((*at >= 0x80 && *at < 0xc2) || *at > 0xf4 || (*at == 0xe0 && at[1] < 0xa0) ||
		    (*at == 0xed && at[1] > 0x9f) || (*at == 0xf0 && at[1] < 0x90) ||
		    (*at == 0xf4 && at[1] > 0x8f))
			return false;
		for (at++; more; more--, at++)
			if ((*at & 0xc0) != 0x80)
				return false;
	}
	return true;
}
