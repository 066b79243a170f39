/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * supervisor.h - the user-space interface of supervisor.ko, and its only copy.
 */
#ifndef _UAPI_LINUX_SUPERVISOR_H
#define _UAPI_LINUX_SUPERVISOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: general
 *
 * Every ioctl takes a pointer to one struct. Its first member is @size, the
 * size of the struct that the caller was built with, and its second @flags.
 * A struct grows only at its end; members that a caller does not know read as
 * zero, and a kernel refuses nonzero bytes that it does not know. Members named
 * out_* are written by the kernel, the others are only read, except that a
 * *_len beside a buffer for results says its capacity on the way in and what
 * was needed on the way out. Reserved members must be zero. Results that
 * explain an error (out_result, out_error, out_invalid, out_limit, *_len) are
 * written on error too.
 *
 * A file descriptor that is not there is -1, never 0. Times are nanoseconds of
 * CLOCK_MONOTONIC. A deadline is absolute: %SUPERVISOR_NO_DEADLINE waits for
 * ever, 0 does not wait. Process numbers are those of the caller's pid
 * namespace, 0 where the process has none there. Records and messages that the
 * kernel writes may grow too: what follows their members is found by offsets.
 *
 * What an errno means, the same everywhere:
 *
 * ============ ==============================================================
 * ENOTTY       this file knows no such ioctl
 * EFAULT       a pointer to memory that is not the caller's
 * E2BIG        nonzero bytes beyond what this kernel knows
 * EOPNOTSUPP   a flag or value that this kernel does not support
 * EINVAL       understood, but wrong; or @size below the first published one
 * EBADF        not an open file, or not open for what is asked
 * EBADFD       an open file of another kind than is asked for
 * EACCES       the mode bits of a named object do not allow it
 * EPERM        the caller may not do this to that process
 * ENOENT       no such id or name here (OTP: not_found)
 * EEXIST       the name or id is taken (already_started, already_present)
 * EBUSY        wrong state for this (OTP: running, restarting)
 * ESRCH        the process is gone
 * ESTALE       the token or call is no longer awaited
 * EALREADY     the token has been used, or the report was made before
 * ECHILD       the start failed; out_error says with what
 * EMSGSIZE     a buffer too small, or an input over its limit
 * EDQUOT       a limit of the user; out_limit names it
 * ENOSPC       a bound of the object; out_limit names it
 * EUSERS       max_children
 * ENAMETOOLONG an id or name over 255 bytes
 * ELOOP        a supervisor would come to be below itself, or too deep
 * ETIMEDOUT    the deadline passed
 * EAGAIN       nothing there, and the caller does not wait
 * ESHUTDOWN    the supervisor has ended (OTP: noproc)
 * EOWNERDEAD   it ended while the call was under way (OTP: exit)
 * EINTR        a signal handler ran; made again with its struct as it is, the
 *              call goes on
 * ENOMEM       no memory; nothing was changed
 * ============ ==============================================================
 */

/* 0xBB is not in Documentation/userspace-api/ioctl/ioctl-number.rst. */
#define SUPERVISOR_TYPE 0xBB

#define SUPERVISOR_ABI 1

#define SUPERVISOR_NO_DEADLINE (~0ULL)

#define SUPERVISOR_NAME_MAX 255		/* bytes in a child id; in a name after its '/' */
#define SUPERVISOR_BLOB_MAX 65536	/* bytes in a child's blob */
#define SUPERVISOR_DEPTH_MAX 16		/* supervisors on a path from the root */

enum {
	/* on the device */
	SUPERVISOR_CMD_INFO = 0x00,
	SUPERVISOR_CMD_CREATE = 0x01,
	SUPERVISOR_CMD_OPEN = 0x02,
	SUPERVISOR_CMD_UNLINK = 0x03,
	SUPERVISOR_CMD_LIST = 0x04,
	SUPERVISOR_CMD_CHILD_ATTACH = 0x05,
	SUPERVISOR_CMD_CHILD_REPORT = 0x06,
	SUPERVISOR_CMD_MAILBOX_CREATE = 0x07,
	/* on a mailbox */
	SUPERVISOR_CMD_MAILBOX_RECV = 0x20,
	/* on a supervisor */
	SUPERVISOR_CMD_CHILD_ADD = 0x40,
	SUPERVISOR_CMD_START = 0x41,
	SUPERVISOR_CMD_STOP = 0x42,
	SUPERVISOR_CMD_CHILD_TERMINATE = 0x43,
	SUPERVISOR_CMD_CHILD_RESTART = 0x44,
	SUPERVISOR_CMD_CHILD_DELETE = 0x45,
	SUPERVISOR_CMD_CHILD_SPEC = 0x46,
	SUPERVISOR_CMD_WHICH_CHILDREN = 0x47,
	SUPERVISOR_CMD_COUNT_CHILDREN = 0x48,
	SUPERVISOR_CMD_SUSPEND = 0x49,
	SUPERVISOR_CMD_RESUME = 0x4a,
	SUPERVISOR_CMD_WAIT = 0x4b,
	SUPERVISOR_CMD_SUBSCRIBE = 0x4c,
	SUPERVISOR_CMD_STATUS = 0x4d,
	SUPERVISOR_CMD_OPEN_CHILD = 0x4e,
	SUPERVISOR_CMD_OWN = 0x4f
};

/* What a limit bounds: named by out_limit, and the index of INFO's tables. */
enum {
	SUPERVISOR_LIMIT_NONE = 0,
	SUPERVISOR_LIMIT_SUPERVISORS = 1,	/* of a user */
	SUPERVISOR_LIMIT_CHILDREN = 2,		/* of a user: child specs */
	SUPERVISOR_LIMIT_MAILBOXES = 3,		/* of a user */
	SUPERVISOR_LIMIT_BYTES = 4,		/* of a user: blobs, rings, windows, answers */
	SUPERVISOR_LIMIT_NAMES = 5,		/* of a user: named objects */
	SUPERVISOR_LIMIT_CALLS = 6,		/* of a user: calls and subscriptions under way */
	SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN = 7, /* of one supervisor: child specs */
	SUPERVISOR_LIMIT_SUBSCRIPTIONS = 8	/* of one root */
};

