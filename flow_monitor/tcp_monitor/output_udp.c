// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Records in datagrams, to whoever collects them. Nothing here waits: what the socket doesn't take
 * at once is counted as lost, and memory is that of one batch.
 */
#define _GNU_SOURCE
#include "output_udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ecbpf/host.h>
#include <ecbpf/tool.h>

#include "flow_wire.h"

#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL

/* Between two complaints. */
#define QUIET_NS (60 * NS_PER_S)

/* As many may come from datagrams before, while one is tried. */
#define REFUSALS_MOST OUTPUT_UDP_BATCH_MAX

/**
 * struct output_udp - a batch in the making
 * @quiet_until, @nobody_until: no complaints before that, CLOCK_MONOTONIC, ns; of failures, and of
 *	nobody listening
 * @first: when its first record came, CLOCK_MONOTONIC, ns; 0: with the next tick
 * @per_datagram: records that fit one
 */
struct output_udp {
	struct record_output output;
	int socket;
	uint64_t quiet_until;
	uint64_t nobody_until;
	size_t batch;
	size_t per_datagram;
	uint64_t wait;
	uint64_t first;
	size_t count;
	uint8_t records[OUTPUT_UDP_BATCH_MAX][FLOW_WIRE_RECORD];
};

static struct output_udp *of(struct record_output *output)
{
	return (struct output_udp *)output;
}

static void complain(struct output_udp *self)
{
	int err = errno;
	uint64_t now = ecbpf_clock(CLOCK_MONOTONIC);

	if (now < self->quiet_until)
		return;
	self->quiet_until = now + QUIET_NS;
	ecbpf_log(ECBPF_LOG_ERROR, "sending failed: %s; records are counted as lost until it works",
		  strerror(err));
}

/* Datagrams may come all the same: somebody may be listening again. */
static void tell_of_nobody(struct output_udp *self)
{
	uint64_t now = ecbpf_clock(CLOCK_MONOTONIC);

	if (now < self->nobody_until)
		return;
	self->nobody_until = now + QUIET_NS;
	ecbpf_log(ECBPF_LOG_WARNING,
		  "nobody listens where datagrams go to, says the host there; they are sent, and "
		  "count as delivered");
}

/* Datagrams that the socket took, in order from the first. */
static size_t send_all(struct output_udp *self, struct mmsghdr *messages, size_t count)
{
	size_t done = 0, refusals = 0;
	int sent;

	while (done < count) {
		sent = sendmmsg(self->socket, messages + done, count - done,
				MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			done += sent;
			refusals = 0;
			continue;
		}
		/* That was about a datagram before, which is gone; this one wasn't tried. */
		if (errno == ECONNREFUSED && refusals++ < REFUSALS_MOST) {
			tell_of_nobody(self);
			continue;
		}
		complain(self);
		return done;
	}
	return done;
}

static void flush(struct output_udp *self)
{
	struct mmsghdr messages[OUTPUT_UDP_BATCH_MAX] = {};
	struct iovec parts[OUTPUT_UDP_BATCH_MAX][2];
	uint8_t headers[OUTPUT_UDP_BATCH_MAX][FLOW_WIRE_HEADER];
	size_t datagrams = 0, at, records, delivered;

	for (at = 0; at < self->count; at += records) {
		records = self->count - at;
		if (records > self->per_datagram)
			records = self->per_datagram;
		flow_wire_encode_count(records, headers[datagrams]);
		parts[datagrams][0] =
			(struct iovec){ headers[datagrams], sizeof(headers[datagrams]) };
		parts[datagrams][1] =
			(struct iovec){ self->records[at], records * FLOW_WIRE_RECORD };
		messages[datagrams].msg_hdr.msg_iov = parts[datagrams];
		messages[datagrams].msg_hdr.msg_iovlen = 2;
		datagrams++;
	}
	delivered = send_all(self, messages, datagrams) * self->per_datagram;
	if (delivered > self->count)
		delivered = self->count;
	*self->output.delivered += delivered;
	*self->output.lost += self->count - delivered;
	*self->output.held -= self->count;
	self->count = 0;
	self->first = 0;
}

static void take(struct record_output *output, const struct record *record)
{
	struct output_udp *self = of(output);

	flow_wire_encode(&record->flow, self->records[self->count++]);
	++*output->held;
	if (self->count == self->batch)
		flush(self);
}

static void tick(struct record_output *output, uint64_t now)
{
	struct output_udp *self = of(output);

	if (!self->count)
		return;
	if (!self->first)
		self->first = now;
	if (now - self->first >= self->wait)
		flush(self);
}

static void close_output(struct record_output *output)
{
	struct output_udp *self = of(output);

	flush(self);
	close(self->socket);
	free(self);
}

static const struct record_output_calls calls = {
	.take = take,
	.tick = tick,
	.close = close_output,
};

int output_udp_open(const struct output_udp_options *options, struct record_output **output)
{
	int fd = ecbpf_udp_open("--udp-host", options->host, options->port);
	struct output_udp *self;

	if (fd < 0)
		return fd;
	self = calloc(1, sizeof(*self));
	if (!self) {
		close(fd);
		return ecbpf_fail(-ENOMEM, "out of memory");
	}
	self->output.calls = &calls;
	self->socket = fd;
	self->batch = options->batch;
	self->per_datagram = (options->datagram - FLOW_WIRE_HEADER) / FLOW_WIRE_RECORD;
	self->wait = options->flush_ms * NS_PER_MS;
	*output = &self->output;
	return 0;
}
