// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Prints a line per packet to the trace pipe: slot 6 of a root array, an example to copy. */
#include <json-c/json.h>

#include <ecbpf/tool.h>

#include "instance.h"
#include "xdp_printk.h"

enum mode {
	MODE_ATTACH = 1,
	MODE_DETACH,
	MODE_STATUS,
};

#define CHANGES (ECBPF_WITH(MODE_ATTACH) | ECBPF_WITH(MODE_DETACH))
#define ALL	(CHANGES | ECBPF_WITH(MODE_STATUS))

static struct {
	int mode;
	struct ecbpf_strings interfaces;
	uint64_t rate;
	bool stage;
	bool json;
} env = { .rate = PRINTK_RATE_DEFAULT };

static const struct ecbpf_option options[] = {
	ECBPF_OPTION_GROUP_ROW("Modes"),
	ECBPF_OPTION_MODE_ROW("attach", 'a', MODE_ATTACH, "Put the program into its slot"),
	ECBPF_OPTION_MODE_ROW("detach", 'D', MODE_DETACH, "Take it away"),
	ECBPF_OPTION_MODE_ROW("status", 's', MODE_STATUS, "Show how many packets had no line"),
	ECBPF_OPTION_GROUP_ROW("Options"),
	ECBPF_OPTION_INTERFACE_ROW(&env.interfaces, ALL, ALL, 0),
	ECBPF_OPTION_UNSIGNED_ROW("rate", &env.rate, 1, 1000000, ECBPF_WITH(MODE_ATTACH), "N",
				  "Print at most N lines in a second and CPU (default 10)"),
	ECBPF_OPTION_FLAG_ROW("stage", 0, &env.stage, CHANGES, "Work on the staged generation"),
	ECBPF_OPTION_FLAG_ROW("json", 'j', &env.json, ECBPF_WITH(MODE_STATUS), "Print JSON"),
	{ 0 },
};

static const struct ecbpf_tool tool = {
	.name = "xdp_printk",
	.summary = "Prints a line per packet to the trace pipe.",
	.options = options,
	.mode = &env.mode,
	.examples = "xdp_printk --attach --interface eth0 --rate 100\n"
		    "xdp_root_loader --trace",
	.overhead = "Some 30 ns per packet for the clock, microseconds for a packet with a line.",
};

static int on_interface(const char *name, struct json_object *array)
{
	const enum ecbpf_which which = env.stage ? ECBPF_STAGED : ECBPF_LIVE;
	struct ecbpf_root *root;
	int err;

	err = env.mode == MODE_STATUS ? ecbpf_root_open_readonly(name, which, &root) :
					ecbpf_root_open(name, which, &root);
	if (err)
		return err;
	if (env.mode == MODE_ATTACH)
		err = printk_attach(root, env.rate);
	else if (env.mode == MODE_DETACH)
		err = printk_detach(root);
	else
		err = printk_status(root, array);
	ecbpf_root_close(root);
	return err;
}

static int run(void)
{
	struct json_object *json = json_object_new_object(), *array = json_object_new_array();
	int err = 0;
	size_t i;

	json_object_object_add(json, "interfaces", array);
	for (i = 0; i < env.interfaces.count && !err; i++)
		err = on_interface(env.interfaces.items[i], env.json ? array : NULL);
	if (!err && env.json)
		return ecbpf_json_print(stdout, json);
	json_object_put(json);
	return err;
}

int main(int argc, char **argv)
{
	int status = ecbpf_options_parse(&tool, argc, argv);

	if (status == ECBPF_OPTIONS_OK)
		status = ecbpf_output_finish(ecbpf_exit_code(run()));
	ecbpf_strings_free(&env.interfaces);
	return status;
}
