// SPDX-License-Identifier: GPL-2.0
/*
 * common - what the tools share: their exit codes, how they complain, and how
 * they read numbers and durations.
 */
#include "common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One write per message, so that those of two threads do not mix. */
static void vcomplain(int error, const char *format, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	fprintf(stderr, "%s: %s%s%s\n", program_invocation_short_name,
		text ? text : format, error ? ": " : "",
		error ? strerror(error) : "");
	free(text);
}

void complain(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vcomplain(0, format, ap);
	va_end(ap);
}

void complain_error(int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vcomplain(error, format, ap);
	va_end(ap);
}

/* Nothing is left to tidy up but what was printed. */
static _Noreturn void leave(int status)
{
	fflush(stdout);
	_exit(status);
}

void die(int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vcomplain(0, format, ap);
	va_end(ap);
	leave(status);
}

void die_error(int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vcomplain(error, format, ap);
	va_end(ap);
	leave(STATUS_SYSTEM);
}

static void *must(void *memory)
{
	if (!memory)
		die_error(ENOMEM, "memory");
	return memory;
}

void *xcalloc(size_t count, size_t size)
{
	return must(calloc(count ? count : 1, size));
}

void *xrealloc(void *old, size_t count, size_t size)
{
	return must(reallocarray(old, count ? count : 1, size));
}

char *xstrdup(const char *text)
{
	return must(strdup(text));
}

char *xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	return must(text);
}

/* The digits at @text; where they end, or NULL without any or on overflow. */
static const char *scan_digits(const char *text, uint64_t *out)
{
	const char *at = text;
	uint64_t value = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *at - '0', &value))
			return NULL;
	*out = value;
	return at == text ? NULL : at;
}

bool parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t value;
	const char *end = scan_digits(text, &value);

	if (!end || *end || value < min || value > max)
		return false;
	*out = value;
	return true;
}

bool parse_duration(const char *text, uint64_t bare_ns, uint64_t *out_ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", NSEC_PER_MSEC },
		{ "s", NSEC_PER_SEC },
		{ "m", 60 * NSEC_PER_SEC },
		{ "h", 3600 * NSEC_PER_SEC },
		{ "d", 86400 * NSEC_PER_SEC },
	};
	uint64_t value, unit = bare_ns;
	const char *end = scan_digits(text, &value);
	size_t i;

	if (!end)
		return false;
	if (*end) {
		for (i = 0; i < ARRAY_SIZE(units); i++)
			if (!strcmp(end, units[i].name))
				break;
		if (i == ARRAY_SIZE(units))
			return false;
		unit = units[i].ns;
	}
	return !__builtin_mul_overflow(value, unit, out_ns);
}

uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}
