// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* An interface's pin folder, its lock, and what is attached. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "internal.h"

#define LOCK_POLL_NS 20000000L

static int no_root_array(const char *name)
{
	return ecbpf_fail(-ENOENT,
			  "%s: no root array; run 'xdp_root_loader --attach --interface %s'", name,
			  name);
}

static int no_interface(const char *name)
{
	return ecbpf_fail(-ENODEV, "%s: no such interface; 'ip link' lists them", name);
}

static int lock(const struct ecbpf_interface *interface)
{
	const struct timespec pause = { .tv_nsec = LOCK_POLL_NS };
	long polls = ECBPF_LOCK_SECONDS * (1000000000L / LOCK_POLL_NS);

	while (flock(interface->folder, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return ecbpf_fail(-errno, "%s: locking failed: %s", interface->path,
					  strerror(errno));
		if (!polls--)
			return ecbpf_fail(
				-EAGAIN,
				"%s: another loader has held the lock for %d s; try again "
				"when it is done",
				interface->name, ECBPF_LOCK_SECONDS);
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Whether the folder that we locked is still the one that others find. */
static bool folder_is_current(const struct ecbpf_interface *interface)
{
	struct stat held, found;

	return !fstat(interface->folder, &held) && !stat(interface->path, &found) &&
	       held.st_ino == found.st_ino && held.st_dev == found.st_dev;
}

static int lock_folder(struct ecbpf_interface *interface, unsigned int flags)
{
	int err;

	for (;;) {
		if (flags & ECBPF_INTERFACE_CREATE) {
			err = ecbpf_folder_make(interface->path);
			if (err)
				return ecbpf_fail_kernel(err, "%s: making the pin folder failed",
							 interface->path);
		}
		interface->folder = open(interface->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (interface->folder < 0)
			return errno == ENOENT ? no_root_array(interface->name) :
						 ecbpf_fail_kernel(-errno, "%s: opening failed",
								   interface->path);
		err = lock(interface);
		if (err || folder_is_current(interface))
			return err;
		close(interface->folder);
		interface->folder = -1;
	}
}

static bool stale(const struct ecbpf_interface *interface)
{
	if (interface->meta.ifindex && interface->meta.ifindex != interface->ifindex)
		return true;
	return interface->link >= 0 && !interface->link_program;
}

static int read_state(struct ecbpf_interface *interface)
{
	int err;

	err = ecbpf_interface_meta_read(interface) ?: ecbpf_link_open(interface);
	if (!err && interface->meta.dispatched && interface->link < 0 &&
	    interface->meta.ifindex == interface->ifindex && ecbpf_link_foreign(interface->ifindex))
		interface->link_program = interface->meta.dispatched;
	return err;
}

/* A former interface of this name left its pins: clear them away, or say so. */
static int settle_stale(struct ecbpf_interface *interface, unsigned int flags)
{
	char now[IF_NAMESIZE];
	int err;

	if (!stale(interface) || flags & ECBPF_INTERFACE_GONE)
		return 0;
	if (ecbpf_pins_renamed(interface->path, interface->name, now))
		return ecbpf_fail(-EBUSY,
				  "%s: what is pinned under that name is attached to %s, which was "
				  "renamed; run 'xdp_root_loader --status --interface %s'",
				  interface->name, now, now);
	if (!(flags & ECBPF_INTERFACE_CREATE))
		return ecbpf_fail(-ENOENT,
				  "%s: was made anew since its root array was attached; run "
				  "'xdp_root_loader --attach --interface %s'",
				  interface->name, interface->name);
	ecbpf_interface_restore_rxvlan(interface);
	err = ecbpf_folder_empty(interface->path);
	if (err)
		return err;
	if (interface->link >= 0)
		close(interface->link);
	interface->link = -1;
	memset(&interface->meta, 0, sizeof(interface->meta));
	ecbpf_log(ECBPF_LOG_INFO, "%s: removed the pins of a former interface of that name",
		  interface->name);
	return 0;
}

static int prepare(const char *name, unsigned int flags, struct ecbpf_interface **out)
{
	struct ecbpf_interface *interface;
	char now[IF_NAMESIZE];
	int err;

	if (!*name || strlen(name) >= IF_NAMESIZE || strchr(name, '/'))
		return no_interface(name);
	err = ecbpf_bpffs_ready();
	if (err)
		return err;
	interface = calloc(1, sizeof(*interface));
	if (!interface)
		return -ENOMEM;
	interface->folder = -1;
	interface->link = -1;
	interface->ifindex = if_nametoindex(name);
	strcpy(interface->name, name);
	err = ecbpf_pins_interface_path(name, interface->path);
	if (!err && !interface->ifindex &&
	    (!(flags & ECBPF_INTERFACE_GONE) || access(interface->path, F_OK) ||
	     ecbpf_pins_renamed(interface->path, name, now)))
		err = no_interface(name);
	if (err) {
		free(interface);
		return err;
	}
	*out = interface;
	return 0;
}

int ecbpf_interface_open(const char *name, unsigned int flags, struct ecbpf_interface **out)
{
	struct ecbpf_interface *interface;
	int err;

	ecbpf_pins_follow();
	err = prepare(name, flags, &interface);
	if (err)
		return err;
	err = lock_folder(interface, flags);
	/* It may have gone, or been made anew, while another loader had the lock. */
	interface->ifindex = if_nametoindex(name);
	if (!err && !interface->ifindex && !(flags & ECBPF_INTERFACE_GONE))
		err = no_interface(name);
	if (!err)
		err = read_state(interface) ?: settle_stale(interface, flags);
	if (err) {
		ecbpf_interface_close(interface);
		return err;
	}
	ecbpf_generations_clean(interface);
	if (flags & ECBPF_INTERFACE_CREATE)
		ecbpf_pins_sweep();
	*out = interface;
	return 0;
}

int ecbpf_interface_open_readonly(const char *name, struct ecbpf_interface **out)
{
	struct ecbpf_interface *interface;
	int err;

	err = prepare(name, ECBPF_INTERFACE_GONE, &interface);
	if (err)
		return err;
	if (interface->ifindex)
		ecbpf_pins_find(name, interface->path);
	err = read_state(interface);
	if (err) {
		ecbpf_interface_close(interface);
		return err;
	}
	*out = interface;
	return 0;
}

void ecbpf_interface_close(struct ecbpf_interface *interface)
{
	char parent[ECBPF_PATH_MAX];

	if (!interface)
		return;
	if (interface->folder >= 0) {
		/* Both fail, as they should, while anything is in there. */
		if (!rmdir(interface->path) && !ecbpf_pins_netns_path(parent))
			rmdir(parent);
		close(interface->folder);
	}
	if (interface->link >= 0)
		close(interface->link);
	free(interface);
}

const char *ecbpf_interface_name(const struct ecbpf_interface *interface)
{
	return interface->name;
}

unsigned int ecbpf_interface_ifindex(const struct ecbpf_interface *interface)
{
	return interface->ifindex;
}

bool ecbpf_interface_attached(const struct ecbpf_interface *interface)
{
	return interface->link_program;
}

enum ecbpf_mode ecbpf_interface_mode(const struct ecbpf_interface *interface)
{
	return interface->meta.mode;
}

enum ecbpf_attachment ecbpf_interface_attachment(const struct ecbpf_interface *interface)
{
	uint32_t number;

	if (stale(interface))
		return ECBPF_STALE;
	if (interface->link_program) {
		if (!ecbpf_generation_find(interface, ECBPF_LIVE, &number))
			return ECBPF_ATTACHED;
		if (ecbpf_pinned_program_id(interface->path, ECBPF_NOP_PIN) ==
		    interface->link_program)
			return ECBPF_ATTACHED_NOP;
		return ECBPF_FOREIGN;
	}
	return ecbpf_link_foreign(interface->ifindex) ? ECBPF_FOREIGN : ECBPF_DETACHED;
}

uint32_t ecbpf_interface_abi(const struct ecbpf_interface *interface)
{
	uint32_t number, abi;

	if (ecbpf_generation_find(interface, ECBPF_LIVE, &number) ||
	    ecbpf_generation_abi(interface, number, &abi))
		return 0;
	return abi;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void ecbpf_names_free(char **names)
{
	size_t i;

	for (i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

static int append_name(char ***names, size_t *count, const char *folder, const char *component)
{
	char name[IF_NAMESIZE], now[IF_NAMESIZE], path[ECBPF_PATH_MAX], **grown;

	ecbpf_pins_interface_name(component, name);
	if (!ecbpf_path(path, folder, component) && ecbpf_pins_renamed(path, name, now))
		strcpy(name, now);
	grown = realloc(*names, (*count + 2) * sizeof(**names));
	if (!grown)
		return -ENOMEM;
	*names = grown;
	grown[*count] = strdup(name);
	if (!grown[*count])
		return -ENOMEM;
	grown[++*count] = NULL;
	return 0;
}

int ecbpf_interfaces(char ***names)
{
	char **list = calloc(1, sizeof(*list)), path[ECBPF_PATH_MAX];
	struct dirent *entry;
	size_t count = 0;
	DIR *folder;
	int err;

	if (!list)
		return -ENOMEM;
	err = ecbpf_pins_netns_path(path);
	folder = err ? NULL : opendir(path);
	if (!err && !folder && errno != ENOENT)
		err = ecbpf_fail_kernel(-errno, "%s: reading failed", path);
	while (!err && folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			err = append_name(&list, &count, path, entry->d_name);
	if (folder)
		closedir(folder);
	if (err) {
		ecbpf_names_free(list);
		return err;
	}
	qsort(list, count, sizeof(*list), compare_names);
	*names = list;
	return 0;
}
