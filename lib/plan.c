// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * plan.c - owns laying out a start before the fork: environment, paths to try,
 * ids. After it, nothing needs memory.
 */
#include <errno.h>
#include <string.h>
#include "internal.h"

#define PATH_DEFAULT "/bin:/usr/bin"

const char *sup_step_name(enum sup_step step)
{
	static const char *const name[] = {
		[SUP_STEP_NONE] = "",
		[SUP_STEP_BLOB] = "blob",
		[SUP_STEP_MEMORY] = "memory",
		[SUP_STEP_NOTIFY] = "notify",
		[SUP_STEP_USER] = "user",
		[SUP_STEP_GROUP] = "group",
		[SUP_STEP_FORK] = "fork",
		[SUP_STEP_SESSION] = "session",
		[SUP_STEP_FILES] = "files",
		[SUP_STEP_ATTACH] = "attach",
		[SUP_STEP_CWD] = "cwd",
		[SUP_STEP_RLIMIT] = "rlimit",
		[SUP_STEP_STDIN] = "stdin",
		[SUP_STEP_STDOUT] = "stdout",
		[SUP_STEP_STDERR] = "stderr",
		[SUP_STEP_EXEC] = "exec",
	};

	return name[step];
}

/* ---- environment ------------------------------------------------------ */

static size_t env_find(char *const *envp, size_t n, const char *name,
		       size_t len)
{
	size_t i = 0;

	while (i < n && (strncmp(envp[i], name, len) || envp[i][len] != '='))
		i++;
	return i;
}

/* @change is "NAME=value" or "NAME". */
static void env_change(char **envp, size_t *n, char *change)
{
	char *equals = strchr(change, '=');
	size_t len = equals ? (size_t)(equals - change) : strlen(change);
	size_t i = env_find(envp, *n, change, len);

	if (equals) {
		envp[i] = change;
		*n += i == *n;
	} else if (i < *n) {
		/* keeps the order of the others */
		memmove(&envp[i], &envp[i + 1],
			(*n - i - 1) * sizeof(*envp));
		(*n)--;
	}
}

/* Most commands change nothing: then it is the one that is inherited. */
static int plan_env(struct sup_plan *plan, char *const *inherited)
{
	const struct sup_command *command = plan->command;
	size_t n = 0;

	plan->env = inherited;
	if (!command->clear_env && !command->env.n && !plan->notify[0])
		return 0;
	while (inherited[n])
		n++;
	plan->envp = sup_realloc(NULL, (n + command->env.n + 2) *
				       sizeof(*plan->envp));
	if (!plan->envp)
		return -ENOMEM;
	if (command->clear_env)
		n = 0;
	memcpy(plan->envp, inherited, n * sizeof(*inherited));
	for (size_t i = 0; i < command->env.n; i++)
		env_change(plan->envp, &n, command->env.v[i]);
	if (plan->notify[0])
		env_change(plan->envp, &n, plan->notify);
	plan->envp[n] = NULL;
	plan->env = plan->envp;
	return 0;
}

static const char *env_path(char *const *envp)
{
	size_t n = 0;

	while (envp[n])
		n++;
	n = env_find(envp, n, "PATH", 4);
	return envp[n] ? envp[n] + 5 : PATH_DEFAULT;
}

/* ---- paths to try ----------------------------------------------------- */

/*
 * One allocation: the array, what execvp(3) does with a script that names no
 * interpreter, then the strings of the first.
 */
static int plan_paths(struct sup_plan *plan)
{
	const char *file = plan->argv[0];
	size_t file_len = strlen(file);
	const char *path, *end;
	size_t argc = plan->command->argv.n;
	size_t count = 1;
	size_t n = 0;
	char *at;

	path = strchr(file, '/') ? "" : env_path(plan->env);
	for (const char *p = path; *p; p++)
		count += *p == ':';
	plan->paths = sup_realloc(NULL, (count + 1) * sizeof(*plan->paths) +
				  (argc + 2) * sizeof(*plan->sh_argv) +
				  strlen(path) + count * (file_len + 2));
	if (!plan->paths)
		return -ENOMEM;
	plan->sh_argv = &plan->paths[count + 1];
	plan->sh_argv[0] = (char *)"/bin/sh";
	plan->sh_argv[1] = NULL;	/* the child's: the path that was found */
	memcpy(&plan->sh_argv[2], &plan->argv[1], argc * sizeof(*plan->argv));
	at = (char *)&plan->sh_argv[argc + 2];
	for (;; path = end + 1) {
		end = strchrnul(path, ':');
		plan->paths[n++] = at;
		if (end > path) {
			at = mempcpy(at, path, (size_t)(end - path));
			*at++ = '/';
		}
		at = mempcpy(at, file, file_len + 1);
		if (!*end)
			break;
	}
	plan->paths[n] = NULL;
	return 0;
}

int sup_plan_init(struct sup_plan *plan, const struct sup_command *command,
		  char *const *inherited, uint32_t signal_whom,
		  enum sup_step *step)
{
	int ret;

	plan->command = command;
	plan->argv = command->argv.v;
	plan->envp = NULL;
	plan->paths = NULL;
	plan->session = command->session;
	if (plan->session == SUP_SESSION_AUTO)
		plan->session = signal_whom == SUPERVISOR_SIGNAL_GROUP ?
			SUP_SESSION_NEW : SUP_SESSION_INHERIT;
	ret = sup_ids_resolve(command, &plan->ids, step);
	if (ret)
		return ret;
	*step = SUP_STEP_MEMORY;
	ret = plan_env(plan, inherited);
	if (!ret)
		ret = plan_paths(plan);
	if (ret)
		sup_plan_free(plan);
	return ret;
}

void sup_plan_free(struct sup_plan *plan)
{
	sup_free(plan->ids.groups);
	sup_free(plan->envp);
	sup_free(plan->paths);
}
