/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Words that nft prints instead of numbers. Each list ends with a NULL. */
#ifndef XDP_FW_IMPORT_NFT_NAMES_H
#define XDP_FW_IMPORT_NFT_NAMES_H

struct nft_named {
	const char *name;
	int value;
};

extern const struct nft_named nft_protocols[];
extern const struct nft_named nft_types[];
extern const struct nft_named nft_types6[];
extern const struct nft_named nft_codes[];
extern const struct nft_named nft_codes6[];

#endif
