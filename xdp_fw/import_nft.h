/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_IMPORT_NFT_H
#define XDP_FW_IMPORT_NFT_H

#include <stdio.h>

struct json_object;

/*
 * Write rules for a ruleset of nftables, as `nft -j list ruleset` prints it, to stdout, and a line
 * to stderr for each of its rules that the language can't express. Return: -EBADMSG: not such JSON,
 * or something could not be expressed.
 */
int fw_import_nft(const char *path);

/* The same of what is in memory, may be NULL, and is called @name. */
int fw_import_nft_json(struct json_object *document, const char *name, FILE *out);

#endif
