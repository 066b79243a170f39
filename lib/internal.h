/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * internal.h - what libsupervisor's files share and its users do not see: the
 * ioctl, size-first structs, buffers of records, and the spawner's parts.
 */
#ifndef SUP_INTERNAL_H
#define SUP_INTERNAL_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <supervisor.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define offsetofend(type, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member))
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define u64_from_ptr(p) ((uint64_t)(uintptr_t)(p))

/* The longest answer that the kernel gives: supervisor_query.buf_len. */
#define SUP_BUF_MAX (16U << 20)

/* base.c: ioctl(2), but 0 or -errno, and errno stays as it was. */
int sup_ioctl(int fd, unsigned long request, void *arg);

/*
 * base.c: structs that begin with sz. sup_struct_in() fills @dst, which holds
 * the defaults, from the caller's @src (NULL: nothing): -EINVAL below @min,
 * -E2BIG for nonzero bytes beyond @size. sup_struct_out() goes the other way,
 * as far as the caller knows the struct.
 */
int sup_struct_in(void *dst, size_t size, size_t min, const void *src);
void sup_struct_out(void *dst, size_t size, const void *src);

#define SUP_STRUCT_IN(dst, last, src) \
	sup_struct_in((dst), sizeof(*(dst)), \
		      offsetofend(__typeof__(*(dst)), last), (src))

/*
 * base.c: results. Begin checks @result, end writes it; both take NULL. Refused notes
 * what has met a key, a value or a payload that did not get in.
 */
int sup_result_begin(const struct sup_result *result, struct sup_result *local);
void sup_result_refused(struct sup_result *local, int error, uint32_t limit,
			uint32_t max);
void sup_result_end(struct sup_result *result, const struct sup_result *local);

/*
 * What errno was, written only where that changes it: in a process that forks, the
 * first write to a page copies it.
 */
static inline void sup_errno_restore(int saved)
{
	if (errno != saved)
		errno = saved;
}

/* base.c: realloc(3), free(3) and close(2) that leave errno alone. */
void *sup_realloc(void *mem, size_t size);
void sup_free(void *mem);
void sup_close(int fd);

/* base.c: the length of a string for a __u32, so that too long stays too long. */
uint32_t sup_strlen32(const char *s);
/* The same for bytes that were counted. */
uint32_t sup_len32(size_t len);

/* device.c: opens an object of this kind by its name. */
int sup_open_kind(int device, uint32_t kind, const char *name, int access,
		  struct sup_result *result);
/* ref.c: an ioctl with a struct supervisor_ref: out_found, or -errno. */
int sup_ref_end(int mailbox, unsigned long request, uint64_t ref,
		uint32_t flags);

/*
 * record.c: the record after @prev (the first after NULL) in @len bytes at
 * @buf; records begin with their __u32 size, a multiple of 8, and have at least
 * @min bytes. NULL at the end and for records that make no sense.
 */
const void *sup_record_next(const void *buf, size_t len, const void *prev,
			    size_t min);
/* record.c: are there @len bytes and a NUL at @offset of a record of @size? */
bool sup_record_text_ok(const void *record, size_t size, size_t offset,
			size_t len);
/* The same for child records, whose name is checked too. */
const struct supervisor_child_status *
sup_record_child(const void *buf, size_t len,
		 const struct supervisor_child_status *prev);
const struct supervisor_lineage_entry *
sup_record_lineage(const void *buf, size_t len,
		   const struct supervisor_lineage_entry *prev);
/* A malloc'd buffer in which the library walks records. */
struct sup_buf {
	void *mem;
	size_t len;
	size_t cap;
};
int sup_buf_reserve(struct sup_buf *buf, size_t cap);
/* record.c: makes the opaque list of a buffer, and takes it over. */
int sup_children_from(struct sup_buf *buf, struct sup_children **children);

/* child.c: a spec as the kernel gives it back, as options. */
int sup_spec_to_opts(const void *mem, size_t len, struct sup_child_opts *opts);
/* child.c: and the other way; *@encoded is to be freed after the ioctl. */
int sup_spec_from_opts(struct supervisor_child_spec *spec, const char *id,
		       const struct sup_child_opts *opts, void **encoded);
