// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Drops datagrams to one UDP port: the loader of slot 3. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <ecbpf/tool.h>
#include <linux/bpf.h>

#include "udp_drop.h"
#include "udp_drop.skel.h"

#define SLOT	3
#define PROGRAM "udp_drop_prog"

enum mode {
	MODE_ATTACH = 1,
	MODE_DETACH,
	MODE_STATUS,
};

#define ALL (ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_DETACH) | ECBPF_WITH(MODE_STATUS))

static struct {
	int mode;
	struct ecbpf_strings interfaces;
	uint64_t port;
	bool stage;
} env;

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Modes"),
	ECBPF_OPTION_MODE_ROW("attach", 'a', MODE_ATTACH,
			      "Drop datagrams to --port; over a running one, change the port"),
	ECBPF_OPTION_MODE_ROW("detach", 'D', MODE_DETACH, "Drop no more"),
	ECBPF_OPTION_MODE_ROW("status", 's', MODE_STATUS,
			      "Show the port and how many datagrams were dropped"),
	ECBPF_OPTION_GROUP_ROW("Options"),
	ECBPF_OPTION_INTERFACE_ROW(&env.interfaces, ALL, ALL, 0),
	{
		.name = "port",
		.letter = 'p',
		.kind = ECBPF_OPTION_UNSIGNED,
		.target = &env.port,
		.min = 1,
		.max = UINT16_MAX,
		.with = ECBPF_WITH(MODE_ATTACH),
		.required_with = ECBPF_WITH(MODE_ATTACH),
		.metavar = "PORT",
		.help = "Destination port",
	},
	ECBPF_OPTION_FLAG_ROW("stage", 0, &env.stage,
			      ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_DETACH),
			      "Work on the staged generation"),
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "udp_drop",
	.summary = "Drops datagrams to one UDP port.",
	.options = options,
	.mode = &env.mode,
	.examples = "udp_drop --attach --port 9 --interface eth0\n"
		    "udp_drop --status --interface eth0",
};

/* Slot 3 is anybody's: 1 if we have it, 0 if nobody has, -EBUSY if somebody else does. */
static int owned(struct ecbpf_root *root)
{
	const char *name = ecbpf_slot_program_name(root, SLOT);

	if (name && !strcmp(name, PROGRAM))
		return 1;
	if (!ecbpf_slot_program_id(root, SLOT))
		return 0;
	return ecbpf_fail(-EBUSY, "%s: slot %d is taken by %s; empty it with its own loader",
			  ecbpf_root_interface(root), SLOT, name ? name : "another program");
}

static int load(struct ecbpf_root *root, struct udp_drop_bpf *skeleton)
{
	const struct udp_drop_config config = { .port = htons(env.port) };
	const char *interface = ecbpf_root_interface(root);
	uint32_t zero = 0;
	int err;

	err = ecbpf_subprogram_prepare(root, skeleton->obj);
	if (err)
		return err;
	err = udp_drop_bpf__load(skeleton);
	if (err)
		return ecbpf_fail(err, "%s: loading " PROGRAM ": %s; --debug tells more", interface,
				  strerror(-err));
	if (bpf_map_update_elem(bpf_map__fd(skeleton->maps.config), &zero, &config, BPF_ANY))
		return ecbpf_fail(-errno, "%s: setting the port: %s", interface, strerror(errno));
	return ecbpf_slot_replace(root, SLOT, skeleton->obj, skeleton->progs.udp_drop_prog);
}

static int attach(struct ecbpf_root *root)
{
	struct udp_drop_bpf *skeleton;
	int err = owned(root);

	if (err < 0)
		return err;
	skeleton = udp_drop_bpf__open();
	if (!skeleton)
		return ecbpf_fail(-errno, "opening " PROGRAM ": %s", strerror(errno));
	err = load(root, skeleton);
	udp_drop_bpf__destroy(skeleton);
	return err;
}

static int detach(struct ecbpf_root *root)
{
	int ours = owned(root);

	if (!ours)
		return ecbpf_fail(-ENOENT, "%s: nothing of ours in slot %d; nothing to detach",
				  ecbpf_root_interface(root), SLOT);
	return ours < 0 ? ours : ecbpf_slot_clear(root, SLOT);
}

static int show(struct ecbpf_root *root)
{
	const char *interface = ecbpf_root_interface(root);
	struct udp_drop_config config;
	struct ecbpf_status status;
	uint32_t zero = 0;
	int fd, err = owned(root);

	if (err <= 0) {
		if (!err)
			printf("%s: not attached\n", interface);
		return err;
	}
	fd = ecbpf_slot_map_open(root, SLOT, "config");
	if (fd < 0)
		return ecbpf_fail(fd, "%s: opening the map 'config': %s", interface, strerror(-fd));
	err = bpf_map_lookup_elem(fd, &zero, &config) ? -errno : 0;
	close(fd);
	if (err)
		return ecbpf_fail(err, "%s: reading the port: %s", interface, strerror(-err));
	err = ecbpf_status_read(interface, &status);
	if (!err)
		printf("%s: port %u, %" PRIu64 " dropped\n", interface, ntohs(config.port),
		       status.slots[SLOT].actions[XDP_DROP]);
	return err;
}

static int work(const char *interface)
{
	enum ecbpf_which which = env.stage ? ECBPF_STAGED : ECBPF_LIVE;
	struct ecbpf_root *root;
	int err;

	err = env.mode == MODE_STATUS ? ecbpf_root_open_readonly(interface, which, &root) :
					ecbpf_root_open(interface, which, &root);
	if (err)
		return err;
	switch ((enum mode)env.mode) {
	case MODE_ATTACH:
		err = attach(root);
		break;
	case MODE_DETACH:
		err = detach(root);
		break;
	case MODE_STATUS:
		err = show(root);
		break;
	}
	ecbpf_root_close(root);
	return err;
}

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv), err = 0;
	size_t i;

	if (status == ECBPF_OPTIONS_OK) {
		for (i = 0; i < env.interfaces.count && !err; i++)
			err = work(env.interfaces.items[i]);
		status = ecbpf_output_finish(ecbpf_exit_code(err));
	}
	ecbpf_strings_free(&env.interfaces);
	return status;
}
