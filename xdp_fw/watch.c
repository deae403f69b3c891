// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* --watch: the rules that match most packets just now. */
#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"
#include "status_read.h"

#define TOTAL_MAX  24
#define RULES_MOST 20

/**
 * struct growth - a rule, by its index, and what it counted since the picture before
 * @known: it was there then
 */
struct growth {
	uint32_t rule;
	bool known;
	struct fw_hits before;
	uint64_t matched;
};

/* Whether a rule is the one that stood there before: rules have no other name that lasts. */
static bool is_same(const struct fw_shown *before, const struct fw_shown *now, uint32_t rule)
{
	size_t old_length, length;
	const char *old, *text;

	if (!before->attached || rule >= before->instance.settings.rules)
		return false;
	old = fw_instance_text(&before->instance, rule, &old_length);
	text = fw_instance_text(&now->instance, rule, &length);
	return old_length == length && !memcmp(old, text, length);
}

static int compare(const void *left, const void *right)
{
	const struct growth *one = left, *other = right;

	if (one->matched != other->matched)
		return one->matched > other->matched ? -1 : 1;
	return one->rule < other->rule ? -1 : 1;
}

/* Of each rule that ever matched, the one that grew most first. */
static size_t find_growth(const struct fw_shown *before, const struct fw_shown *now,
			  struct growth *grown)
{
	uint32_t i, rules = now->instance.settings.rules;
	size_t count = 0;

	for (i = 0; i < rules; i++) {
		struct growth one = { .rule = i, .known = is_same(before, now, i) };

		if (one.known)
			one.before = before->hits[i];
		if (now->hits[i].matched > one.before.matched)
			one.matched = now->hits[i].matched - one.before.matched;
		if (now->hits[i].matched)
			grown[count++] = one;
	}
	qsort(grown, count, sizeof(*grown), compare);
	return count;
}

static void print_rule(const struct fw_shown *now, const struct growth *growth,
		       const struct ecbpf_column *columns, size_t count, double seconds)
{
	const char *name = fw_instance_name(&now->instance, growth->rule);
	const struct fw_hits *hits = &now->hits[growth->rule];
	char number[TOTAL_MAX], total[TOTAL_MAX], matched[ECBPF_RATE_MAX], dropped[ECBPF_RATE_MAX];
	const uint64_t old_matched = growth->before.matched, old_dropped = growth->before.dropped;

	snprintf(number, sizeof(number), "%" PRIu32, growth->rule + 1);
	snprintf(total, sizeof(total), "%llu", hits->matched);
	ecbpf_table_row(stdout, columns, count,
			(const char *const[]){
				number,
				*name ? name : "-",
				fw_action_name(fw_instance_action(&now->instance, growth->rule)),
				ecbpf_rate_format(growth->known ? &old_matched : NULL,
						  hits->matched, seconds, matched),
				ecbpf_rate_format(growth->known ? &old_dropped : NULL,
						  hits->dropped, seconds, dropped),
				total,
			});
}

static void print_rules(const struct fw_shown *now, const struct growth *grown, size_t count,
			double seconds)
{
	struct ecbpf_column columns[] = {
		{ "RULE", 4, true },	   { "NAME", 4, false },      { "ACTION", 6, false },
		{ "PACKETS/S", 12, true }, { "DROPPED/S", 12, true }, { "PACKETS", 16, true },
	};
	const size_t width = sizeof(columns) / sizeof(columns[0]);
	size_t shown = count < RULES_MOST ? count : RULES_MOST, i;

	printf("\nFirewall of interface %s, %u rules, %zu of them have matched%s:\n", now->name,
	       now->instance.settings.rules, count, shown < count ? ", the busiest" : "");
	for (i = 0; i < shown; i++)
		ecbpf_column_fit(&columns[1], fw_instance_name(&now->instance, grown[i].rule));
	ecbpf_table_header(stdout, columns, width);
	for (i = 0; i < shown; i++)
		print_rule(now, &grown[i], columns, width, seconds);
}

static int print_interface(const struct fw_shown *before, const struct fw_shown *now,
			   double seconds)
{
	struct growth *grown;

	if (!now->attached) {
		putchar('\n');
		fw_shown_print_absence(now);
		return 0;
	}
	grown = calloc(now->instance.settings.rules + 1, sizeof(*grown));
	if (!grown)
		return ecbpf_fail(-ENOMEM, "out of memory");
	print_rules(now, grown, find_growth(before, now, grown), seconds);
	free(grown);
	return 0;
}

static void forget(void *state)
{
	fw_shown_free(state);
}

static int draw(const char *name, void *state, double seconds)
{
	struct fw_shown now, *before = state;
	int err = fw_shown_read(name, ECBPF_LIVE, &now);

	if (!err)
		err = print_interface(before, &now, seconds);
	fw_shown_free(before);
	*before = now;
	return err;
}

int fw_watch(const struct ecbpf_strings *interfaces, uint64_t interval)
{
	const struct ecbpf_watch_work work = { sizeof(struct fw_shown), draw, forget };

	return ecbpf_watch_interfaces(interfaces, interval, &work);
}
