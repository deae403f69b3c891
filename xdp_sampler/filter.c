// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* --filter, compiled by libpcap. */
#include "filter.h"

#include <errno.h>
#include <stdlib.h>

#include <pcap/pcap.h>

#include <ecbpf/ecbpf.h>

struct sampler_filter {
	struct bpf_program program;
	struct classic_insn *code;
};

static int copy_code(struct sampler_filter *filter)
{
	size_t i;

	filter->code = calloc(filter->program.bf_len, sizeof(*filter->code));
	if (!filter->code)
		return -ENOMEM;
	for (i = 0; i < filter->program.bf_len; i++) {
		const struct bpf_insn *insn = &filter->program.bf_insns[i];

		filter->code[i] = (struct classic_insn){ insn->code, insn->jt, insn->jf, insn->k };
	}
	return 0;
}

int sampler_filter_compile(const char *expression, uint32_t snaplen, struct sampler_filter **out)
{
	struct sampler_filter *filter = calloc(1, sizeof(*filter));
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, snaplen);
	int err = 0;

	if (!filter || !pcap)
		err = -ENOMEM;
	else if (pcap_compile(pcap, &filter->program, expression, 1, PCAP_NETMASK_UNKNOWN))
		err = ecbpf_fail(-EINVAL, "--filter '%s': %s", expression, pcap_geterr(pcap));
	else
		err = copy_code(filter);
	if (pcap)
		pcap_close(pcap);
	if (err) {
		sampler_filter_free(filter);
		return err;
	}
	*out = filter;
	return 0;
}

void sampler_filter_free(struct sampler_filter *filter)
{
	if (!filter)
		return;
	pcap_freecode(&filter->program);
	free(filter->code);
	free(filter);
}

bool sampler_filter_match(const struct sampler_filter *filter, const uint8_t *data, size_t length,
			  size_t captured)
{
	const struct pcap_pkthdr header = { .caplen = captured, .len = length };

	return pcap_offline_filter(&filter->program, &header, data);
}

const struct classic_insn *sampler_filter_code(const struct sampler_filter *filter, size_t *count)
{
	*count = filter->program.bf_len;
	return filter->code;
}
