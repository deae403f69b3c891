// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ports, lengths, flags …: a class for each value. */
#include "compile_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/ecbpf.h>

#define PROTOCOL_TCP 6

/* Values that a rule takes: sorted, apart from each other. */
struct spans {
	struct fw_range *items;
	size_t count;
};

/* At @at, rule @position begins or ceases to take the values. */
struct event {
	uint32_t at;
	uint32_t position;
};

struct sweep {
	struct event *events;
	size_t count;
	bool used;
};

size_t fw_dimension_values(enum fw_dimension dimension)
{
	static const size_t values[FW_DIMS] = {
		[FW_DIM_TARGET] = FW_TARGET_VALUES, [FW_DIM_SPORT] = FW_WORD_VALUES,
		[FW_DIM_KIND] = FW_KIND_VALUES,	    [FW_DIM_LENGTH] = FW_LENGTH_VALUES,
		[FW_DIM_TTL] = FW_TTL_VALUES,	    [FW_DIM_WINDOW] = FW_WORD_VALUES,
		[FW_DIM_VLAN] = FW_VLAN_VALUES,
	};

	return values[dimension];
}

static int add_span(struct spans *spans, uint32_t first, uint32_t last)
{
	if (spans->count && spans->items[spans->count - 1].last + 1 >= first) {
		if (spans->items[spans->count - 1].last < last)
			spans->items[spans->count - 1].last = last;
		return 0;
	}
	if (fw_grow(&spans->items, spans->count, sizeof(*spans->items)))
		return -ENOMEM;
	spans->items[spans->count++] = (struct fw_range){ first, last };
	return 0;
}

static int compare_ranges(const void *left, const void *right)
{
	const struct fw_range *a = left, *b = right;

	return (a->first > b->first) - (a->first < b->first);
}

/* What @numbers take of 0 to @max; they are sorted in place of a copy. */
static int numbers_spans(const struct fw_numbers *numbers, uint32_t max, struct spans *out)
{
	struct fw_range *sorted;
	uint32_t next = 0;
	size_t i;
	int err = 0;

	if (!numbers->given)
		return add_span(out, 0, max);
	sorted = malloc(numbers->count * sizeof(*sorted) + 1);
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, numbers->items, numbers->count * sizeof(*sorted));
	qsort(sorted, numbers->count, sizeof(*sorted), compare_ranges);
	for (i = 0; i < numbers->count && !err; i++) {
		if (!numbers->negated) {
			err = add_span(out, sorted[i].first, sorted[i].last);
		} else {
			if (sorted[i].first > next)
				err = add_span(out, next, sorted[i].first - 1);
			if (sorted[i].last >= next)
				next = sorted[i].last + 1;
		}
	}
	if (!err && numbers->negated && next <= max)
		err = add_span(out, next, max);
	free(sorted);
	return err;
}

static int icmp_spans(const struct fw_rule *rule, struct spans *out)
{
	struct spans types = {}, codes = {};
	uint32_t type;
	size_t i, j;
	int err;

	err = numbers_spans(&rule->numbers[FW_TYPE], 255, &types) ?:
		      numbers_spans(&rule->numbers[FW_CODE], 255, &codes);
	for (i = 0; i < types.count && !err; i++)
		for (type = types.items[i].first; type <= types.items[i].last && !err; type++)
			for (j = 0; j < codes.count && !err; j++)
				err = add_span(out,
					       FW_TARGET_ICMP | type << 8 | codes.items[j].first,
					       FW_TARGET_ICMP | type << 8 | codes.items[j].last);
	free(types.items);
	free(codes.items);
	return err;
}

static int target_spans(const struct fw_rule *rule, struct spans *out)
{
	if (rule->numbers[FW_TYPE].given || rule->numbers[FW_CODE].given)
		return icmp_spans(rule, out);
	return numbers_spans(&rule->numbers[FW_DPORT],
			     rule->numbers[FW_DPORT].given ? 0xffff : FW_TARGET_VALUES - 1, out);
}

static bool kind_matches(const struct fw_rule *rule, uint32_t kind)
{
	bool tcp = kind & FW_KIND_TCP, fragment = kind & FW_KIND_FRAGMENT;
	const struct fw_numbers *protocol = &rule->numbers[FW_PROTOCOL];
	const struct fw_flags *flags = &rule->flags;

	if (protocol->given && !fw_numbers_contain(protocol, tcp ? PROTOCOL_TCP : kind & 0xff))
		return false;
	if (rule->fragment != FW_FRAGMENT_ANY && fragment != (rule->fragment == FW_FRAGMENT_YES))
		return false;
	return !flags->given || (tcp && ((kind & flags->mask) == flags->flags) != flags->negated);
}

