// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Messages to the application, and errno values to exit codes. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <bpf/libbpf.h>

#include <ecbpf/host.h>

#include "internal.h"

#define MESSAGE_MAX 1024

static void log_to_stderr(enum ecbpf_log_level level, const char *message, void *context)
{
	(void)level;
	(void)context;
	fprintf(stderr, "%s\n", message);
}

static int libbpf_print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	ecbpf_progress_hide();
	return vfprintf(stderr, format, arguments);
}

static struct {
	ecbpf_log_callback callback;
	void *context;
	enum ecbpf_log_level level;
} sink = { log_to_stderr, NULL, ECBPF_LOG_INFO };

static struct {
	bool on;
	char first[MESSAGE_MAX];
} held;

__attribute__((constructor)) static void libbpf_quiet(void)
{
	libbpf_set_print(NULL);
}

void ecbpf_log_set(ecbpf_log_callback callback, void *context, enum ecbpf_log_level level)
{
	sink.callback = callback ? callback : log_to_stderr;
	sink.context = context;
	sink.level = level;
	libbpf_set_print(level >= ECBPF_LOG_DEBUG ? libbpf_print : NULL);
}

void ecbpf_log_verbose(void)
{
	ecbpf_log_set(sink.callback, sink.context, ECBPF_LOG_DEBUG);
}

static void hand_on(enum ecbpf_log_level level, const char *message)
{
	ecbpf_progress_hide();
	sink.callback(level, message, sink.context);
}

static void log_va(enum ecbpf_log_level level, const char *format, va_list arguments)
{
	char message[MESSAGE_MAX], *at;

	if (level > sink.level)
		return;
	vsnprintf(message, sizeof(message), format, arguments);
	/* One line, whatever names and arguments hold. */
	for (at = message; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	if (!held.on || level != ECBPF_LOG_ERROR)
		hand_on(level, message);
	else if (!held.first[0])
		strcpy(held.first, message);
}

void ecbpf_log_hold(void)
{
	held.on = true;
	held.first[0] = '\0';
}

void ecbpf_log_release(bool tell)
{
	held.on = false;
	if (tell && held.first[0])
		hand_on(ECBPF_LOG_ERROR, held.first);
}

void ecbpf_log(enum ecbpf_log_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_va(level, format, arguments);
	va_end(arguments);
}

int ecbpf_fail(int err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_va(ECBPF_LOG_ERROR, format, arguments);
	va_end(arguments);
	return err;
}

int ecbpf_exit_code(int err)
{
	switch (-err) {
	case 0:
		return EX_OK;
	case EINVAL:
		return EX_USAGE;
	case EBADMSG:
	case E2BIG:
		return EX_DATAERR;
	case ENODEV:
		return EX_NOINPUT;
	case EHOSTUNREACH:
		return EX_NOHOST;
	case EROFS:
		return EX_CANTCREAT;
	case EPERM:
	case EACCES:
		return EX_NOPERM;
	case EPROTO:
		return EX_PROTOCOL;
	case EAGAIN:
		return EX_TEMPFAIL;
	case EIO:
	case EPIPE:
	case ENOSPC:
		return EX_IOERR;
	case ENOENT:
	case EBUSY:
	case EEXIST:
	case ERANGE:
	case EOPNOTSUPP:
		return EX_UNAVAILABLE;
	default:
		return EX_OSERR;
	}
}
