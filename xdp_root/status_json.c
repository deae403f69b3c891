// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Status as JSON; docs/schema describes it. */
#include <json-c/json.h>

#include "reason_label.h"
#include "status.h"

/* 0, which stands for "none", as null. */
static struct json_object *number_or_null(uint32_t number)
{
	return number ? json_object_new_uint64(number) : NULL;
}

static struct json_object *actions_json(const uint64_t actions[ECBPF_ACTIONS])
{
	struct json_object *object = json_object_new_object();

	for (int i = 0; i < ECBPF_ACTIONS; i++)
		json_object_object_add(object, ecbpf_action_name(i),
				       json_object_new_uint64(actions[i]));
	return object;
}

static void add_program(struct json_object *object, const struct ecbpf_program_status *program)
{
	json_object_object_add(object, "id", json_object_new_uint64(program->id));
	json_object_object_add(object, "name",
			       program->id ? json_object_new_string(program->name) : NULL);
	json_object_object_add(object, "load_time",
			       program->id ? ecbpf_json_time(program->loaded) : NULL);
	json_object_object_add(object, "actions", actions_json(program->actions));
}

static struct json_object *root_json(const struct ecbpf_status *status)
{
	struct json_object *object;

	if (!status_has_counters(status))
		return NULL;
	object = json_object_new_object();
	add_program(object, &status->root);
	return object;
}

static struct json_object *slots_json(const struct ecbpf_status *status)
{
	struct json_object *slots = json_object_new_array();
	struct json_object *slot;

	for (int i = 0; status_has_counters(status) && i < ECBPF_SLOTS; i++) {
		slot = json_object_new_object();
		json_object_object_add(slot, "slot", json_object_new_int(i));
		add_program(slot, &status->slots[i]);
		json_object_array_add(slots, slot);
	}
	return slots;
}

static struct json_object *counts_json(const struct ecbpf_status *status)
{
	struct json_object *reasons = json_object_new_object();
	char label[REASON_LABEL_MAX];

	for (unsigned int i = 0; status_has_counters(status) && i < ECBPF_REASON_MAX; i++)
		if (reason_is_listed(status, i))
			json_object_object_add(reasons, reason_label(i, label),
					       json_object_new_uint64(status->reasons[i]));
	return reasons;
}

/* Only where a program of ours is. */
static struct json_object *mode_json(const struct ecbpf_status *status)
{
	if (status->attachment != ECBPF_ATTACHED && status->attachment != ECBPF_ATTACHED_NOP)
		return NULL;
	return json_object_new_string(ecbpf_mode_name(status->mode));
}

static struct json_object *interface_json(const struct ecbpf_status *status)
{
	struct json_object *object = json_object_new_object();
	bool attached = status->attachment == ECBPF_ATTACHED;

	json_object_object_add(object, "name", ecbpf_json_text(status->name, SIZE_MAX));
	json_object_object_add(object, "ifindex", json_object_new_uint64(status->ifindex));
	json_object_object_add(object, "attached", json_object_new_boolean(attached));
	json_object_object_add(object, "attachment",
			       json_object_new_string(status_attachment_name(status->attachment)));
	json_object_object_add(object, "foreign_id", number_or_null(status->foreign_id));
	json_object_object_add(object, "mode", mode_json(status));
	json_object_object_add(object, "generation", number_or_null(status->generation));
	json_object_object_add(object, "staged", number_or_null(status->staged));
	json_object_object_add(object, "abi", number_or_null(status->abi));
	json_object_object_add(
		object, "frags",
		status_has_counters(status) ? json_object_new_boolean(status->frags) : NULL);
	json_object_object_add(object, "root", root_json(status));
	json_object_object_add(object, "slots", slots_json(status));
	json_object_object_add(object, "reasons", counts_json(status));
	return object;
}

struct json_object *status_json(const struct status_list *list)
{
	struct json_object *object = json_object_new_object();
	struct json_object *interfaces = json_object_new_array();

	for (size_t i = 0; i < list->count; i++)
		json_object_array_add(interfaces, interface_json(&list->items[i]));
	json_object_object_add(object, "interfaces", interfaces);
	return object;
}
