/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Where a look-up reads its arrays: in maps, or in the loader's own memory. */
#ifndef ECBPF_TABLE_SOURCE_H
#define ECBPF_TABLE_SOURCE_H

#include "table_abi.h"

/**
 * struct table_source - known when compiling, so that no call is left of it
 * @value: a value of an array, NULL outside it
 * @expect: told as early as possible that the answer, if there is one, is mostly this id or one of
 *	the TABLE_EXPECTED behind it, so that what belongs to them can be fetched; or NULL
 */
struct table_source {
	const void *(*value)(const void *memory, enum table_map map, __u32 index);
	void (*expect)(const void *memory, __u32 id);
	const void *memory;
};

#endif
