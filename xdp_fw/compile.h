/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rules to the arrays that the matcher reads. */
#ifndef XDP_FW_COMPILE_H
#define XDP_FW_COMPILE_H

#include "match_abi.h"
#include "rules.h"
#include "table.h"

/* Octets of all vectors together. */
#define FW_VECTORS_MAX (512UL << 20)

/* @data: values side by side, each of a multiple of 8 octets. */
struct fw_array {
	void *data;
	uint32_t value_size;
	uint32_t entries;
};

/**
 * struct fw_compiled - what a ruleset becomes
 * @tables: constants
 * @arrays: by enum fw_map
 * @from, @to: the tables of addresses
 * @settings: what follows from the rules
 */
struct fw_compiled {
	struct fw_tables tables;
	struct fw_array arrays[FW_MAPS];
	struct table *from;
	struct table *to;
	struct fw_settings settings;
};

/**
 * fw_compile() - make the arrays
 * @progress: may be NULL
 *
 * Return: -E2BIG: too large for the engine, the limit having been named; -ENOMEM.
 */
int fw_compile(const struct fw_ruleset *ruleset, const struct table_progress *progress,
	       struct fw_compiled *compiled);
void fw_compiled_free(struct fw_compiled *compiled);

#endif
