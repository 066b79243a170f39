/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the selftests share: the ioctls as functions, children as small
 * programs with a spawner for them, and a tree's events as one line of words.
 *
 * _test_x() returns 0 or -errno, test_x() asserts. The includer of this header
 * includes kselftest_harness.h.
 */
#ifndef SELFTESTS_COMMON_H
#define SELFTESTS_COMMON_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/supervisor.h>

#define DEVICE "/dev/supervisor"

#ifndef __aligned
#define __aligned(bytes) __attribute__((__aligned__(bytes)))
#endif

/* Guests have emulated CPUs: patience with what must happen is cheap. */
#define PATIENCE_MS 60000
#define TEST_TIMEOUT_SECONDS 180

/* An ioctl's argument with its size, and a call's with no deadline. */
#define ARG(type, ...) \
	((struct type){ .size = sizeof(struct type), ##__VA_ARGS__ })
#define CALL(type, ...) \
	ARG(type, .deadline = SUPERVISOR_NO_DEADLINE, .mailbox_fd = -1, \
	    ##__VA_ARGS__)

/* OTP's defaults would be tight: the tests that count restarts say how many. */
#define CREATE(...) \
	ARG(supervisor_create, .intensity = 1000, .period = 5, \
	    .unkillable_ms = 5000, .mailbox_fd = -1, ##__VA_ARGS__)

/* Members of one that is dynamic; and whose children join, and are temporary. */
#define IS_DYNAMIC \
	.kind = SUPERVISOR_DYNAMIC, .max_children = SUPERVISOR_CHILDREN_INFINITY
#define TAKES_JOINERS \
	IS_DYNAMIC, .spawn = SUPERVISOR_SPAWN_SELF, .child_spec = (uintptr_t)&joiner

#define DYNAMIC(...) CREATE(IS_DYNAMIC, ##__VA_ARGS__)
#define SIMPLE(template_, ...) \
	CREATE(.kind = SUPERVISOR_SIMPLE, \
	       .max_children = SUPERVISOR_CHILDREN_INFINITY, \
	       .child_spec = (uintptr_t)(template_), ##__VA_ARGS__)
#define JOINED(...) CREATE(TAKES_JOINERS, ##__VA_ARGS__)

extern const struct supervisor_child_spec joiner;

/*
 * A permanent worker that has started when it attaches, and which is asked
 * before it is killed. The blob is the program: spawners fork, so they may
 * follow its pointers.
 */
#define CHILD(name_, program_, ...) \
	ARG(supervisor_child_spec, \
	    .readiness = SUPERVISOR_READINESS_ATTACH, \
	    .shutdown_ms = PATIENCE_MS, .supervisor_fd = -1, \
	    .id = (uintptr_t)(name_), .id_len = strlen(name_), \
	    .blob = (uintptr_t)(program_), .blob_len = sizeof(*(program_)), \
	    ##__VA_ARGS__)

/* A child that is the supervisor of that file. */
#define CHILD_SUPERVISOR(name_, fd_, ...) \
	ARG(supervisor_child_spec, .type = SUPERVISOR_CHILD_SUPERVISOR, \
	    .shutdown_ms = SUPERVISOR_SHUTDOWN_INFINITY, \
	    .supervisor_fd = (fd_), \
	    .id = (uintptr_t)(name_), .id_len = strlen(name_), ##__VA_ARGS__)

/* Members of a spec whose child is to be registered under a key. */
#define KEYED(registry_, key_) \
	.flags = SUPERVISOR_CHILD_F_REGISTER, .registry_fd = (registry_), \
	.register_key = (uintptr_t)(key_), .register_key_len = strlen(key_)
/* And with a value. */
#define KEYED_VALUE(registry_, key_, value_) \
	KEYED(registry_, key_), .register_value = (uintptr_t)(value_), \
	.register_value_len = strlen(value_)

/* A mailbox with what it shall have beside the defaults; a named one is 0600. */
#define MAILBOX(...) \
	ARG(supervisor_mailbox_create, ##__VA_ARGS__)
#define NAMED_MAILBOX(name_, ...) \
	MAILBOX(.name = (uintptr_t)(name_), .name_len = strlen(name_), \
		.mode = 0600, ##__VA_ARGS__)

/* The strings of records are where these say. */
static inline const char *text_at(const void *record, __u32 offset)
{
	return (const char *)record + offset;
}

struct spawner;

/* A START that a spawner has read. */
struct start {
	struct spawner *spawner;
	const struct program *program;
	__u64 token;
	__u64 child;
	__u32 incarnation;
	__u32 readiness;
	__u32 signal_whom;
	unsigned int attempt;	/* of this id, from 1, as this spawner counts */
	int pipe;		/* where the child says ATTACHED */
	const char *id;
	const char *path;
	bool is_supervisor;
};

#define PROGRAM_SILENT (1U << 0)	/* the spawner does not say STARTED */
#define PROGRAM_EXEC (1U << 1)		/* exec, then @action */
#define PROGRAM_BAD_EXEC (1U << 2)	/* exec what does not exist */
#define PROGRAM_NO_GROUP (1U << 3)	/* never lead a process group */

/* What a child does. All zero: attach and wait for signals. */
struct program {
	/* in the spawner, in place of forking */
	void (*spawn)(struct start *start);
	/* in the new process, in place of attaching */
	void (*attach)(struct start *start);
	/* in the child; it exits with 0 on return */
	void (*run)(long argument);
	long argument;
	/* after PROGRAM_EXEC: the name of an action, see common.c */
	const char *action;
	unsigned int flags;
};

#define PROGRAM(...) (&(const struct program){ __VA_ARGS__ })
#define WAITS PROGRAM(.run = NULL)
#define RUNS(function_, argument_) \
	PROGRAM(.run = (function_), .argument = (argument_))
#define EXECS(action_, argument_) \
	PROGRAM(.flags = PROGRAM_EXEC, .action = (action_), \
		.argument = (argument_))
#define SPAWNS(function_, argument_) \
	PROGRAM(.spawn = (function_), .argument = (argument_))
#define FAILS_AT(attempts_) SPAWNS(spawn_fail_at, attempts_)
#define IGNORES_AT(attempts_) SPAWNS(spawn_ignore_at, attempts_)

/* Bodies of children. */
void child_wait(long unused);
void child_exit(long status);
void child_exit_later(long milliseconds);
void child_exit_when_told(long status);
void child_raise(long signal);
void child_ignore(long signal);
void child_stop_self(long unused);
void child_fail(long error);
void child_say_ignore(long unused);
void child_say_shutdown(long status);
void child_say_ready(long unused);
void child_with_helper(long shared);

/* Becomes a child of PROGRAM_EXEC; returns if that fails. */
void child_exec(const char *action, long argument);

/* Attaching by hand, for .attach. */
void child_attached(struct start *start);

/* Spawning by other means, for .spawn. */
void spawn_fork(struct start *start);
void spawn_fail(struct start *start);
void spawn_ignore(struct start *start);
void spawn_ready(struct start *start);
/* The attempts whose bits are set; the others are forked. */
void spawn_fail_at(struct start *start);
void spawn_ignore_at(struct start *start);
void spawn_nothing(struct start *start);

struct spawner {
	int dev;
	int mailbox;
	int stop;
	pthread_t thread;
	bool running;
	unsigned int ids;
	struct {
		char id[32];
		unsigned int attempts;
	} seen[64];
};

int _test_spawner_start(struct spawner *spawner, int dev, int mailbox);
void spawner_stop(struct spawner *spawner);
/* A spawner that is a process of its own. */
pid_t spawner_process(int dev, int mailbox);
/* Handles one START of @mailbox, or fails with -EAGAIN. */
int _test_spawn_one(struct spawner *spawner, __u64 deadline);

/* A root supervisor with its spawner and a mailbox for its events. */
struct tree {
	int dev;
	int mailbox;
	int events;
	int sup;
	__u64 id;
	struct spawner spawner;
};

#define NO_TREE \
	((struct tree){ .dev = -1, .mailbox = -1, .events = -1, .sup = -1 })

int _test_tree_open(struct tree *tree, struct supervisor_create create);
/* Closes all of its files, which stops it, too, but later. */
void tree_abandon(struct tree *tree);
void tree_close(struct tree *tree);

__u64 now_ns(void);
__u64 after_ms(unsigned int milliseconds);
void sleep_ms(unsigned int milliseconds);
unsigned int rounds(unsigned int wanted);
bool slow_kernel(void);
/* Waits until @pid is dead, a zombie or gone; false if it lives on. */
bool is_dead_after(pid_t pid, unsigned int milliseconds);
/* Waits until a child is dead as wait4() sees it, and leaves it unreaped. */
bool is_waitable(pid_t pid);
bool is_alive(pid_t pid);
char process_state(pid_t pid);
bool process_becomes(pid_t pid, const char *states);
/* Ignores or catches it. */
bool process_ignores(pid_t pid, int number);
void reap_all(void);
int pidfd_of(pid_t pid);
/* That user, with no other groups. */
int become(uid_t uid, gid_t gid);
/* In a process of its own; 0, or what @function returned, or -ECHILD. */
int in_process(int (*function)(void *argument), void *argument);
/* Likewise, in the second process of a new pid namespace. */
int in_pid_namespace(int (*function)(void *argument), void *argument);
int write_file(const char *path, const char *text);
int read_file(const char *path, char *text, size_t size);
/* Zeroed, and shared with processes forked afterwards; NULL if there is none. */
void *shared_memory(size_t size);

int device_open(void);
int _test_ioctl(int fd, unsigned int command, void *argument);
int _test_info(int dev, struct supervisor_info *info);
int _test_mailbox_create(int dev, __u32 ring_bytes, int *mailbox);
int _test_create(int dev, struct supervisor_create *create, int *sup);
int _test_open(int dev, const char *name, __u32 access, int *sup);
int _test_unlink(int dev, const char *name);
int _test_open_child(int sup, const char *path, __u32 access, int *child);
int _test_attach(int dev, __u64 token);
int _test_report(int dev, __u64 token, __u32 report, int error);
int _test_recv(int mailbox, void *buf, __u32 len, __u32 max, __u64 deadline);
int _test_child_add(int sup, const struct supervisor_child_spec *spec,
		    struct supervisor_child_add *add);
int _test_join(int sup, __u32 flags, __u64 deadline,
	       struct supervisor_child_join *join);
int _test_start(int sup);
int _test_stop(int sup);
int _test_child_call(int sup, unsigned int command, const char *id,
		     struct supervisor_child_call *call);
/* Its answer is the message of ref @cookie. */
int _test_child_call_async(int sup, unsigned int command, const char *id,
			   int mailbox, __u64 cookie);
int _test_terminate(int sup, const char *id);
/* Of a dynamic supervisor's, by its number. */
int _test_terminate_member(int sup, __u64 child);
int _test_restart(int sup, const char *id);
int _test_delete(int sup, const char *id);
int _test_suspend(int sup, __u32 flags);
int _test_resume(int sup, __u32 flags);
int _test_wait(int sup, __u32 what);
int _test_subscribe(int sup, int mailbox);
int _test_status(int sup, struct supervisor_status *status);
int _test_child_status(int sup, const char *id,
		       struct supervisor_child_status *status);
int _test_count(int sup, struct supervisor_count *count);
int _test_own(int sup);
/* The mailbox that comes with it, or -1. */
int _test_adopt(int sup, int *mailbox);
/*
 * A named root without children which is held, for its owner, a child of the calling
 * process, is dead. @sup is a file of it.
 */
int _test_held(int dev, const char *name, __u32 mode, __u32 hold_ms, int *sup);
pid_t child_pid(int sup, const char *id);
int child_state(int sup, const char *id);
/* "c running, b undefined, a running", as which_children tells it. */
int _test_which(int sup, char *text, size_t size);

/* Monitors, aliases and links; found or not, or -errno. */
int _test_monitor_of(int mailbox, pid_t pid, int fd, __u32 alias, __u64 *ref);
int _test_monitor(int mailbox, pid_t pid, __u64 *ref);
int _test_demonitor(int mailbox, __u64 ref, __u32 flags);
int _test_alias(int mailbox, __u32 alias, __u64 *ref);
int _test_unalias(int mailbox, __u64 ref);
int _test_alias_send(int dev, __u64 alias, const char *text, __u64 deadline);
int _test_link(int dev, pid_t pid, int number, __u64 *ref);
int _test_process_unlink(int dev, pid_t pid);
int _test_link_pidfd(int dev, pid_t pid, int pidfd, __u64 *ref);
int _test_unlink_pidfd(int dev, pid_t pid, int pidfd);
int _test_trap_exit(int dev, int mailbox);
/* The next message, which is as long as a DOWN: its type, or -errno. */
int _test_recv_down(int mailbox, struct supervisor_msg_down *down, __u64 deadline);

/* That one comes next, within patience: the value. */
#define test_takes_down(mailbox_, type_, ref_, reason_) \
	({ \
		struct supervisor_msg_down down_; \
		ASSERT_EQ((type_), _test_recv_down((mailbox_), &down_, \
						   after_ms(PATIENCE_MS))); \
		ASSERT_EQ((ref_), down_.head.ref); \
		ASSERT_EQ((reason_), down_.reason); \
		down_; \
	})

#define test_no_down(mailbox_) \
	do { \
		struct supervisor_msg_down down_; \
		ASSERT_EQ(-EAGAIN, _test_recv_down((mailbox_), &down_, 0)); \
	} while (0)

#define test_refs_used(dev_, refs_) \
	do { \
		struct supervisor_info info_; \
		test_info((dev_), &info_); \
		ASSERT_EQ((refs_), info_.out_used[SUPERVISOR_LIMIT_REFS]); \
	} while (0)

/* A process that does what it is told. */
struct actor {
	pid_t pid;
	int socket;
};

enum order {
	ORDER_LINK,	/* pid, signal: 0 and 1 as _test_link() */
	ORDER_UNLINK,	/* pid */
	ORDER_TRAP,	/* mailbox */
	ORDER_TRAP_OWN,	/* a mailbox of its own */
	ORDER_OWN,	/* mailbox, which is its own now */
	ORDER_CLOSE_OWN, /* which it closes */
	/* registry, "key=value" */
	ORDER_REGISTER,
	ORDER_UNREGISTER, /* only "key": all values */
	ORDER_UPDATE,
	ORDER_LOCK,	/* registry, "key": without waiting */
	ORDER_LOCK_WAIT,
	ORDER_UNLOCK,
	ORDER_EXIT,	/* status: not answered */
	ORDER_THREAD,	/* run on in a thread, without a leader */
	ORDER_EXEC,	/* execute /proc/self/exe in a thread: not answered */
};

/* Nothing of text is copied: what it is must have been there before the fork. */
int _test_actor(int dev, struct actor *actor);
int _test_order(struct actor *actor, enum order order, long first, long second);
int _test_actor_kill(struct actor *actor, int number);
void actor_end(struct actor *actor);

#define test_monitor(...) ASSERT_EQ(0, _test_monitor(__VA_ARGS__))
#define test_monitor_of(...) ASSERT_EQ(0, _test_monitor_of(__VA_ARGS__))
#define test_alias(...) ASSERT_EQ(0, _test_alias(__VA_ARGS__))
#define test_actor(...) ASSERT_EQ(0, _test_actor(__VA_ARGS__))

/* A process that joins and then waits: it is told what, by a pipe. */
struct joined {
	pid_t pid;
	int err;
	struct supervisor_child_join join;
};

int _test_fork_join(int sup, __u64 deadline, struct joined *joined);

/* What must be an event; waits for it, and forgets those before it. */
struct event {
	struct supervisor_msg_event event;
	char id[SUPERVISOR_NAME_MAX + 1];
	char path[1024];
};

int _test_next(int mailbox, struct event *event, __u64 deadline);
int _test_event(int mailbox, __u32 what, const char *id, struct event *event);
/* As many events as @expected has, or those which came, as text. */
int _test_trace(int mailbox, const char *expected, char *seen, size_t size);

/* ---- lineage ---- */

/* A child's, or that of a crash report, in @buf: the entries' addresses. */
struct lineage {
	struct supervisor_lineage told;
	struct supervisor_msg_crash crash;
	char id[SUPERVISOR_NAME_MAX + 1];
	char path[1024];
	const struct supervisor_lineage_entry *ancestor[SUPERVISOR_DEPTH_MAX];
	const struct supervisor_lineage_entry *caller[SUPERVISOR_CALLERS_MAX];
	char buf[81920] __aligned(8);
};

/* -EPROTO when its entries do not fit together. @pid 0: the caller's own. */
int _test_lineage(int dev, pid_t pid, int pidfd, struct lineage *lineage);
int _test_child_lineage(int sup, const char *id, struct lineage *lineage);
/* Of a dynamic supervisor's, by its number. */
int _test_member_lineage(int sup, __u64 child, struct lineage *lineage);
/* The next crash report in @mailbox, past what else is there. */
int _test_crash(int mailbox, struct lineage *lineage, __u64 deadline);
/* "pool < /web; worker(2) < -": ancestors; callers with their run, "-" for nobody's. */
const char *lineage_text(const struct lineage *lineage);

#define test_lineage(...) ASSERT_EQ(0, _test_lineage(__VA_ARGS__))
#define test_child_lineage(...) ASSERT_EQ(0, _test_child_lineage(__VA_ARGS__))
#define test_member_lineage(...) ASSERT_EQ(0, _test_member_lineage(__VA_ARGS__))

/* ---- registries ---- */

#define REGISTRY(keys_, ...) \
	ARG(supervisor_registry_create, .keys = SUPERVISOR_KEYS_##keys_, \
	    ##__VA_ARGS__)
#define NAMED_REGISTRY(name_, keys_, ...) \
	REGISTRY(keys_, .name = (uintptr_t)(name_), .name_len = strlen(name_), \
		 .mode = 0600, ##__VA_ARGS__)

/* What is selected: SELECT(KEY, "web"), SELECT(PID | SUPERVISOR_SELECT_F_KEY...). */
#define SELECT(flags_, key_, ...) \
	ARG(supervisor_select, .flags = (flags_), .key_len = strlen(key_), \
	    .key = strlen(key_) ? (uintptr_t)(key_) : 0, ##__VA_ARGS__)

int _test_registry(int dev, struct supervisor_registry_create create, int *registry);
int _test_open_registry(int dev, const char *name, __u32 access, int *registry);
/* Nobody keeps the registry of that name any more. */
bool registry_is_gone(int dev, const char *name);
/* Keys and values are text, "key=value" or "key"; mailbox -1 for none. */
int _test_register(int registry, const char *text, int mailbox,
		   struct supervisor_register *result);
/* How many, or -errno. */
int _test_unregister(int registry, const char *text);
int _test_update(int registry, const char *text, const char *old);
/* The process, or -errno; the value as text. */
int _test_lookup(int registry, const char *key, char *value, size_t size);
/* "a=1 b=2", from first to last, however often it takes. */
int _test_select(int registry, struct supervisor_select select, char *text,
		 size_t size);
long _test_count_entries(int registry, struct supervisor_select select);
int _test_listen(int registry, int mailbox, __u32 flags);
int _test_unlisten(int registry, int mailbox);
/*
 * What a listener hears next: "register a=1", "unregister a", "died a", "gap"; of
 * @pid, unless that is 0.
 */
int _test_change(int mailbox, pid_t pid, char *text, size_t size);
/* "delivered full gone" as a number: 321 is three delivered, two full, one gone. */
int _test_publish(int registry, const char *key, const void *payload, __u32 len,
		  __u64 deadline);
int _test_key_send(int registry, const char *key, pid_t pid, const char *text);
int _test_key_signal(int registry, const char *key, pid_t pid, int number);
int _test_lock(int registry, const char *key, __u64 deadline);
int _test_unlock(int registry, const char *key);
int _test_registry_status(int registry, struct supervisor_registry_status *status);
/* Its mapping, for test_unmap(). */
int _test_map(int registry, const struct supervisor_map **map);
void test_unmap(const struct supervisor_map *map);

#define test_registry(...) ASSERT_EQ(0, _test_registry(__VA_ARGS__))
#define test_map(...) ASSERT_EQ(0, _test_map(__VA_ARGS__))
#define test_open_registry(...) ASSERT_EQ(0, _test_open_registry(__VA_ARGS__))
#define test_register(registry_, text_) \
	ASSERT_EQ(0, _test_register((registry_), (text_), -1, NULL))
#define test_select(registry_, expected_, ...) \
	do { \
		char selected_[4096]; \
		ASSERT_EQ(0, _test_select((registry_), SELECT(__VA_ARGS__), \
					  selected_, sizeof(selected_))); \
		ASSERT_STREQ((expected_), selected_); \
	} while (0)

/* ---- messages ---- */

/* One that was taken; @payload and @path point into @buf. */
struct message {
	struct supervisor_msg *head;
	int error;		/* of a REPLY */
	__u32 len;
	const char *payload;	/* of CAST, CALL and REPLY */
	const char *path;	/* NULL for none */
	char buf[SUPERVISOR_PAYLOAD_MAX + 8192] __aligned(8);
};

int _test_mailbox(int dev, struct supervisor_mailbox_create create,
		  int *mailbox);
int _test_open_mailbox(int dev, const char *name, __u32 access, int *mailbox);
int _test_send(int mailbox, const void *payload, __u32 len, __u64 deadline);
/* Takes one; -EPROTO if its members do not fit together. */
int _test_take(int mailbox, struct message *message, __u64 deadline);
int _test_take_ref(int mailbox, __u64 ref, struct message *message,
		   __u64 deadline);
int _test_reply(int mailbox, __u64 from, const void *reply, __u32 len);
int _test_call_start(int mailbox, const void *request, __u32 len, int replies,
		     __u64 *ref);
/* Whether it was active, or -errno. */
int _test_call_cancel(int mailbox, __u64 ref, __u32 flags);
int _test_mailbox_own(int mailbox);
int _test_mailbox_status(int mailbox, struct supervisor_mailbox_status *status);
bool poll_says(int fd, short events, int milliseconds);

/* What the macros below took last. */
extern struct message test_taken;

/* A process that owns @mailbox, has no files, and waits to be killed. */
pid_t owner_start(int mailbox);
void process_kill(pid_t pid);

/*
 * A call in a thread of its own. The reply is text. Interrupted, it goes on
 * unless @once.
 */
struct client {
	int mailbox;
	bool once;
	pthread_t thread;
	bool running;
	volatile int err;
	volatile pid_t tid;
	unsigned int interrupted;
	struct supervisor_mailbox_call call;
	char reply[128];
};

int _test_client_start(struct client *client, int mailbox, const char *request,
		       __u64 deadline);
/* Waits for its end; the call's -errno, or 0 and the text in @reply. */
int client_end(struct client *client);

#define test_mailbox(...) ASSERT_EQ(0, _test_mailbox(__VA_ARGS__))
#define test_open_mailbox(...) ASSERT_EQ(0, _test_open_mailbox(__VA_ARGS__))
#define test_mailbox_own(...) ASSERT_EQ(0, _test_mailbox_own(__VA_ARGS__))
#define test_mailbox_status(...) ASSERT_EQ(0, _test_mailbox_status(__VA_ARGS__))
#define test_call_start(...) ASSERT_EQ(0, _test_call_start(__VA_ARGS__))
#define test_client_start(...) ASSERT_EQ(0, _test_client_start(__VA_ARGS__))

#define test_send(mailbox_, text_) \
	ASSERT_EQ(0, _test_send((mailbox_), (text_), strlen(text_), \
				after_ms(PATIENCE_MS)))

#define test_new_owner(mailbox_) \
	({ \
		pid_t owner_ = owner_start(mailbox_); \
		ASSERT_LT(0, owner_); \
		owner_; \
	})

/* That message comes next, within patience. */
#define test_takes(mailbox_, message_, type_, text_) \
	do { \
		ASSERT_EQ(0, _test_take((mailbox_), (message_), \
					after_ms(PATIENCE_MS))); \
		ASSERT_EQ((type_), (message_)->head->type); \
		ASSERT_EQ(strlen(text_), (message_)->len); \
		ASSERT_EQ(0, memcmp((text_), (message_)->payload, \
				    (message_)->len)); \
	} while (0)

/* A cast or a call, whose @ref is the value. */
#define test_takes_cast(mailbox_, text_) \
	do { \
		test_takes((mailbox_), &test_taken, SUPERVISOR_MSG_CAST, (text_)); \
	} while (0)
#define test_takes_call(mailbox_, text_) \
	({ \
		test_takes((mailbox_), &test_taken, SUPERVISOR_MSG_CALL, (text_)); \
		test_taken.head->ref; \
	})

/* The end of a call that was started. */
#define test_takes_reply(mailbox_, ref_, error_, text_) \
	do { \
		test_takes((mailbox_), &test_taken, SUPERVISOR_MSG_REPLY, (text_)); \
		ASSERT_EQ((ref_), test_taken.head->ref); \
		ASSERT_EQ((error_), test_taken.error); \
	} while (0)

#define test_empty(mailbox_) \
	do { \
		ASSERT_EQ(-EAGAIN, _test_take((mailbox_), &test_taken, 0)); \
	} while (0)

#define test_reply(mailbox_, from_, text_) \
	ASSERT_EQ(0, _test_reply((mailbox_), (from_), (text_), strlen(text_)))
#define test_no_reply(errno_, mailbox_, from_) \
	ASSERT_EQ(-(errno_), _test_reply((mailbox_), (from_), "no", 2))

#define test_client_gets(client_, text_) \
	do { \
		ASSERT_EQ(0, client_end(client_)); \
		ASSERT_STREQ((text_), (client_)->reply); \
	} while (0)

/* That many wait in it, of which calls that were taken are none. */
#define test_waiting(mailbox_, messages_) \
	do { \
		struct supervisor_mailbox_status waiting_; \
		test_mailbox_status((mailbox_), &waiting_); \
		ASSERT_EQ((messages_), waiting_.out_messages); \
	} while (0)
#define messages_are(mailbox_, messages_) \
	({ \
		struct supervisor_mailbox_status are_; \
		!_test_mailbox_status((mailbox_), &are_) && \
		are_.out_messages == (messages_); \
	})

/* What the user has is as it was. */
const char *used_otherwise(int dev, const struct supervisor_info *before);
#define used_is(dev_, before_) (!*used_otherwise((dev_), (before_)))
#define test_used_again(dev_, before_) \
	ASSERT_TRUE(eventually(used_is((dev_), (before_)))) \
		TH_LOG("used:%s", used_otherwise((dev_), (before_)))

#define test_ioctl(...) ASSERT_EQ(0, _test_ioctl(__VA_ARGS__))
#define test_info(...) ASSERT_EQ(0, _test_info(__VA_ARGS__))
#define test_mailbox_create(...) ASSERT_EQ(0, _test_mailbox_create(__VA_ARGS__))
#define test_create(...) ASSERT_EQ(0, _test_create(__VA_ARGS__))
#define test_open(...) ASSERT_EQ(0, _test_open(__VA_ARGS__))
#define test_open_child(...) ASSERT_EQ(0, _test_open_child(__VA_ARGS__))
#define test_start(...) ASSERT_EQ(0, _test_start(__VA_ARGS__))
#define test_stop(...) ASSERT_EQ(0, _test_stop(__VA_ARGS__))
#define test_suspend(...) ASSERT_EQ(0, _test_suspend(__VA_ARGS__))
#define test_resume(...) ASSERT_EQ(0, _test_resume(__VA_ARGS__))
#define test_wait(...) ASSERT_EQ(0, _test_wait(__VA_ARGS__))
#define test_subscribe(...) ASSERT_EQ(0, _test_subscribe(__VA_ARGS__))
#define test_status(...) ASSERT_EQ(0, _test_status(__VA_ARGS__))
#define test_child_status(...) ASSERT_EQ(0, _test_child_status(__VA_ARGS__))
#define test_count(...) ASSERT_EQ(0, _test_count(__VA_ARGS__))
#define test_event(...) ASSERT_EQ(0, _test_event(__VA_ARGS__))
#define test_tree_open(...) ASSERT_EQ(0, _test_tree_open(__VA_ARGS__))
#define test_spawner_start(...) ASSERT_EQ(0, _test_spawner_start(__VA_ARGS__))

#define test_child_call_async(...) \
	ASSERT_EQ(0, _test_child_call_async(__VA_ARGS__))
#define test_child(sup_, ...) \
	ASSERT_EQ(0, _test_child_add((sup_), &CHILD(__VA_ARGS__), NULL))
#define test_supervisor_child(sup_, ...) \
	ASSERT_EQ(0, _test_child_add((sup_), &CHILD_SUPERVISOR(__VA_ARGS__), \
				     NULL))

#define test_trace(mailbox_, expected_) \
	do { \
		char seen_[4096]; \
		_test_trace((mailbox_), (expected_), seen_, sizeof(seen_)); \
		ASSERT_STREQ((expected_), seen_); \
	} while (0)

#define test_which(sup_, expected_) \
	do { \
		char seen_[4096]; \
		ASSERT_EQ(0, _test_which((sup_), seen_, sizeof(seen_))); \
		ASSERT_STREQ((expected_), seen_); \
	} while (0)

/* Both ways in which a call tells its result. */
#define test_result(sup_, command_, id_, errno_, result_) \
	do { \
		struct supervisor_child_call call_ = \
			CALL(supervisor_child_call, .out_result = ~0U); \
		ASSERT_EQ(-(errno_), _test_child_call((sup_), (command_), \
						      (id_), &call_)); \
		ASSERT_EQ((result_), call_.out_result); \
	} while (0)

/* That child has got so far as to ignore it. */
#define test_ignores(sup_, id_, number_) \
	ASSERT_TRUE(eventually(process_ignores(child_pid((sup_), (id_)), \
					       (number_))))

/* Tells a child_exit_when_told(). */
#define test_tell(sup_, id_) \
	do { \
		test_ignores((sup_), (id_), SIGUSR1); \
		ASSERT_EQ(0, kill(child_pid((sup_), (id_)), SIGUSR1)); \
	} while (0)

/* Retries @condition until it holds. */
#define eventually(condition_) \
	({ \
		__u64 until_ = after_ms(PATIENCE_MS); \
		bool holds_; \
		while (!(holds_ = (condition_)) && now_ns() < until_) \
			sleep_ms(5); \
		holds_; \
	})

#endif /* SELFTESTS_COMMON_H */
