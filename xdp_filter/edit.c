// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What changes a filter. */
#include "edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "list_file.h"

/* Shorter lists are loaded before a bar could be drawn. */
#define PROGRESS_ENTRIES 100000

/* @list: what the command line or the file named, in the order given. */
struct request {
	const struct filter_edit *edit;
	struct filter_list list;
};

/* One interface under its lock. */
struct target {
	struct ecbpf_root *root;
	struct filter_instance instance;
};

static const char *tag_of(const struct filter_edit *edit, size_t index)
{
	if (!edit->tags.count)
		return "";
	return edit->tags.items[edit->tags.count == 1 ? 0 : index];
}

static int request_prefix(struct request *request, size_t index)
{
	const struct filter_edit *edit = request->edit;
	const char *text = edit->prefixes.items[index], *tag = tag_of(edit, index);
	struct filter_item item = { .added = time(NULL) };
	char normalised[PREFIX_TEXT_SIZE];
	bool host_bits;
	int err;

	if (prefix_parse(text, &item.prefix, &host_bits))
		return ecbpf_fail(-EINVAL,
				  "'%s' is no prefix; write 192.0.2.0/24 or 2001:db8::/32; nothing "
				  "changed",
				  text);
	if (host_bits)
		ecbpf_log(ECBPF_LOG_INFO, "%s: taken as %s (host bits cleared)", text,
			  prefix_format(&item.prefix, normalised));
	if (!list_tag_is_valid(tag))
		return ecbpf_fail(
			-EINVAL,
			"tag '%.70s' is longer than %d octets, or has control characters, "
			"blanks around it or a word that begins with '#'",
			tag, FILTER_TAG_MAX - 1);
	item.action = edit->change == FILTER_CHANGE_ALLOW ? FILTER_ALLOW : FILTER_DROP;
	item.expires = edit->expires ? filter_tick_after(edit->expires) : 0;
	err = filter_list_tag(&request->list, tag, &item.tag) ?:
		      filter_list_append(&request->list, &item);
	return err ? ecbpf_fail(err, "%s: %s", text, strerror(-err)) : 0;
}

static int request_read(struct request *request)
{
	const struct filter_edit *edit = request->edit;
	size_t i, duplicates;
	int err = 0;

	if (edit->change == FILTER_CHANGE_LOAD)
		return list_file_read(edit->file,
				      edit->expires ? filter_tick_after(edit->expires) : 0,
				      &request->list);
	if (edit->tags.count > 1 && edit->tags.count != edit->prefixes.count)
		return ecbpf_fail(-EINVAL,
				  "--tags: %zu tags for %zu prefixes; give one, or one for each",
				  edit->tags.count, edit->prefixes.count);
	for (i = 0; i < edit->prefixes.count && !err; i++)
		err = request_prefix(request, i);
	return err ?: filter_list_sort(&request->list, &duplicates);
}

/* A requested item over one of the same prefix: age and hits stay. */
static int update(struct filter_list *list, struct filter_item *there,
		  const struct filter_item *item, const char *tag)
{
	if (there->action != item->action)
		there->added = item->added;
	there->action = item->action;
	there->expires = item->expires;
	return *tag ? filter_list_tag(list, tag, &there->tag) : 0;
}

static int add(struct filter_list *list, struct filter_list *fresh, const struct filter_item *item,
	       const char *tag)
{
	struct filter_item added = *item;

	return filter_list_tag(list, tag, &added.tag) ?: filter_list_append(fresh, &added);
}

static void warn_if_allowed(const struct target *target, const struct filter_item *item)
{
	char text[PREFIX_TEXT_SIZE], shorter[PREFIX_TEXT_SIZE];
	const struct filter_item *cover;

	cover = filter_list_cover(&target->instance.list, &item->prefix, FILTER_ALLOW);
	if (cover)
		ecbpf_log(ECBPF_LOG_WARNING,
			  "%s: %s is inside %s, which is allowed: no effect while that stands",
			  ecbpf_root_interface(target->root), prefix_format(&item->prefix, text),
			  prefix_format(&cover->prefix, shorter));
}

/* @count: entries that were to expire and now aren't, as nothing was said of that. */
static void tell_lasting(const struct target *target, size_t count)
{
	if (count)
		ecbpf_log(ECBPF_LOG_WARNING,
			  "%s: %zu %s to expire and %s not any more; --expires sets that anew",
			  ecbpf_root_interface(target->root), count,
			  count > 1 ? "entries were" : "entry was", count > 1 ? "are" : "is");
}

static int put(struct target *target, const struct request *request, struct filter_list *fresh,
	       const struct filter_item *item)
{
	const char *tag = filter_list_tag_text(&request->list, item->tag);
	struct filter_list *list = &target->instance.list;
	struct filter_item *there = filter_list_find(list, &item->prefix);

	if (item->action == FILTER_DROP)
		warn_if_allowed(target, item);
	tell_lasting(target, there && there->expires && !item->expires);
	return there ? update(list, there, item, tag) : add(list, fresh, item, tag);
}

