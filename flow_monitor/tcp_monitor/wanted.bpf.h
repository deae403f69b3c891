/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which flows --filter, --netns, --min-bytes and --min-duration leave. */
#ifndef TCP_MONITOR_WANTED_BPF_H
#define TCP_MONITOR_WANTED_BPF_H

#include "socket.bpf.h"

/* A control group has no more ancestors than that which are looked at. */
#define CGROUP_DEPTH 64

/* Of the root of control groups, version 2. */
#define CGROUP_ROOT_ID 1

const volatile struct monitor_config config = {};
const volatile __u64 ports[MONITOR_PORT_WORDS] = {};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct monitor_prefix);
	__type(value, __u8);
} addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u64);
	__type(value, __u8);
} cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u8);
} namespaces SEC(".maps");

static __always_inline bool address_is_listed(const __u8 *address, __u8 family)
{
	struct monitor_prefix key = {
		.length = MONITOR_PREFIX_FAMILY_BITS + (family == 4 ? 32 : 128),
		.family = family,
	};

	__builtin_memcpy(key.address, address, sizeof(key.address));
	return bpf_map_lookup_elem(&addresses, &key);
}

static __always_inline bool port_is_listed(__u16 port)
{
	return ports[port >> 6 & (MONITOR_PORT_WORDS - 1)] >> (port & 63) & 1;
}

static __always_inline struct cgroup *cgroup_of(struct sock *sk)
{
	struct sock_cgroup_data___until_5_14 *old = (void *)&sk->sk_cgrp_data;
	__u64 value;

	if (!bpf_core_field_exists(old->val))
		return BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
	value = BPF_CORE_READ(old, val);
	/* Either bit says that it is no pointer, and the root is meant. */
	return value & 3 ? NULL : (struct cgroup *)value;
}

static __always_inline __u64 ancestor_id(struct cgroup *group, int level)
{
	struct cgroup___until_6_0 *old = (void *)group;
	struct cgroup *ancestor = NULL;
	__u64 id = 0;

	if (bpf_core_field_exists(old->ancestor_ids)) {
		bpf_probe_read_kernel(&id, sizeof(id), (void *)old->ancestor_ids + level * 8);
		return id;
	}
	bpf_probe_read_kernel(&ancestor, sizeof(ancestor), (void *)group->ancestors + level * 8);
	return BPF_CORE_READ(ancestor, kn, id);
}

static __always_inline bool cgroup_is_listed(struct sock *sk)
{
	struct cgroup *group = cgroup_of(sk);
	__u64 id = CGROUP_ROOT_ID;
	int level, own;

	if (!group)
		return bpf_map_lookup_elem(&cgroups, &id);
	own = BPF_CORE_READ(group, level);
	for (level = 0; level < CGROUP_DEPTH && level <= own; level++) {
		id = ancestor_id(group, level);
		if (bpf_map_lookup_elem(&cgroups, &id))
			return true;
	}
	return false;
}

/* By what doesn't change while a flow goes on. */
static __always_inline bool identity_is_wanted(struct sock *sk, const struct monitor_event *event)
{
	__u32 netns = event->netns;

	if (config.by_netns && !bpf_map_lookup_elem(&namespaces, &netns))
		return false;
	if (config.by_port && !port_is_listed(event->local_port) &&
	    !port_is_listed(event->remote_port))
		return false;
	if (config.by_address && !address_is_listed(event->local, event->family) &&
	    !address_is_listed(event->remote, event->family))
		return false;
	return !config.by_cgroup || cgroup_is_listed(sk);
}

static __always_inline bool flow_is_wanted(struct sock *sk, const struct monitor_event *event)
{
	if (event->sent + event->received < config.min_bytes)
		return false;
	if (event->now - event->start < config.min_duration)
		return false;
	return identity_is_wanted(sk, event);
}

#endif
