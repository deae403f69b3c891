// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Files of prefixes. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include <ecbpf/ecbpf.h>

#include "list_file.h"
#include "target.h"

#define EXPIRES 77

static void say_nothing(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)context;
	REQUIRE(!strchr(message, '\n'));
}

static void check_item(const struct filter_list *list, size_t i)
{
	const struct filter_item *item = &list->items[i];
	const char *tag = filter_list_tag_text(list, item->tag);

	REQUIRE(item->action == FILTER_DROP || item->action == FILTER_ALLOW);
	REQUIRE(item->prefix.length <= prefix_length_max(item->prefix.family));
	REQUIRE(item->expires == EXPIRES && !item->id && !item->hits);
	REQUIRE(strlen(tag) < FILTER_TAG_MAX && !tag[strcspn(tag, "\n\r\t\177")]);
	REQUIRE(!i || prefix_compare(&list->items[i - 1].prefix, &item->prefix) < 0);
	REQUIRE(filter_list_find(list, &item->prefix) == item);
}

static size_t lines_of(const uint8_t *data, size_t size)
{
	size_t lines = 1;

	while (size--)
		lines += data[size] == '\n';
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct filter_list list = {};
	char path[32];
	size_t i;
	int fd;

	ecbpf_log_set(say_nothing, NULL, ECBPF_LOG_DEBUG);
	fd = memfd_create("list", 0);
	REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!list_file_read(path, EXPIRES, &list)) {
		REQUIRE(list.count <= lines_of(data, size));
		for (i = 0; i < list.count; i++)
			check_item(&list, i);
	}
	filter_list_free(&list);
	close(fd);
	return 0;
}
