/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Active flows, by the addresses of their sockets.
 *
 * A key may be in any slot of two buckets, of a cache line each; it goes where fewer are taken, which
 * leaves room for it as long as half of all slots are free. Whoever changes a slot's key from 0 to
 * MONITOR_TAKEN has the slot, fills in what is noted in it, and gives it its key; whoever changes it
 * from that to 0 has ended the flow. No lock is taken, and nothing is moved.
 */
#ifndef TCP_MONITOR_TABLE_BPF_H
#define TCP_MONITOR_TABLE_BPF_H

#include "wanted.bpf.h"

#define EEXIST 17
#define E2BIG  7

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct monitor_bucket);
} buckets SEC(".maps");

/* By slot: what is noted of a flow. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MONITOR_WAYS);
	__type(key, __u32);
	__type(value, struct monitor_event);
} flows SEC(".maps");

/* Slots in use, where that is limited: CPUs would wait for each other's counts of a large table. */
__s64 slots_used = 0;

/* False: there are as many as there may be. */
static __always_inline bool slot_is_allowed(void)
{
	if (!config.max_slots)
		return true;
	__sync_fetch_and_add(&slots_used, 1);
	if (slots_used <= config.max_slots)
		return true;
	__sync_fetch_and_add(&slots_used, -1);
	return false;
}

static __always_inline void slot_is_free(void)
{
	if (config.max_slots)
		__sync_fetch_and_add(&slots_used, -1);
}

#ifdef MONITOR_WITHOUT_CMPXCHG
static __always_inline __u64 key_of_socket(struct sock *sk)
{
	__u64 key;

	bpf_probe_read_kernel(&key, sizeof(key), &sk);
	return key;
}

/* Changes of keys that are going on: of a slot that is free, and of one that isn't. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u8);
} locks SEC(".maps");

#define LOCK_TRIES 8

static __always_inline bool change_key(volatile __u64 *at, __u32 slot, __u64 old, __u64 new)
{
	__u32 lock = 2 * slot + !!old;
	bool changed = false, locked = false;
	__u8 one = 1;
	int i;

	for (i = 0; i < LOCK_TRIES && !locked; i++)
		locked = !bpf_map_update_elem(&locks, &lock, &one, BPF_NOEXIST);
	/* Another free slot does as well, but it may be that nobody else removes a key. */
	if (locked || old)
		changed = *at == old;
	if (changed)
		*at = new;
	if (locked)
		bpf_map_delete_elem(&locks, &lock);
	return changed;
}

static __always_inline void store_key(volatile __u64 *at, __u64 key)
{
	*at = key;
}
#else
/* These take Linux 5.12. */
__noinline __u64 load_word(const __u64 *word)
{
	return word ? *word : 0;
}

/* A number for the verifier, which would refuse to see pointers multiplied. */
static __always_inline __u64 key_of_socket(struct sock *sk)
{
	return load_word((__u64 *)&sk);
}

static __always_inline bool change_key(volatile __u64 *at, __u32 slot, __u64 old, __u64 new)
{
	(void)slot;
	return __sync_val_compare_and_swap(at, old, new) == old;
}

/* In the place of MONITOR_TAKEN, after all that was stored before. */
static __always_inline void store_key(volatile __u64 *at, __u64 key)
{
	__sync_lock_test_and_set(at, key);
}
#endif

/* Of the two that @key may be in: multiplied by one odd number or another, its bits are spread. */
static __always_inline __u32 bucket_of(__u64 key, bool other)
{
	__u64 spread = key * (other ? 0xc2b2ae3d27d4eb4f : 0x9e3779b97f4a7c15) >> 32;

	return spread * config.buckets >> 32;
}

static __always_inline volatile __u64 *keys_of(__u32 bucket)
{
	struct monitor_bucket *found = bpf_map_lookup_elem(&buckets, &bucket);

	return found ? found->keys : NULL;
}

static __always_inline volatile __u64 *key_at(__u32 slot)
{
	volatile __u64 *keys = keys_of(slot / MONITOR_WAYS);

	return keys ? &keys[slot % MONITOR_WAYS] : NULL;
}

