# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bpf_program(NAME SOURCE [INCLUDE_DIR...])
#   Compiles SOURCE (NAME.bpf.c) to NAME.bpf.o and generates NAME.skel.h, both in the current
#   binary folder. The skeleton's struct is `struct NAME_bpf`, its functions `NAME_bpf__open()`,
#   `NAME_bpf__load()` and so on. Link the target NAME_skel to be able to include it.
#
# bpf_programs(OUT_TARGETS)
#   bpf_program() for every *.bpf.c in the current source folder; returns the NAME_skel targets.
#
# Debug builds (NDEBUG not defined) keep bpf_debug().
set(ECBPF_CLANG "" CACHE FILEPATH "clang that compiles BPF programs, 14 or newer")
set(ECBPF_CLANG_MINIMUM 14)

# Debian puts bpftool into /usr/sbin, which isn't in everybody's PATH.
find_program(ECBPF_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin /usr/local/sbin REQUIRED)

function(ecbpf_find_clang)
	set(names clang)
	foreach(version RANGE 30 ${ECBPF_CLANG_MINIMUM} -1)
		list(APPEND names clang-${version})
	endforeach()
	find_program(found NAMES ${names} NO_CACHE)
	if(NOT found)
		message(FATAL_ERROR "no clang for BPF programs; install clang, or set ECBPF_CLANG")
	endif()
	set(ECBPF_CLANG "${found}" CACHE FILEPATH "" FORCE)
endfunction()

function(ecbpf_check_clang)
	execute_process(COMMAND "${ECBPF_CLANG}" -dumpversion
		OUTPUT_VARIABLE version RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
	if(failed OR version VERSION_LESS ECBPF_CLANG_MINIMUM)
		message(FATAL_ERROR "${ECBPF_CLANG}: version '${version}', but BPF programs need clang "
			"${ECBPF_CLANG_MINIMUM} or newer; set ECBPF_CLANG")
	endif()
	message(STATUS "BPF programs by ${ECBPF_CLANG} (${version})")
endfunction()

function(ecbpf_find_llvm_strip)
	execute_process(COMMAND "${ECBPF_CLANG}" -print-prog-name=llvm-strip
		OUTPUT_VARIABLE beside_clang OUTPUT_STRIP_TRAILING_WHITESPACE)
	set(names "${beside_clang}" llvm-strip)
	foreach(version RANGE 30 ${ECBPF_CLANG_MINIMUM} -1)
		list(APPEND names llvm-strip-${version})
	endforeach()
	find_program(ECBPF_LLVM_STRIP NAMES ${names})
endfunction()

if(NOT ECBPF_CLANG)
	ecbpf_find_clang()
endif()
ecbpf_check_clang()
ecbpf_find_llvm_strip()

function(ecbpf_bpf_target_arch out)
	set(arch "${CMAKE_SYSTEM_PROCESSOR}")
	if(arch MATCHES "^(x86_64|amd64|i.86)$")
		set(arch x86)
	elseif(arch MATCHES "^(aarch64|arm64)$")
		set(arch arm64)
	elseif(arch MATCHES "^arm")
		set(arch arm)
	elseif(arch MATCHES "^ppc64")
		set(arch powerpc)
	elseif(arch MATCHES "^riscv")
		set(arch riscv)
	elseif(arch MATCHES "^s390")
		set(arch s390)
	endif()
	set(${out} "${arch}" PARENT_SCOPE)
endfunction()

function(ecbpf_bpf_flags out)
	ecbpf_bpf_target_arch(arch)
	set(flags -target bpf -mcpu=v3 -O2 -g -std=gnu11 -Wall -Wextra -D__TARGET_ARCH_${arch})
	if(ECBPF_WERROR)
		list(APPEND flags -Werror)
	endif()
	if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
		list(APPEND flags -DNDEBUG)
	endif()
	list(APPEND flags "-I${PROJECT_SOURCE_DIR}/libecbpf/include"
		"-I${PROJECT_SOURCE_DIR}/libecbpf/table")
	foreach(dir ${ARGN} ${Libbpf_INCLUDE_DIR})
		list(APPEND flags "-I${dir}")
	endforeach()
	# <asm/types.h>: clang -target bpf doesn't search the host's multiarch folder.
	if(CMAKE_LIBRARY_ARCHITECTURE)
		list(APPEND flags "-idirafter/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}")
	endif()
	set(${out} "${flags}" PARENT_SCOPE)
endfunction()

function(bpf_program name source)
	get_filename_component(source "${source}" ABSOLUTE)
	set(object "${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o")
	set(skeleton "${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h")
	ecbpf_bpf_flags(flags ${ARGN})

	set(libbpf_headers "")
	if(Libbpf_BUNDLED)
		set(libbpf_headers libbpf_bundled)
	endif()
	set(strip "")
	if(ECBPF_LLVM_STRIP)
		set(strip COMMAND "${ECBPF_LLVM_STRIP}" -g "${object}")
	endif()
	add_custom_command(OUTPUT "${object}"
		COMMAND "${ECBPF_CLANG}" ${flags} -MD -MF "${object}.d" -MT "${object}"
			-c "${source}" -o "${object}"
		${strip}
		COMMAND "${CMAKE_COMMAND}" "-DBPFTOOL=${ECBPF_BPFTOOL}" "-DOBJECT=${object}"
			-P "${PROJECT_SOURCE_DIR}/cmake/CheckBtf.cmake"
		DEPENDS "${source}" ${libbpf_headers}
		DEPFILE "${object}.d"
		COMMENT "Building BPF object ${name}.bpf.o"
		VERBATIM)
	add_custom_command(OUTPUT "${skeleton}"
		COMMAND "${ECBPF_BPFTOOL}" gen skeleton "${object}" name "${name}_bpf" > "${skeleton}.new"
		COMMAND "${CMAKE_COMMAND}" -E rename "${skeleton}.new" "${skeleton}"
		DEPENDS "${object}"
		COMMENT "Generating skeleton ${name}.skel.h"
		VERBATIM)
	add_custom_target(${name}_skel_generated ALL DEPENDS "${skeleton}")

	add_library(${name}_skel INTERFACE)
	target_include_directories(${name}_skel SYSTEM INTERFACE "${CMAKE_CURRENT_BINARY_DIR}")
	add_dependencies(${name}_skel ${name}_skel_generated)
endfunction()

function(bpf_programs out)
	file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.bpf.c")
	set(targets "")
	foreach(source ${sources})
		get_filename_component(name "${source}" NAME)
		string(REPLACE ".bpf.c" "" name "${name}")
		bpf_program(${name} "${source}")
		list(APPEND targets ${name}_skel)
	endforeach()
	set(${out} "${targets}" PARENT_SCOPE)
endfunction()
