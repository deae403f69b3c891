# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# ecbpf_install_docs(): manual pages (docs/man/NAME.N, or NAME.N.in with @variables@) and bash
# completions (scripts/completions/NAME).
function(ecbpf_install_docs)
	file(GLOB pages CONFIGURE_DEPENDS
		"${PROJECT_SOURCE_DIR}/docs/man/*.[1-9]" "${PROJECT_SOURCE_DIR}/docs/man/*.[1-9].in")
	foreach(page ${pages})
		get_filename_component(name "${page}" NAME)
		string(REGEX REPLACE "\\.in$" "" name "${name}")
		string(REGEX MATCH "[1-9]$" section "${name}")
		configure_file("${page}" "${PROJECT_BINARY_DIR}/man/man${section}/${name}" @ONLY)
		install(FILES "${PROJECT_BINARY_DIR}/man/man${section}/${name}"
			DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
	endforeach()

	file(GLOB completions CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/scripts/completions/*")
	foreach(completion ${completions})
		get_filename_component(name "${completion}" NAME)
		string(REGEX REPLACE "\\.bash$" "" name "${name}")
		install(FILES "${completion}" RENAME "${name}"
			DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
	endforeach()
endfunction()
