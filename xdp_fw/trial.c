// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Rules tried on a capture. */
#include "trial.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

/* The kernel's header and pcap's each declare struct bpf_insn. */
#define PCAP_DONT_INCLUDE_PCAP_BPF_H
struct bpf_program;
#include <pcap/pcap.h>

#include <ecbpf/ecbpf.h>

#include "evaluate.h"
#include "limit.h"
#include "packet.h"
#include "sha1.h"

#define LINKTYPE_ETHERNET 1

/* Sources that a limit has met: open addressing, never more than half full. */
struct sources {
	struct {
		struct fw_source_key key;
		struct fw_bucket bucket;
		bool used;
	} * slots;
	size_t room;
	size_t count;
};

struct trial {
	const struct fw_ruleset *ruleset;
	const struct ecbpf_packet *packet;
	uint64_t now;
	struct fw_bucket *buckets;
	struct sources sources;
	struct fw_hits *hits;
	bool *met;
	uint64_t dropped;
	uint64_t packets;
	unsigned int failures;
	int err;
};

static size_t hash(const struct fw_source_key *key)
{
	const uint8_t *octets = (const uint8_t *)key;
	uint64_t sum = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < sizeof(*key); i++)
		sum = (sum ^ octets[i]) * 0x100000001b3;
	return sum ^ sum >> 32;
}

static size_t place_of(const struct sources *sources, const struct fw_source_key *key)
{
	size_t i = hash(key) & (sources->room - 1);

	while (sources->slots[i].used && memcmp(&sources->slots[i].key, key, sizeof(*key)) != 0)
		i = (i + 1) & (sources->room - 1);
	return i;
}

static int make_room(struct sources *sources)
{
	struct sources larger = { .room = sources->room ? 2 * sources->room : 64 };
	size_t i;

	if (2 * sources->count < sources->room)
		return 0;
	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (i = 0; i < sources->room; i++)
		if (sources->slots[i].used)
			larger.slots[place_of(&larger, &sources->slots[i].key)] = sources->slots[i];
	larger.count = sources->count;
	free(sources->slots);
	*sources = larger;
	return 0;
}

static struct fw_bucket *source_bucket(struct trial *trial, size_t rule)
{
	const struct ecbpf_packet *packet = trial->packet;
	struct fw_source_key key = { .rule = rule, .family = packet->family };
	size_t place;

	memcpy(key.address, packet->saddr, packet->family == 4 ? 4 : 16);
	trial->err = make_room(&trial->sources);
	if (trial->err)
		return &trial->buckets[rule];
	place = place_of(&trial->sources, &key);
	if (!trial->sources.slots[place].used) {
		trial->sources.slots[place].used = true;
		trial->sources.slots[place].key = key;
		trial->sources.count++;
	}
	return &trial->sources.slots[place].bucket;
}

static bool over(void *context, size_t number)
{
	struct trial *trial = context;
	const struct fw_rate *rate = &trial->ruleset->rules[number].rate;
	struct fw_bucket *bucket = rate->per_source ? source_bucket(trial, number) :
						      &trial->buckets[number];

	return !fw_bucket_take(bucket, trial->now, fw_rate_interval(rate), fw_rate_tolerance(rate));
}

static const char *rule_name(const struct fw_rule *rule, char text[FW_NAME_MAX + 4])
{
	text[0] = '\0';
	if (rule->name)
		snprintf(text, FW_NAME_MAX + 4, " \"%s\"", rule->name);
	return text;
}

static void hit(void *context, size_t number, bool dropped)
{
	struct trial *trial = context;
	const struct fw_rule *rule = &trial->ruleset->rules[number];
	char name[FW_NAME_MAX + 4];

	trial->hits[number].matched++;
	trial->hits[number].dropped += dropped;
	printf("  rule %zu%s: %s%s\n", number + 1, rule_name(rule, name),
	       fw_action_name(rule->action),
	       rule->action == FW_LIMIT ? dropped ? ", over" : ", within" : "");
}

static void explain_all(const struct trial *trial, const struct fw_facts *facts)
{
	char name[FW_NAME_MAX + 4];
	unsigned int field;
	size_t i;

	for (i = 0; i < trial->ruleset->count; i++) {
		const struct fw_rule *rule = &trial->ruleset->rules[i];

		field = fw_rule_differs(trial->ruleset, rule, facts);
		if (field)
			printf("  rule %zu%s: no, %s differs\n", i + 1, rule_name(rule, name),
			       fw_field_name(field));
		else
			printf("  rule %zu%s: matches\n", i + 1, rule_name(rule, name));
	}
}

