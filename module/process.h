/* SPDX-License-Identifier: GPL-2.0 */
/*
 * process - one tracked process: its identity, the exit hook, how it ended, and
 * what is told when it does.
 */
#ifndef SUP_PROCESS_H
#define SUP_PROCESS_H

#include <linux/list.h>
#include <linux/llist.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct pid_namespace;
struct sup_callers;
struct sup_object;
struct sup_process;
struct sup_trap;
struct sup_ucmd;

/**
 * struct sup_identity - which child of which supervisor a process is
 * @supervisor: the supervisor's id
 * @child: the child's id
 * @incarnation: its run
 * @dynamic: a path calls it by @child, not by its id
 */
struct sup_identity {
	u64 supervisor;
	u64 child;
	u32 incarnation;
	bool dynamic;
};

/**
 * struct sup_who - a process, of all that there ever are
 * @pid: its identity, referenced; NULL for nobody
 * @start_ns: CLOCK_BOOTTIME ns: when it was made; with its number it is the name of this
 *	process alone
 */
struct sup_who {
	struct pid *pid;
	u64 start_ns;
};

/**
 * struct sup_exit - how a process ended
 * @seq: the death's number: rises system-wide in the order of deaths
 * @time_ns: CLOCK_MONOTONIC
 * @utime_ns: user time accounted at the notice
 * @stime_ns: system time accounted at the notice
 * @maxrss_kb: as wait4 gives it
 * @status: the raw wait status
 * @reason: SUPERVISOR_EXIT_*
 * @exec_id: the leader's self_exec_id, to tell whether it has execed
 */
struct sup_exit {
	u64 seq;
	u64 time_ns;
	u64 utime_ns;
	u64 stime_ns;
	u64 maxrss_kb;
	int status;
	u32 reason;
	u64 exec_id;
};

/**
 * struct sup_watch - somebody who is told of a process's death
 * @node: P: in sup_process.watches; empty when told or removed
 * @process: const while set: referenced
 * @notify: called once, in the hook: under sup_process.lock, tasklist_lock and
 *	with interrupts off. May take inbox locks, queue work and write words that
 *	are shown to user space, nothing else
 *
 * Lifetime: embedded in its user; lives until sup_unwatch() returned.
 */
struct sup_watch {
	struct list_head node;
	struct sup_process *process;
	void (*notify)(struct sup_watch *watch);
};

struct sup_follower;

/**
 * struct sup_follower_ops - what is told to a follower
 * @get: P: it is about to be told: keep it alive; false when it is going anyway
 * @died: the process is dead; the counterpart of @get. Called once, by a work
 *	item, in the order of deaths. May sleep
 */
struct sup_follower_ops {
	bool (*get)(struct sup_follower *follower);
	void (*died)(struct sup_follower *follower, const struct sup_exit *exit,
		     const struct sup_identity *identity);
};

/**
 * struct sup_follower - somebody who is told of a process's death by a work item
 * @node: P: in sup_process.followers; empty when told or removed
 * @process: const while set: referenced
 * @ops: const
 *
 * A watch is told in the hook, in no time; of these a process may have any
 * number, and they may do what they like.
 *
 * Lifetime: embedded in its user, which has a count of references of its own, and
 *	is freed after sup_unfollow().
 */
struct sup_follower {
	struct list_head node;
	struct sup_process *process;
	const struct sup_follower_ops *ops;
};

/**
 * struct sup_origin - what a supervised process's messages, and the lineage of whom
 *	it asks for, say of it
 * @refs: references: its process's, one for each message, and one for each caller
 *	that it is (lineage.h)
 * @path_len: const: bytes of @path without its NUL
 * @id_len: const: bytes of its id, which follows @path's NUL; a NUL follows it
 * @identity: const
 * @path: const: of its supervisor, as sup_path() has it
 *
 * Lifetime: from the first time that the process says or asks something until it is
 *	forgotten, and with it all that it said and asked for.
 */
struct sup_origin {
	refcount_t refs;
	u32 path_len;
	u32 id_len;
	struct sup_identity identity;
	char path[];
};

/**
 * struct sup_claim_ops - what is asked of the watch that speaks for a child
 * @get: P: keep it
 * @put: the counterpart. May sleep
 * @identity: P, or kept: which child it is. Takes no lock
 * @path: kept: its supervisor's path, at most %PATH_MAX bytes with the NUL, to
 *	@buf; returns the bytes without it. May sleep
 * @id: kept: the child's id, at most %SUPERVISOR_NAME_MAX bytes, to @buf without a
 *	NUL; returns the bytes
 * @callers: kept: who asked for it; a reference, or NULL. May sleep
 * @keep: kept: let an object, with a file counted, live until the child's spec is
 *	deleted; 0 or an error. May sleep
 */
struct sup_claim_ops {
	void (*get)(struct sup_watch *watch);
	void (*put)(struct sup_watch *watch);
	void (*identity)(struct sup_watch *watch, struct sup_identity *identity);
	size_t (*path)(struct sup_watch *watch, char *buf);
	size_t (*id)(struct sup_watch *watch, char *buf);
	struct sup_callers *(*callers)(struct sup_watch *watch);
	int (*keep)(struct sup_watch *watch, struct sup_object *object);
};

