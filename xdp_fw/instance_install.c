// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "instance.h"
#include "program.h"
#include "xdp_fw.skel.h"

/* A rule of the old or the new ruleset. */
struct line {
	const char *name;
	const char *text;
	size_t length;
	uint32_t rule;
};

static int failed(const struct ecbpf_root *root, int err, const char *what)
{
	const char *missing = "", *before = "";

	if (err == -EPERM || err == -EACCES) {
		missing = ecbpf_capabilities_missing();
		before = *missing ? "; missing: " : "";
	}
	return ecbpf_fail(err, "%s: %s: %s%s%s; nothing changed", ecbpf_root_interface(root), what,
			  strerror(-err), before, missing);
}

/* By name, then by text. */
static int compare_content(const struct line *left, const struct line *right)
{
	size_t length = left->length < right->length ? left->length : right->length;
	int order = strcmp(left->name, right->name);

	if (!order)
		order = memcmp(left->text, right->text, length);
	return order ? order : (left->length > right->length) - (left->length < right->length);
}

/* Equal ones in the order in which they stand. */
static int compare_lines(const void *left, const void *right)
{
	const struct line *a = left, *b = right;
	int order = compare_content(a, b);

	return order ? order : (a->rule > b->rule) - (a->rule < b->rule);
}

static struct line *lines_of_instance(const struct fw_instance *instance)
{
	struct line *lines = calloc(instance->settings.rules + 1, sizeof(*lines));
	uint32_t i;

	for (i = 0; lines && i < instance->settings.rules; i++) {
		lines[i].name = fw_instance_name(instance, i);
		lines[i].text = fw_instance_text(instance, i, &lines[i].length);
		lines[i].rule = i;
	}
	if (lines)
		qsort(lines, instance->settings.rules, sizeof(*lines), compare_lines);
	return lines;
}

static struct line *lines_of_ruleset(const struct fw_ruleset *ruleset)
{
	struct line *lines = calloc(ruleset->count + 1, sizeof(*lines));
	uint32_t i;

	for (i = 0; lines && i < ruleset->count; i++) {
		lines[i].name = ruleset->rules[i].name ?: "";
		lines[i].text = ruleset->rules[i].text;
		lines[i].length = strlen(lines[i].text);
		lines[i].rule = i;
	}
	if (lines)
		qsort(lines, ruleset->count, sizeof(*lines), compare_lines);
	return lines;
}

/* Of what readers may see meanwhile, no half. */
static void set_hits(struct fw_hits *hits, const struct fw_hits *value)
{
	__atomic_store_n(&hits->matched, value->matched, __ATOMIC_RELAXED);
	__atomic_store_n(&hits->dropped, value->dropped, __ATOMIC_RELAXED);
}

/*
 * Counts go on where the same rule stands in both. They are set and not added up: done once more,
 * it brings what was counted since.
 */
static int carry_hits(const struct fw_ruleset *ruleset, const struct fw_instance *before,
		      struct fw_hits *base)
{
	struct line *old = lines_of_instance(before), *new = lines_of_ruleset(ruleset);
	size_t i = 0, j = 0;
	struct fw_hits hits;
	int order, err = old && new ? 0 : -ENOMEM;

	while (!err && i < before->settings.rules && j < ruleset->count) {
		order = compare_content(&old[i], &new[j]);
		if (!order)
			err = fw_instance_hits(before, old[i].rule, &hits);
		if (!order && !err)
			set_hits(&base[new[j].rule], &hits);
		i += order <= 0;
		j += order >= 0;
	}
	free(old);
	free(new);
	return err;
}

static int load(struct ecbpf_root *root, struct xdp_fw_bpf *skeleton,
		const struct fw_ruleset *ruleset, const struct fw_compiled *compiled,
		const struct fw_instance *before)
{
	int err;

	err = ecbpf_subprogram_prepare(root, skeleton->obj);
	if (err)
		return err;
	err = fw_program_prepare(skeleton, ruleset, compiled);
	if (!err && before)
		err = bpf_map__reuse_fd(skeleton->maps.log_ring, before->log_ring) ?:
			      bpf_map__reuse_fd(skeleton->maps.log_control, before->log_control);
	if (err)
		return failed(root, err, "sizing the firewall's maps");
	err = xdp_fw_bpf__load(skeleton);
	if (err)
		return failed(root, err, "loading xdp_fw_prog");
	err = fw_program_fill(skeleton, ruleset, compiled);
	return err ? failed(root, err, "filling the firewall's maps") : 0;
}

int fw_instance_load(struct ecbpf_root *root, const struct fw_ruleset *ruleset,
		     const struct fw_compiled *compiled, const struct fw_instance *before,
		     struct fw_loaded *loaded)
{
	int err;

	*loaded = (struct fw_loaded){ .skeleton = xdp_fw_bpf__open() };
	if (!loaded->skeleton)
		return failed(root, -errno, "opening xdp_fw_prog");
	err = load(root, loaded->skeleton, ruleset, compiled, before);
	if (!err) {
		err = map_view_open(bpf_map__fd(loaded->skeleton->maps.hits_base), true,
				    &loaded->base);
		if (err)
			failed(root, err, "mapping the counters");
	}
	if (err)
		fw_loaded_free(loaded);
	return err;
}

int fw_instance_swap(struct ecbpf_root *root, const struct fw_ruleset *ruleset,
		     const struct fw_instance *before, struct fw_loaded *loaded)
{
	int err = before ? carry_hits(ruleset, before, loaded->base.data) : 0;

	if (err)
		return failed(root, err, "taking over the counts");
	err = ecbpf_slot_replace(root, ECBPF_SLOT_FIREWALL, loaded->skeleton->obj,
				 loaded->skeleton->progs.xdp_fw_prog);
	if (!err && before && carry_hits(ruleset, before, loaded->base.data))
		ecbpf_log(ECBPF_LOG_WARNING,
			  "%s: the new rules are live, but lack what was counted while they came",
			  ecbpf_root_interface(root));
	return err;
}

void fw_loaded_free(struct fw_loaded *loaded)
{
	map_view_close(&loaded->base);
	xdp_fw_bpf__destroy(loaded->skeleton);
	*loaded = (struct fw_loaded){};
}

int fw_instance_install(struct ecbpf_root *root, const struct fw_ruleset *ruleset,
			const struct fw_compiled *compiled, const struct fw_instance *before)
{
	struct fw_loaded loaded;
	int err = fw_instance_load(root, ruleset, compiled, before, &loaded);

	if (err)
		return err;
	err = fw_instance_swap(root, ruleset, before, &loaded);
	fw_loaded_free(&loaded);
	return err;
}
