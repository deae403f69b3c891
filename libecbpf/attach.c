// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What changes an interface as a whole, beside generations. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "internal.h"

static int remove_generations(struct ecbpf_interface *interface)
{
	char path[ECBPF_PATH_MAX];
	CLEANUP_FREE uint32_t *numbers = NULL;
	int count, i, err = 0;

	count = ecbpf_folder_numbers(interface->path, "gen", &numbers);
	for (i = 0; i < count && !err; i++) {
		ecbpf_generation_path(interface, numbers[i], path);
		err = ecbpf_folder_remove(path);
	}
	return count < 0 ? count : err;
}

int ecbpf_interface_attach_nop(struct ecbpf_interface *interface, struct bpf_program *program,
			       enum ecbpf_mode mode)
{
	int fd = bpf_program__fd(program), err;

	/* There already: nothing else could be pinned before the link runs it. */
	if (interface->link_program &&
	    ecbpf_pinned_program_id(interface->path, ECBPF_NOP_PIN) == interface->link_program)
		return remove_generations(interface);
	err = ecbpf_pin_over(fd, interface->path, ECBPF_NOP_PIN);
	if (err)
		return err;
	err = interface->link_program ? ecbpf_link_update(interface, fd) :
					ecbpf_link_create(interface, fd, mode);
	if (err) {
		ecbpf_pin_remove(interface->path, ECBPF_NOP_PIN);
		return err;
	}
	return remove_generations(interface);
}

int ecbpf_interface_detach(struct ecbpf_interface *interface)
{
	if (interface->link >= 0) {
		if (bpf_link_detach(interface->link) && errno != ENOLINK && errno != EINVAL)
			return ecbpf_fail_kernel(-errno, "%s: detaching failed", interface->name);
		close(interface->link);
		interface->link = -1;
		interface->link_program = 0;
	}
	ecbpf_interface_restore_rxvlan(interface);
	return ecbpf_folder_empty(interface->path);
}

int ecbpf_interface_set_mode(struct ecbpf_interface *interface, enum ecbpf_mode mode)
{
	CLEANUP_FD int program = -1;
	struct ecbpf_root *root;
	enum ecbpf_mode before = interface->meta.mode;
	int err;

	err = ecbpf_generation_open(interface, ECBPF_LIVE, &root);
	if (err)
		return err;
	program = dup(root->program);
	ecbpf_root_close(root);
	if (bpf_link_detach(interface->link))
		return ecbpf_fail_kernel(-errno, "%s: detaching failed", interface->name);
	interface->link_program = 0;
	err = ecbpf_link_create(interface, program, mode);
	if (err && ecbpf_link_create(interface, program, before))
		ecbpf_log(ECBPF_LOG_ERROR, "%s: no XDP program is attached now", interface->name);
	return err;
}

int ecbpf_interface_rxvlan_off(struct ecbpf_interface *interface)
{
	bool on;
	int err;

	if (ecbpf_rxvlan_get(interface->name, &on) || !on)
		return 0;
	interface->meta.restore_rxvlan = 1;
	err = ecbpf_interface_meta_write(interface);
	if (err)
		return err;
	err = ecbpf_rxvlan_set(interface->name, false);
	if (err) {
		interface->meta.restore_rxvlan = 0;
		ecbpf_log(
			ECBPF_LOG_WARNING,
			"%s: rx-vlan offload can't be turned off (%s): XDP programs won't see VLAN "
			"tags that the device strips",
			interface->name, strerror(-err));
		return ecbpf_interface_meta_write(interface);
	}
	ecbpf_log(ECBPF_LOG_INFO,
		  "%s: rx-vlan offload turned off until detach, so that XDP sees VLAN tags "
		  "(--keep-rxvlan leaves it)",
		  interface->name);
	return 0;
}
