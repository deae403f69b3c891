/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the files of libecbpf share with each other and with nobody else. */
#ifndef ECBPF_INTERNAL_H
#define ECBPF_INTERNAL_H

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <ecbpf/ecbpf.h>

#define ECBPF_PATH_MAX	   PATH_MAX
#define ECBPF_LOCK_SECONDS 10

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Pins of an interface, of a generation, of a slot's instance. */
#define ECBPF_NOP_PIN  "nop"
#define ECBPF_META_PIN "meta"
#define ECBPF_LINK_PIN "link"
#define ECBPF_ROOT_PIN "root"
/* Behind the name of a pin that is to take another's place. */
#define ECBPF_NEXT "-next"
/* Where a program waits until the link is switched to it. */
#define ECBPF_ROOT_NEXT_PIN ECBPF_ROOT_PIN ECBPF_NEXT
/* The same program again, loaded by libxdp to extend its dispatcher. */
#define ECBPF_ROOT_DISPATCHED_PIN "root-dispatched"

/* Pins of a generation that subprograms share, in the order of enum root_map. */
enum root_map {
	ROOT_MAP_SLOTS,
	ROOT_MAP_EMITTER,
	ROOT_MAP_XDPCAP,
	ROOT_MAP_PERCPU,
	ROOT_MAP_CONTROL,
	ROOT_MAPS,
};

struct root_map_name {
	/* In BPF objects. */
	const char *map;
	/* In the pin folder, where dots are refused. */
	const char *pin;
};

extern const struct root_map_name ecbpf_root_maps[ROOT_MAPS];

/**
 * struct ecbpf_interface - an interface and its pin folder
 * @ifindex: 0: gone
 * @folder: descriptor of the pin folder, which carries the lock; -1 for readers
 * @link: descriptor, -1: none
 * @link_program: id of the program that the link runs, 0: none or the link is dead
 * @meta: what the pinned "meta" says; ifindex 0: nothing pinned
 */
struct ecbpf_interface {
	char name[IF_NAMESIZE];
	char path[ECBPF_PATH_MAX];
	unsigned int ifindex;
	int folder;
	int link;
	uint32_t link_program;
	struct ecbpf_interface_meta meta;
};

/**
 * struct ecbpf_root - a generation
 * @interface: owned if @owns_interface
 * @program: root program's descriptor
 * @maps: descriptors by enum root_map
 */
struct ecbpf_root {
	struct ecbpf_interface *interface;
	bool owns_interface;
	uint32_t number;
	char path[ECBPF_PATH_MAX];
	int program;
	int meta_map;
	int maps[ROOT_MAPS];
	struct ecbpf_generation_meta meta;
	char slot_name[ECBPF_NAME_MAX];
};

static inline void ecbpf_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void ecbpf_freep(void *pointer)
{
	free(*(void **)pointer);
}

#define CLEANUP_FD   __attribute__((cleanup(ecbpf_closep)))
#define CLEANUP_FREE __attribute__((cleanup(ecbpf_freep)))

