// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which outputs a command line asks for, and for which samples. */
#include "outputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sink_sflow.h"
#include "sink_statsd.h"
#include "sink_top.h"

#define STATSD_PORT	8125
#define TOP_INTERVAL_NS UINT64_C(2000000000)

void outputs_options_free(struct outputs_options *options)
{
	ecbpf_strings_free(&options->collectors);
	ecbpf_strings_free(&options->actions);
	ecbpf_strings_free(&options->slots);
	ecbpf_strings_free(&options->reasons);
}

/* "drop" for XDP_DROP, and "invalid" for every action beyond the list. */
static int action_bit(const char *text, uint64_t *bit)
{
	unsigned int action;

	for (action = 0; action < ECBPF_ACTIONS; action++) {
		const char *name = ecbpf_action_name(action);

		if (strcasecmp(text, name) && strcasecmp(text, name + strlen("XDP_")))
			continue;
		*bit = 1ULL << action;
		return 0;
	}
	return ecbpf_fail(-EINVAL,
			  "--action '%s': not one of aborted, drop, pass, tx, redirect, "
			  "invalid_action",
			  text);
}

static int slot_bit(const char *text, uint64_t *bit)
{
	static const char *const names[] = {
		[ECBPF_SLOT_SAMPLER] = "sampler", [ECBPF_SLOT_FILTER] = "filter",
		[ECBPF_SLOT_FIREWALL] = "fw",	  [ECBPF_SLOT_PRINTK] = "printk",
		[ECBPF_SLOT_BYPASS] = "bypass",	  [ECBPF_SLOT_ROOT] = "root",
	};
	unsigned int slot;
	char number[12];

	for (slot = 0; slot <= ECBPF_SLOT_ROOT; slot++) {
		snprintf(number, sizeof(number), "%u", slot);
		if ((slot < ECBPF_SLOT_ROOT && !strcmp(text, number)) ||
		    (names[slot] && !strcmp(text, names[slot]))) {
			*bit = 1ULL << slot;
			return 0;
		}
	}
	return ecbpf_fail(-EINVAL,
			  "--slot '%s': give 0 to 7, or sampler, filter, fw, printk, bypass, root",
			  text);
}

static int reason_bit(const char *text, uint64_t *bit)
{
	unsigned int reason;

	for (reason = 0; reason < ECBPF_REASON_MAX; reason++) {
		if (ecbpf_reason_is_known(reason) && !strcmp(text, ecbpf_reason_name(reason))) {
			*bit = 1ULL << reason;
			return 0;
		}
	}
	return ecbpf_fail(-EINVAL, "--reason '%s': 'xdp_root_loader --reasons' lists them", text);
}

static int bits_of(const struct ecbpf_strings *names, int (*bit_of)(const char *, uint64_t *),
		   uint64_t *bits)
{
	uint64_t bit = 0;
	size_t i;
	int err;

	*bits = 0;
	for (i = 0; i < names->count; i++) {
		err = bit_of(names->items[i], &bit);
		if (err)
			return err;
		*bits |= bit;
	}
	return 0;
}

int outputs_wishes(const struct outputs_options *options, struct reader_wishes *wishes)
{
	uint64_t actions, slots;
	int err;

	err = bits_of(&options->actions, action_bit, &actions)	 ?:
		      bits_of(&options->slots, slot_bit, &slots) ?:
		      bits_of(&options->reasons, reason_bit, &wishes->reasons);
	if (err)
		return err;
	wishes->actions = actions;
	wishes->slots = slots;
	wishes->count = options->count;
	return 0;
}

int outputs_check(const struct outputs_options *options)
{
	const bool rotates = options->files.rotate_octets || options->files.rotate_ns;

	if (options->files.path && !*options->files.path)
		return ecbpf_fail(-EINVAL, "--write '': give the name of a file");
	if (!options->files.path && (rotates || options->files.files))
		return ecbpf_fail(-EINVAL, "--rotate-size, --rotate-seconds and --files go with "
					   "--write FILE");
	if (options->files.files && !rotates)
		return ecbpf_fail(-EINVAL, "--files goes with --rotate-size or --rotate-seconds");
	if ((options->top_suggest || options->top_interval) && !options->top)
		return ecbpf_fail(-EINVAL, "--%s goes with --top",
				  options->top_suggest ? "suggest" : "interval");
	if (options->statsd_port && !options->statsd_host)
		return ecbpf_fail(-EINVAL, "--statsd-port goes with --statsd HOST");
	if (options->top)
		return sink_top_check(options->top_key, options->top_suggest);
	return sink_sflow_check(&options->collectors);
}

int outputs_open(const struct outputs_options *options, const struct sampler_interface *interfaces,
		 size_t count, struct sample_sink **sinks, size_t *open)
{
	struct pcapng_files live = { .others = options->files.path };
	size_t made = 0;
	int err = 0;

	if (options->collectors.count)
		err = sink_sflow_open(&options->collectors, interfaces, count, &sinks[made]) ?:
			      (made++, 0);
	if (!err && options->statsd_host)
		err = sink_statsd_open(options->statsd_host, options->statsd_port ? options->statsd_port : STATSD_PORT, interfaces, count, &sinks[made]) ?:
			      (made++, 0);
	if (!err && options->top)
		err = sink_top_open(options->top_key, options->top_interval ? options->top_interval : TOP_INTERVAL_NS, options->top_suggest, interfaces, count, &sinks[made]) ?:
			      (made++, 0);
	live.others |= made;
	if (!err && options->live)
		err = sink_pcapng_open(&live, interfaces, count, &sinks[made]) ?: (made++, 0);
	/* Last, as a file would be left behind. */
	if (!err && options->files.path)
		err = sink_pcapng_open(&options->files, interfaces, count, &sinks[made]) ?:
			      (made++, 0);
	if (err)
		for (; made; made--)
			sinks[made - 1]->calls->close(sinks[made - 1]);
	*open = made;
	return err;
}
