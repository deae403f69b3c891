// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Estimated packets and octets by interface and reason, to a statsd server. */
#include "sink_statsd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <ecbpf/tool.h>

#define SEND_NS 1000000000ULL
/* Errors that follow another one within that time are not told again. */
#define QUIET_NS (60 * SEND_NS)

/* @known: the server was told that it began at 0; later values are growth. */
struct estimate {
	uint64_t packets;
	uint64_t octets;
	bool seen;
	bool known;
};

/**
 * struct statsd_sink - sums since we began
 * @unsent: samples in the sums that were not sent yet
 * @unsettled: those sent last, until the network had time to refuse them
 * @failed: when an error was met last, ns since the Unix epoch; 0: never
 */
struct statsd_sink {
	struct sample_sink sink;
	struct ecbpf_statsd *statsd;
	const struct sampler_interface *interfaces;
	size_t count;
	uint64_t sent;
	uint64_t unsent[SAMPLER_INTERFACES_MAX];
	uint64_t unsettled[SAMPLER_INTERFACES_MAX];
	uint64_t failed;
	struct estimate estimates[SAMPLER_INTERFACES_MAX][ECBPF_REASON_MAX];
};

static struct statsd_sink *of(struct sample_sink *sink)
{
	return (struct statsd_sink *)sink;
}

static void take(struct sample_sink *sink, const struct sample *sample)
{
	struct statsd_sink *self = of(sink);
	struct estimate *estimate =
		&self->estimates[sample->interface->index][sample->reason % ECBPF_REASON_MAX];

	estimate->packets += sample->rate;
	estimate->octets += (uint64_t)sample->rate * sample->length;
	estimate->seen = true;
	self->unsent[sample->interface->index]++;
}

static int send_counter(struct statsd_sink *self, const char *name, uint64_t value, bool known)
{
	int err = known ? 0 : ecbpf_statsd_counter(self->statsd, name, 0);

	return err ?: ecbpf_statsd_counter(self->statsd, name, value);
}

static int send_one(struct statsd_sink *self, size_t interface, unsigned int reason)
{
	struct estimate *estimate = &self->estimates[interface][reason];
	bool known = estimate->known;
	char name[96];
	int err;

	if (!estimate->seen)
		return 0;
	estimate->known = true;
	snprintf(name, sizeof(name), "%s.%s.packets", self->interfaces[interface].name,
		 ecbpf_reason_name(reason));
	err = send_counter(self, name, estimate->packets, known);
	snprintf(name, sizeof(name), "%s.%s.octets", self->interfaces[interface].name,
		 ecbpf_reason_name(reason));
	return err ?: send_counter(self, name, estimate->octets, known);
}

static void complain(struct statsd_sink *self, uint64_t now)
{
	if (!self->failed || now - self->failed > QUIET_NS)
		ecbpf_log(ECBPF_LOG_ERROR, "--statsd: sending failed; what was lost is counted");
	self->failed = now;
}

/* Sums that could not be sent go with the next; what was sent before may have been refused. */
static void send_all(struct statsd_sink *self, uint64_t now)
{
	uint64_t errors = ecbpf_statsd_errors(self->statsd);
	unsigned int reason;
	bool sent;
	size_t i;
	int err = 0;

	for (i = 0; i < self->count; i++)
		for (reason = 0; reason < ECBPF_REASON_MAX && !err; reason++)
			err = send_one(self, i, reason);
	ecbpf_statsd_flush(self->statsd);
	sent = !err && ecbpf_statsd_errors(self->statsd) == errors;
	if (!sent)
		complain(self, now);
	for (i = 0; i < self->count; i++) {
		*(sent ? &self->sink.delivered[i] : &self->sink.lost[i]) += self->unsettled[i];
		self->unsettled[i] = sent ? self->unsent[i] : 0;
		self->unsent[i] = sent ? 0 : self->unsent[i];
	}
}

static void tick(struct sample_sink *sink, uint64_t now, const struct sample_losses *losses)
{
	struct statsd_sink *self = of(sink);

	(void)losses;
	if (now - self->sent < SEND_NS)
		return;
	self->sent = now;
	send_all(self, now);
}

static void finish(struct sample_sink *sink, const struct sample_losses *losses)
{
	struct statsd_sink *self = of(sink);
	size_t i;

	(void)losses;
	send_all(self, self->sent + SEND_NS);
	for (i = 0; i < self->count; i++) {
		sink->delivered[i] += self->unsettled[i];
		sink->lost[i] += self->unsent[i];
	}
}

static void close_sink(struct sample_sink *sink)
{
	ecbpf_statsd_close(of(sink)->statsd);
	free(sink);
}

static const struct sample_sink_calls calls = { take, tick, finish, close_sink };

int sink_statsd_open(const char *host, uint16_t port, const struct sampler_interface *interfaces,
		     size_t count, struct sample_sink **out)
{
	struct statsd_sink *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return -ENOMEM;
	err = ecbpf_statsd_open(host, port, "ecbpf.xdp_sampler", &self->statsd);
	if (err) {
		free(self);
		return err;
	}
	self->sink.calls = &calls;
	self->sink.output = SAMPLER_OUTPUT_STATSD;
	self->interfaces = interfaces;
	self->count = count;
	*out = &self->sink;
	return 0;
}
