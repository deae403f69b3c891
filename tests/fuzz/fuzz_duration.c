// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Durations as people type them. */
#include <errno.h>

#include <ecbpf/tool.h>

#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = string_of(data, size), shown[ECBPF_TIME_MAX], *twice;
	uint64_t nanoseconds = 1, sum = 1;
	int err = ecbpf_duration_parse(text, &nanoseconds);

	REQUIRE(!err || err == -EINVAL || err == -ERANGE);
	if (err) {
		REQUIRE(nanoseconds == 1);
		free(text);
		return 0;
	}
	REQUIRE(strlen(ecbpf_duration_format(nanoseconds / 1000000000, shown)) < ECBPF_TIME_MAX);
	/* With a unit at its end it can be said twice, and is twice as long then. */
	if (text[strlen(text) - 1] >= 'a' && nanoseconds < UINT64_MAX / 2) {
		twice = malloc(2 * strlen(text) + 1);
		REQUIRE(twice);
		strcat(strcpy(twice, text), text);
		REQUIRE(!ecbpf_duration_parse(twice, &sum) && sum == 2 * nanoseconds);
		free(twice);
	}
	free(text);
	return 0;
}
