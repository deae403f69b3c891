// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#define _GNU_SOURCE
#include "sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ecbpf/ecbpf.h>

#include "fuzz/random.h"

#define LIST_SEED    1
#define ADDRESS_SEED 2
/* How often an entry that is long enough is looked for. */
#define TRIES_MAX 10000

/* Leave @kept bits of @address as they are; fill the others, or with no @random clear them. */
static void set_tail(struct prefix *address, unsigned int kept, struct random *random)
{
	unsigned int octets = prefix_length_max(address->family) / 8, i;

	for (i = kept / 8; i < octets; i++) {
		uint8_t mask = i == kept / 8 ? 0xff >> kept % 8 : 0xff;
		uint8_t tail = random ? random_next(random) : 0;

		address->addr[i] = (address->addr[i] & ~mask) | (tail & mask);
	}
}

/* Unicast: IPv4 below 224.0.0.0, IPv6 in 2000::/3. */
static struct prefix random_host(unsigned int family, struct random *random)
{
	struct prefix host = { .family = family, .length = prefix_length_max(family) };

	set_tail(&host, 0, random);
	if (family == 4)
		host.addr[0] = 1 + random_below(random, 223);
	else
		host.addr[0] = 0x20 | (host.addr[0] & 0x1f);
	return host;
}

static unsigned int random_length4(struct random *random)
{
	unsigned int draw = random_below(random, 1000), length;

	if (draw < 2)
		return 16 + random_below(random, 4);
	if (draw < 452)
		return 24;
	if (draw < 802)
		return 32;
	length = 20 + random_below(random, 11);
	return length < 24 ? length : length + 1;
}

static unsigned int random_length6(struct random *random)
{
	unsigned int draw = random_below(random, 1000);

	if (draw < 10)
		return 32;
	if (draw < 50)
		return 33 + random_below(random, 15);
	if (draw < 350)
		return 48;
	if (draw < 400)
		return 49 + random_below(random, 15);
	return draw < 700 ? 64 : 128;
}

int sources_list(unsigned int family, size_t count, struct filter_list *list)
{
	struct random random = random_for(LIST_SEED, family);
	struct filter_item item = { .action = FILTER_DROP };
	size_t duplicates;
	int err = 0;

	while (list->count < count && !err) {
		while (list->count < count && !err) {
			item.prefix = random_host(family, &random);
			item.prefix.length = family == 4 ? random_length4(&random) :
							   random_length6(&random);
			set_tail(&item.prefix, item.prefix.length, NULL);
			err = filter_list_append(list, &item);
		}
		if (!err)
			err = filter_list_sort(list, &duplicates);
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

/*
 * Keep those of @addresses, sorted, that no entry covers; returns how many. Networks nest or have
 * nothing in common: of the entries that begin at or before an address, only one that covers all
 * after it can cover the address.
 */
static size_t keep_misses(const struct filter_list *list, struct prefix *addresses, size_t count)
{
	const struct prefix *outermost = NULL;
	size_t i, next = 0, kept = 0;

	for (i = 0; i < count; i++) {
		while (next < list->count &&
		       prefix_compare(&list->items[next].prefix, &addresses[i]) <= 0) {
			const struct prefix *entry = &list->items[next++].prefix;

			if (!outermost || !prefix_covers(outermost, entry))
				outermost = entry;
		}
		if (!outermost || !prefix_covers(outermost, &addresses[i]))
			addresses[kept++] = addresses[i];
	}
	return kept;
}

static void shuffle(struct prefix *addresses, size_t count, struct random *random)
{
	while (count > 1) {
		size_t other = random_below(random, count--);
		struct prefix last = addresses[count];

		addresses[count] = addresses[other];
		addresses[other] = last;
	}
}

static int draw_one(unsigned int family, enum sources_kind kind, const struct filter_list *list,
		    struct random *random, struct prefix *address)
{
	unsigned int near = family == 4 ? 24 : 64, tries;

	if (kind == SOURCES_MISS) {
		*address = random_host(family, random);
		return 0;
	}
	for (tries = 0; tries < TRIES_MAX && list->count; tries++) {
		*address = list->items[random_below(random, list->count)].prefix;
		if (kind == SOURCES_NEAR_MISS && address->length <= near)
			continue;
		set_tail(address, kind == SOURCES_LISTED ? address->length : near, random);
		address->length = prefix_length_max(family);
		return 0;
	}
	return -ENOENT;
}

int sources_draw(unsigned int family, enum sources_kind kind, const struct filter_list *list,
		 struct prefix *addresses, size_t count)
{
	struct random random = random_for(ADDRESS_SEED, family);
	size_t kept = 0, i;
	int err = 0;

	while (kept < count && !err) {
		for (i = kept; i < count && !err; i++)
			err = draw_one(family, kind, list, &random, &addresses[i]);
		if (err || kind == SOURCES_LISTED)
			break;
		qsort(addresses, count, sizeof(*addresses), compare);
		kept = keep_misses(list, addresses, count);
	}
	if (!err)
		shuffle(addresses, count, &random);
	return err;
}

int sources_file(unsigned int family, size_t count, char *path, size_t room)
{
	struct filter_list list = {};
	char text[PREFIX_TEXT_SIZE];
	int fd, err;
	FILE *file;
	size_t i;

	err = sources_list(family, count, &list);
	fd = err ? -1 : memfd_create("prefixes", 0);
	file = fd < 0 ? NULL : fdopen(dup(fd), "w");
	if (!err && !file)
		err = -errno;
	for (i = 0; i < list.count && file; i++)
		fprintf(file, "%s\n", prefix_format(&list.items[i].prefix, text));
	if (file && fclose(file))
		err = -errno;
	filter_list_free(&list);
	if (err) {
		close(fd);
		return ecbpf_fail(err, "writing a list: %s", strerror(-err));
	}
	snprintf(path, room, "/proc/self/fd/%d", fd);
	return fd;
}
