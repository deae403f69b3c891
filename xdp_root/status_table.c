// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The status table. */
#include <inttypes.h>

#include "status.h"

enum {
	COLUMN_SLOT,
	COLUMN_ID,
	COLUMN_NAME,
	COLUMN_LOADED,
	COLUMN_ACTIONS,
	COLUMNS = COLUMN_ACTIONS + ECBPF_ACTIONS,
};

#define CELL_MAX 24

static void fit(struct ecbpf_column columns[COLUMNS], const struct ecbpf_program_status *program)
{
	char id[CELL_MAX];

	snprintf(id, sizeof(id), "%" PRIu32, program->id);
	ecbpf_column_fit(&columns[COLUMN_ID], id);
	ecbpf_column_fit(&columns[COLUMN_NAME], program->name);
}

static void columns_for(const struct ecbpf_status *status, struct ecbpf_column columns[COLUMNS])
{
	columns[COLUMN_SLOT] = (struct ecbpf_column){ "SLOT", 4, true };
	columns[COLUMN_ID] = (struct ecbpf_column){ "ID", 5, true };
	columns[COLUMN_NAME] = (struct ecbpf_column){ "NAME", 24, false };
	columns[COLUMN_LOADED] = (struct ecbpf_column){ "LOAD TIME", 36, false };
	for (int i = 0; i < ECBPF_ACTIONS; i++)
		columns[COLUMN_ACTIONS + i] =
			(struct ecbpf_column){ ecbpf_action_name(i), 16, true };
	fit(columns, &status->root);
	for (int i = 0; i < ECBPF_SLOTS; i++)
		fit(columns, &status->slots[i]);
}

static void print_program(FILE *out, const struct ecbpf_column *columns, const char *slot,
			  const struct ecbpf_program_status *program)
{
	char id[CELL_MAX], loaded[ECBPF_TIME_MAX], actions[ECBPF_ACTIONS][CELL_MAX];
	const char *cells[COLUMNS] = { slot, "-", "-", "-" };

	if (program->id) {
		snprintf(id, sizeof(id), "%" PRIu32, program->id);
		cells[COLUMN_ID] = id;
		cells[COLUMN_NAME] = program->name;
	}
	if (program->id && program->loaded)
		cells[COLUMN_LOADED] = ecbpf_time_mail(program->loaded, loaded);
	for (int i = 0; i < ECBPF_ACTIONS; i++) {
		snprintf(actions[i], CELL_MAX, "%" PRIu64, program->actions[i]);
		cells[COLUMN_ACTIONS + i] = actions[i];
	}
	ecbpf_table_row(out, columns, COLUMNS, cells);
}

static void print_programs(FILE *out, const struct ecbpf_status *status)
{
	struct ecbpf_column columns[COLUMNS];
	char slot[CELL_MAX];

	columns_for(status, columns);
	ecbpf_table_header(out, columns, COLUMNS);
	for (int i = 0; i < ECBPF_SLOTS; i++) {
		snprintf(slot, sizeof(slot), "%d", i);
		print_program(out, columns, slot, &status->slots[i]);
	}
	print_program(out, columns, "root", &status->root);
}

static void print_facts(FILE *out, const struct ecbpf_status *status)
{
	fprintf(out, "Mode: %s, generation: %" PRIu32 ", ABI: %" PRIu32 ", frags: %s, staged: ",
		ecbpf_mode_name(status->mode), status->generation, status->abi,
		status->frags ? "yes" : "no");
	if (status->staged)
		fprintf(out, "generation %" PRIu32 "\n", status->staged);
	else
		fputs("none\n", out);
}

static void print_other_abi(FILE *out, const struct ecbpf_status *status)
{
	fprintf(out,
		"Root array on interface %s has ABI %" PRIu32 ", this xdp_root_loader has %d: "
		"its counters can't be read. Use the release that attached it, or bring in this "
		"one with --stage and --commit.\n",
		status->name, status->abi, ECBPF_ABI);
}

void status_print_sentence(FILE *out, const struct ecbpf_status *status)
{
	const char *name = status->name;

	if (status->attachment == ECBPF_ATTACHED) {
		print_other_abi(out, status);
		return;
	}
	fprintf(out, "Root array not attached to interface %s.", name);
	switch (status->attachment) {
	case ECBPF_ATTACHED_NOP:
		fprintf(out, " A program that passes everything holds its place (--nop).");
		break;
	case ECBPF_FOREIGN:
		fprintf(out, " Another XDP program is there, with id %" PRIu32 ".",
			status->foreign_id);
		break;
	case ECBPF_STALE:
		fprintf(out,
			" Pins are left of an interface of that name which is gone; "
			"'xdp_root_loader --detach --interface %s' removes them.",
			name);
		break;
	default:
		break;
	}
	if (status->staged)
		fprintf(out, " Generation %" PRIu32 " is staged.", status->staged);
	fputc('\n', out);
}

void status_print(FILE *out, const struct ecbpf_status *status)
{
	if (!status_has_counters(status)) {
		status_print_sentence(out, status);
		return;
	}
	fprintf(out, "Interface %s status:\n", status->name);
	print_programs(out, status);
	print_facts(out, status);
}
