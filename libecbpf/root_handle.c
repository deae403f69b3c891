// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The handle of a generation. */
#include "internal.h"

struct ecbpf_root *ecbpf_root_new(struct ecbpf_interface *interface, uint32_t number)
{
	struct ecbpf_root *root = calloc(1, sizeof(*root));
	int i;

	if (!root)
		return NULL;
	root->interface = interface;
	root->number = number;
	root->program = -1;
	root->meta_map = -1;
	for (i = 0; i < ROOT_MAPS; i++)
		root->maps[i] = -1;
	ecbpf_generation_path(interface, number, root->path);
	return root;
}

void ecbpf_root_close(struct ecbpf_root *root)
{
	int i;

	if (!root)
		return;
	for (i = 0; i < ROOT_MAPS; i++)
		ecbpf_closep(&root->maps[i]);
	ecbpf_closep(&root->program);
	ecbpf_closep(&root->meta_map);
	if (root->owns_interface)
		ecbpf_interface_close(root->interface);
	free(root);
}

const char *ecbpf_root_interface(const struct ecbpf_root *root)
{
	return root->interface->name;
}

unsigned int ecbpf_root_ifindex(const struct ecbpf_root *root)
{
	return root->interface->ifindex;
}

bool ecbpf_root_frags(const struct ecbpf_root *root)
{
	return root->meta.frags;
}
