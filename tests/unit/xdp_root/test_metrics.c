// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* --openmetrics, read by a parser that forgives nothing. */
#include <ctype.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"
#include "status.h"

#define NAME_OCTETS  64
#define FAMILIES_MAX 32
#define SAMPLES_MAX  512

struct reader {
	char families[FAMILIES_MAX][NAME_OCTETS];
	size_t family_count;
	bool counter;
	bool helped;
	bool ended;
	/* Name and labels of each sample. */
	char *samples[SAMPLES_MAX];
	uint64_t values[SAMPLES_MAX];
	size_t sample_count;
};

/* Letters, digits, underscores (and colons in names of metrics), no digit first. */
static const char *skip_name(const char *text, bool metric)
{
	assert_true(isalpha((unsigned char)*text) || *text == '_' || (metric && *text == ':'));
	while (isalnum((unsigned char)*text) || *text == '_' || (metric && *text == ':'))
		text++;
	return text;
}

static const char *expect(const char *text, const char *literal)
{
	assert_memory_equal(text, literal, strlen(literal));
	return text + strlen(literal);
}

/* A string with escapes up to @end, which is not a part of it. */
static const char *skip_escaped(const char *text, char end)
{
	for (; *text != end; text++) {
		assert_true(*text && *text != '"' && *text != '\n');
		if (*text == '\\') {
			text++;
			assert_non_null(strchr("n\"\\", *text));
			assert_true(*text);
		}
	}
	return text;
}

static const char *skip_labels(const char *text)
{
	if (*text != '{')
		return text;
	do {
		text = skip_name(text + 1, false);
		text = skip_escaped(expect(text, "=\""), '"') + 1;
	} while (*text == ',');
	return expect(text, "}");
}

static void read_type(struct reader *reader, const char *line)
{
	const char *name = expect(line, "# TYPE "), *end = skip_name(name, true);
	char *family = reader->families[reader->family_count];

	assert_true(reader->family_count < FAMILIES_MAX && end - name < NAME_OCTETS);
	memcpy(family, name, end - name);
	for (size_t i = 0; i < reader->family_count; i++)
		assert_string_not_equal(family, reader->families[i]);
	reader->family_count++;
	reader->counter = strcmp(end, " counter") == 0;
	reader->helped = false;
	if (!reader->counter)
		assert_string_equal(end, " gauge");
}

static const char *current_family(const struct reader *reader)
{
	assert_true(reader->family_count);
	return reader->families[reader->family_count - 1];
}

static void read_help(struct reader *reader, const char *line)
{
	const char *text = expect(expect(line, "# HELP "), current_family(reader));

	text = expect(text, " ");
	assert_false(reader->helped);
	assert_true(strlen(text) > 1);
	assert_true(*skip_escaped(text, '\0') == '\0');
	reader->helped = true;
}

static void read_sample(struct reader *reader, const char *line)
{
	const char *text = expect(line, current_family(reader));
	char *end, *key;

	if (reader->counter)
		text = expect(text, "_total");
	text = skip_labels(text);
	key = strndup(line, text - line);
	assert_non_null(key);
	for (size_t i = 0; i < reader->sample_count; i++)
		assert_string_not_equal(key, reader->samples[i]);
	text = expect(text, " ");
	assert_true(isdigit((unsigned char)*text));
	assert_true(reader->sample_count < SAMPLES_MAX);
	reader->values[reader->sample_count] = strtoull(text, &end, 10);
	reader->samples[reader->sample_count++] = key;
	assert_true(*end == '\0');
}

static void read_text(struct reader *reader, char *text)
{
	char *end;

	for (; *text; text = end + 1) {
		end = strchr(text, '\n');
		assert_non_null(end);
		*end = '\0';
		assert_false(reader->ended);
		if (strcmp(text, "# EOF") == 0)
			reader->ended = true;
		else if (strncmp(text, "# TYPE", 6) == 0)
			read_type(reader, text);
		else if (*text == '#')
			read_help(reader, text);
		else
			read_sample(reader, text);
	}
	assert_true(reader->ended);
}

static void reader_free(struct reader *reader)
{
	for (size_t i = 0; i < reader->sample_count; i++)
		free(reader->samples[i]);
}

