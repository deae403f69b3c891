// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "scenes.h"

/* More than any machine runs through in a second. */
#define WITHOUT_END 0xffffffffU

static const struct scene scenes[SCENES] = {
	{ .name = "defaults", .kind = LIST_EMPTY, .ptb_max_pps = 20 },
	{ .name = "fragments",
	  .kind = LIST_EMPTY,
	  .ptb_max_pps = WITHOUT_END,
	  .policy = { .frags_drop = true, .answers = true } },
	{ .name = "everything",
	  .kind = LIST_MIXED,
	  .ptb_max_pps = WITHOUT_END,
	  .check_mtu = true,
	  .policy = { .frags_drop = true,
		      .frags_local_pass = true,
		      .drop_options = true,
		      .truncated_drop = true,
		      .answers = true } },
	{ .name = "list", .kind = LIST_MIXED, .ptb_max_pps = WITHOUT_END },
	{ .name = "budget",
	  .kind = LIST_DROPS,
	  .ptb_max_pps = 1,
	  .policy = { .frags_drop = true, .drop_options = true, .answers = true, .limited = true } },
	{ .name = "silent",
	  .kind = LIST_MIXED,
	  .ptb_max_pps = 0,
	  .policy = { .frags_drop = true, .truncated_drop = true } },
	{ .name = "closed",
	  .kind = LIST_ALL,
	  .ptb_max_pps = WITHOUT_END,
	  .policy = { .frags_drop = true, .drop_options = true, .answers = true } },
	{ .name = "pieces",
	  .kind = LIST_MIXED,
	  .ptb_max_pps = WITHOUT_END,
	  .frags = true,
	  .check_mtu = true,
	  .policy = { .frags_drop = true,
		      .frags_local_pass = true,
		      .truncated_drop = true,
		      .answers = true } },
};

static void trim(struct listed *entry)
{
	size_t bit;

	for (bit = entry->length; bit < 128; bit++)
		entry->address[bit / 8] &= ~(0x80 >> bit % 8);
}

static bool is_known(const struct policy *policy, const struct listed *entry)
{
	size_t i;

	for (i = 0; i < policy->list_length; i++)
		if (policy->list[i].family == entry->family &&
		    policy->list[i].length == entry->length &&
		    !memcmp(policy->list[i].address, entry->address, 16))
			return true;
	return false;
}

static struct listed *append(struct scene *scene, struct listed entry)
{
	struct listed *place = &scene->list[scene->policy.list_length];

	trim(&entry);
	if (scene->policy.list_length == LIST_MAX || is_known(&scene->policy, &entry))
		return NULL;
	*place = entry;
	scene->policy.list_length++;
	return place;
}

/* Somewhere, or half of the time next to or inside what is there. */
static struct listed invent(const struct scene *scene, struct random *random)
{
	struct listed entry = { .family = random_chance(random, 50) ? 4 : 6, .live = true };
	size_t width = entry.family == 4 ? 32 : 128;
	const struct listed *near;

	random_fill(random, entry.address, width / 8);
	entry.length = random_chance(random, 70) ?
			       width / 4 + random_below(random, width * 3 / 4 + 1) :
			       width - random_below(random, 9);
	if (scene->policy.list_length && random_chance(random, 60)) {
		near = &scene->list[random_below(random, scene->policy.list_length)];
		entry.family = near->family;
		memset(entry.address, 0, sizeof(entry.address));
		width = entry.family == 4 ? 32 : 128;
		random_fill(random, entry.address, width / 8);
		memcpy(entry.address, near->address, near->length / 8);
		entry.length = near->length + random_below(random, 10);
		if (random_chance(random, 30))
			entry.length = near->length - random_below(random, 10);
		/* One short entry would settle most sources, and the length may be below 0. */
		if (entry.length < 4 || entry.length > 200)
			entry.length = width / 4;
		if (entry.length > width)
			entry.length = width;
	}
	return entry;
}

static void fill_list(struct scene *scene, struct random *random)
{
	struct listed *entry;
	size_t tries;

	for (tries = 0; tries < LIST_MAX; tries++) {
		entry = append(scene, invent(scene, random));
		if (!entry || scene->kind == LIST_DROPS)
			continue;
		entry->allow = random_chance(random, scene->kind == LIST_ALL ? 60 : 20);
		scene->expires[entry - scene->list] = random_chance(random, 25);
		if (scene->expires[entry - scene->list])
			entry->live = random_chance(random, 50);
	}
}

/* The edges of the address space, and chains as long as can be. */
static void fill_corners(struct scene *scene, struct random *random)
{
	static const uint8_t step[] = { 0x20, 0x01, 0x0d, 0xb8, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };
	struct listed entry = { .live = true };
	unsigned int length;

	for (length = 1; length <= 128; length++) {
		entry.family = length > 32 || random_chance(random, 50) ? 6 : 4;
		entry.length = length;
		memcpy(entry.address, step, sizeof(step));
		if (length > 16 && random_chance(random, 70))
			append(scene, entry);
	}
	memset(entry.address, 0, 16);
	for (entry.family = 4; entry.family <= 6; entry.family += 2) {
		entry.length = entry.family == 4 ? 32 : 128;
		append(scene, entry);
	}
	memset(entry.address, 0xff, 16);
	entry.family = 6;
	append(scene, entry);
	memset(entry.address + 4, 0, 12);
	entry.family = 4;
	entry.length = 32;
	append(scene, entry);
}

/* Networks cut into few, several and many pieces: tables keep them in different ways. */
static void fill_crowds(struct scene *scene, struct random *random)
{
	static const size_t crowds[] = { 2, 5, 9, 40 };
	struct listed network, piece;
	size_t crowd, i, octet;

	for (crowd = 0; crowd < 2 * sizeof(crowds) / sizeof(crowds[0]); crowd++) {
		network = (struct listed){ .family = crowd % 2 ? 6 : 4, .live = true };
		octet = network.family == 4 ? 3 : 8;
		random_fill(random, network.address, octet);
		for (i = 0; i < crowds[crowd / 2]; i++) {
			piece = network;
			random_fill(random, piece.address + octet, network.family == 4 ? 1 : 8);
			piece.length = octet * 8 + 1 + random_below(random, octet == 3 ? 8 : 64);
			append(scene, piece);
		}
	}
}

static void fill_local(struct scene *scene, struct random *random)
{
	struct listed *local;
	size_t i;

	for (i = 0; i < LOCAL_MAX; i++) {
		local = &scene->local[i];
		*local = (struct listed){ .live = true };
		local->family = i % 2 ? 4 : 6;
		local->length = local->family == 4 ? 32 : 128;
		random_fill(random, local->address, local->length / 8);
		local->address[0] = local->family == 4 ? 10 : 0x2a;
	}
	scene->policy.local = scene->local;
	scene->policy.own_length = OWN_MAX;
	scene->policy.local_length = LOCAL_MAX;
}

void scene_set(struct scene *scene, unsigned int index, uint64_t seed)
{
	struct random random = random_for(~seed, index);

	*scene = scenes[index];
	scene->policy.list = scene->list;
	fill_local(scene, &random);
	if (scene->kind == LIST_EMPTY)
		return;
	if (scene->kind == LIST_ALL) {
		append(scene, (struct listed){ .family = 4, .live = true });
		append(scene, (struct listed){ .family = 6, .live = true });
	}
	fill_corners(scene, &random);
	fill_crowds(scene, &random);
	fill_list(scene, &random);
}
