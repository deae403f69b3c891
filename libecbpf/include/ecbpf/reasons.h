/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Why a packet met its fate: the one list of verdict reasons.
 *
 * A reason has a code (its place in this list, part of the ABI: append only), a name that operators
 * grep for, and a sentence.
 */
#ifndef ECBPF_REASONS_H
#define ECBPF_REASONS_H

/* X(CONSTANT, name, sentence) */
#define ECBPF_REASONS(X)                                                                       \
	X(NO_OPINION, "no_opinion", "No slot gave a verdict; the kernel takes the packet")     \
	X(NOT_IP, "not_ip", "Not IPv4 or IPv6; left to the kernel")                            \
	X(FILTER_SOURCE, "filter_source", "Source address is in a dropped IPv4 prefix")        \
	X(FILTER_SOURCE6, "filter_source6", "Source address is in a dropped IPv6 prefix")      \
	X(FILTER_FRAGMENT, "filter_fragment", "Fragment dropped without an answer")            \
	X(FILTER_TOO_BIG, "filter_too_big", "First fragment answered with a path MTU message") \
	X(FILTER_TOO_BIG_LIMIT, "filter_too_big_limit",                                        \
	  "First fragment dropped; the answers of this second are used up")                    \
	X(FILTER_TOO_BIG_ERROR, "filter_too_big_error",                                        \
	  "First fragment dropped; the answer could not be built")                             \
	X(FILTER_EVIL_BIT, "filter_evil_bit", "Reserved bit of the IPv4 flags is set")         \
	X(FILTER_BAD_LENGTH, "filter_bad_length",                                              \
	  "IP length field is shorter than the header or longer than the frame")               \
	X(FILTER_IP_OPTIONS, "filter_ip_options", "IPv4 header carries options")               \
	X(FILTER_TRUNCATED, "filter_truncated", "Frame ends inside a header")                  \
	X(FIREWALL_DROP, "firewall_drop", "A rule of the firewall drops the packet")           \
	X(FIREWALL_LIMIT, "firewall_limit", "Beyond the limit that a rule of the firewall sets")

/* For programs outside this suite; these codes never move. */
#define ECBPF_USER_REASONS(X)                                              \
	X(USER_0, "user_0", "Verdict of a program outside this suite (0)") \
	X(USER_1, "user_1", "Verdict of a program outside this suite (1)") \
	X(USER_2, "user_2", "Verdict of a program outside this suite (2)") \
	X(USER_3, "user_3", "Verdict of a program outside this suite (3)")

/* Room for reasons in the counters: a power of two, so that a code can be masked. */
#define ECBPF_REASON_MAX 64

enum ecbpf_reason {
#define X(constant, name, sentence) ECBPF_REASON_##constant,
	ECBPF_REASONS(X)
#undef X
	/* How many the suite itself has. */
	ECBPF_REASON_COUNT,
	ECBPF_REASON_BEFORE_USER = ECBPF_REASON_MAX - 5,
#define X(constant, name, sentence) ECBPF_REASON_##constant,
	ECBPF_USER_REASONS(X)
#undef X
};

#endif
