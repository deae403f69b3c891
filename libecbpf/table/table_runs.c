/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "table_runs.h"

#define DEPTH_MAX 130 /* nested prefixes /0 to /128, and what lies below them all */

/* What is known of all rules that cover an address. */
enum chain_state {
	CHAIN_ALLOWED = 1, /* by an entry that stays */
	CHAIN_MAY_ALLOW = 2, /* by one that expires */
	CHAIN_DROPS = 4,
};

struct cover_frame {
	struct table_address last;
	__u32 word;
	__u32 id;
	unsigned int state;
};

static int compare_addresses(struct table_address left, struct table_address right)
{
	if (left.high != right.high)
		return left.high < right.high ? -1 : 1;
	if (left.low != right.low)
		return left.low < right.low ? -1 : 1;
	return 0;
}

static int compare_covers(const void *left, const void *right)
{
	const struct table_cover *a = left, *b = right;
	int order = a->family - b->family;

	if (!order)
		order = compare_addresses(a->first, b->first);
	if (!order)
		order = a->length - b->length;
	return order;
}

/* The address bits that a prefix of this length leaves open. */
static struct table_address open_bits(unsigned int length)
{
	struct table_address open = {
		.high = length < 64 ? ~0ULL >> length : 0,
		.low = length <= 64 ? ~0ULL :
		       length < 128 ? ~0ULL >> (length - 64) :
				      0,
	};

	return open;
}

static int cover_from_rule(const struct table_rule *rule, size_t index, struct table_cover *out)
{
	const struct prefix *prefix = &rule->prefix;
	struct table_address open = open_bits(prefix->length);
	__u64 half;

	if ((prefix->family != 4 && prefix->family != 6) ||
	    prefix->length > prefix_length_max(prefix->family) || !rule->id ||
	    rule->id > TABLE_ID_MAX)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	memcpy(&half, prefix->addr, sizeof(half));
	out->first.high = be64toh(half);
	memcpy(&half, prefix->addr + sizeof(half), sizeof(half));
	out->first.low = be64toh(half);
	if (out->first.high & open.high || out->first.low & open.low)
		return -EINVAL;
	out->rule = index;
	out->family = prefix->family;
	out->length = prefix->length;
	return 0;
}

int table_sort(const struct table_rule *rules, size_t count, struct table_cover **out)
{
	struct table_cover *covers = calloc(count ? count : 1, sizeof(*covers));
	bool sorted = true;
	size_t i;
	int err = 0;

	if (!covers)
		return -ENOMEM;
	for (i = 0; i < count && !err; i++) {
		err = cover_from_rule(&rules[i], i, &covers[i]);
		if (i && compare_covers(&covers[i - 1], &covers[i]) > 0)
			sorted = false;
	}
	if (!err && !sorted)
		qsort(covers, count, sizeof(*covers), compare_covers);
	for (i = 1; i < count && !err; i++) {
		if (!compare_covers(&covers[i - 1], &covers[i]))
			err = -EEXIST;
	}
	if (err) {
		free(covers);
		return err;
	}
	*out = covers;
	return 0;
}

static void add_run(struct table_runs *out, struct table_address first, __u32 word)
{
	struct table_run *last = out->run_count ? &out->runs[out->run_count - 1] : NULL;

	/* A longer prefix with the same first address leaves nothing of the shorter one's run. */
	if (last && !compare_addresses(last->first, first)) {
		out->run_count--;
		last = out->run_count ? last - 1 : NULL;
	}
	if (last && last->word == word)
		return;
	out->runs[out->run_count].first = first;
	out->runs[out->run_count++].word = word;
}

/* Adds what follows a prefix that ends: more of the one around it. */
static void close_run(struct table_runs *out, const struct cover_frame *ended)
{
	struct table_address next = ended->last;

	if (!++next.low && !++next.high)
		return;
	add_run(out, next, ended[-1].word);
}

static void enter_cover(const struct table_rule *rule, struct table_cover *cover,
			struct cover_frame *frame)
{
	const struct cover_frame *outer = frame - 1;
	struct table_address open = open_bits(cover->length);

	frame->last.high = cover->first.high | open.high;
	frame->last.low = cover->first.low | open.low;
	frame->id = rule->id;
	frame->state = outer->state;
	if (!rule->allow)
		frame->state |= CHAIN_DROPS;
	else
		frame->state |= rule->expires ? CHAIN_MAY_ALLOW : CHAIN_ALLOWED;

	if (frame->state & CHAIN_ALLOWED || !(frame->state & CHAIN_DROPS))
		frame->word = 0;
	else if (frame->state & CHAIN_MAY_ALLOW || rule->expires)
		frame->word = rule->id | TABLE_WALK;
	else
		frame->word = rule->id;
	cover->word = frame->word;
	cover->around = outer->word;
}

int table_resolve(const struct table_rule *rules, struct table_cover *covers, size_t count,
		  __u32 *parents, struct table_runs *out)
{
	struct cover_frame frames[DEPTH_MAX] = { 0 };
	const struct table_address zero = { 0 };
	struct table_runs made = { .covers = covers, .cover_count = count };
	struct cover_frame *top = frames;
	size_t i;

	made.runs = malloc((2 * count + 1) * sizeof(*made.runs));
	if (!made.runs)
		return -ENOMEM;
	add_run(&made, zero, 0);
	for (i = 0; i < count; i++) {
		while (top > frames && compare_addresses(top->last, covers[i].first) < 0)
			close_run(&made, top--);
		parents[covers[i].rule] = top->id;
		enter_cover(&rules[covers[i].rule], &covers[i], ++top);
		add_run(&made, covers[i].first, top->word);
	}
	while (top > frames)
		close_run(&made, top--);
	*out = made;
	return 0;
}

void table_runs_free(struct table_runs *runs)
{
	free(runs->runs);
	runs->runs = NULL;
}
