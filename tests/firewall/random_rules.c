// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "random_rules.h"

#include <string.h>

#define SETS 3

static const char *pick(struct random *random, const char *const *words, size_t count)
{
	return words[random_below(random, count)];
}

#define PICK(random, ...)                                  \
	pick(random, (const char *const[]){ __VA_ARGS__ }, \
	     sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

void random_address(struct random *random, unsigned int family, char text[64])
{
	if (family == 4)
		snprintf(text, 64, "10.%zu.%zu.%zu", random_below(random, 3),
			 random_below(random, 3) * 127, random_below(random, 5) * 63);
	else
		snprintf(text, 64, "2001:db8:%zu:%zu::%zu:%zx", random_below(random, 3),
			 random_below(random, 3), random_below(random, 2),
			 random_below(random, 5) * 0x3fff);
}

unsigned int random_port(struct random *random)
{
	static const unsigned int ports[] = { 0, 1, 22, 53, 80, 443, 444, 1023, 1024, 65535 };

	return ports[random_below(random, sizeof(ports) / sizeof(ports[0]))];
}

static void prefix(struct random *random, unsigned int family, FILE *out)
{
	static const int lengths6[] = { 0, 16, 32, 40, 47, 48, 63, 64, 65, 96, 112, 127, 128 };
	char text[64];

	random_address(random, family, text);
	fprintf(out, "%s", text);
	if (random_chance(random, 70))
		fprintf(out, "/%zu",
			family == 4 ? random_below(random, 33) :
				      (size_t)lengths6[random_below(random, 13)]);
}

static void addresses(struct random *random, unsigned int family, FILE *out)
{
	size_t i, count = 1 + random_below(random, 3);

	if (random_chance(random, 30)) {
		fprintf(out, "any ");
		return;
	}
	fprintf(out, "%s{ ", random_chance(random, 15) ? "not " : "");
	for (i = 0; i < count; i++) {
		fprintf(out, "%s", i ? ", " : "");
		if (random_chance(random, 20))
			fprintf(out, "set%zu", random_below(random, SETS));
		else
			prefix(random, family, out);
	}
	fprintf(out, " } ");
}

/* Numbers up to @max, close to @usual if that isn't 0. */
static void numbers(struct random *random, const char *name, unsigned int max, unsigned int usual,
		    FILE *out)
{
	size_t i, count = 1 + random_below(random, 3);

	fprintf(out, "%s ", name);
	if (random_chance(random, 10)) {
		fprintf(out, "any ");
		return;
	}
	fprintf(out, "%s{ ", random_chance(random, 20) ? "not " : "");
	for (i = 0; i < count; i++) {
		unsigned int value = usual ? random_below(random, usual) : random_port(random);
		unsigned int last = value + random_below(random, 40);

		fprintf(out, "%s%u", i ? ", " : "", value);
		if (random_chance(random, 40))
			fprintf(out, "-%u", last < max ? last : max);
	}
	fprintf(out, " } ");
}

static void flags(struct random *random, FILE *out)
{
	fprintf(out, "flags %s{ %s } ", random_chance(random, 20) ? "not " : "",
		PICK(random, "syn", "ack", "syn, ack", "fin, syn", "rst", "cwr, ece"));
	if (random_chance(random, 50))
		fprintf(out, "mask { %s } ",
			PICK(random, "syn, ack", "syn", "syn, ack, rst, fin",
			     "cwr, ece, urg, psh"));
}

static void tcp(struct random *random, FILE *out)
{
	fprintf(out, "tcp ");
	if (random_chance(random, 25))
		numbers(random, "sport", 65535, 0, out);
	if (random_chance(random, 40))
		numbers(random, "dport", 65535, 0, out);
	if (random_chance(random, 10))
		numbers(random, "window", 65535, 0, out);
	if (random_chance(random, 25))
		flags(random, out);
}

static void protocol(struct random *random, unsigned int family, FILE *out)
{
	switch (random_below(random, 5)) {
	case 0:
	case 1:
		tcp(random, out);
		break;
	case 2:
		fprintf(out, "udp ");
		if (random_chance(random, 30))
			numbers(random, "sport", 65535, 0, out);
		if (random_chance(random, 40))
			numbers(random, "dport", 65535, 0, out);
		break;
	case 3:
		fprintf(out, "%s ", family == 4 ? "icmp" : "icmp6");
		if (random_chance(random, 60))
			numbers(random, "type", 255, 12, out);
		if (random_chance(random, 40))
			numbers(random, "code", 255, 8, out);
		break;
	default:
		if (random_chance(random, 40))
			fprintf(out, "proto any ");
		else
			numbers(random, "proto", 255, 60, out);
	}
}

static void rule(struct random *random, FILE *out)
{
	unsigned int family = random_chance(random, 50) ? 4 : 6;

	fprintf(out, "%s from ", family == 4 ? "ip" : "ip6");
	addresses(random, family, out);
	fprintf(out, "to ");
	addresses(random, family, out);
	if (random_chance(random, 10))
		numbers(random, "ttl", 255, 70, out);
	protocol(random, family, out);
	if (random_chance(random, 10))
		numbers(random, "packet length", 65535, 120, out);
	if (random_chance(random, 10))
		numbers(random, "vlan", 4095, 8, out);
	if (random_chance(random, 10))
		fprintf(out, "%sfragment ", random_chance(random, 50) ? "not " : "");
	if (random_chance(random, 25))
		fprintf(out, "action limit 1/second burst 1%s\n",
			random_chance(random, 50) ? " per source" : "");
	else
		fprintf(out, "action %s\n",
			PICK(random, "drop", "drop", "drop", "pass", "count", "count"));
}

void random_rules(struct random *random, size_t count, FILE *out)
{
	size_t i, j;

	if (random_chance(random, 50))
		fprintf(out, "order first-match\n");
	for (i = 0; i < SETS; i++) {
		fprintf(out, "set set%zu { ", i);
		for (j = 0; j < 6; j++) {
			fprintf(out, "%s", j ? ",\n\t" : "");
			prefix(random, random_chance(random, 50) ? 4 : 6, out);
		}
		fprintf(out, " }\n");
	}
	for (i = 0; i < count; i++)
		rule(random, out);
}
