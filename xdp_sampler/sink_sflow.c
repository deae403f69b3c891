// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Samples as sFlow datagrams. */
#include "sink_sflow.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sflow.h"

#define PORT_DEFAULT "6343"
#define HOST_MAX     256
#define NS_PER_S     1000000000ULL
#define COUNTERS_NS  (20 * NS_PER_S)
/* Samples wait that long for company. */
#define FLUSH_NS (200 * 1000000ULL)
/* What was sent counts as delivered if nobody refused anything for that long before and after:
 * hosts refuse datagrams about once in a second only (icmp_ratelimit in ip-sysctl.rst). */
#define SETTLE_NS      (1500 * 1000000ULL)
#define COLLECTORS_MAX 16
/* Pause between tries to reach a collector that nothing leads to. */
#define RETRY_NS NS_PER_S
/* Errors that follow another one within that time are not told again. */
#define QUIET_NS (60 * NS_PER_S)

/**
 * struct collector - who is sent to
 * @addresses: as its name was resolved
 * @socket: -1: there is no way to any of them
 * @retry: not before, ns of CLOCK_MONOTONIC
 * @agent: our address, by which the collector knows us
 * @failed: when an error was met last, ns of CLOCK_MONOTONIC; 0: never
 * @refused: ECONNREFUSED: by a try to send it became known that an earlier one was refused
 */
struct collector {
	const char *name;
	struct addrinfo *addresses;
	int socket;
	uint64_t retry;
	struct sockaddr_storage agent;
	uint32_t sequence;
	uint64_t failed;
	int refused;
};

/**
 * struct pool - packets of an interface
 * @sum: over all CPUs
 * @cpus: the sum's parts, by CPU, of which @count are known
 */
struct pool {
	uint64_t sum;
	uint64_t *cpus;
	size_t count;
};

/**
 * struct sflow_sink - datagrams in the making
 * @samples: encoded, without a datagram's header, which differs by collector
 * @held: flow samples among them, by interface
 * @sent: flow samples, by interface, that may yet be refused: those of the running window of
 *        SETTLE_NS, and of the one before
 * @number: samples among them, counters included
 * @sequences: of flow and counter samples, by interface
 * @window: when the running window began; ns of CLOCK_MONOTONIC, as the following
 * @refused: when anything was refused last; 0: never
 */
struct sflow_sink {
	struct sample_sink sink;
	struct collector collectors[COLLECTORS_MAX];
	size_t collector_count;
	const struct sampler_interface *interfaces;
	size_t count;
	uint8_t samples[SFLOW_DATAGRAM_MAX];
	size_t octets;
	uint32_t number;
	uint64_t held[SAMPLER_INTERFACES_MAX];
	uint64_t sent[2][SAMPLER_INTERFACES_MAX];
	uint32_t flow_sequences[SAMPLER_INTERFACES_MAX];
	uint32_t counter_sequences[SAMPLER_INTERFACES_MAX];
	struct pool pools[SAMPLER_INTERFACES_MAX];
	uint64_t drops[SAMPLER_INTERFACES_MAX];
	uint64_t window;
	uint64_t refused;
	uint64_t began;
	uint64_t flushed;
	uint64_t counted;
};

static struct sflow_sink *of(struct sample_sink *sink)
{
	return (struct sflow_sink *)sink;
}

static void complain(struct collector *collector, int err)
{
	uint64_t now = ecbpf_clock(CLOCK_MONOTONIC);

	if (!collector->failed || now - collector->failed > QUIET_NS)
		ecbpf_log(ECBPF_LOG_ERROR,
			  "--sflow %s: sending failed: %s; samples are counted as lost until it "
			  "works",
			  collector->name, strerror(err));
	collector->failed = now;
}