#define SUPERVISOR_LIMIT_NR 16		/* with room for more */

/* INFO out_features */
#define SUPERVISOR_FEATURE_SUPERVISORS (1ULL << 0)	/* static supervisors */

/**
 * struct supervisor_info - ioctl(SUPERVISOR_INFO) on the device
 * @size: sizeof(struct supervisor_info)
 * @flags: must be 0
 * @out_abi: %SUPERVISOR_ABI of the kernel
 * @out_errata: bits for mended misbehaviour of an ABI version; none so far
 * @out_features: SUPERVISOR_FEATURE_* bits
 * @out_version: the module's version, NUL-terminated
 * @out_limit: the limits, indexed by SUPERVISOR_LIMIT_*
 * @out_used: what the calling user has of each; 0 for those of one object
 *
 * Context: never blocks. Errors: EFAULT, E2BIG, EINVAL, EOPNOTSUPP.
 */
struct supervisor_info {
	__u32 size;
	__u32 flags;
	__u32 out_abi;
	__u32 out_errata;
	__aligned_u64 out_features;
	__u8 out_version[32];
	__aligned_u64 out_limit[SUPERVISOR_LIMIT_NR];
	__aligned_u64 out_used[SUPERVISOR_LIMIT_NR];
};
#define SUPERVISOR_INFO _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_INFO)

/* A supervisor's strategy. */
enum {
	SUPERVISOR_ONE_FOR_ONE = 0,
	SUPERVISOR_ONE_FOR_ALL = 1,
	SUPERVISOR_REST_FOR_ONE = 2
};

/* When a supervisor ends by itself because significant children are done. */
enum {
	SUPERVISOR_AUTO_SHUTDOWN_NEVER = 0,
	SUPERVISOR_AUTO_SHUTDOWN_ANY_SIGNIFICANT = 1,
	SUPERVISOR_AUTO_SHUTDOWN_ALL_SIGNIFICANT = 2
};

/* What the owner's death does to a root supervisor. */
enum {
	SUPERVISOR_OWNER_DEATH_SHUTDOWN = 0,	/* the kernel stops the tree in order */
	SUPERVISOR_OWNER_DEATH_RELEASE = 1	/* children run on, forgotten; tokens are revoked */
};

/* The first bad member of a refused spec, in OTP's order. */
enum {
	SUPERVISOR_VALID = 0,
	SUPERVISOR_INVALID_STRATEGY = 1,
	SUPERVISOR_INVALID_INTENSITY = 2,
	SUPERVISOR_INVALID_PERIOD = 3,
	SUPERVISOR_INVALID_AUTO_SHUTDOWN = 4,
	SUPERVISOR_INVALID_ID = 5,
	SUPERVISOR_INVALID_RESTART_TYPE = 6,
	SUPERVISOR_INVALID_COMBINATION_AUTO_SHUTDOWN = 7, /* significant, auto_shutdown never */
	SUPERVISOR_INVALID_COMBINATION_RESTART = 8,	/* significant and permanent */
	SUPERVISOR_INVALID_SIGNIFICANT = 9,
	SUPERVISOR_INVALID_CHILD_TYPE = 10,
	SUPERVISOR_INVALID_SHUTDOWN = 11,
	SUPERVISOR_INVALID_RETRY = 12,
	SUPERVISOR_INVALID_DUPLICATE_ID = 13
};

/**
 * struct supervisor_create - ioctl(SUPERVISOR_CREATE) on the device
 * @size: sizeof(struct supervisor_create)
 * @flags: must be 0
 * @strategy: SUPERVISOR_ONE_FOR_ONE and so on
 * @auto_shutdown: SUPERVISOR_AUTO_SHUTDOWN_*
 * @intensity: restarts allowed within @period; at most 1,000,000
 * @period: seconds, 1 to a year; counted in whole seconds as OTP does
 * @owner_death: SUPERVISOR_OWNER_DEATH_*; of a root only
 * @unkillable_ms: how long a stop waits for a child that may not be signalled; 0
 *	is 5000
 * @spawner_timeout_ms: how long a START may stay unread before it is a start
 *	error; 0 is for ever
 * @mailbox_fd: where the tree's START requests go; -1 for a supervisor that is
 *	to be a child
 * @name_len: bytes in @name; 0 for an anonymous one
 * @mode: permission bits of a named one, less the umask
 * @name: pointer to "/name", not NUL-terminated
 * @out_fd: the new supervisor, O_CLOEXEC, open for reading and writing
 * @out_invalid: with EINVAL, SUPERVISOR_INVALID_* or 0
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @__reserved: must be 0
 * @out_id: its id, never used again
 *
 * Makes a supervisor without children that has not started. The calling
 * process is its owner. Signals to its children go out with the caller's
 * credentials of this moment, in the caller's pid namespace.
 *
 * Context: does not block. Errors: EINVAL (@out_invalid), EDQUOT (@out_limit),
 * EBADF or EBADFD (@mailbox_fd), EEXIST or ENAMETOOLONG (@name), EMFILE,
 * ENFILE, ENOMEM, and those of every ioctl.
 */
struct supervisor_create {
	__u32 size;
	__u32 flags;
	__u32 strategy;
	__u32 auto_shutdown;
	__s64 intensity __attribute__((aligned(8)));
	__s64 period __attribute__((aligned(8)));
	__u32 owner_death;
	__u32 unkillable_ms;
	__u32 spawner_timeout_ms;
	__s32 mailbox_fd;
	__u32 name_len;
	__u32 mode;
	__aligned_u64 name;
	__s32 out_fd;
	__u32 out_invalid;
	__u32 out_limit;
	__u32 __reserved;
	__aligned_u64 out_id;
};
#define SUPERVISOR_CREATE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CREATE)

/**
 * struct supervisor_open - ioctl(SUPERVISOR_OPEN) on the device
 * @size: sizeof(struct supervisor_open)
 * @flags: must be 0
 * @access: O_RDONLY (look), O_WRONLY (control) or O_RDWR, as open(2) has them
 * @name_len: bytes in @name
 * @name: pointer to "/name"
 * @out_fd: a new file for the supervisor of that name, O_CLOEXEC
 * @__reserved: must be 0
 * @out_id: its id
 *
 * Errors: ENOENT, EACCES, EINVAL, ENAMETOOLONG, EMFILE, ENFILE, ENOMEM.
 */
