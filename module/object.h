/* SPDX-License-Identifier: GPL-2.0 */
/*
 * object - what every object has: kind, id, references, files, a name, and the
 * account that pays for it. Also the legend of locks.
 *
 * Locks, outermost first.
 *
 *	sup_supervisor.resizing		G: a partition supervisor's resizing (resize.c)
 *	sup_supervisor.lock		S: a supervisor and its children
 *	sup_tree_lock			who is whose child (supervisor.c)
 *	subscriptions_lock		who hears of which tree (event.c)
 *	listening			who listens to which registry (registry_listen.c)
 *	sup_links_lock			L: links, and who traps exits (link.c)
 *	sup_names_lock			N: names of objects (object.c)
 *	sup_registry.meta_lock		D: a registry's metadata
 *	sup_tokens_lock			T: tokens of outstanding starts (child.c)
 *	sup_mailbox.owner_lock		O: who serves a mailbox (mailbox.c)
 *	sup_partition.lock		R: a partition of a registry: keys and entries
 *	  sup_holder.lock		H: the entries of one process in one registry
 *	  sup_registry.tell_lock	V: who hears of a registry's changes
 *	sup_registry.locks_lock		K: locks that a registry's users have or want
 *	sup_registry.holders_lock	who has anything in a registry
 *	sup_registry_map.lock		Z: a registry's mapping, raw
 *	sup_processes_lock		the table of tracked processes (process.c)
 *	  pid->wait_pidfd.lock		the kernel's; taken inside tasklist_lock too
 *	    sup_process.lock		P: a process and its watches, irqsave
 *	      sup_supervisor.inbox_lock	I: a supervisor's inbox, irqsave
 *	sup_supervisor.events_lock	E: a root's subscriptions
 *	sup_object.watches_lock		W: who waits for an object's end
 *	  sup_mailbox.lock		M: a mailbox's queue, its monitors and aliases
 *	    sup_aliases_lock		B: the table of aliases (alias.c)
 *	sup_accounts_lock		A: the table of accounts (account.c)
 *
 * The exit hook runs with tasklist_lock write-held and wait_pidfd.lock held: it
 * takes sup_process.lock and inbox_lock and nothing else. No two supervisors'
 * locks are held at once: supervisors speak to each other through inboxes.
 *
 * Members of shared structs carry the letter of the lock that protects them;
 * "const" means set before the object is published, "atomic" speaks for itself.
 */
#ifndef SUP_OBJECT_H
#define SUP_OBJECT_H

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct sup_account;
struct pid_namespace;
struct sup_object;
struct user_namespace;
struct workqueue_struct;

enum sup_kind {
	SUP_KIND_DEVICE,	/* /dev/supervisor itself: no struct sup_object */
	SUP_KIND_MAILBOX,
	SUP_KIND_SUPERVISOR,
	SUP_KIND_REGISTRY,
};

/**
 * struct sup_object_ops - what object.c needs of each kind
 * @kind: which one
 * @file_name: of its files, as /proc shows them
 * @fops: of its files
 * @unused: the last file is gone. May sleep.
 * @free: the last reference is gone; frees the memory. May sleep.
 * @owner_pid: the number of the process that owns it, 0 for none. May sleep.
 * @less_reachable: the last file but one is closed, or the name is free; or NULL. May
 *	sleep
 * @name_is_free: N: somebody may have its name, though nobody has cleared it yet;
 *	or NULL for never
 */
struct sup_object_ops {
	enum sup_kind kind;
	const char *file_name;
	const struct file_operations *fops;
	void (*unused)(struct sup_object *object);
	void (*free)(struct sup_object *object);
	pid_t (*owner_pid)(struct sup_object *object, struct pid_namespace *ns);
	void (*less_reachable)(struct sup_object *object);
	bool (*name_is_free)(struct sup_object *object);
};

/**
 * struct sup_object_name - an object's place among the names
 * @node: N: in sup_names, by id; empty when it has no name
 * @ns: N: the user namespace in which it can be found
 * @bytes: N: the name without its '/', NUL-terminated; NULL when there is none
 * @len: const: bytes of @bytes
 * @uid: const: owner
 * @gid: const: group
 * @mode: const: permission bits
 */
struct sup_object_name {
	struct list_head node;
	struct user_namespace *ns;
	char *bytes;
	u32 len;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
};

