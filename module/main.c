// SPDX-License-Identifier: GPL-2.0
/*
 * main - the device, the table of ioctls, module init and exit. No semantics.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/build_bug.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include <linux/supervisor.h>

#include "account.h"
#include "compat.h"
#include "copy.h"
#include "exchange.h"
#include "link.h"
#include "mailbox.h"
#include "object.h"
#include "process.h"
#include "ref.h"
#include "registry.h"
#include "supervisor.h"

static int info_execute(struct sup_ucmd *ucmd)
{
	struct supervisor_info *cmd = ucmd->cmd;
	struct sup_account *account;
	u32 i;

	account = sup_account_get_current();
	if (!account)
		return -ENOMEM;
	cmd->out_abi = SUPERVISOR_ABI;
	cmd->out_errata = 0;
	cmd->out_features = SUPERVISOR_FEATURE_SUPERVISORS | SUPERVISOR_FEATURE_MESSAGES |
			    SUPERVISOR_FEATURE_REGISTRIES | SUPERVISOR_FEATURE_DYNAMIC |
			    SUPERVISOR_FEATURE_LINEAGE;
	memset(cmd->out_version, 0, sizeof(cmd->out_version));
	strscpy(cmd->out_version, SUPERVISOR_VERSION, sizeof(cmd->out_version));
	for (i = 0; i < SUPERVISOR_LIMIT_NR; i++) {
		cmd->out_limit[i] = sup_limit(i);
		cmd->out_used[i] = atomic64_read(&account->used[i]);
	}
	sup_account_put(account);
	return 0;
}

/**
 * struct ioctl_op - one ioctl
 * @cmd: its number
 * @size: of its struct as this kernel knows it
 * @min_size: as it was first published
 * @flags: known bits of its flags
 * @reserved: offset of a __u32 that must be 0; 0 for none
 * @call: offset of a __u64 that names an interrupted call; 0 for none
 * @mode: FMODE_* bits that the file must have
 * @kind: of the file
 * @execute: what to do
 */
struct ioctl_op {
	unsigned int cmd;
	u16 size;
	u16 min_size;
	u32 flags;
	u16 reserved;
	u16 call;
	fmode_t mode;
	enum sup_kind kind;
	int (*execute)(struct sup_ucmd *ucmd);
};

union ioctl_buffer {
	struct supervisor_info info;
	struct supervisor_create create;
	struct supervisor_open open;
	struct supervisor_unlink unlink;
	struct supervisor_list list;
	struct supervisor_child_attach attach;
	struct supervisor_child_report report;
	struct supervisor_reset_signals reset_signals;
	struct supervisor_mailbox_create mailbox_create;
	struct supervisor_mailbox_recv recv;
	struct supervisor_mailbox_send send;
	struct supervisor_mailbox_call mailbox_call;
	struct supervisor_call_reply reply;
	struct supervisor_call_reply_recv reply_recv;
	struct supervisor_call_start call_start;
	struct supervisor_ref ref;
	struct supervisor_mailbox_own mailbox_own;
	struct supervisor_mailbox_status mailbox_status;
	struct supervisor_monitor monitor;
	struct supervisor_alias_send alias_send;
	struct supervisor_alias alias;
	struct supervisor_process_link link;
	struct supervisor_trap_exit trap_exit;
	struct supervisor_child_add add;
	struct supervisor_start start;
	struct supervisor_stop stop;
	struct supervisor_child_call call;
	struct supervisor_query query;
	struct supervisor_suspend suspend;
	struct supervisor_wait wait;
	struct supervisor_subscribe subscribe;
	struct supervisor_status status;
	struct supervisor_open_child open_child;
	struct supervisor_own own;
	struct supervisor_resize resize;
	struct supervisor_child_join join;
	struct supervisor_adopt adopt;
	struct supervisor_lineage lineage;
	struct supervisor_registry_create registry_create;
	struct supervisor_register reg;
	struct supervisor_unregister unregister;
	struct supervisor_lookup lookup;
	struct supervisor_select select;
	struct supervisor_update update;
	struct supervisor_meta meta;
	struct supervisor_lock lock;
	struct supervisor_registry_status registry_status;
	struct supervisor_listen listen;
	struct supervisor_publish publish;
	struct supervisor_key_send key_send;
	struct supervisor_key_call key_call;
	struct supervisor_key_signal key_signal;
};

