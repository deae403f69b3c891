/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Limits in the kernel: one bucket for all CPUs, under a lock. */
#ifndef XDP_FW_LIMITS_BPF_H
#define XDP_FW_LIMITS_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <ecbpf/abi.h>

#include "limit.h"
#include "xdp_fw.h"

/* The loader sets the sizes of these. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fw_bucket_locked);
} buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct fw_source_key);
	__type(value, struct fw_bucket);
} sources SEC(".maps");

/* A lock can't be in a value of an LRU map. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FW_SOURCE_LOCKS);
	__type(key, __u32);
	__type(value, struct fw_lock);
} source_locks SEC(".maps");

static __always_inline _Bool fw_limit_takes(const struct fw_entry *entry)
{
	__u64 interval = entry->interval, tolerance = entry->tolerance;
	__u64 now = bpf_ktime_get_ns();
	struct fw_bucket_locked *locked;
	__u32 rule = entry->rule;
	_Bool room;

	locked = bpf_map_lookup_elem(&buckets, &rule);
	if (!locked)
		return 1;
	bpf_spin_lock(&locked->lock);
	room = fw_bucket_take(&locked->bucket, now, interval, tolerance);
	bpf_spin_unlock(&locked->lock);
	return room;
}

static __always_inline __u32 fw_source_hash(const struct fw_source_key *key)
{
	__u32 sum = key->address[0] ^ key->address[1] ^ key->address[2] ^ key->address[3];

	sum = (sum ^ key->rule) * 0x9e3779b1;
	return sum >> 16;
}

static __always_inline _Bool fw_limit_takes_source(const struct fw_entry *entry,
						   const struct ecbpf_packet *packet)
{
	struct fw_source_key key = { .rule = entry->rule, .family = packet->family };
	__u64 interval = entry->interval, tolerance = entry->tolerance;
	struct fw_bucket fresh = {}, *bucket;
	__u64 now = bpf_ktime_get_ns();
	struct fw_lock *lock;
	__u32 index;
	_Bool room;

	key.address[0] = packet->saddr[0];
	if (packet->family == 6) {
		key.address[1] = packet->saddr[1];
		key.address[2] = packet->saddr[2];
		key.address[3] = packet->saddr[3];
	}
	bucket = bpf_map_lookup_elem(&sources, &key);
	if (!bucket) {
		bpf_map_update_elem(&sources, &key, &fresh, BPF_NOEXIST);
		bucket = bpf_map_lookup_elem(&sources, &key);
	}
	index = fw_source_hash(&key) % FW_SOURCE_LOCKS;
	lock = bpf_map_lookup_elem(&source_locks, &index);
	if (!bucket || !lock)
		return 1;
	bpf_spin_lock(&lock->lock);
	room = fw_bucket_take(bucket, now, interval, tolerance);
	bpf_spin_unlock(&lock->lock);
	return room;
}

#endif
