// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "subject.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "attach.h"
#include "empty_0.skel.h"
#include "empty_3.skel.h"
#include "empty_4.skel.h"
#include "empty_6.skel.h"
#include "instance.h"
#include "testbed.h"

static const struct root_options options = {
	.mode = ECBPF_MODE_NATIVE,
	.frags = 0,
	.keep_rxvlan = true,
};

int subject_open(struct subject *subject)
{
	return subject_open_at(SUBJECT_INTERFACE, SUBJECT_PEER, subject);
}

int subject_open_at(const char *interface, const char *peer, struct subject *subject)
{
	char *names[] = { (char *)interface, NULL };
	struct ecbpf_strings interfaces = { names, 1 };
	int err;

	*subject = (struct subject){ .interface = interface, .program = -1 };
	err = testbed_add_pair(interface, peer);
	if (err)
		return err;
	err = root_attach(&interfaces, &options);
	if (!err)
		err = ecbpf_root_open(interface, ECBPF_LIVE, &subject->root);
	if (!err) {
		subject->program = testbed_program(interface);
		err = subject->program < 0 ? subject->program : 0;
	}
	if (err)
		subject_close(subject);
	return err;
}

void subject_close(struct subject *subject)
{
	char *names[] = { (char *)subject->interface, NULL };
	struct ecbpf_strings interfaces = { names, 1 };

	if (subject->program >= 0)
		close(subject->program);
	ecbpf_root_close(subject->root);
	root_detach(&interfaces, &options);
	testbed_delete(subject->interface);
	*subject = (struct subject){ .program = -1 };
}

/* The program that an empty_N object holds, put into slot N. */
static int fill(struct subject *subject, unsigned int slot, struct bpf_object *object)
{
	struct bpf_program *program = bpf_object__next_program(object, NULL);
	int err;

	err = ecbpf_subprogram_prepare(subject->root, object) ?: bpf_object__load(object);
	return err ?: ecbpf_slot_replace(subject->root, slot, object, program);
}

#define FILL_EMPTY(subject, slot)                                                 \
	({                                                                        \
		struct empty_##slot##_bpf *skeleton = empty_##slot##_bpf__open(); \
		int err = skeleton ? fill(subject, slot, skeleton->obj) : -errno; \
                                                                                  \
		empty_##slot##_bpf__destroy(skeleton);                            \
		err;                                                              \
	})

int subject_fill_empty(struct subject *subject, unsigned int count)
{
	int err = 0;

	if (count > 0)
		err = FILL_EMPTY(subject, 0);
	if (count > 1 && !err)
		err = FILL_EMPTY(subject, 3);
	if (count > 2 && !err)
		err = FILL_EMPTY(subject, 4);
	if (count > 3 && !err)
		err = FILL_EMPTY(subject, 6);
	return err;
}

int subject_fill_filter(struct subject *subject, const struct filter_config *config,
			struct filter_list *list)
{
	struct filter_instance instance;
	int err;

	filter_instance_init(&instance);
	if (config)
		instance.config = *config;
	filter_list_free(&instance.list);
	instance.list = *list;
	memset(list, 0, sizeof(*list));
	err = filter_instance_install(subject->root, &instance, NULL);
	filter_instance_free(&instance);
	return err;
}

int subject_dropped(uint64_t *packets)
{
	struct ecbpf_status status;
	int err = ecbpf_status_read(SUBJECT_INTERFACE, &status);

	if (!err)
		*packets = status.slots[ECBPF_SLOT_FILTER].actions[XDP_DROP];
	return err;
}
