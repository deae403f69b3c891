// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A generation beside the live one: made, made live, dropped. */
#include <errno.h>

#include "generation.h"
#include "libxdp.h"

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
	err = root_generation_new(interface, frags, &root);
	if (!err) {
		err = ecbpf_generation_stage(root);
		if (err)
			ecbpf_generation_remove(root);
		else
			ecbpf_root_close(root);
	}
	ecbpf_interface_close(interface);
	return err;
}

static bool through_libxdp(const struct ecbpf_interface *interface,
			   const struct root_options *options)
{
	if (ecbpf_interface_attached(interface))
		return ecbpf_interface_mode(interface) == ECBPF_MODE_LIBXDP;
	return options->mode == ECBPF_MODE_LIBXDP;
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
		err = through_libxdp(interface, options) ?
			      root_libxdp_attach(interface, root) :
			      ecbpf_generation_activate(root, options->mode);
		if (err == -ERANGE)
			ecbpf_fail(
				err,
				"%s: its MTU or its peer's is over %d; stage with --frags or commit "
				"with --generic",
				name, ROOT_LINEAR_MTU);
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

int root_commit(struct ecbpf_strings *interfaces, const struct root_options *options)
{
	return each(interfaces, options, commit, "committed");
}

int root_abort(struct ecbpf_strings *interfaces, const struct root_options *options)
{
	return each(interfaces, options, abort_staged, "aborted");
}
