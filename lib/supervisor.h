/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * supervisor.h - libsupervisor: OTP's supervisors for Linux processes.
 *
 * Owns the library's whole interface. What the kernel does, and every constant
 * and record that it defines, is in <linux/supervisor.h>, which this includes:
 * SUPERVISOR_X_Y there is sup_x_y() here.
 *
 * The rules, the same for every function:
 *
 * - Handles are file descriptors, made O_CLOEXEC: poll, pass and close them
 *   like any other.
 * - A function returns >= 0, or -errno; it leaves errno alone. What an errno
 *   means is in <linux/supervisor.h>; the lists here name what is special.
 * - Each call is one ioctl, except where a buffer has to grow. A call to a
 *   supervisor is not repeated after EINTR: what was under way takes its course.
 *   A wait (sup_wait_*, sup_mailbox_recv) may be repeated as it stands, for
 *   deadlines are absolute. Casts and calls to a mailbox go on by themselves.
 * - Deadlines are nanoseconds of CLOCK_MONOTONIC: sup_deadline_in(),
 *   SUPERVISOR_NO_DEADLINE, or 0 not to wait.
 * - No thread, signal handler, global state or printing. Everything on an fd is
 *   thread-safe, and async-signal-safe unless it returns memory; a malloc'd
 *   object is for one thread at a time.
 * - A struct of ours begins with sz, its size when the caller was built, as the
 *   kernel's begin with size. SUP_OPTS() sets it, and the defaults.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <stddef.h>
#include <stdint.h>
#include <linux/supervisor.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SUP_API __attribute__((visibility("default")))

#define SUP_VERSION_MAJOR 0
#define SUP_VERSION_MINOR 1

/* Room for a child's id and its NUL. */
#define SUP_ID_SIZE (SUPERVISOR_NAME_MAX + 1)

/*
 * Room for any START message, and for any crash report: what a buffer for a
 * control mailbox needs. Event and gap messages are smaller; answers are as
 * large as was asked for.
 */
#define SUP_START_SIZE 81920

/*
 * SUP_OPTS(struct tag, name, .member = value, ...): declares a struct with its
 * defaults, but for the members given. C only; in C++ write
 * "struct sup_create_opts o = { SUP_DEFAULTS_sup_create_opts };" and assign.
 */
