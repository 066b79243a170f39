/* SPDX-License-Identifier: GPL-2.0 */
/*
 * words - the words for the kernel's values and the values for words: choices,
 * signals, exits, durations. The spelling of choices is the library's.
 */
#ifndef SUPCTL_WORDS_H
#define SUPCTL_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <supervisor.h>

#include "../common.h"

/* The value whose word @text is. */
bool word_parse(enum sup_words words, const char *text, uint32_t *out);

/* "one_for_one, one_for_all or rest_for_one"; for free(3). */
char *word_choices(enum sup_words words);

/* Never NULL: a value of a newer kernel is its number. Not thread-safe. */
const char *word_of(enum sup_words words, uint32_t value);

/* TERM, SIGTERM, 15, RTMIN+1: 1 to 64. */
bool signal_parse(const char *text, uint32_t *out);
/* SIGTERM, SIGRTMIN+1; for free(3). */
char *signal_name(int number);

/* A raw wait status: "exit status 1", "killed by SIGKILL"; for free(3). */
char *status_words(int status);

/*
 * Why a start failed, as errno says it; but EEXIST is of a key, which process
 * @pid has if that is not 0. For free(3).
 */
char *start_error_words(int error, int pid);

/* "350ms", "12s", "3m5s", "2d4h"; for free(3). */
char *duration_words(uint64_t ns);

/*
 * Wall-clock time of a moment of CLOCK_MONOTONIC, as this process sees both:
 * "09:29:16.237"; for free(3).
 */
char *clock_words(uint64_t time_ns);

/* A shutdown: "5000ms", "infinity", "kill"; for free(3). */
char *shutdown_words(int64_t shutdown_ms);

#endif
