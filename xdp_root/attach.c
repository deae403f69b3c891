// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Attaching to and detaching from interfaces, all of them or none. */
#include "attach.h"

#include <errno.h>
#include <stdlib.h>

#include "generation.h"
#include "libxdp.h"

enum change {
	/* A generation of its own goes live. */
	CHANGE_NEW,
	/* The root program is swapped; slots and counters stay. */
	CHANGE_REFRESH,
	CHANGE_NOP,
};

/**
 * struct plan - what will happen on one interface
 * @before: something was attached already
 * @done: packets go through the new state
 */
struct plan {
	const char *name;
	struct ecbpf_interface *interface;
	struct ecbpf_root *root;
	enum change change;
	bool before;
	bool done;
};

static bool has_slots(struct ecbpf_root *root)
{
	unsigned int slot;

	for (slot = 0; slot < ECBPF_SLOTS; slot++)
		if (ecbpf_slot_program_id(root, slot))
			return true;
	return false;
}

static int check_mode(const struct plan *plan, const struct root_options *options)
{
	enum ecbpf_mode now = ecbpf_interface_mode(plan->interface);

	if (options->nop && options->mode == ECBPF_MODE_LIBXDP)
		return ecbpf_fail(-EINVAL,
				  "%s: --nop and --libxdp exclude each other: libxdp's "
				  "dispatcher stays by itself",
				  plan->name);
	if (plan->before && (options->mode == ECBPF_MODE_LIBXDP) != (now == ECBPF_MODE_LIBXDP) &&
	    (options->mode != ECBPF_MODE_AUTO || options->nop))
		return ecbpf_fail(-EBUSY,
				  "%s: attached in %s mode; --detach it before a change to or from "
				  "libxdp",
				  plan->name, ecbpf_mode_name(now));
	if (!plan->before || options->mode == ECBPF_MODE_AUTO || options->mode == now ||
	    options->force)
		return 0;
	return ecbpf_fail(
		-EBUSY,
		"%s: attached in %s mode; a change to %s leaves packets unfiltered for an "
		"instant: confirm with --force",
		plan->name, ecbpf_mode_name(now), ecbpf_mode_name(options->mode));
}

/* Pins of another ABI go by force alone. */
static int check_abi(struct ecbpf_interface *interface, const struct root_options *options)
{
	uint32_t abi = ecbpf_interface_abi(interface);

	if (!abi || abi == ECBPF_ABI || options->force)
		return 0;
	return ecbpf_fail(-EPROTO,
			  "%s: root array has ABI %u, this program ABI %u; take it off with the "
			  "program that attached it, or with --force",
			  ecbpf_interface_name(interface), abi, ECBPF_ABI);
}

/* Over a live root: swap the program, unless frags change, which takes a generation. */
static int plan_over(struct plan *plan, const struct root_options *options)
{
	int err;

	err = ecbpf_generation_open(plan->interface, ECBPF_LIVE, &plan->root);
	if (err)
		return err;
	if (options->frags < 0 || options->frags == ecbpf_root_frags(plan->root)) {
		plan->change = CHANGE_REFRESH;
		return 0;
	}
	if (has_slots(plan->root) && !options->force)
		err = ecbpf_fail(
			-EBUSY,
			"%s: its programs are loaded %s frags; stage a generation with "
			"'xdp_root_loader --stage %s', fill it, --commit (or --force drops "
			"the slots)",
			plan->name, options->frags ? "without" : "with",
			options->frags ? "--frags" : "--no-frags");
	ecbpf_root_close(plan->root);
	plan->root = NULL;
	plan->change = CHANGE_NEW;
	return err;
}

static int plan_attach(struct plan *plan, const struct root_options *options)
{
	int err, frags;

	err = ecbpf_interface_open(plan->name, ECBPF_INTERFACE_CREATE, &plan->interface);
	if (err)
		return err;
	plan->before = ecbpf_interface_attached(plan->interface);
	err = check_mode(plan, options);
	if (err)
		return err;
	if (options->nop) {
		plan->change = CHANGE_NOP;
		return check_abi(plan->interface, options);
	}
	plan->change = CHANGE_NEW;
	if (ecbpf_interface_abi(plan->interface)) {
		err = plan_over(plan, options);
		if (err || plan->change == CHANGE_REFRESH)
			return err;
	}
	frags = root_want_frags(plan->name, options);
	if (frags < 0)
		return frags;
	return root_generation_new(plan->interface, frags, &plan->root);
}

