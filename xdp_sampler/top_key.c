// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What --top counts by. */
#include "top_key.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ecbpf/ecbpf.h>

#define EXTENSIONS_MAX 8

/* An optional "/N" of at most @max at @text, which moves on. */
static int parse_length(const char **text, unsigned int max, unsigned int *length)
{
	char *end;
	unsigned long value;

	if (!**text)
		return 0;
	if (**text != '/' || (*text)[1] < '0' || (*text)[1] > '9')
		return -EINVAL;
	value = strtoul(*text + 1, &end, 10);
	if (value > max)
		return -EINVAL;
	*length = value;
	*text = end;
	return 0;
}

int top_field_parse(const char *text, struct top_field_spec *spec)
{
	static const char *const names[] = {
		[TOP_SOURCE] = "src",
		[TOP_DESTINATION] = "dst",
		[TOP_DESTINATION_PORT] = "dport",
		[TOP_REASON] = "reason",
	};
	struct top_field_spec parsed = { .length = 32, .length6 = 128 };
	size_t i, length = strcspn(text, "/");

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == length && !strncmp(text, names[i], length))
			break;
	if (i == sizeof(names) / sizeof(names[0]))
		return -EINVAL;
	parsed.field = i;
	text += length;
	if (*text && parsed.field > TOP_DESTINATION)
		return -EINVAL;
	/* A host's worth of IPv6 addresses is a /64. */
	if (*text)
		parsed.length6 = 64;
	if (parse_length(&text, 32, &parsed.length) || parse_length(&text, 128, &parsed.length6) ||
	    *text)
		return -EINVAL;
	*spec = parsed;
	return 0;
}

/* @octets at @at of what was captured, or NULL. */
static const uint8_t *octets_at(const struct sample *sample, size_t at, size_t octets)
{
	return at + octets <= sample->captured ? sample->data + at : NULL;
}

static uint16_t half_at(const uint8_t *data)
{
	return data[0] << 8 | data[1];
}

static void keep_prefix(uint8_t *to, const uint8_t *address, unsigned int length)
{
	memcpy(to, address, length / 8);
	if (length % 8)
		to[length / 8] = address[length / 8] & 0xff00 >> length % 8;
}

static void key_of_port(const struct sample *sample, size_t at, uint8_t protocol,
			struct top_key *key)
{
	const uint8_t *ports = octets_at(sample, at, 4);

	key->protocol = protocol;
	if (ports && (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP))
		key->number = half_at(ports + 2);
}

static void key_of_ip4(const struct top_field_spec *spec, const struct sample *sample, size_t at,
		       struct top_key *key)
{
	const uint8_t *header = octets_at(sample, at, 20);

	if (!header)
		return;
	key->family = 4;
	if (spec->field == TOP_DESTINATION_PORT) {
		if (!(half_at(header + 6) & 0x1fff))
			key_of_port(sample, at + (header[0] & 15) * 4, header[9], key);
		return;
	}
	keep_prefix(key->address, header + (spec->field == TOP_SOURCE ? 12 : 16), spec->length);
}

/* Past extension headers, as far as they were captured. */
static void key_of_port6(const struct sample *sample, size_t at, struct top_key *key)
{
	uint8_t protocol = octets_at(sample, at, 40)[6];
	const uint8_t *header;
	int i;

	at += 40;
	for (i = 0; i < EXTENSIONS_MAX; i++) {
		if (protocol != IPPROTO_HOPOPTS && protocol != IPPROTO_ROUTING &&
		    protocol != IPPROTO_DSTOPTS && protocol != IPPROTO_FRAGMENT)
			break;
		header = octets_at(sample, at, 8);
		if (!header || (protocol == IPPROTO_FRAGMENT && half_at(header + 2) & 0xfff8))
			return;
		at += protocol == IPPROTO_FRAGMENT ? 8 : (header[1] + 1) * 8;
		protocol = header[0];
	}
	key_of_port(sample, at, protocol, key);
}

static void key_of_ip6(const struct top_field_spec *spec, const struct sample *sample, size_t at,
		       struct top_key *key)
{
	const uint8_t *header = octets_at(sample, at, 40);

	if (!header)
		return;
	key->family = 6;
	if (spec->field == TOP_DESTINATION_PORT)
		key_of_port6(sample, at, key);
	else
		keep_prefix(key->address, header + (spec->field == TOP_SOURCE ? 8 : 24),
			    spec->length6);
}

void top_key_of(const struct top_field_spec *spec, const struct sample *sample, struct top_key *key)
{
	const uint8_t *type = octets_at(sample, 12, 2);
	size_t at = 12;
	int tags;

	memset(key, 0, sizeof(*key));
	if (spec->field == TOP_REASON) {
		key->number = sample->reason;
		return;
	}
	for (tags = 0;
	     tags < 2 && type && (half_at(type) == ETH_P_8021Q || half_at(type) == ETH_P_8021AD);
	     tags++) {
		at += 4;
		type = octets_at(sample, at, 2);
	}
	if (type && half_at(type) == ETH_P_IP)
		key_of_ip4(spec, sample, at + 2, key);
	else if (type && half_at(type) == ETH_P_IPV6)
		key_of_ip6(spec, sample, at + 2, key);
}

static const char *protocol_name(uint8_t protocol, char text[16])
{
	if (protocol == IPPROTO_TCP)
		return "tcp";
	if (protocol == IPPROTO_UDP)
		return "udp";
	snprintf(text, 16, "protocol %u", protocol);
	return text;
}

const char *top_key_format(const struct top_field_spec *spec, const struct top_key *key,
			   char text[TOP_KEY_TEXT])
{
	char address[INET6_ADDRSTRLEN], protocol[16];
	unsigned int length = key->family == 4 ? spec->length : spec->length6;

	if (spec->field == TOP_REASON) {
		snprintf(text, TOP_KEY_TEXT, "%s", ecbpf_reason_name(key->number));
	} else if (!key->family) {
		snprintf(text, TOP_KEY_TEXT, "(not IP)");
	} else if (spec->field == TOP_DESTINATION_PORT) {
		if (key->number)
			snprintf(text, TOP_KEY_TEXT, "%s %u",
				 protocol_name(key->protocol, protocol), key->number);
		else
			snprintf(text, TOP_KEY_TEXT, "%s", protocol_name(key->protocol, protocol));
	} else {
		inet_ntop(key->family == 4 ? AF_INET : AF_INET6, key->address, address,
			  sizeof(address));
		if (length == (key->family == 4 ? 32 : 128))
			snprintf(text, TOP_KEY_TEXT, "%s", address);
		else
			snprintf(text, TOP_KEY_TEXT, "%s/%u", address, length);
	}
	return text;
}
