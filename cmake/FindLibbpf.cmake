# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Finds libbpf: the source tree at ext/libbpf where there is one (see ext/README.md), else the
# system's. Gives:
#   Libbpf::Libbpf         imported target; a static archive when it comes from ext/libbpf
#   Libbpf_BUNDLED         TRUE when it comes from ext/libbpf
#   Libbpf_INCLUDE_DIR     where <bpf/bpf_helpers.h> is, for BPF programs (may be empty: /usr/include)
#   Libbpf_VERSION_SCRIPT  its symbol versions, when bundled
include(FindPackageHandleStandardArgs)

set(Libbpf_SOURCE_DIR "${PROJECT_SOURCE_DIR}/ext/libbpf/src")

function(ecbpf_bundled_libbpf)
	set(root "${PROJECT_BINARY_DIR}/ext/libbpf")
	set(archive "${root}/lib/libbpf.a")
	file(MAKE_DIRECTORY "${root}/include")
	file(GLOB sources CONFIGURE_DEPENDS "${Libbpf_SOURCE_DIR}/*.[ch]" "${Libbpf_SOURCE_DIR}/Makefile")
	find_program(ECBPF_MAKE NAMES gmake make REQUIRED)
	pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf)
	pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)

	# MAKEFLAGS is emptied: libbpf's Makefile is no part of the make that may be running this.
	add_custom_command(OUTPUT "${archive}"
		COMMAND "${CMAKE_COMMAND}" -E env MAKEFLAGS=
			"${ECBPF_MAKE}" -s -C "${Libbpf_SOURCE_DIR}" install
			BUILD_STATIC_ONLY=y "OBJDIR=${root}/objects" "CC=${CMAKE_C_COMPILER}"
			"CFLAGS=-O2 -g -fPIC -fvisibility=hidden" "DESTDIR=${root}" PREFIX=
			INCLUDEDIR=/include LIBDIR=/lib
		DEPENDS ${sources}
		COMMENT "Building libbpf from ext/libbpf"
		VERBATIM)
	add_custom_target(libbpf_bundled DEPENDS "${archive}")

	add_library(Libbpf::Libbpf STATIC IMPORTED GLOBAL)
	set_target_properties(Libbpf::Libbpf PROPERTIES
		IMPORTED_LOCATION "${archive}"
		INTERFACE_INCLUDE_DIRECTORIES "${root}/include"
		INTERFACE_LINK_LIBRARIES "PkgConfig::LIBELF;PkgConfig::ZLIB")
	add_dependencies(Libbpf::Libbpf libbpf_bundled)
	set(Libbpf_INCLUDE_DIR "${root}/include" PARENT_SCOPE)
endfunction()

set(Libbpf_BUNDLED FALSE)
if(EXISTS "${Libbpf_SOURCE_DIR}/libbpf.h" AND EXISTS "${Libbpf_SOURCE_DIR}/Makefile")
	set(Libbpf_BUNDLED TRUE)
	set(Libbpf_VERSION_SCRIPT "${Libbpf_SOURCE_DIR}/libbpf.map")
	file(STRINGS "${Libbpf_SOURCE_DIR}/libbpf_version.h" version_lines
		REGEX "LIBBPF_(MAJOR|MINOR)_VERSION")
	string(REGEX MATCHALL "[0-9]+" Libbpf_VERSION "${version_lines}")
	list(JOIN Libbpf_VERSION "." Libbpf_VERSION)
	set(Libbpf_LOCATION "${Libbpf_SOURCE_DIR}")
	if(NOT TARGET Libbpf::Libbpf)
		ecbpf_bundled_libbpf()
	endif()
else()
	pkg_check_modules(LIBBPF QUIET IMPORTED_TARGET GLOBAL libbpf)
	set(Libbpf_VERSION "${LIBBPF_VERSION}")
	set(Libbpf_LOCATION "${LIBBPF_LINK_LIBRARIES}")
	set(Libbpf_INCLUDE_DIR "${LIBBPF_INCLUDE_DIRS}")
	if(LIBBPF_FOUND AND NOT TARGET Libbpf::Libbpf)
		add_library(Libbpf::Libbpf INTERFACE IMPORTED GLOBAL)
		target_link_libraries(Libbpf::Libbpf INTERFACE PkgConfig::LIBBPF)
	endif()
endif()

find_package_handle_standard_args(Libbpf
	REQUIRED_VARS Libbpf_LOCATION
	VERSION_VAR Libbpf_VERSION
	REASON_FAILURE_MESSAGE "install libbpf-dev, or lay libbpf's sources at ext/libbpf (ext/README.md)")