struct supervisor_open {
	__u32 size;
	__u32 flags;
	__u32 access;
	__u32 name_len;
	__aligned_u64 name;
	__s32 out_fd;
	__u32 __reserved;
	__aligned_u64 out_id;
};
#define SUPERVISOR_OPEN _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_OPEN)

/**
 * struct supervisor_unlink - ioctl(SUPERVISOR_UNLINK) on the device
 * @size: sizeof(struct supervisor_unlink)
 * @flags: must be 0
 * @name_len: bytes in @name
 * @__reserved: must be 0
 * @name: pointer to "/name"
 *
 * Frees the name; the object lives on. For its owner, and for CAP_SYS_ADMIN in
 * the name's user namespace. Errors: ENOENT, EPERM, EINVAL, ENAMETOOLONG.
 */
struct supervisor_unlink {
	__u32 size;
	__u32 flags;
	__u32 name_len;
	__u32 __reserved;
	__aligned_u64 name;
};
#define SUPERVISOR_UNLINK _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_UNLINK)

/**
 * struct supervisor_name_entry - one name in the buffer of SUPERVISOR_LIST
 * @size: bytes to the next entry, a multiple of 8
 * @uid: owner, in the caller's user namespace
 * @gid: group, likewise
 * @mode: permission bits
 * @id: the object's id
 * @owner_pid: the process that owns it, 0 when it has none
 * @name_len: bytes of the name, with its '/'; a NUL follows
 * @name_offset: where it begins, from the start of the entry
 * @__reserved: 0
 * @name: where it begins if the entry has not grown since this header
 */
struct supervisor_name_entry {
	__u32 size;
	__u32 uid;
	__u32 gid;
	__u32 mode;
	__aligned_u64 id;
	__s32 owner_pid;
	__u32 name_len;
	__u32 name_offset;
	__u32 __reserved;
	char name[];
};

/**
 * struct supervisor_list - ioctl(SUPERVISOR_LIST) on the device
 * @size: sizeof(struct supervisor_list)
 * @flags: must be 0
 * @buf: pointer to room for struct supervisor_name_entry records
 * @buf_len: its bytes; out: the bytes filled
 * @out_count: records filled
 * @cursor: 0 to begin; out: where to go on, 0 when all were told
 *
 * Lists the named supervisors of the caller's user namespace by id. Errors:
 * EMSGSIZE (@buf_len, now what the next record needs), EFAULT.
 */
struct supervisor_list {
	__u32 size;
	__u32 flags;
	__aligned_u64 buf;
	__u32 buf_len;
	__u32 out_count;
	__aligned_u64 cursor;
};
#define SUPERVISOR_LIST _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_LIST)

/* struct supervisor_child_attach.flags */
#define SUPERVISOR_ATTACH_F_RESET_SIGNALS (1U << 0) /* none ignored, caught or blocked */

/**
 * struct supervisor_child_attach - ioctl(SUPERVISOR_CHILD_ATTACH) on the device
 * @size: sizeof(struct supervisor_child_attach)
 * @flags: SUPERVISOR_ATTACH_F_*
 * @token: from the START message
 *
 * Makes the calling process the child that the START asks for. For the new
 * process itself, before it execs: its real parent must be in the process that
 * read the START. A child whose group is to be signalled must lead its process
 * group.
 *
 * With RESET_SIGNALS, every signal has its default action once the process is
 * attached, and none is blocked in the calling thread: what a new program
 * expects, in one call. If the attach fails, nothing is changed.
 *
 * Errors: EPERM (not a child of the reader), EALREADY (used), ESTALE (revoked
 * or unknown), EINVAL (not a group leader, or the START is a supervisor's),
 * EBUSY (already somebody's child), EDEADLK (it owns the tree), ENOMEM.
 */
struct supervisor_child_attach {
	__u32 size;
	__u32 flags;
	__aligned_u64 token;
};
#define SUPERVISOR_CHILD_ATTACH _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CHILD_ATTACH)

/* What is reported of a start, or by a child of itself. */
enum {
	SUPERVISOR_REPORT_STARTED = 0,	/* spawner: exec succeeded */
	SUPERVISOR_REPORT_FAILED = 1,	/* spawner before the attach; or child, which exits */
	SUPERVISOR_REPORT_IGNORE = 2,	/* likewise: OTP's ignore */
	SUPERVISOR_REPORT_READY = 3,	/* child or spawner: notify readiness; see below */
	SUPERVISOR_REPORT_SHUTDOWN = 4	/* child: its coming exit has reason shutdown */
};

/**
 * struct supervisor_child_report - ioctl(SUPERVISOR_CHILD_REPORT) on the device
 * @size: sizeof(struct supervisor_child_report)
 * @flags: must be 0
 * @token: the START's token; 0: the calling process is the child
 * @report: SUPERVISOR_REPORT_*
 * @error: FAILED: an errno value, 1 to 4095
 *
 * With a token: for the process that read the START, and its child. Of a
 * supervisor (SUPERVISOR_MSG_F_SUPERVISOR) it answers what OTP asks of init/1:
 * READY, and its children are started; IGNORE; or FAILED.
 *
 * Errors: ESTALE (the start is over or was revoked), EPERM (not the reader's
 * START), ESRCH (@token 0, but the caller is nobody's child), EALREADY (said
 * before), EINVAL.
 */
struct supervisor_child_report {
	__u32 size;
	__u32 flags;
	__aligned_u64 token;
	__u32 report;
	__s32 error;
};
#define SUPERVISOR_CHILD_REPORT _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CHILD_REPORT)

/**
 * struct supervisor_mailbox_create - ioctl(SUPERVISOR_MAILBOX_CREATE) on the device
 * @size: sizeof(struct supervisor_mailbox_create)
 * @flags: must be 0
 * @ring_bytes: room for messages that may be refused (events): 4096 to 16 MiB,
 *	a power of two; 0 is 64 KiB
 * @out_fd: the new mailbox, O_CLOEXEC
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @__reserved: must be 0
 * @out_id: its id
 *
 * Errors: EINVAL, EDQUOT, EMFILE, ENFILE, ENOMEM.
 */
