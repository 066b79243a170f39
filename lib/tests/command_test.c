// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * command_test.c - commands: what setters refuse, that everything comes back
 * from the bytes, and that no other bytes are taken for a command.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "../internal.h"
#include "tap.h"

static struct sup_command *command_new(void)
{
	struct sup_command *command;

	if (sup_command_new(&command))
		abort();
	return command;
}

/* ---- bytes by hand ---------------------------------------------------- */

static unsigned char bytes[256];
static size_t length;

static void u32(uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[length++] = (unsigned char)(value >> 8 * i);
}

static void head(uint32_t version)
{
	memcpy(bytes, "SUPB", 4);
	length = 4;
	u32(version);
}

static void record(uint32_t tag, const void *value, size_t len)
{
	u32(tag);
	u32((uint32_t)len);
	memcpy(bytes + length, value, len);
	length += len;
}

/* The bytes are copied to where the sanitizer sees a read beyond them. */
static int decode(void)
{
	struct sup_command *command;
	void *copy = malloc(length ? length : 1);
	int ret;

	memcpy(copy, bytes, length);
	ret = sup_command_decode(copy, length, &command);
	free(copy);
	sup_command_free(command);
	return ret;
}

static int decode_with(uint32_t tag, const void *value, size_t len)
{
	head(1);
	record(1, "true", 4);
	record(tag, value, len);
	return decode();
}

static void test_bytes(void)
{
	static const unsigned char rlimit[20] = { 7, 0, 0, 0, 2, [12] = 1 };
	static const unsigned char rlimit99[20] = { 99 };

	head(1);
	record(1, "true", 4);
	is(decode(), 0, "the least command");
	for (size_t whole = length; length; length--) {
		if (length == whole)
			continue;
		if (decode() != -EBADMSG)
			break;
	}
	is(length, 0, "every shorter one is malformed");

	head(2);
	record(1, "true", 4);
	is(decode(), -EOPNOTSUPP, "a version to come");
	head(1);
	is(decode(), -EBADMSG, "no argument");
	head(1);
	record(1, "", 0);
	is(decode(), -EBADMSG, "an empty program");
	head(1);
	record(1, "true", 4);
	u32(1);
	u32(0xffffffff);
	is(decode(), -EBADMSG, "a length beyond the end");

	is(decode_with(16, "", 0), -EOPNOTSUPP, "an unknown mandatory tag");
	is(decode_with(0, "", 0), -EOPNOTSUPP, "tag 0");
	is(decode_with(0x80000010, "xyz", 3), 0,
	   "an unknown optional tag is skipped");
	is(decode_with(0x80000005, "", 0), -EBADMSG,
	   "a known tag counts, optional or not");
	is(decode_with(1, "a\0b", 3), -EBADMSG, "a NUL in text");
	is(decode_with(2, "x", 1), -EBADMSG, "a value where none belongs");
	is(decode_with(3, "NAME", 4), -EBADMSG, "a variable without '='");
	is(decode_with(3, "=x", 2), -EBADMSG, "a variable without a name");
	is(decode_with(4, "A=b", 3), -EBADMSG, "unsetting with '='");
	is(decode_with(9, "\1\0\0", 3), -EBADMSG, "a short number");
	is(decode_with(9, "\0\2\0\0", 4), -EBADMSG, "a umask over 0777");
	is(decode_with(10, rlimit, 20), -EBADMSG, "soft over hard");
	is(decode_with(10, rlimit99, 20), -EOPNOTSUPP, "an unknown resource");
	is(decode_with(11, "\3\0\0\0f", 5), -EBADMSG, "appending to stdin");
	is(decode_with(12, "\2\0\0\0", 4), -EBADMSG, "a file without a path");
	is(decode_with(12, "\1\0\0\0f", 5), -EBADMSG, "null with a path");
	is(decode_with(13, "\5\0\0\0", 4), -EOPNOTSUPP,
	   "standard error to something unknown");
	is(decode_with(14, "\4\0\0\0", 4), -EOPNOTSUPP, "an unknown session");
	is(decode_with(15, "\3\0\0\0", 4), -EOPNOTSUPP, "an unknown notify");

	head(1);
	record(1, "true", 4);
	record(5, "/", 1);
	record(5, "/", 1);
	is(decode(), -EBADMSG, "two working directories");
	head(1);
	record(1, "true", 4);
	record(8, "", 0);
	record(8, "x", 1);
	is(decode(), -EBADMSG, "no groups, and one");
}

