/* SPDX-License-Identifier: GPL-2.0 */
/*
 * supervisor - supervisors in the kernel: the structs that supervisor.c (actor,
 * life and death), owner.c (who owns a root), child.c (starts, attach, signals),
 * member.c (children of dynamic supervisors), call.c (calls from user space),
 * event.c (events), crash.c (crash reports), ancestry.c (lineage) and status.c
 * (looking) share.
 *
 * A supervisor is an actor. Everything that concerns it (a child's death, a
 * report, a call, a word from its parent or from a supervisor below) is put in
 * its inbox, in the order in which it happens; a work item takes it out, hands
 * it to the policy and carries out what the policy decides. No two supervisors
 * are locked at once, and the work item never waits for user space.
 */
#ifndef SUP_SUPERVISOR_H
#define SUP_SUPERVISOR_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <linux/supervisor.h>

#include "account.h"
#include "dynamic.h"
#include "lineage.h"
#include "mailbox.h"
#include "object.h"
#include "policy.h"
#include "process.h"

struct sup_child;
struct sup_request;
struct sup_reservation;
struct sup_supervisor;

enum sup_inbox_kind {
	SUP_INBOX_EXIT,		/* sup_child.exit_msg: its process is dead */
	SUP_INBOX_REPORT,	/* sup_start.report_msg: see sup_child.reports */
	SUP_INBOX_READER,	/* sup_start.reader_msg: who read the START is dead */
	SUP_INBOX_UP,		/* sup_supervisor.up_msg, in the parent's inbox */
	SUP_INBOX_DOWN,		/* sup_supervisor.down_msg, in the parent's inbox */
	SUP_INBOX_CALL,		/* sup_request.msg */
	SUP_INBOX_CONTROL	/* sup_supervisor.control_msg: see .controls */
};

/* An entry of an inbox, embedded in what it is about. */
struct sup_inbox_msg {
	struct list_head node;	/* I; empty when not queued */
	enum sup_inbox_kind kind;
};

/* Words to a supervisor, in the order in which one work item obeys them. */
#define SUP_CONTROL_START	BIT(0)
#define SUP_CONTROL_STOP	BIT(1)	/* with sup_supervisor.stop_reason */
#define SUP_CONTROL_KILL	BIT(2)
#define SUP_CONTROL_OWNER	BIT(3)	/* the owner is gone, or may be */
#define SUP_CONTROL_RELEASE	BIT(4)	/* forget the children, signal nobody */
#define SUP_CONTROL_RESUME	BIT(5)
#define SUP_CONTROL_TIMER	BIT(6)
#define SUP_CONTROL_DISCARD	BIT(7)	/* nobody can start it any more */
#define SUP_CONTROL_REPOST	BIT(8)	/* the START's mailbox was closed */

/* sup_child.reports: what was said and waits to be handled, or has been. */
#define SUP_SAID_STARTED	BIT(SUPERVISOR_REPORT_STARTED)
#define SUP_SAID_FAILED		BIT(SUPERVISOR_REPORT_FAILED)
#define SUP_SAID_IGNORE		BIT(SUPERVISOR_REPORT_IGNORE)
#define SUP_SAID_READY		BIT(SUPERVISOR_REPORT_READY)
#define SUP_SAID_SHUTDOWN	BIT(SUPERVISOR_REPORT_SHUTDOWN)
#define SUP_SAID_EARLY_READY	BIT(7)	/* READY said before exec */

/**
 * struct sup_kept - a mailbox that waits for the next incarnation of a child
 * @node: S: in sup_supervisor.kept
 * @child: S: whose
 * @object: const, with a file counted for this
 * @work: lets it go
 */
struct sup_kept {
	struct list_head node;
	struct sup_child *child;
	struct sup_object *object;
	struct work_struct work;
};