struct supervisor_mailbox_create {
	__u32 size;
	__u32 flags;
	__u32 ring_bytes;
	__s32 out_fd;
	__u32 out_limit;
	__u32 __reserved;
	__aligned_u64 out_id;
};
#define SUPERVISOR_MAILBOX_CREATE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_MAILBOX_CREATE)

/* The type of a message. */
enum {
	SUPERVISOR_MSG_START = 1,	/* struct supervisor_msg_start */
	SUPERVISOR_MSG_EVENT = 2,	/* struct supervisor_msg_event */
	SUPERVISOR_MSG_ANSWER = 3,	/* struct supervisor_msg_answer */
	SUPERVISOR_MSG_GAP = 4		/* @ref events were lost here: the ring was full */
};

/* struct supervisor_msg.flags */
#define SUPERVISOR_MSG_F_SUPERVISOR (1U << 0) /* START: of a supervisor; fork nothing */

/**
 * struct supervisor_msg - the head of every message
 * @size: bytes of the whole message, a multiple of 8: the next one is there
 * @type: SUPERVISOR_MSG_*
 * @flags: SUPERVISOR_MSG_F_*
 * @supervisor: id of the supervisor it is about
 * @child: id of the child's spec, never used again; 0 when about none
 * @ref: START: the token. ANSWER: the call's cookie. GAP: how many
 * @time_ns: when it happened
 * @pid: START: 0. EVENT: the child's process
 * @uid: of the sender; of kernel messages, the supervisor's creator
 * @incarnation: the child's run: 1, 2, 3...
 * @__reserved: 0
 */
struct supervisor_msg {
	__u32 size;
	__u16 type;
	__u16 flags;
	__aligned_u64 supervisor;
	__aligned_u64 child;
	__aligned_u64 ref;
	__aligned_u64 time_ns;
	__s32 pid;
	__u32 uid;
	__u32 incarnation;
	__u32 __reserved;
};

/* How a child shows that it has started. */
enum {
	SUPERVISOR_READINESS_EXEC = 0,	/* the spawner says STARTED after exec */
	SUPERVISOR_READINESS_ATTACH = 1, /* when it attaches */
	/*
	 * When it, or the spawner for it, says READY. Of a supervisor: before
	 * its children are started, the spawner is asked by a START each time.
	 */
	SUPERVISOR_READINESS_NOTIFY = 2
};

/* Whom a supervisor signals. */
enum {
	SUPERVISOR_SIGNAL_PROCESS = 0,
	SUPERVISOR_SIGNAL_GROUP = 1	/* the child's process group, which it leads */
};

/**
 * struct supervisor_msg_start - a request to start a child
 * @head: type SUPERVISOR_MSG_START; @ref is the token
 * @signal_whom: SUPERVISOR_SIGNAL_*: with GROUP the child must lead its group
 * @readiness: SUPERVISOR_READINESS_*
 * @id_len: bytes of the child's id; a NUL follows
 * @path_len: bytes of the supervisor's path, which follows that; and a NUL
 * @blob_len: bytes of the blob
 * @text_offset: where the id begins, from the start of the message
 * @blob_offset: where the blob begins
 */
struct supervisor_msg_start {
	struct supervisor_msg head;
	__u32 signal_whom;
	__u32 readiness;
	__u16 id_len;
	__u16 path_len;
	__u32 blob_len;
	__u32 text_offset;
	__u32 blob_offset;
};

/* What happened. */
enum {
	SUPERVISOR_EVENT_STARTED = 1,	/* a child has started */
	SUPERVISOR_EVENT_START_FAILED = 2, /* @error */
	SUPERVISOR_EVENT_START_IGNORED = 3,
	SUPERVISOR_EVENT_TERM = 4,	/* a child was asked to stop */
	SUPERVISOR_EVENT_KILL = 5,	/* a child was killed */
	SUPERVISOR_EVENT_EXITED = 6,	/* a child is dead: @reason, @status... */
	SUPERVISOR_EVENT_UNKILLABLE = 7, /* a child may not be signalled */
	SUPERVISOR_EVENT_ABANDONED = 8,	/* it was given up */
	SUPERVISOR_EVENT_UP = 9,	/* a supervisor has started its children */
	SUPERVISOR_EVENT_DOWN = 10,	/* a supervisor has ended: @reason, @down */
	SUPERVISOR_EVENT_START_REQUEST = 11 /* a START went out to the spawner */
};

/* An exit reason. */
enum {
	SUPERVISOR_EXIT_NORMAL = 0,	/* exit status 0 */
	SUPERVISOR_EXIT_SHUTDOWN = 1,	/* the supervisor's stop signal, or declared */
	SUPERVISOR_EXIT_CRASH = 2,
	SUPERVISOR_EXIT_KILLED = 3	/* any SIGKILL */
};

/* Why a supervisor is down. */
enum {
	SUPERVISOR_DOWN_STOPPED = 0,
	SUPERVISOR_DOWN_INIT_FAILED = 1,
	SUPERVISOR_DOWN_INTENSITY = 2,
	SUPERVISOR_DOWN_AUTO_SHUTDOWN = 3,
	SUPERVISOR_DOWN_RELEASED = 4,
	SUPERVISOR_DOWN_NOT_YET = 5	/* it is not down */
};

/**
 * struct supervisor_msg_event - a change of state
 * @head: type SUPERVISOR_MSG_EVENT. UP and DOWN of a supervisor have @child 0
 *	for a root; otherwise they name the child of the parent that it is, and
 *	@supervisor is that parent
 * @event: SUPERVISOR_EVENT_*
 * @reason: EXITED, DOWN: SUPERVISOR_EXIT_*
 * @status: EXITED: the raw wait status, as wait4 gives it
 * @error: START_FAILED: errno
 * @down: DOWN: SUPERVISOR_DOWN_*
 * @is_supervisor: the child is a supervisor
 * @id_len: bytes of the child's id; a NUL follows
 * @path_len: bytes of the supervisor's path, which follows that; and a NUL
 * @text_offset: where the id begins, from the start of the message
 * @exit_seq: EXITED: the death's number, system-wide and rising
 * @utime_ns: EXITED: user time
 * @stime_ns: EXITED: system time
 * @maxrss_kb: EXITED: as ru_maxrss of wait4
 */
