// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Samples by sock_diag: what the kernel itself tells, to compare with. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include "flows.h"
#include "json.h"
#include "stats.h"

#define NS_PER_S 1000000000ULL
#define BUFFER	 (1 << 16)

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
};

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static bool is_mapped(const __be32 *words)
{
	return !words[0] && !words[1] && words[2] == htonl(0xffff);
}

static void fill_identity(const struct inet_diag_msg *message, struct stats_sample *sample)
{
	const struct inet_diag_sockid *id = &message->id;
	bool mapped = message->idiag_family == AF_INET6 && is_mapped(id->idiag_dst);
	size_t skip = mapped ? 3 : 0;

	sample->family = message->idiag_family == AF_INET || mapped ? 4 : 6;
	memcpy(sample->local, id->idiag_src + skip, sample->family == 4 ? 4 : 16);
	memcpy(sample->remote, id->idiag_dst + skip, sample->family == 4 ? 4 : 16);
	sample->local_port = ntohs(id->idiag_sport);
	sample->remote_port = ntohs(id->idiag_dport);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void fill_bbr(const struct tcp_bbr_info *info, struct stats_sample *sample)
{
	sample->private = STATS_PRIVATE_BBR;
	sample->bbr = (struct stats_bbr){
		.bw = (uint64_t)info->bbr_bw_hi << 32 | info->bbr_bw_lo,
		.min_rtt = info->bbr_min_rtt,
		.pacing_gain = info->bbr_pacing_gain,
		.cwnd_gain = info->bbr_cwnd_gain,
	};
}

static void fill(const struct nlmsghdr *header, struct stats_sample *sample)
{
	const struct inet_diag_msg *message = NLMSG_DATA(header);
	const struct rtattr *attribute = (const struct rtattr *)(message + 1);
	int left = header->nlmsg_len - NLMSG_LENGTH(sizeof(*message));

	fill_identity(message, sample);
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		const void *data = RTA_DATA(attribute);
		size_t size = RTA_PAYLOAD(attribute);

		if (attribute->rta_type == INET_DIAG_INFO) {
			sample->length = smaller(size, sizeof(sample->info));
			memcpy(&sample->info, data, sample->length);
		} else if (attribute->rta_type == INET_DIAG_CONG) {
			memcpy(sample->congestion, data, smaller(size, STATS_NAME_MAX - 1));
		} else if (attribute->rta_type == INET_DIAG_BBRINFO &&
			   size >= sizeof(struct tcp_bbr_info)) {
			fill_bbr(data, sample);
		}
	}
}

static int take(const struct dump *dump, const struct nlmsghdr *header)
{
	struct stats_sample sample = {
		.monotonic = monotonic_ns(),
		.reason = STATS_NETLINK,
		.netns = dump->netns,
	};

	fill(header, &sample);
	if (!sample.length || !flows_match(dump->flows, dump->flow_count, &sample))
		return 0;
	return json_print(&sample);
}

/* 1: there is more; 0: that was all. */
static int take_messages(const struct dump *dump, const char *buffer, int length)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
	int err;

	for (; NLMSG_OK(header, (unsigned int)length); header = NLMSG_NEXT(header, length)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return 0;
		if (header->nlmsg_type == NLMSG_ERROR) {
			err = ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
			return ecbpf_fail(err, "sock_diag: %s", strerror(-err));
		}
		err = take(dump, header);
		if (err)
			return err;
	}
	return 1;
}

static int dump_family(const struct dump *dump, int netlink, uint8_t family)
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
		more = take_messages(dump, buffer, got);
	}
	return more;
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
