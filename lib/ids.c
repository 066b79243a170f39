// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ids.c - owns finding out whom a command runs as, in the user database.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "internal.h"

/* A name that is all digits is a number. The last one stands for "none". */
static bool id_number(const char *s, uint32_t *id)
{
	uint64_t value = 0;

	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		value = value * 10 + (uint64_t)(*s - '0');
		if (value >= UINT32_MAX)
			return false;
	}
	*id = (uint32_t)value;
	return true;
}

/*
 * Looks a user up: 0, -ENOENT for nobody, or another -errno. The entry's
 * strings are in *@mem.
 */
static int user_find(const char *user, struct passwd *entry, char **mem)
{
	struct passwd *found = NULL;
	uint32_t id = 0;
	bool number = id_number(user, &id);
	size_t size = 1024;
	int err;

	*mem = NULL;
	do {
		char *more = sup_realloc(*mem, size);

		if (!more)
			return -ENOMEM;
		*mem = more;
		err = number ?
			getpwuid_r(id, entry, *mem, size, &found) :
			getpwnam_r(user, entry, *mem, size, &found);
		size *= 2;
	} while (err == ERANGE && size < 1U << 20);
	if (found)
		return 0;
	return err && err != ESRCH ? -err : -ENOENT;
}

static int group_find(const char *group, gid_t *gid)
{
	struct group entry, *found = NULL;
	size_t size = 1024;
	char *mem = NULL;
	uint32_t id;
	int err;

	if (id_number(group, &id)) {
		*gid = id;
		return 0;
	}
	do {
		char *more = sup_realloc(mem, size);

		if (!more) {
			sup_free(mem);
			return -ENOMEM;
		}
		mem = more;
		err = getgrnam_r(group, &entry, mem, size, &found);
		size *= 2;
	} while (err == ERANGE && size < 1U << 24);
	if (found)
		*gid = entry.gr_gid;
	sup_free(mem);
	if (found)
		return 0;
	return err && err != ESRCH && err != ENOENT ? -err : -EINVAL;
}

/* The groups that the database gives a user. */
static int ids_of_user(struct sup_ids *ids, const char *name)
{
	int n = 32;

	for (;;) {
		int room = n;
		gid_t *groups = sup_realloc(ids->groups,
					    (size_t)room * sizeof(*groups));

		if (!groups)
			return -ENOMEM;
		ids->groups = groups;
		if (getgrouplist(name, ids->gid, groups, &n) >= 0)
			break;
		if (n <= room)
			n = room * 2;
		if (n > 65536)
			return -EINVAL;
	}
	ids->ngroups = (size_t)n;
	return 0;
}

static int ids_user(const struct sup_command *command, struct sup_ids *ids)
{
	struct passwd entry;
	uint32_t id;
	char *mem;
	int ret;

	ret = user_find(command->user, &entry, &mem);
	if (!ret) {
		ids->uid = entry.pw_uid;
		if (!command->group)
			ids->gid = entry.pw_gid;
		if (!command->has_groups) {
			ids->set_groups = true;
			ret = ids_of_user(ids, entry.pw_name);
		}
	} else if (ret == -ENOENT && command->group &&
		   id_number(command->user, &id)) {
		/* a number that nobody has: the command says the rest */
		ids->uid = id;
		ids->set_groups = true;
		ret = 0;
	} else if (ret == -ENOENT) {
		ret = -EINVAL;
	}
	ids->set_uid = true;
	ids->set_gid = true;
	sup_free(mem);
	return ret;
}

static int ids_groups(const struct sup_command *command, struct sup_ids *ids)
{
	int ret = 0;

	ids->set_groups = true;
	ids->groups = sup_realloc(NULL,
				  (command->groups.n + 1) * sizeof(gid_t));
	if (!ids->groups)
		return -ENOMEM;
	for (size_t i = 0; i < command->groups.n && !ret; i++)
		ret = group_find(command->groups.v[i], &ids->groups[i]);
	ids->ngroups = command->groups.n;
	return ret;
}

/* Whether this process has just these groups: then nobody's right is needed. */
static bool ids_groups_held(const struct sup_ids *ids)
{
	gid_t held[256];
	int n = getgroups(ARRAY_SIZE(held), held);

	if (n < 0 || (size_t)n != ids->ngroups)
		return false;
	for (size_t i = 0; i < ids->ngroups; i++) {
		int j = 0;

		while (j < n && held[j] != ids->groups[i])
			j++;
		if (j == n)
			return false;
	}
	return true;
}

int sup_ids_resolve(const struct sup_command *command, struct sup_ids *ids,
		    enum sup_step *step)
{
	int saved = errno;
	int ret = 0;

	*ids = (struct sup_ids){ 0 };
	if (!command->user && !command->group && !command->has_groups)
		return 0;
	*step = SUP_STEP_GROUP;
	if (command->group) {
		ids->set_gid = true;
		ret = group_find(command->group, &ids->gid);
	}
	if (!ret && command->has_groups)
		ret = ids_groups(command, ids);
	if (!ret && command->user) {
		*step = SUP_STEP_USER;
		ret = ids_user(command, ids);
	}
	if (!ret && ids->set_groups && ids_groups_held(ids))
		ids->set_groups = false;
	if (ret) {
		free(ids->groups);
		ids->groups = NULL;
	}
	errno = saved;
	return ret;
}
