// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The interfaces that were asked for: whether they exist, which if none was named, work on each. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/tool.h>

#include "internal.h"

static bool is_pinned(char *const *pinned, const char *name)
{
	for (; pinned && *pinned; pinned++)
		if (strcmp(*pinned, name) == 0)
			return true;
	return false;
}

/* "a, b and c", in @text of @size octets. */
static void join_names(const struct ecbpf_strings *names, char *text, size_t size)
{
	const char *between = "";
	size_t used = 0;

	*text = '\0';
	for (size_t i = 0; i < names->count && used < size; i++) {
		used += snprintf(text + used, size - used, "%s%s", between, names->items[i]);
		between = i + 2 == names->count ? " and " : ", ";
	}
}

static int name_missing(const struct ecbpf_strings *missing)
{
	char text[512];

	join_names(missing, text, sizeof(text));
	if (missing->count == 1)
		return ecbpf_fail(-ENODEV,
				  "%s: no such network interface; 'ip link' lists those there are",
				  text);
	return ecbpf_fail(-ENODEV,
			  "%s: no such network interfaces; 'ip link' lists those there are", text);
}

int ecbpf_interfaces_check(const struct ecbpf_strings *names, bool gone)
{
	struct ecbpf_strings missing = { 0 };
	char **pinned = NULL;
	int err = 0;

	for (size_t i = 0; i < names->count && !err; i++) {
		if (if_nametoindex(names->items[i]))
			continue;
		if (gone && !pinned)
			err = ecbpf_interfaces(&pinned);
		if (!err && !is_pinned(pinned, names->items[i]))
			err = ecbpf_strings_add(&missing, names->items[i]);
	}
	if (!err && missing.count)
		err = name_missing(&missing);
	ecbpf_strings_free(&missing);
	ecbpf_names_free(pinned);
	return err;
}

int ecbpf_interfaces_or_all(const struct ecbpf_strings *asked, struct ecbpf_strings *names)
{
	char *const *from = asked->items;
	char **pinned = NULL;
	int err = 0;

	*names = (struct ecbpf_strings){ 0 };
	if (!asked->count) {
		err = ecbpf_interfaces(&pinned);
		from = pinned;
	}
	for (; !err && from && *from; from++)
		err = ecbpf_strings_add(names, *from);
	ecbpf_names_free(pinned);
	if (err)
		ecbpf_strings_free(names);
	return err;
}

static int work_on_root(const char *interface, const void *context)
{
	const struct ecbpf_roots_work *work = context;
	struct ecbpf_root *root;
	int err = ecbpf_root_open(interface, work->which, &root);

	if (err)
		return err;
	err = work->work(root);
	if (err == -ENOENT)
		err = work->absent(interface);
	ecbpf_root_close(root);
	return err;
}

int ecbpf_interfaces_each(const struct ecbpf_strings *interfaces, const char *done,
			  int (*work)(const char *interface, const void *context),
			  const void *context)
{
	CLEANUP_FREE int *results = calloc(interfaces->count, sizeof(*results));
	int result = 0;
	size_t i;

	if (!results)
		return ecbpf_fail(-ENOMEM, "out of memory");
	for (i = 0; i < interfaces->count; i++) {
		results[i] = work(interfaces->items[i], context);
		result = result ?: results[i];
	}
	for (i = 0; result && i < interfaces->count; i++)
		if (!results[i])
			ecbpf_log(ECBPF_LOG_ERROR, "%s: was %s all the same", interfaces->items[i],
				  done);
	return result;
}

int ecbpf_roots_each(const struct ecbpf_strings *interfaces, const struct ecbpf_roots_work *work)
{
	return ecbpf_interfaces_each(interfaces, work->done, work_on_root, work);
}
