// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * blob.c - owns the bytes of a child's blob: libsupervisor-blob(7) is this file
 * in words.
 */
#include <errno.h>
#include <string.h>
#include "internal.h"

#define BLOB_MAGIC "SUPB"
#define BLOB_VERSION 1
#define BLOB_HEAD 8		/* magic, version */
#define BLOB_RECORD 8		/* tag, length */

#define BLOB_OPTIONAL 0x80000000U	/* in a tag: skip it if unknown */

enum {
	BLOB_ARG = 1,		/* text, repeats */
	BLOB_ENV_CLEAR = 2,	/* nothing */
	BLOB_ENV_SET = 3,	/* text NAME=value, repeats */
	BLOB_ENV_UNSET = 4,	/* text NAME, repeats */
	BLOB_CWD = 5,		/* text */
	BLOB_USER = 6,		/* text */
	BLOB_GROUP = 7,		/* text */
	BLOB_GROUPS = 8,	/* text, repeats; one that is empty: none */
	BLOB_UMASK = 9,		/* number */
	BLOB_RLIMIT = 10,	/* number, two wide numbers; repeats */
	BLOB_STDIN = 11,	/* number, text */
	BLOB_STDOUT = 12,	/* likewise */
	BLOB_STDERR = 13,	/* likewise */
	BLOB_SESSION = 14,	/* number */
	BLOB_NOTIFY = 15	/* number */
};

/* ---- encoding --------------------------------------------------------- */

/* Counts when there is no buffer yet. */
struct blob_out {
	unsigned char *at;
	size_t len;
};

static void put(struct blob_out *out, const void *bytes, size_t len)
{
	if (out->at && len)
		memcpy(out->at + out->len, bytes, len);
	out->len += len;
}

static void put_u32(struct blob_out *out, uint32_t value)
{
	unsigned char le[4];

	for (int i = 0; i < 4; i++)
		le[i] = (unsigned char)(value >> 8 * i);
	put(out, le, sizeof(le));
}

static void put_u64(struct blob_out *out, uint64_t value)
{
	put_u32(out, (uint32_t)value);
	put_u32(out, (uint32_t)(value >> 32));
}

static void put_head(struct blob_out *out, uint32_t tag, size_t len)
{
	put_u32(out, tag);
	put_u32(out, (uint32_t)len);
}

static void put_text(struct blob_out *out, uint32_t tag, const char *s)
{
	put_head(out, tag, strlen(s));
	put(out, s, strlen(s));
}

static void put_number(struct blob_out *out, uint32_t tag, uint32_t value)
{
	put_head(out, tag, 4);
	put_u32(out, value);
}

static void put_env(struct blob_out *out, const struct sup_command *command)
{
	if (command->clear_env)
		put_head(out, BLOB_ENV_CLEAR, 0);
	for (size_t i = 0; i < command->env.n; i++) {
		const char *s = command->env.v[i];

		put_text(out, strchr(s, '=') ? BLOB_ENV_SET : BLOB_ENV_UNSET,
			 s);
	}
}

static void put_ids(struct blob_out *out, const struct sup_command *command)
{
	if (command->user)
		put_text(out, BLOB_USER, command->user);
	if (command->group)
		put_text(out, BLOB_GROUP, command->group);
	if (command->has_groups && !command->groups.n)
		put_head(out, BLOB_GROUPS, 0);
	for (size_t i = 0; i < command->groups.n; i++)
		put_text(out, BLOB_GROUPS, command->groups.v[i]);
}

static void put_stdio(struct blob_out *out, uint32_t tag,
		      const struct sup_command_stdio *stdio)
{
	const char *path = stdio->path ? stdio->path : "";

	if (stdio->kind == SUP_STDIO_INHERIT)
		return;
	put_head(out, tag, 4 + strlen(path));
	put_u32(out, stdio->kind);
	put(out, path, strlen(path));
}

