/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tap.h - owns how a test program says what it found. Each has one source file,
 * so the counters are that file's.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int tap_tests;
static int tap_failed;

__attribute__((format(printf, 4, 5)))
static inline void tap_result(int good, const char *file, int line,
			      const char *format, ...)
{
	va_list args;

	tap_failed += !good;
	printf("%sok %d - ", good ? "" : "not ", ++tap_tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	if (!good)
		printf("# at %s:%d\n", file, line);
	fflush(stdout);
}

#define ok(good, ...) tap_result(!!(good), __FILE__, __LINE__, __VA_ARGS__)

#define is(got, want, name) do {					\
	long long got_ = (got), want_ = (want);				\
									\
	ok(got_ == want_, name);					\
	if (got_ != want_)						\
		printf("# got %lld, want %lld\n", got_, want_);		\
} while (0)

#define is_text(got, want, name) do {					\
	const char *got_ = (got), *want_ = (want);			\
	int same_ = got_ && !strcmp(got_, want_);			\
									\
	ok(same_, name);						\
	if (!same_)							\
		printf("# got \"%s\", want \"%s\"\n",			\
		       got_ ? got_ : "(null)", want_);			\
} while (0)

static inline int tap_end(void)
{
	printf("1..%d\n", tap_tests);
	return tap_failed ? 1 : 0;
}

#endif /* TESTS_TAP_H */
