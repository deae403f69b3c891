/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What struct tcp_info says, read from a socket as the kernel does for user space. */
#ifndef TCP_STATS_SAMPLE_BPF_H
#define TCP_STATS_SAMPLE_BPF_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../record/kernel.bpf.h"
#include "tcp_stats.h"

#define US_PER_S  1000000ULL
#define NS_PER_MS 1000000ULL

/* Bits of tcpi_options; the last ones since 6.7. */
#define OPTION_TIMESTAMPS 1
#define OPTION_SACK	  2
#define OPTION_WSCALE	  4
#define OPTION_ECN	  8
#define OPTION_ECN_SEEN	  16
#define OPTION_SYN_DATA	  32
#define OPTION_USEC_TS	  64
#define OPTION_TFO_CHILD  128

#define ECN_OK	 1
#define ECN_SEEN 8

/* enum tcp_chrono in the kernel */
#define CHRONO_BUSY   1
#define CHRONO_RWND   2
#define CHRONO_SNDBUF 3

#define BBR_SCALE 24

extern const volatile struct stats_config config;

#define BITS(pointer, field) BPF_CORE_READ_BITFIELD_PROBED(pointer, field)

/* A field that came with a later kernel, or 0. */
#define LATER(pointer, field) \
	(bpf_core_field_exists((pointer)->field) ? BPF_CORE_READ(pointer, field) : 0)
#define LATER_BITS(pointer, field) \
	(bpf_core_field_exists((pointer)->field) ? BITS(pointer, field) : 0)

static __always_inline __u32 ticks_to_us(__u32 ticks)
{
	return ticks * US_PER_S / config.hz;
}

static __always_inline __u32 ms_since(__u32 now, __u32 then)
{
	return (now - then) * 1000ULL / config.hz;
}

static __always_inline void read_state(struct tcp_sock *tp, struct stats_info *info)
{
	struct inet_connection_sock *icsk = &tp->inet_conn;
	__u8 ecn = BPF_CORE_READ(tp, ecn_flags);

	info->state = BPF_CORE_READ(tp, inet_conn.icsk_inet.sk.__sk_common.skc_state);
	info->ca_state = BITS(icsk, icsk_ca_state);
	info->retransmits = BPF_CORE_READ(icsk, icsk_retransmits);
	info->probes = BPF_CORE_READ(icsk, icsk_probes_out);
	info->backoff = BPF_CORE_READ(icsk, icsk_backoff);
	if (BITS(tp, rx_opt.tstamp_ok))
		info->options |= OPTION_TIMESTAMPS;
	if (BITS(tp, rx_opt.sack_ok))
		info->options |= OPTION_SACK;
	if (BITS(tp, rx_opt.wscale_ok)) {
		info->options |= OPTION_WSCALE;
		info->wscale = BITS(tp, rx_opt.snd_wscale) | BITS(tp, rx_opt.rcv_wscale) << 4;
	}
	if (ecn & ECN_OK)
		info->options |= OPTION_ECN;
	if (ecn & ECN_SEEN)
		info->options |= OPTION_ECN_SEEN;
	if (BITS(tp, syn_data_acked))
		info->options |= OPTION_SYN_DATA;
	if (LATER_BITS(tp, tcp_usec_ts))
		info->options |= OPTION_USEC_TS;
	if (LATER_BITS(tp, syn_fastopen_child))
		info->options |= OPTION_TFO_CHILD;
	info->bits = BITS(tp, rate_app_limited) | BITS(tp, fastopen_client_fail) << 1;
}

static __always_inline void read_times(struct tcp_sock *tp, struct stats_info *info)
{
	struct inet_connection_sock *icsk = &tp->inet_conn;
	__u32 now = bpf_jiffies64();

	info->rto = ticks_to_us(BPF_CORE_READ(icsk, icsk_rto));
	info->ato = ticks_to_us(BITS(icsk, icsk_ack.ato));
	info->last_data_sent = ms_since(now, BPF_CORE_READ(tp, lsndtime));
	info->last_data_recv = ms_since(now, BPF_CORE_READ(icsk, icsk_ack.lrcvtime));
	info->last_ack_recv = ms_since(now, BPF_CORE_READ(tp, rcv_tstamp));
	/* Kept in eighths, and in quarters. */
	info->rtt = BPF_CORE_READ(tp, srtt_us) >> 3;
	info->rttvar = BPF_CORE_READ(tp, mdev_us) >> 2;
	info->rcv_rtt = BPF_CORE_READ(tp, rcv_rtt_est.rtt_us) >> 3;
	info->min_rtt = BPF_CORE_READ(tp, rtt_min.s[0].v);
}

