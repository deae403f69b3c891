// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Terms of tcp_stats --flow. */
#include <arpa/inet.h>

#include <ecbpf/ecbpf.h>

#include "flows.h"
#include "target.h"

static void say_nothing(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)context;
	REQUIRE(!strchr(message, '\n'));
}

static void write_end(const struct stats_end *end, char *text, size_t room)
{
	char address[INET6_ADDRSTRLEN] = "", port[sizeof("65535")] = "*";

	if (end->family)
		inet_ntop(end->family == 4 ? AF_INET : AF_INET6, end->address, address,
			  sizeof(address));
	if (end->port)
		snprintf(port, sizeof(port), "%hu", end->port);
	snprintf(text, room, "[%s]:%s", address, port);
}

/* Written again, it reads the same; and its own connection is one of it. */
static void check(const struct stats_flow *flow)
{
	char local[64], remote[64], text[128], *items[] = { text, NULL };
	const struct ecbpf_strings terms = { items, 1 };
	struct stats_flow again[STATS_FLOWS_MAX];
	struct stats_sample sample = {
		.family = flow->local.family ?: flow->remote.family,
		.local_port = flow->local.port,
		.remote_port = flow->remote.port,
	};

	write_end(&flow->local, local, sizeof(local));
	write_end(&flow->remote, remote, sizeof(remote));
	snprintf(text, sizeof(text), "%s-%s", local, remote);
	REQUIRE(flows_parse(&terms, again) == 1 && !memcmp(flow, again, sizeof(*flow)));
	REQUIRE(!flow->local.family || !flow->remote.family ||
		flow->local.family == flow->remote.family);
	memcpy(sample.local, flow->local.address, sizeof(sample.local));
	memcpy(sample.remote, flow->remote.address, sizeof(sample.remote));
	REQUIRE(flows_match(flow, 1, &sample));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stats_flow flows[STATS_FLOWS_MAX];
	char *text = string_of(data, size);
	struct ecbpf_strings terms = {};
	int count, i;

	ecbpf_log_set(say_nothing, NULL, ECBPF_LOG_DEBUG);
	if (!ecbpf_strings_split(&terms, text)) {
		count = flows_parse(&terms, flows);
		REQUIRE(count < 0 || (size_t)count == terms.count);
		for (i = 0; i < count; i++)
			check(&flows[i]);
	}
	ecbpf_strings_free(&terms);
	free(text);
	return 0;
}
