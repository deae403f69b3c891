// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Terms of tcp_monitor --filter. */
#include <ecbpf/ecbpf.h>

#include "tcp_monitor/filter.h"
#include "target.h"

static void say_nothing(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)context;
	REQUIRE(!strchr(message, '\n'));
}

static bool any_port(const struct filter *filter)
{
	size_t i;

	for (i = 0; i < MONITOR_PORT_WORDS; i++)
		if (filter->ports[i])
			return true;
	return false;
}

static void check(const struct filter *filter)
{
	struct monitor_config config = {};
	const struct monitor_prefix *prefix;
	size_t i, bit;

	for (i = 0; i < filter->prefix_count; i++) {
		prefix = &filter->prefixes[i];
		bit = prefix->length - MONITOR_PREFIX_FAMILY_BITS;
		REQUIRE(bit <= (prefix->family == 4 ? 32 : 128));
		for (; bit < 128; bit++)
			REQUIRE(!(prefix->address[bit / 8] >> (7 - bit % 8) & 1));
	}
	REQUIRE(filter->by_port == any_port(filter));
	filter_configure(filter, &config);
	REQUIRE(config.filtered == (filter->by_port || filter->prefix_count));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ecbpf_strings terms = {}, none = {};
	char *text = string_of(data, size);
	struct filter filter = {};

	ecbpf_log_set(say_nothing, NULL, ECBPF_LOG_DEBUG);
	/* Folders are for tests that know what is there. */
	if (!strstr(text, "cgroup=") && !ecbpf_strings_split(&terms, text)) {
		if (!filter_parse(&terms, &none, &filter))
			check(&filter);
		filter_free(&filter);
	}
	ecbpf_strings_free(&terms);
	free(text);
	return 0;
}
