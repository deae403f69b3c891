# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# cmake -DBPFTOOL=... -DOBJECT=... -P CheckBtf.cmake: fails, and removes OBJECT, if it has no BTF.
execute_process(COMMAND "${BPFTOOL}" btf dump file "${OBJECT}" format c
	OUTPUT_QUIET ERROR_VARIABLE reason RESULT_VARIABLE failed)
if(failed)
	file(REMOVE "${OBJECT}")
	message(FATAL_ERROR "${OBJECT}: no BTF in this object (${reason}); compile it with -g")
endif()