static void check_tests(struct trial *trial, const uint8_t digest[20], int action)
{
	size_t i;

	for (i = 0; i < trial->ruleset->test_count; i++) {
		const struct fw_test *test = &trial->ruleset->tests[i];

		if (memcmp(test->sha1, digest, sizeof(test->sha1)) != 0)
			continue;
		trial->met[i] = true;
		if (test->action == action)
			continue;
		trial->failures++;
		printf("  test failed: %s:%u wants %s\n", test->file, test->line,
		       ecbpf_action_name(test->action));
	}
}

static int try_frame(struct trial *trial, const uint8_t *frame, size_t length, bool explain)
{
	struct fw_hooks hooks = { .over = over, .hit = hit, .context = trial };
	struct fw_verdict verdict = {};
	struct ecbpf_packet packet;
	struct fw_facts facts = { .packet = &packet, .length = length };
	uint8_t digest[20];
	bool carries_ip;
	size_t i;

	sha1(frame, length, digest);
	carries_ip = fw_packet_parse(frame, length, &packet);
	trial->packet = &packet;
	printf("packet %" PRIu64 ", %zu octets, sha1 ", ++trial->packets, length);
	for (i = 0; i < sizeof(digest); i++)
		printf("%02x", digest[i]);
	printf("\n");
	if (!carries_ip) {
		printf("  carries no IP: rules aren't asked\n");
	} else {
		if (explain)
			explain_all(trial, &facts);
		fw_evaluate(trial->ruleset, &facts, &hooks, &verdict);
	}
	trial->dropped += verdict.drop;
	printf("  %s\n", ecbpf_action_name(verdict.drop ? XDP_DROP : XDP_PASS));
	check_tests(trial, digest, verdict.drop ? XDP_DROP : XDP_PASS);
	return trial->err;
}

static int try_capture(struct trial *trial, const char *path, bool explain)
{
	char reason[PCAP_ERRBUF_SIZE] = "";
	struct pcap_pkthdr *header;
	const u_char *frame;
	pcap_t *capture;
	int got = 1, err = 0;

	capture = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, reason);
	if (!capture) {
		/* Some of its reasons begin with the path. */
		size_t length = strlen(path);
		bool named = !strncmp(reason, path, length) && reason[length] == ':';

		return ecbpf_fail(-ENODEV, "%s: %s", path, named ? reason + length + 2 : reason);
	}
	if (pcap_datalink(capture) != LINKTYPE_ETHERNET) {
		err = ecbpf_fail(-EBADMSG, "%s: a capture of %s, not of Ethernet frames", path,
				 pcap_datalink_val_to_name(pcap_datalink(capture)) ?:
					 "something unknown");
	} else {
		while (!err && (got = pcap_next_ex(capture, &header, &frame)) == 1) {
			trial->now = header->ts.tv_sec * UINT64_C(1000000000) + header->ts.tv_usec;
			err = try_frame(trial, frame, header->caplen, explain);
		}
		if (got == PCAP_ERROR)
			err = ecbpf_fail(-EBADMSG, "%s: %s", path, pcap_geterr(capture));
	}
	pcap_close(capture);
	return err;
}

static void summarise(struct trial *trial)
{
	char name[FW_NAME_MAX + 4];
	size_t i;

	printf("%" PRIu64 " packets, %" PRIu64 " dropped\n", trial->packets, trial->dropped);
	for (i = 0; i < trial->ruleset->count; i++)
		printf("rule %zu%s: %llu matched, %llu dropped\n", i + 1,
		       rule_name(&trial->ruleset->rules[i], name), trial->hits[i].matched,
		       trial->hits[i].dropped);
	for (i = 0; i < trial->ruleset->test_count; i++) {
		const struct fw_test *test = &trial->ruleset->tests[i];

		if (trial->met[i])
			continue;
		trial->failures++;
		printf("test failed: %s:%u: no such packet in the capture\n", test->file,
		       test->line);
	}
	if (trial->ruleset->test_count)
		printf("%zu tests, %u failed\n", trial->ruleset->test_count, trial->failures);
}

int fw_trial(const char *path, const struct fw_ruleset *ruleset, bool explain)
{
	struct trial trial = {
		.ruleset = ruleset,
		.buckets = calloc(ruleset->count + 1, sizeof(*trial.buckets)),
		.hits = calloc(ruleset->count + 1, sizeof(*trial.hits)),
		.met = calloc(ruleset->test_count + 1, sizeof(*trial.met)),
	};
	int err = trial.buckets && trial.hits && trial.met ? 0 : -ENOMEM;

	if (!err)
		err = try_capture(&trial, path, explain);
	/* A capture that is cut off, as whoever takes it still does, has packets all the same. */
	if (!err || (err == -EBADMSG && trial.packets))
		summarise(&trial);
	if (!err && trial.failures)
		err = ecbpf_fail(-EBADMSG, "%s: %u of %zu tests failed", path, trial.failures,
				 ruleset->test_count);
	free(trial.sources.slots);
	free(trial.buckets);
	free(trial.hits);
	free(trial.met);
	return err;
}
