/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef ECBPF_PREFIX_H
#define ECBPF_PREFIX_H

#include <stdbool.h>

#include <linux/types.h>

/* "ffff:…:255.255.255.255/128" and its NUL. */
#define PREFIX_TEXT_SIZE 50

/*
 * A network. Bits behind `length` are zero, and so are the bytes that the family doesn't use, so
 * that equal networks are equal bytes.
 */
struct prefix {
	__u8 family; /* 4 or 6 */
	__u8 length; /* 0 to 32 or 128 */
	__u8 addr[16]; /* network order; IPv4 in the first four */
};

/*
 * Reads "192.0.2.0/24", "2001:db8::/32", or an address alone (a host: /32 or /128). Bits behind the
 * length are cleared, and `*host_bits` says whether there were any. An IPv4-mapped network longer
 * than /96 (::ffff:192.0.2.1, ::ffff:192.0.2.0/120) is read as the IPv4 network it stands for;
 * ::ffff:0:0/96 and shorter stay IPv6, because lists of martians name them and mean no IPv4 packet.
 * Returns 0, or -EINVAL with the outputs untouched.
 */
int prefix_parse(const char *text, struct prefix *out, bool *host_bits);

/* The same, but an IPv4-mapped network stays the IPv6 network that it is written as. */
int prefix_parse_as_written(const char *text, struct prefix *out, bool *host_bits);

/* Writes the canonical text, length included, into PREFIX_TEXT_SIZE bytes; returns `text`. */
const char *prefix_format(const struct prefix *prefix, char *text);

/*
 * Total order: IPv4 before IPv6, then by address, then by length: a network sorts before those
 * that it covers, and directly before the first of them. Below, at or above 0 as in memcmp().
 */
int prefix_compare(const struct prefix *left, const struct prefix *right);

/* Whether every address of `inner` is one of `outer`; true for equal networks. */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);

/* Longest length that the family has: 32 or 128. */
static inline unsigned int prefix_length_max(unsigned int family)
{
	return family == 4 ? 32 : 128;
}

#endif
