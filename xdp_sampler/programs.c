// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* xdp_sampler's programs, made ready before they are loaded, and after. */
#include "programs.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <ecbpf/abi.h>

#include "distance.h"
#include "filter_xdp.h"
#include "xdp_sampler.skel.h"

void programs_scale(struct sampler_config *config)
{
	/* A rate of 1 needs no dice. */
	if (config->rate == 1)
		config->random = 0;
	else
		config->scale = llround(65536.0 / -log2(1.0 - 1.0 / config->rate));
}

static void set_constants(struct xdp_sampler_bpf *skeleton, const struct sampler_config *config)
{
	uint32_t *table = (uint32_t *)skeleton->rodata->distance_log2;
	int i;

	memcpy((void *)&skeleton->rodata->sampler_config, config, sizeof(*config));
	for (i = 0; i <= DISTANCE_TABLE; i++)
		table[i] = lround(65536.0 * log2(1.0 + (double)i / DISTANCE_TABLE));
}

int programs_prepare(struct xdp_sampler_bpf *skeleton, const struct sampler_settings *settings)
{
	const uint32_t room = (settings->config.snaplen + 7) & ~7U;
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 0)
		return cpus;
	set_constants(skeleton, &settings->config);
	return bpf_map__set_max_entries(skeleton->maps.aside, cpus) ?:
		       bpf_map__set_value_size(skeleton->maps.aside, sizeof(struct sampler_aside) + room) ?:
		       bpf_map__set_max_entries(skeleton->maps.samples, settings->ring);
}

static int put_stage(struct xdp_sampler_bpf *skeleton, uint32_t stage, int fd)
{
	return bpf_map_update_elem(bpf_map__fd(skeleton->maps.stages), &stage, &fd, BPF_ANY) ?
		       -errno :
		       0;
}

/* Without a stage of its own, every packet that was picked is marked. */
static int put_filter(struct xdp_sampler_bpf *skeleton, struct sampler_settings *settings,
		      const struct sampler_filter *filter, bool frags)
{
	const struct classic_insn *code;
	size_t count;
	int fd, err;

	if (!filter)
		return 0;
	code = sampler_filter_code(filter, &count);
	fd = filter_xdp_load(code, count, bpf_map__fd(skeleton->maps.stages), frags);
	if (fd == -EOPNOTSUPP) {
		settings->config.filtered = 0;
		return 0;
	}
	if (fd < 0)
		return fd;
	err = put_stage(skeleton, SAMPLER_STAGE_FILTER, fd);
	close(fd);
	return err;
}

int programs_complete(struct xdp_sampler_bpf *skeleton, struct sampler_settings *settings,
		      const struct sampler_filter *filter, bool frags)
{
	const int mark = bpf_program__fd(skeleton->progs.xdp_sampler_mark);
	const int skip = bpf_program__fd(skeleton->progs.xdp_sampler_skip);
	uint32_t zero = 0;
	int err;

	err = put_stage(skeleton, SAMPLER_STAGE_MARK, mark)	    ?:
		      put_stage(skeleton, SAMPLER_STAGE_SKIP, skip) ?:
		      put_filter(skeleton, settings, filter, frags);
	if (!err &&
	    bpf_map_update_elem(bpf_map__fd(skeleton->maps.settings), &zero, settings, BPF_ANY))
		err = -errno;
	return err;
}