/* @last: the last member that was published first. */
#define IOCTL_OP(nr, kind_, mode_, type, last, flags_, reserved_, fn)			\
	IOCTL_OP_CALL(nr, kind_, mode_, type, last, flags_, reserved_, 0, fn)

/* An ioctl that must not be made twice, whose struct ends in @call. */
#define IOCTL_OP_ONCE(nr, type, reserved_, fn)						\
	IOCTL_OP_CALL(nr, SUPERVISOR, FMODE_WRITE, type, call, SUPERVISOR_CALL_F_ASYNC,	\
		      reserved_, offsetof(struct type, call), fn)

#define IOCTL_OP_CALL(nr, kind_, mode_, type, last, flags_, reserved_, call_, fn)	\
	[_IOC_NR(nr)] = {								\
		.cmd = (nr) + BUILD_BUG_ON_ZERO(sizeof(struct type) >			\
						sizeof(union ioctl_buffer) ||		\
						sizeof(struct type) % 8),		\
		.size = sizeof(struct type),						\
		.min_size = offsetofend(struct type, last),				\
		.flags = (flags_),							\
		.reserved = (reserved_),						\
		.call = (call_),							\
		.mode = (mode_),							\
		.kind = SUP_KIND_##kind_,						\
		.execute = (fn),							\
	}

#define RESERVED(type) offsetof(struct type, __reserved)

#define ASYNC SUPERVISOR_CALL_F_ASYNC
#define TREE SUPERVISOR_SUSPEND_F_TREE
#define SELECT_FLAGS									\
	(SUPERVISOR_SELECT_F_KEY | SUPERVISOR_SELECT_F_VALUE | SUPERVISOR_SELECT_F_PID |	\
	 SUPERVISOR_SELECT_F_PARTITION | SUPERVISOR_SELECT_F_NO_VALUES)

