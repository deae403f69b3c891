/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A range of addresses as prefixes. */
#ifndef XDP_FW_IMPORT_NFT_RANGE_H
#define XDP_FW_IMPORT_NFT_RANGE_H

#include <stddef.h>

/**
 * nft_range_prefixes() - the prefixes that make up FIRST to LAST, with commas between them
 * @out: appended to; its @room octets include the terminator
 *
 * Return: -EINVAL: no range; -E2BIG.
 */
int nft_range_prefixes(const char *first, const char *last, char *out, size_t room);

#endif
