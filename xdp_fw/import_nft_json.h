/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* JSON that may be anything: what isn't there is nothing. */
#ifndef XDP_FW_IMPORT_NFT_JSON_H
#define XDP_FW_IMPORT_NFT_JSON_H

#include <stddef.h>

struct json_object;

/* NULL: no such member, or no object. */
struct json_object *nft_member(struct json_object *object, const char *key);
/* "": likewise. */
const char *nft_text(struct json_object *object, const char *key);

/* 0: no array; NULL: no such item. */
size_t nft_count(struct json_object *array);
struct json_object *nft_item(struct json_object *array, size_t index);

#endif
