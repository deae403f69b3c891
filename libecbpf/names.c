// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Enums as text. */
#include "internal.h"

static const struct {
	const char *name;
	const char *sentence;
} reasons[] = {
#define X(constant, name, sentence) [ECBPF_REASON_##constant] = { name, sentence },
	ECBPF_REASONS(X) ECBPF_USER_REASONS(X)
#undef X
};

_Static_assert(ECBPF_REASON_COUNT <= ECBPF_REASON_BEFORE_USER &&
		       ECBPF_REASON_USER_3 == ECBPF_REASON_MAX - 1,
	       "the counters have room for all reasons");

bool ecbpf_reason_is_known(unsigned int reason)
{
	return reason < ARRAY_SIZE(reasons) && reasons[reason].name;
}

const char *ecbpf_reason_name(unsigned int reason)
{
	return ecbpf_reason_is_known(reason) ? reasons[reason].name : "unknown";
}

const char *ecbpf_reason_sentence(unsigned int reason)
{
	return ecbpf_reason_is_known(reason) ? reasons[reason].sentence : "";
}

const char *ecbpf_action_name(unsigned int action)
{
	static const char *const names[ECBPF_ACTIONS] = {
		"XDP_ABORTED", "XDP_DROP",     "XDP_PASS",
		"XDP_TX",      "XDP_REDIRECT", "XDP_INVALID_ACTION",
	};

	return names[action < ECBPF_ACTION_INVALID ? action : ECBPF_ACTION_INVALID];
}

const char *ecbpf_mode_name(enum ecbpf_mode mode)
{
	static const char *const names[] = {
		[ECBPF_MODE_AUTO] = "auto",
		[ECBPF_MODE_NATIVE] = "native",
		[ECBPF_MODE_GENERIC] = "generic",
		[ECBPF_MODE_LIBXDP] = "libxdp",
	};

	return (unsigned int)mode < ARRAY_SIZE(names) ? names[mode] : "unknown";
}
