/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The matcher on arrays in memory. */
#ifndef UNIT_FW_ENGINE_H
#define UNIT_FW_ENGINE_H

#include "compile.h"
#include "match.h"

struct engine {
	struct fw_compiled compiled;
	void *from[TABLE_MAPS];
	void *to[TABLE_MAPS];
};

/* What the matcher found: entries are of the compiled arrays. */
struct engine_found {
	const struct fw_entry *decides;
	const struct fw_entry *limits[FW_RULES_MAX];
	size_t limit_count;
	const struct fw_entry *counts[FW_RULES_MAX];
	size_t count_count;
};

/* 0 or -errno, as fw_compile(). */
int engine_open(struct engine *engine, const struct fw_ruleset *ruleset);
void engine_close(struct engine *engine);
/* The same engine, that looks all addresses up in tables; it isn't closed. */
struct engine engine_without_runs(const struct engine *engine);
void engine_match(const struct engine *engine, const struct ecbpf_packet *packet, uint32_t length,
		  struct engine_found *found);

#endif
