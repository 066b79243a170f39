// SPDX-License-Identifier: GPL-2.0
/* What the readers of scenarios share: files, lines as words, and memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

void *xcalloc(size_t nr, size_t size)
{
	void *memory = calloc(nr ? nr : 1, size);

	if (!memory)
		abort();
	return memory;
}

/* Room for one more than @nr; doubles when @nr is a power of two. */
void *xgrow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	array = reallocarray(array, nr ? 2 * nr : 1, size);
	if (!array)
		abort();
	return array;
}

/* The whole of a file; NULL after saying why not. */
char *text_read(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	ssize_t len = -1;

	if (file) {
		/* No file of text has this byte, but for its end. */
		len = getdelim(&text, &room, '\0', file);
		if (len < 0 && feof(file)) {
			text = xcalloc(1, 1);
			len = 0;
		}
	}
	if (len < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (file)
		fclose(file);
	return len < 0 ? NULL : text;
}

/*
 * Split a line, which is written to, into its words; without the comment. More than
 * @max are counted as @max + 1.
 */
size_t text_words(char *line, const char **words, size_t max)
{
	char *state;
	size_t nr = 0;

	*strchrnul(line, '#') = '\0';
	for (char *word = strtok_r(line, " \t\r", &state); word;
	     word = strtok_r(NULL, " \t\r", &state)) {
		if (nr == max)
			return max + 1;
		words[nr++] = word;
	}
	return nr;
}

/* The words, with one blank between; the caller frees it. */
char *text_join(const char *const *words, size_t nr_words)
{
	size_t len = 0;
	char *text;

	for (size_t i = 0; i < nr_words; i++)
		len += strlen(words[i]) + 1;
	text = xcalloc(len + 1, 1);
	for (size_t i = 0; i < nr_words; i++) {
		strcat(text, words[i]);
		if (i + 1 < nr_words)
			strcat(text, " ");
	}
	return text;
}

bool text_is_name(const char *word)
{
	if (*word < 'a' || *word > 'z')
		return false;
	return word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789")] == '\0';
}
