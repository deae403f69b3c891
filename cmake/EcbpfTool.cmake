# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# ecbpf_tool(NAME FOLDER [LIBRARY...])
#   Builds and installs the tool NAME from all *.c in FOLDER, with skeletons of all *.bpf.c there.
#   NAME.c holds main(); the other files make up the object library NAME_objects, which tests link
#   without main(). Call it from FOLDER's CMakeLists.txt.
#
# ecbpf_tool_sources(NAME OUT): the concern files of a folder, without NAME.c and *.bpf.c
function(ecbpf_tool_sources name out)
	file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.c")
	list(FILTER sources EXCLUDE REGEX "\\.bpf\\.c$")
	list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/${name}.c")
	set(${out} "${sources}" PARENT_SCOPE)
endfunction()

function(ecbpf_tool name folder)
	bpf_programs(skeletons)
	ecbpf_tool_sources(${name} sources)

	# Headers only: whoever links these objects chooses between ecbpf and ecbpf_static, so that
	# no process holds two copies of either library.
	add_library(${name}_objects OBJECT ${sources})
	target_include_directories(${name}_objects PUBLIC "${folder}")
	target_link_libraries(${name}_objects PUBLIC ecbpf_headers ${skeletons} ${ARGN})

	add_executable(${name} "${folder}/${name}.c")
	target_link_libraries(${name} PRIVATE ${name}_objects ecbpf)
	install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_SBINDIR}")
	if(NOT TARGET tools)
		add_custom_target(tools)
	endif()
	add_dependencies(tools ${name})
endfunction()
