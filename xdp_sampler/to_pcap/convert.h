/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From pcapng to classic pcap. */
#ifndef XDP_SAMPLER_TO_PCAP_CONVERT_H
#define XDP_SAMPLER_TO_PCAP_CONVERT_H

/**
 * convert() - write the packets of @input to @output
 * @input, @output: paths; "-" is stdin, stdout
 * @verdicts: CSV to write beside, or NULL
 *
 * Packets before a damaged block are kept. Return: a negative errno, said why.
 */
int convert(const char *input, const char *output, const char *verdicts);

#endif