/**
 * struct sup_child - what all children have
 * @ref: references: its supervisor's, its supervisor's policy's, calls'
 * @incarnation: S
 * @readiness: const: SUPERVISOR_READINESS_*
 * @signal_whom: const: SUPERVISOR_SIGNAL_*
 * @stop_signal: const
 * @reports: S: SUP_SAID_*, of this incarnation
 * @last_reason: S: &enum sup_reason
 * @is_supervisor: const: it is a supervisor, not a process
 * @keyed: const: of a dynamic supervisor's: it is a struct sup_member_keyed
 * @attached: S: its process has attached, and is or was @watch's
 * @gone: S: that process is dead, and its exit has been handled
 * @abandoned: S: given up, but alive: @watch waits for its death
 * @unkillable: S: may not be signalled
 * @exited: S: @last_reason and @last_status are an exit's
 * @start_failed: S: @last_error is a start's
 * @keeps: S: it has struct sup_kept
 * @forgotten: S: nothing will be heard of it any more
 * @last_status: S
 * @last_error: S
 * @id: const: never used again
 * @sup: const, referenced: whose child it is
 * @watch: S: on its process, until the next one attaches: belief outlives it
 * @exit_msg: I
 * @callers: S, referenced: who asked for it
 * @since_ns: S: when its state last changed
 *
 * Lifetime: from the ioctl that adds it until the policy has forgotten it and no
 *	call names it. Freed with its supervisor's reference.
 * Locking: per member; S is that of @sup.
 * Context: none of its own.
 */
struct sup_child {
	refcount_t ref;
	u32 incarnation;
	u8 readiness;
	u8 signal_whom;
	u8 stop_signal;
	u8 reports;
	u8 last_reason;
	bool is_supervisor;
	bool keyed;
	u8 attached : 1;
	u8 gone : 1;
	u8 abandoned : 1;
	u8 unkillable : 1;
	u8 exited : 1;
	u8 start_failed : 1;
	u8 keeps : 1;
	u8 forgotten : 1;
	s32 last_status;
	s32 last_error;
	u64 id;
	struct sup_supervisor *sup;
	struct sup_watch watch;
	struct sup_inbox_msg exit_msg;
	struct sup_callers *callers;
	u64 since_ns;
};

/**
 * struct sup_launch - what a child's last start is known by
 * @node: T: in the table of tokens
 * @token: S and T: 0 when revoked
 * @child: S and T: whose
 * @exec_id: S: self_exec_id at the attach
 * @error: S: with SUP_SAID_FAILED
 * @used: S: @token has been used
 */
struct sup_launch {
	struct hlist_node node;
	u64 token;
	struct sup_child *child;
	u64 exec_id;
	s32 error;
	bool used;
};

/**
 * struct sup_static_child - a child of an ordinary supervisor
 * @child: what all have
 * @policy: S: how the policy sees it
 * @sub: S, referenced: the supervisor that it is; NULL for a process, and when
 *	it has been forgotten
 * @blob: const
 * @blob_len: const
 * @launch: its last start
 * @reservation: const: of the key that its process is to have; or NULL. Taken, S,
 *	while its start is under way and no process has attached
 * @last_exit_ns: S: with @child.exited
 */
struct sup_static_child {
	struct sup_child child;
	struct sup_policy_child policy;
	struct sup_supervisor *sub;
	void *blob;
	u32 blob_len;
	struct sup_launch launch;
	struct sup_reservation *reservation;
	u64 last_exit_ns;
};

/**
 * struct sup_spec - what children of a dynamic supervisor have in common
 * @ref: references: of children, supervisors, and specs made from it
 * @readiness: const: SUPERVISOR_READINESS_*
 * @signal_whom: const: SUPERVISOR_SIGNAL_*
 * @stop_signal: const
 * @is_supervisor: const
 * @decides: const: what the decider needs
 * @name: const: the id, in @template if there is one
 * @blob: const: likewise
 * @blob_len: const: likewise
 * @args: const: of one child alone
 * @args_len: const
 * @reservation: of the key that a process is to have; or NULL. A template's is const, and
 *	its children have copies; another's is its first child's from then on
 * @template: const, referenced: what it was made from, or NULL
 * @account: const, referenced: who pays
 *
 * Lifetime: to the last reference.
 */
struct sup_spec {
	refcount_t ref;
	u8 readiness;
	u8 signal_whom;
	u8 stop_signal;
	bool is_supervisor;
	struct sup_child_spec decides;
	struct sup_name name;
	void *blob;
	u32 blob_len;
	u32 args_len;
	void *args;
	struct sup_reservation *reservation;
	struct sup_spec *template;
	struct sup_account *account;
};

/**
 * struct sup_member - a child of a dynamic supervisor
 * @child: what all have
 * @dynamic: S: how the decider sees it; its spec is that of a struct sup_spec, with
 *	a reference
 * @next: S: in a list of sup_supervisor.table
 */