static int connect_to(struct collector *collector, const struct addrinfo *address)
{
	socklen_t length = sizeof(collector->agent);
	int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* The agent is known by the address that this host has towards the collector. */
	if (connect(fd, address->ai_addr, address->ai_addrlen) ||
	    getsockname(fd, (struct sockaddr *)&collector->agent, &length)) {
		int err = -errno;

		close(fd);
		return err;
	}
	collector->socket = fd;
	return 0;
}

/* Whether there is a way to it, as routes are now. */
static bool reach(struct collector *collector)
{
	const struct addrinfo *address;
	int err = 0;

	if (collector->socket >= 0)
		return true;
	if (ecbpf_clock(CLOCK_MONOTONIC) < collector->retry)
		return false;
	for (address = collector->addresses; address; address = address->ai_next) {
		err = connect_to(collector, address);
		if (!err)
			return true;
	}
	collector->retry = ecbpf_clock(CLOCK_MONOTONIC) + RETRY_NS;
	complain(collector, -err);
	return false;
}

/* Whether something that was sent there before was refused. */
static bool was_refused(struct collector *collector)
{
	socklen_t length = sizeof(int);
	int err = collector->refused;

	collector->refused = 0;
	if (collector->socket < 0)
		return false;
	if (!err)
		getsockopt(collector->socket, SOL_SOCKET, SO_ERROR, &err, &length);
	if (err)
		complain(collector, err);
	return err;
}

static bool send_to(struct sflow_sink *self, struct collector *collector)
{
	uint8_t datagram[SFLOW_HEADER_MAX + SFLOW_DATAGRAM_MAX];
	uint32_t uptime = (ecbpf_clock(CLOCK_MONOTONIC) - self->began) / 1000000;
	size_t octets;

	if (!reach(collector))
		return false;
	octets = sflow_header(datagram, &collector->agent, ++collector->sequence, uptime,
			      self->number);
	memcpy(datagram + octets, self->samples, self->octets);
	octets += self->octets;
	if (send(collector->socket, datagram, octets, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    (ssize_t)octets)
		return true;
	if (errno == ECONNREFUSED)
		collector->refused = errno;
	complain(collector, errno);
	return false;
}

/* Moves what was sent in a window to what is delivered or lost. */
static void count_sent(struct sflow_sink *self, unsigned int window, uint64_t *to)
{
	size_t i;

	for (i = 0; i < self->count; i++)
		to[i] += self->sent[window][i];
	memset(self->sent[window], 0, sizeof(self->sent[window]));
}

static void settle(struct sflow_sink *self)
{
	uint64_t now = ecbpf_clock(CLOCK_MONOTONIC);
	size_t i;

	for (i = 0; i < self->collector_count; i++)
		if (was_refused(&self->collectors[i]))
			self->refused = now;
	if (self->refused && now - self->refused < SETTLE_NS) {
		count_sent(self, 0, self->sink.lost);
		count_sent(self, 1, self->sink.lost);
	} else if (now - self->window >= SETTLE_NS) {
		count_sent(self, 1, self->sink.delivered);
		memcpy(self->sent[1], self->sent[0], sizeof(self->sent[1]));
		memset(self->sent[0], 0, sizeof(self->sent[0]));
		self->window = now;
	}
}

static void flush(struct sflow_sink *self)
{
	bool sent = true;
	size_t i;

	settle(self);
	self->flushed = ecbpf_clock(CLOCK_MONOTONIC);
	if (!self->number)
		return;
	for (i = 0; i < self->collector_count; i++)
		sent &= send_to(self, &self->collectors[i]);
	for (i = 0; i < self->count; i++) {
		*(sent ? &self->sent[0][i] : &self->sink.lost[i]) += self->held[i];
		self->held[i] = 0;
	}
	self->octets = 0;
	self->number = 0;
}

static uint8_t *room(struct sflow_sink *self, size_t octets)
{
	if (self->octets + octets > SFLOW_DATAGRAM_MAX - SFLOW_HEADER_MAX)
		flush(self);
	return self->samples + self->octets;
}

static void count_packets(struct pool *pool, const struct sample *sample)
{
	size_t count = sample->cpu + 1;
	uint64_t *grown;

	if (count > pool->count) {
		grown = realloc(pool->cpus, count * sizeof(*grown));
		if (!grown)
			return;
		memset(grown + pool->count, 0, (count - pool->count) * sizeof(*grown));
		pool->cpus = grown;
		pool->count = count;
	}
	pool->sum += sample->pool - pool->cpus[sample->cpu];
	pool->cpus[sample->cpu] = sample->pool;
}

static void take(struct sample_sink *sink, const struct sample *sample)
{
	struct sflow_sink *self = of(sink);
	unsigned int index = sample->interface->index;
	uint8_t *to = room(self, SFLOW_FLOW_MAX + SFLOW_PACKET_MAX);

	count_packets(&self->pools[index], sample);
	self->octets += sflow_flow(to, sample, ++self->flow_sequences[index],
				   self->pools[index].sum, self->drops[index]);
	self->held[index]++;
	self->number++;
}

/* One line of /proc/net/dev: "NAME: bytes packets errs drop fifo frame compressed multicast …" */
static bool parse_counters(const char *line, const char *name, struct sflow_counters *counters)
{
	unsigned long long in[8], out[8];
	const char *colon = strchr(line, ':');
	size_t length = strlen(name);

	line += strspn(line, " ");
	if (!colon || (size_t)(colon - line) != length || strncmp(line, name, length))
		return false;
	if (sscanf(colon + 1, "%llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu", &in[0],
		   &in[1], &in[2], &in[3], &in[4], &in[5], &in[6], &in[7], &out[0], &out[1],
		   &out[2], &out[3]) != 12)
		return false;
	*counters = (struct sflow_counters){
		.in_octets = in[0],
		.in_packets = in[1],
		.in_errors = in[2],
		.in_discards = in[3],
		.in_multicast = in[7],
		.out_octets = out[0],
		.out_packets = out[1],
		.out_errors = out[2],
		.out_discards = out[3],
	};
	return true;
}

static uint32_t read_status(const char *name)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };
	uint32_t status = 0;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (!ioctl(fd, SIOCGIFFLAGS, &request)) {
		status |= request.ifr_flags & IFF_UP ? SFLOW_ADMIN_UP : 0;
		status |= request.ifr_flags & IFF_RUNNING ? SFLOW_OPER_UP : 0;
	}
	close(fd);
	return status;
}

