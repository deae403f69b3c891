// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What is pinned about an interface beside its link and its generations. */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* Zeroes where nothing is pinned. */
int ecbpf_interface_meta_read(struct ecbpf_interface *interface)
{
	int err;

	err = ecbpf_pinned_map_read(interface->path, ECBPF_META_PIN, &interface->meta,
				    sizeof(interface->meta));
	if (err && err != -ENOENT)
		return ecbpf_fail_kernel(err, "%s/" ECBPF_META_PIN ": reading failed",
					 interface->path);
	return 0;
}

/* Undoes ecbpf_interface_rxvlan_off(), unless the device is another one now. */
void ecbpf_interface_restore_rxvlan(const struct ecbpf_interface *interface)
{
	int err;

	if (!interface->ifindex || !interface->meta.restore_rxvlan ||
	    interface->meta.ifindex != interface->ifindex)
		return;
	err = ecbpf_rxvlan_set(interface->name, true);
	if (err)
		ecbpf_log(ECBPF_LOG_WARNING,
			  "%s: turning rx-vlan offload on again failed: %s; run 'ethtool -K %s "
			  "rxvlan on'",
			  interface->name, strerror(-err), interface->name);
}

int ecbpf_interface_meta_write(struct ecbpf_interface *interface)
{
	interface->meta.ifindex = interface->ifindex;
	strcpy(interface->meta.name, interface->name);
	return ecbpf_pin_value(interface->path, ECBPF_META_PIN, &interface->meta,
			       sizeof(interface->meta));
}