struct sup_member {
	struct sup_child child;
	struct sup_dynamic_child dynamic;
	struct sup_member *next;
};

/**
 * struct sup_member_sub - a child of a dynamic supervisor that is a supervisor
 * @member: what all have
 * @sub: S, referenced: the supervisor that it is; NULL when it has been forgotten
 * @number: const: its number, by which it is called in paths
 * @digits: const: of @number
 */
struct sup_member_sub {
	struct sup_member member;
	struct sup_supervisor *sub;
	struct sup_name number;
	char digits[24];
};

/**
 * struct sup_member_keyed - a child of a dynamic supervisor whose process has a key
 * @member: what all have
 * @reservation: const: of the key. Taken, S, while its start is under way and no process
 *	has attached; of one that joins, until it is accepted or refused
 */
struct sup_member_keyed {
	struct sup_member member;
	struct sup_reservation *reservation;
};

enum sup_start_state {
	SUP_START_NONE,		/* no process is being started */
	SUP_START_QUEUED,	/* the START waits to be read */
	SUP_START_READ		/* it has a reader and a token */
};

/**
 * struct sup_start - the start that a supervisor has under way
 * @state: S
 * @child: S: referenced while @state is not NONE: a process, or a supervisor whose
 *	start is asked for
 * @post: M: the START message
 * @mailbox: S: where that is, or was before it was read; NULL for nowhere
 * @reader: S: on the process that read it
 * @reader_msg: I
 * @report_msg: I: something was said about it: see sup_child.reports
 * @launch: of a dynamic supervisor: of the last child that was started
 * @deadline_ns: S: while @state is not NONE: when a START that nobody has read is a
 *	start error; U64_MAX for never
 */
struct sup_start {
	enum sup_start_state state;
	struct sup_child *child;
	struct sup_post post;
	struct sup_mailbox *mailbox;
	struct sup_watch reader;
	struct sup_inbox_msg reader_msg;
	struct sup_inbox_msg report_msg;
	struct sup_launch launch;
	u64 deadline_ns;
};

/**
 * struct sup_supervisor - a supervisor
 * @object: the base
 * @lock: S
 * @kind: const: SUPERVISOR_ORDERED and so on
 * @spawn: const: SUPERVISOR_SPAWN_*
 * @policy: S: who decides, of an ordered one
 * @dynamic: S: of a dynamic one
 * @left_over: S: @left is to be carried out next, by the work item
 * @left: S: what the policy decided where it could not be done
 * @state: S: SUPERVISOR_STATE_*; read anywhere
 * @since_ns: S: when it entered @state
 * @reason: S until DOWN, then const: how it ended
 * @down: likewise: why
 * @down_error: likewise: with SUPERVISOR_DOWN_INIT_FAILED
 * @rival: likewise, referenced: who has the key that the last start wanted, or one
 *	below wanted; NULL if that was not why it failed
 * @downs: S: how often it has ended; a supervisor below may start again
 * @was_up: S: has been up since it last started
 * @failed_id: S: id of the child that did not start, NUL-terminated
 * @window: const
 * @window_slots: const
 * @buckets: S: the policy's index of ids
 * @nr_buckets: S
 * @table: S: of a dynamic one: struct sup_member by number
 * @nr_lists: S: in @table, a power of two
 * @template: const, referenced: of a dynamic one: a spec for who comes without, or
 *	NULL
 * @last_spec: S, referenced: of a dynamic one: that of who came last, or NULL
 * @start: S: the start under way
 * @partitions: G and S to set: of a partition supervisor: how many are in use; read
 *	anywhere
 * @partitions_max: S until it starts, then const: how many there are; 0 of any other
 * @resizing: G
 * @kept: S: struct sup_kept: mailboxes that live until their child is forgotten
 * @unwanted: S: nobody can start it any more: forget everything once it is down
 * @parked: S: struct sup_request, interrupted by a signal: their callers may wait
 *	on
 * @log_crashes: const: its children's crashes are told in the kernel's log
 * @mailbox: const, referenced: where its START requests go, and those of supervisors
 *	below that have none; NULL: the one above's. A root has one
 * @cred: const, referenced: the creator's, with which signals are sent
 * @pid_ns: const, referenced: the creator's
 * @owner_death: const: SUPERVISOR_OWNER_DEATH_*
 * @spawner_timeout_ms: const: 0 is for ever
 * @hold_ms: const: how long it waits for another owner
 * @hold_until_ns: S: while it is held, until when; else %SUP_NOT_HELD. Read
 *	anywhere
 * @lasting: it counts as a file of itself and one of its mailbox: from its start under
 *	sup_tree_lock until it is down, under S. Read anywhere
 * @owner: sup_tree_lock: a watch on the owner; watches nothing while it is held
 * @as_child: sup_tree_lock until it starts, then const: the child that it is,
 *	referenced. Its absence makes a root
 * @height: sup_tree_lock: supervisors below it on the longest path, at most
 * @claimed: sup_tree_lock: started as a root, or about to be
 * @root: I until it starts, then const: the root of its tree, which the chain of
 *	@as_child keeps
 * @inbox_lock: I
 * @inbox: I: struct sup_inbox_msg
 * @awake: I: the work item is queued or running, and holds a reference
 * @awaited: I: deaths that are to come before it need run; 0 while it runs
 * @gathering: I: it is queued, but a jiffy late, to have more of them at once
 * @busy_root: I: the root that counts it as busy, or NULL
 * @controls: I: SUP_CONTROL_*
 * @stop_reason: I: with SUP_CONTROL_STOP
 * @control_msg: I
 * @work: the actor
 * @timer: queues SUP_CONTROL_TIMER
 * @timer_due: S: when it is armed for; U64_MAX when it is not
 * @up_msg: I of the parent
 * @down_msg: I of the parent
 * @changed: woken when @state changes
 * @busy: atomic: of a root: busy supervisors in the tree
 * @idle: woken when @busy becomes 0
 * @events_lock: E
 * @subscriptions: E: of a root: struct subscription (event.c)
 *
 * Lifetime: its object's. A supervisor without files lives on until it is down;
 *	then, or when its parent forgets it, it forgets its children.
 * Locking: per member.
 * Context: the work item may sleep but waits for nobody.
 */