/* blob.c: sup_command_decode(), and then the records of @args, if there are any. */
int sup_command_decode_with(const void *blob, size_t len, const void *args,
			    size_t args_len, struct sup_command **command);

/* siphash.c: SipHash-2-4 with the two words of @key. */
uint64_t sup_siphash(const uint64_t key[2], const void *bytes, size_t len);
/*
 * peek.c: finds a key in what a registry's mapping shows: 1 and *@found, a copy, which
 * may have only the beginning of the key or the value; 0: nobody has it; -EAGAIN: what
 * is shown does not say.
 */
int sup_map_find(const struct supervisor_map *shown, const void *key, size_t len,
		 struct supervisor_map_slot *found);

/* ---- the spawner's parts ---------------------------------------------- */

/* command.c: what is set in a command. */
struct sup_strv {
	char **v;		/* NULL-terminated, or NULL while n is 0 */
	size_t n;
	size_t cap;
};

struct sup_command_stdio {
	enum sup_stdio kind;
	char *path;
};

#define SUP_RLIMITS 16		/* RLIM_NLIMITS of Linux, everywhere */

/* As the kernel has it. */
struct sup_rlimit {
	uint64_t soft;
	uint64_t hard;
};

struct sup_command {
	struct sup_strv argv;
	struct sup_strv env;	/* "NAME=value" and "NAME" */
	struct sup_strv groups;
	char *cwd;
	char *user;
	char *group;
	bool clear_env;
	bool has_groups;
	bool has_umask;
	uint32_t umask;
	uint32_t rlimits;	/* bit mask of those set */
	struct sup_rlimit rlimit[SUP_RLIMITS];
	struct sup_command_stdio stdio[3];
	enum sup_session session;
	enum sup_notify notify;
};

/* command.c: sup_command_new(), with so many bytes after it. */
int sup_command_alloc(struct sup_command **command, size_t scratch);

/* Where a start failed; sup_step_name() has the words. */
enum sup_step {
	SUP_STEP_NONE,
	SUP_STEP_BLOB,
	SUP_STEP_MEMORY,
	SUP_STEP_NOTIFY,
	SUP_STEP_USER,
	SUP_STEP_GROUP,
	SUP_STEP_FORK,
	SUP_STEP_SESSION,
	SUP_STEP_FILES,
	SUP_STEP_ATTACH,
	SUP_STEP_CWD,
	SUP_STEP_RLIMIT,
	SUP_STEP_STDIN,
	SUP_STEP_STDOUT,
	SUP_STEP_STDERR,
	SUP_STEP_EXEC
};
const char *sup_step_name(enum sup_step step);

/* ids.c: whom a command runs as. */
struct sup_ids {
	bool set_uid;
	bool set_gid;
	bool set_groups;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t ngroups;
};
/* Looks names up; 0 or -errno, *@step says of what. Frees with free(groups). */
int sup_ids_resolve(const struct sup_command *command, struct sup_ids *ids,
		    enum sup_step *step);

/*
 * plan.c: everything that the new process will do, laid out before the fork so
 * that it only has to make system calls.
 */
struct sup_plan {
	const struct sup_command *command;
	struct sup_ids ids;
	enum sup_session session;
	char *const *argv;
	char *const *env;	/* of the new process */
	char **envp;		/* where its array is ours; its strings are not */
	char **paths;		/* to try in turn, in one allocation */
	char **sh_argv;		/* in it: for ENOEXEC: sh, the path, then argv[1]... */
	char notify[32];	/* "NOTIFY_SOCKET=@..." or "" */
};
/* @inherited is an environment. 0 or -errno, with nothing to free. */
int sup_plan_init(struct sup_plan *plan, const struct sup_command *command,
		  char *const *inherited, uint32_t signal_whom,
		  enum sup_step *step);
void sup_plan_free(struct sup_plan *plan);