/* @cover: shorter prefix that drops what the entry was for, or NULL. */
static void tell_removed(const char *interface, const char *text, enum filter_action action,
			 const struct filter_item *cover)
{
	const char *was = action == FILTER_ALLOW ? "was an allow entry, removed" : "removed";
	char shorter[PREFIX_TEXT_SIZE];

	if (cover)
		ecbpf_log(ECBPF_LOG_WARNING,
			  "%s: %s %s; dropped by %s now, which --allow overrides", interface, text,
			  was, prefix_format(&cover->prefix, shorter));
	else if (action == FILTER_ALLOW)
		ecbpf_log(ECBPF_LOG_INFO, "%s: %s %s", interface, text, was);
}

/* Delete the entry, or make a hole in the drop that covers it. */
static int take_out(struct target *target, const struct request *request, struct filter_list *fresh,
		    const struct filter_item *item)
{
	const char *interface = ecbpf_root_interface(target->root);
	struct filter_list *list = &target->instance.list;
	struct filter_item *there = filter_list_find(list, &item->prefix), *cover, hole = *item;
	char text[PREFIX_TEXT_SIZE], shorter[PREFIX_TEXT_SIZE];

	prefix_format(&item->prefix, text);
	cover = filter_list_cover(list, &item->prefix, FILTER_DROP);
	if (there) {
		tell_removed(interface, text, there->action, cover);
		filter_list_remove(list, there);
		return 0;
	}
	there = cover;
	if (!there)
		return ecbpf_fail(-ENOENT,
				  "%s: %s is not listed, nor covered by a dropped prefix; "
				  "'xdp_filter --list' shows what is; nothing changed",
				  interface, text);
	ecbpf_log(ECBPF_LOG_INFO, "%s: %s is inside dropped %s: made an allow entry", interface,
		  text, prefix_format(&there->prefix, shorter));
	hole.action = FILTER_ALLOW;
	return add(list, fresh, &hole, filter_list_tag_text(&request->list, item->tag));
}

static int change_entries(struct target *target, const struct request *request)
{
	struct filter_list *list = &target->instance.list, fresh = {};
	size_t i, duplicates;
	int err = 0;

	for (i = 0; i < request->list.count && !err; i++) {
		const struct filter_item *item = &request->list.items[i];

		err = request->edit->change == FILTER_CHANGE_NO_DROP ?
			      take_out(target, request, &fresh, item) :
			      put(target, request, &fresh, item);
	}
	for (i = 0; i < fresh.count && !err; i++)
		err = filter_list_append(list, &fresh.items[i]);
	filter_list_free(&fresh);
	if (err == -E2BIG)
		return ecbpf_fail(err, "%s: the list is full (%d prefixes); nothing changed",
				  ecbpf_root_interface(target->root), FILTER_ENTRIES_MAX);
	return err ?: filter_list_sort(list, &duplicates);
}

/* The requested list instead of the old one; entries of both keep age and hits. */
static int change_list(struct target *target, const struct request *request)
{
	struct filter_list *list = &target->instance.list, next = {};
	const struct filter_item *there;
	size_t i, lasting = 0;
	int err = 0;

	for (i = 0; i < request->list.count && !err; i++) {
		const struct filter_item *item = &request->list.items[i];
		struct filter_item merged = *item;

		there = filter_list_find(list, &item->prefix);
		lasting += there && there->expires && !item->expires;
		if (there && there->action == item->action) {
			merged.added = there->added;
			merged.id = there->id;
			merged.hits = there->hits;
			merged.cleared = there->cleared;
		}
		err = filter_list_tag(&next, filter_list_tag_text(&request->list, item->tag), &merged.tag) ?:
			      filter_list_append(&next, &merged);
	}
	if (err) {
		filter_list_free(&next);
		return err;
	}
	tell_lasting(target, lasting);
	filter_list_free(list);
	*list = next;
	return 0;
}

