// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Counters and gauges to a statsd server, over UDP. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <ecbpf/host.h>
#include <ecbpf/tool.h>

#include "internal.h"

/* Fits the MTU of any path worth its name, headers included. */
#define DATAGRAM_MAX	1400
#define LINE_MAX_OCTETS 512

/**
 * struct series - a counter
 * @sent: value up to which the server knows it
 * @gathered: value that it will know once the datagram in hand is sent; with @pending
 */
struct series {
	char *name;
	uint64_t sent;
	uint64_t gathered;
	bool pending;
};

struct ecbpf_statsd {
	int socket;
	char *prefix;
	struct series *series;
	size_t count;
	uint64_t errors;
	size_t used;
	char datagram[DATAGRAM_MAX];
};

int ecbpf_statsd_open(const char *host, uint16_t port, const char *prefix,
		      struct ecbpf_statsd **statsd)
{
	struct ecbpf_statsd *opened = calloc(1, sizeof(*opened));
	int fd;

	if (opened)
		opened->prefix = strdup(prefix ? prefix : "");
	if (!opened || !opened->prefix) {
		free(opened);
		return ecbpf_fail(-ENOMEM, "out of memory");
	}
	fd = ecbpf_udp_open("statsd host", host, port);
	if (fd < 0) {
		free(opened->prefix);
		free(opened);
		return fd;
	}
	opened->socket = fd;
	*statsd = opened;
	return 0;
}

void ecbpf_statsd_flush(struct ecbpf_statsd *statsd)
{
	bool sent;

	if (!statsd->used)
		return;
	sent = send(statsd->socket, statsd->datagram, statsd->used, MSG_NOSIGNAL) >= 0;
	if (!sent) {
		statsd->errors++;
		ecbpf_log(ECBPF_LOG_DEBUG, "statsd: a datagram could not be sent: %m");
	}
	statsd->used = 0;
	for (size_t i = 0; i < statsd->count; i++) {
		if (statsd->series[i].pending && sent)
			statsd->series[i].sent = statsd->series[i].gathered;
		statsd->series[i].pending = false;
	}
}

/* Characters that have a meaning in the protocol become underscores. */
static void clean_name(char *name)
{
	for (; *name; name++)
		if (strchr(":|@#\n\r\t ", *name))
			*name = '_';
}

static int write_line(struct ecbpf_statsd *statsd, const char *name, uint64_t value, char type)
{
	char line[LINE_MAX_OCTETS];
	int length;

	length = snprintf(line, sizeof(line), "%s%s%s", statsd->prefix, *statsd->prefix ? "." : "",
			  name);
	if (length < (int)sizeof(line)) {
		clean_name(line);
		length += snprintf(line + length, sizeof(line) - length, ":%" PRIu64 "|%c", value,
				   type);
	}
	if (length >= (int)sizeof(line))
		return ecbpf_fail(-ENAMETOOLONG, "statsd: '%.32s...' is too long a name", name);
	if (statsd->used && statsd->used + 1 + length > DATAGRAM_MAX)
		ecbpf_statsd_flush(statsd);
	if (statsd->used)
		statsd->datagram[statsd->used++] = '\n';
	memcpy(statsd->datagram + statsd->used, line, length);
	statsd->used += length;
	return 0;
}

static struct series *find_series(struct ecbpf_statsd *statsd, const char *name)
{
	for (size_t i = 0; i < statsd->count; i++)
		if (strcmp(statsd->series[i].name, name) == 0)
			return &statsd->series[i];
	return NULL;
}

/* Begins at @value. NULL: out of memory. */
static struct series *add_series(struct ecbpf_statsd *statsd, const char *name, uint64_t value)
{
	struct series *series;

	series = realloc(statsd->series, (statsd->count + 1) * sizeof(*series));
	if (!series)
		return NULL;
	statsd->series = series;
	series += statsd->count;
	*series = (struct series){ .name = strdup(name), .sent = value };
	if (!series->name)
		return NULL;
	statsd->count++;
	return series;
}

/* How much a counter grew that stood at @from; one that shrank began anew. */
static uint64_t growth(uint64_t from, uint64_t to)
{
	return to >= from ? to - from : to;
}

int ecbpf_statsd_counter(struct ecbpf_statsd *statsd, const char *name, uint64_t value)
{
	struct series *series = find_series(statsd, name);
	int err;

	if (!series)
		series = add_series(statsd, name, value);
	if (!series)
		return ecbpf_fail(-ENOMEM, "out of memory");
	/* Once per datagram, so that a datagram that is lost sets it back by one step. */
	if (series->pending)
		ecbpf_statsd_flush(statsd);
	err = write_line(statsd, name, growth(series->sent, value), 'c');
	if (err)
		return err;
	series->gathered = value;
	series->pending = true;
	return 0;
}

int ecbpf_statsd_gauge(struct ecbpf_statsd *statsd, const char *name, uint64_t value)
{
	return write_line(statsd, name, value, 'g');
}

uint64_t ecbpf_statsd_errors(const struct ecbpf_statsd *statsd)
{
	return statsd->errors;
}

void ecbpf_statsd_close(struct ecbpf_statsd *statsd)
{
	if (!statsd)
		return;
	ecbpf_statsd_flush(statsd);
	close(statsd->socket);
	for (size_t i = 0; i < statsd->count; i++)
		free(statsd->series[i].name);
	free(statsd->series);
	free(statsd->prefix);
	free(statsd);
}
