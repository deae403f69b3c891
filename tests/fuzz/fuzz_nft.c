// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What nft printed: whatever it is, the rules made of it are rules. */
#include <string.h>

#include <json-c/json.h>

#include <ecbpf/ecbpf.h>

#include "import_nft.h"
#include "rules_text.h"
#include "target.h"

static void say_nothing(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)context;
	REQUIRE(!strchr(message, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *document;
	struct fw_ruleset ruleset = {};
	char *text = string_of(data, size), *rules = NULL;
	size_t length = 0;
	FILE *out;

	ecbpf_log_set(say_nothing, NULL, ECBPF_LOG_DEBUG);
	document = json_tokener_parse(text);
	out = open_memstream(&rules, &length);
	REQUIRE(out);
	fw_import_nft_json(document, "input", out);
	fclose(out);
	REQUIRE(!fw_rules_parse("rules", rules, length, stderr, &ruleset));
	fw_ruleset_free(&ruleset);
	json_object_put(document);
	free(rules);
	free(text);
	return 0;
}