struct sup_supervisor {
	struct sup_object object;

	struct mutex lock;
	u32 kind;
	u32 spawn;
	union {
		struct sup_policy policy;
		struct sup_dynamic dynamic;
	};
	bool left_over;
	struct sup_action left;
	u32 state;
	u64 since_ns;
	u32 reason;
	u32 down;
	s32 down_error;
	struct pid *rival;
	char *failed_id;
	bool was_up;
	u64 downs;
	struct sup_window_slot *window;
	size_t window_slots;
	struct hlist_head *buckets;
	u32 nr_buckets;
	u32 nr_lists;
	struct sup_member **table;
	struct sup_spec *template;
	struct sup_spec *last_spec;
	struct sup_start start;
	u32 partitions;
	u32 partitions_max;
	struct mutex resizing;
	struct list_head kept;
	bool unwanted;
	struct list_head parked;
	bool log_crashes;

	struct sup_mailbox *mailbox;
	const struct cred *cred;
	struct pid_namespace *pid_ns;
	u32 owner_death;
	u32 spawner_timeout_ms;
	u32 hold_ms;
	u64 hold_until_ns;
	bool lasting;
	struct sup_watch owner;
	struct sup_child *as_child;
	u32 height;
	bool claimed;

	struct sup_supervisor *root;
	spinlock_t inbox_lock;
	struct list_head inbox;
	bool awake;
	bool gathering;
	u32 awaited;
	struct sup_supervisor *busy_root;
	u32 controls;
	enum sup_reason stop_reason;
	struct sup_inbox_msg control_msg;
	struct delayed_work work;
	struct delayed_work timer;
	u64 timer_due;
	struct sup_inbox_msg up_msg;
	struct sup_inbox_msg down_msg;
	wait_queue_head_t changed;

	atomic_t busy;
	wait_queue_head_t idle;
	spinlock_t events_lock;
	struct list_head subscriptions;
};

/**
 * struct sup_call_outcome - what came of a call
 * @result: SUPERVISOR_RESULT_*
 * @error: errno with which a start failed
 * @pid: the child's process, in the caller's pid namespace
 * @limit: SUPERVISOR_LIMIT_* that was met
 */
struct sup_call_outcome {
	u32 result;
	s32 error;
	s32 pid;
	u32 limit;
};

static inline struct sup_supervisor *sup_object_supervisor(struct sup_object *object)
{
	return container_of(object, struct sup_supervisor, object);
}

