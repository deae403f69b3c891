/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What runs on an interface, and putting something else in its place. */
#ifndef XDP_FW_INSTANCE_H
#define XDP_FW_INSTANCE_H

#include <ecbpf/tool.h>

#include "compile.h"
#include "map_view.h"

/**
 * struct fw_instance - a look at a running ruleset; its maps stay open whatever replaces it
 * @log_ring, @log_control: descriptors
 */
struct fw_instance {
	struct fw_settings settings;
	struct map_view listing;
	struct map_view names;
	struct map_view texts;
	struct map_view hits_base;
	int hits;
	int log_ring;
	int log_control;
};

/**
 * fw_instance_open() - look at what runs in @root's slot
 * @writable: hits_base can be written
 *
 * Return, saying nothing: -ENOENT: no firewall there; -ESTALE: @root was opened without the lock,
 * and is gone.
 */
int fw_instance_open(struct ecbpf_root *root, bool writable, struct fw_instance *instance);
void fw_instance_close(struct fw_instance *instance);

/* The same without a lock, for what is on @interface. */
int fw_instance_look(const char *interface, enum ecbpf_which which, struct fw_instance *instance);

/* "": none. */
const char *fw_instance_name(const struct fw_instance *instance, uint32_t rule);
/* Not terminated. */
const char *fw_instance_text(const struct fw_instance *instance, uint32_t rule, size_t *length);
enum fw_action fw_instance_action(const struct fw_instance *instance, uint32_t rule);

/* Packets since the rule was first loaded, or its counts reset. */
int fw_instance_hits(const struct fw_instance *instance, uint32_t rule, struct fw_hits *hits);

/* Set all counts to zero; it was opened to be written. */
int fw_instance_reset(struct fw_instance *instance);

/* Seconds until the rules stop to match, rounded up; 0: they did. Only with an expiry. */
uint64_t fw_instance_remaining(const struct fw_instance *instance);

struct xdp_fw_bpf;

/* A program with its maps, filled, in no slot yet. */
struct fw_loaded {
	struct xdp_fw_bpf *skeleton;
	struct map_view base;
};

/**
 * fw_instance_load() - make ready what fw_instance_swap() puts into @root's slot, atomically
 * @before: what it replaces, whose counts go on for rules of the same name and text; or NULL
 */
int fw_instance_load(struct ecbpf_root *root, const struct fw_ruleset *ruleset,
		     const struct fw_compiled *compiled, const struct fw_instance *before,
		     struct fw_loaded *loaded);
int fw_instance_swap(struct ecbpf_root *root, const struct fw_ruleset *ruleset,
		     const struct fw_instance *before, struct fw_loaded *loaded);
/* A zero-initialised one too. */
void fw_loaded_free(struct fw_loaded *loaded);

/* Both, one after the other. */
int fw_instance_install(struct ecbpf_root *root, const struct fw_ruleset *ruleset,
			const struct fw_compiled *compiled, const struct fw_instance *before);

#endif
