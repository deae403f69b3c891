// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A generation beside the live one: made, made live, dropped. */
#include <errno.h>

#include "generation.h"
#include "libxdp.h"

/* Generations come and go over one attachment. */
static int check_mode(const struct ecbpf_interface *interface, const char *name,
		      enum ecbpf_mode mode)
{
	enum ecbpf_mode now = ecbpf_interface_mode(interface);

	if (!ecbpf_interface_attached(interface) || mode == ECBPF_MODE_AUTO || mode == now)
		return 0;
	return ecbpf_fail(-EBUSY,
			  "%s: attached in %s mode, which a staged generation keeps; leave out "
			  "--%s, or change it first by --attach with --force",
			  name, ecbpf_mode_name(now), ecbpf_mode_name(mode));
}

static int stage(const char *name, const struct root_options *options)
{
	struct ecbpf_interface *interface;
	struct ecbpf_root *root;
	int err, frags;

	frags = root_want_frags(name, options);
	if (frags < 0)
		return frags;
	err = ecbpf_interface_open(name, ECBPF_INTERFACE_CREATE, &interface);
	if (err)
		return err;
	err = check_mode(interface, name, options->mode) ?:
		      root_generation_new(interface, frags, &root);
	if (!err) {
		err = ecbpf_generation_stage(root, options->mode);
		if (!err && ecbpf_root_frags(root))
			root_tell_frags(name, options);
		if (err)
			ecbpf_generation_remove(root);
		else
			ecbpf_root_close(root);
	}
	ecbpf_interface_close(interface);
	return err;
}

static bool through_libxdp(const struct ecbpf_interface *interface, enum ecbpf_mode mode)
{
	if (ecbpf_interface_attached(interface))
		return ecbpf_interface_mode(interface) == ECBPF_MODE_LIBXDP;
	return mode == ECBPF_MODE_LIBXDP;
}

static int make_live(struct ecbpf_interface *interface, struct ecbpf_root *root, const char *name,
		     enum ecbpf_mode mode)
{
	bool attached = ecbpf_interface_attached(interface);
	int err;

	if (mode == ECBPF_MODE_AUTO)
		mode = ecbpf_generation_mode(root);
	if (through_libxdp(interface, mode))
		return root_libxdp_attach(interface, root);
	err = ecbpf_generation_activate(root, mode);
	if (err == -ERANGE)
		ecbpf_fail(err, "%s: its MTU or its peer's is over %d; stage with --frags%s", name,
			   ROOT_LINEAR_MTU, attached ? "" : " or commit with --generic");
	return err;
}

/* What runs in the live generation and has nothing in the one that replaces it. */
static void tell_of_emptied(struct ecbpf_interface *interface, struct ecbpf_root *staged,
			    const char *name)
{
	struct ecbpf_root *live;
	const char *program;
	unsigned int slot;

	if (!ecbpf_interface_attached(interface) || ecbpf_interface_abi(interface) != ECBPF_ABI ||
	    ecbpf_generation_open(interface, ECBPF_LIVE, &live))
		return;
	for (slot = 0; slot < ECBPF_SLOTS; slot++) {
		if (!ecbpf_slot_program_id(live, slot) || ecbpf_slot_program_id(staged, slot))
			continue;
		program = ecbpf_slot_program_name(live, slot);
		ecbpf_log(ECBPF_LOG_WARNING,
			  "%s: slot %u is empty in the staged generation: %s no longer runs", name,
			  slot, program ? program : "what is there");
	}
	ecbpf_root_close(live);
}

static int commit(const char *name, const struct root_options *options)
{
	struct ecbpf_interface *interface;
	struct ecbpf_root *root;
	int err;

	err = ecbpf_interface_open(name, 0, &interface);
	if (err)
		return err;
	err = ecbpf_generation_open(interface, ECBPF_STAGED, &root);
	if (!err) {
		err = check_mode(interface, name, options->mode);
		if (!err)
			tell_of_emptied(interface, root, name);
		err = err ?: make_live(interface, root, name, options->mode);
		if (!err && !options->keep_rxvlan)
			err = ecbpf_interface_rxvlan_off(interface);
		ecbpf_root_close(root);
	}
	ecbpf_interface_close(interface);
	return err;
}

static int abort_staged(const char *name, const struct root_options *options)
{
	struct ecbpf_interface *interface;
	int err;

	(void)options;
	err = ecbpf_interface_open(name, 0, &interface);
	if (err)
		return err;
	err = ecbpf_generation_abort(interface);
	ecbpf_interface_close(interface);
	return err;
}

/* Stops at the first failure, and says which interfaces were done before it. */
static int each(const struct ecbpf_strings *interfaces, const struct root_options *options,
		int (*work)(const char *name, const struct root_options *options), const char *done)
{
	size_t i, j;
	int err = 0;

	for (i = 0; i < interfaces->count && !err; i++)
		err = work(interfaces->items[i], options);
	for (j = 0; err && j + 1 < i; j++)
		ecbpf_log(ECBPF_LOG_ERROR, "%s: was %s before the failure", interfaces->items[j],
			  done);
	return err;
}

int root_stage(struct ecbpf_strings *interfaces, const struct root_options *options)
{
	return each(interfaces, options, stage, "staged");
}

/* Before anything is changed. */
static int check_staged(const struct ecbpf_strings *interfaces)
{
	struct ecbpf_root *root;
	int err = 0;
	size_t i;

	for (i = 0; i < interfaces->count && !err; i++) {
		err = ecbpf_root_open(interfaces->items[i], ECBPF_STAGED, &root);
		if (!err)
			ecbpf_root_close(root);
	}
	return err;
}

int root_commit(struct ecbpf_strings *interfaces, const struct root_options *options)
{
	return check_staged(interfaces) ?: each(interfaces, options, commit, "committed");
}

int root_abort(struct ecbpf_strings *interfaces, const struct root_options *options)
{
	return each(interfaces, options, abort_staged, "aborted");
}
