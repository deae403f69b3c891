# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Language level, warnings, hardening and sanitizers for everything that runs in user space.
include(CheckCCompilerFlag)
include(CheckPIESupported)

option(ECBPF_WERROR "treat warnings as errors, in user space and in BPF programs" OFF)
option(ECBPF_SANITIZE "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()
set_property(CACHE CMAKE_BUILD_TYPE PROPERTY STRINGS Release Debug)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
# _FORTIFY_SOURCE needs an optimising compiler, so the debug build is -Og.
set(CMAKE_C_FLAGS_DEBUG "-Og -g")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
check_pie_supported(LANGUAGES C)

add_compile_options(-Wall -Wextra -Werror=implicit-function-declaration)
if(ECBPF_WERROR)
	add_compile_options(-Werror)
endif()

foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection)
	string(MAKE_C_IDENTIFIER "ECBPF_HAVE${flag}" have)
	check_c_compiler_flag(${flag} ${have})
	if(${have})
		add_compile_options(${flag})
	endif()
endforeach()
add_link_options(-Wl,-z,relro -Wl,-z,now)

if(ECBPF_SANITIZE)
	# The sanitizers bring their own checked libc calls, which _FORTIFY_SOURCE would bypass.
	set(ECBPF_SANITIZER_FLAGS -fsanitize=address,undefined -fno-sanitize-recover=all)
	add_compile_options(${ECBPF_SANITIZER_FLAGS} -fno-omit-frame-pointer -U_FORTIFY_SOURCE)
	add_link_options(${ECBPF_SANITIZER_FLAGS})
else()
	add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