static const struct ioctl_op ioctl_ops[] = {
	IOCTL_OP(SUPERVISOR_INFO, DEVICE, 0, supervisor_info, out_used, 0, 0, info_execute),
	IOCTL_OP(SUPERVISOR_CREATE, DEVICE, 0, supervisor_create, out_id,
		 SUPERVISOR_CREATE_F_LOG_CRASHES,
		 RESERVED(supervisor_create), sup_supervisor_create),
	IOCTL_OP(SUPERVISOR_OPEN, DEVICE, 0, supervisor_open, out_id, 0, 0, sup_object_open),
	IOCTL_OP(SUPERVISOR_UNLINK, DEVICE, 0, supervisor_unlink, name, 0,
		 RESERVED(supervisor_unlink), sup_object_unlink),
	IOCTL_OP(SUPERVISOR_LIST, DEVICE, 0, supervisor_list, cursor, 0, 0, sup_status_list),
	IOCTL_OP(SUPERVISOR_CHILD_ATTACH, DEVICE, 0, supervisor_child_attach, token,
		 SUPERVISOR_ATTACH_F_RESET_SIGNALS, 0, sup_child_attach),
	IOCTL_OP(SUPERVISOR_CHILD_REPORT, DEVICE, 0, supervisor_child_report, error, 0, 0,
		 sup_child_report),
	IOCTL_OP(SUPERVISOR_RESET_SIGNALS, DEVICE, 0, supervisor_reset_signals, flags, 0, 0,
		 sup_process_reset_signals),
	IOCTL_OP(SUPERVISOR_LINEAGE, DEVICE, 0, supervisor_lineage, __reserved, 0,
		 RESERVED(supervisor_lineage), sup_lineage),
	IOCTL_OP(SUPERVISOR_MAILBOX_CREATE, DEVICE, 0, supervisor_mailbox_create, out_id,
		 SUPERVISOR_MAILBOX_F_SURVIVE, RESERVED(supervisor_mailbox_create),
		 sup_mailbox_create),
	IOCTL_OP(SUPERVISOR_MAILBOX_RECV, MAILBOX, FMODE_READ, supervisor_mailbox_recv, __reserved,
		 SUPERVISOR_RECV_F_PATH | SUPERVISOR_RECV_F_REF, RESERVED(supervisor_mailbox_recv),
		 sup_mailbox_recv),
	IOCTL_OP(SUPERVISOR_MAILBOX_SEND, MAILBOX, FMODE_WRITE, supervisor_mailbox_send,
		 __reserved, 0, RESERVED(supervisor_mailbox_send), sup_mailbox_send),
	IOCTL_OP_CALL(SUPERVISOR_MAILBOX_CALL, MAILBOX, FMODE_WRITE, supervisor_mailbox_call, call,
		      0, 0, offsetof(struct supervisor_mailbox_call, call), sup_exchange_call),
	IOCTL_OP(SUPERVISOR_CALL_REPLY, MAILBOX, FMODE_READ, supervisor_call_reply, __reserved, 0,
		 RESERVED(supervisor_call_reply), sup_exchange_reply),
	/* What must not be done twice is the reply. */
	IOCTL_OP_CALL(SUPERVISOR_CALL_REPLY_RECV, MAILBOX, FMODE_READ, supervisor_call_reply_recv,
		      __reserved, SUPERVISOR_RECV_F_PATH, RESERVED(supervisor_call_reply_recv),
		      offsetof(struct supervisor_call_reply_recv, from), sup_exchange_reply_recv),
	IOCTL_OP(SUPERVISOR_CALL_START, MAILBOX, FMODE_WRITE, supervisor_call_start, out_ref, 0, 0,
		 sup_exchange_start),
	/* For an interrupted call the file through which it was made will do. */
	IOCTL_OP(SUPERVISOR_CALL_CANCEL, MAILBOX, 0, supervisor_ref, __reserved,
		 SUPERVISOR_REF_F_FLUSH, RESERVED(supervisor_ref), sup_exchange_cancel),
	IOCTL_OP(SUPERVISOR_MAILBOX_OWN, MAILBOX, FMODE_READ, supervisor_mailbox_own, flags,
		 SUPERVISOR_OWN_F_VACANT, 0,
		 sup_mailbox_own),
	IOCTL_OP(SUPERVISOR_MAILBOX_STATUS, MAILBOX, 0, supervisor_mailbox_status, out_lost, 0, 0,
		 sup_mailbox_status),
	IOCTL_OP(SUPERVISOR_ALIAS_SEND, DEVICE, 0, supervisor_alias_send, __reserved, 0,
		 RESERVED(supervisor_alias_send), sup_alias_send),
	IOCTL_OP(SUPERVISOR_PROCESS_LINK, DEVICE, 0, supervisor_process_link, out_ref, 0,
		 RESERVED(supervisor_process_link), sup_link_create),
	IOCTL_OP(SUPERVISOR_PROCESS_UNLINK, DEVICE, 0, supervisor_process_link, out_ref, 0,
		 RESERVED(supervisor_process_link), sup_link_unlink),
	IOCTL_OP(SUPERVISOR_TRAP_EXIT, DEVICE, 0, supervisor_trap_exit, __reserved, 0,
		 RESERVED(supervisor_trap_exit), sup_link_trap_exit),
	IOCTL_OP(SUPERVISOR_MONITOR, MAILBOX, FMODE_READ, supervisor_monitor, out_ref, 0, 0,
		 sup_monitor_create),
	IOCTL_OP(SUPERVISOR_DEMONITOR, MAILBOX, FMODE_READ, supervisor_ref, __reserved,
		 SUPERVISOR_REF_F_FLUSH, RESERVED(supervisor_ref), sup_monitor_demonitor),
	IOCTL_OP(SUPERVISOR_ALIAS, MAILBOX, FMODE_READ, supervisor_alias, out_ref, 0, 0,
		 sup_alias_create),
	IOCTL_OP(SUPERVISOR_UNALIAS, MAILBOX, FMODE_READ, supervisor_ref, __reserved, 0,
		 RESERVED(supervisor_ref), sup_alias_unalias),
	IOCTL_OP_ONCE(SUPERVISOR_CHILD_ADD, supervisor_child_add, 0, sup_call_child_add),
	IOCTL_OP(SUPERVISOR_CHILD_JOIN, SUPERVISOR, FMODE_WRITE, supervisor_child_join, out_id,
		 SUPERVISOR_ATTACH_F_RESET_SIGNALS, RESERVED(supervisor_child_join),
		 sup_call_join),
	IOCTL_OP_ONCE(SUPERVISOR_START, supervisor_start, RESERVED(supervisor_start),
		      sup_call_start),
	IOCTL_OP_ONCE(SUPERVISOR_STOP, supervisor_stop, RESERVED(supervisor_stop), sup_call_stop),
	IOCTL_OP_ONCE(SUPERVISOR_CHILD_TERMINATE, supervisor_child_call, 0, sup_call_terminate),
	IOCTL_OP_ONCE(SUPERVISOR_CHILD_RESTART, supervisor_child_call, 0, sup_call_restart),
	IOCTL_OP_ONCE(SUPERVISOR_CHILD_DELETE, supervisor_child_call, 0, sup_call_delete),
	IOCTL_OP(SUPERVISOR_CHILD_GET_SPEC, SUPERVISOR, FMODE_READ, supervisor_query, out_limit,
		 ASYNC, RESERVED(supervisor_query), sup_call_get_spec),
	IOCTL_OP(SUPERVISOR_WHICH_CHILDREN, SUPERVISOR, FMODE_READ, supervisor_query, out_limit,
		 ASYNC, RESERVED(supervisor_query), sup_call_which),
	IOCTL_OP(SUPERVISOR_COUNT_CHILDREN, SUPERVISOR, FMODE_READ, supervisor_query, out_limit,
		 ASYNC, RESERVED(supervisor_query), sup_call_count),
	IOCTL_OP(SUPERVISOR_SUSPEND, SUPERVISOR, FMODE_WRITE, supervisor_suspend, __reserved, TREE,
		 RESERVED(supervisor_suspend), sup_call_suspend),
	IOCTL_OP(SUPERVISOR_RESUME, SUPERVISOR, FMODE_WRITE, supervisor_suspend, __reserved, TREE,
		 RESERVED(supervisor_suspend), sup_call_resume),
	IOCTL_OP(SUPERVISOR_WAIT, SUPERVISOR, FMODE_READ, supervisor_wait, __reserved, 0,
		 RESERVED(supervisor_wait), sup_call_wait),
	IOCTL_OP(SUPERVISOR_SUBSCRIBE, SUPERVISOR, FMODE_READ, supervisor_subscribe, out_limit,
		 SUPERVISOR_SUBSCRIBE_F_CRASHES, 0, sup_event_subscribe),
	IOCTL_OP(SUPERVISOR_STATUS, SUPERVISOR, FMODE_READ, supervisor_status, out_down, 0, 0,
		 sup_status),
	IOCTL_OP(SUPERVISOR_OPEN_CHILD, SUPERVISOR, 0, supervisor_open_child, out_id, 0,
		 RESERVED(supervisor_open_child), sup_supervisor_open_child),
	IOCTL_OP(SUPERVISOR_OWN, SUPERVISOR, FMODE_WRITE, supervisor_own, flags, 0, 0,
		 sup_supervisor_own),
	IOCTL_OP_CALL(SUPERVISOR_RESIZE, SUPERVISOR, FMODE_WRITE, supervisor_resize, call, 0,
		      0, offsetof(struct supervisor_resize, call), sup_resize),
	IOCTL_OP(SUPERVISOR_ADOPT, SUPERVISOR, FMODE_READ | FMODE_WRITE, supervisor_adopt, out_id,
		 0, RESERVED(supervisor_adopt), sup_supervisor_adopt),
	IOCTL_OP(SUPERVISOR_CHILD_LINEAGE, SUPERVISOR, FMODE_READ, supervisor_lineage, __reserved,
		 0, RESERVED(supervisor_lineage), sup_lineage_of_child),
	IOCTL_OP(SUPERVISOR_REGISTRY_CREATE, DEVICE, 0, supervisor_registry_create, out_id,
		 SUPERVISOR_REGISTRY_F_OPEN | SUPERVISOR_REGISTRY_F_MAP, 0, sup_registry_create),
	IOCTL_OP(SUPERVISOR_REGISTER, REGISTRY, FMODE_WRITE, supervisor_register, out_id, 0, 0,
		 sup_registry_register),
	IOCTL_OP(SUPERVISOR_UNREGISTER, REGISTRY, FMODE_WRITE, supervisor_unregister, out_max,
		 SUPERVISOR_UNREGISTER_F_VALUE, 0, sup_registry_unregister),
	IOCTL_OP(SUPERVISOR_LOOKUP, REGISTRY, FMODE_READ, supervisor_lookup, out_id, 0, 0,
		 sup_registry_lookup),
	IOCTL_OP(SUPERVISOR_SELECT, REGISTRY, FMODE_READ, supervisor_select, __reserved2,
		 SELECT_FLAGS, RESERVED(supervisor_select), sup_registry_select),
	IOCTL_OP(SUPERVISOR_COUNT, REGISTRY, FMODE_READ, supervisor_select, __reserved2,
		 SELECT_FLAGS, RESERVED(supervisor_select), sup_registry_count),
	IOCTL_OP(SUPERVISOR_UPDATE, REGISTRY, FMODE_WRITE, supervisor_update, out_max,
		 SUPERVISOR_UPDATE_F_COMPARE | SUPERVISOR_UPDATE_F_MAILBOX, 0,
		 sup_registry_update),
	IOCTL_OP(SUPERVISOR_META_PUT, REGISTRY, FMODE_WRITE, supervisor_meta, out_max, 0, 0,
		 sup_registry_meta_put),
	IOCTL_OP(SUPERVISOR_META_GET, REGISTRY, FMODE_READ, supervisor_meta, out_max, 0, 0,
		 sup_registry_meta_get),
	IOCTL_OP(SUPERVISOR_META_DELETE, REGISTRY, FMODE_WRITE, supervisor_meta, out_max, 0, 0,
		 sup_registry_meta_delete),
	IOCTL_OP(SUPERVISOR_LOCK, REGISTRY, FMODE_WRITE, supervisor_lock, __reserved, 0,
		 RESERVED(supervisor_lock), sup_registry_lock),
	IOCTL_OP(SUPERVISOR_UNLOCK, REGISTRY, FMODE_WRITE, supervisor_lock, __reserved, 0,
		 RESERVED(supervisor_lock), sup_registry_unlock),
	IOCTL_OP(SUPERVISOR_LISTEN, REGISTRY, FMODE_READ, supervisor_listen, out_limit,
		 SUPERVISOR_LISTEN_F_DEATHS, 0, sup_registry_listen),
	IOCTL_OP(SUPERVISOR_UNLISTEN, REGISTRY, FMODE_READ, supervisor_listen, out_limit, 0, 0,
		 sup_registry_unlisten),
	IOCTL_OP(SUPERVISOR_PUBLISH, REGISTRY, FMODE_READ, supervisor_publish, __reserved, 0,
		 RESERVED(supervisor_publish), sup_registry_publish),
	IOCTL_OP(SUPERVISOR_KEY_SEND, REGISTRY, FMODE_READ, supervisor_key_send, __reserved, 0,
		 RESERVED(supervisor_key_send), sup_registry_send),
	IOCTL_OP_CALL(SUPERVISOR_KEY_CALL, REGISTRY, FMODE_READ, supervisor_key_call, call, 0, 0,
		      offsetof(struct supervisor_key_call, call), sup_registry_call),
	IOCTL_OP(SUPERVISOR_KEY_SIGNAL, REGISTRY, FMODE_READ, supervisor_key_signal, out_pid, 0, 0,
		 sup_registry_signal),
	IOCTL_OP(SUPERVISOR_REGISTRY_STATUS, REGISTRY, 0, supervisor_registry_status,
		 out_map_bytes, 0, 0, sup_registry_status),
};

