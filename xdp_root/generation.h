/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Root programs, loaded for an interface. */
#ifndef XDP_ROOT_GENERATION_H
#define XDP_ROOT_GENERATION_H

#include "attach.h"

/*
 * Octets of MTU that fit a frame into one page, as veth and virtio_net compute it: 4 096 less
 * 256 of headroom, 320 of struct skb_shared_info and 14 of Ethernet header.
 */
#define ROOT_LINEAR_MTU 3506

/**
 * root_want_frags() - whether to load for multi-buffer frames
 *
 * Return: 0 or 1; -EOPNOTSUPP: asked for, but the kernel can't.
 */
int root_want_frags(const char *interface, const struct root_options *options);

/* Say what frames in several buffers cost, and why they are handled if nobody asked for it. */
void root_tell_frags(const char *interface, const struct root_options *options);

/* Load a root program and pin it as a generation of its own that isn't live yet. */
int root_generation_new(struct ecbpf_interface *interface, bool frags, struct ecbpf_root **root);

/* Load a root program over the maps of @root and swap it in. */
int root_generation_refresh(struct ecbpf_root *root);

int root_nop(struct ecbpf_interface *interface, enum ecbpf_mode mode);

#endif
