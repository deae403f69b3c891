// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Samples by sock_diag: what the kernel itself tells, to compare with. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include "diag.h"
#include "flows.h"
#include "json.h"
#include "stats.h"

#define BUFFER (1 << 16)

/* All but those that have no counters, or listen. */
#define STATES                                                                          \
	(~0U & ~(1U << BPF_TCP_LISTEN | 1U << BPF_TCP_TIME_WAIT | 1U << BPF_TCP_CLOSE | \
		 1U << BPF_TCP_NEW_SYN_RECV))

struct dump {
	const struct stats_options *options;
	struct stats_flow flows[STATS_FLOWS_MAX];
	size_t flow_count;
	uint32_t netns;
	uint64_t rounds;
	/* Of printing, which has been told. */
	int err;
};

static int take(struct stats_sample *sample, void *context)
{
	struct dump *dump = context;

	sample->monotonic = ecbpf_clock(CLOCK_MONOTONIC);
	sample->reason = STATS_NETLINK;
	sample->netns = dump->netns;
	if (!sample->length || !flows_match(dump->flows, dump->flow_count, sample))
		return 0;
	dump->err = json_print(sample);
	return dump->err;
}

static int dump_family(struct dump *dump, int netlink, uint8_t family)
{
	_Alignas(struct nlmsghdr) static char buffer[BUFFER];
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.request = {
			.sdiag_family = family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1) |
				     1 << (INET_DIAG_VEGASINFO - 1),
			.idiag_states = STATES,
		},
	};
	ssize_t got;
	int more = 1;

	if (send(netlink, &message, sizeof(message), 0) < 0)
		return ecbpf_fail(-errno, "sock_diag: %m");
	while (more > 0) {
		got = recv(netlink, buffer, sizeof(buffer), 0);
		if (got < 0)
			return ecbpf_fail(-errno, "sock_diag: %m");
		more = diag_each(buffer, got, take, dump);
	}
	return more < 0 && !dump->err ? ecbpf_fail(more, "sock_diag: %s", strerror(-more)) : more;
}

static int dump_all(double seconds, void *context)
{
	struct dump *dump = context;
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), err;

	(void)seconds;
	if (netlink < 0)
		return ecbpf_fail(-errno, "sock_diag: %m");
	err = dump_family(dump, netlink, AF_INET);
	if (!err)
		err = dump_family(dump, netlink, AF_INET6);
	close(netlink);
	if (!err && ++dump->rounds == dump->options->count)
		err = -ECANCELED;
	return err;
}

int netlink_run(const struct stats_options *options)
{
	struct dump dump = { .options = options };
	struct stat info;
	int count = flows_parse(&options->terms, dump.flows), err;

	if (count < 0)
		return count;
	dump.flow_count = count;
	if (!stat("/proc/self/ns/net", &info))
		dump.netns = info.st_ino;
	err = ecbpf_watch_lines(options->interval, dump_all, &dump);
	return err == -ECANCELED ? 0 : err;
}
