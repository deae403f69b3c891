// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Which capabilities are missing, when the kernel refuses. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>

#include <ecbpf/host.h>

#include "internal.h"

static bool capable(cap_value_t capability)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t set = cap_get_proc();

	if (!set)
		return false;
	if (cap_get_flag(set, capability, CAP_EFFECTIVE, &value))
		value = CAP_CLEAR;
	cap_free(set);
	return value == CAP_SET;
}

const char *ecbpf_capabilities_missing(void)
{
	static char text[64];
	static const struct {
		cap_value_t capability;
		const char *name;
		/* CAP_SYS_ADMIN implies CAP_BPF and CAP_PERFMON. */
		bool implied;
	} needed[] = {
		{ CAP_BPF, "CAP_BPF", true },
		{ CAP_PERFMON, "CAP_PERFMON", true },
		{ CAP_NET_ADMIN, "CAP_NET_ADMIN", false },
	};
	bool admin = capable(CAP_SYS_ADMIN);
	size_t i, length = 0;

	text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		if (capable(needed[i].capability) || (needed[i].implied && admin))
			continue;
		length += snprintf(text + length, sizeof(text) - length, "%s%s", length ? " " : "",
				   needed[i].name);
	}
	return text;
}

int ecbpf_fail_kernel(int err, const char *format, ...)
{
	const char *names;
	char message[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (err == -EPERM || err == -EACCES) {
		names = ecbpf_capabilities_missing();
		if (*names)
			return ecbpf_fail(err, "%s: %s; missing: %s", message, strerror(-err),
					  names);
		return ecbpf_fail(err, "%s: %s; check access to the pin folder", message,
				  strerror(-err));
	}
	return ecbpf_fail(err, "%s: %s", message, strerror(-err));
}

int ecbpf_capabilities_check(const char *what)
{
	const char *names = ecbpf_capabilities_missing();

	return *names ? ecbpf_fail(-EPERM, "%s: missing: %s; run as root, or grant them", what,
				   names) :
			0;
}