/* ---- setters ---------------------------------------------------------- */

static void test_setters(void)
{
	struct sup_command *command = command_new();
	size_t len;
	void *blob;

	is(sup_command_encode(command, &blob, &len), -EINVAL,
	   "no argument, no blob");
	is(sup_command_add_arg(command, ""), -EINVAL, "empty program");
	is(sup_command_set_env(command, "", "x"), -EINVAL, "empty name");
	is(sup_command_set_env(command, "a=b", "x"), -EINVAL, "name with '='");
	is(sup_command_unset_env(command, "a="), -EINVAL, "unset with '='");
	is(sup_command_set_cwd(command, ""), -EINVAL, "empty cwd");
	is(sup_command_set_user(command, ""), -EINVAL, "empty user");
	is(sup_command_add_group(command, ""), -EINVAL, "empty group");
	is(sup_command_set_umask(command, 01000), -EINVAL, "umask 01000");
	is(sup_command_set_rlimit(command, 16, 0, 0), -EINVAL, "rlimit 16");
	is(sup_command_set_rlimit(command, 0, 2, 1), -EINVAL, "soft over hard");
	is(sup_command_set_stdio(command, 3, SUP_STDIO_NULL, NULL), -EINVAL,
	   "fd 3");
	is(sup_command_set_stdio(command, 0, SUP_STDIO_APPEND, "f"), -EINVAL,
	   "append to fd 0");
	is(sup_command_set_stdio(command, 1, SUP_STDIO_STDOUT, NULL), -EINVAL,
	   "stdout to stdout");
	is(sup_command_set_stdio(command, 1, SUP_STDIO_FILE, NULL), -EINVAL,
	   "a file without a path");
	is(sup_command_set_stdio(command, 1, SUP_STDIO_NULL, "f"), -EINVAL,
	   "null with a path");
	is(sup_command_set_session(command, (enum sup_session)4), -EINVAL,
	   "session 4");
	is(sup_command_set_notify(command, (enum sup_notify)-1), -EINVAL,
	   "notify -1");
	is(sup_command_argv(command)[0] == NULL, 1, "nothing was changed");
	sup_command_free(command);
	sup_command_free(NULL);
}

static void fill(struct sup_command *command)
{
	sup_command_add_arg(command, "prog");
	sup_command_add_arg(command, "");
	sup_command_add_arg(command, "two words");
	sup_command_clear_env(command);
	sup_command_set_env(command, "A", "1=2");
	sup_command_unset_env(command, "A");
	sup_command_set_env(command, "B", "");
	sup_command_set_cwd(command, "/srv");
	sup_command_set_user(command, "nobody");
	sup_command_set_group(command, "42");
	sup_command_add_group(command, "adm");
	sup_command_add_group(command, "7");
	sup_command_set_umask(command, 0);
	sup_command_set_rlimit(command, RLIMIT_NOFILE, 1ULL << 33, ~0ULL);
	sup_command_set_rlimit(command, RLIMIT_CORE, 0, 0);
	sup_command_set_stdio(command, 0, SUP_STDIO_NULL, NULL);
	sup_command_set_stdio(command, 1, SUP_STDIO_APPEND, "log/out");
	sup_command_set_stdio(command, 2, SUP_STDIO_STDOUT, NULL);
	sup_command_set_session(command, SUP_SESSION_GROUP);
	sup_command_set_notify(command, SUP_NOTIFY_YES);
}

