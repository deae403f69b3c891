// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* --reasons: why packets met their fate. */
#include <inttypes.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "reason_label.h"
#include "reasons.h"
#include "status.h"

enum {
	COLUMN_CODE,
	COLUMN_NAME,
	COLUMN_PACKETS,
	COLUMN_SENTENCE,
	COLUMNS,
};

void reasons_print(FILE *out, const struct ecbpf_status *status)
{
	struct ecbpf_column columns[COLUMNS] = {
		[COLUMN_CODE] = { "CODE", 4, true },
		[COLUMN_NAME] = { "REASON", 24, false },
		[COLUMN_PACKETS] = { "PACKETS", 16, true },
		[COLUMN_SENTENCE] = { "MEANING", 0, false },
	};
	char code[16], label[REASON_LABEL_MAX], packets[24];
	const char *cells[COLUMNS] = { [COLUMN_CODE] = code, [COLUMN_PACKETS] = packets };

	if (!status_has_counters(status)) {
		status_print_sentence(out, status);
		return;
	}
	fprintf(out, "Interface %s verdict reasons:\n", status->name);
	ecbpf_table_header(out, columns, COLUMNS);
	for (unsigned int i = 0; i < ECBPF_REASON_MAX; i++) {
		if (!reason_is_listed(status, i))
			continue;
		snprintf(code, sizeof(code), "%u", i);
		snprintf(packets, sizeof(packets), "%" PRIu64, status->reasons[i]);
		cells[COLUMN_NAME] = reason_label(i, label);
		cells[COLUMN_SENTENCE] = ecbpf_reason_sentence(i);
		ecbpf_table_row(out, columns, COLUMNS, cells);
	}
}

static struct json_object *reason_json(const struct ecbpf_status *status, unsigned int code)
{
	struct json_object *object = json_object_new_object();
	char label[REASON_LABEL_MAX];

	json_object_object_add(object, "code", json_object_new_int(code));
	json_object_object_add(object, "name", json_object_new_string(reason_label(code, label)));
	json_object_object_add(object, "packets", json_object_new_uint64(status->reasons[code]));
	json_object_object_add(object, "sentence",
			       json_object_new_string(ecbpf_reason_sentence(code)));
	return object;
}

struct json_object *reasons_json(const struct ecbpf_status *status)
{
	struct json_object *object = json_object_new_object();
	struct json_object *reasons = json_object_new_array();

	for (unsigned int i = 0; status_has_counters(status) && i < ECBPF_REASON_MAX; i++)
		if (reason_is_listed(status, i))
			json_object_array_add(reasons, reason_json(status, i));
	json_object_object_add(object, "name", ecbpf_json_text(status->name, SIZE_MAX));
	json_object_object_add(object, "attached",
			       json_object_new_boolean(status->attachment == ECBPF_ATTACHED));
	json_object_object_add(object, "reasons", reasons);
	return object;
}

static int print_json(const struct status_list *list)
{
	struct json_object *object = json_object_new_object();
	struct json_object *interfaces = json_object_new_array();

	for (size_t i = 0; i < list->count; i++)
		json_object_array_add(interfaces, reasons_json(&list->items[i]));
	json_object_object_add(object, "interfaces", interfaces);
	return ecbpf_json_print(stdout, object);
}

int reasons_show(const struct ecbpf_strings *names, bool json)
{
	struct status_list list;
	int err = status_read(names, &list);
	int output = 0;

	if (json)
		output = print_json(&list);
	else if (list.count || !err)
		status_print_each(&list, reasons_print);
	free(list.items);
	return err ? err : output;
}
