// SPDX-License-Identifier: GPL-2.0
/*
 * mistakes - what is wrong with a tree file: on which line, what, and what was
 * expected. Collected, so that one look finds them all.
 */
#include "mistakes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common.h"
#include "json_put.h"

void mistake_add(struct mistakes *m, unsigned int line, const char *expected,
		 const char *format, ...)
{
	struct mistake *mistake;
	va_list ap;

	m->list = xrealloc(m->list, m->count + 1, sizeof(*m->list));
	mistake = &m->list[m->count++];
	mistake->line = line;
	mistake->expected = xstrdup(expected);
	va_start(ap, format);
	if (vasprintf(&mistake->what, format, ap) < 0)
		mistake->what = xstrdup(format);
	va_end(ap);
}

/* Stable: mistakes on one line stay in the order in which they were found. */
static void sort_by_line(struct mistakes *m)
{
	size_t i, j;

	for (i = 1; i < m->count; i++) {
		struct mistake moving = m->list[i];

		for (j = i; j && m->list[j - 1].line > moving.line; j--)
			m->list[j] = m->list[j - 1];
		m->list[j] = moving;
	}
}

void mistakes_print(struct mistakes *m, const char *file)
{
	size_t i;

	sort_by_line(m);
	for (i = 0; i < m->count; i++) {
		const struct mistake *mistake = &m->list[i];

		if (mistake->line)
			complain("%s:%u: %s: expected %s", file, mistake->line,
				 mistake->what, mistake->expected);
		else
			complain("%s: %s: expected %s", file, mistake->what,
				 mistake->expected);
	}
}

json_t *mistakes_json(struct mistakes *m)
{
	json_t *list = json_array();
	size_t i;

	sort_by_line(m);
	for (i = 0; i < m->count; i++) {
		json_t *mistake = json_object();

		json_put_number(mistake, "line", m->list[i].line);
		json_put_text(mistake, "what", m->list[i].what);
		json_put_text(mistake, "expected", m->list[i].expected);
		json_array_append_new(list, mistake);
	}
	return list;
}

void mistakes_free(struct mistakes *m)
{
	size_t i;

	for (i = 0; i < m->count; i++) {
		free(m->list[i].what);
		free(m->list[i].expected);
	}
	free(m->list);
	m->list = NULL;
	m->count = 0;
}
