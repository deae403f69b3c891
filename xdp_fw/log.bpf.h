/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Samples of drops for `xdp_fw --log`. */
#ifndef XDP_FW_LOG_BPF_H
#define XDP_FW_LOG_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <ecbpf/abi.h>

#include "xdp_fw.h"

/* These two go on from one instance to the next, and so does whoever reads. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, FW_LOG_RING);
} log_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_log_control);
} log_control SEC(".maps");

/* Drops since the last record, of each CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} log_since SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_name);
} names SEC(".maps");

static __always_inline void fw_log_record(const struct ecbpf_packet *packet, __u32 rule,
					  __u32 length, _Bool dry_run)
{
	struct fw_log_record *record = bpf_ringbuf_reserve(&log_ring, sizeof(*record), 0);
	const struct fw_name *name;

	if (!record)
		return;
	__builtin_memset(record, 0, sizeof(*record));
	record->time = bpf_ktime_get_boot_ns();
	record->rule = rule;
	record->length = length;
	record->family = packet->family;
	record->protocol = packet->protocol;
	record->ports = !!(packet->flags & ECBPF_PORTS);
	record->sport = packet->sport;
	record->dport = packet->dport;
	record->dry_run = dry_run;
	__builtin_memcpy(record->saddr, packet->saddr, sizeof(record->saddr));
	__builtin_memcpy(record->daddr, packet->daddr, sizeof(record->daddr));
	name = bpf_map_lookup_elem(&names, &rule);
	if (name)
		__builtin_memcpy(record->name, name->text, sizeof(record->name));
	bpf_ringbuf_submit(record, 0);
}

static __always_inline void fw_log(const struct ecbpf_packet *packet, __u32 rule, __u32 length,
				   _Bool dry_run)
{
	const struct fw_log_control *control;
	__u32 zero = 0, *since;

	control = bpf_map_lookup_elem(&log_control, &zero);
	if (!control || !control->every)
		return;
	since = bpf_map_lookup_elem(&log_since, &zero);
	if (!since || ++*since < control->every)
		return;
	*since = 0;
	fw_log_record(packet, rule, length, dry_run);
}

#endif
