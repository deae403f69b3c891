/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_UTF8_H
#define ECBPF_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* U+FFFD, for octets that aren't part of any character. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* Octets of a character at most. */
#define UTF8_MAX 4

/*
 * Octets of the character at @text, of which @size octets are there; 0: none is well-formed by its
 * lead and continuation octets (RFC 3629).
 */
size_t utf8_octets(const char *text, size_t size);

/* All of it is well-formed, as JSON wants it. */
bool utf8_is_valid(const char *text);

#endif
