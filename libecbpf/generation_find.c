// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Generations: a root program with the maps that its subprograms share, in a folder gen-N.
 *
 * Live is the one whose root program the link runs: so one link update makes another live, and
 * a loader that dies before or after it leaves nothing to decide. Lower numbers are leftovers.
 */
#include <errno.h>
#include <stdio.h>

#include "internal.h"

void ecbpf_generation_path(const struct ecbpf_interface *interface, uint32_t number, char *path)
{
	int length = snprintf(path, ECBPF_PATH_MAX, "%s/gen-%u", interface->path, number);

	if (length >= ECBPF_PATH_MAX)
		path[0] = '\0';
}

bool ecbpf_generation_is_live(const struct ecbpf_interface *interface, uint32_t number)
{
	char path[ECBPF_PATH_MAX];

	if (!interface->link_program)
		return false;
	ecbpf_generation_path(interface, number, path);
	/* In this order: a program is renamed from the one to the other. */
	return ecbpf_pinned_program_id(path, ECBPF_ROOT_NEXT_PIN) == interface->link_program ||
	       ecbpf_pinned_program_id(path, ECBPF_ROOT_PIN) == interface->link_program ||
	       ecbpf_pinned_program_id(path, ECBPF_ROOT_DISPATCHED_PIN) == interface->link_program;
}

static int read_meta(const struct ecbpf_interface *interface, uint32_t number,
		     struct ecbpf_generation_meta *meta)
{
	char path[ECBPF_PATH_MAX];

	ecbpf_generation_path(interface, number, path);
	return ecbpf_pinned_map_read(path, ECBPF_META_PIN, meta, sizeof(*meta));
}

int ecbpf_generation_abi(const struct ecbpf_interface *interface, uint32_t number, uint32_t *abi)
{
	struct ecbpf_generation_meta meta;
	int err = read_meta(interface, number, &meta);

	if (!err)
		*abi = meta.abi;
	return err;
}

bool ecbpf_generation_is_staged(const struct ecbpf_interface *interface, uint32_t number)
{
	struct ecbpf_generation_meta meta;

	return !read_meta(interface, number, &meta) && meta.state == ECBPF_GENERATION_STAGED;
}

/* -ENOENT: there is none; says nothing. */
int ecbpf_generation_find(const struct ecbpf_interface *interface, enum ecbpf_which which,
			  uint32_t *number)
{
	CLEANUP_FREE uint32_t *numbers = NULL;
	int count = ecbpf_folder_numbers(interface->path, "gen", &numbers), i;

	for (i = count - 1; i >= 0; i--) {
		bool live = ecbpf_generation_is_live(interface, numbers[i]);

		if (which == ECBPF_LIVE ?
			    live :
			    !live && ecbpf_generation_is_staged(interface, numbers[i])) {
			*number = numbers[i];
			return 0;
		}
		if (live)
			break;
	}
	return count < 0 && count != -ENOENT ? count : -ENOENT;
}

/* Pins beside the generations that a loader was interrupted with; whether the link runs nop. */
static bool clean_beside(const struct ecbpf_interface *interface)
{
	const char *path = interface->path;
	uint32_t nop;

	ecbpf_pin_remove(path, ECBPF_META_PIN ECBPF_NEXT);
	ecbpf_pin_remove(path, ECBPF_NOP_PIN ECBPF_NEXT);
	nop = ecbpf_pinned_program_id(path, ECBPF_NOP_PIN);
	if (nop && nop != interface->link_program)
		ecbpf_pin_remove(path, ECBPF_NOP_PIN);
	return nop && nop == interface->link_program;
}

/* Removes what an interrupted loader left, and finishes an interrupted root replacement. */
void ecbpf_generations_clean(const struct ecbpf_interface *interface)
{
	CLEANUP_FREE uint32_t *numbers = NULL;
	int count = ecbpf_folder_numbers(interface->path, "gen", &numbers), i;
	char path[ECBPF_PATH_MAX], next[ECBPF_PATH_MAX], root[ECBPF_PATH_MAX];
	bool nop = clean_beside(interface);
	uint32_t live = 0;

	if (count <= 0 || ecbpf_generation_find(interface, ECBPF_LIVE, &live))
		live = 0;
	/* Some generation does run, and none may go before it is known which. */
	if (!live && interface->link_program && !nop)
		return;
	for (i = 0; i < count; i++) {
		ecbpf_generation_path(interface, numbers[i], path);
		if (numbers[i] == live) {
			if (ecbpf_path(root, path, ECBPF_ROOT_PIN) ||
			    ecbpf_path(next, path, ECBPF_ROOT_NEXT_PIN))
				continue;
			if (ecbpf_pinned_program_id(path, ECBPF_ROOT_NEXT_PIN) ==
			    interface->link_program)
				rename(next, root);
			else
				unlink(next);
		} else if (numbers[i] < live ||
			   !ecbpf_generation_is_staged(interface, numbers[i])) {
			ecbpf_folder_remove(path);
		}
	}
}