/**
 * struct sup_process_more - what only some tracked processes have
 * @process: const: whose it is
 * @followers: P: struct sup_follower
 * @dead_node: in the list of the dead whose followers are to be told; the list
 *	has a reference to @process
 * @identity: P: which child it was when it died; all 0 when it was nobody's
 * @trap: L: where it hears of its links, if it traps exits (link.c)
 * @origin: P: see there; NULL while nothing was asked for it
 *
 * Lifetime: of @process, once it is there.
 */
struct sup_process_more {
	struct sup_process *process;
	struct list_head followers;
	struct llist_node dead_node;
	struct sup_identity identity;
	struct sup_trap *trap;
	struct sup_origin *origin;
};

/**
 * struct sup_process - a tracked process
 * @node: in the table of processes, while @refs is not 0
 * @refs: references: each watch has one
 * @pid: const: the process's identity, referenced
 * @lock: P
 * @dead: P: recorded; @exit is valid and constant
 * @wait: the exit hook, on @pid->wait_pidfd
 * @watches: P: struct sup_watch
 * @stop_signal: P: its supervisor has sent it this signal, or is about to
 * @link_signal: P: a link has sent it this signal, or is about to
 * @link_reason: P: the reason that comes with @link_signal
 * @says_shutdown: P: it has declared that its exit is a shutdown
 * @child: P: the watch of the supervised child that it is, or NULL
 * @more: P: what not all have; NULL until it is wanted
 * @exit: P: how it ended
 * @rcu: frees it
 *
 * Lifetime: from the first reference to the last; freed after a grace period.
 * Locking: @lock, which is irqsave and innermost but for inbox locks.
 * Context: sup_process_get() and sup_process_get_current() sleep; the rest does
 *	not.
 */
struct sup_process {
	struct hlist_node node;
	refcount_t refs;
	bool dead;
	bool says_shutdown;
	u8 stop_signal;
	u8 link_signal;
	u8 link_reason;
	spinlock_t lock;
	struct pid *pid;
	wait_queue_entry_t wait;
	struct list_head watches;
	struct sup_watch *child;
	struct sup_process_more *more;
	union {
		struct sup_exit exit;
		struct rcu_head rcu;
	};
};

int sup_process_init(void);
void sup_process_exit(void);

void sup_watch_init(struct sup_watch *watch, void (*notify)(struct sup_watch *watch));
void sup_watch_add(struct sup_watch *watch, struct sup_process *process);
bool sup_unwatch(struct sup_watch *watch);

void sup_follower_init(struct sup_follower *follower, const struct sup_follower_ops *ops);
bool sup_follow(struct sup_follower *follower, struct sup_process *process);
void sup_unfollow(struct sup_follower *follower);
void sup_followers_flush(void);
bool sup_process_alive(const struct sup_process *process, struct pid *pid);
bool sup_pid_alive(struct pid *pid);

int sup_pid_find(s32 nr, s32 pidfd, struct pid **pid);
struct sup_process *sup_process_get(struct pid *pid);
struct sup_process *sup_process_get_more(struct pid *pid);
struct sup_process *sup_process_get_current(void);
void sup_process_put(struct sup_process *process);
bool sup_process_claim(struct sup_process *process, struct sup_watch *watch);
void sup_claim_register(const struct sup_claim_ops *ops);
struct sup_watch *sup_current_claim(void);
struct sup_watch *sup_pid_claim(struct pid *pid);
bool sup_pid_alive(struct pid *pid);
int sup_current_keep(struct sup_object *object);
struct sup_callers *sup_pid_callers(struct pid *pid);

int sup_current_origin(struct sup_origin **origin);
int sup_pid_origin(struct pid *pid, struct sup_origin **origin);
struct sup_origin *sup_origin_get(struct sup_origin *origin);
void sup_origin_put(struct sup_origin *origin);

u32 sup_process_reason(struct sup_process *process);
void sup_process_stop_sent(struct sup_process *process, int sig);
void sup_process_say_shutdown(struct sup_process *process);
int sup_process_link_signal(struct sup_process *process, const struct pid_namespace *from,
			    int sig, u32 reason);

bool sup_namespace_within(const struct pid_namespace *ns, const struct pid_namespace *above);
bool sup_signal_ok(const struct pid_namespace *from, struct pid *pid);
int sup_signal(const struct pid_namespace *from, struct pid *pid, int sig);

u64 sup_current_exec_id(void);
void sup_current_self(struct sup_who *who);
void sup_current_parent(struct sup_who *who);
bool sup_process_execed(struct sup_process *process, u64 exec_id);
bool sup_current_is(const struct sup_process *process);
bool sup_current_is_exiting(const struct sup_process *process);
bool sup_current_is_child_of(const struct sup_process *process);
bool sup_current_leads_group(void);
void sup_current_reset_signals(void);
int sup_process_reset_signals(struct sup_ucmd *ucmd);

#endif
