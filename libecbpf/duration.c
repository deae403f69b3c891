// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Lengths of time as people write them. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <ecbpf/tool.h>

#include "clock.h"
#include "internal.h"

static const struct {
	const char *name;
	uint64_t nanoseconds;
} units[] = {
	{ "ms", NS_PER_S / 1000 }, { "s", NS_PER_S },	      { "m", 60 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },  { "d", 86400 * NS_PER_S }, { "w", 604800 * NS_PER_S },
};

/* Nanoseconds of the unit at the start of @text, @length letters long; 0: no unit. */
static uint64_t unit_value(const char *text, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == length && memcmp(units[i].name, text, length) == 0)
			return units[i].nanoseconds;
	return 0;
}

/* Digits to a value, in units of 10^-@decimals; -EINVAL without digits, -ERANGE beyond 2^64. */
static int read_number(const char **text, uint64_t *value, unsigned int *decimals)
{
	bool point = false, digits = false;

	*value = 0;
	*decimals = 0;
	for (; isdigit((unsigned char)**text) || (**text == '.' && !point); ++*text) {
		if (**text == '.') {
			point = true;
			continue;
		}
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, **text - '0', value))
			return -ERANGE;
		*decimals += point;
		digits = true;
	}
	return digits ? 0 : -EINVAL;
}

/* One number with its unit, added to @sum. @alone: it's the first, and may lack the unit. */
static int add_part(const char **text, bool alone, uint64_t *sum)
{
	uint64_t value, unit;
	unsigned int decimals;
	size_t letters;
	int err;

	err = read_number(text, &value, &decimals);
	if (err)
		return err;
	letters = strspn(*text, "abcdefghijklmnopqrstuvwxyz");
	if (letters)
		unit = unit_value(*text, letters);
	else
		unit = alone && **text == '\0' ? NS_PER_S : 0;
	if (!unit)
		return -EINVAL;
	*text += letters;
	for (; decimals && unit % 10 == 0; decimals--)
		unit /= 10;
	for (; decimals; decimals--)
		value /= 10;
	if (__builtin_mul_overflow(value, unit, &value) || __builtin_add_overflow(*sum, value, sum))
		return -ERANGE;
	return 0;
}

int ecbpf_duration_parse(const char *text, uint64_t *nanoseconds)
{
	const char *rest = text;
	uint64_t sum = 0;
	int err;

	do {
		err = add_part(&rest, rest == text, &sum);
		if (err)
			return err;
	} while (*rest);
	*nanoseconds = sum;
	return 0;
}

const char *ecbpf_duration_format(uint64_t seconds, char text[ECBPF_TIME_MAX])
{
	static const struct {
		uint64_t seconds;
		char letter;
	} steps[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t i = 0;
	uint64_t rest;
	int used;

	while (i + 1 < ARRAY_SIZE(steps) && seconds < steps[i].seconds)
		i++;
	rest = seconds % steps[i].seconds;
	used = snprintf(text, ECBPF_TIME_MAX, "%" PRIu64 "%c", seconds / steps[i].seconds,
			steps[i].letter);
	if (++i < ARRAY_SIZE(steps) && rest >= steps[i].seconds)
		snprintf(text + used, ECBPF_TIME_MAX - used, " %" PRIu64 "%c",
			 rest / steps[i].seconds, steps[i].letter);
	return text;
}