static __always_inline void read_windows(struct tcp_sock *tp, struct stats_info *info)
{
	struct inet_connection_sock *icsk = &tp->inet_conn;
	__s32 notsent = BPF_CORE_READ(tp, write_seq) - BPF_CORE_READ(tp, snd_nxt);

	info->snd_mss = BPF_CORE_READ(tp, mss_cache);
	info->rcv_mss = BPF_CORE_READ(icsk, icsk_ack.rcv_mss);
	info->unacked = BPF_CORE_READ(tp, packets_out);
	info->sacked = BPF_CORE_READ(tp, sacked_out);
	info->lost = BPF_CORE_READ(tp, lost_out);
	info->retrans = BPF_CORE_READ(tp, retrans_out);
	info->pmtu = BPF_CORE_READ(icsk, icsk_pmtu_cookie);
	info->rcv_ssthresh = BPF_CORE_READ(tp, rcv_ssthresh);
	info->snd_ssthresh = BPF_CORE_READ(tp, snd_ssthresh);
	info->snd_cwnd = BPF_CORE_READ(tp, snd_cwnd);
	info->advmss = BPF_CORE_READ(tp, advmss);
	info->reordering = BPF_CORE_READ(tp, reordering);
	info->rcv_space = BPF_CORE_READ(tp, rcvq_space.space);
	info->notsent_bytes = notsent > 0 ? notsent : 0;
	info->snd_wnd = BPF_CORE_READ(tp, snd_wnd);
	info->rcv_wnd = BPF_CORE_READ(tp, rcv_wnd);
}

static __always_inline void read_rates(struct tcp_sock *tp, struct stats_info *info)
{
	struct sock *sk = &tp->inet_conn.icsk_inet.sk;
	__u64 delivered = BPF_CORE_READ(tp, rate_delivered);
	__u32 interval = BPF_CORE_READ(tp, rate_interval_us);

	info->pacing_rate = BPF_CORE_READ(sk, sk_pacing_rate);
	info->max_pacing_rate = BPF_CORE_READ(sk, sk_max_pacing_rate);
	if (delivered && interval)
		info->delivery_rate = delivered * info->snd_mss * US_PER_S / interval;
}

/* us for which the sender was @kind; the one that lasts counts until now. */
static __always_inline __u64 chrono(struct tcp_sock *tp, int kind)
{
	__u32 ticks = BPF_CORE_READ(tp, chrono_stat[kind - 1]);

	if (BITS(tp, chrono_type) == (__u64)kind)
		ticks += (__u32)bpf_jiffies64() - BPF_CORE_READ(tp, chrono_start);
	return ticks * (US_PER_S / config.hz);
}

static __always_inline void read_counters(struct tcp_sock *tp, struct stats_info *info)
{
	info->total_retrans = BPF_CORE_READ(tp, total_retrans);
	info->bytes_acked = BPF_CORE_READ(tp, bytes_acked);
	info->bytes_received = BPF_CORE_READ(tp, bytes_received);
	info->segs_out = BPF_CORE_READ(tp, segs_out);
	info->segs_in = BPF_CORE_READ(tp, segs_in);
	info->data_segs_in = BPF_CORE_READ(tp, data_segs_in);
	info->data_segs_out = BPF_CORE_READ(tp, data_segs_out);
	info->rwnd_limited = chrono(tp, CHRONO_RWND);
	info->sndbuf_limited = chrono(tp, CHRONO_SNDBUF);
	info->busy_time = chrono(tp, CHRONO_BUSY) + info->rwnd_limited + info->sndbuf_limited;
	info->delivered = BPF_CORE_READ(tp, delivered);
	info->delivered_ce = BPF_CORE_READ(tp, delivered_ce);
	info->bytes_sent = BPF_CORE_READ(tp, bytes_sent);
	info->bytes_retrans = BPF_CORE_READ(tp, bytes_retrans);
	info->dsack_dups = BPF_CORE_READ(tp, dsack_dups);
	info->reord_seen = BPF_CORE_READ(tp, reord_seen);
	info->rcv_ooopack = BPF_CORE_READ(tp, rcv_ooopack);
	info->rehash = LATER(tp, plb_rehash) + LATER(tp, timeout_rehash);
	info->total_rto = LATER(tp, total_rto);
	info->total_rto_recoveries = LATER(tp, total_rto_recoveries);
	info->total_rto_time = LATER(tp, total_rto_time);
	/* Of the timeout that lasts, when it began: ms. */
	if (LATER(tp, rto_stamp))
		info->total_rto_time +=
			(__u32)(bpf_ktime_get_ns() / NS_PER_MS) - LATER(tp, rto_stamp);
}