static int kind_spans(const struct fw_rule *rule, struct spans *out)
{
	uint32_t kind;
	int err = 0;

	for (kind = 0; kind < FW_KIND_VALUES && !err; kind++)
		if (kind_matches(rule, kind))
			err = add_span(out, kind, kind);
	return err;
}

static int spans_of(const struct fw_rule *rule, enum fw_dimension dimension, struct spans *out)
{
	const struct fw_numbers *numbers = rule->numbers;

	switch (dimension) {
	case FW_DIM_TARGET:
		return target_spans(rule, out);
	case FW_DIM_SPORT:
		return numbers_spans(&numbers[FW_SPORT],
				     numbers[FW_SPORT].given ? 0xffff : FW_WORD_NONE, out);
	case FW_DIM_KIND:
		return kind_spans(rule, out);
	case FW_DIM_LENGTH:
		return numbers_spans(&numbers[FW_LENGTH], FW_LENGTH_MORE, out);
	case FW_DIM_TTL:
		return numbers_spans(&numbers[FW_TTL], FW_TTL_VALUES - 1, out);
	case FW_DIM_WINDOW:
		return numbers_spans(&numbers[FW_WINDOW],
				     numbers[FW_WINDOW].given ? 0xffff : FW_WORD_NONE, out);
	default:
		return numbers_spans(&numbers[FW_VLAN], FW_VLAN_VALUES - 1, out);
	}
}

static int add_event(struct sweep *sweep, uint32_t at, uint32_t position)
{
	if (fw_grow(&sweep->events, sweep->count, sizeof(*sweep->events)))
		return -ENOMEM;
	sweep->events[sweep->count++] = (struct event){ at, position };
	return 0;
}

static int collect(const struct fw_family *family, enum fw_dimension dimension, struct sweep *sweep)
{
	uint32_t values = fw_dimension_values(dimension), position;
	struct spans spans;
	size_t i;
	int err = 0;

	for (position = 0; position < family->chunks * FW_CHUNK && !err; position++) {
		if (family->rules[position] == UINT32_MAX)
			continue;
		spans = (struct spans){};
		err = spans_of(&family->ruleset->rules[family->rules[position]], dimension, &spans);
		sweep->used |= spans.count != 1 || spans.items[0].first ||
			       spans.items[0].last != values - 1;
		for (i = 0; i < spans.count && !err; i++) {
			err = add_event(sweep, spans.items[i].first, position);
			if (!err && spans.items[i].last + 1 < values)
				err = add_event(sweep, spans.items[i].last + 1, position);
		}
		free(spans.items);
	}
	return err;
}

static int compare_events(const void *left, const void *right)
{
	const struct event *a = left, *b = right;

	return (a->at > b->at) - (a->at < b->at);
}

static int run(struct fw_family *family, enum fw_dimension dimension, const struct sweep *sweep,
	       uint64_t *vector, uint16_t *classes)
{
	size_t values = fw_dimension_values(dimension), value = 0, i = 0, end;
	uint32_t class;
	int err;

	while (value < values) {
		for (; i < sweep->count && sweep->events[i].at <= value; i++)
			vector[sweep->events[i].position / 64] ^= UINT64_C(1)
								  << sweep->events[i].position % 64;
		err = fw_vectors_class(&family->vectors[dimension], vector, &class);
		if (err)
			return err;
		if (class > UINT16_MAX)
			return ecbpf_fail(-E2BIG, "%s: the rules tell apart more than %u ports",
					  family->ruleset->files[0], 65536);
		end = i < sweep->count ? sweep->events[i].at : values;
		while (value < end)
			classes[value++] = class;
	}
	return 0;
}

int fw_compile_indexed(struct fw_family *family, enum fw_dimension dimension, uint16_t *classes)
{
	uint64_t *vector = calloc(family->chunks + 1, sizeof(*vector));
	struct sweep sweep = {};
	int err = vector ? 0 : -ENOMEM;

	if (!err)
		err = collect(family, dimension, &sweep);
	/* Vectors also tell which positions have rules, so there is one dimension at least. */
	sweep.used |= dimension == FW_DIMS - 1 && !family->used;
	if (!err && sweep.used) {
		family->used |= 1U << dimension;
		qsort(sweep.events, sweep.count, sizeof(*sweep.events), compare_events);
		err = run(family, dimension, &sweep, vector, classes);
	}
	free(sweep.events);
	free(vector);
	return err;
}