/* spawn.c: the fork. */
struct sup_spawn {
	/* in */
	const struct sup_plan *plan;
	int device;
	uint64_t token;
	int private_fd;		/* it and all above: not for the new process */
	const struct sup_rlimit *files;	/* its limit of open files; NULL: ours */
	/*
	 * In the new process, instead of the attach: system calls only, and the
	 * signals reset. 0 or -errno. NULL: it attaches with @token.
	 */
	int (*enter)(void *context);
	void (*undo)(void *context);	/* there, before it exits without exec */
	void *context;
	int output;		/* its standard output; 0: as the command says */
	void *stack;
	size_t stack_size;
	/* out */
	int pid;
	int pidfd;
	/* out, by the child */
	volatile enum sup_step step;
	volatile int error;
};
/* All signals, those of the libc too; and back. */
void sup_spawn_block(uint64_t *mask);
void sup_spawn_unblock(const uint64_t *mask);
/* In a new process: no handler of ours, no mask. */
void sup_spawn_reset_signals(void);
/*
 * Forks, attaches, execs; call it with all signals blocked. 0: there was a child, .pid and .pidfd are it, .step
 * and .error say what it could not do. -errno: there was none.
 */
int sup_spawn(struct sup_spawn *spawn);

/* report.c: sup_child_attach() with SUPERVISOR_ATTACH_F_* */
int sup_attach(int device, uint64_t token, uint32_t flags);

/* notify.c: the receiving side of sd_notify(3). */
/* A new socket; @variable gets "NOTIFY_SOCKET=...". fd or -errno. */
int sup_notify_socket(char *variable, size_t size);
/*
 * Reads what there is: 1 if READY=1 came from process @pid, whose session it
 * leads if @session, or from a descendant. Otherwise 0.
 */
int sup_notify_read(int fd, pid_t pid, bool session);

/* ---- the server's parts ----------------------------------------------- */

/* What comes after a function of the server's has returned 0. */
enum sup_after {
	SUP_AFTER_WAIT,
	SUP_AFTER_TIMEOUT,
	SUP_AFTER_CONTINUE,
	SUP_AFTER_HIBERNATE
};

/* A message that waits for the server to be resumed. */
struct sup_waiting {
	struct sup_waiting *next;
	size_t size;
	_Alignas(8) unsigned char msg[];
};

struct sup_server {
	struct sup_server_ops ops;
	struct sup_server_opts opts;
	struct sup_mailbox_opts create;
	int device;
	int mailbox;
	bool own_device;	/* opened here, to be closed */
	bool own_mailbox;
	bool ran;

	/*
	 * The receive under way. A signal handler sets @signalled, and the
	 * deadline to 0: seen by the loop before the ioctl, by the ioctl, or
	 * known by its EINTR.
	 */
	struct supervisor_call_reply_recv recv;
	volatile sig_atomic_t signalled;
	volatile pid_t thread;

	unsigned char *buf;	/* mapped: what is received */
	size_t cap;
	unsigned char *reply;	/* mapped: SUPERVISOR_PAYLOAD_MAX */

	/* the message in hand */
	uint64_t call;		/* its ref, while handle_call runs */
	bool replied;
	/* what its function has asked for */
	enum sup_after after;
	uint64_t timeout_ms;
	void *argument;
	/* why it stops */
	uint32_t reason;
	int error;

	uint64_t parent;	/* the ref of its link */
	uint64_t stopper;	/* the call that asked to stop, or 0 */

	bool suspended;
	struct sup_waiting *waiting;
	struct sup_waiting **waiting_end;
	uint64_t waiting_bytes;
	struct sup_server_status status;

	uint64_t trace;		/* the alias, or SUP_TRACE_* */
	uint32_t trace_lost;
};

/* server_sys.c: is this message a system request? */
bool sup_server_is_sys(const struct supervisor_msg *msg);
/* Obeys one: 0, or SUP_SERVER_STOP. Its reply goes out with the next receive. */
int sup_server_sys(struct sup_server *server, const struct supervisor_msg *msg);
/* The reply to a system request that stopped the server. */
void sup_server_sys_stopped(struct sup_server *server);
/* server_sys.c: tells who traces; @msg may be NULL. */
void sup_server_traced(struct sup_server *server, enum sup_trace_kind kind,
		       uint64_t ref, const struct supervisor_msg *msg,
		       const void *data, size_t len);

/* sys.c: what GET_STATUS replies, before the text. */
struct sup_sys_status {
	uint32_t size;
	int32_t pid;
	uint32_t suspended;
	uint32_t traced;
	uint32_t waiting;
	uint32_t reserved;
	uint64_t since_ns;
	uint64_t calls;
	uint64_t casts;
	uint64_t infos;
};

#endif /* SUP_INTERNAL_H */
