// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Tables and JSON of statuses made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "reasons.h"
#include "sample.h"
#include "status.h"
#include "watch.h"

#define TEXT_OF(number) #number
#define TEXT(number)	TEXT_OF(number)
#define ABI		TEXT(ECBPF_ABI)

#define HEADER                                                                              \
	"SLOT | ID    | NAME                     | LOAD TIME                            | " \
	"XDP_ABORTED      | XDP_DROP         | XDP_PASS         | XDP_TX           | "      \
	"XDP_REDIRECT     | XDP_INVALID_ACTION\n"
#define EMPTY(slot)                                                                                \
	"   " slot " |     - | -                        | -                                    | " \
	"               0 |                0 |                0 |                0 | "             \
	"               0 |                0\n"

/* Into *text, for free(). */
static void print_to(char **text, void (*print)(FILE *, const struct ecbpf_status *),
		     const struct ecbpf_status *status)
{
	size_t size;
	FILE *out = open_memstream(text, &size);

	assert_non_null(out);
	print(out, status);
	fclose(out);
}

static void prints(void (*print)(FILE *, const struct ecbpf_status *),
		   const struct ecbpf_status *status, const char *expected)
{
	char *text = NULL;

	print_to(&text, print, status);
	assert_string_equal(text, expected);
	free(text);
}

static void the_table_is_exact(void **state)
{
	struct ecbpf_status status = sample_attached();

	(void)state;
	prints(status_print, &status,
	       "Interface eth0 status:\n" HEADER EMPTY("0") EMPTY(
		       "1") "   2 |  2257 | xdp_filter_prog          | Fri, 29 Sep 2023 23:02:07 +0000      | "
			    "               0 |           330948 |              450 |           330790 | "
			    "               0 |                0\n" EMPTY("3") EMPTY(
				    "4") "   5 |     - | -                        | -                                    | "
					 "               0 |                0 |               12 |                0 | "
					 "               0 |                0\n" EMPTY("6") EMPTY(
						 "7") "root |  1044 | xdp_root_prog            | Sun, 01 Mar 2026 12:00:00 +0000      | "
						      "               1 |                0 | 18446744073709551615 |                0 | "
						      "               0 |                0\n"
						      "Mode: native, generation: 3, ABI: " ABI
						      ", frags: no, staged: none\n");
}

static void long_names_and_ids_widen_their_columns(void **state)
{
	static const char name[] = "a_subprogram_whose_name_is_not_short";
	static const char header[] = HEADER;
	struct ecbpf_status status = sample_attached();
	size_t column =
		strstr(header, "LOAD TIME") - header + strlen(name) - 24 + strlen("1234567") - 5;
	char *text = NULL, *line;

	(void)state;
	strcpy(status.slots[7].name, name);
	status.slots[7].id = 1234567;
	status.frags = true;
	status.staged = 4;
	print_to(&text, status_print, &status);
	line = strchr(text, '\n') + 1;
	assert_memory_equal(line + column, "LOAD TIME ", 10);
	assert_memory_equal(strstr(text, "\n   2 |") + 1 + column, "Fri, 29 Sep 2023", 16);
	assert_non_null(
		strstr(text, "\n   7 | 1234567 | a_subprogram_whose_name_is_not_short | -  "));
	assert_non_null(strstr(text, "\nMode: native, generation: 3, ABI: " ABI ", frags: yes, "
				     "staged: generation 4\n"));
	free(text);
}

