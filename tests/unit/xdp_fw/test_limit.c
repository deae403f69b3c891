// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a limit lets through over time, whatever the rhythm of packets is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "evaluate.h"
#include "limit.h"
#include "rules_text.h"

#define SECOND	UINT64_C(1000000000)
#define SECONDS 100

static struct fw_rate rate_of(unsigned int per_second)
{
	struct fw_ruleset ruleset;
	struct fw_rate rate;
	char text[80];

	snprintf(text, sizeof(text), "ip from any to any udp action limit %u/second", per_second);
	assert_int_equal(fw_rules_parse("rules", text, strlen(text), stderr, &ruleset), 0);
	rate = ruleset.rules[0].rate;
	fw_ruleset_free(&ruleset);
	return rate;
}

/* Packets that pass when one comes every @spacing ns. */
static uint64_t passed(const struct fw_rate *rate, uint64_t spacing)
{
	struct fw_bucket bucket = {};
	uint64_t now = 5 * SECOND, end = now + SECONDS * SECOND, count = 0;

	for (; now < end; now += spacing)
		count += fw_bucket_take(&bucket, now, fw_rate_interval(rate),
					fw_rate_tolerance(rate));
	return count;
}

static void evenly(void **state)
{
	static const unsigned int rates[] = { 1, 3, 10, 19, 20, 39, 40, 333, 1000, 20000 };
	/* Of a hundredth: how much faster than the limit, or slower. */
	static const unsigned int faster[] = { 50, 99, 100, 101, 105, 133, 150, 199, 201, 1000 };
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct fw_rate rate = rate_of(rates[i]);

		for (j = 0; j < sizeof(faster) / sizeof(faster[0]); j++) {
			uint64_t spacing = SECOND * 100 / rates[i] / faster[j];
			uint64_t part = faster[j] < 100 ? faster[j] : 100;
			uint64_t expected = SECONDS * rates[i] * part / 100;
			uint64_t found = passed(&rate, spacing);

			if (found < expected - expected / 10 || found > expected + expected / 10)
				fail_msg("%u/second at %u %%: %llu, not %llu", rates[i], faster[j],
					 (unsigned long long)found, (unsigned long long)expected);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evenly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