static inline bool sup_is_dynamic(const struct sup_supervisor *sup)
{
	return sup->kind != SUPERVISOR_ORDERED;
}

/* To those that a child is, by what its supervisor is. */

static inline struct sup_static_child *sup_static_child(struct sup_child *child)
{
	return container_of(child, struct sup_static_child, child);
}

static inline struct sup_member *sup_member(struct sup_child *child)
{
	return container_of(child, struct sup_member, child);
}

static inline struct sup_member_sub *sup_member_sub(struct sup_child *child)
{
	return container_of(sup_member(child), struct sup_member_sub, member);
}

static inline struct sup_member_keyed *sup_member_keyed(struct sup_child *child)
{
	return container_of(sup_member(child), struct sup_member_keyed, member);
}

static inline struct sup_child *sup_policy_child(struct sup_policy_child *child)
{
	return &container_of(child, struct sup_static_child, policy)->child;
}

static inline struct sup_child *sup_dynamic_child(struct sup_dynamic_child *child)
{
	return &container_of(child, struct sup_member, dynamic)->child;
}

static inline struct sup_spec *sup_member_spec(struct sup_child *child)
{
	return container_of(sup_member(child)->dynamic.spec, struct sup_spec, decides);
}

/* What its supervisor believes of it. */
static inline enum sup_child_state sup_child_state(struct sup_child *child)
{
	return sup_is_dynamic(child->sup) ? sup_member(child)->dynamic.state :
					    sup_static_child(child)->policy.state;
}

/* Its run, as it is shown: one that has not started yet is, while it starts. */
static inline u32 sup_child_incarnation(struct sup_child *child)
{
	if (sup_is_dynamic(child->sup) && sup_child_state(child) != SUP_CHILD_STARTING)
		return sup_member(child)->dynamic.incarnation;
	return child->incarnation;
}

static inline const struct sup_child_spec *sup_child_decides(struct sup_child *child)
{
	return sup_is_dynamic(child->sup) ? sup_member(child)->dynamic.spec :
					    &sup_static_child(child)->policy.spec;
}

/* Of a message about it: a path calls it by its id, or by its number. */
static inline u16 sup_child_msg_flags(const struct sup_child *child)
{
	return sup_is_dynamic(child->sup) ? SUPERVISOR_MSG_F_DYNAMIC : 0;
}

/* Its id; to a dynamic supervisor that is but a word. */
static inline const struct sup_name *sup_child_name(struct sup_child *child)
{
	const struct sup_spec *spec;

	if (!sup_is_dynamic(child->sup))
		return &sup_static_child(child)->policy.name;
	spec = sup_member_spec(child);
	return spec->template ? &spec->template->name : &spec->name;
}

/* By which it is called in a path; it is a supervisor. */
static inline const struct sup_name *sup_child_path_name(struct sup_child *child)
{
	return sup_is_dynamic(child->sup) ? &sup_member_sub(child)->number :
					    &sup_static_child(child)->policy.name;
}

/* Where the supervisor that it is, is kept; NULL for a process. */
static inline struct sup_supervisor **sup_child_sub_at(struct sup_child *child)
{
	if (!child->is_supervisor)
		return NULL;
	return sup_is_dynamic(child->sup) ? &sup_member_sub(child)->sub :
					    &sup_static_child(child)->sub;
}

/* The supervisor that it is; NULL for a process, and when it has been forgotten. */
static inline struct sup_supervisor *sup_child_sub(struct sup_child *child)
{
	return child->is_supervisor ? *sup_child_sub_at(child) : NULL;
}

/* Of the key that its process is to have, or NULL. */
static inline struct sup_reservation *sup_child_reservation(struct sup_child *child)
{
	if (sup_is_dynamic(child->sup))
		return child->keyed ? sup_member_keyed(child)->reservation : NULL;
	return sup_static_child(child)->reservation;
}

/* Its last process's identity, or NULL. */
static inline struct pid *sup_child_pid(const struct sup_child *child)
{
	return child->watch.process ? child->watch.process->pid : NULL;
}

