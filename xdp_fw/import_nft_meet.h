/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_IMPORT_NFT_MEET_H
#define XDP_FW_IMPORT_NFT_MEET_H

#include <stdbool.h>

struct nft_lines;

/* Bring the addresses of rules into the order that is needed below. */
void nft_lines_sort(struct nft_lines *lines);

/* Whether some packet may match two rules; true if that can't be told. */
bool nft_rules_meet(const struct nft_lines *one, const struct nft_lines *other);

#endif
