// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The OpenMetrics writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ecbpf/tool.h>

static const struct ecbpf_metric_family counter = {
	"packets",
	ECBPF_METRIC_COUNTER,
	"Packets, \"good\" and\nbad, in C:\\.",
};
static const struct ecbpf_metric_family gauge = { "depth", ECBPF_METRIC_GAUGE, "Depth." };
static const struct ecbpf_metric_family info = { "thing", ECBPF_METRIC_INFO, "A thing." };

static void the_text_is_exact(void **state)
{
	static const struct ecbpf_label one[] = { { "a", "b" }, { NULL, NULL } };
	static const struct ecbpf_label odd[] = {
		{ "back", "\\" },
		{ "quote", "\"q\"" },
		{ "line", "1\n2" },
		{ "none", "" },
		{ "utf8", "h\xc3\xb6" },
		{ "octets", "\xff\xc3"
			    "a" },
		{ NULL, NULL },
	};
	static const struct ecbpf_label none[] = { { NULL, NULL } };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_non_null(out);
	ecbpf_openmetrics_header(out, &counter);
	ecbpf_openmetrics_sample(out, &counter, one, UINT64_MAX);
	ecbpf_openmetrics_sample(out, &counter, odd, 0);
	ecbpf_openmetrics_header(out, &gauge);
	ecbpf_openmetrics_sample(out, &gauge, NULL, 3);
	ecbpf_openmetrics_sample(out, &gauge, none, 4);
	ecbpf_openmetrics_header(out, &info);
	ecbpf_openmetrics_sample(out, &info, one, 1);
	ecbpf_openmetrics_end(out);
	fclose(out);
	assert_string_equal(text, "# TYPE packets counter\n"
				  "# HELP packets Packets, \\\"good\\\" and\\nbad, in C:\\\\.\n"
				  "packets_total{a=\"b\"} 18446744073709551615\n"
				  "packets_total{back=\"\\\\\",quote=\"\\\"q\\\"\",line=\"1\\n2\","
				  "none=\"\",utf8=\"h\xc3\xb6\","
				  "octets=\"\xef\xbf\xbd\xef\xbf\xbd"
				  "a\"} 0\n"
				  "# TYPE depth gauge\n"
				  "# HELP depth Depth.\n"
				  "depth 3\n"
				  "depth 4\n"
				  "# TYPE thing_info gauge\n"
				  "# HELP thing_info A thing.\n"
				  "thing_info{a=\"b\"} 1\n"
				  "# EOF\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_text_is_exact) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
