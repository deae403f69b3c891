// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "samplers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "programs.h"
#include "xdp_root.skel.h"
#include "xdp_sampler.skel.h"

static int take(void *context, void *data, size_t size)
{
	struct sampler *sampler = context;

	assert_true(size >= sizeof(sampler->record.head));
	assert_true(size <= sizeof(sampler->record));
	memcpy(&sampler->record, data, size);
	assert_int_equal(sampler->record.head.captured, size - sizeof(sampler->record.head));
	sampler->records++;
	if (sampler->seen)
		sampler->seen(&sampler->record.head);
	return 0;
}

static struct sampler_filter *compile(struct sampler *sampler)
{
	struct sampler_filter *filter = NULL;

	sampler->settings.config.filtered = sampler->settings.filter[0] != '\0';
	if (sampler->settings.config.filtered)
		assert_int_equal(sampler_filter_compile(sampler->settings.filter,
							sampler->settings.config.snaplen, &filter),
				 0);
	return filter;
}

static void share(struct sampler *sampler, const struct sampler *before)
{
	struct xdp_sampler_bpf *skeleton = sampler->skeleton;

	assert_int_equal(bpf_map__reuse_fd(skeleton->maps.samples,
					   bpf_map__fd(before->skeleton->maps.samples)),
			 0);
	assert_int_equal(bpf_map__reuse_fd(skeleton->maps.counts,
					   bpf_map__fd(before->skeleton->maps.counts)),
			 0);
}

static void default_to(__u32 *value, __u32 usual)
{
	if (!*value)
		*value = usual;
}

void sampler_load(struct sampler *sampler, struct harness *harness,
		  const struct sampler_settings *settings, const struct sampler *before)
{
	struct sampler_config *config = &sampler->settings.config;
	struct sampler_filter *filter;

	memset(sampler, 0, sizeof(*sampler));
	sampler->harness = harness;
	sampler->settings = *settings;
	default_to(&config->rate, 1);
	default_to(&config->snaplen, SAMPLER_SNAPLEN_DEFAULT);
	if (!sampler->settings.ring)
		sampler->settings.ring = SAMPLER_RING;
	programs_scale(config);
	sampler->skeleton = xdp_sampler_bpf__open();
	assert_non_null(sampler->skeleton);
	harness_prepare(harness, sampler->skeleton->obj);
	filter = compile(sampler);
	assert_int_equal(programs_prepare(sampler->skeleton, &sampler->settings), 0);
	sampler->skeleton->rodata->ecbpf_frags = harness->frags;
	if (before)
		share(sampler, before);
	assert_int_equal(xdp_sampler_bpf__load(sampler->skeleton), 0);
	assert_int_equal(programs_complete(sampler->skeleton, &sampler->settings, filter,
					   harness->frags),
			 0);
	sampler_filter_free(filter);
	sampler->ring =
		ring_buffer__new(bpf_map__fd(sampler->skeleton->maps.samples), take, sampler, NULL);
	assert_non_null(sampler->ring);
}

void sampler_join_slot(struct sampler *sampler)
{
	harness_fill(sampler->harness, ECBPF_SLOT_SAMPLER,
		     bpf_program__fd(sampler->skeleton->progs.xdp_sampler_prog));
}

void sampler_join_emitter(struct sampler *sampler)
{
	assert_int_equal(
		harness_join(bpf_map__fd(sampler->harness->root->maps.ecbpf_emitter), 0,
			     bpf_program__fd(sampler->skeleton->progs.xdp_sampler_emitter)),
		0);
}

void sampler_open(struct sampler *sampler, struct harness *harness,
		  const struct sampler_settings *settings, const struct sampler *before)
{
	sampler_load(sampler, harness, settings, before);
	sampler_join_emitter(sampler);
	sampler_join_slot(sampler);
}

void sampler_close(struct sampler *sampler)
{
	ring_buffer__free(sampler->ring);
	xdp_sampler_bpf__destroy(sampler->skeleton);
	sampler->ring = NULL;
	sampler->skeleton = NULL;
}

uint64_t sampler_read(struct sampler *sampler)
{
	sampler->records = 0;
	assert_true(ring_buffer__consume(sampler->ring) >= 0);
	return sampler->records;
}

void sampler_counts_read(const struct sampler *sampler, struct sampler_counts *counts)
{
	const __u64 *values = counts->values;

	harness_sum(bpf_map__fd(sampler->skeleton->maps.counts), (uint64_t *)counts,
		    sizeof(*counts));
	assert_int_equal(values[SAMPLER_COUNT_PICKED],
			 values[SAMPLER_COUNT_EMITTED] + values[SAMPLER_COUNT_FILTERED] +
				 values[SAMPLER_COUNT_RING_FULL] + values[SAMPLER_COUNT_ABANDONED] +
				 counts->pending);
}

void sampler_run(struct harness *harness, const uint8_t *frame, size_t length, uint32_t repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length,
		    .repeat = repeat);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(harness->root->progs.xdp_root_prog),
						&options),
			 0);
}
