// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Root programs, loaded for an interface. */
#include "generation.h"

#include <errno.h>
#include <string.h>

#include "xdp_nop.skel.h"
#include "xdp_root.skel.h"

static int load_failed(const char *what, int err)
{
	const char *missing = ecbpf_capabilities_missing();

	if ((err == -EPERM || err == -EACCES) && *missing)
		return ecbpf_fail(err, "loading %s: %s; missing: %s", what, strerror(-err),
				  missing);
	return ecbpf_fail(err, "loading %s: %s; --debug shows the verifier's log", what,
			  strerror(-err));
}

int root_want_frags(const char *interface, const struct root_options *options)
{
	int mtu;

	if (options->frags == 1 && !ecbpf_have_frags())
		return ecbpf_fail(-EOPNOTSUPP,
				  "%s: this kernel has no multi-buffer XDP (5.18 has); leave out "
				  "--frags, lower the MTU to %d or use --generic",
				  interface, ROOT_LINEAR_MTU);
	if (options->frags >= 0)
		return options->frags;
	if (options->mode == ECBPF_MODE_GENERIC)
		return 0;
	mtu = ecbpf_mtu(interface);
	return mtu > ROOT_LINEAR_MTU && ecbpf_have_frags();
}

static int load_root(struct ecbpf_root *share, bool frags, struct xdp_root_bpf **out)
{
	struct xdp_root_bpf *skeleton = xdp_root_bpf__open();
	int err;

	if (!skeleton)
		return load_failed("xdp_root_prog", -errno);
	err = ecbpf_object_prepare(skeleton->obj, frags);
	if (!err && share)
		err = ecbpf_root_share_maps(share, skeleton->obj);
	if (!err) {
		err = xdp_root_bpf__load(skeleton);
		if (err)
			load_failed("xdp_root_prog", err);
	}
	if (err) {
		xdp_root_bpf__destroy(skeleton);
		return err;
	}
	*out = skeleton;
	return 0;
}

void root_tell_frags(const char *interface, const struct root_options *options)
{
	ecbpf_log(ECBPF_LOG_INFO, "%s: %sloaded with frags; xdpcap can't join", interface,
		  options->frags < 0 ? "MTU needs multi-buffer XDP: " : "");
}

int root_generation_new(struct ecbpf_interface *interface, bool frags, struct ecbpf_root **root)
{
	struct xdp_root_bpf *skeleton;
	int err;

	err = load_root(NULL, frags, &skeleton);
	if (err)
		return err;
	err = ecbpf_generation_create(interface, skeleton->obj, skeleton->progs.xdp_root_prog,
				      frags, root);
	xdp_root_bpf__destroy(skeleton);
	return err;
}

int root_generation_refresh(struct ecbpf_root *root)
{
	struct xdp_root_bpf *skeleton;
	int err;

	err = load_root(root, ecbpf_root_frags(root), &skeleton);
	if (err)
		return err;
	err = ecbpf_root_replace(root, skeleton->progs.xdp_root_prog);
	xdp_root_bpf__destroy(skeleton);
	return err;
}

int root_nop(struct ecbpf_interface *interface, enum ecbpf_mode mode)
{
	struct xdp_nop_bpf *skeleton = xdp_nop_bpf__open();
	int err;

	if (!skeleton)
		return load_failed("xdp_nop_prog", -errno);
	err = ecbpf_object_prepare(skeleton->obj, ecbpf_have_frags());
	if (!err) {
		err = xdp_nop_bpf__load(skeleton);
		if (err)
			load_failed("xdp_nop_prog", err);
	}
	if (!err)
		err = ecbpf_interface_attach_nop(interface, skeleton->progs.xdp_nop_prog, mode);
	xdp_nop_bpf__destroy(skeleton);
	return err;
}
