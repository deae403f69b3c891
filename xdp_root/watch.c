// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* --watch: packets per second, by slot and action, and by reason. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reason_label.h"
#include "status.h"
#include "watch.h"

enum {
	COLUMN_SLOT,
	COLUMN_NAME,
	COLUMN_ACTIONS,
	COLUMNS = COLUMN_ACTIONS + ECBPF_ACTIONS,
};

#define CELL_MAX 32
#define NS_PER_S UINT64_C(1000000000)

struct watch {
	const struct ecbpf_strings *names;
	struct status_list before;
};

static void print_program(FILE *out, const struct ecbpf_column *columns, const char *slot,
			  const struct ecbpf_program_status *before,
			  const struct ecbpf_program_status *now, double seconds)
{
	char rates[ECBPF_ACTIONS][ECBPF_RATE_MAX];
	const char *cells[COLUMNS] = { slot, now->id ? now->name : "-" };

	for (int i = 0; i < ECBPF_ACTIONS; i++)
		cells[COLUMN_ACTIONS + i] = ecbpf_rate_format(before ? &before->actions[i] : NULL,
							      now->actions[i], seconds, rates[i]);
	ecbpf_table_row(out, columns, COLUMNS, cells);
}

static void print_programs(FILE *out, const struct ecbpf_status *before,
			   const struct ecbpf_status *now, double seconds)
{
	struct ecbpf_column columns[COLUMNS] = { { "SLOT", 4, true }, { "NAME", 24, false } };
	char slot[CELL_MAX];

	for (int i = 0; i < ECBPF_ACTIONS; i++)
		columns[COLUMN_ACTIONS + i] =
			(struct ecbpf_column){ ecbpf_action_name(i), 12, true };
	for (int i = 0; i < ECBPF_SLOTS; i++)
		ecbpf_column_fit(&columns[COLUMN_NAME], now->slots[i].name);
	ecbpf_table_header(out, columns, COLUMNS);
	for (int i = 0; i < ECBPF_SLOTS; i++) {
		snprintf(slot, sizeof(slot), "%d", i);
		print_program(out, columns, slot, before ? &before->slots[i] : NULL, &now->slots[i],
			      seconds);
	}
	print_program(out, columns, "root", before ? &before->root : NULL, &now->root, seconds);
}

static void print_reasons(FILE *out, const struct ecbpf_status *before,
			  const struct ecbpf_status *now, double seconds)
{
	static const struct ecbpf_column columns[] = { { "REASON", 24, false },
						       { "PACKETS/S", 12, true },
						       { "PACKETS", 16, true } };
	char label[REASON_LABEL_MAX], rate[ECBPF_RATE_MAX], packets[CELL_MAX];

	ecbpf_table_header(out, columns, 3);
	for (unsigned int i = 0; i < ECBPF_REASON_MAX; i++) {
		if (!now->reasons[i])
			continue;
		snprintf(packets, sizeof(packets), "%" PRIu64, now->reasons[i]);
		const char *cells[] = { reason_label(i, label),
					ecbpf_rate_format(before ? &before->reasons[i] : NULL,
							  now->reasons[i], seconds, rate),
					packets };

		ecbpf_table_row(out, columns, 3, cells);
	}
}

void watch_print(FILE *out, const struct ecbpf_status *before, const struct ecbpf_status *now,
		 double seconds)
{
	if (!status_has_counters(now)) {
		status_print_sentence(out, now);
		return;
	}
	/* Counters of another generation tell nothing about these. */
	if (before && (!status_has_counters(before) || before->generation != now->generation))
		before = NULL;
	fprintf(out, "Interface %s, packets/s:\n", now->name);
	print_programs(out, before, now, seconds);
	fputc('\n', out);
	print_reasons(out, before, now, seconds);
}

static const struct ecbpf_status *find_status(const struct status_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

static int draw(double seconds, void *context)
{
	struct watch *watch = context;
	char text[ECBPF_TIME_MAX];
	struct status_list now;
	int err;

	err = status_read(watch->names, &now);
	if (err) {
		free(now.items);
		return err;
	}
	printf("%s\n", ecbpf_time_mail(time(NULL) * NS_PER_S, text));
	if (!now.count)
		puts("\nNo root array in this network namespace.");
	for (size_t i = 0; i < now.count; i++) {
		putchar('\n');
		watch_print(stdout, find_status(&watch->before, now.items[i].name), &now.items[i],
			    seconds);
	}
	putchar('\n');
	free(watch->before.items);
	watch->before = now;
	return 0;
}

int watch_show(const struct ecbpf_strings *names, uint64_t interval)
{
	struct watch watch = { .names = names };
	int err = ecbpf_watch(interval, draw, &watch);

	free(watch.before.items);
	return err;
}
