// SPDX-License-Identifier: GPL-2.0
/*
 * object - what every object has: references, files, names.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/fs_struct.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>

#include "account.h"
#include "name.h"
#include "object.h"

/* Whatever a death or a closed file makes necessary is done here. */
struct workqueue_struct *sup_workqueue;

/* N: the named objects of all namespaces, by rising id. */
LIST_HEAD(sup_names);
DEFINE_MUTEX(sup_names_lock);

/**
 * sup_id_next - a number that nothing has had before
 *
 * Context: any.
 * Return: the number.
 */
u64 sup_id_next(void)
{
	static atomic64_t last;

	return atomic64_inc_return(&last);
}

/**
 * sup_object_init - initialise the base of an object
 * @object: the base
 * @ops: its kind
 * @account: who pays; its reference passes to the object
 *
 * The object starts with one reference and no file.
 * Context: the module is in use by the caller.
 */
void sup_object_init(struct sup_object *object, const struct sup_object_ops *ops,
		     struct sup_account *account)
{
	object->ops = ops;
	kref_init(&object->ref);
	atomic_set(&object->files, 0);
	object->id = sup_id_next();
	object->account = account;
	spin_lock_init(&object->watches_lock);
	object->down = false;
	INIT_LIST_HEAD(&object->watches);
	INIT_LIST_HEAD(&object->name.node);
	__module_get(THIS_MODULE);
}

/**
 * sup_object_get - take another reference
 * @object: an object to which the caller has one
 *
 * Context: any.
 */
void sup_object_get(struct sup_object *object)
{
	kref_get(&object->ref);
}

/**
 * sup_object_tryget - take a reference unless the last one is gone
 * @object: an object whose memory is there
 *
 * Context: any.
 * Return: was there one.
 */
bool sup_object_tryget(struct sup_object *object)
{
	return kref_get_unless_zero(&object->ref);
}

static void object_free(struct kref *ref)
{
	struct sup_object *object = container_of(ref, struct sup_object, ref);
	struct sup_account *account = object->account;

	object->ops->free(object);
	sup_account_put(account);
	module_put(THIS_MODULE);
}

/**
 * sup_object_put - drop a reference
 * @object: an object, or NULL
 *
 * Context: may sleep. Called from an open file of ours or from our workqueue:
 *	the code outlives the module reference that may go here.
 */
void sup_object_put(struct sup_object *object)
{
	might_sleep();
	if (object)
		kref_put(&object->ref, object_free);
}

/**
 * sup_object_file - make a file for an object
 * @ucmd: takes the file; the dispatcher installs it or undoes this
 * @object: the object; the file takes a reference of its own
 * @flags: O_RDONLY, O_WRONLY or O_RDWR
 *
 * The caller has counted the file in @object->files.
 * Context: may sleep.
 * Return: 0, -EMFILE, -ENFILE or -ENOMEM.
 */
int sup_object_file(struct sup_ucmd *ucmd, struct sup_object *object, int flags)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile(object->ops->file_name, object->ops->fops, object,
				  flags | O_CLOEXEC);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	sup_object_get(object);
	ucmd->new_file = file;
	ucmd->new_fd = fd;
	return 0;
}

static void object_file_gone(struct sup_object *object)
{
	int left = atomic_dec_return(&object->files);

	if (!left) {
		sup_object_clear_name(object);
		object->ops->unused(object);
	} else if (left == 1 && object->ops->less_reachable) {
		object->ops->less_reachable(object);
	}
}

/**
 * sup_object_remember - let an object live on as if a file of it were open
 * @object: an object with an open file
 *
 * Context: any. Taken back by sup_object_forget().
 */
void sup_object_remember(struct sup_object *object)
{
	atomic_inc(&object->files);
	sup_object_get(object);
}

/**
 * sup_object_reach - the same, unless its last file has been closed
 * @object: an object to which the caller has a reference
 *
 * Context: any. Taken back by sup_object_forget().
 * Return: false when it has been.
 */
bool sup_object_reach(struct sup_object *object)
{
	bool open = atomic_inc_not_zero(&object->files);

	if (open)
		sup_object_get(object);
	return open;
}

/**
 * sup_object_forget - take that back
 * @object: the object
 *
 * Context: may sleep.
 */
void sup_object_forget(struct sup_object *object)
{
	object_file_gone(object);
	sup_object_put(object);
}

/**
 * sup_object_reopen - make another file for an object, for the caller's struct
 * @ucmd: takes the file
 * @object: the object; the caller's reference is consumed, and the file that it
 *	has counted in @object->files is undone if this fails
 * @access: O_RDONLY, O_WRONLY or O_RDWR
 * @out_fd: set to the file's number, on success
 * @out_id: set to the object's, on success
 *
 * Context: may sleep.
 * Return: as sup_object_file().
 */