struct supervisor_msg_event {
	struct supervisor_msg head;
	__u32 event;
	__u32 reason;
	__s32 status;
	__s32 error;
	__u32 down;
	__u32 is_supervisor;
	__u16 id_len;
	__u16 path_len;
	__u32 text_offset;
	__aligned_u64 exit_seq;
	__aligned_u64 utime_ns;
	__aligned_u64 stime_ns;
	__aligned_u64 maxrss_kb;
};

/* OTP's answer to a call: out_result, or result in an ANSWER. */
enum {
	SUPERVISOR_RESULT_OK = 0,
	SUPERVISOR_RESULT_OK_UNDEFINED = 1,	/* the start was ignored */
	SUPERVISOR_RESULT_RUNNING = 2,		/* EBUSY */
	SUPERVISOR_RESULT_RESTARTING = 3,	/* EBUSY */
	SUPERVISOR_RESULT_NOT_FOUND = 4,	/* ENOENT */
	SUPERVISOR_RESULT_ALREADY_STARTED = 5,	/* EEXIST, out_pid */
	SUPERVISOR_RESULT_ALREADY_PRESENT = 6,	/* EEXIST */
	SUPERVISOR_RESULT_START_FAILED = 7,	/* ECHILD, out_error */
	SUPERVISOR_RESULT_INVALID = 8,		/* EINVAL, out_invalid */
	SUPERVISOR_RESULT_NOPROC = 9,		/* ESHUTDOWN */
	SUPERVISOR_RESULT_EXIT = 10,		/* EOWNERDEAD */
	SUPERVISOR_RESULT_NO_SPACE = 11		/* ENOSPC: as many children as are allowed */
};

/**
 * struct supervisor_msg_answer - the answer to an asynchronous call
 * @head: type SUPERVISOR_MSG_ANSWER; @ref is the cookie, @pid as out_pid
 * @command: SUPERVISOR_CMD_* of the call
 * @result: SUPERVISOR_RESULT_*
 * @error: out_error
 * @invalid: out_invalid
 * @data_len: bytes of records (WHICH_CHILDREN; COUNT_CHILDREN: one struct
 *	supervisor_count; CHILD_GET_SPEC), as the synchronous call's buffer has;
 *	when the call's buf_len was less, what was needed, and none is there
 * @out_count: records
 * @data_offset: where they begin, from the start of the message
 * @__reserved: 0
 */
struct supervisor_msg_answer {
	struct supervisor_msg head;
	__u32 command;
	__u32 result;
	__s32 error;
	__u32 invalid;
	__u32 data_len;
	__u32 out_count;
	__u32 data_offset;
	__u32 __reserved;
};

/**
 * struct supervisor_mailbox_recv - ioctl(SUPERVISOR_MAILBOX_RECV) on a mailbox
 * @size: sizeof(struct supervisor_mailbox_recv)
 * @flags: must be 0
 * @buf: pointer to room for messages, aligned to 8
 * @buf_len: its bytes; out: the bytes filled, or needed with EMSGSIZE
 * @max: take at most so many; 0: as many as fit
 * @deadline: when to give up waiting for the first message
 * @out_count: messages taken
 * @__reserved: must be 0
 *
 * Takes messages in the order in which they came. read(2) on the mailbox does
 * the same, poll(2) says POLLIN while there are any.
 *
 * Errors: EAGAIN (none, and @deadline 0 or O_NONBLOCK), ETIMEDOUT, EMSGSIZE
 * (the first message stays), EINTR, EFAULT (the message stays).
 */
struct supervisor_mailbox_recv {
	__u32 size;
	__u32 flags;
	__aligned_u64 buf;
	__u32 buf_len;
	__u32 max;
	__aligned_u64 deadline;
	__u32 out_count;
	__u32 __reserved;
};
#define SUPERVISOR_MAILBOX_RECV _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_MAILBOX_RECV)

/* When a permanent, transient or temporary child is restarted: as in OTP. */
enum {
	SUPERVISOR_PERMANENT = 0,
	SUPERVISOR_TRANSIENT = 1,
	SUPERVISOR_TEMPORARY = 2
};

/* What a child is declared to be, for counting; supervisor_fd says what it is. */
enum {
	SUPERVISOR_CHILD_WORKER = 0,
	SUPERVISOR_CHILD_SUPERVISOR = 1
};

/* shutdown_ms other than milliseconds */
#define SUPERVISOR_SHUTDOWN_INFINITY (-1)
#define SUPERVISOR_SHUTDOWN_KILL (-2)

/* struct supervisor_child_spec.flags */
#define SUPERVISOR_CHILD_F_RETRY_UNCOUNTED (1U << 0)

/**
 * struct supervisor_child_spec - how a child is to be treated
 * @size: sizeof(struct supervisor_child_spec)
 * @flags: SUPERVISOR_CHILD_F_*
 * @restart: SUPERVISOR_PERMANENT and so on
 * @significant: 0 or 1
 * @type: SUPERVISOR_CHILD_WORKER or _SUPERVISOR
 * @readiness: SUPERVISOR_READINESS_*
 * @shutdown_ms: from the stop signal to the kill, up to a year; or
 *	%SUPERVISOR_SHUTDOWN_INFINITY, %SUPERVISOR_SHUTDOWN_KILL
 * @stop_signal: 1 to 64; 0 is SIGTERM. SIGCONT follows it
 * @signal_whom: SUPERVISOR_SIGNAL_*
 * @start_timeout_ms: from attached to started; 0 is for ever
 * @retry_min_ms: first delay of the backoff; 0 is no backoff: OTP's behaviour
 * @retry_max_ms: longest delay
 * @retry_factor_pct: each delay in hundredths of the one before, at least 100
 * @retry_jitter_pct: a delay varies by up to so many hundredths, at most 100
 * @retry_reset_after_ms: a run of this length ends the backoff
 * @supervisor_fd: a supervisor that has not started, which becomes this child;
 *	-1: the child is a process
 * @id_len: bytes in @id, 1 to %SUPERVISOR_NAME_MAX
 * @blob_len: bytes in @blob, at most %SUPERVISOR_BLOB_MAX
 * @__reserved: must be 0
 * @id: pointer to the id: no NUL, '/' or control characters
 * @blob: pointer to what tells a spawner how to start it
 *
 * Reads back from SUPERVISOR_CHILD_GET_SPEC with offsets from its own start in
 * place of the pointers; a NUL follows the id.
 */
