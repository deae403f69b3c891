// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "packet.h"

#include <string.h>

/* libbpf declares every helper as a variable. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-variable"
#include <ecbpf/parse.bpf.h>
#pragma GCC diagnostic pop

bool fw_packet_parse(const void *octets, size_t length, struct ecbpf_packet *packet)
{
	const struct ecbpf_frame frame = {
		.data = (void *)octets,
		.end = (char *)octets + length,
		.length = length,
	};

	memset(packet, 0, sizeof(*packet));
	return ecbpf_parse_frame(packet, &frame);
}
