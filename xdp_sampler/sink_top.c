// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A live table of heavy hitters, estimated from samples.
 *
 * A sample at rate N stands for N packets; of n samples the estimate N·n has the standard error
 * N·sqrt(n·(1 - 1/N)), that of a binomial count; octets likewise, over squared lengths.
 */
#include "sink_top.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ecbpf/tool.h>

#include "top_key.h"

/* Keys of an interval that are told apart; a power of two. The rest is one row. */
#define SLOTS	 (1U << 17)
#define KEYS_MAX (SLOTS / 2)
#define ROWS_MAX 20
#define NS_PER_S 1e9

/* Sums over the samples of a key, each weighted by its rate. */
struct hitter {
	struct top_key key;
	bool used;
	uint64_t samples;
	double packets;
	double packets_variance;
	double octets;
	double octets_variance;
	double actions[ECBPF_ACTIONS];
	unsigned int interface;
};

struct top_sink {
	struct sample_sink sink;
	struct top_field_spec spec;
	bool suggest;
	const struct sampler_interface *interfaces;
	size_t count;
	uint64_t interval;
	uint64_t began;
	struct hitter *slots;
	struct hitter **order;
	size_t keys;
	struct hitter rest;
	struct hitter total;
	uint64_t held[SAMPLER_INTERFACES_MAX];
};

static struct top_sink *of(struct sample_sink *sink)
{
	return (struct top_sink *)sink;
}

static uint32_t hash(const struct top_key *key)
{
	const uint8_t *bytes = (const uint8_t *)key;
	uint64_t value = 14695981039346656037ULL;
	size_t i;

	for (i = 0; i < sizeof(*key); i++)
		value = (value ^ bytes[i]) * 1099511628211ULL;
	return value >> 32 ^ value;
}

/* The row of @key, begun if there is room; else the row of all others. */
static struct hitter *find(struct top_sink *self, const struct top_key *key)
{
	uint32_t slot = hash(key) & (SLOTS - 1);

	while (self->slots[slot].used) {
		if (!memcmp(&self->slots[slot].key, key, sizeof(*key)))
			return &self->slots[slot];
		slot = (slot + 1) & (SLOTS - 1);
	}
	if (self->keys == KEYS_MAX)
		return &self->rest;
	self->slots[slot].used = true;
	self->slots[slot].key = *key;
	self->order[self->keys++] = &self->slots[slot];
	return &self->slots[slot];
}

static void add(struct hitter *hitter, const struct sample *sample)
{
	double rate = sample->rate, octets = rate * sample->length;

	hitter->samples++;
	hitter->packets += rate;
	hitter->packets_variance += rate * (rate - 1);
	hitter->octets += octets;
	hitter->octets_variance += octets * sample->length * (rate - 1);
	hitter->actions[sample->action] += rate;
	hitter->interface = sample->interface->index;
}

static void take(struct sample_sink *sink, const struct sample *sample)
{
	struct top_sink *self = of(sink);
	struct top_key key;

	top_key_of(&self->spec, sample, &key);
	add(find(self, &key), sample);
	add(&self->total, sample);
	self->held[sample->interface->index]++;
}

static int heavier(const void *a, const void *b)
{
	const struct hitter *left = *(struct hitter *const *)a, *right = *(struct hitter *const *)b;

	if (left->packets != right->packets)
		return left->packets < right->packets ? 1 : -1;
	return memcmp(&left->key, &right->key, sizeof(left->key));
}

/* "12.3 k", of at most 8 characters. */
static const char *scaled(double value, char text[16])
{
	static const char units[] = " kMGTP";
	size_t unit = 0;

	while (value >= 999.95 && unit < sizeof(units) - 2) {
		value /= 1000;
		unit++;
	}
	snprintf(text, 16, "%.1f %c", value, units[unit]);
	return text;
}

static void verdicts(const struct hitter *hitter, char *text, size_t size)
{
	size_t length = 0;
	int action;

	text[0] = '\0';
	for (action = 0; action < ECBPF_ACTIONS; action++) {
		if (!hitter->actions[action])
			continue;
		length += snprintf(text + length, size - length, "%s%s %.0f%%", length ? ", " : "",
				   ecbpf_action_name(action) + strlen("XDP_"),
				   100 * hitter->actions[action] / hitter->packets);
		if (length >= size)
			return;
	}
}

static void print_row(const struct hitter *hitter, const char *name, double seconds)
{
	char packets[16], packets_error[16], bits[16], bits_error[16], actions[96];

	verdicts(hitter, actions, sizeof(actions));
	printf("%-43s %9s ± %-9s %9s ± %-9s %s\n", name, scaled(hitter->packets / seconds, packets),
	       scaled(sqrt(hitter->packets_variance) / seconds, packets_error),
	       scaled(8 * hitter->octets / seconds, bits),
	       scaled(8 * sqrt(hitter->octets_variance) / seconds, bits_error), actions);
}

