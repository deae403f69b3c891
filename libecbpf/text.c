// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Text that others chose, on its way to a terminal. */
#include <ecbpf/tool.h>

const char *ecbpf_text_printable(const char *text, char *printable, size_t size)
{
	size_t i;

	for (i = 0; text[i] && i + 1 < size; i++)
		printable[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	printable[i] = '\0';
	return printable;
}
