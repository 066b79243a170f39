/* SPDX-License-Identifier: GPL-2.0 */
/*
 * common - what the tools share: their exit codes, how they complain, and how
 * they read numbers and durations.
 */
#ifndef SUP_TOOLS_COMMON_H
#define SUP_TOOLS_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MSEC_PER_SEC UINT64_C(1000)
#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_SEC UINT64_C(1000000000)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The exit codes of every tool. */
enum {
	STATUS_OK = 0,
	STATUS_FALSE = 1,	/* what was asked for is not so */
	STATUS_DIED = 2,	/* who was asked died over it */
	STATUS_TIMEOUT = 99,
	STATUS_USAGE = 100,
	STATUS_SYSTEM = 111	/* a system call failed */
};

/* "program: message" on stderr; with @error, ": strerror" after it. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void complain_error(int error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

_Noreturn void die(int status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
_Noreturn void die_error(int error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Never NULL: without memory the tool ends. */
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t count, size_t size);
char *xstrdup(const char *text);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Decimal digits and nothing else, within the bounds. */
bool parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/*
 * A number with ns, us, ms, s, m, h or d behind it; a bare one counts in units
 * of @bare_ns. Nothing may follow.
 */
bool parse_duration(const char *text, uint64_t bare_ns, uint64_t *out_ns);

uint64_t monotonic_ns(void);

#endif