/* The heaviest source that isn't wholly dropped already. */
static void print_suggestion(const struct top_sink *self)
{
	char name[TOP_KEY_TEXT];
	size_t i;

	for (i = 0; i < self->keys; i++) {
		const struct hitter *hitter = self->order[i];

		if (!hitter->key.family || hitter->actions[1] >= hitter->packets)
			continue;
		printf("\nxdp_filter --drop --ips %s --tags 'top %s' --expires 10m --interface %s\n",
		       top_key_format(&self->spec, &hitter->key, name), "source",
		       self->interfaces[hitter->interface].name);
		return;
	}
}

static void print_table(struct top_sink *self, double seconds)
{
	char name[TOP_KEY_TEXT];
	size_t i;

	qsort(self->order, self->keys, sizeof(*self->order), heavier);
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	printf("%-43s %-21s %-21s %s\n", "KEY", "  PACKETS/S", "     BITS/S", "VERDICTS");
	for (i = 0; i < self->keys && i < ROWS_MAX; i++)
		print_row(self->order[i], top_key_format(&self->spec, &self->order[i]->key, name),
			  seconds);
	if (self->rest.samples)
		print_row(&self->rest, "(more keys than the table holds)", seconds);
	print_row(&self->total, "total", seconds);
	printf("%zu keys, %llu samples in %.1f s\n", self->keys,
	       (unsigned long long)self->total.samples, seconds);
	if (self->suggest)
		print_suggestion(self);
	putchar('\n');
	if (!fflush(stdout))
		return;
	self->sink.ended = true;
	/* Who closes a pipe has seen enough: no error to tell at the end. */
	if (errno == EPIPE && !freopen("/dev/null", "we", stdout))
		self->sink.ended = true;
}

static void begin_interval(struct top_sink *self, uint64_t now)
{
	size_t i;

	for (i = 0; i < self->keys; i++)
		memset(self->order[i], 0, sizeof(*self->order[i]));
	self->keys = 0;
	memset(&self->rest, 0, sizeof(self->rest));
	memset(&self->total, 0, sizeof(self->total));
	self->began = now;
}

/* Samples of a table that was drawn are delivered, if it could be. */
static void end_interval(struct top_sink *self, uint64_t now)
{
	size_t i;

	print_table(self, (now - self->began) / NS_PER_S);
	for (i = 0; i < self->count; i++) {
		*(self->sink.ended ? &self->sink.lost[i] : &self->sink.delivered[i]) +=
			self->held[i];
		self->held[i] = 0;
	}
	begin_interval(self, now);
}

static void tick(struct sample_sink *sink, uint64_t now, const struct sample_losses *losses)
{
	struct top_sink *self = of(sink);

	(void)losses;
	if (!self->began)
		self->began = now;
	else if (now - self->began >= self->interval)
		end_interval(self, now);
	/* The clock was set back. */
	else if (now < self->began)
		begin_interval(self, now);
}

static void finish(struct sample_sink *sink, const struct sample_losses *losses)
{
	struct top_sink *self = of(sink);

	(void)losses;
	if (self->total.samples && self->began)
		end_interval(self, ecbpf_clock(CLOCK_REALTIME));
}

static void close_sink(struct sample_sink *sink)
{
	struct top_sink *self = of(sink);

	free(self->slots);
	free(self->order);
	free(self);
}

static const struct sample_sink_calls calls = { take, tick, finish, close_sink };

int sink_top_check(const char *key, bool suggest)
{
	struct top_field_spec spec;

	if (top_field_parse(key, &spec))
		return ecbpf_fail(-EINVAL,
				  "--top '%s': give src, dst, dport, reason, or an address with a "
				  "prefix length (src/24)",
				  key);
	if (suggest && spec.field != TOP_SOURCE)
		return ecbpf_fail(-EINVAL,
				  "--suggest with --top '%s': xdp_filter drops by source; give "
				  "--top src, or one with a prefix length (src/24)",
				  key);
	return 0;
}

int sink_top_open(const char *key, uint64_t interval, bool suggest,
		  const struct sampler_interface *interfaces, size_t count,
		  struct sample_sink **out)
{
	struct top_sink *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;
	self->sink.calls = &calls;
	self->sink.output = SAMPLER_OUTPUT_TOP;
	self->suggest = suggest;
	self->interval = interval;
	self->interfaces = interfaces;
	self->count = count;
	self->slots = calloc(SLOTS, sizeof(*self->slots));
	self->order = calloc(KEYS_MAX, sizeof(*self->order));
	if (!self->slots || !self->order || top_field_parse(key, &self->spec)) {
		close_sink(&self->sink);
		return -ENOMEM;
	}
	/* A closed pipe ends the table, and not the process, which has more to do. */
	signal(SIGPIPE, SIG_IGN);
	*out = &self->sink;
	return 0;
}
