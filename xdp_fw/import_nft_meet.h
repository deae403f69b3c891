/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef XDP_FW_IMPORT_NFT_MEET_H
#define XDP_FW_IMPORT_NFT_MEET_H

#include <stdbool.h>

struct json_object;

/* Whether some packet may match two rules; true if that can't be told. */
bool nft_rules_meet(struct json_object *objects, struct json_object *one,
		    struct json_object *other);

#endif
