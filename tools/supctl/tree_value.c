// SPDX-License-Identifier: GPL-2.0
/*
 * tree_value - the values in a tree file: each reader takes the text under a
 * key of a mapping, and either understands it or notes the mistake with its
 * line. A key that is not there leaves the default alone.
 */
#include "tree_value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common.h"
#include "words.h"

#define YEAR_S (365 * UINT64_C(86400))

bool value_has(const struct tree_reader *reader, const char *key)
{
	return yaml_doc_value(reader->doc, reader->mapping, key);
}

void value_refuse(const struct tree_reader *reader, const char * const *keys,
		  size_t count, const char *what, const char *expected)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (value_has(reader, keys[i]))
			mistake_add(reader->mistakes,
				    yaml_doc_line(yaml_doc_key(reader->doc,
							       reader->mapping,
							       keys[i])),
				    expected, "'%s' in %s", keys[i], what);
}

unsigned int value_line(const struct tree_reader *reader, const char *key)
{
	const yaml_node_t *node = yaml_doc_value(reader->doc, reader->mapping,
						 key);

	return yaml_doc_line(node ? node : reader->mapping);
}

void value_mistake(const struct tree_reader *reader, const char *key,
		   const char *text, const char *expected)
{
	mistake_add(reader->mistakes, value_line(reader, key), expected,
		    *text ? "%s '%s'" : "%s is empty", key, text);
}

void value_word(const struct tree_reader *reader, const char *key,
		const char *text, enum sup_words words, uint32_t *out)
{
	char *choices;

	if (!text || word_parse(words, text, out))
		return;
	choices = word_choices(words);
	value_mistake(reader, key, text, choices);
	free(choices);
}

void value_bool(const struct tree_reader *reader, const char *key,
		const char *text, uint32_t *out)
{
	static const char * const words[][2] = {
		{ "false", "true" }, { "no", "yes" }, { "off", "on" },
	};
	size_t i, value;

	if (!text)
		return;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		for (value = 0; value < 2; value++)
			if (!strcmp(text, words[i][value])) {
				*out = value;
				return;
			}
	value_mistake(reader, key, text, "true or false");
}

void value_number(const struct tree_reader *reader, const char *key,
		  const char *text, uint64_t min, uint64_t max, int64_t *out)
{
	uint64_t value;
	char *expected;

	if (!text)
		return;
	if (parse_u64(text, min, max, &value)) {
		*out = value;
		return;
	}
	expected = xasprintf("a number from %" PRIu64 " to %" PRIu64, min, max);
	value_mistake(reader, key, text, expected);
	free(expected);
}

/* Whole milliseconds of a duration, a bare number being so many already. */
static bool parse_ms(const char *text, uint64_t min, uint64_t max,
		     uint64_t *out)
{
	uint64_t ns;

	if (!parse_duration(text, NSEC_PER_MSEC, &ns) || ns % NSEC_PER_MSEC)
		return false;
	*out = ns / NSEC_PER_MSEC;
	return *out >= min && *out <= max;
}

void value_milliseconds(const struct tree_reader *reader, const char *key,
			const char *text, uint64_t min, uint64_t max,
			uint32_t *out)
{
	uint64_t ms;
	char *expected;

	if (!text)
		return;
	if (parse_ms(text, min, max, &ms)) {
		*out = ms;
		return;
	}
	expected = xasprintf("milliseconds, or a duration such as 500ms, 5s or 2m, from %" PRIu64 "ms to %" PRIu64 "d",
			     min, max / (86400 * MSEC_PER_SEC));
	value_mistake(reader, key, text, expected);
	free(expected);
}

void value_seconds(const struct tree_reader *reader, const char *key,
		   const char *text, int64_t *out)
{
	uint64_t ns;

	if (!text)
		return;
	if (!parse_duration(text, NSEC_PER_SEC, &ns) || ns % NSEC_PER_SEC ||
	    !ns || ns > YEAR_S * NSEC_PER_SEC)
		value_mistake(reader, key, text,
			      "whole seconds, or a duration such as 5s or 2m, from 1s to 365d");
	else
		*out = ns / NSEC_PER_SEC;
}

void value_shutdown(const struct tree_reader *reader, const char *key,
		    const char *text, int64_t *out)
{
	uint64_t ms;

	if (!text)
		return;
	if (!strcmp(text, "infinity"))
		*out = SUPERVISOR_SHUTDOWN_INFINITY;
	else if (!strcmp(text, "kill"))
		*out = SUPERVISOR_SHUTDOWN_KILL;
	else if (parse_ms(text, 0, YEAR_S * MSEC_PER_SEC, &ms))
		*out = ms;
	else
		value_mistake(reader, key, text,
			      "kill, infinity, milliseconds, or a duration such as 5s, up to 365d");
}

void value_signal(const struct tree_reader *reader, const char *key,
		  const char *text, uint32_t *out)
{
	if (text && !signal_parse(text, out))
		value_mistake(reader, key, text,
			      "a signal such as TERM, SIGQUIT, RTMIN+1, or its number, 1 to 64");
}

void value_mode(const struct tree_reader *reader, const char *key,
		const char *text, uint32_t *out)
{
	if (!text)
		return;
	if (!*text || strlen(text) > 4 || text[strspn(text, "01234567")] ||
	    strtoul(text, NULL, 8) > 0777)
		value_mistake(reader, key, text,
			      "octal permission bits, 000 to 777");
	else
		*out = strtoul(text, NULL, 8);
}

void value_factor(const struct tree_reader *reader, const char *key,
		  const char *text, uint32_t *out_pct)
{
	uint64_t whole, hundredths = 0;
	char *copy, *point;
	bool good;

	if (!text)
		return;
	copy = xstrdup(text);
	point = strchr(copy, '.');
	if (point)
		*point++ = '\0';
	good = parse_u64(copy, 1, 1000, &whole);
	if (good && point) {
		good = strlen(point) <= 2 &&
		       parse_u64(point, 0, 99, &hundredths);
		if (strlen(point) == 1)
			hundredths *= 10;
	}
	free(copy);
	if (good)
		*out_pct = whole * 100 + hundredths;
	else
		value_mistake(reader, key, text,
			      "a number such as 2 or 1.5, from 1 to 1000");
}

void value_percent(const struct tree_reader *reader, const char *key,
		   const char *text, uint32_t *out_pct)
{
	uint64_t percent;
	char *copy;
	size_t length;

	if (!text)
		return;
	copy = xstrdup(text);
	length = strlen(copy);
	if (length && copy[length - 1] == '%')
		copy[length - 1] = '\0';
	if (parse_u64(copy, 0, 100, &percent))
		*out_pct = percent;
	else
		value_mistake(reader, key, text, "a percentage, 0% to 100%");
	free(copy);
}
