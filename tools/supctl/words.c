// SPDX-License-Identifier: GPL-2.0
/*
 * words - the words for the kernel's values and the values for words: choices,
 * signals, exits, durations. The spelling of choices is the library's.
 */
#include "words.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <time.h>

/* The kernel's first real-time signal; libc keeps some of them to itself. */
#define KERNEL_SIGRTMIN 32
#define KERNEL_SIGRTMAX 64

bool word_parse(enum sup_words words, const char *text, uint32_t *out)
{
	const char *word;
	uint32_t value;

	for (value = 0; (word = sup_word(words, value)); value++)
		if (*word && !strcmp(text, word)) {
			*out = value;
			return true;
		}
	return false;
}

char *word_choices(enum sup_words words)
{
	char *choices = NULL;
	const char *word;
	uint32_t value;

	for (value = 0; (word = sup_word(words, value)); value++) {
		const char *joint = ", ";
		char *longer;

		if (!*word)
			continue;
		if (!choices)
			joint = "";
		else if (!sup_word(words, value + 1))
			joint = " or ";
		longer = xasprintf("%s%s%s", choices ? choices : "", joint,
				   word);
		free(choices);
		choices = longer;
	}
	return choices ? choices : xstrdup("nothing");
}

const char *word_of(enum sup_words words, uint32_t value)
{
	static char number[16];
	const char *word = sup_word(words, value);

	if (word && *word)
		return word;
	snprintf(number, sizeof(number), "%" PRIu32, value);
	return number;
}

static bool parse_realtime(const char *text, uint32_t *out)
{
	bool from_max = !strncasecmp(text, "RTMAX", 5);
	uint64_t offset = 0;

	if (!from_max && strncasecmp(text, "RTMIN", 5))
		return false;
	text += 5;
	if (*text) {
		if (*text++ != (from_max ? '-' : '+'))
			return false;
		if (!parse_u64(text, 0, SIGRTMAX - SIGRTMIN, &offset))
			return false;
	}
	*out = from_max ? SIGRTMAX - offset : SIGRTMIN + offset;
	return true;
}

bool signal_parse(const char *text, uint32_t *out)
{
	uint64_t number;
	int i;

	if (parse_u64(text, 1, KERNEL_SIGRTMAX, &number)) {
		*out = number;
		return true;
	}
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (i = 1; i < KERNEL_SIGRTMIN; i++) {
		const char *name = sigabbrev_np(i);

		if (name && !strcasecmp(text, name)) {
			*out = i;
			return true;
		}
	}
	return parse_realtime(text, out);
}

char *signal_name(int number)
{
	const char *name = sigabbrev_np(number);

	if (name)
		return xasprintf("SIG%s", name);
	if (number == SIGRTMIN)
		return xstrdup("SIGRTMIN");
	if (number > SIGRTMIN && number <= SIGRTMAX)
		return xasprintf("SIGRTMIN+%d", number - SIGRTMIN);
	return xasprintf("signal %d", number);
}

char *status_words(int status)
{
	char *signal, *words;

	if (WIFEXITED(status))
		return xasprintf("exit status %d", WEXITSTATUS(status));
	signal = signal_name(WTERMSIG(status));
	words = xasprintf("killed by %s%s", signal,
			  WCOREDUMP(status) ? ", core dumped" : "");
	free(signal);
	return words;
}

char *start_error_words(int error, int pid)
{
	if (error != EEXIST)
		return xstrdup(strerror(error));
	return pid ? xasprintf("its key is taken, by process %d", pid) :
		     xstrdup("its key is taken");
}

char *duration_words(uint64_t ns)
{
	uint64_t s = ns / NSEC_PER_SEC;

	if (ns < NSEC_PER_MSEC)
		return xasprintf("%" PRIu64 "us", ns / 1000);
	if (s < 1)
		return xasprintf("%" PRIu64 "ms", ns / NSEC_PER_MSEC);
	if (s < 60)
		return xasprintf("%" PRIu64 "s", s);
	if (s < 3600)
		return xasprintf("%" PRIu64 "m%" PRIu64 "s", s / 60, s % 60);
	if (s < 86400)
		return xasprintf("%" PRIu64 "h%" PRIu64 "m", s / 3600,
				 s / 60 % 60);
	return xasprintf("%" PRIu64 "d%" PRIu64 "h", s / 86400, s / 3600 % 24);
}

char *clock_words(uint64_t time_ns)
{
	struct timespec now;
	uint64_t ns;
	struct tm tm;
	time_t s;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	ns = now.tv_sec * NSEC_PER_SEC + now.tv_nsec -
	     (monotonic_ns() - time_ns);
	s = ns / NSEC_PER_SEC;
	localtime_r(&s, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	return xasprintf("%s.%03u", text,
			 (unsigned int)(ns % NSEC_PER_SEC / NSEC_PER_MSEC));
}

char *shutdown_words(int64_t shutdown_ms)
{
	if (shutdown_ms == SUPERVISOR_SHUTDOWN_INFINITY)
		return xstrdup("infinity");
	if (shutdown_ms == SUPERVISOR_SHUTDOWN_KILL)
		return xstrdup("kill");
	return xasprintf("%" PRId64 "ms", shutdown_ms);
}