struct supervisor_child_spec {
	__u32 size;
	__u32 flags;
	__u32 restart;
	__u32 significant;
	__u32 type;
	__u32 readiness;
	__s64 shutdown_ms __attribute__((aligned(8)));
	__u32 stop_signal;
	__u32 signal_whom;
	__u32 start_timeout_ms;
	__u32 retry_min_ms;
	__u32 retry_max_ms;
	__u32 retry_factor_pct;
	__u32 retry_jitter_pct;
	__u32 retry_reset_after_ms;
	__s32 supervisor_fd;
	__u32 id_len;
	__u32 blob_len;
	__u32 __reserved;
	__aligned_u64 id;
	__aligned_u64 blob;
};

/* flags of the calls to a supervisor */
#define SUPERVISOR_CALL_F_ASYNC (1U << 0) /* queue it; the answer is a message */

/**
 * struct supervisor_child_add - ioctl(SUPERVISOR_CHILD_ADD) on a supervisor
 * @size: sizeof(struct supervisor_child_add)
 * @flags: SUPERVISOR_CALL_F_ASYNC
 * @spec: pointer to a struct supervisor_child_spec
 * @deadline: of the call
 * @cookie: ASYNC: comes back as the answer's @ref
 * @mailbox_fd: ASYNC: where the answer goes; otherwise -1
 * @out_result: SUPERVISOR_RESULT_*
 * @out_error: ECHILD: the errno of the start
 * @out_invalid: EINVAL: SUPERVISOR_INVALID_*, or 0
 * @out_limit: EDQUOT, ENOSPC: SUPERVISOR_LIMIT_*
 * @out_pid: the child's process; also with already_started
 * @out_id: the child's id
 * @call: 0; or, after EINTR, the call that is under way, to wait on
 *
 * On a supervisor that has not started: adds one of its own specs, with which
 * it starts and starts again; ASYNC is refused (EINVAL). On one that has: OTP's
 * start_child.
 *
 * Errors: those of the results; EBADF, EBADFD, EBUSY or ELOOP (supervisor_fd),
 * ENAMETOOLONG, EMSGSIZE (blob), EDQUOT, ENOSPC, ETIMEDOUT, EINTR, ENOMEM.
 */
struct supervisor_child_add {
	__u32 size;
	__u32 flags;
	__aligned_u64 spec;
	__aligned_u64 deadline;
	__aligned_u64 cookie;
	__s32 mailbox_fd;
	__u32 out_result;
	__s32 out_error;
	__u32 out_invalid;
	__u32 out_limit;
	__s32 out_pid;
	__aligned_u64 out_id;
	__aligned_u64 call;
};
#define SUPERVISOR_CHILD_ADD _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CHILD_ADD)

/**
 * struct supervisor_start - ioctl(SUPERVISOR_START) on a supervisor
 * @size: sizeof(struct supervisor_start)
 * @flags: SUPERVISOR_CALL_F_ASYNC: return at once; UP or DOWN is an event
 * @deadline: when to stop waiting; the start goes on
 * @out_error: ECHILD: the errno of the child that did not start
 * @failed_id_len: bytes at @failed_id; out: bytes of the id
 * @failed_id: pointer to room for the id of the child that did not start, or 0
 * @call: 0; or, after EINTR, not 0: only wait
 *
 * Starts a root: its children in order, one after the other. Returns when the
 * last has started, or when, after a failure, those that had are stopped.
 *
 * Errors: EBUSY (started before, or somebody's child), ECHILD, ESHUTDOWN
 * (stopped meanwhile), EINVAL (no mailbox), ETIMEDOUT, EINTR.
 */
struct supervisor_start {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__s32 out_error;
	__u32 failed_id_len;
	__aligned_u64 failed_id;
	__aligned_u64 call;
};
#define SUPERVISOR_START _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_START)

/**
 * struct supervisor_stop - ioctl(SUPERVISOR_STOP) on a supervisor
 * @size: sizeof(struct supervisor_stop)
 * @flags: SUPERVISOR_CALL_F_ASYNC: return at once; DOWN is an event
 * @deadline: when to stop waiting; the stop goes on
 * @reason: SUPERVISOR_EXIT_*: what its parent is told
 * @__reserved: must be 0
 * @call: 0; or, after EINTR, not 0: only wait
 *
 * Stops the children in reverse order; cancels starts and retries at once.
 *
 * Errors: ESHUTDOWN (it had ended), EBUSY (not started), ETIMEDOUT, EINTR.
 */
struct supervisor_stop {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__u32 reason;
	__u32 __reserved;
	__aligned_u64 call;
};
#define SUPERVISOR_STOP _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_STOP)

/**
 * struct supervisor_child_call - ioctl(SUPERVISOR_CHILD_TERMINATE, _RESTART,
 *	_DELETE) on a supervisor
 * @size: sizeof(struct supervisor_child_call)
 * @flags: SUPERVISOR_CALL_F_ASYNC
 * @deadline: a call not yet begun is withdrawn then; one that is completes
 *	unanswered
 * @cookie: ASYNC: comes back as the answer's @ref
 * @id: pointer to the child's id
 * @id_len: its bytes
 * @mailbox_fd: ASYNC: where the answer goes; otherwise -1
 * @out_result: SUPERVISOR_RESULT_*
 * @out_error: ECHILD: the errno of the start
 * @out_pid: RESTART: the child's process
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @call: 0; or, after EINTR, the call that is under way, to wait on
 *
 * OTP's terminate_child, restart_child and delete_child.
 *
 * Errors: those of the results; EBADF, EBADFD, ENAMETOOLONG, EINVAL, EDQUOT,
 * ETIMEDOUT, EAGAIN (@deadline 0), EINTR, ENOMEM.
 */
