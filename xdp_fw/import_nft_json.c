// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "import_nft_json.h"

#include <json-c/json.h>

struct json_object *nft_member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object))
		return NULL;
	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

const char *nft_text(struct json_object *object, const char *key)
{
	struct json_object *value = nft_member(object, key);

	return value ? json_object_get_string(value) : "";
}

size_t nft_count(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

struct json_object *nft_item(struct json_object *array, size_t index)
{
	return index < nft_count(array) ? json_object_array_get_idx(array, index) : NULL;
}
