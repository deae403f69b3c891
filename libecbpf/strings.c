// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Lists of strings, as options give them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/tool.h>

#include "internal.h"

static int add_octets(struct ecbpf_strings *strings, const char *item, size_t length)
{
	char **items = realloc(strings->items, (strings->count + 2) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	strings->items = items;
	items[strings->count] = strndup(item, length);
	if (!items[strings->count])
		return -ENOMEM;
	items[++strings->count] = NULL;
	return 0;
}

int ecbpf_strings_add(struct ecbpf_strings *strings, const char *item)
{
	if (add_octets(strings, item, strlen(item)))
		return ecbpf_fail(-ENOMEM, "out of memory");
	return 0;
}

static bool has_empty_item(const char *text)
{
	if (*text == '\0' || *text == ',' || text[strlen(text) - 1] == ',')
		return true;
	return strstr(text, ",,") != NULL;
}

int ecbpf_strings_split(struct ecbpf_strings *strings, const char *text)
{
	size_t length;

	if (has_empty_item(text))
		return -EINVAL;
	for (;;) {
		length = strcspn(text, ",");
		if (add_octets(strings, text, length))
			return ecbpf_fail(-ENOMEM, "out of memory");
		if (text[length] == '\0')
			return 0;
		text += length + 1;
	}
}

static bool is_among(char *const *items, size_t count, const char *item)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(items[i], item) == 0)
			return true;
	return false;
}

void ecbpf_strings_unique(struct ecbpf_strings *strings)
{
	size_t kept = 0;

	for (size_t i = 0; i < strings->count; i++) {
		if (is_among(strings->items, kept, strings->items[i]))
			free(strings->items[i]);
		else
			strings->items[kept++] = strings->items[i];
	}
	strings->count = kept;
	if (strings->items)
		strings->items[kept] = NULL;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void ecbpf_strings_sort(struct ecbpf_strings *strings)
{
	if (strings->count)
		qsort(strings->items, strings->count, sizeof(*strings->items), compare);
}

void ecbpf_strings_free(struct ecbpf_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct ecbpf_strings){ 0 };
}