static __always_inline struct monitor_event *flow_at(__u32 slot)
{
	return bpf_map_lookup_elem(&flows, &slot);
}

static __always_inline int find_in_bucket(__u64 key, __u32 bucket)
{
	volatile __u64 *keys = keys_of(bucket);
	__u32 i;

	if (!keys)
		return -1;
	for (i = 0; i < MONITOR_WAYS; i++)
		if (keys[i] == key)
			return bucket * MONITOR_WAYS + i;
	return -1;
}

/* The slot of @key; negative: none. */
__noinline int flow_slot(__u64 key)
{
	int slot = find_in_bucket(key, bucket_of(key, false));

	return slot >= 0 ? slot : find_in_bucket(key, bucket_of(key, true));
}

/* NULL: nothing is noted. */
static __always_inline struct monitor_event *flow_find(__u64 key)
{
	int slot = flow_slot(key);

	return slot < 0 ? NULL : flow_at(slot);
}

/* False: somebody else did so before. */
static __always_inline bool flow_remove_at(int slot, __u64 key)
{
	volatile __u64 *at = slot < 0 ? NULL : key_at(slot);

	if (!at || !change_key(at, slot, key, 0))
		return false;
	slot_is_free();
	return true;
}

static __always_inline bool flow_remove(__u64 key)
{
	return flow_remove_at(flow_slot(key), key);
}

static __always_inline int take_in_bucket(__u32 bucket)
{
	volatile __u64 *keys = keys_of(bucket);
	__u32 i, slot;

	if (!keys)
		return -E2BIG;
	for (i = 0; i < MONITOR_WAYS; i++) {
		slot = bucket * MONITOR_WAYS + i;
		if (!keys[i] && change_key(&keys[i], slot, 0, MONITOR_TAKEN))
			return slot;
	}
	return -E2BIG;
}

/* 0 or 1, without a branch, of which the verifier would follow all combinations. */
static __always_inline int is_used(__u64 key)
{
	asm volatile("" : "+r"(key));
	return (key | -key) >> 63;
}

/* A slot for @key, which is to be filled in; -EEXIST, -E2BIG. */
__noinline int flow_take(__u64 key)
{
	__u32 first = bucket_of(key, false), second = bucket_of(key, true), i;
	volatile __u64 *left = keys_of(first), *right = keys_of(second);
	int balance = 0, slot;

	if (!left || !right)
		return -E2BIG;
	for (i = 0; i < MONITOR_WAYS; i++) {
		__u64 one = left[i], other = right[i];

		if (one == key || other == key)
			return -EEXIST;
		balance += is_used(one) - is_used(other);
	}
	if (!slot_is_allowed())
		return -E2BIG;
	slot = take_in_bucket(balance > 0 ? second : first);
	if (slot < 0)
		slot = take_in_bucket(balance > 0 ? first : second);
	if (slot < 0)
		slot_is_free();
	return slot;
}

/* What is noted in a slot that was taken is found from now on. */
static __always_inline void flow_give(int slot, __u64 key)
{
	volatile __u64 *at = key_at(slot);

	if (at)
		store_key(at, key);
}

/* Whether more than one slot has @key. */
__noinline int flow_is_twice(__u64 key)
{
	__u32 first = bucket_of(key, false), second = bucket_of(key, true), i;
	volatile __u64 *left = keys_of(first), *right = keys_of(second);
	int count = 0;

	if (!left || !right)
		return 0;
	for (i = 0; i < MONITOR_WAYS; i++) {
		count += 1 - is_used(left[i] ^ key);
		if (first != second)
			count += 1 - is_used(right[i] ^ key);
	}
	return count > 1;
}

/*
 * Notes @flow, which another CPU may come upon just now; its slot, -EEXIST, -E2BIG. It may be that
 * neither notes it.
 */
static __always_inline int flow_add(__u64 key, const struct monitor_event *flow)
{
	int slot = flow_take(key);
	struct monitor_event *noted = slot < 0 ? NULL : flow_at(slot);

	if (!noted)
		return slot;
	*noted = *flow;
	flow_give(slot, key);
	if (flow_is_twice(key) && flow_remove_at(slot, key))
		return -EEXIST;
	return slot;
}

#endif
