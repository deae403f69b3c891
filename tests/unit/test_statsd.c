// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a statsd server on the loopback interface receives. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <ecbpf/tool.h>

#define DATAGRAM_MAX 1400
#define ATTEMPTS     100000

struct server {
	int socket;
	uint16_t port;
	char datagram[65536];
};

static struct server server;

/* Port 0: any that is free. */
static void server_open(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);

	server.socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(server.socket >= 0);
	assert_int_equal(bind(server.socket, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(server.socket, (struct sockaddr *)&address, &length), 0);
	server.port = ntohs(address.sin_port);
}

static const char *server_receive(void)
{
	ssize_t length = recv(server.socket, server.datagram, sizeof(server.datagram) - 1, 0);

	assert_true(length > 0);
	server.datagram[length] = '\0';
	return server.datagram;
}

static void server_has_nothing(void)
{
	char octet;

	assert_int_equal(recv(server.socket, &octet, 1, MSG_DONTWAIT), -1);
}

static struct ecbpf_statsd *statsd_open(const char *prefix)
{
	struct ecbpf_statsd *statsd = NULL;

	assert_int_equal(ecbpf_statsd_open("127.0.0.1", server.port, prefix, &statsd), 0);
	return statsd;
}

static int setup(void **state)
{
	(void)state;
	server_open(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return close(server.socket);
}

static void counters_are_sent_as_growth(void **state)
{
	struct ecbpf_statsd *statsd = statsd_open("ecbpf.eth0");

	(void)state;
	ecbpf_statsd_counter(statsd, "drops", 1000);
	ecbpf_statsd_counter(statsd, "passes", 5);
	ecbpf_statsd_flush(statsd);
	assert_string_equal(server_receive(), "ecbpf.eth0.drops:0|c\necbpf.eth0.passes:0|c");

	ecbpf_statsd_counter(statsd, "passes", 5);
	ecbpf_statsd_counter(statsd, "drops", UINT64_C(1) << 63);
	ecbpf_statsd_flush(statsd);
	assert_string_equal(server_receive(),
			    "ecbpf.eth0.passes:0|c\necbpf.eth0.drops:9223372036854774808|c");

	ecbpf_statsd_counter(statsd, "drops", 7);
	ecbpf_statsd_counter(statsd, "drops", 9);
	ecbpf_statsd_close(statsd);
	assert_string_equal(server_receive(), "ecbpf.eth0.drops:7|c");
	assert_string_equal(server_receive(), "ecbpf.eth0.drops:2|c");
}

static void gauges_are_sent_as_they_are(void **state)
{
	struct ecbpf_statsd *statsd = statsd_open(NULL);

	(void)state;
	ecbpf_statsd_gauge(statsd, "prefixes", UINT64_MAX);
	ecbpf_statsd_gauge(statsd, "prefixes", 3);
	ecbpf_statsd_flush(statsd);
	assert_string_equal(server_receive(), "prefixes:18446744073709551615|g\nprefixes:3|g");
	ecbpf_statsd_flush(statsd);
	server_has_nothing();
	ecbpf_statsd_close(statsd);
	server_has_nothing();
}

static void names_cannot_break_lines(void **state)
{
	struct ecbpf_statsd *statsd = statsd_open("a b");

	(void)state;
	ecbpf_statsd_gauge(statsd, "c:d|e@f#g\nh", 1);
	ecbpf_statsd_close(statsd);
	assert_string_equal(server_receive(), "a_b.c_d_e_f_g_h:1|g");
}

static void datagrams_stay_small(void **state)
{
	struct ecbpf_statsd *statsd = statsd_open("prefix");
	unsigned int lines = 0, datagrams = 0;
	char name[64];

	(void)state;
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "counter_number_%03d", i);
		assert_int_equal(ecbpf_statsd_counter(statsd, name, i), 0);
	}
	ecbpf_statsd_flush(statsd);
	while (lines < 500) {
		const char *line = server_receive();

		datagrams++;
		assert_true(strlen(line) <= DATAGRAM_MAX);
		for (; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
			snprintf(name, sizeof(name), "prefix.counter_number_%03u:0|c", lines++);
			assert_memory_equal(line, name, strlen(name));
		}
	}
	/* 29 octets and a newline each: 46 in a datagram. */
	assert_int_equal(datagrams, 11);
	server_has_nothing();
	ecbpf_statsd_close(statsd);
}

static void names_have_an_end(void **state)
{
	struct ecbpf_statsd *statsd = statsd_open("");
	char name[2000];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(ecbpf_statsd_gauge(statsd, name, 1), -ENAMETOOLONG);
	assert_int_equal(ecbpf_statsd_counter(statsd, name, 1), -ENAMETOOLONG);
	ecbpf_statsd_close(statsd);
	server_has_nothing();
}

/* With nobody there, every send but the first meets the refusal of the one before. */
static void what_is_not_sent_stays_due(void **state)
{
	struct ecbpf_statsd *statsd = statsd_open("");
	uint64_t value = 10, known = 10, errors;
	char expected[64];
	int attempts;

	(void)state;
	ecbpf_statsd_counter(statsd, "n", value);
	ecbpf_statsd_flush(statsd);
	assert_string_equal(server_receive(), "n:0|c");
	close(server.socket);

	for (attempts = 0; !ecbpf_statsd_errors(statsd) && attempts < ATTEMPTS; attempts++) {
		known = value;
		ecbpf_statsd_counter(statsd, "n", ++value);
		ecbpf_statsd_flush(statsd);
	}
	assert_true(ecbpf_statsd_errors(statsd) > 0);

	server_open(server.port);
	do {
		errors = ecbpf_statsd_errors(statsd);
		value += 5;
		ecbpf_statsd_counter(statsd, "n", value);
		ecbpf_statsd_flush(statsd);
	} while (ecbpf_statsd_errors(statsd) != errors);
	snprintf(expected, sizeof(expected), "n:%u|c", (unsigned int)(value - known));
	assert_string_equal(server_receive(), expected);
	ecbpf_statsd_close(statsd);
}

static void ignore(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)message;
	(void)context;
}

/* Too long for the resolver to ask anybody. */
static void unknown_hosts_are_told(void **state)
{
	struct ecbpf_statsd *statsd = NULL;
	char host[301];

	(void)state;
	memset(host, 'x', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	assert_int_equal(ecbpf_statsd_open(host, 8125, "", &statsd), -EHOSTUNREACH);
	assert_null(statsd);
	ecbpf_statsd_close(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counters_are_sent_as_growth), TEST(gauges_are_sent_as_they_are),
		TEST(names_cannot_break_lines),	   TEST(datagrams_stay_small),
		TEST(names_have_an_end),	   TEST(what_is_not_sent_stays_due),
		TEST(unknown_hosts_are_told),
	};

	ecbpf_log_set(ignore, NULL, ECBPF_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