static void put_command(struct blob_out *out, const struct sup_command *command)
{
	put(out, BLOB_MAGIC, 4);
	put_u32(out, BLOB_VERSION);
	for (size_t i = 0; i < command->argv.n; i++)
		put_text(out, BLOB_ARG, command->argv.v[i]);
	put_env(out, command);
	if (command->cwd)
		put_text(out, BLOB_CWD, command->cwd);
	put_ids(out, command);
	if (command->has_umask)
		put_number(out, BLOB_UMASK, command->umask);
	for (uint32_t i = 0; i < SUP_RLIMITS; i++) {
		if (!(command->rlimits & 1U << i))
			continue;
		put_head(out, BLOB_RLIMIT, 20);
		put_u32(out, i);
		put_u64(out, command->rlimit[i].soft);
		put_u64(out, command->rlimit[i].hard);
	}
	for (uint32_t fd = 0; fd < 3; fd++)
		put_stdio(out, BLOB_STDIN + fd, &command->stdio[fd]);
	if (command->session)
		put_number(out, BLOB_SESSION, command->session);
	if (command->notify)
		put_number(out, BLOB_NOTIFY, command->notify);
}

int sup_command_encode(const struct sup_command *command, void **blob,
		       size_t *len)
{
	struct blob_out out = { 0 };

	if (!command->argv.n)
		return -EINVAL;
	put_command(&out, command);
	if (out.len > SUPERVISOR_BLOB_MAX)
		return -EMSGSIZE;
	out.at = sup_realloc(NULL, out.len);
	if (!out.at)
		return -ENOMEM;
	out.len = 0;
	put_command(&out, command);
	*blob = out.at;
	*len = out.len;
	return 0;
}

/* ---- decoding --------------------------------------------------------- */

struct blob_in {
	struct sup_command *command;
	uint32_t seen;		/* tags */
	char *text;		/* of the record at hand, with a NUL */
};

