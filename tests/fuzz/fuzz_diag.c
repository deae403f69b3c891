// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Answers of sock_diag. */
#include <errno.h>

#include "diag.h"
#include "target.h"

static int take(struct stats_sample *sample, void *context)
{
	int *left = context;

	REQUIRE(sample->family == 4 || sample->family == 6);
	REQUIRE(sample->length <= sizeof(sample->info));
	REQUIRE(!sample->congestion[STATS_NAME_MAX - 1]);
	return --*left ? 0 : -ECANCELED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its own, so that no octet behind it is read unnoticed. */
	uint8_t *answer = malloc(size ? size : 1);
	int left = 1000, more;

	REQUIRE(answer);
	memcpy(answer, data, size);
	more = diag_each(answer, size, take, &left);
	REQUIRE(more <= 1 && (left || more == -ECANCELED));
	free(answer);
	return 0;
}
