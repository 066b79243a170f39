/* SPDX-License-Identifier: GPL-2.0 */
/* name_cases - what may be a name and what may not. */
#ifndef SUP_NAME_CASES_H
#define SUP_NAME_CASES_H

#include "../name.h"

struct name_case {
	const char *what;
	const char *bytes;
	size_t len;
	bool valid;
};

#define NAME_OF_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NAME_OF_255 NAME_OF_64 NAME_OF_64 NAME_OF_64 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

#define NAME_CASE(_what, _bytes, _valid) \
	{ .what = (_what), .bytes = (_bytes), .len = sizeof(_bytes) - 1, .valid = (_valid) }

static const struct name_case name_cases[] = {
	NAME_CASE("nothing", "", false),
	NAME_CASE("one byte", "a", true),
	NAME_CASE("blanks", " a b ", true),
	NAME_CASE("punctuation", "a.b-c_d:e@f", true),
	NAME_CASE("dots", "..", true),
	NAME_CASE("UTF-8", "\xc3\xa9t\xc3\xa9", true),
	NAME_CASE("bytes that are no UTF-8", "\x80\xff", true),
	NAME_CASE("NUL", "a\0b", false),
	NAME_CASE("slash", "a/b", false),
	NAME_CASE("only a slash", "/", false),
	NAME_CASE("newline", "a\n", false),
	NAME_CASE("escape", "\x1b[0m", false),
	NAME_CASE("the last control", "\x1f", false),
	NAME_CASE("DEL", "a\x7f", false),
	NAME_CASE("longest", NAME_OF_255, true),
	NAME_CASE("too long", NAME_OF_255 "f", false),
};

#endif
