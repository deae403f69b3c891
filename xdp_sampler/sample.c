// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Records of the ring, checked before anybody believes them. */
#include "sample.h"

#include <errno.h>
#include <string.h>

#include <ecbpf/abi.h>

int sample_decode(const void *data, size_t octets, uint64_t epoch,
		  const struct sampler_interface *interface, struct sample *sample)
{
	struct sampler_record record;

	if (octets < sizeof(record))
		return -EBADMSG;
	memcpy(&record, data, sizeof(record));
	if (record.captured != octets - sizeof(record) || record.captured > record.length ||
	    record.slot > ECBPF_SLOT_ROOT || record.action >= ECBPF_ACTIONS || !record.rate ||
	    record.rate > SAMPLER_RATE_MAX || record.ifindex != interface->ifindex)
		return -EBADMSG;
	*sample = (struct sample){
		.interface = interface,
		.time = record.timestamp + epoch,
		.sequence = record.sequence,
		.pool = record.pool,
		.queue = record.queue,
		.length = record.length,
		.captured = record.captured,
		.rate = record.rate,
		.cpu = record.cpu,
		.reason = record.reason,
		.slot = record.slot,
		.action = record.action,
		.flags = record.flags,
		.change = record.change,
		.data = (const uint8_t *)data + sizeof(record),
	};
	return 0;
}