static const struct ioctl_op *ioctl_find(unsigned int cmd, enum sup_kind kind)
{
	unsigned int nr = _IOC_NR(cmd);
	const struct ioctl_op *op;

	if (nr >= ARRAY_SIZE(ioctl_ops))
		return NULL;
	op = &ioctl_ops[array_index_nospec(nr, ARRAY_SIZE(ioctl_ops))];
	return op->execute && op->cmd == cmd && op->kind == kind ? op : NULL;
}

/* A struct that is larger or smaller than ours, or not all there. */
static int ioctl_fetch_other(const struct ioctl_op *op, void *cmd, void __user *from, size_t *len)
{
	u32 user_size;
	int ret;

	if (get_user(user_size, (u32 __user *)from))
		return -EFAULT;
	if (user_size < op->min_size)
		return -EINVAL;
	if (user_size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(cmd, op->size, from, user_size);
	if (ret)
		return ret;
	*len = min_t(size_t, user_size, op->size);
	return copy_to_user(from, cmd, *len) ? -EFAULT : 0;
}

/* What cannot be told must not be done: it must be possible to write @len bytes back. */
static int ioctl_fetch(const struct ioctl_op *op, void *cmd, void __user *from, size_t *len)
{
	*len = op->size;
	/* Nearly always. Of another size, it may also end where there is no more memory. */
	if (!sup_copy_struct_from_user(cmd, from, op->size))
		return 0;
	return ioctl_fetch_other(op, cmd, from, len);
}

static int ioctl_check(const struct ioctl_op *op, const struct file *file, const void *cmd)
{
	const u32 *flags = cmd + sizeof(u32);
	const u32 *reserved = cmd + op->reserved;

	if (*flags & ~op->flags)
		return -EOPNOTSUPP;
	if (op->reserved && *reserved)
		return -EINVAL;
	return (file->f_mode & op->mode) == op->mode ? 0 : -EBADF;
}

/* A restarted ioctl must find its struct as it was, but for @call. */
static long ioctl_interrupted(const struct ioctl_op *op, const void *cmd, void __user *to)
{
	if (op->call && copy_to_user(to + op->call, cmd + op->call, sizeof(u64)))
		return -EINTR;
	return -ERESTARTSYS;
}

/* The handler has run: give the caller its results, and the new file if any. */
static long ioctl_finish(const struct ioctl_op *op, struct sup_ucmd *ucmd, void __user *to,
			 size_t len, int ret)
{
	if (ret == -ERESTARTSYS)
		return ioctl_interrupted(op, ucmd->cmd, to);
	if (sup_copy_to_user(to, ucmd->cmd, len) && !ret)
		ret = -EFAULT;
	if (!ucmd->new_file)
		return ret;
	if (ret) {
		put_unused_fd(ucmd->new_fd);
		fput(ucmd->new_file);
	} else {
		fd_install(ucmd->new_fd, ucmd->new_file);
	}
	return ret;
}

/**
 * sup_ioctl - the ioctl operation of the device and of every object
 * @file: the file
 * @cmd: SUPERVISOR_*
 * @arg: address of its struct
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
long sup_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	/* The device's files have none. */
	struct sup_object *object = sup_file_object(file);
	enum sup_kind kind = object ? object->ops->kind : SUP_KIND_DEVICE;
	const struct ioctl_op *op = ioctl_find(cmd, kind);
	void __user *uptr = (void __user *)arg;
	union ioctl_buffer buffer __uninitialized;
	struct sup_ucmd ucmd = { .file = file, .object = object, .cmd = &buffer };
	size_t len;
	int ret;

	if (!op)
		return -ENOTTY;
	ret = ioctl_fetch(op, &buffer, uptr, &len);
	if (ret)
		return ret;
	ret = ioctl_check(op, file, &buffer);
	if (ret)
		return ret;
	ret = op->execute(&ucmd);
	return ioctl_finish(op, &ucmd, uptr, len, ret);
}

