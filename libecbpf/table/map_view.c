// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* An array map seen as memory. */
#include "map_view.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

int map_view_open(int fd, bool writable, struct map_view *view)
{
	struct bpf_map_info info = {};
	uint32_t length = sizeof(info);
	size_t page = sysconf(_SC_PAGESIZE), bytes;
	void *data;

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	bytes = ((info.value_size + 7) & ~7UL) * info.max_entries;
	bytes = (bytes + page - 1) / page * page;
	data = mmap(NULL, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	*view = (struct map_view){ data, bytes, info.value_size, info.max_entries };
	return 0;
}

void map_view_close(struct map_view *view)
{
	if (view->data)
		munmap(view->data, view->bytes);
	memset(view, 0, sizeof(*view));
}
