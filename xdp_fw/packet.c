// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "packet.h"

#include <stdint.h>
#include <string.h>

/* libbpf declares every helper as a variable. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-variable"
#include <ecbpf/parse.bpf.h>
#pragma GCC diagnostic pop

/* No header that is read lies further on. */
#define OCTETS_READ 65536

/* Behind an Ethernet header of 14 octets, the others are then where their types want them. */
#define IP_ALIGN 2

bool fw_packet_parse(const void *octets, size_t length, struct ecbpf_packet *packet)
{
	static _Alignas(8) uint8_t copy[IP_ALIGN + OCTETS_READ];
	const size_t read = length < OCTETS_READ ? length : OCTETS_READ;
	const struct ecbpf_frame frame = {
		.data = copy + IP_ALIGN,
		.end = copy + IP_ALIGN + read,
		.length = length,
	};

	memcpy(copy + IP_ALIGN, octets, read);
	memset(packet, 0, sizeof(*packet));
	return ecbpf_parse_frame(packet, &frame);
}
