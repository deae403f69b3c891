/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_PACKET_H
#define XDP_FW_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include <ecbpf/abi.h>

/* What root finds in a frame, by its own parser. False: it carries no IP, and no rule is asked. */
bool fw_packet_parse(const void *frame, size_t length, struct ecbpf_packet *packet);

#endif
