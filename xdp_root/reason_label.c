// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verdict reasons by name. */
#include "reason_label.h"

const char *reason_label(unsigned int code, char text[REASON_LABEL_MAX])
{
	if (ecbpf_reason_is_known(code))
		return ecbpf_reason_name(code);
	snprintf(text, REASON_LABEL_MAX, "code_%u", code);
	return text;
}

bool reason_is_listed(const struct ecbpf_status *status, unsigned int code)
{
	return ecbpf_reason_is_known(code) || status->reasons[code];
}