struct supervisor_child_call {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__aligned_u64 cookie;
	__aligned_u64 id;
	__u32 id_len;
	__s32 mailbox_fd;
	__u32 out_result;
	__s32 out_error;
	__s32 out_pid;
	__u32 out_limit;
	__aligned_u64 call;
};
#define SUPERVISOR_CHILD_TERMINATE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CHILD_TERMINATE)
#define SUPERVISOR_CHILD_RESTART _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CHILD_RESTART)
#define SUPERVISOR_CHILD_DELETE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CHILD_DELETE)

/* What a supervisor believes of a child. */
enum {
	SUPERVISOR_CHILD_UNDEFINED = 0,
	SUPERVISOR_CHILD_STARTING = 1,
	SUPERVISOR_CHILD_RUNNING = 2,
	SUPERVISOR_CHILD_STOPPING = 3,
	SUPERVISOR_CHILD_RESTARTING = 4
};

/* struct supervisor_child_status.flags */
#define SUPERVISOR_STATUS_F_SUPERVISOR (1U << 0)	/* the child is a supervisor */
#define SUPERVISOR_STATUS_F_DEAD (1U << 1)	/* dead, its exit waits to be handled */
#define SUPERVISOR_STATUS_F_EXITED (1U << 2)	/* last_* hold an exit */
#define SUPERVISOR_STATUS_F_START_FAILED (1U << 3) /* last_error holds a start error */
#define SUPERVISOR_STATUS_F_UNKILLABLE (1U << 4)	/* may not be signalled */

/**
 * struct supervisor_child_status - one child, in the buffer of WHICH_CHILDREN
 *	and STATUS
 * @size: bytes to the next record, a multiple of 8
 * @flags: SUPERVISOR_STATUS_F_*
 * @id: the child's id number
 * @state: SUPERVISOR_CHILD_*
 * @type: SUPERVISOR_CHILD_WORKER or _SUPERVISOR, as declared
 * @restart: SUPERVISOR_PERMANENT and so on
 * @pid: its process; 0 for none
 * @incarnation: its run: 1, 2, 3...; 0 before the first
 * @last_reason: SUPERVISOR_EXIT_* of its last exit
 * @last_status: the raw wait status of its last exit
 * @last_error: errno of its last failed start
 * @since_ns: when it entered @state
 * @last_exit_ns: when it last exited
 * @supervisor: the nested supervisor's id, 0 for a process
 * @name_len: bytes of the child's id; a NUL follows
 * @name_offset: where it begins, from the start of the record
 * @name: where it begins if the record has not grown since this header
 */
struct supervisor_child_status {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__u32 state;
	__u32 type;
	__u32 restart;
	__s32 pid;
	__u32 incarnation;
	__u32 last_reason;
	__s32 last_status;
	__s32 last_error;
	__aligned_u64 since_ns;
	__aligned_u64 last_exit_ns;
	__aligned_u64 supervisor;
	__u32 name_len;
	__u32 name_offset;
	char name[];
};

/**
 * struct supervisor_count - what COUNT_CHILDREN counts
 * @specs: child specs
 * @active: children whose process is alive
 * @supervisors: those declared supervisors, dead or alive
 * @workers: those declared workers, dead or alive
 */
struct supervisor_count {
	__aligned_u64 specs;
	__aligned_u64 active;
	__aligned_u64 supervisors;
	__aligned_u64 workers;
};

/**
 * struct supervisor_query - ioctl(SUPERVISOR_WHICH_CHILDREN, _COUNT_CHILDREN,
 *	_CHILD_GET_SPEC) on a supervisor
 * @size: sizeof(struct supervisor_query)
 * @flags: SUPERVISOR_CALL_F_ASYNC
 * @deadline: of the call
 * @cookie: ASYNC: comes back as the answer's @ref
 * @buf: pointer to room for the answer: struct supervisor_child_status records
 *	in reverse start order, a struct supervisor_count, or a
 *	struct supervisor_child_spec with id and blob; with ASYNC unused
 * @buf_len: its bytes, at most 16 MiB; out: the bytes filled, or needed with
 *	EMSGSIZE. ASYNC: the most bytes that the answer may have
 * @mailbox_fd: ASYNC: where the answer goes; otherwise -1
 * @id: CHILD_GET_SPEC: pointer to the child's id
 * @id_len: its bytes
 * @out_result: SUPERVISOR_RESULT_*
 * @out_count: records
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 *
 * OTP's which_children, count_children and get_childspec. They wait their turn
 * behind what the supervisor is doing and show the state of that moment.
 *
 * Errors: as struct supervisor_child_call, and EMSGSIZE.
 */
struct supervisor_query {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__aligned_u64 cookie;
	__aligned_u64 buf;
	__u32 buf_len;
	__s32 mailbox_fd;
	__aligned_u64 id;
	__u32 id_len;
	__u32 out_result;
	__u32 out_count;
	__u32 out_limit;
};
#define SUPERVISOR_WHICH_CHILDREN _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_WHICH_CHILDREN)
#define SUPERVISOR_COUNT_CHILDREN _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_COUNT_CHILDREN)
#define SUPERVISOR_CHILD_GET_SPEC _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CHILD_SPEC)

/* struct supervisor_suspend.flags */
#define SUPERVISOR_SUSPEND_F_TREE (1U << 0)	/* with every supervisor below it */

/**
 * struct supervisor_suspend - ioctl(SUPERVISOR_SUSPEND, SUPERVISOR_RESUME) on a
 *	supervisor
 * @size: sizeof(struct supervisor_suspend)
 * @flags: SUPERVISOR_SUSPEND_F_TREE
 * @deadline: of the call; RESUME does not wait
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @__reserved: must be 0
 *
 * OTP's sys:suspend and sys:resume. SUSPEND takes effect behind what the
 * supervisor is doing; from then on it decides nothing, and deaths and calls
 * queue up in order. A stop acts all the same.
 *
 * Errors: ESHUTDOWN, EOWNERDEAD, ETIMEDOUT, EINTR, ENOMEM.
 */
