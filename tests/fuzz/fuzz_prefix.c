// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Prefixes as people type them. */
#include <arpa/inet.h>

#include "prefix.h"
#include "target.h"

static void check(const struct prefix *prefix)
{
	struct prefix again;
	char text[PREFIX_TEXT_SIZE];
	bool host_bits = true;
	unsigned int bit;

	REQUIRE(prefix->family == 4 || prefix->family == 6);
	REQUIRE(prefix->length <= prefix_length_max(prefix->family));
	for (bit = prefix->length; bit < 128; bit++)
		REQUIRE(!(prefix->addr[bit / 8] >> (7 - bit % 8) & 1));
	REQUIRE(prefix_format(prefix, text) == text);
	REQUIRE(!prefix_parse(text, &again, &host_bits));
	REQUIRE(!host_bits && !memcmp(prefix, &again, sizeof(again)));
	REQUIRE(!prefix_compare(prefix, &again));
	REQUIRE(prefix_covers(prefix, &again));
}

/* Text that the C library takes for an address is a prefix too. */
static void check_refused(const char *text)
{
	uint8_t address[16];

	REQUIRE(inet_pton(AF_INET, text, address) != 1);
	REQUIRE(inet_pton(AF_INET6, text, address) != 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct prefix untouched = { .family = 9, .length = 255 };
	char *text = string_of(data, size);
	struct prefix prefix = untouched;
	bool host_bits = false;

	if (!prefix_parse(text, &prefix, &host_bits)) {
		check(&prefix);
	} else {
		check_refused(text);
		REQUIRE(!memcmp(&prefix, &untouched, sizeof(prefix)) && !host_bits);
	}
	free(text);
	return 0;
}
