// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Tables for eyes: cells between bars, in columns of fixed width. */
#include <string.h>

#include <ecbpf/tool.h>

void ecbpf_column_fit(struct ecbpf_column *column, const char *cell)
{
	size_t length = strlen(cell);

	if (length > column->width)
		column->width = length;
}

/* The last cell of a line isn't padded on its right. */
static void print_cell(FILE *out, const char *text, unsigned int width, bool right, bool last)
{
	int padded = width;

	if (right)
		fprintf(out, "%*s", padded, text);
	else if (last)
		fputs(text, out);
	else
		fprintf(out, "%-*s", padded, text);
	fputs(last ? "\n" : " | ", out);
}

void ecbpf_table_header(FILE *out, const struct ecbpf_column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_cell(out, columns[i].title, columns[i].width, false, i + 1 == count);
}

void ecbpf_table_row(FILE *out, const struct ecbpf_column *columns, size_t count,
		     const char *const *cells)
{
	for (size_t i = 0; i < count; i++)
		print_cell(out, cells[i], columns[i].width, columns[i].right, i + 1 == count);
}