static void test_all(const struct sup_command *command)
{
	const char *const *texts;
	enum sup_stdio kind;
	uint64_t soft, hard;
	const char *path;
	uint32_t mask = 1;
	int clear = 0;

	texts = sup_command_argv(command);
	ok(!strcmp(texts[0], "prog") && !strcmp(texts[1], "") &&
	   !strcmp(texts[2], "two words") && !texts[3], "argv");
	texts = sup_command_env(command, &clear);
	ok(clear && !strcmp(texts[0], "A=1=2") && !strcmp(texts[1], "A") &&
	   !strcmp(texts[2], "B=") && !texts[3], "env, in order");
	is_text(sup_command_cwd(command), "/srv", "cwd");
	is_text(sup_command_user(command), "nobody", "user");
	is_text(sup_command_group(command), "42", "group");
	texts = sup_command_groups(command);
	ok(!strcmp(texts[0], "adm") && !strcmp(texts[1], "7") && !texts[2],
	   "groups");
	ok(sup_command_umask(command, &mask) == 1 && mask == 0, "umask 0");
	ok(sup_command_rlimit(command, RLIMIT_NOFILE, &soft, &hard) == 1 &&
	   soft == 1ULL << 33 && hard == ~0ULL, "a wide limit, infinity");
	is(sup_command_rlimit(command, RLIMIT_CPU, &soft, &hard), 0,
	   "a limit that is not set");
	ok(!sup_command_stdio(command, 0, &kind, NULL) &&
	   kind == SUP_STDIO_NULL, "stdin");
	ok(!sup_command_stdio(command, 1, &kind, &path) &&
	   kind == SUP_STDIO_APPEND && !strcmp(path, "log/out"), "stdout");
	ok(!sup_command_stdio(command, 2, &kind, &path) &&
	   kind == SUP_STDIO_STDOUT && !path, "stderr");
	is(sup_command_session(command), SUP_SESSION_GROUP, "session");
	is(sup_command_notify(command), SUP_NOTIFY_YES, "notify");
}

static void test_round_trip(void)
{
	struct sup_command *command = command_new(), *copy;
	void *blob, *again;
	size_t len, len_again;

	fill(command);
	is(sup_command_encode(command, &blob, &len), 0, "encodes");
	is(sup_command_decode(blob, len, &copy), 0, "decodes");
	test_all(copy);
	is(sup_command_encode(copy, &again, &len_again), 0, "encodes again");
	ok(len == len_again && !memcmp(blob, again, len), "to equal bytes");
	free(again);
	free(blob);
	sup_command_free(copy);

	sup_command_clear_groups(command);
	sup_command_encode(command, &blob, &len);
	sup_command_decode(blob, len, &copy);
	ok(sup_command_groups(copy) && !sup_command_groups(copy)[0],
	   "no groups at all come back as none");
	free(blob);
	sup_command_free(copy);
	sup_command_free(command);
}

/* The example of libsupervisor-blob(7). */
static void test_example(void)
{
	static const char want[] =
		"SUPB\1\0\0\0" "\1\0\0\0\5\0\0\0sleep"
		"\1\0\0\0\1\0\0\0" "9" "\13\0\0\0\4\0\0\0\1\0\0\0";
	struct sup_command *command = command_new();
	size_t len;
	void *blob;

	sup_command_add_arg(command, "sleep");
	sup_command_add_arg(command, "9");
	sup_command_set_stdio(command, 0, SUP_STDIO_NULL, NULL);
	sup_command_encode(command, &blob, &len);
	ok(len == sizeof(want) - 1 && !memcmp(blob, want, len),
	   "the bytes in the manual");
	free(blob);
	sup_command_free(command);
}

static void test_size(void)
{
	struct sup_command *command = command_new(), *copy;
	size_t len;
	void *blob;
	int n = 0;

	for (; n < SUPERVISOR_BLOB_MAX / 15; n++)
		sup_command_add_arg(command, "1234567");
	is(sup_command_encode(command, &blob, &len), -EMSGSIZE, "too long");
	sup_command_free(command);

	command = command_new();
	for (n = 0; n < (SUPERVISOR_BLOB_MAX - 8) / 16; n++)
		sup_command_add_arg(command, "12345678");
	is(sup_command_encode(command, &blob, &len), 0, "as long as can be");
	is(sup_command_decode(blob, len, &copy), 0, "and back");
	sup_command_free(copy);
	is(sup_command_decode(blob, SUPERVISOR_BLOB_MAX + 1, &copy), -EMSGSIZE,
	   "one byte more is refused unread");
	free(blob);
	sup_command_free(command);
}

int main(void)
{
	errno = 0;
	test_bytes();
	test_setters();
	test_round_trip();
	test_example();
	test_size();
	is(errno, 0, "errno was left alone");
	return tap_end();
}