int sup_object_reopen(struct sup_ucmd *ucmd, struct sup_object *object, int access, s32 *out_fd,
		      u64 *out_id)
{
	int ret = sup_object_file(ucmd, object, access);

	if (ret) {
		object_file_gone(object);
	} else {
		*out_fd = ucmd->new_fd;
		*out_id = object->id;
	}
	sup_object_put(object);
	return ret;
}

/**
 * sup_object_release - the release operation of every object's files
 * @inode: unused
 * @file: the file
 *
 * Context: may sleep.
 * Return: 0.
 */
int sup_object_release(struct inode *inode, struct file *file)
{
	struct sup_object *object = file->private_data;

	object_file_gone(object);
	sup_object_put(object);
	return 0;
}

/**
 * sup_object_fget_any - take a file descriptor that must be a mailbox's or supervisor's
 * @fd: from user space
 *
 * Context: may sleep.
 * Return: the file, for fput(); -EBADF when @fd is none, -EBADFD when it is
 *	something else.
 */
struct file *sup_object_fget_any(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (file->f_op == &sup_mailbox_fops || file->f_op == &sup_supervisor_fops)
		return file;
	fput(file);
	return ERR_PTR(-EBADFD);
}

static bool file_is_object(const struct file *file)
{
	return file->f_op == &sup_mailbox_fops || file->f_op == &sup_supervisor_fops ||
	       file->f_op == &sup_registry_fops;
}

/**
 * sup_object_fget - take a file descriptor that must be an object's
 * @fd: from user space
 * @kind: the kind wanted
 *
 * Context: may sleep.
 * Return: the file, for fput(); -EBADF when @fd is none, -EBADFD when it is
 *	something else.
 */
struct file *sup_object_fget(int fd, enum sup_kind kind)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (file_is_object(file) && sup_file_object(file)->ops->kind == kind)
		return file;
	fput(file);
	return ERR_PTR(-EBADFD);
}

/**
 * sup_object_watch_add - ask to be told when an object has ended
 * @object: the object; the watch does not keep it
 * @watch: told once, unless sup_object_watch_remove() comes first
 *
 * Context: does not sleep.
 * Return: false when it has ended already; nothing is told then.
 */
bool sup_object_watch_add(struct sup_object *object, struct sup_object_watch *watch)
{
	bool down;

	spin_lock(&object->watches_lock);
	down = object->down;
	if (down)
		INIT_LIST_HEAD(&watch->node);
	else
		list_add_tail(&watch->node, &object->watches);
	spin_unlock(&object->watches_lock);
	return !down;
}

/**
 * sup_object_watch_remove - take that back
 * @object: the object
 * @watch: it; has been told when this returns, or never will be
 *
 * Context: does not sleep.
 */
void sup_object_watch_remove(struct sup_object *object, struct sup_object_watch *watch)
{
	spin_lock(&object->watches_lock);
	list_del_init(&watch->node);
	spin_unlock(&object->watches_lock);
}

/* Tell the first watch; false when there is none. */
static bool object_tell(struct sup_object *object, u32 reason)
{
	struct sup_object_watch *watch;

	spin_lock(&object->watches_lock);
	watch = list_first_entry_or_null(&object->watches, struct sup_object_watch, node);
	if (watch) {
		list_del_init(&watch->node);
		watch->down(watch, reason);
	}
	spin_unlock(&object->watches_lock);
	return watch;
}

/**
 * sup_object_down - an object has ended: tell those who watch it
 * @object: the object; nothing happens when it has ended before
 * @reason: SUPERVISOR_EXIT_*
 *
 * Context: may sleep; holds no lock that comes after W.
 */
void sup_object_down(struct sup_object *object, u32 reason)
{
	bool was_down;

	spin_lock(&object->watches_lock);
	was_down = object->down;
	object->down = true;
	spin_unlock(&object->watches_lock);
	if (was_down)
		return;
	while (object_tell(object, reason))
		cond_resched();
}

/**
 * sup_object_up - an object that had ended begins again
 * @object: the object
 *
 * Context: as sup_object_down(), and not at the same time as it.
 */
void sup_object_up(struct sup_object *object)
{
	spin_lock(&object->watches_lock);
	object->down = false;
	spin_unlock(&object->watches_lock);
}

/**
 * sup_access_flags - check an access mode from user space
 * @access: O_RDONLY, O_WRONLY or O_RDWR
 *
 * Context: any.
 * Return: @access, or -EINVAL.
 */