static void add_counters(struct sflow_sink *self)
{
	FILE *file = fopen("/proc/self/net/dev", "re");
	struct sflow_counters counters;
	char line[512];
	size_t i;

	while (file && fgets(line, sizeof(line), file)) {
		for (i = 0; i < self->count; i++) {
			if (!parse_counters(line, self->interfaces[i].name, &counters))
				continue;
			counters.status = read_status(self->interfaces[i].name);
			self->octets += sflow_counters(room(self, SFLOW_COUNTERS_MAX),
						       &self->interfaces[i],
						       ++self->counter_sequences[i], &counters);
			self->number++;
		}
	}
	if (file)
		fclose(file);
}

static void note_losses(struct sflow_sink *self, const struct sample_losses *losses)
{
	size_t i;

	for (i = 0; i < self->count; i++)
		self->drops[i] = losses[i].lost + self->sink.lost[i];
}

static void tick(struct sample_sink *sink, uint64_t now, const struct sample_losses *losses)
{
	struct sflow_sink *self = of(sink);
	uint64_t monotonic = ecbpf_clock(CLOCK_MONOTONIC);

	(void)now;
	note_losses(self, losses);
	if (!self->counted || monotonic - self->counted >= COUNTERS_NS) {
		self->counted = monotonic;
		add_counters(self);
	}
	if (monotonic - self->flushed >= FLUSH_NS)
		flush(self);
}