/**
 * struct sup_object_watch - somebody who is told that an object has ended
 * @node: W: in sup_object.watches; empty when told or removed
 * @down: called once, under W, with a SUPERVISOR_EXIT_* reason. May take mailbox
 *	locks, may not sleep
 *
 * Lifetime: embedded in its user, which keeps the object; lives until
 *	sup_object_watch_remove() returned.
 */
struct sup_object_watch {
	struct list_head node;
	void (*down)(struct sup_object_watch *watch, u32 reason);
};

/**
 * struct sup_object - the base of a mailbox, supervisor or registry
 * @ops: const
 * @ref: references: one for all files together, and one for each pointer that
 *	other objects hold
 * @files: atomic: open files. Counts from 1 at creation until the last is
 *	closed; the object may live on
 * @id: const: never used again
 * @account: const: who pays
 * @watches_lock: W
 * @down: W: it has ended: a supervisor is down, a mailbox has no owner and gets
 *	none
 * @watches: W: struct sup_object_watch
 * @name: see struct sup_object_name
 *
 * Lifetime: allocated by its kind, which holds a module reference until
 *	ops->free, so that an object without files keeps the module loaded.
 * Locking: per member.
 * Context: references may be taken anywhere; sup_object_put() may sleep.
 */
struct sup_object {
	const struct sup_object_ops *ops;
	struct kref ref;
	atomic_t files;
	u64 id;
	struct sup_account *account;
	spinlock_t watches_lock;
	bool down;
	struct list_head watches;
	struct sup_object_name name;
};

/**
 * struct sup_ucmd - an ioctl under way
 * @file: the file it came through
 * @object: that file's object; NULL on the device
 * @cmd: the ioctl's struct, of the size that this kernel knows
 * @new_file: set by a handler that creates a file
 * @new_fd: its number, installed by the dispatcher when all else has succeeded
 */
struct sup_ucmd {
	struct file *file;
	struct sup_object *object;
	void *cmd;
	struct file *new_file;
	int new_fd;
};

int sup_objects_init(void);
void sup_objects_exit(void);

void sup_object_init(struct sup_object *object, const struct sup_object_ops *ops,
		     struct sup_account *account);
void sup_object_get(struct sup_object *object);
bool sup_object_tryget(struct sup_object *object);
void sup_object_put(struct sup_object *object);

int sup_object_file(struct sup_ucmd *ucmd, struct sup_object *object, int flags);
void sup_object_remember(struct sup_object *object);
bool sup_object_reach(struct sup_object *object);
void sup_object_forget(struct sup_object *object);
int sup_object_reopen(struct sup_ucmd *ucmd, struct sup_object *object, int access, s32 *out_fd,
		      u64 *out_id);
int sup_object_release(struct inode *inode, struct file *file);
struct file *sup_object_fget_any(int fd);
struct file *sup_object_fget(int fd, enum sup_kind kind);

bool sup_object_watch_add(struct sup_object *object, struct sup_object_watch *watch);
void sup_object_watch_remove(struct sup_object *object, struct sup_object_watch *watch);
void sup_object_down(struct sup_object *object, u32 reason);
void sup_object_up(struct sup_object *object);

u32 sup_object_kind(const struct sup_object *object);
struct sup_object *sup_object_find(u64 uptr, u32 len, enum sup_kind kind, int access);
int sup_object_set_name(struct sup_object *object, u64 uptr, u32 len, u32 mode);
void sup_object_clear_name(struct sup_object *object);
bool sup_object_named(struct sup_object *object);

int sup_object_open(struct sup_ucmd *ucmd);
int sup_object_unlink(struct sup_ucmd *ucmd);

u64 sup_id_next(void);
int sup_access_flags(u32 access);
char *sup_name_copy(u64 uptr, u32 len);

long sup_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/**
 * sup_file_object - the object behind one of our files
 * @file: a file whose operations are those of an object
 *
 * Context: any.
 * Return: the object; no reference.
 */
static inline struct sup_object *sup_file_object(struct file *file)
{
	return file->private_data;
}

extern const struct file_operations sup_mailbox_fops;
extern const struct file_operations sup_supervisor_fops;
extern const struct file_operations sup_registry_fops;
extern struct workqueue_struct *sup_workqueue;
extern struct mutex sup_names_lock;
extern struct list_head sup_names;

#endif