/* supervisor.c */
extern struct mutex sup_tree_lock;
int sup_supervisor_create(struct sup_ucmd *ucmd);
int sup_supervisor_open_child(struct sup_ucmd *ucmd);
u32 sup_depth(struct sup_supervisor *sup);
int sup_adopt(struct sup_supervisor *sub, struct sup_child *as_child);
void sup_disown(struct sup_child *as_child);
void sup_start_below(struct sup_supervisor *sub, struct sup_supervisor *root);
void sup_control(struct sup_supervisor *sup, u32 controls);
void sup_stop(struct sup_supervisor *sup, enum sup_reason reason);
void sup_inbox_add(struct sup_supervisor *sup, struct sup_inbox_msg *msg);
bool sup_inbox_put(struct sup_supervisor *sup, struct sup_inbox_msg *msg);
void sup_run(struct sup_supervisor *sup);
bool sup_inbox_remove(struct sup_supervisor *sup, struct sup_inbox_msg *msg);
void sup_inbox_msg_init(struct sup_inbox_msg *msg, enum sup_inbox_kind kind);
void sup_arm_timer(struct sup_supervisor *sup);
void sup_feed(struct sup_supervisor *sup, const struct sup_input *input);

/* owner.c */

/* sup_supervisor.hold_until_ns: it has an owner, or ends without one. */
#define SUP_NOT_HELD U64_MAX

int sup_owner_check(const struct supervisor_create *cmd);
void sup_owner_init(struct sup_supervisor *sup, const struct supervisor_create *cmd);
void sup_owner_set(struct sup_supervisor *sup, struct sup_process *process);
bool sup_owned_by_current(struct sup_supervisor *root);
pid_t sup_owner_pid(struct sup_object *object, struct pid_namespace *ns);
int sup_hold_keep(struct sup_supervisor *sup);
bool sup_hold_unkeep(struct sup_supervisor *sup);
void sup_hold_forget(struct sup_supervisor *sup);
u64 sup_hold_deadline(const struct sup_supervisor *sup);
bool sup_hold(struct sup_supervisor *sup);
void sup_hold_look(struct sup_object *object);
int sup_supervisor_own(struct sup_ucmd *ucmd);
int sup_supervisor_adopt(struct sup_ucmd *ucmd);

/* child.c */
int sup_child_init(void);
void sup_child_exit(void);
struct sup_child *sup_child_alloc(struct sup_supervisor *sup,
				  const struct supervisor_child_spec *spec, u32 *limit,
				  u32 *max);
void sup_child_spec_read(struct sup_child_spec *to, const struct supervisor_child_spec *from);
void sup_child_set_up(struct sup_child *child, struct sup_supervisor *sup);
struct sup_child *sup_child_of_pid(struct pid *pid);
int sup_child_join_locked(struct sup_child *child, struct sup_process *process,
			  struct pid **holder);
void sup_child_joined(struct sup_child *child);
void sup_child_get(struct sup_child *child);
void sup_child_put(struct sup_child *child);
struct sup_child *sup_child_find(struct sup_supervisor *sup, u64 id, u32 len);
void sup_child_unkeep(struct sup_child *child);
void sup_child_start(struct sup_child *child);
void sup_child_term(struct sup_child *child);
void sup_child_kill(struct sup_child *child);
void sup_child_abandon(struct sup_child *child);
bool sup_current_is_below(struct sup_supervisor *root);
void sup_child_release(struct sup_child *child);
void sup_child_handle_exit(struct sup_child *child);
void sup_child_handle_up(struct sup_child *child);
void sup_child_handle_down(struct sup_child *child);
void sup_start_init(struct sup_supervisor *sup);
u64 sup_start_deadline(const struct sup_supervisor *sup);
void sup_start_handle_reader(struct sup_supervisor *sup);
void sup_start_handle_report(struct sup_supervisor *sup);
void sup_start_handle_timer(struct sup_supervisor *sup, u64 now_ns);
void sup_start_repost(struct sup_supervisor *sup);
int sup_child_attach(struct sup_ucmd *ucmd);
int sup_child_report(struct sup_ucmd *ucmd);

/* member.c */
int sup_member_init(void);
void sup_member_exit(void);
struct sup_spec *sup_spec_alloc(struct sup_account *account,
				const struct supervisor_child_spec *from, u32 *limit, u32 *max);
