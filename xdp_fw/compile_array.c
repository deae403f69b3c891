// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "compile_parts.h"

#include <errno.h>
#include <stdlib.h>

int fw_array_allocate(struct fw_array *array, size_t value_size, size_t entries)
{
	array->value_size = value_size;
	array->entries = entries ? entries : 1;
	array->data = calloc(array->entries, value_size);
	return array->data ? 0 : -ENOMEM;
}
