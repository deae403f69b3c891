// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile.h"
#include "instance.h"
#include "rules_text.h"

/* Fewer prefixes than this are compiled before a bar could be drawn. */
#define PROGRESS_PREFIXES 100000

/* One interface under its lock; @before: what runs there, if @running. */
struct target {
	struct ecbpf_root *root;
	bool running;
	struct fw_instance before;
	struct fw_loaded loaded;
};

static int no_firewall(const char *interface)
{
	return ecbpf_fail(
		-ENOENT,
		"%s: no firewall in slot %d; run 'xdp_fw --attach --rules FILE --interface %s'",
		interface, ECBPF_SLOT_FIREWALL, interface);
}

/* How far the tables of prefixes are; they refer to it until they are filled in. */
struct bar {
	struct ecbpf_progress progress;
	struct table_progress report;
};

static void report_percent(void *context, unsigned int percent)
{
	ecbpf_progress_update(context, percent);
}

static int compile(const char *name, const struct fw_ruleset *ruleset, struct bar *bar,
		   struct fw_compiled *compiled)
{
	size_t i, prefixes = 0;

	*bar = (struct bar){ .report = { report_percent, &bar->progress } };
	for (i = 0; i < ruleset->set_count; i++)
		prefixes += ruleset->sets[i].count;
	if (prefixes < PROGRESS_PREFIXES)
		return fw_compile(ruleset, NULL, compiled);
	ecbpf_progress_begin(&bar->progress, name, 100);
	return fw_compile(ruleset, &bar->report, compiled);
}

static const char *name_of(const char *path)
{
	return strcmp(path, "-") ? path : "stdin";
}

/* The caller ends the bar. */
static int read_rules(const char *path, struct fw_ruleset *ruleset, struct bar *bar,
		      struct fw_compiled *compiled)
{
	int err = fw_rules_read(path, stderr, ruleset);

	if (err)
		return err;
	err = compile(name_of(path), ruleset, bar, compiled);
	if (err)
		ecbpf_progress_end(&bar->progress);
	if (err == -ENOMEM)
		ecbpf_fail(err, "%s: compiling the rules: %s", name_of(path), strerror(-err));
	if (err)
		fw_ruleset_free(ruleset);
	return err;
}

static int target_open(struct target *target, const char *interface, const struct fw_change *change)
{
	int err;

	err = ecbpf_root_open(interface, change->stage ? ECBPF_STAGED : ECBPF_LIVE, &target->root);
	if (err)
		return err;
	err = fw_instance_open(target->root, false, &target->before);
	target->running = !err;
	if (err == -ENOENT)
		return change->update ? no_firewall(interface) : 0;
	return err ? ecbpf_fail(err, "%s: reading the firewall that runs: %s; nothing changed",
				interface, strerror(-err)) :
		     0;
}

static int target_load(struct target *target, const struct fw_ruleset *ruleset,
		       const struct fw_compiled *compiled)
{
	return fw_instance_load(target->root, ruleset, compiled,
				target->running ? &target->before : NULL, &target->loaded);
}

static int target_swap(struct target *target, const struct fw_ruleset *ruleset)
{
	return fw_instance_swap(target->root, ruleset, target->running ? &target->before : NULL,
				&target->loaded);
}

static void target_close(struct target *target)
{
	fw_loaded_free(&target->loaded);
	if (target->running)
		fw_instance_close(&target->before);
	ecbpf_root_close(target->root);
}

/* After a failure: what is new goes, and what was replaced is named. */
static void target_undo(const struct target *target, const char *interface)
{
	if (target->running)
		ecbpf_log(ECBPF_LOG_ERROR, "%s: has the new rules since before the failure",
			  interface);
	else
		ecbpf_slot_clear(target->root, ECBPF_SLOT_FIREWALL);
}

/*
 * What can fail fails before the first interface changes. Locks are taken in the order of names, so
 * that two loaders can't wait for each other.
 */
static int install_all(struct ecbpf_strings *interfaces, const struct fw_change *change,
		       const struct fw_ruleset *ruleset, const struct fw_compiled *compiled,
		       struct bar *bar)
{
	struct target *targets = calloc(interfaces->count, sizeof(*targets));
	size_t i, opened, done = 0;
	int err = 0;

	if (!targets)
		return -ENOMEM;
	ecbpf_strings_sort(interfaces);
	for (opened = 0; opened < interfaces->count && !err; opened++)
		err = target_open(&targets[opened], interfaces->items[opened], change);
	for (i = 0; i < interfaces->count && !err; i++)
		err = target_load(&targets[i], ruleset, compiled);
	/* What is said from here on has a line of its own. */
	ecbpf_progress_end(&bar->progress);
	for (; done < interfaces->count && !err; done += !err)
		err = target_swap(&targets[done], ruleset);
	for (i = 0; err && i < done; i++)
		target_undo(&targets[i], interfaces->items[i]);
	for (i = 0; i < opened; i++)
		target_close(&targets[i]);
	free(targets);
	return err;
}

int fw_change_install(struct ecbpf_strings *interfaces, const struct fw_change *change)
{
	struct fw_compiled compiled;
	struct fw_ruleset ruleset;
	struct bar bar;
	int err;

	err = read_rules(change->rules, &ruleset, &bar, &compiled);
	if (err)
		return err;
	compiled.settings.dry_run = change->dry_run;
	if (change->expires)
		compiled.settings.expires = ecbpf_clock(CLOCK_BOOTTIME) + change->expires;
	err = install_all(interfaces, change, &ruleset, &compiled, &bar);
	ecbpf_progress_end(&bar.progress);
	fw_compiled_free(&compiled);
	fw_ruleset_free(&ruleset);
	return err;
}

int fw_change_validate(const char *rules)
{
	struct fw_compiled compiled;
	struct fw_ruleset ruleset;
	struct bar bar;
	int err = read_rules(rules, &ruleset, &bar, &compiled);

	if (err)
		return err;
	ecbpf_progress_end(&bar.progress);
	printf("%s: %zu rules, %zu sets, %zu tests\n", name_of(rules), ruleset.count,
	       ruleset.set_count, ruleset.test_count);
	fw_compiled_free(&compiled);
	fw_ruleset_free(&ruleset);
	return 0;
}

static int detach(struct ecbpf_root *root)
{
	return ecbpf_slot_clear(root, ECBPF_SLOT_FIREWALL);
}

static int nothing_to_detach(const char *interface)
{
	return ecbpf_fail(-ENOENT, "%s: no firewall in slot %d; nothing to detach", interface,
			  ECBPF_SLOT_FIREWALL);
}

static int reset(struct ecbpf_root *root)
{
	struct fw_instance instance;
	int err = fw_instance_open(root, true, &instance);

	if (err)
		return err;
	err = fw_instance_reset(&instance);
	fw_instance_close(&instance);
	return err ? ecbpf_fail(err, "%s: resetting the counts failed: %s",
				ecbpf_root_interface(root), strerror(-err)) :
		     0;
}

int fw_change_detach(const struct ecbpf_strings *interfaces, bool stage)
{
	return ecbpf_roots_each(interfaces, &(struct ecbpf_roots_work){
						    .which = stage ? ECBPF_STAGED : ECBPF_LIVE,
						    .done = "detached",
						    .work = detach,
						    .absent = nothing_to_detach,
					    });
}

int fw_change_reset(const struct ecbpf_strings *interfaces)
{
	return ecbpf_roots_each(interfaces, &(struct ecbpf_roots_work){
						    .which = ECBPF_LIVE,
						    .done = "reset",
						    .work = reset,
						    .absent = no_firewall,
					    });
}