struct sup_spec *sup_spec_with_args(struct sup_spec *template, u64 args, u32 len, u32 *limit);
struct sup_spec *sup_spec_share(struct sup_supervisor *sup, struct sup_spec *spec);
struct sup_spec *sup_spec_template(struct sup_supervisor *sup);
void sup_spec_put(struct sup_spec *spec);
struct sup_child *sup_member_alloc(struct sup_supervisor *sup, struct sup_spec *spec, u32 *limit);
void sup_member_free(struct sup_child *child);
void sup_member_add(struct sup_child *child);
void sup_member_remove(struct sup_child *child);
struct sup_child *sup_member_find(struct sup_supervisor *sup, u64 id);
void sup_member_grow(struct sup_supervisor *sup);

/* call.c */
int sup_call_spec_fetch(u64 uptr, struct supervisor_child_spec *spec, u32 *invalid, u32 *max);
int sup_call_join(struct sup_ucmd *ucmd);
void sup_call_starts(struct sup_call *call, struct sup_child *child);
void sup_call_forget_parked(struct sup_supervisor *sup, struct file *file);
void sup_call_begin(struct sup_inbox_msg *msg);
int sup_call_by_id(struct sup_supervisor *sup, u32 command, const char *id, u64 deadline,
		   struct sup_call_outcome *outcome);
int sup_resize(struct sup_ucmd *ucmd);
void sup_call_reply(struct sup_supervisor *sup, struct sup_call *call);
int sup_call_child_add(struct sup_ucmd *ucmd);
int sup_call_start(struct sup_ucmd *ucmd);
int sup_call_stop(struct sup_ucmd *ucmd);
int sup_call_terminate(struct sup_ucmd *ucmd);
int sup_call_restart(struct sup_ucmd *ucmd);
int sup_call_delete(struct sup_ucmd *ucmd);
int sup_call_get_spec(struct sup_ucmd *ucmd);
int sup_call_which(struct sup_ucmd *ucmd);
int sup_call_count(struct sup_ucmd *ucmd);
int sup_call_suspend(struct sup_ucmd *ucmd);
int sup_call_resume(struct sup_ucmd *ucmd);
int sup_call_wait(struct sup_ucmd *ucmd);

/* event.c */
int sup_event_subscribe(struct sup_ucmd *ucmd);
void sup_event_unsubscribe_all(struct sup_supervisor *root);
void sup_event_child(struct sup_child *child, u32 event, s32 error);
void sup_event_exited(struct sup_child *child, const struct sup_exit *exit, enum sup_reason reason);
void sup_event_sub_exited(struct sup_child *child, enum sup_reason reason);
void sup_event_self(struct sup_supervisor *sup, u32 event);
bool sup_event_crash_wanted(struct sup_supervisor *sup);
void sup_event_crash(struct sup_child *child, const struct supervisor_msg_crash *crash);
size_t sup_path(struct sup_supervisor *sup, char *buf);

/* The longest path: ids and the slashes or NUL after each. */
#define SUP_PATH_MAX (SUPERVISOR_DEPTH_MAX * (SUP_NAME_MAX + 1))

/* ancestry.c */
struct sup_callers *sup_ask(struct sup_supervisor *sup, u32 *limit);
struct sup_callers *sup_ask_to_join(struct sup_supervisor *sup, u32 *limit);
size_t sup_ancestors_write(struct sup_supervisor *sup, void *buf, u32 *count);
int sup_lineage(struct sup_ucmd *ucmd);
int sup_lineage_of_child(struct sup_ucmd *ucmd);
void sup_trace_start(struct sup_child *child);
void sup_trace_exit(struct sup_child *child, const struct sup_exit *exit);

/* The most that sup_ancestors_write() writes of one supervisor: a name has a '/'. */
#define SUP_ANCESTOR_SIZE sup_lineage_entry_size(SUP_NAME_MAX + 1, 0)

/* crash.c */
void sup_crash(struct sup_child *child);

/* status.c */
int sup_status(struct sup_ucmd *ucmd);
int sup_status_list(struct sup_ucmd *ucmd);
size_t sup_status_children(struct sup_supervisor *sup, struct pid_namespace *ns, bool reverse,
			   void *buf, size_t len, u32 *count);
size_t sup_status_members(struct sup_supervisor *sup, struct pid_namespace *ns, u64 *cursor,
			  void *buf, size_t len, u32 *count);
void sup_status_count(struct sup_supervisor *sup, struct supervisor_count *count);
size_t sup_status_spec(struct sup_child *child, void *buf, size_t len);
size_t sup_status_template(struct sup_supervisor *sup, void *buf, size_t len);
void sup_status_show_fdinfo(struct seq_file *seq, struct file *file);

#endif