int sup_access_flags(u32 access)
{
	return access == O_RDONLY || access == O_WRONLY || access == O_RDWR ?
	       (int)access : -EINVAL;
}

/**
 * sup_name_copy - copy an object's name from user space
 * @uptr: its address
 * @len: its bytes, with the '/'
 *
 * Context: may sleep.
 * Return: the name without its '/', NUL-terminated, for kfree(); -EINVAL when
 *	it is not a name, -ENAMETOOLONG, -EFAULT, -ENOMEM.
 */
char *sup_name_copy(u64 uptr, u32 len)
{
	char *name;

	if (len < 2)
		return ERR_PTR(-EINVAL);
	if (len > SUP_NAME_MAX + 1)
		return ERR_PTR(-ENAMETOOLONG);
	name = memdup_user_nul(u64_to_user_ptr(uptr), len);
	if (IS_ERR(name))
		return name;
	if (name[0] != '/' || !sup_name_valid(name + 1, len - 1)) {
		kfree(name);
		return ERR_PTR(-EINVAL);
	}
	memmove(name, name + 1, len);
	return name;
}

static void name_clear_locked(struct sup_object *object)
{
	struct sup_object_name *name = &object->name;

	lockdep_assert_held(&sup_names_lock);
	if (list_empty(&name->node))
		return;
	list_del_init(&name->node);
	put_user_ns(name->ns);
	name->ns = NULL;
	kfree(name->bytes);
	name->bytes = NULL;
	sup_account_uncharge(object->account, SUPERVISOR_LIMIT_NAMES, 1);
}

static struct sup_object *name_find_locked(const struct user_namespace *ns, const char *bytes)
{
	struct sup_object *object;

	lockdep_assert_held(&sup_names_lock);
	list_for_each_entry(object, &sup_names, name.node) {
		if (object->name.ns != ns || strcmp(object->name.bytes, bytes))
			continue;
		if (!object->ops->name_is_free || !object->ops->name_is_free(object))
			return object;
		/* There is no other of that name. */
		name_clear_locked(object);
		return NULL;
	}
	return NULL;
}

/* Objects that are made at the same time need not come here in the order of their ids. */
static void name_add_locked(struct sup_object *object)
{
	struct sup_object *at;

	lockdep_assert_held(&sup_names_lock);
	list_for_each_entry_reverse(at, &sup_names, name.node)
		if (at->id < object->id)
			break;
	list_add(&object->name.node, &at->name.node);
}

/**
 * sup_object_set_name - give a new object a name
 * @object: an object that nobody else has seen, with a file counted
 * @uptr: the name's address in user space
 * @len: its bytes
 * @mode: permission bits; the caller's umask is applied
 *
 * Context: may sleep.
 * Return: 0, -EEXIST when the name is taken, -EDQUOT, and sup_name_copy()'s.
 */
int sup_object_set_name(struct sup_object *object, u64 uptr, u32 len, u32 mode)
{
	struct user_namespace *ns = current_user_ns();
	struct sup_object_name *name = &object->name;
	char *bytes;
	int ret;

	if (mode & ~0777)
		return -EINVAL;
	bytes = sup_name_copy(uptr, len);
	if (IS_ERR(bytes))
		return PTR_ERR(bytes);
	ret = sup_account_charge(object->account, SUPERVISOR_LIMIT_NAMES, 1);
	if (ret)
		goto err_free;

	name->len = len - 1;
	name->uid = current_fsuid();
	name->gid = current_fsgid();
	name->mode = mode & ~current_umask();

	mutex_lock(&sup_names_lock);
	if (name_find_locked(ns, bytes)) {
		ret = -EEXIST;
	} else {
		name->bytes = bytes;
		name->ns = get_user_ns(ns);
		name_add_locked(object);
	}
	mutex_unlock(&sup_names_lock);
	if (!ret)
		return 0;

	sup_account_uncharge(object->account, SUPERVISOR_LIMIT_NAMES, 1);
err_free:
	kfree(bytes);
	return ret;
}

/**
 * sup_object_clear_name - free an object's name, if it has one
 * @object: the object
 *
 * Context: may sleep.
 */
void sup_object_clear_name(struct sup_object *object)
{
	mutex_lock(&sup_names_lock);
	name_clear_locked(object);
	mutex_unlock(&sup_names_lock);
}

/**
 * sup_object_named - has an object a name
 * @object: the object
 *
 * Context: may sleep.
 * Return: true if so, at this moment.
 */
bool sup_object_named(struct sup_object *object)
{
	bool named;

	mutex_lock(&sup_names_lock);
	named = !list_empty(&object->name.node);
	mutex_unlock(&sup_names_lock);
	return named;
}

