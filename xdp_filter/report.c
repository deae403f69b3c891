// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Statistics to a statsd server. */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "edit.h"
#include "status.h"

static int look(struct ecbpf_root *root, void *instance)
{
	int err = filter_instance_read(root, instance);

	return err == -ENOENT ? filter_instance_missing(ecbpf_root_interface(root)) : err;
}

static int report_interface(struct ecbpf_statsd *statsd, const char *interface)
{
	struct filter_instance instance;
	char name[128];
	int err, i;

	err = ecbpf_root_look(interface, ECBPF_LIVE, look, &instance);
	if (err)
		return err;
	for (i = 0; i < FILTER_STAT_COUNT && !err; i++) {
		snprintf(name, sizeof(name), "%s.%s", interface, filter_stat_name(i));
		err = ecbpf_statsd_counter(statsd, name, instance.stats.values[i]);
	}
	if (!err) {
		snprintf(name, sizeof(name), "%s.prefixes", interface);
		err = ecbpf_statsd_gauge(statsd, name, instance.list.count);
	}
	filter_instance_free(&instance);
	return err;
}

static int report_all(struct ecbpf_statsd *statsd, const struct ecbpf_strings *interfaces)
{
	size_t i;
	int err = 0;

	for (i = 0; i < interfaces->count && !err; i++)
		err = report_interface(statsd, interfaces->items[i]);
	ecbpf_statsd_flush(statsd);
	return err;
}

static void wait_until(struct timespec *next, uint64_t interval)
{
	uint64_t ns = next->tv_sec * 1000000000ULL + next->tv_nsec + interval;

	next->tv_sec = ns / 1000000000;
	next->tv_nsec = ns % 1000000000;
	while (!ecbpf_interrupted() &&
	       clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL) == EINTR)
		;
}

int filter_report(const struct ecbpf_strings *interfaces, const char *host, uint16_t port,
		  uint64_t interval, bool detach)
{
	struct ecbpf_statsd *statsd;
	struct timespec next;
	bool last;
	int err;

	err = ecbpf_statsd_open(host, port, "ecbpf.xdp_filter", &statsd);
	if (err)
		return err;
	ecbpf_interrupt_catch();
	clock_gettime(CLOCK_MONOTONIC, &next);
	do {
		/* Asked for before what was counted until then is reported. */
		last = ecbpf_interrupted();
		err = report_all(statsd, interfaces);
		if (!err && !last)
			wait_until(&next, interval);
	} while (!err && !last);
	if (ecbpf_statsd_errors(statsd))
		ecbpf_log(ECBPF_LOG_WARNING, "statsd: %llu datagrams could not be sent to %s:%u",
			  (unsigned long long)ecbpf_statsd_errors(statsd), host, port);
	ecbpf_statsd_close(statsd);
	if (detach && last) {
		int detached = filter_detach(interfaces, false);

		err = err ?: detached;
	}
	return err;
}
