/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_UTF8_H
#define ECBPF_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* U+FFFD, for octets that aren't part of any character. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* Octets of the character that @text, with a NUL at its end, begins with; 0: it isn't well-formed. */
size_t utf8_length(const char *text);

/* Well-formed by its lead and continuation octets, as JSON wants it (RFC 3629). */
bool utf8_is_valid(const char *text);

#endif