static int refused_mtu(const struct plan *plan)
{
	return ecbpf_fail(
		-ERANGE,
		"%s: its MTU of %d or its peer's is too large for native XDP without "
		"frags; the largest that can is %d; use --frags (kernel 5.18) or --generic",
		plan->name, ecbpf_mtu(plan->name), ROOT_LINEAR_MTU);
}

static int activate(struct plan *plan, const struct root_options *options)
{
	int err;

	err = ecbpf_generation_activate(plan->root, options->mode);
	if (err != -ERANGE)
		return err;
	if (options->frags >= 0 || ecbpf_root_frags(plan->root) || !ecbpf_have_frags())
		return refused_mtu(plan);
	ecbpf_generation_remove(plan->root);
	plan->root = NULL;
	err = root_generation_new(plan->interface, true, &plan->root);
	if (!err)
		err = ecbpf_generation_activate(plan->root, options->mode);
	return err == -ERANGE ? refused_mtu(plan) : err;
}

static bool through_libxdp(const struct plan *plan, const struct root_options *options)
{
	return plan->before ? ecbpf_interface_mode(plan->interface) == ECBPF_MODE_LIBXDP :
			      options->mode == ECBPF_MODE_LIBXDP;
}

static int carry_out_libxdp(struct plan *plan, const struct root_options *options)
{
	int err;

	err = root_libxdp_attach(plan->interface, plan->root);
	if (err)
		return err;
	plan->done = true;
	return options->keep_rxvlan ? 0 : ecbpf_interface_rxvlan_off(plan->interface);
}

static int carry_out(struct plan *plan, const struct root_options *options)
{
	int err = 0;

	if (through_libxdp(plan, options))
		return carry_out_libxdp(plan, options);
	switch (plan->change) {
	case CHANGE_NOP:
		err = root_nop(plan->interface, options->mode);
		break;
	case CHANGE_REFRESH:
		err = root_generation_refresh(plan->root);
		break;
	case CHANGE_NEW:
		err = activate(plan, options);
		if (!err && ecbpf_root_frags(plan->root))
			root_tell_frags(plan->name, options);
		break;
	}
	if (err)
		return err;
	plan->done = true;
	if (plan->before && options->mode != ECBPF_MODE_AUTO && !options->nop &&
	    options->mode != ecbpf_interface_mode(plan->interface))
		err = ecbpf_interface_set_mode(plan->interface, options->mode);
	if (!err && !options->keep_rxvlan && !options->nop)
		err = ecbpf_interface_rxvlan_off(plan->interface);
	return err;
}

static void take_back(struct plan *plan)
{
	if (plan->done && !plan->before) {
		root_libxdp_detach(plan->interface);
		ecbpf_interface_detach(plan->interface);
	}
	if (plan->done && plan->before)
		ecbpf_log(ECBPF_LOG_ERROR, "%s: was changed before the failure and stays so",
			  plan->name);
	if (!plan->done && plan->root && plan->change == CHANGE_NEW) {
		ecbpf_generation_remove(plan->root);
		plan->root = NULL;
	}
}

static void plans_free(struct plan *plans, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		ecbpf_root_close(plans[i].root);
		ecbpf_interface_close(plans[i].interface);
	}
	free(plans);
}

/* Locks are taken in the order of names, so that two loaders can't wait for each other. */
int root_attach(struct ecbpf_strings *interfaces, const struct root_options *options)
{
	size_t count = interfaces->count;
	struct plan *plans = calloc(count, sizeof(*plans));
	size_t i;
	int err = 0;

	if (!plans)
		return -ENOMEM;
	ecbpf_strings_sort(interfaces);
	for (i = 0; i < count && !err; i++) {
		plans[i].name = interfaces->items[i];
		err = plan_attach(&plans[i], options);
	}
	for (i = 0; i < count && !err; i++)
		err = carry_out(&plans[i], options);
	for (i = count; err && i--;)
		take_back(&plans[i]);
	plans_free(plans, count);
	return err;
}

static int detach(const char *name, const void *context)
{
	const struct root_options *options = context;
	struct ecbpf_interface *interface;
	int err;

	err = ecbpf_interface_open(name, ECBPF_INTERFACE_GONE, &interface);
	if (err)
		return err;
	err = check_abi(interface, options);
	if (!err && options->nop && ecbpf_interface_attached(interface) &&
	    ecbpf_interface_mode(interface) != ECBPF_MODE_LIBXDP)
		err = root_nop(interface, options->mode);
	else if (!err)
		err = root_libxdp_detach(interface) ?: ecbpf_interface_detach(interface);
	ecbpf_interface_close(interface);
	return err;
}

int root_detach(struct ecbpf_strings *interfaces, const struct root_options *options)
{
	return ecbpf_interfaces_each(interfaces, "detached", detach, options);
}
