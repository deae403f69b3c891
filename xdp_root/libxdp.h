/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Root beside other XDP programs, behind libxdp's dispatcher. */
#ifndef XDP_ROOT_LIBXDP_H
#define XDP_ROOT_LIBXDP_H

#include "attach.h"

/**
 * root_libxdp_attach() - have the dispatcher call a root program over @root's maps
 *
 * An older one of ours leaves the dispatcher after the new one joined, so that no packet passes
 * unfiltered (some pass both). Return: -EOPNOTSUPP: the kernel has no freplace for XDP, or this
 * build no libxdp.
 */
int root_libxdp_attach(struct ecbpf_interface *interface, struct ecbpf_root *root);

/* Take it off the dispatcher; others stay. */
int root_libxdp_detach(struct ecbpf_interface *interface);

#endif
