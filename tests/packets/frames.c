// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "frames.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put_mac(uint8_t *at, uint64_t mac)
{
	int i;

	for (i = 0; i < 6; i++)
		at[i] = mac >> (40 - 8 * i);
}

static void count_up(uint8_t *at, size_t octets)
{
	size_t i;

	for (i = 0; i < octets; i++)
		at[i] = i;
}

/* The field that @given overrides. */
static unsigned int field(int given, unsigned int right)
{
	return given ? (given & 0xffff) : right;
}

size_t frame_address(const char *text, void *octets)
{
	if (inet_pton(AF_INET, text, octets) == 1)
		return 4;
	return inet_pton(AF_INET6, text, octets) == 1 ? 16 : 0;
}

static void put_address(uint8_t *at, const char *text, const char *otherwise)
{
	if (frame_address(text ? text : otherwise, at))
		return;
	fprintf(stderr, "not an address: %s\n", text);
	abort();
}

static size_t layer_size(const struct layer *layer)
{
	switch (layer->kind) {
	case LAYER_ETHER:
		return 14;
	case LAYER_VLAN:
		return 4;
	case LAYER_IPV4:
		return 20 + layer->options;
	case LAYER_IPV6:
		return 40;
	case LAYER_TCP:
		return 20;
	case LAYER_UDP:
	case LAYER_ICMP:
		return 8;
	default:
		return layer->size;
	}
}

/* EtherType or protocol of a layer, as the one before announces it. */
static unsigned int layer_number(const struct layer *layer)
{
	switch (layer->kind) {
	case LAYER_VLAN:
		return layer->tpid ? layer->tpid : 0x8100;
	case LAYER_IPV4:
		return 0x0800;
	case LAYER_IPV6:
		return 0x86dd;
	case LAYER_TCP:
		return 6;
	case LAYER_UDP:
		return 17;
	default:
		return layer->protocol;
	}
}

static void put_ipv4(uint8_t *at, const struct layer *layer, unsigned int next, size_t length)
{
	unsigned int header = 20 + layer->options;
	unsigned long sum = 0;
	unsigned int i;

	at[0] = (layer->version ? layer->version : 4) << 4 | (layer->ihl ? layer->ihl : header / 4);
	at[1] = layer->tos;
	put16(at + 2, field(layer->length, length));
	put16(at + 4, 0x1234);
	put16(at + 6, layer->fragment);
	at[8] = layer->ttl ? layer->ttl : 61;
	at[9] = next;
	put_address(at + 12, layer->from, FRAME_FROM4);
	put_address(at + 16, layer->to, FRAME_TO4);
	/* "No operation" (RFC 791). */
	memset(at + 20, 1, layer->options);
	for (i = 0; i < header; i += 2)
		sum += at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(at + 10, ~sum);
}

static void put_ipv6(uint8_t *at, const struct layer *layer, unsigned int next, size_t length)
{
	at[0] = (layer->version ? layer->version : 6) << 4;
	put16(at + 4, field(layer->length, length - 40));
	at[6] = next;
	at[7] = layer->ttl ? layer->ttl : 61;
	put_address(at + 8, layer->from, FRAME_FROM6);
	put_address(at + 24, layer->to, FRAME_TO6);
}

static void put_extension(uint8_t *at, const struct layer *layer, unsigned int next)
{
	at[0] = next;
	if (layer->protocol == 44) {
		at[1] = field(layer->length, 0);
		put16(at + 2, layer->fragment);
		put16(at + 6, 0x5678);
	} else if (layer->protocol == 51) {
		at[1] = field(layer->length, layer->size / 4 - 2);
	} else {
		at[1] = field(layer->length, layer->size / 8 - 1);
	}
}

static void put_transport(uint8_t *at, const struct layer *layer, size_t length)
{
	if (layer->kind == LAYER_ICMP) {
		at[0] = layer->type;
		at[1] = layer->code;
		return;
	}
	put16(at, layer->sport);
	put16(at + 2, layer->dport);
	if (layer->kind == LAYER_UDP) {
		put16(at + 4, length);
		return;
	}
	at[12] = 0x50;
	at[13] = layer->tcp_flags;
	put16(at + 14, layer->window);
}

/* @length: from here to the end of the frame. */
static void put_layer(uint8_t *at, const struct layer *layer, size_t length)
{
	unsigned int next = field(layer->next, layer_number(layer + 1));

	memset(at, 0, layer_size(layer));
	switch (layer->kind) {
	case LAYER_ETHER:
		put_mac(at, layer->to_mac ? layer->to_mac : FRAME_TO_MAC);
		put_mac(at + 6, layer->from_mac ? layer->from_mac : FRAME_FROM_MAC);
		put16(at + 12, next);
		break;
	case LAYER_VLAN:
		put16(at, layer->tci);
		put16(at + 2, next);
		break;
	case LAYER_IPV4:
		put_ipv4(at, layer, next, length);
		break;
	case LAYER_IPV6:
		put_ipv6(at, layer, next, length);
		break;
	case LAYER_EXTENSION:
		put_extension(at, layer, next);
		break;
	case LAYER_OCTETS:
		count_up(at, layer->size);
		break;
	default:
		put_transport(at, layer, length);
	}
}

size_t frame_build(const struct layer *layers, uint8_t *frame)
{
	const struct layer *layer;
	size_t length = 0, at = 0;

	for (layer = layers; layer->kind != LAYER_END; layer++)
		length += layer_size(layer);
	if (length > FRAME_MAX)
		abort();
	for (layer = layers; layer->kind != LAYER_END; layer++) {
		put_layer(frame + at, layer, length - at);
		at += layer_size(layer);
	}
	return length;
}

size_t frame_from_hex(const char *text, uint8_t *frame)
{
	size_t length = 0;
	char pair[3] = "";
	char *end;

	while (*text) {
		if (*text == ' ') {
			text++;
		} else if (*text == '@') {
			unsigned long octets = strtoul(text + 1, &end, 10);

			count_up(frame + length, octets);
			length += octets;
			text = end;
		} else {
			memcpy(pair, text, 2);
			frame[length++] = strtoul(pair, &end, 16);
			if (end != pair + 2)
				abort();
			text += 2;
		}
	}
	return length;
}