static void read_list(struct reader *reader, struct ecbpf_status *items, size_t count)
{
	struct status_list list = { items, count };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	status_print_openmetrics(out, &list);
	fclose(out);
	memset(reader, 0, sizeof(*reader));
	read_text(reader, text);
	free(text);
}

static void has(const struct reader *reader, const char *sample, uint64_t value)
{
	for (size_t i = 0; i < reader->sample_count; i++) {
		if (strcmp(reader->samples[i], sample) == 0) {
			assert_true(reader->values[i] == value);
			return;
		}
	}
	fail_msg("no sample %s", sample);
}

static size_t count_of(const struct reader *reader, const char *beginning)
{
	size_t count = 0;

	for (size_t i = 0; i < reader->sample_count; i++)
		count += strncmp(reader->samples[i], beginning, strlen(beginning)) == 0;
	return count;
}

static void every_count_is_there(void **state)
{
	struct ecbpf_status status[2] = { sample_attached(),
					  sample_without_counters(ECBPF_FOREIGN) };
	struct reader reader;

	(void)state;
	read_list(&reader, status, 2);
	assert_int_equal(count_of(&reader, "ecbpf_build_info{version=\"" ECBPF_VERSION "\",abi="),
			 1);
	has(&reader,
	    "ecbpf_interface_info{interface=\"eth0\",attachment=\"attached\",mode=\"native\","
	    "frags=\"false\"}",
	    1);
	has(&reader, "ecbpf_attached{interface=\"eth0\"}", 1);
	has(&reader, "ecbpf_attached{interface=\"eth1\"}", 0);
	has(&reader, "ecbpf_generation{interface=\"eth0\"}", 3);
	has(&reader, "ecbpf_staged_generation{interface=\"eth0\"}", 0);
	has(&reader,
	    "ecbpf_program_load_time_seconds{interface=\"eth0\",slot=\"2\","
	    "program=\"xdp_filter_prog\"}",
	    1696028527);
	has(&reader,
	    "ecbpf_verdicts_total{interface=\"eth0\",slot=\"2\",program=\"xdp_filter_prog\","
	    "action=\"XDP_DROP\"}",
	    330948);
	has(&reader,
	    "ecbpf_verdicts_total{interface=\"eth0\",slot=\"5\",program=\"\",action=\"XDP_PASS\"}",
	    12);
	has(&reader,
	    "ecbpf_verdicts_total{interface=\"eth0\",slot=\"root\",program=\"xdp_root_prog\","
	    "action=\"XDP_PASS\"}",
	    UINT64_MAX);
	has(&reader, "ecbpf_reasons_total{interface=\"eth0\",reason=\"filter_source\"}", 330948);
	has(&reader, "ecbpf_reasons_total{interface=\"eth0\",reason=\"code_50\"}", 2);
	/* Root and slots 2 and 5, but not those that never had a program. */
	assert_int_equal(count_of(&reader, "ecbpf_verdicts_total{interface=\"eth0\""),
			 3 * ECBPF_ACTIONS);
	assert_int_equal(count_of(&reader, "ecbpf_reasons_total{"), ECBPF_REASON_COUNT + 4 + 1);
	assert_int_equal(count_of(&reader, "ecbpf_verdicts_total{interface=\"eth1\""), 0);
	reader_free(&reader);
}

static void odd_names_are_escaped(void **state)
{
	struct ecbpf_status status = sample_attached();
	struct reader reader;

	(void)state;
	strcpy(status.name, "a\"b\\c\nd");
	strcpy(status.slots[2].name, "\\\"");
	read_list(&reader, &status, 1);
	has(&reader, "ecbpf_attached{interface=\"a\\\"b\\\\c\\nd\"}", 1);
	has(&reader,
	    "ecbpf_verdicts_total{interface=\"a\\\"b\\\\c\\nd\",slot=\"2\",program=\"\\\\\\\"\","
	    "action=\"XDP_TX\"}",
	    330790);
	reader_free(&reader);
}

static void nothing_attached_is_valid_too(void **state)
{
	struct reader reader;

	(void)state;
	read_list(&reader, NULL, 0);
	assert_int_equal(reader.sample_count, 1);
	reader_free(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_count_is_there),
		cmocka_unit_test(odd_names_are_escaped),
		cmocka_unit_test(nothing_attached_is_valid_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
