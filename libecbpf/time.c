// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Points in time: what clocks say, and as text, always in UTC and English. */
#include <ecbpf/tool.h>

#include "clock.h"

uint64_t ecbpf_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void broken_down(uint64_t nanoseconds, struct tm *tm)
{
	time_t seconds = nanoseconds / NS_PER_S;

	gmtime_r(&seconds, tm);
}

const char *ecbpf_time_iso(uint64_t nanoseconds, char text[ECBPF_TIME_MAX])
{
	struct tm tm;

	broken_down(nanoseconds, &tm);
	strftime(text, ECBPF_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

/* Not strftime(): its names of days and months follow the locale. */
const char *ecbpf_time_mail(uint64_t nanoseconds, char text[ECBPF_TIME_MAX])
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;

	broken_down(nanoseconds, &tm);
	snprintf(text, ECBPF_TIME_MAX, "%s, %02d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday],
		 tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		 tm.tm_sec);
	return text;
}