static int device_open(struct inode *inode, struct file *file)
{
	file->private_data = NULL;
	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.unlocked_ioctl = sup_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice supervisor_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "supervisor",
	.fops = &device_fops,
	.mode = 0600,
};

static int __init supervisor_module_init(void)
{
	int ret;

	ret = sup_objects_init();
	if (ret)
		return ret;
	ret = sup_process_init();
	if (ret)
		goto err_objects;
	ret = sup_exchange_init();
	if (ret)
		goto err_process;
	ret = sup_child_init();
	if (ret)
		goto err_exchange;
	ret = sup_monitor_init();
	if (ret)
		goto err_child;
	ret = sup_link_init();
	if (ret)
		goto err_monitor;
	ret = misc_register(&supervisor_device);
	if (ret)
		goto err_link;
	return 0;

err_link:
	sup_link_exit();
err_monitor:
	sup_monitor_exit();
err_child:
	sup_child_exit();
err_exchange:
	sup_exchange_exit();
err_process:
	sup_process_exit();
err_objects:
	sup_objects_exit();
	return ret;
}

static void __exit supervisor_module_exit(void)
{
	misc_deregister(&supervisor_device);
	sup_registry_exit();
	sup_link_exit();
	sup_monitor_exit();
	sup_child_exit();
	sup_exchange_exit();
	sup_process_exit();
	sup_objects_exit();
}

module_init(supervisor_module_init);
module_exit(supervisor_module_exit);

MODULE_DESCRIPTION("OTP supervisors, registries, monitors and calls for processes");
MODULE_AUTHOR("The supervisor.ko authors");
MODULE_VERSION(SUPERVISOR_VERSION);
MODULE_LICENSE("GPL");