static void what_is_not_attached_is_a_sentence(void **state)
{
	struct ecbpf_status status = sample_without_counters(ECBPF_DETACHED);

	(void)state;
	prints(status_print, &status, "Root array not attached to interface eth1.\n");
	status.staged = 2;
	prints(status_print, &status,
	       "Root array not attached to interface eth1. Generation 2 is staged.\n");
	status = sample_without_counters(ECBPF_ATTACHED_NOP);
	prints(status_print, &status,
	       "Root array not attached to interface eth1. A program that passes everything holds "
	       "its place (--nop).\n");
	status = sample_without_counters(ECBPF_FOREIGN);
	prints(status_print, &status,
	       "Root array not attached to interface eth1. Another XDP program is there, with id "
	       "77.\n");
	status = sample_without_counters(ECBPF_STALE);
	prints(status_print, &status,
	       "Root array not attached to interface eth1. Pins are left of an interface of that "
	       "name which is gone; 'xdp_root_loader --detach --interface eth1' removes them.\n");
	status = sample_without_counters(ECBPF_ATTACHED);
	prints(reasons_print, &status,
	       "Root array on interface eth1 has ABI 99, this xdp_root_loader has " ABI
	       ": its counters "
	       "can't be read. Use the release that attached it, or bring in this one with --stage "
	       "and --commit.\n");
}

static void reasons_are_explained(void **state)
{
	struct ecbpf_status status = sample_attached();
	char *text = NULL;

	(void)state;
	print_to(&text, reasons_print, &status);
	assert_memory_equal(text,
			    "Interface eth0 verdict reasons:\n"
			    "CODE | REASON                   | PACKETS          | MEANING\n"
			    "   0 | no_opinion               |                9 | ",
			    32 + 60 + 53);
	assert_non_null(strstr(text, " | filter_source            |           330948 | "
				     "Source address is in a dropped IPv4 prefix\n"));
	assert_non_null(strstr(text, "\n  50 | code_50                  |                2 | \n"));
	assert_null(strstr(text, "\n  51 |"));
	free(text);
}

static struct json_object *json_of(const struct ecbpf_status *status)
{
	struct status_list list = { (struct ecbpf_status *)status, 1 };

	return status_json(&list);
}

static void json_equals(struct json_object *object, const char *expected)
{
	struct json_object *other = json_tokener_parse(expected);

	assert_non_null(other);
	if (!json_object_equal(object, other))
		fail_msg("%s\nis not\n%s", json_object_to_json_string(object), expected);
	json_object_put(other);
}

static struct json_object *interface_of(struct json_object *object)
{
	return json_object_array_get_idx(json_object_object_get(object, "interfaces"), 0);
}

static void json_without_counters_is_exact(void **state)
{
	struct ecbpf_status status = sample_without_counters(ECBPF_FOREIGN);
	struct json_object *object = json_of(&status);

	(void)state;
	json_equals(object, "{\"interfaces\": [{\"name\": \"eth1\", \"ifindex\": 8, "
			    "\"attached\": false, \"attachment\": \"foreign\", "
			    "\"foreign_id\": 77, \"mode\": null, \"generation\": null, "
			    "\"staged\": null, \"abi\": null, \"frags\": null, \"root\": null, "
			    "\"slots\": [], \"reasons\": {}}]}");
	json_object_put(object);

	status = sample_without_counters(ECBPF_ATTACHED);
	object = json_of(&status);
	json_equals(object, "{\"interfaces\": [{\"name\": \"eth1\", \"ifindex\": 8, "
			    "\"attached\": true, \"attachment\": \"attached\", "
			    "\"foreign_id\": null, \"mode\": \"generic\", \"generation\": 4, "
			    "\"staged\": null, \"abi\": 99, \"frags\": null, \"root\": null, "
			    "\"slots\": [], \"reasons\": {}}]}");
	json_object_put(object);
}

