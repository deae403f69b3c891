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

/* Attach where no sampler is; their names go to @added. All or none. */
static int attach_missing(struct ecbpf_strings *interfaces, const struct sampler_options *options,
			  struct ecbpf_strings *added)
{
	bool there[SAMPLER_INTERFACES_MAX];
	struct ecbpf_root **roots;
	size_t i, done;
	int err;

	err = open_all(interfaces, false, &roots);
	if (err)
		return err;
	for (i = 0; i < interfaces->count; i++)
		there[i] = ecbpf_slot_program_id(roots[i], ECBPF_SLOT_SAMPLER);
	for (done = 0; done < interfaces->count && !err; done += !err)
		if (!there[done])
			err = sampler_instance_attach(roots[done], options) ?:
				      ecbpf_strings_add(added, interfaces->items[done]);
	for (i = 0; err && i < done; i++)
		if (!there[i])
			sampler_instance_detach(roots[i]);
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
	return ecbpf_roots_each(interfaces, stage ? ECBPF_STAGED : ECBPF_LIVE,
				sampler_instance_detach, no_sampler);
}

/* Take away those of our own, as far as they are still there: why not was said. */
static int detach_added(struct ecbpf_strings *added)
{
	struct ecbpf_strings there = { 0 };
	struct ecbpf_status status;
	int err = 0;
	size_t i;

	for (i = 0; i < added->count && !err; i++)
		if (if_nametoindex(added->items[i]) &&
		    !ecbpf_status_read(added->items[i], &status) &&
		    status.attachment == ECBPF_ATTACHED && status.slots[ECBPF_SLOT_SAMPLER].id)
			err = ecbpf_strings_add(&there, added->items[i]);
	err = err ?: control_detach(&there, false);
	ecbpf_strings_free(&there);
	return err;
}

static bool changes_anything(const struct sampler_options *options)
{
	return options->rate || options->snaplen || options->ring || options->random >= 0 ||
	       options->as_sent >= 0 || options->filter;
}

static int read_samples(const struct ecbpf_strings *interfaces,
			const struct outputs_options *outputs, const struct reader_wishes *wishes)
{
	const struct sampler_interface *sampled;
	struct sampler_reader_handle *reader;
	struct sample_sink *sinks[SAMPLER_OUTPUT_MAX];
	size_t count, open;
	int err;

	err = reader_open(interfaces, &reader);
	if (err)
		return err;
	sampled = reader_interfaces(reader, &count);
	err = outputs_open(outputs, sampled, count, sinks, &open);
	if (!err)
		err = reader_run(reader, wishes, sinks, open);
	reader_close(reader);
	return err;
}

int control_read(struct ecbpf_strings *interfaces, const struct sampler_options *options,
		 const struct outputs_options *outputs)
{
	struct reader_wishes wishes;
	struct ecbpf_strings added = { 0 };
	int err, detached = 0;

	if (interfaces->count > SAMPLER_INTERFACES_MAX)
		return ecbpf_fail(-EINVAL, "%zu interfaces: one process samples at most %d",
				  interfaces->count, SAMPLER_INTERFACES_MAX);
	err = outputs_check(outputs) ?: outputs_wishes(outputs, &wishes);
	if (err)
		return err;
	/* From here on, an interrupt still leads past the detachment below. */
	ecbpf_interrupt_catch();
	err = attach_missing(interfaces, options, &added);
	if (!err && changes_anything(options) && added.count < interfaces->count)
		err = control_attach(interfaces, options);
	if (!err)
		err = read_samples(interfaces, outputs, &wishes);
	if (added.count)
		detached = detach_added(&added);
	ecbpf_strings_free(&added);
	return err ?: detached;
}
