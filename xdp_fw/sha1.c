// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "sha1.h"

#include <endian.h>
#include <string.h>

#define BLOCK 64

static uint32_t rotate(uint32_t word, int bits)
{
	return word << bits | word >> (32 - bits);
}

static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d)
{
	switch (round / 20) {
	case 0:
		return ((b & c) | (~b & d)) + 0x5a827999;
	case 1:
		return (b ^ c ^ d) + 0x6ed9eba1;
	case 2:
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	default:
		return (b ^ c ^ d) + 0xca62c1d6;
	}
}

static void add_block(uint32_t state[5], const uint8_t *block)
{
	uint32_t w[80], v[5], next;
	int i;

	for (i = 0; i < 16; i++) {
		memcpy(&w[i], block + 4 * i, sizeof(w[i]));
		w[i] = be32toh(w[i]);
	}
	for (; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	memcpy(v, state, sizeof(v));
	for (i = 0; i < 80; i++) {
		next = rotate(v[0], 5) + mix(i, v[1], v[2], v[3]) + v[4] + w[i];
		v[4] = v[3];
		v[3] = v[2];
		v[2] = rotate(v[1], 30);
		v[1] = v[0];
		v[0] = next;
	}
	for (i = 0; i < 5; i++)
		state[i] += v[i];
}

void sha1(const void *octets, size_t size, uint8_t digest[20])
{
	uint32_t state[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	uint8_t last[2 * BLOCK] = { 0 };
	uint64_t bits = htobe64((uint64_t)size * 8);
	size_t rest = size % BLOCK, room = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK, i;

	for (i = 0; i + BLOCK <= size; i += BLOCK)
		add_block(state, (const uint8_t *)octets + i);
	if (rest)
		memcpy(last, (const uint8_t *)octets + i, rest);
	last[rest] = 0x80;
	memcpy(last + room - sizeof(bits), &bits, sizeof(bits));
	for (i = 0; i < room; i += BLOCK)
		add_block(state, last + i);
	for (i = 0; i < 5; i++) {
		state[i] = htobe32(state[i]);
		memcpy(digest + 4 * i, &state[i], sizeof(state[i]));
	}
}
