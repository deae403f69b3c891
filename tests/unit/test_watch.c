// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Repetition until a signal. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ecbpf/tool.h>

#define INTERVAL UINT64_C(1000000)
#define CALLS	 3

struct calls {
	unsigned int count;
	double first;
	double later;
	int signal;
	int err;
};

static int call(double seconds, void *context)
{
	struct calls *calls = context;

	if (calls->count++ == 0)
		calls->first = seconds;
	else
		calls->later += seconds;
	if (calls->count < CALLS)
		return 0;
	if (calls->signal)
		raise(calls->signal);
	return calls->err;
}

static void watches_until(int signal)
{
	struct calls calls = { .signal = signal };

	assert_int_equal(ecbpf_watch(INTERVAL, call, &calls), 0);
	assert_true(ecbpf_interrupted());
	assert_int_equal(calls.count, CALLS);
	assert_true(calls.first == 0);
	assert_true(calls.later > 0);
}

static void a_signal_ends_it(void **state)
{
	(void)state;
	watches_until(SIGINT);
	watches_until(SIGTERM);
}

static void an_error_ends_it(void **state)
{
	struct calls calls = { .err = -ENODEV };

	(void)state;
	assert_int_equal(ecbpf_watch(INTERVAL, call, &calls), -ENODEV);
	assert_int_equal(calls.count, CALLS);
	assert_false(ecbpf_interrupted());
}

static void ignore(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)message;
	(void)context;
}

static void no_interval_is_refused(void **state)
{
	struct calls calls = { 0 };

	(void)state;
	ecbpf_log_set(ignore, NULL, ECBPF_LOG_ERROR);
	assert_int_equal(ecbpf_watch(0, call, &calls), -EINVAL);
	assert_int_equal(calls.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_ends_it),
		cmocka_unit_test(an_error_ends_it),
		cmocka_unit_test(no_interval_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
