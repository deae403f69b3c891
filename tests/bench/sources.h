/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Random lists of prefixes, the same in every run, and addresses that they cover or don't. */
#ifndef BENCH_SOURCES_H
#define BENCH_SOURCES_H

#include <stddef.h>

#include "list.h"

/*
 * Exactly @count prefixes to drop. IPv4: 0.2 % /16 to /19, 45 % /24, 35 % /32, the rest between.
 * IPv6: 35 % /32 to /48, most of these /48; 35 % /49 to /64, most of these /64; 30 % /128.
 */
int sources_list(unsigned int family, size_t count, struct filter_list *list);

enum sources_kind {
	/* From anywhere, and not covered. */
	SOURCES_MISS,
	/* Not covered, but in the same /24 (IPv6: /64) as an entry longer than that. */
	SOURCES_NEAR_MISS,
	SOURCES_LISTED,
};

/* @count addresses as prefixes of full length, in no order. Any kind but a miss needs a list. */
int sources_draw(unsigned int family, enum sources_kind kind, const struct filter_list *list,
		 struct prefix *addresses, size_t count);

/*
 * The same list as a file in memory, that tools open by @path as long as the descriptor returned is
 * open.
 */
int sources_file(unsigned int family, size_t count, char *path, size_t room);

#endif
