// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * command.c - owns struct sup_command: setting and reading what a child's blob
 * says. blob.c has the bytes.
 */
#include <errno.h>
#include <string.h>
#include "internal.h"

static char *text_copy(const char *s, size_t len)
{
	char *copy = sup_realloc(NULL, len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

static int text_set(char **dst, const char *s)
{
	char *copy;

	if (!*s)
		return -EINVAL;
	copy = text_copy(s, strlen(s));
	if (!copy)
		return -ENOMEM;
	sup_free(*dst);
	*dst = copy;
	return 0;
}

/* Takes @s over, also when it fails. */
static int strv_push(struct sup_strv *strv, char *s)
{
	if (!s)
		return -ENOMEM;
	if (strv->n + 2 > strv->cap) {
		size_t cap = strv->cap ? strv->cap * 2 : 8;
		char **v = sup_realloc(strv->v, cap * sizeof(*v));

		if (!v) {
			sup_free(s);
			return -ENOMEM;
		}
		strv->v = v;
		strv->cap = cap;
	}
	strv->v[strv->n++] = s;
	strv->v[strv->n] = NULL;
	return 0;
}

static void strv_clear(struct sup_strv *strv)
{
	for (size_t i = 0; i < strv->n; i++)
		sup_free(strv->v[i]);
	sup_free(strv->v);
	*strv = (struct sup_strv){ 0 };
}

static const char *const *strv_get(const struct sup_strv *strv)
{
	static const char *const none[] = { NULL };

	return strv->n ? (const char *const *)strv->v : none;
}

int sup_command_alloc(struct sup_command **command, size_t scratch)
{
	*command = sup_realloc(NULL, sizeof(**command) + scratch);
	if (!*command)
		return -ENOMEM;
	memset(*command, 0, sizeof(**command));
	return 0;
}

int sup_command_new(struct sup_command **command)
{
	return sup_command_alloc(command, 0);
}

void sup_command_free(struct sup_command *command)
{
	if (!command)
		return;
	strv_clear(&command->argv);
	strv_clear(&command->env);
	strv_clear(&command->groups);
	sup_free(command->cwd);
	sup_free(command->user);
	sup_free(command->group);
	for (size_t i = 0; i < ARRAY_SIZE(command->stdio); i++)
		sup_free(command->stdio[i].path);
	sup_free(command);
}

/* ---- setting ---------------------------------------------------------- */

int sup_command_add_arg(struct sup_command *command, const char *arg)
{
	if (!command->argv.n && !*arg)
		return -EINVAL;
	return strv_push(&command->argv, text_copy(arg, strlen(arg)));
}

int sup_command_clear_env(struct sup_command *command)
{
	command->clear_env = true;
	return 0;
}

int sup_command_set_env(struct sup_command *command, const char *name,
			const char *value)
{
	size_t name_len = strlen(name);
	size_t value_len = strlen(value);
	char *s;

	if (!name_len || strchr(name, '='))
		return -EINVAL;
	s = sup_realloc(NULL, name_len + value_len + 2);
	if (!s)
		return -ENOMEM;
	memcpy(s, name, name_len);
	s[name_len] = '=';
	memcpy(s + name_len + 1, value, value_len + 1);
	return strv_push(&command->env, s);
}

int sup_command_unset_env(struct sup_command *command, const char *name)
{
	if (!*name || strchr(name, '='))
		return -EINVAL;
	return strv_push(&command->env, text_copy(name, strlen(name)));
}

int sup_command_set_cwd(struct sup_command *command, const char *path)
{
	return text_set(&command->cwd, path);
}

int sup_command_set_user(struct sup_command *command, const char *user)
{
	return text_set(&command->user, user);
}

int sup_command_set_group(struct sup_command *command, const char *group)
{
	return text_set(&command->group, group);
}

int sup_command_add_group(struct sup_command *command, const char *group)
{
	int ret;

	if (!*group)
		return -EINVAL;
	ret = strv_push(&command->groups, text_copy(group, strlen(group)));
	if (!ret)
		command->has_groups = true;
	return ret;
}

int sup_command_clear_groups(struct sup_command *command)
{
	strv_clear(&command->groups);
	command->has_groups = true;
	return 0;
}

int sup_command_set_umask(struct sup_command *command, uint32_t mask)
{
	if (mask > 0777)
		return -EINVAL;
	command->has_umask = true;
	command->umask = mask;
	return 0;
}

int sup_command_set_rlimit(struct sup_command *command, uint32_t resource,
			   uint64_t soft, uint64_t hard)
{
	if (resource >= SUP_RLIMITS || soft > hard)
		return -EINVAL;
	command->rlimits |= 1U << resource;
	command->rlimit[resource].soft = soft;
	command->rlimit[resource].hard = hard;
	return 0;
}

static bool stdio_fits(int fd, enum sup_stdio kind)
{
	switch (kind) {
	case SUP_STDIO_INHERIT:
	case SUP_STDIO_NULL:
	case SUP_STDIO_FILE:
		return true;
	case SUP_STDIO_APPEND:
		return fd != 0;
	case SUP_STDIO_STDOUT:
		return fd == 2;
	}
	return false;
}

int sup_command_set_stdio(struct sup_command *command, int fd,
			  enum sup_stdio kind, const char *path)
{
	bool wants_path = kind == SUP_STDIO_FILE || kind == SUP_STDIO_APPEND;
	char *copy = NULL;

	if (fd < 0 || fd > 2 || !stdio_fits(fd, kind) ||
	    wants_path != (path && *path))
		return -EINVAL;
	if (wants_path) {
		copy = text_copy(path, strlen(path));
		if (!copy)
			return -ENOMEM;
	}
	sup_free(command->stdio[fd].path);
	command->stdio[fd].path = copy;
	command->stdio[fd].kind = kind;
	return 0;
}

int sup_command_set_session(struct sup_command *command,
			    enum sup_session session)
{
	if ((unsigned int)session > SUP_SESSION_INHERIT)
		return -EINVAL;
	command->session = session;
	return 0;
}

int sup_command_set_notify(struct sup_command *command, enum sup_notify notify)
{
	if ((unsigned int)notify > SUP_NOTIFY_YES)
		return -EINVAL;
	command->notify = notify;
	return 0;
}

/* ---- reading ---------------------------------------------------------- */

const char *const *sup_command_argv(const struct sup_command *command)
{
	return strv_get(&command->argv);
}

const char *const *sup_command_env(const struct sup_command *command,
				   int *clear)
{
	if (clear)
		*clear = command->clear_env;
	return strv_get(&command->env);
}

const char *sup_command_cwd(const struct sup_command *command)
{
	return command->cwd;
}

const char *sup_command_user(const struct sup_command *command)
{
	return command->user;
}

const char *sup_command_group(const struct sup_command *command)
{
	return command->group;
}

const char *const *sup_command_groups(const struct sup_command *command)
{
	return command->has_groups ? strv_get(&command->groups) : NULL;
}

int sup_command_umask(const struct sup_command *command, uint32_t *mask)
{
	if (!command->has_umask)
		return 0;
	*mask = command->umask;
	return 1;
}

int sup_command_rlimit(const struct sup_command *command, uint32_t resource,
		       uint64_t *soft, uint64_t *hard)
{
	if (resource >= SUP_RLIMITS || !(command->rlimits & 1U << resource))
		return 0;
	*soft = command->rlimit[resource].soft;
	*hard = command->rlimit[resource].hard;
	return 1;
}

int sup_command_stdio(const struct sup_command *command, int fd,
		      enum sup_stdio *kind, const char **path)
{
	if (fd < 0 || fd > 2)
		return -EINVAL;
	*kind = command->stdio[fd].kind;
	if (path)
		*path = command->stdio[fd].path;
	return 0;
}

enum sup_session sup_command_session(const struct sup_command *command)
{
	return command->session;
}

enum sup_notify sup_command_notify(const struct sup_command *command)
{
	return command->notify;
}