/* Accurate ECN, since 6.18. */
static __always_inline void read_ecn(struct tcp_sock *tp, struct stats_info *info)
{
	info->received_ce = LATER(tp, received_ce);
	info->delivered_e1_bytes = LATER(tp, delivered_ecn_bytes[0]);
	info->delivered_e0_bytes = LATER(tp, delivered_ecn_bytes[1]);
	info->delivered_ce_bytes = LATER(tp, delivered_ecn_bytes[2]);
	info->received_e1_bytes = LATER(tp, received_ecn_bytes[0]);
	info->received_e0_bytes = LATER(tp, received_ecn_bytes[1]);
	info->received_ce_bytes = LATER(tp, received_ecn_bytes[2]);
	info->accecn_fail_mode = LATER_BITS(tp, accecn_fail_mode);
	info->accecn_opt_seen = LATER_BITS(tp, saw_accecn_opt);
}

static __always_inline void read_cubic(struct tcp_sock *tp, struct stats_sample *sample)
{
	struct bictcp *cubic = (void *)&tp->inet_conn.icsk_ca_priv;

	sample->private = STATS_PRIVATE_CUBIC;
	sample->cubic.cnt = BPF_CORE_READ(cubic, cnt);
	sample->cubic.last_max_cwnd = BPF_CORE_READ(cubic, last_max_cwnd);
	sample->cubic.origin_point = BPF_CORE_READ(cubic, bic_origin_point);
	sample->cubic.k = BPF_CORE_READ(cubic, bic_K);
	sample->cubic.delay_min = BPF_CORE_READ(cubic, delay_min);
	sample->cubic.tcp_cwnd = BPF_CORE_READ(cubic, tcp_cwnd);
}

static __always_inline void read_bbr(struct tcp_sock *tp, struct stats_sample *sample)
{
	struct bbr *bbr = (void *)&tp->inet_conn.icsk_ca_priv;
	__u64 bw = BITS(bbr, lt_use_bw) ? BPF_CORE_READ(bbr, lt_bw) : BPF_CORE_READ(bbr, bw.s[0].v);

	sample->private = STATS_PRIVATE_BBR;
	sample->bbr.bw = bw * sample->info.snd_mss * US_PER_S >> BBR_SCALE;
	sample->bbr.min_rtt = BPF_CORE_READ(bbr, min_rtt_us);
	sample->bbr.pacing_gain = BITS(bbr, pacing_gain);
	sample->bbr.cwnd_gain = BITS(bbr, cwnd_gain);
}

/* Where the kernel has types of them; those of a module are known if it was there at loading. */
static __always_inline void read_congestion(struct tcp_sock *tp, struct stats_sample *sample)
{
	const char *name = sample->congestion;

	bpf_probe_read_kernel_str(sample->congestion, sizeof(sample->congestion),
				  BPF_CORE_READ(tp, inet_conn.icsk_ca_ops)->name);
	if (bpf_core_type_exists(struct bictcp) && name[0] == 'c' && name[1] == 'u' &&
	    name[2] == 'b' && name[3] == 'i' && name[4] == 'c' && !name[5])
		read_cubic(tp, sample);
	else if (bpf_core_type_exists(struct bbr) && name[0] == 'b' && name[1] == 'b' &&
		 name[2] == 'r' && !name[3])
		read_bbr(tp, sample);
}

static __always_inline void read_identity(struct tcp_sock *tp, struct stats_sample *sample)
{
	struct inet_sock *inet = &tp->inet_conn.icsk_inet;
	struct sock_common *common = &tp->inet_conn.icsk_inet.sk.__sk_common;
	__u32 *words = (__u32 *)sample->remote;

	sample->netns = BPF_CORE_READ(common, skc_net.net, ns.inum);
	sample->local_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	sample->remote_port = bpf_ntohs(BPF_CORE_READ(common, skc_dport));
	sample->family = 4;
	if (BPF_CORE_READ(common, skc_family) == AF_INET6) {
		bpf_core_read(sample->remote, 16, &common->skc_v6_daddr);
		if (words[0] || words[1] || words[2] != bpf_htonl(0xffff)) {
			bpf_core_read(sample->local, 16, &common->skc_v6_rcv_saddr);
			sample->family = 6;
			return;
		}
		__builtin_memset(sample->remote, 0, 16);
	}
	*(__u32 *)sample->local = BPF_CORE_READ(common, skc_rcv_saddr);
	*(__u32 *)sample->remote = BPF_CORE_READ(common, skc_daddr);
}

#endif