static uint32_t get_u32(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static uint64_t get_u64(const unsigned char *at)
{
	return get_u32(at) | (uint64_t)get_u32(at + 4) << 32;
}

/* A NUL inside would cut the text short in the child: refused. */
static int take_text(struct blob_in *in, const unsigned char *at, size_t len)
{
	if (memchr(at, 0, len))
		return -EBADMSG;
	memcpy(in->text, at, len);
	in->text[len] = '\0';
	return 0;
}

static int take_env_set(struct blob_in *in)
{
	char *equals = strchr(in->text, '=');

	if (!equals)
		return -EBADMSG;
	*equals = '\0';
	return sup_command_set_env(in->command, in->text, equals + 1);
}

static int take_stdio(struct blob_in *in, int fd, const unsigned char *at,
		      size_t len)
{
	uint32_t kind;
	int ret;

	if (len < 4)
		return -EBADMSG;
	kind = get_u32(at);
	if (kind > SUP_STDIO_STDOUT)
		return -EOPNOTSUPP;
	ret = take_text(in, at + 4, len - 4);
	if (ret)
		return ret;
	return sup_command_set_stdio(in->command, fd, (enum sup_stdio)kind,
				     in->text);
}

static int take_rlimit(struct blob_in *in, const unsigned char *at, size_t len)
{
	uint32_t resource;

	if (len != 20)
		return -EBADMSG;
	resource = get_u32(at);
	if (resource >= SUP_RLIMITS)
		return -EOPNOTSUPP;
	if (in->command->rlimits & 1U << resource)
		return -EBADMSG;
	return sup_command_set_rlimit(in->command, resource, get_u64(at + 4),
				      get_u64(at + 12));
}

static int take_group(struct blob_in *in)
{
	struct sup_command *command = in->command;

	/* none at all stands alone */
	if (!*in->text)
		return command->has_groups ? -EBADMSG :
					     sup_command_clear_groups(command);
	if (command->has_groups && !command->groups.n)
		return -EBADMSG;
	return sup_command_add_group(command, in->text);
}

static int take_number(struct blob_in *in, uint32_t tag,
		       const unsigned char *at, size_t len)
{
	uint32_t value;

	if (len != 4)
		return -EBADMSG;
	value = get_u32(at);
	if (tag == BLOB_UMASK)
		return sup_command_set_umask(in->command, value);
	if (tag == BLOB_SESSION)
		return value > SUP_SESSION_INHERIT ? -EOPNOTSUPP :
			sup_command_set_session(in->command,
						(enum sup_session)value);
	return value > SUP_NOTIFY_YES ? -EOPNOTSUPP :
		sup_command_set_notify(in->command, (enum sup_notify)value);
}

static bool tag_repeats(uint32_t tag)
{
	return tag == BLOB_ARG || tag == BLOB_ENV_SET ||
	       tag == BLOB_ENV_UNSET || tag == BLOB_GROUPS ||
	       tag == BLOB_RLIMIT;
}

static int take_tagged_text(struct blob_in *in, uint32_t tag)
{
	switch (tag) {
	case BLOB_ARG:
		return sup_command_add_arg(in->command, in->text);
	case BLOB_ENV_SET:
		return take_env_set(in);
	case BLOB_ENV_UNSET:
		return sup_command_unset_env(in->command, in->text);
	case BLOB_CWD:
		return sup_command_set_cwd(in->command, in->text);
	case BLOB_USER:
		return sup_command_set_user(in->command, in->text);
	case BLOB_GROUP:
		return sup_command_set_group(in->command, in->text);
	default:
		return take_group(in);
	}
}

static int take_record(struct blob_in *in, uint32_t tag,
		       const unsigned char *at, size_t len)
{
	int ret;

	if (!tag || (tag & ~BLOB_OPTIONAL) > BLOB_NOTIFY)
		return tag & BLOB_OPTIONAL ? 0 : -EOPNOTSUPP;
	tag &= ~BLOB_OPTIONAL;
	if (!tag_repeats(tag) && in->seen & 1U << tag)
		return -EBADMSG;
	in->seen |= 1U << tag;

	switch (tag) {
	case BLOB_ENV_CLEAR:
		return len ? -EBADMSG : sup_command_clear_env(in->command);
	case BLOB_UMASK:
	case BLOB_SESSION:
	case BLOB_NOTIFY:
		return take_number(in, tag, at, len);
	case BLOB_RLIMIT:
		return take_rlimit(in, at, len);
	case BLOB_STDIN:
	case BLOB_STDOUT:
	case BLOB_STDERR:
		return take_stdio(in, (int)(tag - BLOB_STDIN), at, len);
	default:
		ret = take_text(in, at, len);
		return ret ? ret : take_tagged_text(in, tag);
	}
}

static int take_records(struct blob_in *in, const unsigned char *at,
			size_t left)
{
	while (left) {
		uint32_t tag, len;
		int ret;

		if (left < BLOB_RECORD)
			return -EBADMSG;
		tag = get_u32(at);
		len = get_u32(at + 4);
		at += BLOB_RECORD;
		left -= BLOB_RECORD;
		if (len > left)
			return -EBADMSG;
		ret = take_record(in, tag, at, len);
		if (ret)
			return ret == -EINVAL ? -EBADMSG : ret;
		at += len;
		left -= len;
	}
	return in->command->argv.n ? 0 : -EBADMSG;
}

static int take_head(const unsigned char *at, size_t len)
{
	if (len > SUPERVISOR_BLOB_MAX)
		return -EMSGSIZE;
	if (len < BLOB_HEAD || memcmp(at, BLOB_MAGIC, 4))
		return -EBADMSG;
	return get_u32(at + 4) == BLOB_VERSION ? 0 : -EOPNOTSUPP;
}

int sup_command_decode(const void *blob, size_t len,
		       struct sup_command **command)
{
	return sup_command_decode_with(blob, len, NULL, 0, command);
}

int sup_command_decode_with(const void *blob, size_t len, const void *args,
			    size_t args_len, struct sup_command **command)
{
	struct blob_in in = { 0 };
	int ret;

	*command = NULL;
	ret = take_head(blob, len);
	if (!ret && args_len)
		ret = take_head(args, args_len);
	if (ret)
		return ret;

	/* no text is longer than what is left of it */
	ret = sup_command_alloc(&in.command, len + args_len);
	if (ret)
		return ret;
	in.text = (char *)(in.command + 1);
	ret = take_records(&in, (const unsigned char *)blob + BLOB_HEAD,
			   len - BLOB_HEAD);
	if (!ret && args_len)
		ret = take_records(&in, (const unsigned char *)args + BLOB_HEAD,
				   args_len - BLOB_HEAD);
	if (ret)
		sup_command_free(in.command);
	else
		*command = in.command;
	return ret;
}
