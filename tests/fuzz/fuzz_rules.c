// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rules: what is read can be compiled, and its text be read again. */
#define _GNU_SOURCE
#include <string.h>

#include <ecbpf/ecbpf.h>

#include "compile.h"
#include "rules_text.h"
#include "target.h"

/* Larger ones would only be slow. */
#define COMPILED_MAX 50

static void say_nothing(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)context;
	REQUIRE(!strchr(message, '\n'));
}

static void check_rule(const struct fw_rule *rule)
{
	int number;
	size_t i;

	REQUIRE(rule->family == 4 || rule->family == 6);
	REQUIRE(rule->text && rule->line && rule->numbers[FW_PROTOCOL].count < 1000);
	REQUIRE(!rule->name || strlen(rule->name) < FW_NAME_MAX);
	REQUIRE(rule->action != FW_LIMIT || (rule->rate.per_second && rule->rate.burst));
	for (number = 0; number < FW_NUMBERS; number++)
		for (i = 0; i < rule->numbers[number].count; i++)
			REQUIRE(rule->numbers[number].items[i].first <=
					rule->numbers[number].items[i].last &&
				rule->numbers[number].items[i].last <= fw_number_max(number));
	for (i = 0; i < rule->from.count; i++)
		REQUIRE(rule->from.items[i].family == rule->family);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	struct fw_ruleset ruleset = {};
	struct fw_compiled compiled;
	char *text;
	size_t i;

	/* Files are for tests that know what is in them. */
	if (memmem(data, size, "include", 7) || memmem(data, size, "file", 4))
		return 0;
	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	REQUIRE(nowhere);
	ecbpf_log_set(say_nothing, NULL, ECBPF_LOG_DEBUG);
	text = string_of(data, size);
	if (!fw_rules_parse("input", text, size, nowhere, &ruleset)) {
		for (i = 0; i < ruleset.count; i++)
			check_rule(&ruleset.rules[i]);
		if (ruleset.count <= COMPILED_MAX && !fw_compile(&ruleset, NULL, &compiled))
			fw_compiled_free(&compiled);
	}
	fw_ruleset_free(&ruleset);
	free(text);
	return 0;
}
