// SPDX-License-Identifier: GPL-2.0
/*
 * ancestry - a child's lineage: the supervisors above it and who asked for it, told to
 * user space and to tracers.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "supervisor.h"
#include "trace.h"

/* The callers of the child that was added last: most often they are this one's too. */
static struct sup_callers *callers_last(struct sup_supervisor *sup)
{
	struct list_head *children = sup_is_dynamic(sup) ? &sup->dynamic.children :
							   &sup->policy.children;
	struct sup_child *last;

	lockdep_assert_held(&sup->lock);
	if (list_empty(children))
		return NULL;
	last = sup_is_dynamic(sup) ?
	       sup_dynamic_child(list_last_entry(children, struct sup_dynamic_child, node)) :
	       sup_policy_child(list_last_entry(children, struct sup_policy_child, order));
	return sup_callers_get(last->callers);
}

/* A process asks for a child: its callers. The reference to @who is consumed. */
static struct sup_callers *ask(struct sup_supervisor *sup, const struct sup_who *who, u32 *limit)
{
	struct sup_callers *callers, *last;

	mutex_lock(&sup->lock);
	last = callers_last(sup);
	mutex_unlock(&sup->lock);
	callers = sup_callers_make(sup->object.account, who, last, limit);
	sup_callers_put(last);
	put_pid(who->pid);
	return callers;
}

/**
 * sup_ask - the calling process asks a supervisor for a child
 * @sup: the supervisor
 * @limit: with -EDQUOT: SUPERVISOR_LIMIT_*
 *
 * Context: may sleep; S is not held.
 * Return: the callers of the child, a reference; -EDQUOT, -ENOMEM.
 */
struct sup_callers *sup_ask(struct sup_supervisor *sup, u32 *limit)
{
	struct sup_who who;

	sup_current_self(&who);
	return ask(sup, &who, limit);
}

/**
 * sup_ask_to_join - the calling process is to be a child, for which its parent asks
 * @sup: the supervisor
 * @limit: with -EDQUOT: SUPERVISOR_LIMIT_*
 *
 * Context: may sleep; S is not held.
 * Return: the callers of the child, a reference; -EDQUOT, -ENOMEM.
 */
struct sup_callers *sup_ask_to_join(struct sup_supervisor *sup, u32 *limit)
{
	struct sup_who who;

	sup_current_parent(&who);
	return ask(sup, &who, limit);
}

/* What a root is called, to @name, with its '/'; its bytes, 0 when it has no name. */
static u32 root_name(struct sup_supervisor *root, char *name)
{
	u32 len = 0;

	mutex_lock(&sup_names_lock);
	if (root->object.name.bytes) {
		len = root->object.name.len + 1;
		name[0] = '/';
		memcpy(name + 1, root->object.name.bytes, len - 1);
	}
	mutex_unlock(&sup_names_lock);
	return len;
}

static size_t ancestor_write(struct sup_supervisor *sup, struct supervisor_lineage_entry *entry)
{
	struct sup_child *as_child = sup->as_child;
	const struct sup_name *name;
	char *id = (char *)(entry + 1);

	memset(entry, 0, SUP_ANCESTOR_SIZE);
	entry->kind = SUPERVISOR_LINEAGE_ANCESTOR;
	entry->supervisor = sup->object.id;
	entry->text_offset = sizeof(*entry);
	if (as_child) {
		name = sup_child_name(as_child);
		if (sup_is_dynamic(as_child->sup))
			entry->flags = SUPERVISOR_LINEAGE_F_DYNAMIC;
		entry->child = as_child->id;
		entry->id_len = name->len;
		memcpy(id, name->bytes, name->len);
	} else {
		entry->id_len = root_name(sup, id);
	}
	entry->size = sup_lineage_entry_size(entry->id_len, 0);
	return entry->size;
}

/**
 * sup_ancestors_write - write an entry of each supervisor from one to the root
 * @sup: the supervisor, which has started; or any, under sup_tree_lock
 * @buf: room for %SUP_ANCESTOR_SIZE bytes for each
 * @count: set to how many
 *
 * Context: may sleep.
 * Return: the bytes written.
 */
size_t sup_ancestors_write(struct sup_supervisor *sup, void *buf, u32 *count)
{
	size_t done = 0;

	*count = 0;
	while (sup) {
		done += ancestor_write(sup, buf + done);
		++*count;
		sup = sup->as_child ? sup->as_child->sup : NULL;
	}
	return done;
}

/*
 * To user space.
 */

static int lineage_copy_out(struct supervisor_lineage *cmd, const void *ancestors, size_t len,
			    const struct sup_callers *callers)
{
	u8 __user *to = u64_to_user_ptr(cmd->buf);
	u32 room = cmd->buf_len;

	cmd->buf_len = len + sup_callers_size(callers);
	if (!cmd->buf)
		return 0;
	if (cmd->buf_len > room)
		return -EMSGSIZE;
	if (copy_to_user(to, ancestors, len))
		return -EFAULT;
	return sup_callers_deliver(callers, to + len);
}

/* The caller keeps @child. */
static int lineage_tell(struct sup_child *child, struct supervisor_lineage *cmd)
{
	struct sup_supervisor *sup = child->sup;
	struct sup_callers *callers;
	void *ancestors;
	size_t len;
	int ret;

	ancestors = kmalloc_array(SUPERVISOR_DEPTH_MAX, SUP_ANCESTOR_SIZE, GFP_KERNEL);
	if (!ancestors)
		return -ENOMEM;
	mutex_lock(&sup->lock);
	callers = sup_callers_get(child->callers);
	cmd->out_incarnation = sup_child_incarnation(child);
	mutex_unlock(&sup->lock);
	/* It need not have started: its place may be found for it at this moment. */
	mutex_lock(&sup_tree_lock);
	len = sup_ancestors_write(sup, ancestors, &cmd->out_ancestors);
	mutex_unlock(&sup_tree_lock);
	cmd->out_supervisor = sup->object.id;
	cmd->out_child = child->id;
	cmd->out_callers = sup_callers_nr(callers);
	ret = lineage_copy_out(cmd, ancestors, len, callers);
	sup_callers_put(callers);
	kfree(ancestors);
	return ret;
}

