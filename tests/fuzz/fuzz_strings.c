// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lists between commas. */
#include <errno.h>

#include <ecbpf/tool.h>

#include "target.h"

static bool is_among(const struct ecbpf_strings *strings, size_t count, const char *item)
{
	while (count--)
		if (!strcmp(strings->items[count], item))
			return true;
	return false;
}

static void check_unique(const struct ecbpf_strings *all, const struct ecbpf_strings *unique)
{
	size_t i, kept = 0;

	for (i = 0; i < all->count; i++) {
		if (is_among(all, i, all->items[i]))
			continue;
		REQUIRE(kept < unique->count && !strcmp(unique->items[kept], all->items[i]));
		kept++;
	}
	REQUIRE(kept == unique->count && !unique->items[kept]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ecbpf_strings all = { 0 }, unique = { 0 };
	char *text = string_of(data, size);
	size_t i, at = 0;

	if (ecbpf_strings_split(&all, text)) {
		REQUIRE(!all.count);
		REQUIRE(!*text || *text == ',' || text[strlen(text) - 1] == ',' ||
			strstr(text, ",,"));
		free(text);
		return 0;
	}
	for (i = 0; i < all.count; i++) {
		size_t length = strlen(all.items[i]);

		REQUIRE(length && !strncmp(text + at, all.items[i], length));
		at += length;
		REQUIRE(text[at] == (i + 1 < all.count ? ',' : '\0'));
		at++;
	}
	REQUIRE(!ecbpf_strings_split(&unique, text));
	ecbpf_strings_unique(&unique);
	check_unique(&all, &unique);
	ecbpf_strings_free(&all);
	ecbpf_strings_free(&unique);
	free(text);
	return 0;
}