static void json_has_every_number(void **state)
{
	struct ecbpf_status status = sample_attached();
	struct json_object *object = json_of(&status);
	struct json_object *interface = interface_of(object);
	struct json_object *slots = json_object_object_get(interface, "slots");
	struct json_object *reasons = json_object_object_get(interface, "reasons");

	(void)state;
	json_equals(json_object_object_get(interface, "root"),
		    "{\"id\": 1044, \"name\": \"xdp_root_prog\", "
		    "\"load_time\": \"2026-03-01T12:00:00Z\", \"actions\": "
		    "{\"XDP_ABORTED\": 1, \"XDP_DROP\": 0, \"XDP_PASS\": 18446744073709551615, "
		    "\"XDP_TX\": 0, \"XDP_REDIRECT\": 0, \"XDP_INVALID_ACTION\": 0}}");
	assert_int_equal(json_object_array_length(slots), ECBPF_SLOTS);
	json_equals(json_object_array_get_idx(slots, 2),
		    "{\"slot\": 2, \"id\": 2257, \"name\": \"xdp_filter_prog\", "
		    "\"load_time\": \"2023-09-29T23:02:07Z\", \"actions\": "
		    "{\"XDP_ABORTED\": 0, \"XDP_DROP\": 330948, \"XDP_PASS\": 450, "
		    "\"XDP_TX\": 330790, \"XDP_REDIRECT\": 0, \"XDP_INVALID_ACTION\": 0}}");
	json_equals(json_object_array_get_idx(slots, 5),
		    "{\"slot\": 5, \"id\": 0, \"name\": null, \"load_time\": null, \"actions\": "
		    "{\"XDP_ABORTED\": 0, \"XDP_DROP\": 0, \"XDP_PASS\": 12, "
		    "\"XDP_TX\": 0, \"XDP_REDIRECT\": 0, \"XDP_INVALID_ACTION\": 0}}");
	assert_int_equal(json_object_object_length(reasons), ECBPF_REASON_COUNT + 4 + 1);
	json_equals(json_object_object_get(reasons, "filter_source"), "330948");
	json_equals(json_object_object_get(reasons, "code_50"), "2");
	json_equals(json_object_object_get(interface, "frags"), "false");
	json_object_put(object);

	object = reasons_json(&status);
	json_equals(json_object_array_get_idx(json_object_object_get(object, "reasons"),
					      ECBPF_REASON_NO_OPINION),
		    "{\"code\": 0, \"name\": \"no_opinion\", \"packets\": 9, "
		    "\"sentence\": \"No slot gave a verdict; the kernel takes the packet\"}");
	json_object_put(object);
}

static char *watched(const struct ecbpf_status *before, const struct ecbpf_status *now,
		     double seconds)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	watch_print(out, before, now, seconds);
	fclose(out);
	return text;
}

static void rates_compare_like_with_like(void **state)
{
	struct ecbpf_status before = sample_attached(), now = before;
	char *text;

	(void)state;
	assert_true(ecbpf_rate(10, 30, 2) == 10);
	assert_true(ecbpf_rate(30, 10, 2) == 0);
	assert_true(ecbpf_rate(10, 30, 0) == 0);
	now.slots[2].actions[1] += 5000000;
	now.slots[2].actions[2] = 0;
	now.reasons[ECBPF_REASON_FILTER_SOURCE] += 5000000;

	text = watched(NULL, &now, 0);
	assert_non_null(strstr(text, "\n   2 | xdp_filter_prog          |            - |"));
	free(text);
	text = watched(&before, &now, 0.5);
	assert_non_null(strstr(text,
			       "\n   2 | xdp_filter_prog          |            0 |     10000000 "
			       "|            0 |"));
	assert_non_null(
		strstr(text, "\nfilter_source            |     10000000 |          5330948\n"));
	assert_null(strstr(text, "\nnot_ip"));
	free(text);
	before.generation--;
	text = watched(&before, &now, 0.5);
	assert_non_null(strstr(text, "\n   2 | xdp_filter_prog          |            - |"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_exact),
		cmocka_unit_test(long_names_and_ids_widen_their_columns),
		cmocka_unit_test(what_is_not_attached_is_a_sentence),
		cmocka_unit_test(reasons_are_explained),
		cmocka_unit_test(json_without_counters_is_exact),
		cmocka_unit_test(json_has_every_number),
		cmocka_unit_test(rates_compare_like_with_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