static void change_config(struct filter_config *config, const struct filter_edit *edit)
{
	const struct {
		int wanted;
		__u8 *now;
	} switches[] = {
		{ edit->frags_drop, &config->frags_drop },
		{ edit->frags_local_pass, &config->frags_local_pass },
		{ edit->drop_options, &config->drop_options },
		{ edit->truncated_drop, &config->truncated_drop },
	};
	size_t i;

	for (i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		if (switches[i].wanted >= 0)
			*switches[i].now = switches[i].wanted;
	if (edit->ptb_max_pps != UINT64_MAX)
		config->ptb_max_pps = edit->ptb_max_pps;
}

/* What a filter put into a staged generation begins with: the live one's list and settings. */
static int inherit(const char *interface, struct filter_instance *instance)
{
	struct ecbpf_status status;
	struct ecbpf_root *live;
	int err;

	if (ecbpf_status_read(interface, &status) || status.attachment != ECBPF_ATTACHED ||
	    status.abi != ECBPF_ABI || ecbpf_root_open_readonly(interface, ECBPF_LIVE, &live))
		return -ENOENT;
	err = filter_instance_read(live, instance);
	ecbpf_root_close(live);
	if (err)
		return err;
	close(instance->stats_map);
	instance->stats_map = -1;
	return 0;
}

static int target_open(struct target *target, const char *interface, const struct request *request)
{
	const struct filter_edit *edit = request->edit;
	int err;

	filter_instance_init(&target->instance);
	err = ecbpf_root_open(interface, edit->stage ? ECBPF_STAGED : ECBPF_LIVE, &target->root);
	if (err)
		return err;
	err = filter_instance_read(target->root, &target->instance);
	if (err == -ENOENT && edit->change == FILTER_CHANGE_ATTACH) {
		if (!edit->stage || inherit(interface, &target->instance))
			filter_instance_init(&target->instance);
		return 0;
	}
	if (err == -ENOENT && edit->stage)
		return ecbpf_fail(err,
				  "%s: no filter in slot %d of the staged generation; run "
				  "'xdp_filter --attach --stage --interface %s'",
				  interface, ECBPF_SLOT_FILTER, interface);
	return err == -ENOENT ? filter_instance_missing(interface) : err;
}

static int target_change(struct target *target, const struct request *request)
{
	filter_list_expire(&target->instance.list, filter_tick_now());
	switch (request->edit->change) {
	case FILTER_CHANGE_ATTACH:
		change_config(&target->instance.config, request->edit);
		return 0;
	case FILTER_CHANGE_CLEAR:
		filter_list_free(&target->instance.list);
		return 0;
	case FILTER_CHANGE_LOAD:
		if (!request->list.count && target->instance.list.count)
			ecbpf_log(ECBPF_LOG_WARNING,
				  "%s: no prefix in '%s': all %zu of the list are removed",
				  ecbpf_root_interface(target->root), request->edit->file,
				  target->instance.list.count);
		return change_list(target, request);
	default:
		return change_entries(target, request);
	}
}

static int target_install(struct target *target)
{
	struct ecbpf_progress progress;
	int err;

	if (target->instance.list.count < PROGRESS_ENTRIES)
		return filter_instance_install(target->root, &target->instance, NULL);
	ecbpf_progress_begin(&progress, ecbpf_root_interface(target->root), 100);
	err = filter_instance_install(target->root, &target->instance, &progress);
	ecbpf_progress_end(&progress);
	return err;
}

/* Locks are taken in the order of names, so that two loaders can't wait for each other. */
static int edit_all(struct ecbpf_strings *interfaces, const struct request *request)
{
	struct target *targets = calloc(interfaces->count, sizeof(*targets));
	size_t i, opened, done = 0;
	int err = 0;

	if (!targets)
		return -ENOMEM;
	ecbpf_strings_sort(interfaces);
	for (opened = 0; opened < interfaces->count && !err; opened++)
		err = target_open(&targets[opened], interfaces->items[opened], request) ?:
			      target_change(&targets[opened], request);
	for (; done < interfaces->count && !err; done += !err)
		err = target_install(&targets[done]);
	for (i = 0; err && i < done; i++)
		ecbpf_log(ECBPF_LOG_ERROR, "%s: was changed before the failure",
			  interfaces->items[i]);
	for (i = 0; i < opened; i++) {
		filter_instance_free(&targets[i].instance);
		ecbpf_root_close(targets[i].root);
	}
	free(targets);
	return err;
}

int filter_edit(struct ecbpf_strings *interfaces, const struct filter_edit *edit)
{
	struct request request = { .edit = edit };
	int err;

	err = request_read(&request) ?: edit_all(interfaces, &request);
	filter_list_free(&request.list);
	return err;
}

static int detach(struct ecbpf_root *root)
{
	return ecbpf_slot_clear(root, ECBPF_SLOT_FILTER);
}

static int nothing_to_detach(const char *interface)
{
	return ecbpf_fail(-ENOENT, "%s: no filter in slot %d; nothing to detach", interface,
			  ECBPF_SLOT_FILTER);
}

int filter_detach(const struct ecbpf_strings *interfaces, bool stage)
{
	return ecbpf_roots_each(interfaces, &(struct ecbpf_roots_work){
						    .which = stage ? ECBPF_STAGED : ECBPF_LIVE,
						    .done = "detached",
						    .work = detach,
						    .absent = nothing_to_detach,
					    });
}

int filter_clear_status(const struct ecbpf_strings *interfaces)
{
	return ecbpf_roots_each(interfaces, &(struct ecbpf_roots_work){
						    .which = ECBPF_LIVE,
						    .done = "cleared",
						    .work = filter_instance_clear,
						    .absent = filter_instance_missing,
					    });
}
