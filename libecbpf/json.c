// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* JSON for programs, laid out so that eyes can follow. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include <ecbpf/tool.h>

#include "table/utf8.h"

#define LAYOUT (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)

struct json_object *ecbpf_json_time(uint64_t nanoseconds)
{
	char text[ECBPF_TIME_MAX];

	if (!nanoseconds)
		return NULL;
	return json_object_new_string(ecbpf_time_iso(nanoseconds, text));
}

/* @whole: room for three times @text. */
static size_t replace_octets(const char *text, char *whole)
{
	size_t length, end = 0;

	for (; *text; text += length ? length : 1) {
		length = utf8_octets(text, strnlen(text, UTF8_MAX));
		memcpy(whole + end, length ? text : UTF8_REPLACEMENT,
		       length ? length : strlen(UTF8_REPLACEMENT));
		end += length ? length : strlen(UTF8_REPLACEMENT);
	}
	return end;
}

struct json_object *ecbpf_json_text(const char *text, size_t length)
{
	char *copy = strndup(text, length);
	char *whole = copy ? malloc(strlen(copy) * strlen(UTF8_REPLACEMENT) + 1) : NULL;
	struct json_object *json = NULL;

	if (whole)
		json = json_object_new_string_len(whole, replace_octets(copy, whole));
	free(whole);
	free(copy);
	return json;
}

static int print(FILE *out, struct json_object *object, int layout)
{
	const char *text = json_object_to_json_string_ext(object, layout);
	int err = text ? 0 : ecbpf_fail(-ENOMEM, "out of memory");

	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(object);
	return err;
}

int ecbpf_json_print(FILE *out, struct json_object *object)
{
	return print(out, object, LAYOUT);
}

int ecbpf_json_line(FILE *out, struct json_object *object)
{
	return print(out, object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}
