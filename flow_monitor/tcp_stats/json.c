// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A sample as a line of JSON. */
#include "json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

struct field {
	const char *name;
	size_t offset;
	size_t size;
};

#define FIELD(member)                                                           \
	{                                                                       \
		.name = #member, .offset = offsetof(struct stats_info, member), \
		.size = sizeof(((struct stats_info *)0)->member)                \
	}

static const struct field fields[] = {
	FIELD(ca_state),
	FIELD(retransmits),
	FIELD(probes),
	FIELD(backoff),
	FIELD(options),
	FIELD(rto),
	FIELD(ato),
	FIELD(snd_mss),
	FIELD(rcv_mss),
	FIELD(unacked),
	FIELD(sacked),
	FIELD(lost),
	FIELD(retrans),
	FIELD(fackets),
	FIELD(last_data_sent),
	FIELD(last_ack_sent),
	FIELD(last_data_recv),
	FIELD(last_ack_recv),
	FIELD(pmtu),
	FIELD(rcv_ssthresh),
	FIELD(rtt),
	FIELD(rttvar),
	FIELD(snd_ssthresh),
	FIELD(snd_cwnd),
	FIELD(advmss),
	FIELD(reordering),
	FIELD(rcv_rtt),
	FIELD(rcv_space),
	FIELD(total_retrans),
	FIELD(pacing_rate),
	FIELD(max_pacing_rate),
	FIELD(bytes_acked),
	FIELD(bytes_received),
	FIELD(segs_out),
	FIELD(segs_in),
	FIELD(notsent_bytes),
	FIELD(min_rtt),
	FIELD(data_segs_in),
	FIELD(data_segs_out),
	FIELD(delivery_rate),
	FIELD(busy_time),
	FIELD(rwnd_limited),
	FIELD(sndbuf_limited),
	FIELD(delivered),
	FIELD(delivered_ce),
	FIELD(bytes_sent),
	FIELD(bytes_retrans),
	FIELD(dsack_dups),
	FIELD(reord_seen),
	FIELD(rcv_ooopack),
	FIELD(snd_wnd),
	FIELD(rcv_wnd),
	FIELD(rehash),
	FIELD(total_rto),
	FIELD(total_rto_recoveries),
	FIELD(total_rto_time),
	FIELD(received_ce),
	FIELD(delivered_e1_bytes),
	FIELD(delivered_e0_bytes),
	FIELD(delivered_ce_bytes),
	FIELD(received_e1_bytes),
	FIELD(received_e0_bytes),
	FIELD(received_ce_bytes),
	FIELD(accecn_fail_mode),
	FIELD(accecn_opt_seen),
};

static const char *const states[] = {
	NULL,	     "ESTABLISHED", "SYN_SENT",	  "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
	"TIME_WAIT", "CLOSE",	    "CLOSE_WAIT", "LAST_ACK", "LISTEN",	   "CLOSING",
};

static void add_number(struct json_object *json, const char *key, uint64_t number)
{
	json_object_object_add(json, key, json_object_new_uint64(number));
}

static void add_state(struct json_object *json, const char *key, unsigned int state)
{
	const char *name = state < sizeof(states) / sizeof(states[0]) ? states[state] : NULL;

	json_object_object_add(json, key, json_object_new_string(name ? name : "?"));
}

static uint64_t value_of(const struct stats_info *info, const struct field *field)
{
	const char *at = (const char *)info + field->offset;
	uint64_t octets8;
	uint32_t octets4;
	uint16_t octets2;

	switch (field->size) {
	case sizeof(octets8):
		memcpy(&octets8, at, sizeof(octets8));
		return octets8;
	case sizeof(octets4):
		memcpy(&octets4, at, sizeof(octets4));
		return octets4;
	case sizeof(octets2):
		memcpy(&octets2, at, sizeof(octets2));
		return octets2;
	}
	return *(const uint8_t *)at;
}

/* Fields that the kernel doesn't have are left out. */
static struct json_object *json_info(const struct stats_info *info, size_t length)
{
	struct json_object *json = json_object_new_object();
	size_t i;

	add_state(json, "state", info->state);
	add_number(json, "snd_wscale", info->wscale & 0xf);
	add_number(json, "rcv_wscale", info->wscale >> 4);
	add_number(json, "delivery_rate_app_limited", info->bits & 1);
	add_number(json, "fastopen_client_fail", info->bits >> 1 & 3);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].offset + fields[i].size <= length)
			add_number(json, fields[i].name, value_of(info, &fields[i]));
	return json;
}

static struct json_object *json_cubic(const struct stats_cubic *cubic)
{
	struct json_object *json = json_object_new_object();

	add_number(json, "cnt", cubic->cnt);
	add_number(json, "last_max_cwnd", cubic->last_max_cwnd);
	add_number(json, "origin_point", cubic->origin_point);
	add_number(json, "k", cubic->k);
	add_number(json, "delay_min", cubic->delay_min);
	add_number(json, "tcp_cwnd", cubic->tcp_cwnd);
	return json;
}

static struct json_object *json_bbr(const struct stats_bbr *bbr)
{
	struct json_object *json = json_object_new_object();

	add_number(json, "bw", bbr->bw);
	add_number(json, "min_rtt", bbr->min_rtt);
	add_number(json, "pacing_gain", bbr->pacing_gain);
	add_number(json, "cwnd_gain", bbr->cwnd_gain);
	return json;
}

static struct json_object *json_congestion(const struct stats_sample *sample)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "name", json_object_new_string(sample->congestion));
	if (sample->private == STATS_PRIVATE_CUBIC)
		json_object_object_add(json, "cubic", json_cubic(&sample->cubic));
	else if (sample->private == STATS_PRIVATE_BBR)
		json_object_object_add(json, "bbr", json_bbr(&sample->bbr));
	return json;
}

static void add_end(struct json_object *json, const char *address_key, const char *port_key,
		    const struct stats_sample *sample, const __u8 *address, __u16 port)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(sample->family == 4 ? AF_INET : AF_INET6, address, text, sizeof(text));
	json_object_object_add(json, address_key, json_object_new_string(text));
	add_number(json, port_key, port);
}

static uint64_t wall_clock(uint64_t monotonic)
{
	return monotonic + ecbpf_clock(CLOCK_REALTIME) - ecbpf_clock(CLOCK_MONOTONIC);
}

int json_print(const struct stats_sample *sample)
{
	static const char *const reasons[] = {
		[STATS_RTT] = "rtt",
		[STATS_STATE] = "state",
		[STATS_NETLINK] = "netlink",
	};
	uint64_t time = wall_clock(sample->monotonic);
	struct json_object *json;
	int err;

	if (!ecbpf_output_wait())
		return -ECANCELED;
	json = json_object_new_object();
	json_object_object_add(json, "time", ecbpf_json_time(time));
	add_number(json, "time_ns", time);
	add_number(json, "monotonic_ns", sample->monotonic);
	json_object_object_add(json, "reason", json_object_new_string(reasons[sample->reason]));
	if (sample->reason == STATS_STATE) {
		add_state(json, "old_state", sample->old_state);
		add_state(json, "new_state", sample->new_state);
	}
	add_number(json, "family", sample->family);
	add_end(json, "local_address", "local_port", sample, sample->local, sample->local_port);
	add_end(json, "remote_address", "remote_port", sample, sample->remote, sample->remote_port);
	add_number(json, "netns", sample->netns);
	json_object_object_add(json, "congestion", json_congestion(sample));
	json_object_object_add(json, "tcp_info", json_info(&sample->info, sample->length));
	err = ecbpf_json_line(stdout, json);
	fflush(stdout);
	return err;
}
