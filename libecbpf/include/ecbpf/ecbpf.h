/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libecbpf: root arrays of XDP subprograms, from user space.
 *
 * Functions return 0 or a negative errno, tell the reason through the log callback, and leave
 * out-parameters untouched on failure. Handles are not thread-safe. Since 0.1 throughout.
 *
 * State lives in pins under BPFFS/ecbpf/NETNS-INODE/IFNAME/ (BPFFS is /sys/fs/bpf, or what the
 * environment's ECBPF_BPFFS says); see ARCHITECTURE for what is there.
 */
#ifndef ECBPF_ECBPF_H
#define ECBPF_ECBPF_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ecbpf/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bpf_object;
struct bpf_program;
struct ecbpf_interface;
struct ecbpf_root;

/* Logging ------------------------------------------------------------------------------- */

enum ecbpf_log_level {
	ECBPF_LOG_ERROR,
	ECBPF_LOG_WARNING,
	ECBPF_LOG_INFO,
	ECBPF_LOG_DEBUG,
};

typedef void (*ecbpf_log_callback)(enum ecbpf_log_level level, const char *message, void *context);

/**
 * ecbpf_log_set() - who receives messages (one line each, without a newline), up to which level
 *
 * Initially errors, warnings and infos go to stderr. At ECBPF_LOG_DEBUG libbpf's own words and
 * the verifier's come too.
 */
void ecbpf_log_set(ecbpf_log_callback callback, void *context, enum ecbpf_log_level level);

/* Send a message through the callback. */
void ecbpf_log(enum ecbpf_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Log as an error and give @err back. */
int ecbpf_fail(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The sysexits.h code that stands for @err, a negative errno of this library; 0 for 0. -EROFS:
 * EX_CANTCREAT, for an output that can't be created, whatever open() said.
 */
int ecbpf_exit_code(int err);

/* Names, with spaces between, of the capabilities that loading takes and this process lacks. */
const char *ecbpf_capabilities_missing(void);

/* Root arrays ---------------------------------------------------------------------------- */

enum ecbpf_which {
	ECBPF_LIVE,
	ECBPF_STAGED,
};

/**
 * ecbpf_root_open() - take hold of an interface's root array and its lock
 * @interface: name in this network namespace
 * @which: the generation that packets go through, or the one being staged
 * @root: out; ecbpf_root_close() it
 *
 * Waits up to 10 s for another loader to finish.
 *
 * Return: -ENODEV: no such interface; -ENOENT: no root array there; -EPROTO: its ABI is another;
 * -EBUSY: locked; -EACCES, -EPERM: capabilities or access to the pins are missing.
 */
int ecbpf_root_open(const char *interface, enum ecbpf_which which, struct ecbpf_root **root);

/* As ecbpf_root_open(), without the lock, for looking only. */
int ecbpf_root_open_readonly(const char *interface, enum ecbpf_which which,
			     struct ecbpf_root **root);

/* Also accepts NULL. */
void ecbpf_root_close(struct ecbpf_root *root);

/* Whether another took its place since: who opened it without the lock opens it anew. */
bool ecbpf_root_gone(const struct ecbpf_root *root);

/**
 * ecbpf_root_present() - whether @interface has such a generation
 *
 * Return: 0 if there is no live one, too; -ENOENT, having said so: there is no staged one.
 */
int ecbpf_root_present(const char *interface, enum ecbpf_which which, bool *present);

/**
 * ecbpf_root_look() - read of one of @interface's generations, without the lock
 * @look: returns -ESTALE where what it read may be of two instances, or of a generation that is
 *	gone: it is asked again
 *
 * Return: as ecbpf_root_open(), or what @look returned; -EAGAIN if that goes on.
 */
int ecbpf_root_look(const char *interface, enum ecbpf_which which,
		    int (*look)(struct ecbpf_root *root, void *context), void *context);

const char *ecbpf_root_interface(const struct ecbpf_root *root);
unsigned int ecbpf_root_ifindex(const struct ecbpf_root *root);
bool ecbpf_root_frags(const struct ecbpf_root *root);

/**
 * ecbpf_subprogram_prepare() - fit an opened, not yet loaded object to @root
 *
 * Points the maps of <ecbpf/subprogram.bpf.h> at the root array's, sets the attach type that
 * prog arrays agree on, and the generation's multi-buffer flag.
 */
int ecbpf_subprogram_prepare(struct ecbpf_root *root, struct bpf_object *object);

/* The part of ecbpf_subprogram_prepare() that root programs need too: attach type and frags. */
int ecbpf_object_prepare(struct bpf_object *object, bool frags);

/* Point the root program's maps at those of @root, so that it can replace root's program. */
int ecbpf_root_share_maps(struct ecbpf_root *root, struct bpf_object *object);

/**
 * ecbpf_slot_replace() - put @program of the loaded @object into @slot, atomically
 * @slot: 0 to 7
 *
 * Pins the program and the object's own maps (whose names have no dot). What was in the slot
 * before goes on until the very instant of the change; on failure it stays.
 */
int ecbpf_slot_replace(struct ecbpf_root *root, unsigned int slot, struct bpf_object *object,
		       struct bpf_program *program);

/**
 * ecbpf_emitter_replace() - which program records packets that are marked ECBPF_SAMPLED
 *
 * The verdict hook calls it instead of returning; it ends with ecbpf_xdpcap() and the action in
 * struct ecbpf_packet.
 */
int ecbpf_emitter_replace(struct ecbpf_root *root, struct bpf_program *program);

/* Marked packets go unrecorded from now on. */
int ecbpf_emitter_clear(struct ecbpf_root *root);

/* Empty @slot and remove its pins; -ENOENT when nothing is there. */
int ecbpf_slot_clear(struct ecbpf_root *root, unsigned int slot);

/**
 * ecbpf_slot_map_open() - a map of the program that runs in @slot, by name
 *
 * Return: a descriptor to close(), -ENOENT: slot empty or no such map pinned.
 */
int ecbpf_slot_map_open(struct ecbpf_root *root, unsigned int slot, const char *name);

/**
 * ecbpf_slot_lock() - be the only process of its kind at what @slot holds, a ring's reader say
 *
 * From the first program in an empty slot on until the slot is emptied; programs may be replaced
 * meanwhile. Loaders don't take this lock, nor does it keep them off. It ends with the process.
 *
 * Return: a descriptor to close(), -ENOENT: slot empty, -EBUSY: another has it, -ESTALE: the slot
 * was emptied meanwhile.
 */
int ecbpf_slot_lock(struct ecbpf_root *root, unsigned int slot);

/* Whether a process has it. */
bool ecbpf_slot_is_locked(struct ecbpf_root *root, unsigned int slot);

/* Program id in @slot, 0 when empty. */
uint32_t ecbpf_slot_program_id(struct ecbpf_root *root, unsigned int slot);

/* Full name of the program in @slot, or NULL when the slot is empty or taken by a program
 * that has no pins there. Valid until the handle is closed.
 */
const char *ecbpf_slot_program_name(struct ecbpf_root *root, unsigned int slot);

/* Status --------------------------------------------------------------------------------- */

enum ecbpf_mode {
	ECBPF_MODE_AUTO,
	ECBPF_MODE_NATIVE,
	ECBPF_MODE_GENERIC,
	ECBPF_MODE_LIBXDP,
};

/**
 * struct ecbpf_program_status - a program and the verdicts that it gave
 * @id: kernel's program id, 0: the slot is empty
 * @name: in full
 * @loaded: ns since the Unix epoch
 * @actions: packets by action, see ECBPF_ACTIONS
 */
struct ecbpf_program_status {
	uint32_t id;
	char name[ECBPF_NAME_MAX];
	uint64_t loaded;
	uint64_t actions[ECBPF_ACTIONS];
};

enum ecbpf_attachment {
	ECBPF_DETACHED,
	ECBPF_ATTACHED,
	/* The program that passes everything is attached; no root array. */
	ECBPF_ATTACHED_NOP,
	/* A program of somebody else's is on the interface. */
	ECBPF_FOREIGN,
	/* Pins are left of an interface that is gone or was made anew. */
	ECBPF_STALE,
};

/**
 * struct ecbpf_status - an interface at one moment
 * @ifindex: 0: there is no such interface now
 * @generation: number of the live generation; 0: none
 * @staged: number of the staged generation; 0: none
 * @abi: of the live generation; counters are read only if it is ECBPF_ABI
 * @foreign_id: program id with ECBPF_FOREIGN
 * @reasons: packets by enum ecbpf_reason
 */
struct ecbpf_status {
	char name[IF_NAMESIZE];
	unsigned int ifindex;
	enum ecbpf_attachment attachment;
	enum ecbpf_mode mode;
	bool frags;
	uint32_t generation;
	uint32_t staged;
	uint32_t abi;
	uint32_t foreign_id;
	struct ecbpf_program_status root;
	struct ecbpf_program_status slots[ECBPF_SLOTS];
	uint64_t reasons[ECBPF_REASON_MAX];
};

/* Fill in @status; -ENODEV: neither an interface nor pins of that name. Takes no lock. */
int ecbpf_status_read(const char *interface, struct ecbpf_status *status);

/*
 * Packets by enum ecbpf_reason, summed over CPUs, since @root's generation was made, whatever was set
 * to zero since. Return: -errno, saying nothing.
 */
int ecbpf_reasons_read(struct ecbpf_root *root, uint64_t counts[ECBPF_REASON_MAX]);

/* Set all counters of @root to zero; concurrent packets are not lost from later counts. */
int ecbpf_counters_clear(struct ecbpf_root *root);

/**
 * ecbpf_interfaces() - names that have pins in this network namespace, sorted
 * @names: out: a NULL-terminated array, free it with ecbpf_names_free()
 */
int ecbpf_interfaces(char ***names);
void ecbpf_names_free(char **names);

/* Whether this release has a name for the code. */
bool ecbpf_reason_is_known(unsigned int reason);
/* enum ecbpf_reason as text; "unknown" and "" for codes beyond the list. */
const char *ecbpf_reason_name(unsigned int reason);
const char *ecbpf_reason_sentence(unsigned int reason);
/* "XDP_ABORTED" …, "XDP_INVALID_ACTION" for ECBPF_ACTION_INVALID. */
const char *ecbpf_action_name(unsigned int action);
/* "native", "generic" … */
const char *ecbpf_mode_name(enum ecbpf_mode mode);

/* Attaching ------------------------------------------------------------------------------ */

enum ecbpf_interface_flags {
	/* Make the pin folder when it is missing, clear away that of a former interface. */
	ECBPF_INTERFACE_CREATE = 1 << 0,
	/* Succeed for a name that only has pins left. */
	ECBPF_INTERFACE_GONE = 1 << 1,
};

/* Lock an interface's pins, for what works on whole generations. Errors as ecbpf_root_open(). */
int ecbpf_interface_open(const char *name, unsigned int flags, struct ecbpf_interface **out);

/* Removes the pin folder if nothing is in it. Also accepts NULL. */
void ecbpf_interface_close(struct ecbpf_interface *interface);

const char *ecbpf_interface_name(const struct ecbpf_interface *interface);
unsigned int ecbpf_interface_ifindex(const struct ecbpf_interface *interface);

/* Whether the interface's link is there: a root array or the pass-everything program. */
bool ecbpf_interface_attached(const struct ecbpf_interface *interface);
enum ecbpf_mode ecbpf_interface_mode(const struct ecbpf_interface *interface);

/* Open a generation under the lock that @interface holds, which must outlive @root. */
int ecbpf_generation_open(struct ecbpf_interface *interface, enum ecbpf_which which,
			  struct ecbpf_root **root);

/**
 * ecbpf_generation_create() - pin a loaded root object as a generation that isn't live yet
 * @program: the root program in @object
 * @frags: its programs are loaded with the multi-buffer flag
 *
 * Return: -EEXIST: there is a staged generation already.
 */
int ecbpf_generation_create(struct ecbpf_interface *interface, struct bpf_object *object,
			    struct bpf_program *program, bool frags, struct ecbpf_root **root);

/*
 * Keep @root, not live yet, for loaders to fill with --stage until it is activated.
 * @mode: for the attachment, should there be none then; ECBPF_MODE_AUTO: whoever activates it says
 */
int ecbpf_generation_stage(struct ecbpf_root *root, enum ecbpf_mode mode);

/* The mode that it was staged for. */
enum ecbpf_mode ecbpf_generation_mode(const struct ecbpf_root *root);

/**
 * ecbpf_generation_activate() - let packets go through @root from now on, with one link update
 * @mode: for a new link; an existing one keeps its own
 *
 * Removes the generation that was live. Return: -EBUSY: a foreign program is there; -ERANGE:
 * the MTU is too large for this program in this mode.
 */
int ecbpf_generation_activate(struct ecbpf_root *root, enum ecbpf_mode mode);

/**
 * ecbpf_generation_adopt() - say that a dispatcher calls @program, a root program over @root's maps
 * @program: descriptor
 *
 * For programs that libxdp attached: there is no link of ours then. Makes @root the live
 * generation and removes the one before.
 */
int ecbpf_generation_adopt(struct ecbpf_root *root, int program);

/* Descriptor to close() of the program given to ecbpf_generation_adopt(), -ENOENT: none. */
int ecbpf_interface_dispatched(const struct ecbpf_interface *interface);

/* Swap another root program into @root's generation, atomically; slots and counters stay. */
int ecbpf_root_replace(struct ecbpf_root *root, struct bpf_program *program);

/* Remove a generation that isn't live; closes @root. */
int ecbpf_generation_remove(struct ecbpf_root *root);

/* Remove the staged generation, of whatever ABI. */
int ecbpf_generation_abort(struct ecbpf_interface *interface);

/**
 * ecbpf_interface_attach_nop() - a program that passes everything instead of the root array
 *
 * With no link yet, one is made in @mode. Generations are removed.
 */
int ecbpf_interface_attach_nop(struct ecbpf_interface *interface, struct bpf_program *program,
			       enum ecbpf_mode mode);

/* Take the link and every pin away. */
int ecbpf_interface_detach(struct ecbpf_interface *interface);

/* Move a link to another mode: the one change that packets notice (unfiltered for an instant). */
int ecbpf_interface_set_mode(struct ecbpf_interface *interface, enum ecbpf_mode mode);

/* Turn rx-vlan offload off until detach, so that programs see VLAN tags; says so. */
int ecbpf_interface_rxvlan_off(struct ecbpf_interface *interface);

/* ABI number of the live generation, 0 when there is none. */
uint32_t ecbpf_interface_abi(const struct ecbpf_interface *interface);

/* MTU in octets, or a negative errno. */
int ecbpf_mtu(const char *interface);

/* Features ------------------------------------------------------------------------------- */

/* Whether this kernel loads multi-buffer XDP programs (5.18). */
bool ecbpf_have_frags(void);
/* Whether XDP programs can copy from anywhere in a frame (bpf_xdp_load_bytes, 5.18). */
bool ecbpf_have_load_bytes(void);
/* Whether XDP programs can ask for the MTU (bpf_check_mtu, 5.12). */
bool ecbpf_have_check_mtu(void);

#ifdef __cplusplus
}
#endif

#endif