struct supervisor_suspend {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__u32 out_limit;
	__u32 __reserved;
};
#define SUPERVISOR_SUSPEND _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_SUSPEND)
#define SUPERVISOR_RESUME _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_RESUME)

/* struct supervisor_wait.what */
enum {
	SUPERVISOR_WAIT_IDLE = 0,	/* nothing under way or queued in the whole tree */
	SUPERVISOR_WAIT_DOWN = 1	/* the supervisor has ended */
};

/**
 * struct supervisor_wait - ioctl(SUPERVISOR_WAIT) on a supervisor
 * @size: sizeof(struct supervisor_wait)
 * @flags: must be 0
 * @deadline: when to give up
 * @what: SUPERVISOR_WAIT_*
 * @out_reason: DOWN: SUPERVISOR_EXIT_*
 * @out_down: DOWN: SUPERVISOR_DOWN_*
 * @__reserved: must be 0
 *
 * A suspended supervisor is idle whatever its queue holds; one that waits for a
 * backoff delay is not. poll(2) on a supervisor says POLLHUP when it is down.
 *
 * Errors: ETIMEDOUT, EAGAIN (@deadline 0), EINTR, EINVAL.
 */
struct supervisor_wait {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__u32 what;
	__u32 out_reason;
	__u32 out_down;
	__u32 __reserved;
};
#define SUPERVISOR_WAIT _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_WAIT)

/**
 * struct supervisor_subscribe - ioctl(SUPERVISOR_SUBSCRIBE) on a root supervisor
 * @size: sizeof(struct supervisor_subscribe)
 * @flags: must be 0
 * @mailbox_fd: where the whole tree's events go, in one order
 * @out_limit: with EDQUOT and ENOSPC, SUPERVISOR_LIMIT_*
 *
 * Lasts as long as the mailbox. Asking again for the same mailbox is EEXIST. The
 * root's DOWN is there before anything else says that it is down.
 * Errors: EBADF, EBADFD, EINVAL (not a root), EDQUOT, ENOSPC,
 * ESHUTDOWN, ENOMEM.
 */
struct supervisor_subscribe {
	__u32 size;
	__u32 flags;
	__s32 mailbox_fd;
	__u32 out_limit;
};
#define SUPERVISOR_SUBSCRIBE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_SUBSCRIBE)

/* struct supervisor_status.out_state */
enum {
	SUPERVISOR_STATE_NEW = 0,	/* not started */
	SUPERVISOR_STATE_STARTING = 1,
	SUPERVISOR_STATE_UP = 2,
	SUPERVISOR_STATE_STOPPING = 3,
	SUPERVISOR_STATE_DOWN = 4
};

/**
 * struct supervisor_status - ioctl(SUPERVISOR_STATUS) on a supervisor
 * @size: sizeof(struct supervisor_status)
 * @flags: must be 0
 * @buf: pointer to room for struct supervisor_child_status records in start
 *	order, or 0 for none
 * @buf_len: its bytes; out: the bytes filled, or needed with EMSGSIZE
 * @out_count: child specs
 * @out_id: the supervisor's id
 * @out_state: SUPERVISOR_STATE_*
 * @out_suspended: 1 while suspended
 * @out_strategy: its flags, as created
 * @out_auto_shutdown: likewise
 * @out_intensity: likewise
 * @out_period: likewise
 * @out_restarts: restarts counted since it was created
 * @out_since_ns: when it entered @out_state
 * @out_owner_pid: the root's owner
 * @out_owner_death: SUPERVISOR_OWNER_DEATH_*
 * @out_reason: DOWN: SUPERVISOR_EXIT_*
 * @out_down: SUPERVISOR_DOWN_*
 *
 * A look at the state of this moment, past the queue: it does not wait for what
 * the supervisor is doing. Errors: EMSGSIZE, EFAULT.
 */
struct supervisor_status {
	__u32 size;
	__u32 flags;
	__aligned_u64 buf;
	__u32 buf_len;
	__u32 out_count;
	__aligned_u64 out_id;
	__u32 out_state;
	__u32 out_suspended;
	__u32 out_strategy;
	__u32 out_auto_shutdown;
	__s64 out_intensity __attribute__((aligned(8)));
	__s64 out_period __attribute__((aligned(8)));
	__aligned_u64 out_restarts;
	__aligned_u64 out_since_ns;
	__s32 out_owner_pid;
	__u32 out_owner_death;
	__u32 out_reason;
	__u32 out_down;
};
#define SUPERVISOR_STATUS _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_STATUS)

/**
 * struct supervisor_open_child - ioctl(SUPERVISOR_OPEN_CHILD) on a supervisor
 * @size: sizeof(struct supervisor_open_child)
 * @flags: must be 0
 * @access: as struct supervisor_open; at most the access of this file
 * @path_len: bytes in @path
 * @path: pointer to ids joined by '/', each a supervisor below the one before
 * @out_fd: a new file for that supervisor, O_CLOEXEC
 * @__reserved: must be 0
 * @out_id: its id
 *
 * Errors: ENOENT, EACCES (more access than this file has), EINVAL (a child on
 * the path that is a process), EMFILE, ENFILE, ENOMEM.
 */
struct supervisor_open_child {
	__u32 size;
	__u32 flags;
	__u32 access;
	__u32 path_len;
	__aligned_u64 path;
	__s32 out_fd;
	__u32 __reserved;
	__aligned_u64 out_id;
};
#define SUPERVISOR_OPEN_CHILD _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_OPEN_CHILD)

/**
 * struct supervisor_own - ioctl(SUPERVISOR_OWN) on a root supervisor
 * @size: sizeof(struct supervisor_own)
 * @flags: must be 0
 *
 * The calling process becomes the owner. For a file open for writing, by the
 * owner's user or with CAP_KILL. Errors: EPERM, ESHUTDOWN, EINVAL (not a root),
 * EBADF, ENOMEM.
 */
struct supervisor_own {
	__u32 size;
	__u32 flags;
};
#define SUPERVISOR_OWN _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_OWN)

#endif /* _UAPI_LINUX_SUPERVISOR_H */