/* capabilities.c: as ecbpf_fail(), and names the capabilities that are missing if that is why. */
int ecbpf_fail_kernel(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* progress.c: clear the line of the bar that is drawn, if any, for something else. */
void ecbpf_progress_hide(void);

/* bpffs.c: where it is; and that it is there, mounted if need be. */
const char *ecbpf_bpffs(void);
int ecbpf_bpffs_ready(void);

/* pins.c: paths are absolute; names are single components. */
int ecbpf_pins_netns_path(char *path);
int ecbpf_pins_interface_path(const char *name, char *path);
void ecbpf_pins_interface_name(const char *component, char *name);
int ecbpf_path(char *path, const char *folder, const char *name);
int ecbpf_pin(int fd, const char *folder, const char *name);
int ecbpf_pin_over(int fd, const char *folder, const char *name);
int ecbpf_pin_open(const char *folder, const char *name);
int ecbpf_pin_remove(const char *folder, const char *name);
int ecbpf_folder_make(const char *path);
int ecbpf_folder_empty(const char *path);
int ecbpf_folder_remove(const char *path);
int ecbpf_folder_numbers(const char *path, const char *prefix, uint32_t **numbers);

/* sweep.c */
void ecbpf_pins_sweep(void);

/*
 * rename.c: whether what is pinned in @folder under @name is attached to an interface that is called
 * @now; move all such pins to where they are looked for; find those of @name without moving them.
 */
bool ecbpf_pins_renamed(const char *folder, const char *name, char *now);
void ecbpf_pins_follow(void);
void ecbpf_pins_find(const char *name, char *path);

/* objects.c: of programs and maps, by descriptor or pin. */
uint32_t ecbpf_program_id(int fd);
uint32_t ecbpf_pinned_program_id(const char *folder, const char *name);
uint64_t ecbpf_program_loaded(int fd);
int ecbpf_map_read(int fd, void *value, size_t size);
int ecbpf_map_write(int fd, const void *value);
int ecbpf_pinned_map_read(const char *folder, const char *name, void *value, size_t size);
int ecbpf_pin_value(const char *folder, const char *name, const void *value, size_t size);

/* link.c: the XDP link of an interface. */
int ecbpf_link_open(struct ecbpf_interface *interface);
/* Of the link pinned in @folder: where it is attached, 0: dead; or a negative errno. */
int ecbpf_link_ifindex(const char *folder, unsigned int *ifindex);
bool ecbpf_link_moved(const struct ecbpf_interface *interface);
int ecbpf_link_create(struct ecbpf_interface *interface, int program, enum ecbpf_mode mode);
int ecbpf_link_update(struct ecbpf_interface *interface, int program);
uint32_t ecbpf_link_foreign(unsigned int ifindex);

/* interface_meta.c */
int ecbpf_interface_meta_read(struct ecbpf_interface *interface);
int ecbpf_interface_meta_write(struct ecbpf_interface *interface);
void ecbpf_interface_restore_rxvlan(const struct ecbpf_interface *interface);

/* interface.c */
int ecbpf_interface_open_readonly(const char *name, struct ecbpf_interface **out);
enum ecbpf_attachment ecbpf_interface_attachment(const struct ecbpf_interface *interface);

/* root_handle.c: takes @interface over only if owns_interface is set. */
struct ecbpf_root *ecbpf_root_new(struct ecbpf_interface *interface, uint32_t number);

/* generation_find.c */
bool ecbpf_generation_is_live(const struct ecbpf_interface *interface, uint32_t number);
bool ecbpf_generation_is_staged(const struct ecbpf_interface *interface, uint32_t number);
int ecbpf_generation_abi(const struct ecbpf_interface *interface, uint32_t number, uint32_t *abi);
int ecbpf_generation_find(const struct ecbpf_interface *interface, enum ecbpf_which which,
			  uint32_t *number);
void ecbpf_generations_clean(const struct ecbpf_interface *interface);
void ecbpf_generation_path(const struct ecbpf_interface *interface, uint32_t number, char *path);

/* generation.c */
int ecbpf_generation_load(struct ecbpf_interface *interface, uint32_t number,
			  struct ecbpf_root **root);

/* log.c: keep errors back, and then tell the first of them or none. */
void ecbpf_log_hold(void);
void ecbpf_log_release(bool tell);

/*
 * steady.c: @read under no lock, once more if it gives -ESTALE, and as long as a loader is at work
 * if it gives -ENOENT, or 1 for what looks like half of a loader's work; 1 becomes 0 in the end. It
 * may keep the interface, and sets it to NULL then.
 */
int ecbpf_read_steadily(const char *name,
			int (*read)(struct ecbpf_interface **interface, void *context),
			void *context);

/* slot.c: path of the folder whose program runs in @slot. */
int ecbpf_slot_path(struct ecbpf_root *root, unsigned int slot, char *path);

/* ethtool.c: whether tags are taken out of frames before XDP sees them. */
int ecbpf_rxvlan_get(const char *interface, bool *on);
int ecbpf_rxvlan_set(const char *interface, bool on);

#endif