#ifndef __cplusplus
#define SUP_OPTS(tag, name, ...)				\
	_Pragma("GCC diagnostic push")				\
	_Pragma("GCC diagnostic ignored \"-Woverride-init\"")	\
	struct tag name = { SUP_DEFAULTS_##tag, __VA_ARGS__ };	\
	_Pragma("GCC diagnostic pop")				\
	_Static_assert(1, "wants a semicolon")
#endif

/* ---- time ------------------------------------------------------------- */

/* The deadline @ms milliseconds from now. Async-signal-safe. */
SUP_API uint64_t sup_deadline_in(uint64_t ms);

/* ---- what a call says beside its errno -------------------------------- */

/**
 * struct sup_result - details of an answer; members that do not apply are 0
 * @sz: sizeof(struct sup_result)
 * @result: SUPERVISOR_RESULT_*: OTP's answer
 * @error: with ECHILD, the errno with which the start failed
 * @invalid: with EINVAL, SUPERVISOR_INVALID_*: the first bad member, or 0
 * @limit: with EDQUOT or ENOSPC, and where a mailbox is full, SUPERVISOR_LIMIT_*:
 *	the limit that was met
 * @pid: the child's process; of the present one with already_started; whom a key
 *	of a registry names, or who has it, also where a start failed for that
 * @created: of a registry: 1 if it was made, 0 if it was there
 * @id: id of what was created or opened; the number of an entry
 * @max: with EMSGSIZE of a payload, a key or a value, the bytes that one may have
 *
 * Optional wherever it is an argument, and written on error too.
 */
struct sup_result {
	size_t sz;
	uint32_t result;
	int32_t error;
	uint32_t invalid;
	uint32_t limit;
	int32_t pid;
	uint32_t created;
	uint64_t id;
	uint64_t max;
};
#define SUP_DEFAULTS_sup_result sizeof(struct sup_result), 0, 0, 0, 0, 0, 0, \
	0, 0

/* ---- the device ------------------------------------------------------- */

/*
 * Opens /dev/supervisor. The file is only a way in: it holds nothing, and one
 * serves a whole process. Errors: ENOENT, ENXIO or ENODEV (the module is not
 * loaded), EACCES, EMFILE, ENFILE, EINTR.
 */
SUP_API int sup_device_open(void);

/*
 * Reads ABI, version, limits and their use. Set info->size before. Errors:
 * EINVAL, E2BIG.
 */
SUP_API int sup_info(int device, struct supervisor_info *info);

/* ---- supervisors ------------------------------------------------------ */

struct sup_child_opts;

/**
 * struct sup_create_opts - a new supervisor; the defaults are Elixir's
 * @sz: sizeof(struct sup_create_opts)
 * @name: "/name" to list and open it by, or NULL
 * @strategy: SUPERVISOR_ONE_FOR_ONE (default) and so on
 * @auto_shutdown: SUPERVISOR_AUTO_SHUTDOWN_NEVER (default) and so on
 * @intensity: restarts allowed within @period (3)
 * @period: seconds (5)
 * @owner_death: SUPERVISOR_OWNER_DEATH_SHUTDOWN (default), _RELEASE or _HOLD
 * @mode: permission bits of a named one (0600)
 * @unkillable_ms: how long a stop waits for a child it may not signal (5000)
 * @spawner_timeout_ms: how long a START may stay unread (0: for ever)
 * @kind: SUPERVISOR_ORDERED (default), or what makes it a dynamic one, to which alone
 *	those up to @child_id apply: see sup_dynamic_start()
 * @spawn: SUPERVISOR_SPAWN_SPAWNER (default) or _SELF: see sup_dynamic_join()
 * @max_children: how many it may have (SUPERVISOR_CHILDREN_INFINITY)
 * @child: the template: what its children are like that have no spec of their own;
 *	NULL (default): none. With SUPERVISOR_SIMPLE or _SPAWN_SELF there must be one
 * @child_id: the template's id: a word for all its children
 * @hold_ms: with _HOLD: how long it waits for sup_adopt(); otherwise 0
 * @reserved: 0
 * @log_crashes: 1: its children's crashes are lines in the kernel's log, too; of
 *	one that is not dynamic
 */
struct sup_create_opts {
	size_t sz;
	const char *name;
	uint32_t strategy;
	uint32_t auto_shutdown;
	int64_t intensity;
	int64_t period;
	uint32_t owner_death;
	uint32_t mode;
	uint32_t unkillable_ms;
	uint32_t spawner_timeout_ms;
	uint32_t kind;
	uint32_t spawn;
	int64_t max_children;
	const struct sup_child_opts *child;
	const char *child_id;
	uint32_t hold_ms;
	uint32_t reserved;
	uint64_t log_crashes;
};
#define SUP_DEFAULTS_sup_create_opts sizeof(struct sup_create_opts), NULL, \
	SUPERVISOR_ONE_FOR_ONE, SUPERVISOR_AUTO_SHUTDOWN_NEVER, 3, 5, \
	SUPERVISOR_OWNER_DEATH_SHUTDOWN, 0600, 5000, 0, SUPERVISOR_ORDERED, \
	SUPERVISOR_SPAWN_SPAWNER, SUPERVISOR_CHILDREN_INFINITY, NULL, NULL, 0, \
	0, 0

/*
 * Creates a supervisor, not started and without children, whose owner is the
 * calling process; returns its fd. @mailbox is the control mailbox of a root:
 * its tree's START requests go there. -1 makes one that is to become a child
 * of another (sup_child_opts.supervisor). One that is to be held has a name, and
 * a mailbox that survives (sup_mailbox_opts.survive).
 * Errors: EINVAL (result->invalid), EDQUOT (result->limit), EBADF, EBADFD,
 * EEXIST, ENAMETOOLONG (the name), EMFILE, ENFILE, ENOMEM.
 */
SUP_API int sup_create(int device, int mailbox,
		       const struct sup_create_opts *opts,
		       struct sup_result *result);

/*
 * Opens a named supervisor: @access is O_RDONLY to look, O_WRONLY to control,
 * O_RDWR for both. Returns the fd. Errors: ENOENT, EACCES, EINVAL,
 * ENAMETOOLONG, EMFILE, ENFILE, ENOMEM.
 */
SUP_API int sup_open(int device, const char *name, int access,
		     struct sup_result *result);

/*
 * Opens the supervisor below @supervisor at @path: child ids joined by '/'.
 * Errors: ENOENT, EACCES, EINVAL (a process is on the path), EMFILE, ENFILE,
 * ENOMEM.
 */
SUP_API int sup_open_child(int supervisor, const char *path, int access,
			   struct sup_result *result);

/* Frees a name; the object lives on. Errors: ENOENT, EPERM, EINVAL. */
SUP_API int sup_unlink(int device, const char *name);

/* Makes the caller the owner of a root. Errors: EPERM, ESHUTDOWN, EINVAL. */
SUP_API int sup_own(int supervisor);

/*
 * Adopts a root that is held, for its owner is gone: makes the caller its owner,
 * and returns a file of its control mailbox, for sup_spawner_new(). @supervisor is
 * open for reading and writing.
 * Errors: EBUSY (it is not held), ESHUTDOWN (it has ended, or is about to), EPERM,
 * EINVAL (not a root), EDEADLK (the caller is its child), EBADF, EMFILE, ENFILE,
 * ENOMEM.
 */
SUP_API int sup_adopt(int supervisor);

/*
 * The named objects of the caller's user namespace, by id; entry->kind is
 * SUPERVISOR_KIND_*. On success
 * *names is for sup_names_next() and sup_names_free(). Errors: ENOMEM.
 */
struct sup_names;
SUP_API int sup_list(int device, struct sup_names **names);
/* The entry after @prev, the first after NULL; NULL at the end. */
SUP_API const struct supervisor_name_entry *
sup_names_next(const struct sup_names *names,
	       const struct supervisor_name_entry *prev);
/* Its name; entry->name is that only while the kernel is no newer. */
SUP_API const char *sup_names_name(const struct supervisor_name_entry *entry);
SUP_API void sup_names_free(struct sup_names *names);

/*
 * Starts a root, and waits for its last child to have started. A failure
 * stops those that had. @failed_id, if not NULL, gets the id of the child that
 * did not start ("" when it was none), result->error its errno; with EEXIST
 * result->pid has the key of that one, or of one below it.
 * Errors: ECHILD, EBUSY (started before, or somebody's child), ESHUTDOWN,
 * EINVAL, ETIMEDOUT (the start goes on), EINTR (likewise).
 * The process that starts a tree and reads its START requests needs a thread
 * for each, or sup_start_async().
 */
SUP_API int sup_start(int supervisor, uint64_t deadline,
		      struct sup_result *result, char failed_id[SUP_ID_SIZE]);
/* Begins to start it; UP or DOWN is an event, and sup_wait_idle() waits. */
SUP_API int sup_start_async(int supervisor);

/*
 * Stops a supervisor: its children in reverse order. @reason is a
 * SUPERVISOR_EXIT_*, which its parent is told (OTP's default is NORMAL).
 * Errors: ESHUTDOWN (it had ended), EBUSY (it has not started), EINVAL,
 * ETIMEDOUT (the stop goes on), EINTR (likewise).
 */
SUP_API int sup_stop(int supervisor, uint32_t reason, uint64_t deadline);
SUP_API int sup_stop_async(int supervisor, uint32_t reason);

/*
 * OTP's sys:suspend and sys:resume. @flags: SUPERVISOR_SUSPEND_F_TREE or 0.
 * Errors: ESHUTDOWN, EOWNERDEAD, ETIMEDOUT, EINTR, EDQUOT, ENOMEM.
 */
SUP_API int sup_suspend(int supervisor, uint32_t flags, uint64_t deadline);
SUP_API int sup_resume(int supervisor, uint32_t flags);

/* Waits until nothing is under way or queued in the tree. Errors: ETIMEDOUT,
 * EAGAIN (@deadline 0), EINTR.
 */
SUP_API int sup_wait_idle(int supervisor, uint64_t deadline);
/*
 * Waits until the supervisor has ended. @reason gets SUPERVISOR_EXIT_*, @down
 * SUPERVISOR_DOWN_*; each may be NULL. Errors as sup_wait_idle(). poll(2) on
 * the supervisor tells the same as POLLHUP.
 */
SUP_API int sup_wait_down(int supervisor, uint64_t deadline, uint32_t *reason,
			  uint32_t *down);

/*
 * From now on the events of this root's whole tree go to @mailbox, in order,
 * as long as the mailbox lives. Errors: EEXIST (they do), EINVAL (not a root),
 * EBADF, EBADFD, EDQUOT or ENOSPC (result->limit), ESHUTDOWN, ENOMEM.
 */
SUP_API int sup_subscribe(int supervisor, int mailbox,
			  struct sup_result *result);

/* The same, and a crash report of each process that crashes: sup_msg_crash(). */
SUP_API int sup_subscribe_crashes(int supervisor, int mailbox,
				  struct sup_result *result);

/* ---- looking ---------------------------------------------------------- */

/* Children as the kernel told them: struct supervisor_child_status records. */
struct sup_children;
/* The record after @prev, the first after NULL; NULL at the end. */
SUP_API const struct supervisor_child_status *
sup_children_next(const struct sup_children *children,
		  const struct supervisor_child_status *prev);
/* Its id; child->name is that only while the kernel is no newer. */
SUP_API const char *
sup_children_id(const struct supervisor_child_status *child);
/*
 * The key under which it is registered, of *@key_len bytes, in the registry of id
 * child->registry; NULL for none.
 */
SUP_API const void *
sup_children_key(const struct supervisor_child_status *child, size_t *key_len);
SUP_API void sup_children_free(struct sup_children *children);

/*
 * The state of this moment, past the queue: never waits. Set status->size
 * before; its buf members are the library's. @children, if not NULL, gets the
 * children in start order. Errors: ENOMEM, EINVAL, EBADF.
 */
SUP_API int sup_status(int supervisor, struct supervisor_status *status,
		       struct sup_children **children);

/*
 * OTP's which_children (reverse start order) and count_children: behind what
 * the supervisor is doing. Errors: ESHUTDOWN, EOWNERDEAD, ETIMEDOUT, EAGAIN
 * (@deadline 0), EINTR, EDQUOT, ENOMEM.
 */
SUP_API int sup_which_children(int supervisor, uint64_t deadline,
			       struct sup_children **children);
SUP_API int sup_count_children(int supervisor, uint64_t deadline,
			       struct supervisor_count *count);

/*
 * Whose a child is and who asked for it: the supervisors from its own to the
 * root, then the processes that asked, the last one first. Of a process (@pid
 * 0: the calling one), which @pidfd, if it is not -1, has to be of; or of the
 * child of a supervisor, by its id, or of a dynamic one by its number. On success
 * *lineage is for the functions below.
 * Errors: ESRCH (sup_lineage(): no such process, or nobody's child), EPERM (it
 * may not be signalled), ENOENT (no such child), EOPNOTSUPP (an id to a dynamic
 * one), ENAMETOOLONG, EINVAL, EBADF, ENOMEM.
 */
struct sup_lineage;
SUP_API int sup_lineage(int device, int pid, int pidfd,
			struct sup_lineage **lineage);
SUP_API int sup_child_lineage(int supervisor, const char *id,
			      struct sup_lineage **lineage);
SUP_API int sup_dynamic_lineage(int supervisor, uint64_t child,
				struct sup_lineage **lineage);
/* Which child it is: the out_* members. */
SUP_API const struct supervisor_lineage *
sup_lineage_of(const struct sup_lineage *lineage);
/* The entry after @prev, the first after NULL; NULL at the end. */
SUP_API const struct supervisor_lineage_entry *
sup_lineage_next(const struct sup_lineage *lineage,
		 const struct supervisor_lineage_entry *prev);
/*
 * Of an ancestor: the child's id that it has, or a root's "/name". Of a caller:
 * the child's id that it had, and its supervisor's path. Otherwise "".
 */
SUP_API const char *
sup_lineage_id(const struct supervisor_lineage_entry *entry);
SUP_API const char *
sup_lineage_path(const struct supervisor_lineage_entry *entry);
SUP_API void sup_lineage_free(struct sup_lineage *lineage);

/* ---- children --------------------------------------------------------- */

struct sup_command;

/* sup_child_opts.type and .shutdown_ms: as OTP would have it, see there */
#define SUP_TYPE_DEFAULT (~0U)
#define SUP_SHUTDOWN_DEFAULT INT64_MIN

/**
 * struct sup_child_opts - a child spec, but for its id; the defaults are OTP's
 * @sz: sizeof(struct sup_child_opts)
 * @command: what to start (encoded into the spec's blob), or NULL
 * @blob: instead of @command: bytes that a spawner of your own understands
 * @blob_len: its bytes
 * @supervisor: fd of a supervisor that has not started, which becomes the
 *	child; -1 (default): the child is a process
 * @restart: SUPERVISOR_PERMANENT (default), _TRANSIENT or _TEMPORARY
 * @significant: 0 (default) or 1
 * @type: SUPERVISOR_CHILD_*; SUP_TYPE_DEFAULT: what @supervisor says
 * @readiness: SUPERVISOR_READINESS_EXEC (default), _ATTACH or _NOTIFY
 * @shutdown_ms: from stop signal to kill; SUPERVISOR_SHUTDOWN_INFINITY, _KILL;
 *	SUP_SHUTDOWN_DEFAULT: 5000 for a worker, infinity for a supervisor
 * @stop_signal: 0 (default) is SIGTERM
 * @signal_whom: SUPERVISOR_SIGNAL_GROUP (default) or _PROCESS
 * @start_timeout_ms: from attached to started; 0 (default) is for ever
 * @retry_uncounted: 1: failed starts do not count towards the intensity
 * @retry_min_ms: first delay before a retry; 0 (default): no backoff, as OTP
 * @retry_max_ms: longest delay
 * @retry_factor_pct: each delay in hundredths of the one before (200)
 * @retry_jitter_pct: a delay varies by up to so many hundredths
 * @retry_reset_after_ms: a run of this length ends the backoff
 * @registry: a registry, open for writing, in which each run of the child is
 *	registered while it lives; -1 (default): in none
 * @key_len: bytes of @key
 * @key: under what
 * @value: the entry's value, or NULL
 * @value_len: its bytes
 *
 * @retry_factor_pct is passed on only with a @retry_min_ms.
 */
struct sup_child_opts {
	size_t sz;
	const struct sup_command *command;
	const void *blob;
	size_t blob_len;
	int supervisor;
	uint32_t restart;
	uint32_t significant;
	uint32_t type;
	uint32_t readiness;
	uint32_t stop_signal;
	int64_t shutdown_ms;
	uint32_t signal_whom;
	uint32_t start_timeout_ms;
	uint32_t retry_uncounted;
	uint32_t retry_min_ms;
	uint32_t retry_max_ms;
	uint32_t retry_factor_pct;
	uint32_t retry_jitter_pct;
	uint32_t retry_reset_after_ms;
	int registry;
	uint32_t key_len;
	const void *key;
	const void *value;
	size_t value_len;
};
#define SUP_DEFAULTS_sup_child_opts sizeof(struct sup_child_opts), NULL, \
	NULL, 0, -1, SUPERVISOR_PERMANENT, 0, SUP_TYPE_DEFAULT, \
	SUPERVISOR_READINESS_EXEC, 0, SUP_SHUTDOWN_DEFAULT, \
	SUPERVISOR_SIGNAL_GROUP, 0, 0, 0, 0, 200, 0, 0, \
	-1, 0, NULL, NULL, 0

/*
 * Before sup_start(): adds a spec, with which the supervisor starts and starts
 * again. After: OTP's start_child, which waits for the start.
 * Errors: EINVAL (result->invalid), EEXIST (result->result says already_started
 * or already_present, result->pid who), ECHILD (result->error; EEXIST: somebody
 * has its key, result->pid, or another child is to have it), ESHUTDOWN,
 * EOWNERDEAD, EBADF, EBADFD (opts->supervisor, opts->registry), EBUSY, ELOOP
 * (opts->supervisor), ENAMETOOLONG, EMSGSIZE (blob, key or value: result->max),
 * EDQUOT, ENOSPC (result->limit), ETIMEDOUT, EINTR, ENOMEM.
 */
SUP_API int sup_child_add(int supervisor, const char *id,
			  const struct sup_child_opts *opts, uint64_t deadline,
			  struct sup_result *result);

/*
 * OTP's terminate_child, restart_child and delete_child. @result->result is
 * OTP's answer in full, where errno says less: EBUSY is running or restarting,
 * and 0 ok or, of a restart that was ignored, ok_undefined.
 * Errors: ENOENT (not_found), EBUSY, ECHILD (result->error), ESHUTDOWN,
 * EOWNERDEAD, ETIMEDOUT, EAGAIN (@deadline 0), EINTR, ENAMETOOLONG, EINVAL,
 * EDQUOT, ENOMEM.
 */
SUP_API int sup_child_terminate(int supervisor, const char *id,
				uint64_t deadline, struct sup_result *result);
SUP_API int sup_child_restart(int supervisor, const char *id,
			      uint64_t deadline, struct sup_result *result);
SUP_API int sup_child_delete(int supervisor, const char *id,
			     uint64_t deadline, struct sup_result *result);

/*
 * OTP's get_childspec: fills @opts (set opts->sz before) as sup_child_add()
 * takes it. blob, key and value point into *@memory, which the caller frees with
 * free(3); command is NULL, see sup_command_decode(); supervisor and registry are
 * -1: sup_children_key() tells which registry it was.
 * Errors: ENOENT, and those of sup_which_children().
 */
SUP_API int sup_child_get_spec(int supervisor, const char *id,
			       uint64_t deadline, struct sup_child_opts *opts,
			       void **memory);

/*
 * The same calls, queued: they return at once, and the answer arrives in
 * @mailbox as a SUPERVISOR_MSG_ANSWER whose head.ref is @cookie. A call that
 * has not begun at @deadline is withdrawn. @max_len bounds the answer's
 * records. A negative return means that no answer will come. Further errors:
 * EBADF, EBADFD (@mailbox), EDQUOT (calls under way).
 */
SUP_API int sup_child_add_async(int supervisor, const char *id,
				const struct sup_child_opts *opts,
				uint64_t deadline, int mailbox,
				uint64_t cookie, struct sup_result *result);
SUP_API int sup_child_terminate_async(int supervisor, const char *id,
				      uint64_t deadline, int mailbox,
				      uint64_t cookie);
SUP_API int sup_child_restart_async(int supervisor, const char *id,
				    uint64_t deadline, int mailbox,
				    uint64_t cookie);
SUP_API int sup_child_delete_async(int supervisor, const char *id,
				   uint64_t deadline, int mailbox,
				   uint64_t cookie);
SUP_API int sup_child_get_spec_async(int supervisor, const char *id,
				     uint64_t deadline, int mailbox,
				     uint64_t cookie, size_t max_len);
SUP_API int sup_which_children_async(int supervisor, uint64_t deadline,
				     int mailbox, uint64_t cookie,
				     size_t max_len);
SUP_API int sup_count_children_async(int supervisor, uint64_t deadline,
				     int mailbox, uint64_t cookie);

/* ---- partition supervisors -------------------------------------------- */

/*
 * How many processors the caller may run on, at least 1: the default of whatever is
 * to be as many as there are. Async-signal-safe.
 */
SUP_API uint32_t sup_processors(void);

/**
 * struct sup_partition_opts - the partitions of a new partition supervisor
 * @sz: sizeof(struct sup_partition_opts)
 * @child: what each is like, or NULL for the defaults. Its supervisor must be -1
 * @make: asked for each, with @child's copy to change, as PartitionSupervisor's
 *	with_arguments: 0, or a negative errno that ends it all. It may make a
 *	supervisor for the partition, with a control mailbox of its own if the
 *	partition is to have its own spawner. NULL: all are @child
 * @context: first argument of @make
 * @partitions: how many; 0 (default): sup_processors()
 */
struct sup_partition_opts {
	size_t sz;
	const struct sup_child_opts *child;
	int (*make)(void *context, uint32_t partition,
		    struct sup_child_opts *child);
	void *context;
	uint32_t partitions;
};
#define SUP_DEFAULTS_sup_partition_opts sizeof(struct sup_partition_opts), \
	NULL, NULL, NULL, 0

/*
 * Elixir's PartitionSupervisor: a supervisor, not started, whose children have the
 * ids "0", "1" and so on; returns its fd. @create and @mailbox as for sup_create().
 * Errors: those of sup_create(), of sup_child_add() and of @make; EINVAL (@opts has
 * neither child nor make, or @make returned what is no errno), E2BIG.
 */
SUP_API int sup_partitions_create(int device, int mailbox,
				  const struct sup_create_opts *create,
				  const struct sup_partition_opts *opts,
				  struct sup_result *result);
/*
 * How many partitions are in use. Errors: EINVAL (no partition supervisor), EBADF.
 */
SUP_API int sup_partitions(int supervisor);
/*
 * Which of @partitions a key belongs to: the same in every process of one version
 * of this library, and no promise beyond it. For an integer, its magnitude modulo
 * @partitions. 0 if there are none. Async-signal-safe.
 */
SUP_API uint32_t sup_partition_of(const void *key, size_t len,
				  uint32_t partitions);
SUP_API uint32_t sup_partition_of_int(int64_t key, uint32_t partitions);
/*
 * Opens the supervisor that is the partition of a key. Errors: ENOENT (no partition
 * is in use), EINVAL (no partition supervisor, or its partitions are processes), and
 * those of sup_open_child().
 */
SUP_API int sup_partition_open(int supervisor, const void *key, size_t len,
			       int access, struct sup_result *result);
/*
 * PartitionSupervisor's resize!: from now on so many partitions are in use, at most
 * as many as it was made with. Returns how many were. @failed, if not NULL, gets the
 * partition that could not be restarted or terminated.
 * Errors: EINVAL (too many, or no partition supervisor), ENOENT (a partition was
 * deleted), ECHILD (result->error),
 * ESHUTDOWN, EOWNERDEAD, EDQUOT (result->limit), EAGAIN (@deadline 0), ETIMEDOUT,
 * EINTR, ENOMEM. When it fails to have more, as many are in use as before.
 */
SUP_API int sup_resize(int supervisor, uint32_t partitions, uint64_t deadline,
		       struct sup_result *result, uint32_t *failed);

/* ---- dynamic supervisors ---------------------------------------------- */

/**
 * struct sup_dynamic_opts - a new child of a dynamic supervisor
 * @sz: sizeof(struct sup_dynamic_opts)
 * @child: its spec, or NULL (default): the supervisor's template
 * @id: with @child: a word for it, which others may have
 * @args: words for its command, after those of the spec; NULL-terminated, or NULL
 *	(default)
 * @args_blob: instead of @args: bytes that a spawner of your own understands
 * @args_blob_len: how many
 */
struct sup_dynamic_opts {
	size_t sz;
	const struct sup_child_opts *child;
	const char *id;
	const char *const *args;
	const void *args_blob;
	size_t args_blob_len;
};
#define SUP_DEFAULTS_sup_dynamic_opts sizeof(struct sup_dynamic_opts), NULL, \
	NULL, NULL, NULL, 0

/*
 * start_child of a dynamic supervisor: result->id is the child's number, by which
 * the calls below mean it, and result->pid its process. @opts may be NULL.
 * Errors: those of sup_child_add(), EUSERS (max_children), EMSGSIZE.
 */
SUP_API int sup_dynamic_start(int supervisor,
			      const struct sup_dynamic_opts *opts,
			      uint64_t deadline, struct sup_result *result);
/* Queued; the answer's head.child is the number. As sup_child_add_async(). */
SUP_API int sup_dynamic_start_async(int supervisor,
				    const struct sup_dynamic_opts *opts,
				    uint64_t deadline, int mailbox,
				    uint64_t cookie,
				    struct sup_result *result);

/*
 * Makes the calling process a child of a dynamic supervisor whose children join
 * (SUPERVISOR_SPAWN_SELF). For the new process itself, before it execs. @flags:
 * SUPERVISOR_ATTACH_F_RESET_SIGNALS or 0. Async-signal-safe. Errors: EUSERS,
 * ESHUTDOWN, EINVAL, EEXIST (result->pid has the key that children are to have), EBUSY
 * (already somebody's child), EDEADLK (it owns the tree), ENOSPC, EDQUOT, ETIMEDOUT,
 * EAGAIN (@deadline 0), EINTR, ENOMEM.
 */
SUP_API int sup_dynamic_join(int supervisor, uint32_t flags, uint64_t deadline,
			     struct sup_result *result);

/*
 * terminate_child of a dynamic supervisor: child number @child, and only that run of
 * it if @incarnation is not 0; or the child that process @pid is. Errors: ENOENT, and
 * those of sup_child_terminate().
 */
SUP_API int sup_dynamic_terminate(int supervisor, uint64_t child,
				  uint32_t incarnation, uint64_t deadline,
				  struct sup_result *result);
SUP_API int sup_dynamic_terminate_async(int supervisor, uint64_t child,
					uint32_t incarnation, uint64_t deadline,
					int mailbox, uint64_t cookie);
SUP_API int sup_dynamic_terminate_pid(int supervisor, int32_t pid,
				      uint64_t deadline,
				      struct sup_result *result);

/*
 * Some of a dynamic supervisor's children, in the order in which they came, and where
 * to go on: *@cursor is 0 to begin, and 0 again when these were the last.
 * sup_which_children() has all at once. Errors: as there.
 */
SUP_API int sup_dynamic_which(int supervisor, uint64_t deadline,
			      uint64_t *cursor, struct sup_children **children);

/*
 * As sup_status(), which never waits, with some of a dynamic supervisor's children:
 * those whose numbers are greater than status->cursor, which is set to where to go on,
 * 0 when these were the last. Errors: EINVAL (not a dynamic one, with a cursor), and
 * those of sup_status().
 */
SUP_API int sup_dynamic_status(int supervisor, struct supervisor_status *status,
			       struct sup_children **children);

/*
 * The spec of child number @child; of a SUPERVISOR_SIMPLE also 0: the template.
 * As sup_child_get_spec().
 */
SUP_API int sup_dynamic_get_spec(int supervisor, uint64_t child,
				 uint64_t deadline, struct sup_child_opts *opts,
				 void **memory);

/* ---- for a child, and for whoever forks one --------------------------- */

/*
 * Makes the calling process the child that the START with @token asks for.
 * Called in the new process, before it execs; if the group is to be signalled,
 * after setsid(2) or setpgid(2). Async-signal-safe.
 * Errors: EPERM (not a child of the reader), EALREADY (used), ESTALE (revoked),
 * EINVAL (not a group leader), EBUSY (already somebody's child), EDEADLK,
 * ENOMEM.
 */
SUP_API int sup_child_attach(int device, uint64_t token);

/*
 * Says SUPERVISOR_REPORT_* about a start: the reader of the START with its
 * token, the child with 0. @error: of FAILED, an errno; otherwise 0.
 * Async-signal-safe. Errors: ESTALE, EPERM, ESRCH, EALREADY, EINVAL.
 */
SUP_API int sup_child_report(int device, uint64_t token, uint32_t report,
			     int error);

/*
 * Every signal has its default action, none is blocked in the calling thread: in one
 * call what a forked process that does not exec needs, lest it run its parent's
 * handlers. Async-signal-safe. Errors: ENOTTY (the module knows it not).
 */
SUP_API int sup_reset_signals(int device);

/*
 * For a program with readiness notify: it is ready. Opens the device for the
 * moment. Errors: those of sup_device_open() and sup_child_report(); ESRCH when
 * it is nobody's child, which most programs will want to ignore.
 */
SUP_API int sup_notify_ready(void);

/* ---- mailboxes -------------------------------------------------------- */

/*
 * Creates a mailbox owned by the calling process; returns its fd. @ring_bytes
 * is the room for events: a power of two from 4096 to 16 MiB, or 0 for 64 KiB.
 * Errors: EINVAL, EDQUOT (result->limit), EMFILE, ENFILE, ENOMEM.
 */
SUP_API int sup_mailbox_create(int device, uint32_t ring_bytes,
			       struct sup_result *result);

/**
 * struct sup_mailbox_opts - a new mailbox
 * @sz: sizeof(struct sup_mailbox_opts)
 * @name: "/name" to list and open it by, or NULL
 * @mode: permission bits of a named one (0600): reading is receiving and
 *	replying, writing is sending and calling
 * @survive: 1: it outlives its owner, and waits for sup_mailbox_own() with what
 *	nobody has taken
 * @ring_bytes: room for events and small messages: a power of two from 4096 to
 *	16 MiB (0: 64 KiB)
 * @max_messages: casts and calls that may wait in it, at most 1,048,576 (0: 1024)
 * @max_bytes: bytes of their payloads, at most 64 MiB (0: 1 MiB)
 * @max_payload: bytes of one (0: SUPERVISOR_PAYLOAD_MAX, which is the most)
 */
struct sup_mailbox_opts {
	size_t sz;
	const char *name;
	uint32_t mode;
	uint32_t survive;
	uint32_t ring_bytes;
	uint32_t max_messages;
	uint32_t max_bytes;
	uint32_t max_payload;
};
#define SUP_DEFAULTS_sup_mailbox_opts sizeof(struct sup_mailbox_opts), NULL, \
	0600, 0, 0, 0, 0, 0

/*
 * Creates a mailbox with options, NULL for the defaults. Further errors: EEXIST,
 * ENAMETOOLONG (the name), ENOSPC (result->limit: a child's mailboxes that
 * survive), E2BIG.
 */
SUP_API int sup_mailbox_create_with(int device,
				    const struct sup_mailbox_opts *opts,
				    struct sup_result *result);

/*
 * Opens a named mailbox: @access is O_WRONLY to send and call, O_RDONLY to
 * receive and reply, O_RDWR for both. Errors: ENOENT, EACCES, EINVAL,
 * ENAMETOOLONG, EMFILE, ENFILE, ENOMEM.
 */
SUP_API int sup_mailbox_open(int device, const char *name, int access,
			     struct sup_result *result);

/*
 * Makes the calling process the owner: calls hang on its life from now on.
 * Errors: EPERM (the old owner's user or CAP_KILL), ESHUTDOWN (its owner is dead
 * and it does not survive), EBADF (not open for reading), ENOMEM.
 */
SUP_API int sup_mailbox_own(int mailbox);

/*
 * For a server that is started again and again: creates the mailbox
 * @opts->name, which survives, or opens and owns the one that is there, with
 * what waits in it. Errors: EBUSY (a live process owns it: already_started),
 * ESHUTDOWN (one of that name does not survive, and its owner is dead), EINVAL
 * (no name), and those of the three functions above.
 */
SUP_API int sup_mailbox_serve(int device, const struct sup_mailbox_opts *opts,
			      struct sup_result *result);

/* A look at this moment. Set status->size before. Errors: EINVAL, E2BIG. */
SUP_API int sup_mailbox_status(int mailbox,
			       struct supervisor_mailbox_status *status);

/*
 * Takes messages, at most @max (0: as many as fit), into @buf, which is aligned
 * to 8 and has *@len bytes; returns how many, *@len how many bytes they fill.
 * Errors: EAGAIN (none, and @deadline 0 or O_NONBLOCK), ETIMEDOUT, EMSGSIZE
 * (*@len is what the first needs), EINTR, EFAULT.
 */
SUP_API int sup_mailbox_recv(int mailbox, void *buf, size_t *len, uint32_t max,
			     uint64_t deadline);

/*
 * The same with @flags: SUPERVISOR_RECV_F_PATH: casts and calls bring their
 * sender's path; SUPERVISOR_RECV_F_REF: only messages of @ref, past others.
 */
SUP_API int sup_mailbox_recv_with(int mailbox, uint32_t flags, uint64_t ref,
				  void *buf, size_t *len, uint32_t max,
				  uint64_t deadline);

/*
 * Walks what sup_mailbox_recv() brought: the message after @prev, the first
 * after NULL; NULL at the end, or where bytes make no sense. What it returns
 * lies within @buf as a whole, and so do the answers of the functions below.
 */
SUP_API const struct supervisor_msg *
sup_msg_next(const void *buf, size_t len, const struct supervisor_msg *prev);

/* The message as what it is; NULL if it is not. */
SUP_API const struct supervisor_msg_start *
sup_msg_start(const struct supervisor_msg *msg);
SUP_API const struct supervisor_msg_event *
sup_msg_event(const struct supervisor_msg *msg);
SUP_API const struct supervisor_msg_crash *
sup_msg_crash(const struct supervisor_msg *msg);
SUP_API const struct supervisor_msg_answer *
sup_msg_answer(const struct supervisor_msg *msg);
/* A CAST or a CALL; of a call, head.ref is what a reply names. */
SUP_API const struct supervisor_msg_data *
sup_msg_data(const struct supervisor_msg *msg);
SUP_API const struct supervisor_msg_reply *
sup_msg_reply(const struct supervisor_msg *msg);
/* A DOWN or an EXIT. */
SUP_API const struct supervisor_msg_down *
sup_msg_down(const struct supervisor_msg *msg);
/* The payload of a CAST, CALL or REPLY; NULL if the message is none. */
SUP_API const void *sup_msg_payload(const struct supervisor_msg *msg,
				    size_t *len);

/*
 * Of a crash report: the entry of its lineage after @prev, as
 * sup_lineage_next().
 */
SUP_API const struct supervisor_lineage_entry *
sup_crash_next(const struct supervisor_msg_crash *crash,
	       const struct supervisor_lineage_entry *prev);

/* Of a START, event or crash report: the child's id and the path of its supervisor from
 * the root; "" when it has none. A CAST or CALL that was received with
 * SUPERVISOR_RECV_F_PATH has the path of its sender's supervisor.
 */
SUP_API const char *sup_msg_id(const struct supervisor_msg *msg);
SUP_API const char *sup_msg_path(const struct supervisor_msg *msg);
/* Of a START: the child's blob. NULL if the message is none. */
SUP_API const void *sup_msg_blob(const struct supervisor_msg *msg, size_t *len);
/* And the arguments of one child alone; NULL when it has none. */
SUP_API const void *sup_msg_args(const struct supervisor_msg *msg, size_t *len);

/*
 * Of an answer to which_children: the record after @prev, the first after NULL.
 * To count_children: the count, or NULL.
 * To get_childspec: fills @opts (set opts->sz before), which points into the
 * message; EINVAL if it is no such answer.
 * An answer that max_len left no room for has none of them; its data_len says
 * how much it takes.
 */
SUP_API const struct supervisor_child_status *
sup_msg_child_next(const struct supervisor_msg *msg,
		   const struct supervisor_child_status *prev);
SUP_API const struct supervisor_count *
sup_msg_count(const struct supervisor_msg *msg);
SUP_API int sup_msg_spec(const struct supervisor_msg *msg,
			 struct sup_child_opts *opts);

/* The change that a registry's listener is told, and its key and value. */
SUP_API const struct supervisor_msg_registry *
sup_msg_registry(const struct supervisor_msg *msg);
SUP_API const void *sup_msg_key(const struct supervisor_msg_registry *change);
SUP_API const void *sup_msg_value(const struct supervisor_msg_registry *change);

/* ---- casts and calls -------------------------------------------------- */

/*
 * A cast: @len bytes arrive as a SUPERVISOR_MSG_CAST. Waits until @deadline for
 * room. Goes on after EINTR.
 * Errors: EMSGSIZE (result->max), EAGAIN (no room, and @deadline 0 or
 * O_NONBLOCK), ETIMEDOUT, ESHUTDOWN (nobody owns it: noproc), EDQUOT
 * (result->limit), ENOMEM, EBADF (not open for writing).
 */
SUP_API int sup_mailbox_send(int mailbox, const void *buf, size_t len,
			     uint64_t deadline, struct sup_result *result);

/*
 * A call: @len bytes arrive as a SUPERVISOR_MSG_CALL, and the reply comes into
 * @reply, which has room for *@reply_len bytes and then has so many. @deadline
 * is of it all. Goes on after EINTR, with the same call.
 * *@call is 0. When the reply is longer than its room, the error is EMSGSIZE,
 * *@reply_len is what it needs, and *@call not 0: the same function with that
 * *@call, and room, fetches it. With EMSGSIZE and *@call 0 the request was too
 * long (result->max).
 * Errors: EMSGSIZE, ESHUTDOWN (nobody serves it: noproc), EOWNERDEAD (the server
 * died, reply or no), ETIMEDOUT, EDEADLK (the caller is the owner), EAGAIN
 * (@deadline 0), ESTALE (*@call is none of this file's), EDQUOT
 * (result->limit), ENOMEM, EBADF.
 */
SUP_API int sup_mailbox_call(int mailbox, const void *buf, size_t len,
			     void *reply, size_t *reply_len, uint64_t deadline,
			     uint64_t *call, struct sup_result *result);

/* Milliseconds for sup_call() and sup_cast(): none at all, and OTP's 5000. */
#define SUP_TIMEOUT_INFINITY (-1)
#define SUP_TIMEOUT_DEFAULT (-2)

/*
 * GenServer's call and cast: the two above with a time to wait from now,
 * in milliseconds. A reply without room is given up: EMSGSIZE, and *@reply_len
 * is what it needed; 0, and the request was too long. sup_cast() waits for room
 * only, never for the server.
 */
SUP_API int sup_call(int mailbox, const void *buf, size_t len, void *reply,
		     size_t *reply_len, int64_t timeout_ms);
SUP_API int sup_cast(int mailbox, const void *buf, size_t len,
		     int64_t timeout_ms);

/*
 * Answers the call whose head.ref is @from: any process that has the mailbox
 * open for reading, from any thread, at any time. One reply wins.
 * Errors: ENOENT (no such call was received), EALREADY (it has been answered),
 * ESTALE (nobody waits any more), EMSGSIZE, EDQUOT, ENOMEM (it is still
 * awaited), EBADF.
 */
SUP_API int sup_call_reply(int mailbox, uint64_t from, const void *buf,
			   size_t len);
/*
 * A reply and the next receive in one; returns the number of messages. Set
 * arg->size before. Not repeated after EINTR, when arg->from is 0. Errors: those
 * of sup_mailbox_recv() with arg->from 0; those of the reply that leave it
 * awaited, with arg->from as it was.
 */
SUP_API int sup_call_reply_recv(int mailbox,
				struct supervisor_call_reply_recv *arg);

/*
 * A call that does not wait: its reply, or what became of it, arrives in the
 * mailbox @into as a SUPERVISOR_MSG_REPLY whose head.ref is *@ref. @deadline is
 * for room. Goes on after EINTR. Errors: those of sup_mailbox_call(), but
 * EDEADLK; EBADF and EBADFD of @into, too.
 */
SUP_API int sup_call_start(int mailbox, const void *buf, size_t len, int into,
			   uint64_t deadline, uint64_t *ref,
			   struct sup_result *result);
/*
 * Waits for that one, past whatever else is in @into: its payload comes into
 * @buf, which is aligned to 8 and has *@len bytes; SUP_REPLY_ROOM more than the
 * longest reply. *@len is how long it was. Goes on after EINTR.
 * Errors: those of the call; ETIMEDOUT or EAGAIN (@deadline 0): it may be waited
 * for again, or cancelled; EMSGSIZE (*@len is the room needed; likewise).
 */
#define SUP_REPLY_ROOM 128
SUP_API int sup_call_wait(int into, uint64_t ref, void *buf, size_t *len,
			  uint64_t deadline);
/*
 * Gives up a call: 1 if it was under way. With SUPERVISOR_REF_F_FLUSH its REPLY
 * is not in @into afterwards.
 */
SUP_API int sup_call_cancel(int into, uint64_t ref, uint32_t flags);

/* ---- monitors, aliases, links ----------------------------------------- */

/*
 * One SUPERVISOR_MSG_DOWN with head.ref *@ref will come into @mailbox when the
 * process is dead; at once, with reason NOPROC, if it is already or is not
 * there. @alias is SUPERVISOR_ALIAS_*: *@ref is an alias too.
 * Errors: EPERM (a process that the caller may not signal), EOPNOTSUPP (@alias),
 * EDQUOT (result->limit), EINVAL, ENOMEM.
 */
SUP_API int sup_monitor(int mailbox, int pid, uint32_t alias, uint64_t *ref,
			struct sup_result *result);
/*
 * The same, of the process that @pidfd is of, never of another that has got its
 * number: NOPROC if it was dead and reaped before. Needs /proc. Further errors:
 * EBADF, ENOENT.
 */
SUP_API int sup_monitor_pidfd(int mailbox, int pidfd, uint32_t alias,
			      uint64_t *ref, struct sup_result *result);
/* The same, of a mailbox (it has no owner any more) or a supervisor (it has
 * ended). Further errors: EBADF, EBADFD.
 */
SUP_API int sup_monitor_fd(int mailbox, int fd, uint32_t alias, uint64_t *ref,
			   struct sup_result *result);
/*
 * Ends a monitor: 1 if it was active, 0 if not. With SUPERVISOR_REF_F_FLUSH no
 * DOWN of it is in @mailbox afterwards.
 */
SUP_API int sup_demonitor(int mailbox, uint64_t ref, uint32_t flags);

/*
 * An alias of the mailbox: a number by which to send to it without a file of it.
 * @alias: SUPERVISOR_ALIAS_EXPLICIT, or _REPLY: off at the first message.
 * Errors: EOPNOTSUPP, EDQUOT (result->limit), ENOMEM.
 */
SUP_API int sup_alias(int mailbox, uint32_t alias, uint64_t *ref,
		      struct sup_result *result);
/* Ends an alias: 1 if it was active, 0 if not. */
SUP_API int sup_unalias(int mailbox, uint64_t ref);
/* A cast through an alias. Errors: ESTALE (it is off, or never was), and those
 * of sup_mailbox_send().
 */
SUP_API int sup_alias_send(int device, uint64_t alias, const void *buf,
			   size_t len, uint64_t deadline,
			   struct sup_result *result);

/*
 * Links the calling process with another one: 0, or 1 if they were. When one
 * dies with another reason than NORMAL, the other gets @signal (0: SIGKILL), or
 * a SUPERVISOR_MSG_EXIT with head.ref *@ref if it traps exits. @ref may be NULL.
 * Errors: EPERM (one may not signal the other), EINVAL, EDQUOT (result->limit),
 * ENOMEM.
 */
SUP_API int sup_process_link(int device, int pid, int signal, uint64_t *ref,
			     struct sup_result *result);
/* The same, as sup_monitor_pidfd(). */
SUP_API int sup_process_link_pidfd(int device, int pidfd, int signal,
				   uint64_t *ref, struct sup_result *result);
/* 1 if there was a link, 0 if not. Errors: EINVAL. */
SUP_API int sup_process_unlink(int device, int pid);
/*
 * The calling process traps exits: the ends of its links go to @mailbox; -1: no
 * more. Errors: EBADF, EBADFD, ENOMEM.
 */
SUP_API int sup_trap_exit(int device, int mailbox);

/* ---- registries ------------------------------------------------------- */

/**
 * struct sup_registry_opts - a new registry
 * @sz: sizeof(struct sup_registry_opts)
 * @name: "/name" to list and open it by, or NULL
 * @mode: permission bits of a named one (0600): reading is looking up, writing is
 *	registering, metadata and locks
 * @keys: SUPERVISOR_KEYS_UNIQUE (default), _DUPLICATE or _DUPLICATE_BY_KEY
 * @partitions: 1 to SUPERVISOR_PARTITIONS_MAX (1)
 * @open: 1: if there is one of that name, opens it, as it is
 * @map_slots: keys that its mapping has room for, a power of two from 64 to 1048576;
 *	0 (default): it cannot be mapped
 * @reserved: must be 0
 */
struct sup_registry_opts {
	size_t sz;
	const char *name;
	uint32_t mode;
	uint32_t keys;
	uint32_t partitions;
	uint32_t open;
	uint32_t map_slots;
	uint32_t reserved;
};
#define SUP_DEFAULTS_sup_registry_opts sizeof(struct sup_registry_opts), NULL, \
	0600, SUPERVISOR_KEYS_UNIQUE, 1, 0, 0, 0

/*
 * Makes a registry; returns its fd. Errors: EINVAL, EOPNOTSUPP (map_slots, of
 * duplicate keys), EEXIST (the name is taken;
 * with open, by another kind of object or of keys), EACCES (open), ENAMETOOLONG,
 * EDQUOT (result->limit), EMFILE, ENFILE, ENOMEM, E2BIG.
 */
SUP_API int sup_registry_create(int device,
				const struct sup_registry_opts *opts,
				struct sup_result *result);
/*
 * Opens a named one: @access is O_RDONLY to look up, O_WRONLY to register, O_RDWR
 * for both. Errors: ENOENT, EACCES, EINVAL, ENAMETOOLONG, EMFILE, ENFILE, ENOMEM.
 */
SUP_API int sup_registry_open(int device, const char *name, int access,
			      struct sup_result *result);
/* A look at this moment. Set status->size before. Errors: EINVAL, E2BIG. */
SUP_API int sup_registry_status(int registry,
				struct supervisor_registry_status *status);

/*
 * Keys are any 1 to SUPERVISOR_KEY_MAX bytes, values any up to
 * SUPERVISOR_VALUE_MAX. Of those that are longer the error is EMSGSIZE, and
 * result->max says how long they may be.
 */

/*
 * An entry of the calling process, gone when it dies. @mailbox: through which it
 * can be addressed, open for writing; -1: none. result->id is its number.
 * Errors: EEXIST (result->pid has the unique key; 0: it is kept for a child that
 * is being started), EMSGSIZE, EINVAL, EBADF, EBADFD, EDQUOT or ENOSPC
 * (result->limit), ENOMEM.
 */
SUP_API int sup_register(int registry, const void *key, size_t key_len,
			 const void *value, size_t value_len, int mailbox,
			 struct sup_result *result);
/*
 * Takes the calling process's entries of a key away, or those of one value;
 * returns how many. Errors: ENOENT (nobody has the key), EPERM (only others
 * have), EMSGSIZE, EINVAL.
 */
SUP_API int sup_unregister(int registry, const void *key, size_t key_len,
			   struct sup_result *result);
SUP_API int sup_unregister_match(int registry, const void *key, size_t key_len,
				 const void *value, size_t value_len,
				 struct sup_result *result);

/**
 * struct sup_update_opts - how to give an entry another value
 * @sz: sizeof(struct sup_update_opts)
 * @old: with COMPARE, the value that it has to have
 * @old_len: its bytes
 * @flags: SUPERVISOR_UPDATE_F_* (0)
 * @mailbox: with MAILBOX, its mailbox from now on; -1 (default): none
 */
struct sup_update_opts {
	size_t sz;
	const void *old;
	size_t old_len;
	uint32_t flags;
	int mailbox;
};
#define SUP_DEFAULTS_sup_update_opts sizeof(struct sup_update_opts), NULL, 0, \
	0, -1

/*
 * Gives the calling process's entry of a unique key another value. Errors: ENOENT
 * (nobody has the key), EPERM (another process has), ESTALE (COMPARE: it has
 * another value), EINVAL (duplicate keys), EMSGSIZE, EBADF, EBADFD, EDQUOT or
 * ENOSPC (result->limit), ENOMEM.
 */
SUP_API int sup_update(int registry, const void *key, size_t key_len,
		       const void *value, size_t value_len,
		       const struct sup_update_opts *opts,
		       struct sup_result *result);

/*
 * What is known of the registry itself: it belongs to no process. sup_meta_get()
 * copies into @value, of *@value_len bytes, which are then so many. Errors: ENOENT
 * (get, delete), EMSGSIZE (get: *@value_len is what it needs; 0: it is the key),
 * EINVAL, EDQUOT (result->limit), ENOMEM.
 */
SUP_API int sup_meta_put(int registry, const void *key, size_t key_len,
			 const void *value, size_t value_len,
			 struct sup_result *result);
SUP_API int sup_meta_get(int registry, const void *key, size_t key_len,
			 void *value, size_t *value_len,
			 struct sup_result *result);
SUP_API int sup_meta_delete(int registry, const void *key, size_t key_len,
			    struct sup_result *result);

/*
 * A lock on a key, the calling process's until it unlocks it or dies. With EAGAIN,
 * ETIMEDOUT and EPERM, result->pid has it. Errors: EAGAIN (taken, and @deadline
 * 0), ETIMEDOUT, EDEADLK (the process has it), EINTR (and its place in the queue
 * is gone), EDQUOT (result->limit), ENOMEM; of unlock ENOENT (nobody has it), EPERM
 * (another process has); EMSGSIZE, EINVAL.
 */
SUP_API int sup_lock(int registry, const void *key, size_t key_len,
		     uint64_t deadline, struct sup_result *result);
SUP_API int sup_unlock(int registry, const void *key, size_t key_len,
		       struct sup_result *result);

/*
 * Finds the first entry of a key, of a live process: result->pid and result->id;
 * returns 1 if it has a mailbox, otherwise 0. @value, of *@value_len bytes, gets
 * the value, *@value_len how long it is; @value NULL: not wanted. Errors: ENOENT,
 * EMSGSIZE (*@value_len is what it needs, the rest is set; 0: it is the key),
 * EINVAL.
 */
SUP_API int sup_lookup(int registry, const void *key, size_t key_len,
		       void *value, size_t *value_len,
		       struct sup_result *result);
/*
 * The same without a system call, as a rule: in a mapping of @registry, which keeps it as
 * a file does. Threads may peek at once; a child that was forked may, and asks the kernel
 * each time. Errors of the mapping: ENODEV (made without map_slots), EOPNOTSUPP (in
 * another pid namespace; of a version that is not known), EACCES, EMFILE, ENOMEM; those
 * of a peek are sup_lookup()'s.
 */
struct sup_registry_map;
SUP_API int sup_registry_map(int registry, struct sup_registry_map **map);
SUP_API int sup_registry_peek(const struct sup_registry_map *map,
			      const void *key, size_t key_len, void *value,
			      size_t *value_len, struct sup_result *result);
SUP_API void sup_registry_unmap(struct sup_registry_map *map);
/* Only its process. Further errors: ESRCH (it has no number here). */
SUP_API int sup_whereis(int registry, const void *key, size_t key_len);
/*
 * A pidfd of it, O_CLOEXEC, never of another process that has got its number.
 * Further errors: EMFILE, ENFILE, ENODEV, ENOMEM.
 */
SUP_API int sup_whereis_pidfd(int registry, const void *key, size_t key_len);

/**
 * struct sup_select_opts - which entries; without options, all
 * @sz: sizeof(struct sup_select_opts)
 * @key: with KEY the key, otherwise what it begins with
 * @key_len: its bytes (0: any key)
 * @value: with VALUE, the value
 * @value_len: its bytes
 * @flags: SUPERVISOR_SELECT_F_* (0)
 * @pid: with PID, the process
 * @partition: with PARTITION, where
 * @reserved: must be 0
 */
struct sup_select_opts {
	size_t sz;
	const void *key;
	size_t key_len;
	const void *value;
	size_t value_len;
	uint32_t flags;
	int32_t pid;
	uint32_t partition;
	uint32_t reserved;
};
#define SUP_DEFAULTS_sup_select_opts sizeof(struct sup_select_opts), \
	NULL, 0, NULL, 0, 0, 0, 0, 0

/*
 * A walk over entries of live processes, for sup_entries_next() and
 * sup_entries_free(). One that is there all the time comes once. @registry has to
 * stay open. Errors: EMSGSIZE, EINVAL, ENOMEM, E2BIG.
 */
struct sup_entries;
SUP_API int sup_select(int registry, const struct sup_select_opts *opts,
		       struct sup_entries **entries);
/*
 * The next one, which lasts until the one after it is asked for: 1, or 0 at the
 * end. Errors: ENOMEM, EBADF; it may be asked again.
 */
SUP_API int sup_entries_next(struct sup_entries *entries,
			     const struct supervisor_registry_entry **entry);
SUP_API void sup_entries_free(struct sup_entries *entries);
/* A NUL follows each; @len may be NULL. With NO_VALUES the value is NULL. */
SUP_API const void *
sup_entry_key(const struct supervisor_registry_entry *entry, size_t *len);
SUP_API const void *
sup_entry_value(const struct supervisor_registry_entry *entry, size_t *len);
/* How many there are, none of a dead process. Errors: EMSGSIZE, EINVAL, ENOMEM. */
SUP_API int sup_count(int registry, const struct sup_select_opts *opts,
		      uint64_t *count);

/*
 * Changes go to @mailbox, with SUPERVISOR_LISTEN_F_DEATHS deaths too. Errors: EEXIST,
 * ENOENT (unlisten), EBADF, EBADFD, EDQUOT, ENOSPC (result->limit), ESHUTDOWN, ENOMEM.
 */
SUP_API int sup_listen(int registry, int mailbox, uint32_t flags,
		       struct sup_result *result);
SUP_API int sup_unlisten(int registry, int mailbox);

/**
 * struct sup_outcome - what became of a message to many
 * @delivered: mailboxes that have it
 * @full: those that had no room
 * @gone: those that nobody serves any more
 */
struct sup_outcome {
	uint32_t delivered;
	uint32_t full;
	uint32_t gone;
};

/*
 * A cast into the mailboxes of all entries of a key. @deadline 0 does not wait for
 * those that are full. @outcome may be NULL. Errors: EMSGSIZE (result->max), EDQUOT,
 * ENOMEM.
 */
SUP_API int sup_publish(int registry, const void *key, size_t key_len,
			const void *buf, size_t len, uint64_t deadline,
			struct sup_outcome *outcome,
			struct sup_result *result);
/*
 * sup_mailbox_send(), sup_mailbox_call() and kill(2) to the process of a key's entry:
 * @pid's, or with 0 the one of a unique key. The last returns the process. Further
 * errors: ENOENT, EBADFD (the entry has no mailbox), EINVAL, EPERM, ESRCH.
 */
SUP_API int sup_key_send(int registry, const void *key, size_t key_len,
			 int pid, const void *buf, size_t len,
			 uint64_t deadline, struct sup_result *result);
SUP_API int sup_key_call(int registry, const void *key, size_t key_len,
			 int pid, const void *buf, size_t len, void *reply,
			 size_t *reply_len, uint64_t deadline,
			 uint64_t *call, struct sup_result *result);
SUP_API int sup_key_signal(int registry, const void *key, size_t key_len,
			   int pid, int signal);

/*
 * Registry.dispatch: @fn is called with the first entry of a key, from which
 * sup_entries_next() goes on to the others; not when there are none; once for each partition in which the key has any, one after the other in the
 * caller or, @parallel, each in a thread of its own that is waited for.
 * Errors: ENOMEM.
 */
typedef void (*sup_dispatch_fn)(struct sup_entries *entries,
				const struct supervisor_registry_entry *first,
				void *arg);
SUP_API int sup_dispatch(int registry, const void *key, size_t key_len,
			 int parallel, sup_dispatch_fn fn, void *arg);

/*
 * OTP's pg, on a registry of duplicate keys. A process may join a group several
 * times, and leaves it as often (ENOENT: not_joined). Monitoring brings all changes
 * of the registry into @mailbox, and the members of that moment.
 */
SUP_API int sup_pg_join(int registry, const void *group, size_t group_len,
			int mailbox, struct sup_result *result);
SUP_API int sup_pg_leave(int registry, const void *group, size_t group_len);
SUP_API int sup_pg_members(int registry, const void *group, size_t group_len,
			   struct sup_entries **members);
SUP_API int sup_pg_monitor(int registry, int mailbox, const void *group,
			   size_t group_len, struct sup_entries **members);

/* ---- sup_server: a GenServer on a mailbox ----------------------------- */

/*
 * A server is a loop around a mailbox, and functions of yours that it calls, one
 * at a time, all in the thread of sup_server_run(). They take the server and the
 * state that its options name, and return 0 to go on, sup_server_exit() to stop
 * it, or a negative errno value, with which it crashes. See sup_server_new(3).
 */
struct sup_server;

/* What init may return, too: OTP's ignore. */
#define SUP_SERVER_STOP 1
#define SUP_SERVER_IGNORE 2

/**
 * struct sup_server_ops - a server's functions; each may be NULL
 * @sz: sizeof(struct sup_server_ops)
 * @init: before any message: 0, SUP_SERVER_IGNORE, sup_server_exit(), or an error
 * @handle_call: sup_server_reply() answers; without it the reply comes later, by
 *	sup_call_reply() with msg->ref. None: the server crashes with EOPNOTSUPP
 * @handle_cast: likewise, without replies
 * @handle_info: any other message; @msg NULL: the timeout. None: it is dropped
 * @handle_continue: what sup_server_continue() asked for
 * @terminate: the last: @reason is SUPERVISOR_EXIT_*, @error a positive errno
 *	value or 0
 * @format_status: text about the state for sup_server_get_status(): how many
 *	bytes it has put into @text, at most @size
 * @hibernate: give back what memory you can
 */
struct sup_server_ops {
	size_t sz;
	int (*init)(struct sup_server *server, void *state);
	int (*handle_call)(struct sup_server *server, void *state,
			   const struct supervisor_msg *msg,
			   const void *request, size_t len);
	int (*handle_cast)(struct sup_server *server, void *state,
			   const struct supervisor_msg *msg,
			   const void *request, size_t len);
	int (*handle_info)(struct sup_server *server, void *state,
			   const struct supervisor_msg *msg);
	int (*handle_continue)(struct sup_server *server, void *state,
			       void *argument);
	void (*terminate)(struct sup_server *server, void *state,
			  uint32_t reason, int error);
	int (*format_status)(struct sup_server *server, void *state, char *text,
			     size_t size);
	void (*hibernate)(struct sup_server *server, void *state);
};
#define SUP_DEFAULTS_sup_server_ops sizeof(struct sup_server_ops), NULL, NULL, \
	NULL, NULL, NULL, NULL, NULL, NULL

/* Whose system requests a server obeys. */
enum sup_sys_access {
	SUP_SYS_USER = 0,	/* its own user's and root's */
	SUP_SYS_ANYBODY = 1,	/* of all who may call it */
	SUP_SYS_NOBODY = 2
};

/**
 * struct sup_server_opts - options of a server
 * @sz: sizeof(struct sup_server_opts)
 * @state: handed to every function
 * @state_size: its bytes, which sup_server_get_state() copies (0: none)
 * @device: /dev/supervisor; -1 (default): the server opens it
 * @mailbox: serve this one, which stays yours; -1 (default): one of @create
 * @create: the mailbox to make; one that survives is made or taken over, as
 *	sup_mailbox_serve() does. NULL: an anonymous one
 * @parent: a process to link with, whose end is the server's; 0: none
 * @trap_exit: 1: ends of links are messages: that of @parent terminates the
 *	server, others go to handle_info
 * @access: whose system requests are obeyed
 * @recv_flags: SUPERVISOR_RECV_F_PATH or 0
 * @trace_fd: where SUP_TRACE_STREAM goes; -1 (default): nowhere
 * @suspend_bytes: how much may wait in a suspended server, which crashes with
 *	more (64 MiB)
 */
struct sup_server_opts {
	size_t sz;
	void *state;
	size_t state_size;
	int device;
	int mailbox;
	const struct sup_mailbox_opts *create;
	int parent;
	uint32_t trap_exit;
	enum sup_sys_access access;
	uint32_t recv_flags;
	int trace_fd;
	uint32_t reserved;
	uint64_t suspend_bytes;
};
#define SUP_DEFAULTS_sup_server_opts sizeof(struct sup_server_opts), NULL, 0, \
	-1, -1, NULL, 0, 0, SUP_SYS_USER, 0, -1, 0, 64U << 20

/* Makes a server, which does nothing yet. Errors: EINVAL, E2BIG, ENOMEM. */
SUP_API int sup_server_new(struct sup_server **server,
			   const struct sup_server_ops *ops,
			   const struct sup_server_opts *opts);
SUP_API void sup_server_free(struct sup_server *server);

/*
 * Serves until the server stops. Returns what the process should exit with: 0 if
 * normal, ignored, or shutdown, which it declares; 1 otherwise. As a supervised
 * child it reports ready, ignored or failed. Once only.
 */
SUP_API int sup_server_run(struct sup_server *server);
/* Why it stopped: SUPERVISOR_EXIT_*; *@error, if not NULL, a positive errno value
 * or 0.
 */
SUP_API uint32_t sup_server_reason(const struct sup_server *server, int *error);

/*
 * Stops the server with reason SHUTDOWN before its next message: for the handler
 * of SIGTERM, in whatever thread it runs. @signo: the handler's signal, which it
 * sends to the server's thread if that is another. Async-signal-safe.
 */
SUP_API void sup_server_signal(struct sup_server *server, int signo);

/* Its descriptors: to monitor, link, and reply from elsewhere. They are the
 * server's; -1 before sup_server_run().
 */
SUP_API int sup_server_mailbox(const struct sup_server *server);
SUP_API int sup_server_device(const struct sup_server *server);

/* In a server's functions: */

/*
 * Answers the call that handle_call has in hand; the bytes are copied, and go out
 * when it returns. Errors: EINVAL (no call), EALREADY, EMSGSIZE.
 */
SUP_API int sup_server_reply(struct sup_server *server, const void *buf,
			     size_t len);
/*
 * What next, after this function returns 0; the last of them counts. timeout:
 * handle_info(NULL) if no message comes for so long. continue: handle_continue
 * before any message. hibernate: give memory back, then wait. Each returns 0.
 */
SUP_API int sup_server_timeout(struct sup_server *server, uint64_t ms);
SUP_API int sup_server_continue(struct sup_server *server, void *argument);
SUP_API int sup_server_hibernate(struct sup_server *server);
/*
 * To be returned: stops the server. @reason: SUPERVISOR_EXIT_NORMAL, _SHUTDOWN or
 * _CRASH. @error: a positive errno value or 0, for terminate and, from init, for
 * the supervisor. EINVAL: another reason.
 */
SUP_API int sup_server_exit(struct sup_server *server, uint32_t reason,
			    int error);

/* From outside: OTP's sys. */

/*
 * These are calls to a server's mailbox that its loop answers, without its
 * functions; the bytes are described in libsupervisor-sys(7). Errors: EPERM
 * (sup_server_opts.access), EOPNOTSUPP (not in this server), EPROTO (what serves
 * the mailbox is no sup_server), and those of sup_mailbox_call().
 */

/*
 * A suspended server takes messages but handles none, apart from these requests
 * and its parent's end. Again is no error.
 */
SUP_API int sup_server_suspend(int mailbox, uint64_t deadline);
SUP_API int sup_server_resume(int mailbox, uint64_t deadline);
/*
 * Copies the server's state into @buf, of *@len bytes, which are then so many.
 * Further errors: EMSGSIZE (*@len is what it needs; 0: the server's answer is
 * too long to be one).
 */
SUP_API int sup_server_get_state(int mailbox, void *buf, size_t *len,
				 uint64_t deadline);

/**
 * struct sup_server_status - what sup_server_get_status() tells
 * @sz: sizeof(struct sup_server_status)
 * @pid: the server's process, in its own pid namespace
 * @suspended: 1 while suspended
 * @traced: 1 while traced
 * @waiting: messages that wait for it to be resumed
 * @since_ns: when it had initialized
 * @calls: calls that it has handled
 * @casts: casts, likewise
 * @infos: other messages, likewise
 */
struct sup_server_status {
	size_t sz;
	int32_t pid;
	uint32_t suspended;
	uint32_t traced;
	uint32_t waiting;
	uint64_t since_ns;
	uint64_t calls;
	uint64_t casts;
	uint64_t infos;
};
#define SUP_DEFAULTS_sup_server_status sizeof(struct sup_server_status), 0, 0, \
	0, 0, 0, 0, 0, 0

/*
 * @text, of *@len bytes, gets what the server's format_status says, cut to fit,
 * without a NUL; *@len is then its whole length. NULL with a @len of NULL: not
 * asked for. Set status->sz before.
 */
SUP_API int sup_server_get_status(int mailbox,
				  struct sup_server_status *status, char *text,
				  size_t *len, uint64_t deadline);
/*
 * Stops the server with @reason (SUPERVISOR_EXIT_*): 0 when its terminate has
 * returned; its process is about to exit. EOWNERDEAD if it died of it.
 */
SUP_API int sup_server_stop(int mailbox, uint32_t reason, uint64_t deadline);

/*
 * What the server does is told to @alias, an alias of a mailbox of yours, as
 * casts for sup_msg_trace(); SUP_TRACE_STREAM: as lines to its trace_fd;
 * SUP_TRACE_OFF: no more. It stops by itself when the alias is off.
 */
#define SUP_TRACE_OFF 0ULL
#define SUP_TRACE_STREAM (~0ULL)
SUP_API int sup_server_trace(int mailbox, uint64_t alias, uint64_t deadline);

/* What a server has done. */
enum sup_trace_kind {
	SUP_TRACE_CALL = 1,	/* received one */
	SUP_TRACE_CAST = 2,
	SUP_TRACE_INFO = 3,	/* another message */
	SUP_TRACE_TIMEOUT = 4,
	SUP_TRACE_CONTINUE = 5,
	SUP_TRACE_HIBERNATE = 6,
	SUP_TRACE_REPLY = 7,	/* sent one */
	SUP_TRACE_SYSTEM = 8,	/* received a system request */
	SUP_TRACE_STOP = 9	/* stopped: @ref is the reason */
};

/**
 * struct sup_trace - one thing that a traced server has done
 * @magic: SUP_SYS_MAGIC
 * @version: SUP_SYS_VERSION
 * @kind: SUP_TRACE_CALL and so on
 * @pid: the sender of the message
 * @ref: of the message
 * @time_ns: when
 * @lost: events before this one that found no room
 * @len: bytes of the payload, of which the first 256 follow
 */
struct sup_trace {
	uint8_t magic[16];
	uint16_t version;
	uint16_t kind;
	int32_t pid;
	uint64_t ref;
	uint64_t time_ns;
	uint32_t lost;
	uint32_t len;
};
/* The trace that a CAST brings, or NULL; *@data are its *@len bytes of payload. */
SUP_API const struct sup_trace *sup_msg_trace(const struct supervisor_msg *msg,
					      const void **data, size_t *len);

/* The bytes of system requests and their replies: libsupervisor-sys(7). */
#define SUP_SYS_MAGIC "\0sup.sys\xb7\x0e\x91\x5c\xe2\x3d\xa8\x46"
#define SUP_SYS_VERSION 1
enum {
	SUP_SYS_SUSPEND = 1,
	SUP_SYS_RESUME = 2,
	SUP_SYS_GET_STATE = 3,
	SUP_SYS_GET_STATUS = 4,
	SUP_SYS_STOP = 5,	/* @value: the reason */
	SUP_SYS_TRACE = 6	/* @argument: the alias */
};

struct sup_sys {
	uint8_t magic[16];
	uint16_t version;
	uint16_t op;
	int32_t value;		/* of a reply: 0 or a negative errno value */
	uint64_t argument;
};

/* ---- words ------------------------------------------------------------ */

/* Which constants sup_word() names. */
enum sup_words {
	SUP_WORDS_STRATEGY = 0,		/* one_for_one... */
	SUP_WORDS_AUTO_SHUTDOWN = 1,	/* never, any_significant... */
	SUP_WORDS_OWNER_DEATH = 2,	/* shutdown, release, hold */
	SUP_WORDS_RESTART = 3,		/* permanent... */
	SUP_WORDS_TYPE = 4,		/* worker, supervisor */
	SUP_WORDS_READINESS = 5,	/* exec, attach, notify */
	SUP_WORDS_SIGNAL = 6,		/* process, group */
	SUP_WORDS_STATE = 7,		/* of a supervisor: new, starting... */
	SUP_WORDS_CHILD_STATE = 8,	/* undefined, starting, running... */
	SUP_WORDS_EVENT = 9,		/* 0 has none; started, start_failed... */
	SUP_WORDS_EXIT = 10,		/* normal, shutdown, crash, killed, noproc */
	SUP_WORDS_DOWN = 11,		/* stopped, init_failed, intensity... */
	SUP_WORDS_RESULT = 12,		/* ok, ok_undefined, running... */
	SUP_WORDS_INVALID = 13,		/* 0 has none; strategy, intensity... */
	SUP_WORDS_LIMIT = 14,		/* 0 has none; supervisors... */
	SUP_WORDS_KIND = 15,		/* of an object: supervisor, mailbox... */
	SUP_WORDS_MESSAGE = 16,		/* 0 has none; start, event, answer... */
	SUP_WORDS_ALIAS = 17,		/* none, explicit, reply... */
	SUP_WORDS_DOWN_OF = 18,		/* process, mailbox, supervisor */
	SUP_WORDS_TRACE = 19,		/* 0 has none; SUP_TRACE_*: call, cast... */
	SUP_WORDS_KEYS = 20,		/* unique, duplicate, duplicate_by_key */
	SUP_WORDS_CHANGE = 21,		/* 0 has none; registered, unregistered, died */
	SUP_WORDS_DECISION = 22,	/* about a crash: restart, retry... */
	SUP_WORDS_CHILDREN = 23,	/* what a supervisor has: ordered, dynamic... */
	SUP_WORDS_SPAWN = 24		/* who makes dynamic ones: spawner, self */
};

/*
 * The word for SUPERVISOR_*_<value>, in OTP's spelling where OTP has one;
 * "" for 0 where noted, NULL beyond the last: so a loop to NULL parses one.
 */
SUP_API const char *sup_word(enum sup_words words, uint32_t value);

/* ---- commands: what a child's blob says ------------------------------- */

/*
 * A command is how to start a process: what sup_spawner understands in a
 * child's blob. The bytes are described in libsupervisor-blob(7). A command is
 * built with the setters, or decoded from a blob; both then read and encode
 * alike. Equal commands encode to equal bytes.
 *
 * Setters copy what they are given. They fail with EINVAL, for a value that can
 * never be right (an empty program or path, '=' in the name of a variable...),
 * or with ENOMEM, and then change nothing.
 */
SUP_API int sup_command_new(struct sup_command **command);
SUP_API void sup_command_free(struct sup_command *command);

/* Appends an argument. The first is the program, sought along the child's
 * PATH if it has no '/', as execvp(3) does.
 */
SUP_API int sup_command_add_arg(struct sup_command *command, const char *arg);

/*
 * The environment is the spawner's at sup_spawner_new(), or empty after
 * clear_env; then variables are set and unset in the order of these calls.
 */
SUP_API int sup_command_clear_env(struct sup_command *command);
SUP_API int sup_command_set_env(struct sup_command *command, const char *name,
				const char *value);
SUP_API int sup_command_unset_env(struct sup_command *command,
				  const char *name);

/* Working directory. The default is the spawner's. */
SUP_API int sup_command_set_cwd(struct sup_command *command, const char *path);

/*
 * Names or decimal numbers, looked up by the spawner at each start. A user
 * brings its own group and supplementary groups unless set_group, and
 * add_group or clear_groups, say otherwise.
 */
SUP_API int sup_command_set_user(struct sup_command *command, const char *user);
SUP_API int sup_command_set_group(struct sup_command *command,
				  const char *group);
SUP_API int sup_command_add_group(struct sup_command *command,
				  const char *group);
SUP_API int sup_command_clear_groups(struct sup_command *command);

SUP_API int sup_command_set_umask(struct sup_command *command, uint32_t mask);

/* @resource as RLIMIT_* of setrlimit(2); ~0 is RLIM_INFINITY. */
SUP_API int sup_command_set_rlimit(struct sup_command *command,
				   uint32_t resource, uint64_t soft,
				   uint64_t hard);

/* Where standard input, output and error go. */
enum sup_stdio {
	SUP_STDIO_INHERIT = 0,	/* the spawner's (default) */
	SUP_STDIO_NULL = 1,	/* /dev/null */
	SUP_STDIO_FILE = 2,	/* read from, or truncate and write to, a path */
	SUP_STDIO_APPEND = 3,	/* append to a path; not for fd 0 */
	SUP_STDIO_STDOUT = 4	/* where stdout goes; for fd 2 only */
};

/* @fd is 0, 1 or 2; @path NULL unless FILE or APPEND, relative to the working
 * directory of the child, opened with the spawner's rights.
 */
SUP_API int sup_command_set_stdio(struct sup_command *command, int fd,
				  enum sup_stdio kind, const char *path);

/* Which session and process group the child gets. */
enum sup_session {
	SUP_SESSION_AUTO = 0,	/* a new session if the group is signalled */
	SUP_SESSION_NEW = 1,	/* setsid(2) */
	SUP_SESSION_GROUP = 2,	/* a new group in the spawner's session */
	SUP_SESSION_INHERIT = 3	/* neither: not for a child signalled by group */
};

SUP_API int sup_command_set_session(struct sup_command *command,
				    enum sup_session session);

/* Whether the child gets a NOTIFY_SOCKET for sd_notify(3). */
enum sup_notify {
	SUP_NOTIFY_AUTO = 0,	/* if its readiness is notify */
	SUP_NOTIFY_NO = 1,
	SUP_NOTIFY_YES = 2
};

SUP_API int sup_command_set_notify(struct sup_command *command,
				   enum sup_notify notify);

/*
 * Encodes into *@blob, for free(3). Errors: EINVAL (no argument yet), EMSGSIZE
 * (over SUPERVISOR_BLOB_MAX), ENOMEM.
 */
SUP_API int sup_command_encode(const struct sup_command *command, void **blob,
			       size_t *len);
/*
 * Decodes any bytes. Errors: EBADMSG (not a blob of ours, or malformed),
 * EOPNOTSUPP (a version or a mandatory tag that this library does not know),
 * EMSGSIZE, ENOMEM.
 */
SUP_API int sup_command_decode(const void *blob, size_t len,
			       struct sup_command **command);

/* Reading. Strings and arrays last as long as the command is not changed. */
/* The arguments, NULL-terminated. */
SUP_API const char *const *
sup_command_argv(const struct sup_command *command);
/* Changes to the environment: "NAME=value" sets, "NAME" unsets;
 * NULL-terminated. @clear says whether it begins empty.
 */
SUP_API const char *const *
sup_command_env(const struct sup_command *command, int *clear);
/* NULL where not set. */
SUP_API const char *sup_command_cwd(const struct sup_command *command);
SUP_API const char *sup_command_user(const struct sup_command *command);
SUP_API const char *sup_command_group(const struct sup_command *command);
/* NULL-terminated; NULL where not set, empty after clear_groups. */
SUP_API const char *const *
sup_command_groups(const struct sup_command *command);
/* 1 and *@mask where set, otherwise 0. */
SUP_API int sup_command_umask(const struct sup_command *command,
			      uint32_t *mask);
/* 1 and the limit where set, otherwise 0. */
SUP_API int sup_command_rlimit(const struct sup_command *command,
			       uint32_t resource, uint64_t *soft,
			       uint64_t *hard);
/* EINVAL if @fd is not 0 to 2. @path may be NULL. */
SUP_API int sup_command_stdio(const struct sup_command *command, int fd,
			      enum sup_stdio *kind, const char **path);
SUP_API enum sup_session
sup_command_session(const struct sup_command *command);
SUP_API enum sup_notify
sup_command_notify(const struct sup_command *command);

/* ---- the spawner ------------------------------------------------------ */

/*
 * Carries out START requests of a control mailbox: fork, attach, exec, and
 * reaps what it started. It makes no thread: give it one (sup_spawner_run()),
 * which does nothing else, or drive it from an event loop (sup_spawner_fd(),
 * sup_spawner_step()).
 */
struct sup_spawner;

/* What on_init returns other than 0 and a negative errno. */
#define SUP_INIT_IGNORE 1

/**
 * struct sup_spawner_opts - options of a spawner
 * @sz: sizeof(struct sup_spawner_opts)
 * @supervisor: run until this supervisor is down; -1 (default) for none. The
 *	spawner keeps its own copy of the descriptor
 * @raise_files: not 0: sets this process's soft limit of open files to the hard
 *	one, for there is a descriptor for each child. Children have what it was
 * @on_message: gets every message that is not a START (events and answers, if
 *	some go to this mailbox), or NULL to drop them
 * @on_fail: told why a start failed, before or as the kernel is told: @step is
 *	what could not be done ("blob", "user", "cwd", "exec"...), @error its
 *	errno. Or NULL
 * @context: first argument of all three
 * @on_init: asked each time a nested supervisor whose readiness is notify is to
 *	start, as OTP asks init/1: 0 to start its children, SUP_INIT_IGNORE for
 *	OTP's ignore, or a negative errno to fail. NULL starts them
 *
 * All are called in the spawner's thread, outside any lock. They may call
 * sup_spawner_stop(), but must not wait for the tree, which waits for them.
 */
struct sup_spawner_opts {
	size_t sz;
	int supervisor;
	int raise_files;
	void (*on_message)(void *context, const struct supervisor_msg *msg);
	void (*on_fail)(void *context, const struct supervisor_msg *start,
			const char *step, int error);
	void *context;
	int (*on_init)(void *context, const struct supervisor_msg *start);
};
#define SUP_DEFAULTS_sup_spawner_opts sizeof(struct sup_spawner_opts), -1, 0, \
	NULL, NULL, NULL, NULL

/*
 * Makes a spawner that reads @mailbox, whose descriptor and @device's it
 * copies. It takes the environment of this moment for its children's, without
 * NOTIFY_SOCKET, WATCHDOG_*, LISTEN_*. They inherit descriptors below 256 that
 * are not close-on-exec. Errors: EBADF, EMFILE, ENFILE, ENOMEM,
 * EINVAL, E2BIG.
 */
SUP_API int sup_spawner_new(struct sup_spawner **spawner, int device,
			    int mailbox, const struct sup_spawner_opts *opts);
/* Closes what it holds. Children that run go on, no longer reaped by it. */
SUP_API void sup_spawner_free(struct sup_spawner *spawner);

/*
 * Serves until opts->supervisor is down or sup_spawner_stop() was called: 0.
 * Errors: EINTR (a signal handler ran: call it again, or not), and whatever
 * reading the mailbox says, when it can serve no longer.
 */
SUP_API int sup_spawner_run(struct sup_spawner *spawner);
/* Ends sup_spawner_run(), from any thread or signal handler. */
SUP_API int sup_spawner_stop(struct sup_spawner *spawner);

/* Readable when sup_spawner_step() has something to do. Not for reading. */
SUP_API int sup_spawner_fd(const struct sup_spawner *spawner);
/*
 * Does what there is to do, and does not wait for more (a start itself takes
 * until the exec). Returns 1, or 0 when sup_spawner_run() would have ended.
 */
SUP_API int sup_spawner_step(struct sup_spawner *spawner);

/* ---- tasks ------------------------------------------------------------ */

/*
 * OTP's tasks: a function in a forked process, or a program, whose result is
 * awaited. Only the process that made a struct sup_tasks may use it and its
 * tasks, which stay behind after a fork: EPERM. See sup_task_async(3).
 */
struct sup_tasks;
struct sup_task;
struct sup_task_writer;

/**
 * struct sup_tasks_opts - options of an owner of tasks
 * @sz: sizeof(struct sup_tasks_opts)
 * @on_message: gets what arrives in the mailbox of sup_tasks_mailbox() and is of
 *	no task, or NULL to drop it
 * @context: its first argument
 */
struct sup_tasks_opts {
	size_t sz;
	void (*on_message)(void *context, const struct supervisor_msg *msg);
	void *context;
};
#define SUP_DEFAULTS_sup_tasks_opts sizeof(struct sup_tasks_opts), NULL, NULL

/* For the calling process, of which @device is a copy. Errors: EINVAL, E2BIG,
 * EBADF, EMFILE, ENOMEM.
 */
SUP_API int sup_tasks_new(struct sup_tasks **tasks, int device,
			  const struct sup_tasks_opts *opts);
/*
 * After its tasks and streams have been freed. Those that run go on, and their
 * results go nowhere.
 */
SUP_API void sup_tasks_free(struct sup_tasks *tasks);
/*
 * The mailbox into which results come: to poll for a sup_task_yield() without
 * waiting, and for sup_trap_exit(). It is made when it is first needed. Errors:
 * EPERM, and those of sup_mailbox_create().
 */
SUP_API int sup_tasks_mailbox(struct sup_tasks *tasks);

/*
 * A task's function: what it writes with sup_task_write() is its result when it
 * returns 0. Another return, or exit(3), is a crash: a negative errno value is
 * told to who awaits it, others are its exit status.
 */
typedef int (*sup_task_fn)(struct sup_task_writer *result, void *arg);
/* In a task's function: appends to its result. Errors: EMSGSIZE (over
 * result_max: whatever it returns now, it has none).
 */
SUP_API int sup_task_write(struct sup_task_writer *result, const void *buf,
			   size_t len);

/**
 * struct sup_work - what a task does: @fn or @command
 * @sz: sizeof(struct sup_work)
 * @fn: a function, in a process that is forked
 * @arg: its argument
 * @command: a program, whose result is its standard output when it exits with 0
 * @result_max: bytes that the result may have. Up to SUPERVISOR_PAYLOAD_MAX,
 *	which is the default, that of a function comes as a message; beyond, and
 *	of programs, it is in a memfd made before the fork
 * @supervisor: a dynamic supervisor whose children join, of which the task is to be
 *	one: OTP's Task.Supervisor; -1 (default): none
 * @reserved: must be 0
 */
struct sup_work {
	size_t sz;
	sup_task_fn fn;
	void *arg;
	const struct sup_command *command;
	uint64_t result_max;
	int supervisor;
	uint32_t reserved;
};
#define SUP_DEFAULTS_sup_work sizeof(struct sup_work), NULL, NULL, NULL, \
	SUPERVISOR_PAYLOAD_MAX, -1, 0

/*
 * Starts a task; sup_task_free() frees what is in *@task. async links its process
 * with the caller's, as sup_process_link() does; async_nolink does not.
 * Errors: EPERM (not the owner), EINVAL (not one of @fn and @command, result_max),
 * EAGAIN (no more processes), EDQUOT, EMFILE, ENFILE, ENOMEM; those of
 * sup_dynamic_join() (EUSERS: max_children); of a program, what keeps it from being
 * executed (ENOENT, EACCES...).
 */
SUP_API int sup_task_async(struct sup_tasks *tasks, const struct sup_work *work,
			   struct sup_task **task);
SUP_API int sup_task_async_nolink(struct sup_tasks *tasks,
				  const struct sup_work *work,
				  struct sup_task **task);
/* A task whose result nobody wants; start_link links it. Returns its process. */
SUP_API int sup_task_start(struct sup_tasks *tasks, const struct sup_work *work);
SUP_API int sup_task_start_link(struct sup_tasks *tasks,
				const struct sup_work *work);
/* A task that has its result already. Errors: EPERM, ENOMEM. */
SUP_API int sup_task_completed(struct sup_tasks *tasks, const void *data,
			       size_t len, struct sup_task **task);
/*
 * Frees a task, and its result. One that runs goes on, and what it returns goes
 * nowhere; it stays linked.
 */
SUP_API void sup_task_free(struct sup_task *task);
/* Its process; 0 of one that was completed from the beginning. */
SUP_API int sup_task_pid(const struct sup_task *task);

/* How a task has ended. */
enum sup_task_kind {
	SUP_TASK_NONE = 0,	/* it has not, or nobody waits any more: nil */
	SUP_TASK_OK = 1,	/* {ok, value} */
	SUP_TASK_EXIT = 2	/* {exit, reason} */
};

/**
 * struct sup_task_result - what became of a task
 * @sz: sizeof(struct sup_task_result)
 * @kind: SUP_TASK_*
 * @reason: of EXIT: SUPERVISOR_EXIT_*
 * @status: of EXIT: the raw wait status, as of wait4(2)
 * @error: of EXIT: an errno value or 0: the function's own, EMSGSIZE (a result
 *	over result_max), ENOMEM (no memory to receive it), ETIMEDOUT (of a stream's,
 *	killed for its time was up)
 * @pid: its process
 * @reserved: 0
 * @data: the result; of a program also with EXIT, as far as it came. As long as
 *	the task is not freed
 * @len: its bytes
 */
struct sup_task_result {
	size_t sz;
	uint32_t kind;
	uint32_t reason;
	int32_t status;
	int32_t error;
	int32_t pid;
	uint32_t reserved;
	const void *data;
	size_t len;
};
#define SUP_DEFAULTS_sup_task_result sizeof(struct sup_task_result), 0, 0, 0, \
	0, 0, 0, NULL, 0

/* What is known of it, without a look at the mailbox. Returns the kind. */
SUP_API int sup_task_result(const struct sup_task *task,
			    struct sup_task_result *result);

/*
 * Waits for a task's result. @result may be NULL. A task that has ended may be
 * awaited again, one that was given up may not.
 * Errors: EOWNERDEAD (it died: @result says how), EMSGSIZE (its result was over
 * result_max), ETIMEDOUT (it is given up: it runs on, and its reply is dropped),
 * ESTALE (it was given up before), ENOMEM (to receive it), EPERM (not the owner),
 * EINTR (it may be awaited again).
 */
SUP_API int sup_task_await(struct sup_task *task, uint64_t deadline,
			   struct sup_task_result *result);
/*
 * Waits for all, of one owner: 0, and sup_task_result() has each. The first that
 * died, or the deadline, ends it, and gives those up that have not ended.
 * Further errors: EINVAL (of several owners).
 */
SUP_API int sup_task_await_many(struct sup_task *const tasks[], size_t n,
				uint64_t deadline);

/*
 * Waits, and gives nothing up: 1, and @result says how it ended; 0 at the
 * deadline. Errors: ESTALE, EPERM, EINTR.
 */
SUP_API int sup_task_yield(struct sup_task *task, uint64_t deadline,
			   struct sup_task_result *result);

/* What sup_task_yield_many() does with the rest at its deadline. */
enum sup_on_timeout {
	SUP_ON_TIMEOUT_NOTHING = 0,
	SUP_ON_TIMEOUT_IGNORE = 1,	/* sup_task_ignore() */
	SUP_ON_TIMEOUT_KILL = 2,	/* sup_task_shutdown(), SUPERVISOR_SHUTDOWN_KILL */
	SUP_ON_TIMEOUT_EXIT = 3		/* of a stream: it ends with ETIME */
};

/**
 * struct sup_yield_opts - options of sup_task_yield_many()
 * @sz: sizeof(struct sup_yield_opts)
 * @deadline: when to return
 * @limit: return when so many have ended (0: all)
 * @on_timeout: SUP_ON_TIMEOUT_NOTHING (default), _IGNORE or _KILL: what to do with
 *	the others, if the deadline has passed
 * @reserved: must be 0
 */
struct sup_yield_opts {
	size_t sz;
	uint64_t deadline;
	size_t limit;
	uint32_t on_timeout;
	uint32_t reserved;
};
#define SUP_DEFAULTS_sup_yield_opts sizeof(struct sup_yield_opts), \
	SUPERVISOR_NO_DEADLINE, 0, SUP_ON_TIMEOUT_NOTHING, 0

/* Returns how many of them have ended; sup_task_result() has each. Errors: EINVAL,
 * ESTALE, EPERM, EINTR, E2BIG.
 */
SUP_API int sup_task_yield_many(struct sup_task *const tasks[], size_t n,
				const struct sup_yield_opts *opts);

/*
 * Unlinks a task, asks it to end (SIGTERM, and SIGCONT), kills it @timeout_ms later
 * (SUPERVISOR_SHUTDOWN_INFINITY: never; SUPERVISOR_SHUTDOWN_KILL: at once), and
 * waits until it is dead. 1 if it had a result, or died otherwise than asked:
 * @result says; 0 if it died as asked. Errors: ESTALE, EPERM, EINVAL; EINTR (call
 * it again: the time begins anew).
 */
SUP_API int sup_task_shutdown(struct sup_task *task, int64_t timeout_ms,
			      struct sup_task_result *result);
/*
 * Unlinks a task and gives it up: 1 if it has ended, and @result says how;
 * otherwise 0, and it runs on. Errors: ESTALE, EPERM.
 */
SUP_API int sup_task_ignore(struct sup_task *task,
			    struct sup_task_result *result);

/*
 * A stream of tasks: items come from a function of yours, as they are needed, and
 * results go out. See sup_task_async_stream(3).
 */
struct sup_stream;

/**
 * struct sup_stream_opts - a stream of tasks; the defaults are Elixir's
 * @sz: sizeof(struct sup_stream_opts)
 * @next: fills in the next item's @work and, if it likes, *@item: 1; 0: there are no
 *	more; EAGAIN: none yet, ask when @fd is readable; another negative errno value
 *	is what sup_stream_next() returns
 * @context: its first argument
 * @fd: to be polled after EAGAIN; -1 (default): none
 * @max_concurrency: how many tasks run at a time (0: sup_processors())
 * @unordered: 1: results go out as they come. 0 (default): in the order of items
 * @nolink: 1: as async_nolink; 0 (default): as async
 * @timeout_ms: of each task, from its start (5000); SUP_TIMEOUT_INFINITY: none
 * @on_timeout: SUP_ON_TIMEOUT_EXIT (default) or _KILL: it is killed in both cases
 * @reserved: must be 0
 */
struct sup_stream_opts {
	size_t sz;
	int (*next)(void *context, struct sup_work *work, void **item);
	void *context;
	int fd;
	uint32_t max_concurrency;
	uint32_t unordered;
	uint32_t nolink;
	int64_t timeout_ms;
	uint32_t on_timeout;
	uint32_t reserved;
};
#define SUP_DEFAULTS_sup_stream_opts sizeof(struct sup_stream_opts), NULL, \
	NULL, -1, 0, 0, 0, 5000, SUP_ON_TIMEOUT_EXIT, 0

/**
 * struct sup_stream_item - one result of a stream
 * @sz: sizeof(struct sup_stream_item)
 * @item: what @next said
 * @index: the item's number: 0, 1, 2...
 * @running: tasks that run now
 * @result: what became of it; until the next sup_stream_next() or sup_stream_free()
 */
struct sup_stream_item {
	size_t sz;
	void *item;
	uint64_t index;
	uint64_t running;
	struct sup_task_result result;
};
#define SUP_DEFAULTS_sup_stream_item sizeof(struct sup_stream_item), NULL, 0, \
	0, { SUP_DEFAULTS_sup_task_result }

/* Makes a stream, which starts nothing yet. Errors: EINVAL, E2BIG, EPERM, ENOMEM. */
SUP_API int sup_task_async_stream(struct sup_tasks *tasks,
				  const struct sup_stream_opts *opts,
				  struct sup_stream **stream);
/*
 * The next result: 1, or 0 when all have gone out. Errors: ETIME (a task's time was
 * up, and on_timeout is EXIT: @item is its; all tasks are killed, and the stream is
 * over), ETIMEDOUT (the deadline), EINTR, those of sup_task_async() and of @next:
 * nothing is lost, and it may be called again.
 */
SUP_API int sup_stream_next(struct sup_stream *stream, uint64_t deadline,
			    struct sup_stream_item *item);
/* Kills the tasks that run. */
SUP_API void sup_stream_free(struct sup_stream *stream);

#ifdef __cplusplus
}
#endif

#endif /* SUPERVISOR_H */
