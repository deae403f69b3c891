// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Root beside other XDP programs, behind libxdp's dispatcher. */
#include "libxdp.h"

#include <errno.h>

#if ECBPF_HAVE_LIBXDP

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <xdp/libxdp.h>

#include "xdp_dispatcher.skel.h"
#include "xdp_root.skel.h"

/* Its messages come only with --debug, as libbpf's do. */
static int print_debug(enum libxdp_print_level level, const char *format, va_list arguments)
{
	char message[1024];

	(void)level;
	vsnprintf(message, sizeof(message), format, arguments);
	message[strcspn(message, "\n")] = '\0';
	ecbpf_log(ECBPF_LOG_DEBUG, "libxdp: %s", message);
	return 0;
}

static int failed(struct ecbpf_interface *interface, int err, const char *what)
{
	return ecbpf_fail(err, "%s: %s through libxdp: %s", ecbpf_interface_name(interface), what,
			  strerror(-err));
}

static int no_dispatcher(struct ecbpf_interface *interface)
{
	return ecbpf_fail(-EOPNOTSUPP,
			  "%s: this kernel can't run root behind libxdp's dispatcher (it takes "
			  "freplace, and tail calls from it: about 6.2); leave out --libxdp",
			  ecbpf_interface_name(interface));
}

/* Whether a dispatcher runs there, and not a program alone, which is how libxdp falls back. */
static bool has_dispatcher(unsigned int ifindex)
{
	struct xdp_multiprog *programs = xdp_multiprog__get_from_ifindex(ifindex);
	bool dispatched;

	if (libxdp_get_error(programs))
		return false;
	dispatched = !xdp_multiprog__is_legacy(programs);
	xdp_multiprog__close(programs);
	return dispatched;
}

/* Attach a root program over @root's maps; says nothing where the dispatcher refuses it. */
static int attach(struct ecbpf_interface *interface, struct ecbpf_root *root)
{
	unsigned int ifindex = ecbpf_interface_ifindex(interface);
	struct xdp_root_bpf *skeleton = xdp_root_bpf__open();
	struct xdp_program *program;
	int err;

	if (!skeleton)
		return failed(interface, -errno, "opening root");
	DECLARE_LIBXDP_OPTS(xdp_program_opts, options, .obj = skeleton->obj,
			    .prog_name = "xdp_root_prog");
	err = ecbpf_object_prepare(skeleton->obj, ecbpf_root_frags(root)) ?:
		      ecbpf_root_share_maps(root, skeleton->obj);
	program = err ? NULL : xdp_program__create(&options);
	if (!err)
		err = libxdp_get_error(program);
	if (!err) {
		err = xdp_program__attach(program, ifindex, XDP_MODE_NATIVE, 0);
		if (!err) {
			err = has_dispatcher(ifindex) ?
				      ecbpf_generation_adopt(root, xdp_program__fd(program)) :
				      -EOPNOTSUPP;
			if (err)
				xdp_program__detach(program, ifindex, XDP_MODE_NATIVE, 0);
		}
		xdp_program__close(program);
	}
	xdp_root_bpf__destroy(skeleton);
	return err;
}

/* The folder where libxdp shall find our dispatcher instead of its own. */
static int lay_out_dispatcher(char *folder, char *path, size_t size)
{
	size_t length;
	const void *object = xdp_dispatcher_bpf__elf_bytes(&length);
	FILE *file;
	int err = 0;

	if (!mkdtemp(folder))
		return -errno;
	snprintf(path, size, "%s/xdp-dispatcher.o", folder);
	file = fopen(path, "wxe");
	if (!file || fwrite(object, length, 1, file) != 1)
		err = -errno;
	if (file && fclose(file))
		err = -errno;
	if (!err && setenv("LIBXDP_OBJECT_PATH", folder, 1))
		err = -errno;
	return err;
}

typedef int (*dispatcher_work)(struct ecbpf_interface *interface, struct ecbpf_root *root);

/* Do @work with libxdp's dispatcher, and with ours where that one refuses root. */
static int with_dispatcher(dispatcher_work work, struct ecbpf_interface *interface,
			   struct ecbpf_root *root)
{
	char folder[] = "/tmp/ecbpf-XXXXXX", path[sizeof(folder) + 32] = "";
	int err;

	libxdp_set_print(print_debug);
	err = work(interface, root);
	/* Busy: libxdp fell back to attaching root alone, where its dispatcher is already. */
	if (err != -EINVAL && err != -EBUSY && err != -EOPNOTSUPP)
		return err;
	err = lay_out_dispatcher(folder, path, sizeof(path));
	if (!err)
		err = work(interface, root);
	unsetenv("LIBXDP_OBJECT_PATH");
	if (*path)
		unlink(path);
	rmdir(folder);
	return err;
}

static int detach_program(struct ecbpf_interface *interface, int fd)
{
	struct xdp_program *program = xdp_program__from_fd(fd);
	int err;

	err = libxdp_get_error(program);
	if (!err) {
		err = xdp_program__detach(program, ecbpf_interface_ifindex(interface),
					  XDP_MODE_NATIVE, 0);
		xdp_program__close(program);
	}
	return err == -ENOENT ? 0 : err;
}

/* The one that was there before leaves after the new one joined. */
static int attach_over(struct ecbpf_interface *interface, struct ecbpf_root *root)
{
	int before = ecbpf_interface_dispatched(interface), err;

	err = attach(interface, root);
	if (!err && before >= 0)
		err = detach_program(interface, before);
	if (before >= 0)
		close(before);
	return err;
}

static int detach(struct ecbpf_interface *interface, struct ecbpf_root *root)
{
	int fd = ecbpf_interface_dispatched(interface), err;

	(void)root;
	if (fd < 0)
		return 0;
	err = detach_program(interface, fd);
	close(fd);
	return err;
}

int root_libxdp_attach(struct ecbpf_interface *interface, struct ecbpf_root *root)
{
	int err = with_dispatcher(attach_over, interface, root);

	if (err == -EPERM || err == -EINVAL || err == -EOPNOTSUPP)
		return no_dispatcher(interface);
	if (err == -EBUSY && !has_dispatcher(ecbpf_interface_ifindex(interface)))
		return ecbpf_fail(
			err,
			"%s: another XDP program is there without libxdp's dispatcher, alone "
			"(as where the kernel has no freplace); take it off first",
			ecbpf_interface_name(interface));
	return err ? failed(interface, err, "attaching") : 0;
}

int root_libxdp_detach(struct ecbpf_interface *interface)
{
	int err = with_dispatcher(detach, interface, NULL);

	return err ? failed(interface, err, "detaching") : 0;
}

#else

static int not_built(struct ecbpf_interface *interface)
{
	return ecbpf_fail(-EOPNOTSUPP,
			  "%s: this build has no libxdp; install libxdp-dev and build again",
			  ecbpf_interface_name(interface));
}

int root_libxdp_attach(struct ecbpf_interface *interface, struct ecbpf_root *root)
{
	(void)root;
	return not_built(interface);
}

int root_libxdp_detach(struct ecbpf_interface *interface)
{
	return ecbpf_interface_mode(interface) == ECBPF_MODE_LIBXDP ? not_built(interface) : 0;
}

#endif
