// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The pinned XDP link of an interface. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "internal.h"

/* Opens the pinned link, if there is one that belongs to the interface as it is now. */
int ecbpf_link_open(struct ecbpf_interface *interface)
{
	struct bpf_link_info info = {};
	uint32_t length = sizeof(info);
	int fd;

	fd = ecbpf_pin_open(interface->path, ECBPF_LINK_PIN);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return ecbpf_fail_kernel(fd, "%s/" ECBPF_LINK_PIN ": opening failed",
					 interface->path);
	if (bpf_obj_get_info_by_fd(fd, &info, &length)) {
		int err = -errno;

		close(fd);
		return ecbpf_fail_kernel(err, "%s/" ECBPF_LINK_PIN ": reading failed",
					 interface->path);
	}
	interface->link = fd;
	/* The kernel sets ifindex to 0 when the interface goes; the link stays, dead. */
	if (info.xdp.ifindex && info.xdp.ifindex == interface->ifindex)
		interface->link_program = info.prog_id;
	return 0;
}

int ecbpf_link_ifindex(const char *folder, unsigned int *ifindex)
{
	struct bpf_link_info info = {};
	uint32_t length = sizeof(info);
	CLEANUP_FD int fd = ecbpf_pin_open(folder, ECBPF_LINK_PIN);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	*ifindex = info.xdp.ifindex;
	return 0;
}

/* Whether it runs another program, or none, since it was opened. */
bool ecbpf_link_moved(const struct ecbpf_interface *interface)
{
	struct bpf_link_info info = {};
	uint32_t length = sizeof(info);

	if (interface->link < 0 || bpf_obj_get_info_by_fd(interface->link, &info, &length))
		return false;
	return info.prog_id != interface->link_program || !info.xdp.ifindex;
}

/* Id of the XDP program on the interface that no link of ours put there; 0: none. */
uint32_t ecbpf_link_foreign(unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query(ifindex, 0, &query))
		return 0;
	if (query.prog_id)
		return query.prog_id;
	return query.drv_prog_id ? query.drv_prog_id : query.skb_prog_id;
}

/* Naming it takes CAP_SYS_ADMIN. */
static void foreign_name(uint32_t id, char *name, size_t size)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);
	CLEANUP_FD int fd = bpf_prog_get_fd_by_id(id);

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) && info.name[0])
		snprintf(name, size, "'%s' ", info.name);
	else
		name[0] = '\0';
}

static int create(unsigned int ifindex, int program, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int fd = bpf_link_create(program, ifindex, BPF_XDP, &options);

	return fd < 0 ? -errno : fd;
}

static int refused(struct ecbpf_interface *interface, int err, enum ecbpf_mode mode)
{
	char name[BPF_OBJ_NAME_LEN + 4];
	uint32_t id;

	id = ecbpf_link_foreign(interface->ifindex);
	if (id) {
		foreign_name(id, name, sizeof(name));
		return ecbpf_fail(-EBUSY,
				  "%s: XDP program %s(id %u) of somebody else's is attached; left "
				  "alone; take it off with its own tool",
				  interface->name, name, id);
	}
	if (err == -ERANGE)
		return err;
	if (err == -EOPNOTSUPP && mode == ECBPF_MODE_NATIVE)
		return ecbpf_fail(err, "%s: its driver has no native XDP; use --generic",
				  interface->name);
	return ecbpf_fail_kernel(err, "%s: attaching XDP failed", interface->name);
}

int ecbpf_link_create(struct ecbpf_interface *interface, int program, enum ecbpf_mode mode)
{
	enum ecbpf_mode used = mode == ECBPF_MODE_GENERIC ? mode : ECBPF_MODE_NATIVE;
	int fd, err;

	if (ecbpf_link_foreign(interface->ifindex))
		return refused(interface, -EBUSY, mode);
	fd = create(interface->ifindex, program,
		    used == ECBPF_MODE_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	if (fd == -EOPNOTSUPP && mode == ECBPF_MODE_AUTO) {
		used = ECBPF_MODE_GENERIC;
		fd = create(interface->ifindex, program, XDP_FLAGS_SKB_MODE);
		if (fd >= 0)
			ecbpf_log(ECBPF_LOG_INFO,
				  "%s: its driver has no native XDP; attached in generic mode",
				  interface->name);
	}
	if (fd < 0)
		return refused(interface, fd, mode);

	interface->meta.mode = used;
	interface->meta.dispatched = 0;
	err = ecbpf_interface_meta_write(interface);
	/* Straight to its place, where a dead one may be: a link pinned elsewhere would be nobody's. */
	if (!err)
		err = ecbpf_pin_remove(interface->path, ECBPF_LINK_PIN);
	if (!err)
		err = ecbpf_pin(fd, interface->path, ECBPF_LINK_PIN);
	if (err) {
		close(fd);
		return err;
	}
	if (interface->link >= 0)
		close(interface->link);
	interface->link = fd;
	interface->link_program = ecbpf_program_id(program);
	return 0;
}

int ecbpf_link_update(struct ecbpf_interface *interface, int program)
{
	int err;

	if (bpf_link_update(interface->link, program, NULL)) {
		err = -errno;
		if (err == -ERANGE)
			return err;
		return ecbpf_fail_kernel(err, "%s: replacing the XDP program failed",
					 interface->name);
	}
	interface->link_program = ecbpf_program_id(program);
	return 0;
}
