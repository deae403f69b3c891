/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_SHA1_H
#define XDP_FW_SHA1_H

#include <stddef.h>
#include <stdint.h>

/* FIPS 180-4: names frames here, and keeps nothing secret. */
void sha1(const void *octets, size_t size, uint8_t digest[20]);

#endif
