// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The tool's modes, for several interfaces at once. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>

static int open_all(struct ecbpf_strings *interfaces, bool stage, struct ecbpf_root ***out)
{
	struct ecbpf_root **roots = calloc(interfaces->count, sizeof(*roots));
	size_t i;
	int err = 0;

	if (!roots)
		return -ENOMEM;
	/* Locks are taken in the order of names, so that two loaders can't wait for each other. */
	ecbpf_strings_sort(interfaces);
	for (i = 0; i < interfaces->count && !err; i++)
		err = ecbpf_root_open(interfaces->items[i], stage ? ECBPF_STAGED : ECBPF_LIVE,
				      &roots[i]);
	if (err) {
		while (i--)
			ecbpf_root_close(roots[i]);
		free(roots);
		return err;
	}
	*out = roots;
	return 0;
}

static void close_all(struct ecbpf_root **roots, size_t count)
{
	while (count--)
		ecbpf_root_close(roots[count]);
	free(roots);
}

/**
 * struct added - samplers that a reader attached for itself
 * @programs: their ids; what was attached or changed since has another
 */
struct added {
	struct ecbpf_strings names;
	uint32_t programs[SAMPLER_INTERFACES_MAX];
};

static int note_added(struct ecbpf_root *root, struct added *added)
{
	added->programs[added->names.count] = ecbpf_slot_program_id(root, ECBPF_SLOT_SAMPLER);
	return ecbpf_strings_add(&added->names, ecbpf_root_interface(root));
}

/*
 * Attach where no sampler is; all or none. The others' names go to @others, where the change can be
 * made that comes later.
 */
static int attach_missing(struct ecbpf_strings *interfaces, const struct sampler_options *options,
			  struct added *added, struct ecbpf_strings *others)
{
	bool there[SAMPLER_INTERFACES_MAX];
	struct ecbpf_root **roots;
	size_t i, done;
	int err;

	err = open_all(interfaces, false, &roots);
	if (err)
		return err;
	for (i = 0; i < interfaces->count && !err; i++) {
		there[i] = ecbpf_slot_program_id(roots[i], ECBPF_SLOT_SAMPLER);
		if (there[i])
			err = sampler_instance_check(roots[i], options) ?:
				      ecbpf_strings_add(others, interfaces->items[i]);
	}
	for (done = 0; done < interfaces->count && !err; done += !err)
		if (!there[done])
			err = sampler_instance_attach(roots[done], options) ?:
				      note_added(roots[done], added);
	for (i = 0; err && i < done; i++)
		if (!there[i])
			sampler_instance_detach(roots[i]);
	if (err)
		ecbpf_strings_free(&added->names);
	close_all(roots, interfaces->count);
	return err;
}

/* Attach, or change what is there. */
int control_attach(struct ecbpf_strings *interfaces, const struct sampler_options *options)
{
	struct ecbpf_root **roots;
	size_t i, done;
	int err;

	err = open_all(interfaces, options->stage, &roots);
	if (err)
		return err;
	for (done = 0; done < interfaces->count && !err; done += !err)
		err = sampler_instance_attach(roots[done], options);
	for (i = 0; err && i < done; i++)
		ecbpf_log(ECBPF_LOG_ERROR, "%s: was changed before the failure",
			  interfaces->items[i]);
	close_all(roots, interfaces->count);
	return err;
}

static int no_sampler(const char *interface)
{
	return ecbpf_fail(-ENOENT, "%s: no sampler in slot %d; nothing to detach", interface,
			  ECBPF_SLOT_SAMPLER);
}

int control_detach(struct ecbpf_strings *interfaces, bool stage)
{
	return ecbpf_roots_each(interfaces, &(struct ecbpf_roots_work){
						    .which = stage ? ECBPF_STAGED : ECBPF_LIVE,
						    .done = "detached",
						    .work = sampler_instance_detach,
						    .absent = no_sampler,
					    });
}

/* Whether there is a root array: why not was said. */
static bool is_attached(const char *interface)
{
	struct ecbpf_status status;

	return if_nametoindex(interface) && !ecbpf_status_read(interface, &status) &&
	       status.attachment == ECBPF_ATTACHED;
}

/* Take away those of our own, as far as they are still there. */
static int detach_added(const struct added *added)
{
	struct ecbpf_root *root;
	int err, result = 0;
	size_t i;

	for (i = 0; i < added->names.count; i++) {
		if (!is_attached(added->names.items[i]))
			continue;
		err = ecbpf_root_open(added->names.items[i], ECBPF_LIVE, &root);
		if (!err) {
			if (ecbpf_slot_program_id(root, ECBPF_SLOT_SAMPLER) == added->programs[i])
				err = sampler_instance_detach(root);
			ecbpf_root_close(root);
		}
		result = result ?: err;
	}
	return result;
}

static bool changes_anything(const struct sampler_options *options)
{
	return options->rate || options->snaplen || options->ring || options->random >= 0 ||
	       options->as_sent >= 0 || options->filter;
}

/* Whoever is refused has changed nothing: so what is running changes last. */
static int read_samples(const struct ecbpf_strings *interfaces, struct ecbpf_strings *changing,
			const struct sampler_options *options,
			const struct outputs_options *outputs, const struct reader_wishes *wishes)
{
	const struct sampler_interface *sampled;
	struct sampler_reader_handle *reader;
	struct sample_sink *sinks[SAMPLER_OUTPUT_MAX];
	size_t count, open = 0;
	int err;

	err = reader_open(interfaces, &reader);
	if (err)
		return err;
	sampled = reader_interfaces(reader, &count);
	err = outputs_open(outputs, sampled, count, sinks, &open);
	if (!err && changes_anything(options) && changing->count)
		err = control_attach(changing, options);
	if (!err)
		err = reader_follow(reader);
	if (!err)
		err = reader_run(reader, wishes, sinks, open);
	else
		while (open--)
			sinks[open]->calls->close(sinks[open]);
	reader_close(reader);
	return err;
}

int control_read(struct ecbpf_strings *interfaces, const struct sampler_options *options,
		 const struct outputs_options *outputs)
{
	struct reader_wishes wishes;
	struct ecbpf_strings others = { 0 };
	struct added added = { 0 };
	int err, detached = 0;

	if (interfaces->count > SAMPLER_INTERFACES_MAX)
		return ecbpf_fail(-EINVAL, "%zu interfaces: one process samples at most %d",
				  interfaces->count, SAMPLER_INTERFACES_MAX);
	err = outputs_check(outputs) ?: outputs_wishes(outputs, &wishes);
	if (err)
		return err;
	/* From here on, an interrupt still leads past the detachment below. */
	ecbpf_interrupt_catch();
	err = attach_missing(interfaces, options, &added, &others);
	if (!err)
		err = read_samples(interfaces, &others, options, outputs, &wishes);
	detached = detach_added(&added);
	ecbpf_strings_free(&added.names);
	ecbpf_strings_free(&others);
	return err ?: detached;
}