static bool name_allows(const struct sup_object_name *name, int access)
{
	umode_t mode = name->mode;
	umode_t want = 0;

	if (access == O_RDONLY || access == O_RDWR)
		want |= 4;
	if (access == O_WRONLY || access == O_RDWR)
		want |= 2;
	if (uid_eq(name->uid, current_fsuid()))
		mode >>= 6;
	else if (in_group_p(name->gid))
		mode >>= 3;
	return (mode & want) == want || ns_capable(name->ns, CAP_DAC_OVERRIDE);
}

/* What user space calls each kind. */
static const enum sup_kind kinds[] = {
	[SUPERVISOR_KIND_SUPERVISOR] = SUP_KIND_SUPERVISOR,
	[SUPERVISOR_KIND_MAILBOX] = SUP_KIND_MAILBOX,
	[SUPERVISOR_KIND_REGISTRY] = SUP_KIND_REGISTRY,
};

/**
 * sup_object_kind - what user space calls an object's kind
 * @object: the object
 *
 * Context: any.
 * Return: SUPERVISOR_KIND_*.
 */
u32 sup_object_kind(const struct sup_object *object)
{
	u32 kind = 0;

	while (kinds[kind] != object->ops->kind)
		kind++;
	return kind;
}

/**
 * sup_object_find - find an object by its name, for a file of it
 * @uptr: the name's address in user space
 * @len: its bytes
 * @kind: the kind wanted
 * @access: O_RDONLY, O_WRONLY or O_RDWR
 *
 * Context: may sleep.
 * Return: a reference, with a file counted; -ENOENT, -EACCES, sup_name_copy()'s.
 */
struct sup_object *sup_object_find(u64 uptr, u32 len, enum sup_kind kind, int access)
{
	char *bytes = sup_name_copy(uptr, len);
	struct sup_object *object;
	int ret;

	if (IS_ERR(bytes))
		return ERR_CAST(bytes);
	mutex_lock(&sup_names_lock);
	object = name_find_locked(current_user_ns(), bytes);
	if (!object || object->ops->kind != kind)
		ret = -ENOENT;
	else if (!name_allows(&object->name, access))
		ret = -EACCES;
	else
		ret = sup_object_reach(object) ? 0 : -ENOENT;
	mutex_unlock(&sup_names_lock);
	kfree(bytes);
	return ret ? ERR_PTR(ret) : object;
}

/**
 * sup_object_open - ioctl(SUPERVISOR_OPEN)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_object_open(struct sup_ucmd *ucmd)
{
	struct supervisor_open *cmd = ucmd->cmd;
	struct sup_object *object;
	int access;

	cmd->out_fd = -1;
	cmd->out_id = 0;
	if (cmd->kind >= ARRAY_SIZE(kinds))
		return -EOPNOTSUPP;
	access = sup_access_flags(cmd->access);
	if (access < 0)
		return access;
	object = sup_object_find(cmd->name, cmd->name_len, kinds[cmd->kind], access);
	if (IS_ERR(object))
		return PTR_ERR(object);
	return sup_object_reopen(ucmd, object, access, &cmd->out_fd, &cmd->out_id);
}

/**
 * sup_object_unlink - ioctl(SUPERVISOR_UNLINK)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_object_unlink(struct sup_ucmd *ucmd)
{
	struct supervisor_unlink *cmd = ucmd->cmd;
	struct sup_object *object;
	int ret = 0;
	char *bytes;

	bytes = sup_name_copy(cmd->name, cmd->name_len);
	if (IS_ERR(bytes))
		return PTR_ERR(bytes);
	mutex_lock(&sup_names_lock);
	object = name_find_locked(current_user_ns(), bytes);
	if (!object)
		ret = -ENOENT;
	else if (!uid_eq(object->name.uid, current_fsuid()) &&
		 !ns_capable(object->name.ns, CAP_SYS_ADMIN))
		ret = -EPERM;
	else
		name_clear_locked(object);
	/* What had a name has a file counted, and a reference for that. */
	if (!ret)
		sup_object_get(object);
	mutex_unlock(&sup_names_lock);
	kfree(bytes);
	if (ret)
		return ret;
	if (object->ops->less_reachable)
		object->ops->less_reachable(object);
	sup_object_put(object);
	return 0;
}

/**
 * sup_objects_init - set up what all objects share
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int __init sup_objects_init(void)
{
	sup_workqueue = alloc_workqueue("supervisor", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return sup_workqueue ? 0 : -ENOMEM;
}

/**
 * sup_objects_exit - tear down what all objects share
 *
 * Context: module exit; there are no objects any more.
 */
void sup_objects_exit(void)
{
	destroy_workqueue(sup_workqueue);
}