static void finish(struct sample_sink *sink, const struct sample_losses *losses)
{
	note_losses(of(sink), losses);
	flush(of(sink));
	settle(of(sink));
	count_sent(of(sink), 0, sink->delivered);
	count_sent(of(sink), 1, sink->delivered);
}

static void close_sink(struct sample_sink *sink)
{
	struct sflow_sink *self = of(sink);
	size_t i;

	for (i = 0; i < self->collector_count; i++) {
		if (self->collectors[i].socket >= 0)
			close(self->collectors[i].socket);
		freeaddrinfo(self->collectors[i].addresses);
	}
	for (i = 0; i < self->count; i++)
		free(self->pools[i].cpus);
	free(self);
}

static const struct sample_sink_calls calls = { take, tick, finish, close_sink };

/* "HOST:PORT", "[ADDRESS]:PORT", "HOST" or a bare IPv6 address, in two parts. */
static int split_name(const char *text, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(text, ':'), *end = text + strlen(text);

	*port = PORT_DEFAULT;
	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		if (end[1])
			*port = end + 2;
		text++;
	} else if (colon && strchr(text, ':') == colon) {
		*port = colon + 1;
		end = colon;
	}
	if (end == text || (size_t)(end - text) >= size || !**port)
		return -EINVAL;
	memcpy(host, text, end - text);
	host[end - text] = '\0';
	return 0;
}

/* getaddrinfo() takes what is beyond 65535 for another port. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long port = digits <= 5 ? strtoul(text, NULL, 10) : 0;

	return !text[digits] && port > 0 && port <= UINT16_MAX;
}

static int parse_collector(const char *text, char host[HOST_MAX], const char **port)
{
	if (split_name(text, host, HOST_MAX, port))
		return ecbpf_fail(-EINVAL, "--sflow '%s': write HOST:PORT or [ADDRESS]:PORT", text);
	if (!is_port(*port))
		return ecbpf_fail(-EINVAL, "--sflow '%s': no port '%s'; give 1 to 65535", text,
				  *port);
	return 0;
}

int sink_sflow_check(const struct ecbpf_strings *collectors)
{
	char host[HOST_MAX];
	const char *port;
	size_t i;
	int err = 0;

	if (collectors->count > COLLECTORS_MAX)
		return ecbpf_fail(-EINVAL, "--sflow: at most %d collectors", COLLECTORS_MAX);
	for (i = 0; i < collectors->count && !err; i++)
		err = parse_collector(collectors->items[i], host, &port);
	return err;
}

static int collector_open(struct collector *collector, const char *text)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	const char *port;
	char host[HOST_MAX];
	int err;

	collector->name = text;
	collector->socket = -1;
	err = parse_collector(text, host, &port);
	if (err)
		return err;
	err = getaddrinfo(host, port, &hints, &collector->addresses);
	if (err)
		return ecbpf_fail(-EHOSTUNREACH, "--sflow '%s': %s; check the name", text,
				  err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err));
	reach(collector);
	return 0;
}

int sink_sflow_open(const struct ecbpf_strings *collectors,
		    const struct sampler_interface *interfaces, size_t count,
		    struct sample_sink **out)
{
	struct sflow_sink *self;
	size_t i;
	int err = 0;

	self = calloc(1, sizeof(*self));
	if (!self)
		return -ENOMEM;
	self->sink.calls = &calls;
	self->sink.output = SAMPLER_OUTPUT_SFLOW;
	self->interfaces = interfaces;
	self->count = count;
	self->began = ecbpf_clock(CLOCK_MONOTONIC);
	for (i = 0; i < collectors->count && !err; i++) {
		err = collector_open(&self->collectors[i], collectors->items[i]);
		self->collector_count += !err;
	}
	if (err) {
		close_sink(&self->sink);
		return err;
	}
	*out = &self->sink;
	return 0;
}
