/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A sample, checked, and those who take it. */
#ifndef XDP_SAMPLER_SAMPLE_H
#define XDP_SAMPLER_SAMPLE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdp_sampler.h"

/**
 * struct sampler_interface - one that is sampled
 * @index: place among those of this process, from 0 on without gaps
 * @mtu: octets
 */
struct sampler_interface {
	char name[IF_NAMESIZE];
	unsigned int index;
	unsigned int ifindex;
	unsigned int mtu;
};

/**
 * struct sample - a record of the ring, checked
 * @time: ns since the Unix epoch
 * @sequence: of @cpu, from 1 on without gaps but for losses
 * @pool: packets that @cpu has seen up to this one
 * @length: octets of the frame
 * @captured: octets at @data, at most @length
 * @rate: packets that it stands for
 * @slot: who decided; ECBPF_SLOT_ROOT: root
 * @action: as in ECBPF_ACTIONS
 * @reason: enum ecbpf_reason, or a code that this release doesn't know
 * @flags: enum sampler_record_flags
 * @change: of the settings by which it was picked
 * @data: valid during the call only
 */
struct sample {
	const struct sampler_interface *interface;
	uint64_t time;
	uint64_t sequence;
	uint64_t pool;
	uint32_t queue;
	uint32_t length;
	uint32_t captured;
	uint32_t rate;
	uint16_t cpu;
	uint16_t reason;
	uint8_t slot;
	uint8_t action;
	uint8_t flags;
	uint32_t change;
	const uint8_t *data;
};

/**
 * sample_decode() - check what stands in @octets of a ring at @record
 * @epoch: ns to add to CLOCK_MONOTONIC for time since the Unix epoch
 *
 * Return: -EBADMSG: it contradicts itself; @sample is untouched.
 */
int sample_decode(const void *record, size_t octets, uint64_t epoch,
		  const struct sampler_interface *interface, struct sample *sample);

/* Losses of an interface that outputs report: sums of the kernel's counts. */
struct sample_losses {
	uint64_t pool;
	uint64_t picked;
	uint64_t filtered;
	uint64_t lost;
};

struct sample_sink;

/**
 * struct sample_sink_calls - what a kind of output does
 * @take: one sample; counts it as delivered or lost, and never waits long for anybody
 * @tick: called some ten times a second; @now: ns since the Unix epoch; @losses: of all
 *	interfaces, by index
 * @finish: deliver what is still held; nothing is taken afterwards
 * @close: free @sink
 */
struct sample_sink_calls {
	void (*take)(struct sample_sink *sink, const struct sample *sample);
	void (*tick)(struct sample_sink *sink, uint64_t now, const struct sample_losses *losses);
	void (*finish)(struct sample_sink *sink, const struct sample_losses *losses);
	void (*close)(struct sample_sink *sink);
};

/* Interfaces that one process samples. */
#define SAMPLER_INTERFACES_MAX 64

/**
 * struct sample_sink - an output
 * @delivered: samples that were written, sent or shown, by interface; monotonic
 * @lost: samples that could not be; with what is still held, the sum is what it took
 * @ended: nobody listens any more (a closed pipe): only finish and close are called
 *
 * First member of the output's own struct.
 */
struct sample_sink {
	const struct sample_sink_calls *calls;
	enum sampler_output output;
	uint64_t delivered[SAMPLER_INTERFACES_MAX];
	uint64_t lost[SAMPLER_INTERFACES_MAX];
	bool ended;
};

#endif