static void lineage_clear(struct supervisor_lineage *cmd)
{
	cmd->out_supervisor = 0;
	cmd->out_child = 0;
	cmd->out_incarnation = 0;
	cmd->out_ancestors = 0;
	cmd->out_callers = 0;
}

/* The process that the caller means, if it may know its lineage; a reference. */
static int lineage_pid(const struct supervisor_lineage *cmd, struct pid **pid)
{
	int ret;

	if (!cmd->pid) {
		*pid = get_pid(task_tgid(current));
		return 0;
	}
	ret = sup_pid_find(cmd->pid, cmd->pidfd, pid);
	if (ret)
		return ret;
	if (!*pid)
		return -ESRCH;
	if (*pid != task_tgid(current))
		ret = kill_pid(*pid, 0, 0);
	/* What was dead may be taken for the next one. */
	if (!ret && !sup_pid_alive(*pid))
		ret = -ESRCH;
	if (ret)
		put_pid(*pid);
	return ret;
}

/**
 * sup_lineage - ioctl(SUPERVISOR_LINEAGE)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_lineage(struct sup_ucmd *ucmd)
{
	struct supervisor_lineage *cmd = ucmd->cmd;
	struct sup_child *child;
	struct pid *pid;
	int ret;

	lineage_clear(cmd);
	if (cmd->id || cmd->id_len || cmd->child || cmd->pid < 0 || (!cmd->pid && cmd->pidfd != -1))
		return -EINVAL;
	ret = lineage_pid(cmd, &pid);
	if (ret)
		return ret;
	child = sup_child_of_pid(pid);
	put_pid(pid);
	if (!child)
		return -ESRCH;
	ret = lineage_tell(child, cmd);
	sup_child_put(child);
	return ret;
}

/* The child that the caller means; a reference. */
static struct sup_child *lineage_child(struct sup_supervisor *sup,
				       const struct supervisor_lineage *cmd)
{
	struct sup_child *child;

	if (!cmd->child)
		return sup_child_find(sup, cmd->id, cmd->id_len);
	if (!sup_is_dynamic(sup) || cmd->id || cmd->id_len)
		return ERR_PTR(-EINVAL);
	mutex_lock(&sup->lock);
	child = sup_member_find(sup, cmd->child);
	if (child)
		sup_child_get(child);
	mutex_unlock(&sup->lock);
	return child ?: ERR_PTR(-ENOENT);
}

/**
 * sup_lineage_of_child - ioctl(SUPERVISOR_CHILD_LINEAGE)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_lineage_of_child(struct sup_ucmd *ucmd)
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct supervisor_lineage *cmd = ucmd->cmd;
	struct sup_child *child;
	int ret;

	lineage_clear(cmd);
	if (cmd->pid || cmd->pidfd != -1)
		return -EINVAL;
	child = lineage_child(sup, cmd);
	if (IS_ERR(child))
		return PTR_ERR(child);
	ret = lineage_tell(child, cmd);
	sup_child_put(child);
	return ret;
}

/*
 * To tracers.
 */

/* Bytes of a path, from its end: a record of a tracer has to be in one page. */
#define TRACE_PATH_MAX 512

/* The path of a child; "" without memory. To be freed. */
static char *child_path(struct sup_child *child, u32 *len)
{
	const struct sup_name *name = sup_child_name(child);
	struct sup_supervisor *sup = child->sup;
	char *path;

	path = kmalloc((sup_depth(sup) + 1) * (SUP_NAME_MAX + 1) + 1, GFP_KERNEL);
	*len = 0;
	if (!path)
		return NULL;
	*len = sup_path(sup, path);
	if (*len)
		path[(*len)++] = '/';
	memcpy(path + *len, name->bytes, name->len);
	*len += name->len;
	return path;
}

/**
 * sup_trace_start - tell tracers that a start is asked for
 * @child: whose
 *
 * Context: holds S of its supervisor; may sleep.
 */
void sup_trace_start(struct sup_child *child)
{
	u32 len, cut;
	char *path;

	lockdep_assert_held(&child->sup->lock);
	if (!trace_sup_start_enabled())
		return;
	path = child_path(child, &len);
	cut = len - min_t(u32, len, TRACE_PATH_MAX);
	trace_sup_start(child->sup->object.id, child->id, child->incarnation, path + cut,
			len - cut, sup_callers_nr(child->callers),
			sup_callers_first(child->callers, &init_pid_ns));
	kfree(path);
}

/**
 * sup_trace_exit - tell tracers that a child's process is dead
 * @child: whose
 * @exit: how it ended
 *
 * Context: holds S of its supervisor; may sleep.
 */
void sup_trace_exit(struct sup_child *child, const struct sup_exit *exit)
{
	u32 len, cut;
	char *path;

	lockdep_assert_held(&child->sup->lock);
	if (!trace_sup_exited_enabled())
		return;
	path = child_path(child, &len);
	cut = len - min_t(u32, len, TRACE_PATH_MAX);
	trace_sup_exited(child->sup->object.id, child->id, child->incarnation, exit->reason,
			 exit->status, exit->seq, path + cut, len - cut,
			 sup_callers_nr(child->callers),
			 sup_callers_first(child->callers, &init_pid_ns));
	kfree(path);
}
