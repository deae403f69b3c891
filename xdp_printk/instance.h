/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The program in its slot. */
#ifndef XDP_PRINTK_INSTANCE_H
#define XDP_PRINTK_INSTANCE_H

#include <ecbpf/tool.h>

/* @rate: lines in a second and CPU. Each: 0 or a negative errno, having said why. */
int printk_attach(struct ecbpf_root *root, uint32_t rate);
int printk_detach(struct ecbpf_root *root);

/* Add to @array, or print where that is NULL. */
int printk_status(struct ecbpf_root *root, struct json_object *array);

#endif
