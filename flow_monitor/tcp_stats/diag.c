// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

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

/* 0, or the error that it says. */
static int error_of(const struct nlmsghdr *header)
{
	const struct nlmsgerr *said = NLMSG_DATA(header);

	if (header->nlmsg_len < NLMSG_LENGTH(sizeof(said->error)) || said->error >= 0)
		return -EBADMSG;
	return said->error;
}

int diag_each(const void *buffer, size_t length,
	      int (*take)(struct stats_sample *sample, void *context), void *context)
{
	const struct nlmsghdr *header = buffer;
	struct stats_sample sample;
	int err;

	/* NLMSG_NEXT() would step over the end of a message that isn't padded. */
	for (; length >= sizeof(*header) && header->nlmsg_len >= sizeof(*header) &&
	       header->nlmsg_len <= length;
	     header = (const void *)((const char *)header + NLMSG_ALIGN(header->nlmsg_len))) {
		if (header->nlmsg_type == NLMSG_DONE)
			return 0;
		if (header->nlmsg_type == NLMSG_ERROR)
			return error_of(header);
		if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
			return -EBADMSG;
		sample = (struct stats_sample){};
		fill(header, &sample);
		err = take(&sample, context);
		if (err)
			return err;
		length -= smaller(length, NLMSG_ALIGN(header->nlmsg_len));
	}
	return 1;
}
