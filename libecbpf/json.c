// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* JSON for programs, laid out so that eyes can follow. */
#include <errno.h>

#include <json-c/json.h>

#include <ecbpf/tool.h>

#define LAYOUT (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)

struct json_object *ecbpf_json_time(uint64_t nanoseconds)
{
	char text[ECBPF_TIME_MAX];

	if (!nanoseconds)
		return NULL;
	return json_object_new_string(ecbpf_time_iso(nanoseconds, text));
}

int ecbpf_json_print(FILE *out, struct json_object *object)
{
	const char *text = json_object_to_json_string_ext(object, LAYOUT);
	int err = text ? 0 : ecbpf_fail(-ENOMEM, "out of memory");

	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(object);
	return err;
}
