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
 * ENODEV       this file cannot be mapped
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
 * ESTALE       the token, call or alias is no longer awaited; the value has changed
 * EALREADY     the token has been used, the report made or the call answered before
 * ECHILD       the start failed; out_error says with what
 * EMSGSIZE     a buffer too small, or an input over its limit
 * EDQUOT       a limit of the user; out_limit names it
 * ENOSPC       a bound of the object; out_limit names it
 * EUSERS       max_children
 * ENAMETOOLONG an id or name over 255 bytes
 * ELOOP        a supervisor would come to be below itself, or too deep
 * ETIMEDOUT    the deadline passed
 * EAGAIN       nothing there, and the caller does not wait
 * ESHUTDOWN    the supervisor has ended, the mailbox has no owner (OTP: noproc)
 * EDEADLK      it would wait for itself
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
#define SUPERVISOR_CALLERS_MAX 16	/* callers of a child that are remembered */
#define SUPERVISOR_PAYLOAD_MAX 65536	/* bytes in a message's payload */
#define SUPERVISOR_KEY_MAX 255		/* bytes in a registry's key */
#define SUPERVISOR_VALUE_MAX 4096	/* bytes in a registry's value */
#define SUPERVISOR_HOLD_MS_MAX 86400000	/* for which a root is held */
#define SUPERVISOR_PARTITIONS_MAX 64	/* of a registry */

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
	SUPERVISOR_CMD_ALIAS_SEND = 0x08,
	SUPERVISOR_CMD_PROCESS_LINK = 0x09,
	SUPERVISOR_CMD_PROCESS_UNLINK = 0x0a,
	SUPERVISOR_CMD_TRAP_EXIT = 0x0b,
	SUPERVISOR_CMD_REGISTRY_CREATE = 0x0c,
	SUPERVISOR_CMD_LINEAGE = 0x0d,
	SUPERVISOR_CMD_RESET_SIGNALS = 0x0e,
	/* on a mailbox */
	SUPERVISOR_CMD_MAILBOX_RECV = 0x20,
	SUPERVISOR_CMD_MAILBOX_SEND = 0x21,
	SUPERVISOR_CMD_MAILBOX_CALL = 0x22,
	SUPERVISOR_CMD_CALL_REPLY = 0x23,
	SUPERVISOR_CMD_CALL_REPLY_RECV = 0x24,
	SUPERVISOR_CMD_CALL_START = 0x25,
	SUPERVISOR_CMD_CALL_CANCEL = 0x26,
	SUPERVISOR_CMD_MAILBOX_OWN = 0x27,
	SUPERVISOR_CMD_MAILBOX_STATUS = 0x28,
	SUPERVISOR_CMD_MONITOR = 0x29,
	SUPERVISOR_CMD_DEMONITOR = 0x2a,
	SUPERVISOR_CMD_ALIAS = 0x2b,
	SUPERVISOR_CMD_UNALIAS = 0x2c,
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
	SUPERVISOR_CMD_OWN = 0x4f,
	SUPERVISOR_CMD_CHILD_JOIN = 0x50,
	SUPERVISOR_CMD_ADOPT = 0x51,
	SUPERVISOR_CMD_CHILD_LINEAGE = 0x54,
	SUPERVISOR_CMD_RESIZE = 0x58,
	/* on a registry */
	SUPERVISOR_CMD_REGISTER = 0x60,
	SUPERVISOR_CMD_UNREGISTER = 0x61,
	SUPERVISOR_CMD_LOOKUP = 0x62,
	SUPERVISOR_CMD_SELECT = 0x63,
	SUPERVISOR_CMD_COUNT = 0x64,
	SUPERVISOR_CMD_UPDATE = 0x65,
	SUPERVISOR_CMD_META_PUT = 0x66,
	SUPERVISOR_CMD_META_GET = 0x67,
	SUPERVISOR_CMD_META_DELETE = 0x68,
	SUPERVISOR_CMD_LOCK = 0x69,
	SUPERVISOR_CMD_UNLOCK = 0x6a,
	SUPERVISOR_CMD_LISTEN = 0x6b,
	SUPERVISOR_CMD_UNLISTEN = 0x6c,
	SUPERVISOR_CMD_PUBLISH = 0x6d,
	SUPERVISOR_CMD_KEY_SEND = 0x6e,
	SUPERVISOR_CMD_KEY_CALL = 0x6f,
	SUPERVISOR_CMD_KEY_SIGNAL = 0x70,
	SUPERVISOR_CMD_REGISTRY_STATUS = 0x71
};

/* What a limit bounds: named by out_limit, and the index of INFO's tables. */
enum {
	SUPERVISOR_LIMIT_NONE = 0,
	SUPERVISOR_LIMIT_SUPERVISORS = 1,	/* of a user */
	SUPERVISOR_LIMIT_CHILDREN = 2,		/* of a user: child specs */
	SUPERVISOR_LIMIT_MAILBOXES = 3,		/* of a user */
	SUPERVISOR_LIMIT_BYTES = 4,		/* of a user: blobs, payloads, values, tables... */
	SUPERVISOR_LIMIT_NAMES = 5,		/* of a user: named objects */
	SUPERVISOR_LIMIT_CALLS = 6,		/* of a user: calls and subscriptions under way */
	SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN = 7, /* of one supervisor: child specs */
	SUPERVISOR_LIMIT_SUBSCRIPTIONS = 8,	/* of one root; listeners of one registry */
	SUPERVISOR_LIMIT_REFS = 9,		/* of a user: monitors, links and aliases */
	SUPERVISOR_LIMIT_MAILBOX_MESSAGES = 10,	/* of one mailbox: casts and calls */
	SUPERVISOR_LIMIT_MAILBOX_BYTES = 11,	/* of one mailbox: their payloads */
	SUPERVISOR_LIMIT_KEPT_MAILBOXES = 12,	/* of one child: those that survive it */
	SUPERVISOR_LIMIT_REGISTRIES = 13,	/* of a user */
	SUPERVISOR_LIMIT_ENTRIES = 14,		/* of a user: entries, metadata and locks */
	SUPERVISOR_LIMIT_MAP_SLOTS = 15		/* of one registry's mapping */
};

#define SUPERVISOR_LIMIT_NR 16		/* with room for more */

/* INFO out_features */
#define SUPERVISOR_FEATURE_SUPERVISORS (1ULL << 0)	/* static supervisors */
#define SUPERVISOR_FEATURE_MESSAGES (1ULL << 1)	/* casts, calls, monitors, links, aliases */
#define SUPERVISOR_FEATURE_REGISTRIES (1ULL << 2)
#define SUPERVISOR_FEATURE_DYNAMIC (1ULL << 3)	/* dynamic supervisors */
#define SUPERVISOR_FEATURE_LINEAGE (1ULL << 4)	/* and crash reports */

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
	SUPERVISOR_OWNER_DEATH_RELEASE = 1,	/* children run on, forgotten; tokens are revoked */
	SUPERVISOR_OWNER_DEATH_HOLD = 2		/* it goes on, and waits to be adopted */
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
	SUPERVISOR_INVALID_DUPLICATE_ID = 13,
	SUPERVISOR_INVALID_MAX_CHILDREN = 14	/* looked at before auto_shutdown */
};

/* What children a supervisor has. */
enum {
	SUPERVISOR_ORDERED = 0,		/* by specs, in an order: OTP's supervisor */
	SUPERVISOR_DYNAMIC = 1,		/* as they come: Elixir's DynamicSupervisor */
	SUPERVISOR_SIMPLE = 2		/* all alike: OTP's simple_one_for_one */
};

/* Who makes the processes of a dynamic supervisor's new children. */
enum {
	SUPERVISOR_SPAWN_SPAWNER = 0,	/* the tree's spawner, asked by a START */
	SUPERVISOR_SPAWN_SELF = 1	/* whoever likes: they come by SUPERVISOR_CHILD_JOIN */
};

/* max_children: 0 to 4,294,967,295, or this */
#define SUPERVISOR_CHILDREN_INFINITY (-1)
/* struct supervisor_create.flags */
#define SUPERVISOR_CREATE_F_LOG_CRASHES (1U << 0) /* a line in the kernel's log for each */

/**
 * struct supervisor_create - ioctl(SUPERVISOR_CREATE) on the device
 * @size: sizeof(struct supervisor_create)
 * @flags: SUPERVISOR_CREATE_F_*
 * @strategy: SUPERVISOR_ONE_FOR_ONE and so on
 * @auto_shutdown: SUPERVISOR_AUTO_SHUTDOWN_*
 * @intensity: restarts allowed within @period; at most 1,000,000
 * @period: seconds, 1 to a year; counted in whole seconds as OTP does
 * @owner_death: SUPERVISOR_OWNER_DEATH_*; of a root only
 * @unkillable_ms: how long a stop waits for a child that may not be signalled; 0
 *	is 5000
 * @spawner_timeout_ms: how long a START may stay unread before it is a start
 *	error; 0 is for ever
 * @mailbox_fd: where START requests go, for its children and for those below that
 *	have no other; -1: where those of the supervisor above do, whose child it is to
 *	be. When nobody can read that mailbox any more, they go there, too
 * @name_len: bytes in @name; 0 for an anonymous one
 * @mode: permission bits of a named one, less the umask
 * @name: pointer to "/name", not NUL-terminated
 * @out_fd: the new supervisor, O_CLOEXEC, open for reading and writing
 * @out_invalid: with EINVAL, SUPERVISOR_INVALID_* or 0
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @__reserved: must be 0
 * @out_id: its id, never used again
 * @kind: %SUPERVISOR_ORDERED, or what makes it a dynamic one; if not, the members
 *	up to @child_spec must be 0
 * @spawn: SUPERVISOR_SPAWN_*
 * @max_children: how many children it may have, those that restart included
 * @child_spec: pointer to a struct supervisor_child_spec, the template: what children are like that
 *	come without a spec of their own. With SIMPLE or SPAWN_SELF there must be one;
 *	otherwise 0 is none. It names no supervisor
 * @hold_ms: HOLD: how long it waits to be adopted, 1 to %SUPERVISOR_HOLD_MS_MAX;
 *	otherwise 0
 * @__reserved2: must be 0
 *
 * Makes a supervisor without children that has not started. The calling
 * process is its owner. Signals to its children go out with the caller's
 * credentials of this moment, in the caller's pid namespace.
 *
 * With LOG_CRASHES, what a SUPERVISOR_MSG_CRASH of its own children says (not of those
 * below them) is also a line in the kernel's log, as long as there are not too many.
 *
 * A dynamic supervisor has no specs: children come when it is up, by
 * SUPERVISOR_CHILD_ADD or SUPERVISOR_CHILD_JOIN, and are forgotten when they are gone;
 * it starts again with none. They have no order, and their ids need not differ: one is
 * meant by its number. Its @strategy is one_for_one. A stop asks all children at once.
 *
 * With HOLD, a root outlives its owner and its files, from its start on: see
 * SUPERVISOR_ADOPT. It needs a name, and a mailbox that survives.
 *
 * Context: does not block. Errors: EINVAL (@out_invalid, also of @child_spec), EDQUOT
 * (@out_limit), EBADF or EBADFD (@mailbox_fd), EEXIST or ENAMETOOLONG (@name), those of
 * SUPERVISOR_CHILD_ADD's spec (@child_spec), EMFILE, ENFILE, ENOMEM, and those of every
 * ioctl.
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
	__u32 kind;
	__u32 spawn;
	__s64 max_children __attribute__((aligned(8)));
	__aligned_u64 child_spec;
	__u32 hold_ms;
	__u32 __reserved2;
};
#define SUPERVISOR_CREATE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CREATE)

/* What kind of object a name belongs to. All share one space of names. */
enum {
	SUPERVISOR_KIND_SUPERVISOR = 0,
	SUPERVISOR_KIND_MAILBOX = 1,
	SUPERVISOR_KIND_REGISTRY = 2
};

/**
 * struct supervisor_open - ioctl(SUPERVISOR_OPEN) on the device
 * @size: sizeof(struct supervisor_open)
 * @flags: must be 0
 * @access: O_RDONLY, O_WRONLY or O_RDWR, as open(2) has them: to look at a
 *	supervisor or control it; to receive from a mailbox or send to it; to look
 *	up in a registry and address who is there, or register there
 * @name_len: bytes in @name
 * @name: pointer to "/name"
 * @out_fd: a new file for the object of that name, O_CLOEXEC
 * @kind: SUPERVISOR_KIND_*
 * @out_id: its id
 *
 * Errors: ENOENT (none of that name and kind), EACCES, EINVAL, ENAMETOOLONG,
 * EMFILE, ENFILE, ENOMEM.
 */
struct supervisor_open {
	__u32 size;
	__u32 flags;
	__u32 access;
	__u32 name_len;
	__aligned_u64 name;
	__s32 out_fd;
	__u32 kind;
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
 * @kind: SUPERVISOR_KIND_*
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
	__u32 kind;
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
 * Lists the named objects of the caller's user namespace by id. Errors:
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
 * EBUSY (already somebody's child), EDEADLK (it owns the tree), ENOSPC (the mapping
 * of the registry in which it has a key is full), ENOMEM.
 *
 * When its spec has a key, the process is registered before this returns.
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
 * struct supervisor_reset_signals - ioctl(SUPERVISOR_RESET_SIGNALS) on the device
 * @size: sizeof(struct supervisor_reset_signals)
 * @flags: must be 0
 *
 * What SUPERVISOR_ATTACH_F_RESET_SIGNALS does, without becoming a child: every signal
 * of the calling process has its default action, and none is blocked in the calling
 * thread. In a forked process that does not exec, instead of 64 calls of sigaction(2).
 *
 * Context: does not wait. Errors: those of every ioctl.
 */
struct supervisor_reset_signals {
	__u32 size;
	__u32 flags;
};
#define SUPERVISOR_RESET_SIGNALS _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_RESET_SIGNALS)

/* struct supervisor_mailbox_create.flags */
#define SUPERVISOR_MAILBOX_F_SURVIVE (1U << 0)	/* waits for its next owner */

/**
 * struct supervisor_mailbox_create - ioctl(SUPERVISOR_MAILBOX_CREATE) on the device
 * @size: sizeof(struct supervisor_mailbox_create)
 * @flags: SUPERVISOR_MAILBOX_F_SURVIVE
 * @ring_bytes: memory set aside for events and small messages: 4096 to 16 MiB,
 *	a power of two; 0 is 64 KiB
 * @out_fd: the new mailbox, O_CLOEXEC, open for reading and writing
 * @out_limit: with EDQUOT and ENOSPC, SUPERVISOR_LIMIT_*
 * @__reserved: must be 0
 * @out_id: its id
 * @max_messages: casts and calls that may wait in it: 1 to 1,048,576; 0 is 1024
 * @max_bytes: bytes of their payloads: at least @max_payload, at most 64 MiB; 0
 *	is 1 MiB
 * @max_payload: bytes of one payload: at most %SUPERVISOR_PAYLOAD_MAX; 0 is
 *	that, or @max_bytes if it is less
 * @name_len: bytes in @name; 0 for an anonymous one
 * @name: pointer to "/name", not NUL-terminated
 * @mode: permission bits of a named one, less the umask: reading is receiving
 *	and replying, writing is sending and calling
 * @__reserved2: must be 0
 *
 * The calling process is the owner. When it dies, or when no file of the mailbox
 * is left, calls to it fail with EOWNERDEAD, what is unread is gone, and its name
 * is free. One that
 * survives keeps what nobody has taken, and waits for SUPERVISOR_MAILBOX_OWN;
 * when it has a name and its creator is a supervised child, it also outlives its
 * files, until the child's spec is deleted.
 *
 * Errors: EINVAL, EDQUOT, ENOSPC (mailboxes that survive the child), EEXIST or
 * ENAMETOOLONG (@name), EMFILE, ENFILE, ENOMEM.
 */
struct supervisor_mailbox_create {
	__u32 size;
	__u32 flags;
	__u32 ring_bytes;
	__s32 out_fd;
	__u32 out_limit;
	__u32 __reserved;
	__aligned_u64 out_id;
	__u32 max_messages;
	__u32 max_bytes;
	__u32 max_payload;
	__u32 name_len;
	__aligned_u64 name;
	__u32 mode;
	__u32 __reserved2;
};
#define SUPERVISOR_MAILBOX_CREATE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_MAILBOX_CREATE)

/* The type of a message. */
enum {
	SUPERVISOR_MSG_START = 1,	/* struct supervisor_msg_start */
	SUPERVISOR_MSG_EVENT = 2,	/* struct supervisor_msg_event */
	SUPERVISOR_MSG_ANSWER = 3,	/* struct supervisor_msg_answer */
	SUPERVISOR_MSG_GAP = 4,		/* @ref events were lost here: the ring was full */
	SUPERVISOR_MSG_CAST = 5,	/* struct supervisor_msg_data */
	SUPERVISOR_MSG_CALL = 6,	/* struct supervisor_msg_data: awaits a reply */
	SUPERVISOR_MSG_REPLY = 7,	/* struct supervisor_msg_reply */
	SUPERVISOR_MSG_DOWN = 8,	/* struct supervisor_msg_down: of a monitor */
	SUPERVISOR_MSG_EXIT = 9,	/* struct supervisor_msg_down: of a link */
	SUPERVISOR_MSG_REGISTRY = 10,	/* struct supervisor_msg_registry: to a listener */
	SUPERVISOR_MSG_CRASH = 11	/* struct supervisor_msg_crash: to who asked for it */
};

/* struct supervisor_msg.flags */
#define SUPERVISOR_MSG_F_SUPERVISOR (1U << 0) /* START: of a supervisor; fork nothing */
#define SUPERVISOR_MSG_F_PATH (1U << 1)	/* the path of the sender's supervisor is there */
#define SUPERVISOR_MSG_F_DYNAMIC (1U << 2) /* of a child: a path calls it by its number */

/**
 * struct supervisor_msg - the head of every message
 * @size: bytes of the whole message, a multiple of 8: the next one is there
 * @type: SUPERVISOR_MSG_*
 * @flags: SUPERVISOR_MSG_F_*
 * @supervisor: id of the supervisor it is about; CAST, CALL, DOWN, EXIT: of the
 *	one whose child sent it or died, or 0
 * @child: id of the child's spec, never used again; 0 when about none
 * @ref: START: the token. ANSWER: the call's cookie. GAP: how many. CAST: the
 *	alias it was sent to, or 0. CALL: what a reply names. REPLY, DOWN,
 *	EXIT: the ref that was handed out
 * @time_ns: when it happened or was sent
 * @pid: START: 0. EVENT, CRASH: the child's process; START_FAILED, DOWN: with EEXIST, who
 *	has the key. CAST, CALL, REPLY: the sender; 0 of a REPLY that nobody sent.
 *	DOWN, EXIT: who died
 * @uid: effective, of the sender; of kernel messages, the supervisor's creator
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
 * @args_len: bytes of the arguments that came with this child alone
 * @args_offset: where they begin
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
	__u32 args_len;
	__u32 args_offset;
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
	SUPERVISOR_EVENT_START_REQUEST = 11, /* a START went out to the spawner */
	SUPERVISOR_EVENT_HELD = 12,	/* a root has lost its owner, and goes on */
	SUPERVISOR_EVENT_ADOPTED = 13	/* it has another one */
};

/* An exit reason. */
enum {
	SUPERVISOR_EXIT_NORMAL = 0,	/* exit status 0 */
	SUPERVISOR_EXIT_SHUTDOWN = 1,	/* the supervisor's stop signal, or declared */
	SUPERVISOR_EXIT_CRASH = 2,
	SUPERVISOR_EXIT_KILLED = 3,	/* any SIGKILL */
	SUPERVISOR_EXIT_NOPROC = 4	/* DOWN, EXIT: it was not there, or dead already */
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
 * @head: type SUPERVISOR_MSG_EVENT. HELD, ADOPTED, UP and DOWN of a root have
 *	@child 0; UP and DOWN of another supervisor name the child of the parent that
 *	it is, and @supervisor is that parent
 * @event: SUPERVISOR_EVENT_*
 * @reason: EXITED, DOWN: SUPERVISOR_EXIT_*
 * @status: EXITED: the raw wait status, as wait4 gives it
 * @error: START_FAILED: errno; DOWN: with INIT_FAILED, that of the start that failed
 * @down: DOWN: SUPERVISOR_DOWN_*
 * @is_supervisor: the child is a supervisor
 * @id_len: bytes of the child's id; a NUL follows
 * @path_len: bytes of the supervisor's path, which follows that; and a NUL
 * @text_offset: where the id begins, from the start of the message
 * @exit_seq: EXITED: the death's number, system-wide and rising
 * @utime_ns: EXITED: user time
 * @stime_ns: EXITED: system time
 * @maxrss_kb: EXITED: as ru_maxrss of wait4
 * @callers: how many callers the child has: see struct supervisor_lineage
 * @caller: the first of them: who asked for the child; 0 for nobody known
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
	__u32 callers;
	__s32 caller;
};

/* What an entry of a lineage is about. */
enum {
	SUPERVISOR_LINEAGE_ANCESTOR = 0,	/* a supervisor */
	SUPERVISOR_LINEAGE_CALLER = 1		/* a process that asked for another one */
};

/* struct supervisor_lineage_entry.flags */
#define SUPERVISOR_LINEAGE_F_ALIVE (1U << 0)	/* CALLER: it lives, and @pid is its number */
#define SUPERVISOR_LINEAGE_F_DYNAMIC (1U << 1)	/* a path calls it by @child, not by its id */

/**
 * struct supervisor_lineage_entry - an ancestor or a caller
 * @size: bytes to the next entry, a multiple of 8
 * @flags: SUPERVISOR_LINEAGE_F_*
 * @kind: SUPERVISOR_LINEAGE_*
 * @pid: CALLER: the process; once it is not alive, its number may be another's
 * @supervisor: ANCESTOR: the supervisor's id. CALLER: that of the one whose child it
 *	was, 0 for none
 * @child: ANCESTOR: the id of the child that it is, 0 for a root. CALLER: the child's
 *	id, 0 for none
 * @start_ns: CALLER: when the process was made, CLOCK_BOOTTIME; together with @pid no
 *	other process has it. /proc/PID/stat shows the same in clock ticks
 * @incarnation: CALLER: the child's run
 * @id_len: bytes of the child's id, of a root of its name (with its '/'); a NUL follows
 * @path_len: CALLER: bytes of the path of its supervisor, which follows that; and a NUL.
 *	ANCESTOR: 0; all their ids but the root's make the path
 * @text_offset: where the id begins, from the start of the entry
 * @__reserved: 0
 */
struct supervisor_lineage_entry {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__s32 pid;
	__aligned_u64 supervisor;
	__aligned_u64 child;
	__aligned_u64 start_ns;
	__u32 incarnation;
	__u16 id_len;
	__u16 path_len;
	__u32 text_offset;
	__u32 __reserved;
};

/* What was decided about a death. */
enum {
	SUPERVISOR_CRASH_RESTART = 0,	/* it is started again, as the strategy has it */
	SUPERVISOR_CRASH_RETRY = 1,	/* likewise, after a delay */
	SUPERVISOR_CRASH_KEPT = 2,	/* it is not started again; its spec is kept */
	SUPERVISOR_CRASH_DELETED = 3,	/* likewise, and deleted: it was temporary */
	SUPERVISOR_CRASH_GAVE_UP = 4,	/* the supervisor ends: too many restarts */
	SUPERVISOR_CRASH_AUTO_SHUTDOWN = 5, /* the supervisor ends: it was significant */
	SUPERVISOR_CRASH_STOPPED = 6,	/* it was being stopped, or it was about to be */
	SUPERVISOR_CRASH_START_FAILED = 7 /* it had not started */
};

/**
 * struct supervisor_msg_crash - a process's death that was not as it should be
 * @head: type SUPERVISOR_MSG_CRASH; @time_ns is when it was decided about
 * @reason: SUPERVISOR_EXIT_CRASH or SUPERVISOR_EXIT_KILLED
 * @status: the raw wait status, as wait4 gives it
 * @decision: SUPERVISOR_CRASH_*
 * @restart: SUPERVISOR_PERMANENT and so on, of the child
 * @exit_seq: the death's number, system-wide and rising, as in its EXITED
 * @exit_ns: when it died
 * @start_ns: when it had started; 0 when it had not
 * @utime_ns: user time
 * @stime_ns: system time
 * @maxrss_kb: as ru_maxrss of wait4
 * @id_len: bytes of the child's id; a NUL follows
 * @path_len: bytes of the supervisor's path, which follows that; and a NUL
 * @text_offset: where the id begins, from the start of the message
 * @ancestors: entries of struct supervisor_lineage_entry about the supervisors, from the
 *	child's own to the root
 * @callers: entries about the callers, which follow; the first asked for the child
 * @lineage_offset: where the first entry begins, from the start of the message
 * @__reserved: 0
 *
 * OTP's crash report, and its supervisor report in one: of each process that crashed
 * or was killed, once, when its supervisor has decided what comes of it. None of
 * those that a supervisor killed because their specs say so, or because it is to be
 * killed itself, or because they had not started in time; nor of a start that the
 * child itself said had FAILED; nor of the children of dynamic supervisors, whose EXITED says
 * how they ended.
 */
struct supervisor_msg_crash {
	struct supervisor_msg head;
	__u32 reason;
	__s32 status;
	__u32 decision;
	__u32 restart;
	__aligned_u64 exit_seq;
	__aligned_u64 exit_ns;
	__aligned_u64 start_ns;
	__aligned_u64 utime_ns;
	__aligned_u64 stime_ns;
	__aligned_u64 maxrss_kb;
	__u16 id_len;
	__u16 path_len;
	__u32 text_offset;
	__u32 ancestors;
	__u32 callers;
	__u32 lineage_offset;
	__u32 __reserved;
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
	SUPERVISOR_RESULT_NO_SPACE = 11,	/* ENOSPC: as many children as are allowed */
	SUPERVISOR_RESULT_MAX_CHILDREN = 12,	/* EUSERS */
	SUPERVISOR_RESULT_DYNAMIC = 13		/* EOPNOTSUPP: not asked of a dynamic one */
};

/**
 * struct supervisor_msg_answer - the answer to an asynchronous call
 * @head: type SUPERVISOR_MSG_ANSWER; @ref is the cookie, @pid as out_pid; of
 *	CHILD_ADD @child is as out_id
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
 * @cursor: WHICH_CHILDREN of a dynamic supervisor: where to go on, 0 when all were
 *	told
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
	__aligned_u64 cursor;
};

/**
 * struct supervisor_msg_data - a cast or a call
 * @head: type SUPERVISOR_MSG_CAST or SUPERVISOR_MSG_CALL
 * @payload_len: bytes of the payload
 * @path_len: with %SUPERVISOR_MSG_F_PATH, bytes of the path of the supervisor
 *	whose child sent it, as SUPERVISOR_OPEN_CHILD takes it (a root's is
 *	empty). It follows the payload, at the next multiple of 8, and a NUL
 *	follows it
 * @payload_offset: where the payload begins, from the start of the message
 */
struct supervisor_msg_data {
	struct supervisor_msg head;
	__u32 payload_len;
	__u16 path_len;
	__u16 payload_offset;
};

/**
 * struct supervisor_msg_reply - the end of a call made with SUPERVISOR_CALL_START
 * @head: type SUPERVISOR_MSG_REPLY; @ref is the call's
 * @error: 0, or the errno with which a SUPERVISOR_MAILBOX_CALL would have failed
 * @payload_len: bytes of the reply
 * @payload_offset: where it begins, from the start of the message
 * @__reserved: 0
 */
struct supervisor_msg_reply {
	struct supervisor_msg head;
	__s32 error;
	__u32 payload_len;
	__u32 payload_offset;
	__u32 __reserved;
};

/* What a DOWN is about. */
enum {
	SUPERVISOR_DOWN_OF_PROCESS = 0,
	SUPERVISOR_DOWN_OF_MAILBOX = 1,		/* it has no owner any more */
	SUPERVISOR_DOWN_OF_SUPERVISOR = 2	/* it has ended */
};

/**
 * struct supervisor_msg_down - what was monitored, or linked, is dead
 * @head: type SUPERVISOR_MSG_DOWN or SUPERVISOR_MSG_EXIT
 * @reason: SUPERVISOR_EXIT_*. Who was killed by a link has the reason that came
 *	through the link. A mailbox has its owner's, NORMAL when that closed it
 * @status: of a process: the raw wait status, as wait4 gives it
 * @what: SUPERVISOR_DOWN_OF_*
 * @__reserved: 0
 * @exit_seq: of a process: the death's number, system-wide and rising
 * @utime_ns: of a process: user time
 * @stime_ns: of a process: system time
 * @maxrss_kb: of a process: as ru_maxrss of wait4
 */
struct supervisor_msg_down {
	struct supervisor_msg head;
	__u32 reason;
	__s32 status;
	__u32 what;
	__u32 __reserved;
	__aligned_u64 exit_seq;
	__aligned_u64 utime_ns;
	__aligned_u64 stime_ns;
	__aligned_u64 maxrss_kb;
};

/* What happened in a registry. */
enum {
	SUPERVISOR_REGISTRY_REGISTERED = 1,
	SUPERVISOR_REGISTRY_UNREGISTERED = 2,
	SUPERVISOR_REGISTRY_DIED = 3	/* an entry is gone because its process is */
};

/**
 * struct supervisor_msg_registry - what a registry's listener is told
 * @head: type SUPERVISOR_MSG_REGISTRY; @pid is the entry's process, @uid that of
 *	the user who pays for its entries, @ref the entry's number; 0 with
 *	UNREGISTERED
 * @registry: the registry's id
 * @event: SUPERVISOR_REGISTRY_*
 * @partition: of the entry
 * @key_len: bytes of the key; a NUL follows
 * @value_len: REGISTERED: bytes of the value, which follows that; and a NUL
 * @text_offset: where the key begins, from the start of the message
 * @__reserved: 0
 *
 * As OTP has it, an unregister call is told once, however many entries it took
 * away and also when there was none; unless it was for one value, then when no
 * entry of the caller is left. Deaths are told for each entry, to those who asked.
 */
struct supervisor_msg_registry {
	struct supervisor_msg head;
	__aligned_u64 registry;
	__u32 event;
	__u32 partition;
	__u16 key_len;
	__u16 value_len;
	__u32 text_offset;
	__u32 __reserved[2];
};

/* struct supervisor_mailbox_recv.flags, and of struct supervisor_call_reply_recv */
#define SUPERVISOR_RECV_F_PATH (1U << 0)	/* casts and calls with the sender's path */
#define SUPERVISOR_RECV_F_REF (1U << 1)	/* only the messages of @ref */

/**
 * struct supervisor_mailbox_recv - ioctl(SUPERVISOR_MAILBOX_RECV) on a mailbox
 * @size: sizeof(struct supervisor_mailbox_recv)
 * @flags: SUPERVISOR_RECV_F_*
 * @buf: pointer to room for messages, aligned to 8
 * @buf_len: its bytes; out: the bytes filled, or needed with EMSGSIZE
 * @max: take at most so many; 0: as many as fit
 * @deadline: when to give up waiting for the first message
 * @out_count: messages taken
 * @__reserved: must be 0
 * @ref: with %SUPERVISOR_RECV_F_REF: take messages of this ref only, past others:
 *	a REPLY, DOWN, EXIT or ANSWER, or a CAST that came through an alias
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
	__aligned_u64 ref;
};
#define SUPERVISOR_MAILBOX_RECV _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_MAILBOX_RECV)

/**
 * struct supervisor_mailbox_send - ioctl(SUPERVISOR_MAILBOX_SEND) on a mailbox
 * @size: sizeof(struct supervisor_mailbox_send)
 * @flags: must be 0
 * @buf: pointer to the payload
 * @len: its bytes
 * @out_limit: with EAGAIN, ETIMEDOUT and EDQUOT, SUPERVISOR_LIMIT_*
 * @deadline: when to give up waiting for room
 * @out_max: with EMSGSIZE, the bytes that a payload may have
 * @__reserved: must be 0
 *
 * A cast: the payload arrives as SUPERVISOR_MSG_CAST. write(2) does the same;
 * poll(2) says POLLOUT while there is room, POLLERR when nobody will ever serve it
 * again. A payload too large for the ring is charged to the sender until it is
 * read.
 *
 * Errors: EMSGSIZE (@out_max), EAGAIN (no room, and @deadline 0 or O_NONBLOCK),
 * ETIMEDOUT, ESHUTDOWN (no owner, and it does not survive), EDQUOT, EINTR,
 * ENOMEM.
 */
struct supervisor_mailbox_send {
	__u32 size;
	__u32 flags;
	__aligned_u64 buf;
	__u32 len;
	__u32 out_limit;
	__aligned_u64 deadline;
	__u32 out_max;
	__u32 __reserved;
};
#define SUPERVISOR_MAILBOX_SEND _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_MAILBOX_SEND)

/**
 * struct supervisor_mailbox_call - ioctl(SUPERVISOR_MAILBOX_CALL) on a mailbox
 * @size: sizeof(struct supervisor_mailbox_call)
 * @flags: must be 0
 * @buf: pointer to the request
 * @len: its bytes
 * @reply_len: bytes at @reply; out: of the reply, or needed with EMSGSIZE
 * @reply: pointer to room for the reply
 * @deadline: of the whole call
 * @out_limit: as struct supervisor_mailbox_send
 * @out_max: likewise
 * @call: 0; or, after EINTR or a reply's EMSGSIZE, the call that is under way,
 *	to wait on or fetch
 *
 * The request arrives as SUPERVISOR_MSG_CALL; returns with the reply. The owner's
 * death ends it, whoever has it in hand. A call whose caller gave up is taken
 * back if nobody has received it; otherwise its replier is told ESTALE. Memory for
 * a large reply is charged to the caller, who gets EDQUOT if that is too much.
 *
 * Errors: EMSGSIZE (request: @out_max; reply: @reply_len, and it is kept),
 * ESHUTDOWN (nobody serves it: OTP's noproc), EOWNERDEAD, EDEADLK (the caller is
 * the owner), ETIMEDOUT, EAGAIN (@deadline 0), ESTALE (@call is none of this
 * file's), EDQUOT, EINTR, ENOMEM.
 */
struct supervisor_mailbox_call {
	__u32 size;
	__u32 flags;
	__aligned_u64 buf;
	__u32 len;
	__u32 reply_len;
	__aligned_u64 reply;
	__aligned_u64 deadline;
	__u32 out_limit;
	__u32 out_max;
	__aligned_u64 call;
};
#define SUPERVISOR_MAILBOX_CALL _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_MAILBOX_CALL)

/**
 * struct supervisor_call_reply - ioctl(SUPERVISOR_CALL_REPLY) on a mailbox
 * @size: sizeof(struct supervisor_call_reply)
 * @flags: must be 0
 * @from: @ref of the SUPERVISOR_MSG_CALL
 * @buf: pointer to the reply
 * @len: its bytes, at most %SUPERVISOR_PAYLOAD_MAX
 * @__reserved: must be 0
 *
 * For any process that has the mailbox open for reading, at any time. Exactly one
 * reply wins.
 *
 * Errors: ENOENT (no such call was ever received from this mailbox), EALREADY (it
 * has been answered), ESTALE (nobody waits any more; of calls long ago, also when
 * it has been answered), EMSGSIZE, EFAULT, ENOMEM (it is still awaited).
 */
struct supervisor_call_reply {
	__u32 size;
	__u32 flags;
	__aligned_u64 from;
	__aligned_u64 buf;
	__u32 len;
	__u32 __reserved;
};
#define SUPERVISOR_CALL_REPLY _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CALL_REPLY)

/**
 * struct supervisor_call_reply_recv - ioctl(SUPERVISOR_CALL_REPLY_RECV) on a mailbox
 * @size: sizeof(struct supervisor_call_reply_recv)
 * @flags: SUPERVISOR_RECV_F_PATH
 * @from: as struct supervisor_call_reply; 0: no reply, only receive. Reads 0 once
 *	the reply has been dealt with; but with EINTR it stays when nobody awaited
 *	the reply, so that who comes back is told
 * @reply: pointer to the reply
 * @reply_len: its bytes
 * @out_reply_error: ENOENT, EALREADY or ESTALE of the reply, which do not keep it
 *	from receiving; or 0
 * @buf: as struct supervisor_mailbox_recv
 * @buf_len: likewise
 * @max: likewise
 * @deadline: likewise
 * @out_count: likewise
 * @__reserved: must be 0
 *
 * A reply and the next receive in one: a server's loop. Errors: EMSGSIZE, EFAULT
 * and ENOMEM of the reply, with @from as it was; those of
 * SUPERVISOR_MAILBOX_RECV, with @from as said there.
 */
struct supervisor_call_reply_recv {
	__u32 size;
	__u32 flags;
	__aligned_u64 from;
	__aligned_u64 reply;
	__u32 reply_len;
	__s32 out_reply_error;
	__aligned_u64 buf;
	__u32 buf_len;
	__u32 max;
	__aligned_u64 deadline;
	__u32 out_count;
	__u32 __reserved;
};
#define SUPERVISOR_CALL_REPLY_RECV _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CALL_REPLY_RECV)

/**
 * struct supervisor_call_start - ioctl(SUPERVISOR_CALL_START) on a mailbox
 * @size: sizeof(struct supervisor_call_start)
 * @flags: must be 0
 * @buf: pointer to the request
 * @len: its bytes
 * @mailbox_fd: where the SUPERVISOR_MSG_REPLY goes, which is always one: open for
 *	reading
 * @deadline: when to give up waiting for room
 * @out_limit: as struct supervisor_mailbox_send
 * @out_max: likewise
 * @out_ref: the call, in that mailbox
 *
 * A call that does not wait. It counts in SUPERVISOR_LIMIT_CALLS until its REPLY
 * is read.
 *
 * Errors: as SUPERVISOR_MAILBOX_CALL, but EDEADLK; EBADF or EBADFD (@mailbox_fd).
 */
struct supervisor_call_start {
	__u32 size;
	__u32 flags;
	__aligned_u64 buf;
	__u32 len;
	__s32 mailbox_fd;
	__aligned_u64 deadline;
	__u32 out_limit;
	__u32 out_max;
	__aligned_u64 out_ref;
};
#define SUPERVISOR_CALL_START _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CALL_START)

/* struct supervisor_ref.flags */
#define SUPERVISOR_REF_F_FLUSH (1U << 0)	/* its message too, if it is in the mailbox */

/**
 * struct supervisor_ref - ioctl(SUPERVISOR_CALL_CANCEL, SUPERVISOR_DEMONITOR,
 *	SUPERVISOR_UNALIAS) on the mailbox that has the ref
 * @size: sizeof(struct supervisor_ref)
 * @flags: SUPERVISOR_REF_F_FLUSH; not for UNALIAS
 * @ref: what CALL_START, MONITOR or ALIAS handed out; for CALL_CANCEL also @call of
 *	a SUPERVISOR_MAILBOX_CALL that was interrupted, through the file through
 *	which it was made, which need not be open for reading
 * @out_found: 1: it was active and is not any more; 0: there was no such ref, or
 *	it was done
 * @__reserved: must be 0
 *
 * With FLUSH nothing of the ref is in the mailbox afterwards, and never comes.
 * Without, a message that is there stays. OTP's demonitor and unalias. Context:
 * does not wait. Errors: those of every ioctl.
 */
struct supervisor_ref {
	__u32 size;
	__u32 flags;
	__aligned_u64 ref;
	__u32 out_found;
	__u32 __reserved;
};
#define SUPERVISOR_CALL_CANCEL _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CALL_CANCEL)
#define SUPERVISOR_DEMONITOR _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_DEMONITOR)
#define SUPERVISOR_UNALIAS _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_UNALIAS)

/* struct supervisor_mailbox_own.flags */
#define SUPERVISOR_OWN_F_VACANT (1U << 0)	/* unless another process that lives owns it */

/**
 * struct supervisor_mailbox_own - ioctl(SUPERVISOR_MAILBOX_OWN) on a mailbox
 * @size: sizeof(struct supervisor_mailbox_own)
 * @flags: SUPERVISOR_OWN_F_*
 *
 * The calling process becomes the owner: calls hang on its life from now on. For
 * a file open for reading, by the old owner's user or with CAP_KILL. Calls that
 * the old owner has taken stay taken. A mailbox that does not survive can be
 * owned while its owner lives, not afterwards.
 *
 * Errors: EPERM, ESHUTDOWN (its owner is dead), EBUSY (VACANT), EBADF, ENOMEM.
 */
struct supervisor_mailbox_own {
	__u32 size;
	__u32 flags;
};
#define SUPERVISOR_MAILBOX_OWN _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_MAILBOX_OWN)

/**
 * struct supervisor_mailbox_status - ioctl(SUPERVISOR_MAILBOX_STATUS) on a mailbox
 * @size: sizeof(struct supervisor_mailbox_status)
 * @flags: must be 0
 * @out_id: the mailbox's id
 * @out_owner_pid: its owner; 0 when it has none
 * @out_survive: 1 if it was created with SUPERVISOR_MAILBOX_F_SURVIVE
 * @out_max_messages: as created
 * @out_max_bytes: likewise
 * @out_max_payload: likewise
 * @out_ring_bytes: likewise
 * @out_messages: casts and calls that wait in it
 * @out_bytes: of their payloads
 * @out_taken: calls that were received and await their reply
 * @out_reserved: other messages that wait: starts, answers, replies, DOWN, EXIT
 * @out_lost: events that found no room since the last GAP was read
 *
 * A look at this moment. Context: does not wait. Errors: those of every ioctl.
 */
struct supervisor_mailbox_status {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_id;
	__s32 out_owner_pid;
	__u32 out_survive;
	__u32 out_max_messages;
	__u32 out_max_bytes;
	__u32 out_max_payload;
	__u32 out_ring_bytes;
	__u32 out_messages;
	__u32 out_bytes;
	__u32 out_taken;
	__u32 out_reserved;
	__aligned_u64 out_lost;
};
#define SUPERVISOR_MAILBOX_STATUS _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_MAILBOX_STATUS)

/* When an alias is off, beside SUPERVISOR_UNALIAS and the end of its mailbox. */
enum {
	SUPERVISOR_ALIAS_NONE = 0,
	SUPERVISOR_ALIAS_EXPLICIT = 1,	/* not before */
	SUPERVISOR_ALIAS_REPLY = 2,	/* SUPERVISOR_ALIAS only: at the first message */
	SUPERVISOR_ALIAS_DEMONITOR = 3,	/* MONITOR only: at its DEMONITOR or DOWN */
	SUPERVISOR_ALIAS_REPLY_DEMONITOR = 4 /* likewise, and with it at the first message */
};

/**
 * struct supervisor_monitor - ioctl(SUPERVISOR_MONITOR) on a mailbox
 * @size: sizeof(struct supervisor_monitor)
 * @flags: must be 0
 * @pid: the process, in the caller's pid namespace; 0: @fd is monitored
 * @fd: without @pid: a mailbox or supervisor. With it: a pidfd, so that @pid is not
 *	taken for another process that has got its number since; or -1
 * @alias: SUPERVISOR_ALIAS_*: @out_ref is an alias of this mailbox too
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @out_ref: the monitor
 *
 * One SUPERVISOR_MSG_DOWN will come into this mailbox, unless
 * SUPERVISOR_DEMONITOR is faster. What is dead already, or not there, gives it at
 * once, with reason NOPROC. Each call makes a new monitor.
 *
 * Errors: EPERM (a process that the caller may not signal), EINVAL (neither @pid nor
 * @fd), EOPNOTSUPP (@alias), ESRCH (@fd is not a pidfd of the process that @pid is
 * now), EBADF, EBADFD, EDQUOT, ENOMEM.
 */
struct supervisor_monitor {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__s32 fd;
	__u32 alias;
	__u32 out_limit;
	__aligned_u64 out_ref;
};
#define SUPERVISOR_MONITOR _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_MONITOR)

/**
 * struct supervisor_alias - ioctl(SUPERVISOR_ALIAS) on a mailbox
 * @size: sizeof(struct supervisor_alias)
 * @flags: must be 0
 * @alias: %SUPERVISOR_ALIAS_EXPLICIT or %SUPERVISOR_ALIAS_REPLY
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @out_ref: the alias: random, so that who knows it was told
 *
 * Who knows an alias may send to the mailbox without a file of it.
 *
 * Errors: EOPNOTSUPP (@alias), EDQUOT, ENOMEM.
 */
struct supervisor_alias {
	__u32 size;
	__u32 flags;
	__u32 alias;
	__u32 out_limit;
	__aligned_u64 out_ref;
};
#define SUPERVISOR_ALIAS _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_ALIAS)

/**
 * struct supervisor_alias_send - ioctl(SUPERVISOR_ALIAS_SEND) on the device
 * @size: sizeof(struct supervisor_alias_send)
 * @flags: must be 0
 * @alias: whom to
 * @buf: as struct supervisor_mailbox_send
 * @len: likewise
 * @out_limit: likewise
 * @deadline: likewise
 * @out_max: likewise
 * @__reserved: must be 0
 *
 * A cast through an alias, whose number is the message's @ref. Errors: ESTALE
 * (the alias is off, or never was; OTP drops the message), those of
 * SUPERVISOR_MAILBOX_SEND.
 */
struct supervisor_alias_send {
	__u32 size;
	__u32 flags;
	__aligned_u64 alias;
	__aligned_u64 buf;
	__u32 len;
	__u32 out_limit;
	__aligned_u64 deadline;
	__u32 out_max;
	__u32 __reserved;
};
#define SUPERVISOR_ALIAS_SEND _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_ALIAS_SEND)

/**
 * struct supervisor_process_link - ioctl(SUPERVISOR_PROCESS_LINK,
 *	SUPERVISOR_PROCESS_UNLINK) on the device
 * @size: sizeof(struct supervisor_process_link)
 * @flags: must be 0
 * @pid: the other process, in the caller's pid namespace
 * @pidfd: of the same process, as in struct supervisor_monitor; or -1
 * @signal: LINK: what the one gets when the other dies, 1 to 64; 0 is SIGKILL.
 *	UNLINK: must be 0
 * @__reserved: must be 0
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @out_found: LINK: there was a link already. UNLINK: there was one
 * @out_ref: LINK: the link: @ref of its SUPERVISOR_MSG_EXIT
 *
 * OTP's link and unlink between the calling process and another one. There is at
 * most one link between two processes; a second LINK changes nothing. When one
 * of them dies with another reason than NORMAL, the other gets the signal, with
 * the linker's credentials, and dies with that reason; if it traps exits, it gets
 * a SUPERVISOR_MSG_EXIT instead, also for NORMAL. To link a process that is not
 * there acts like a link to one that dies at once, of NOPROC. A link to oneself is
 * nothing. After UNLINK nothing of the link comes any more, but for an EXIT that
 * is in the mailbox.
 *
 * Errors: EPERM (one may not signal the other), ESRCH (@pidfd is not of the process
 * that @pid is now), EINVAL, EBADF, EDQUOT, ENOMEM.
 */
struct supervisor_process_link {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__s32 pidfd;
	__u32 signal;
	__u32 __reserved;
	__u32 out_limit;
	__u32 out_found;
	__aligned_u64 out_ref;
};
#define SUPERVISOR_PROCESS_LINK _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_PROCESS_LINK)
#define SUPERVISOR_PROCESS_UNLINK _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_PROCESS_UNLINK)

/**
 * struct supervisor_trap_exit - ioctl(SUPERVISOR_TRAP_EXIT) on the device
 * @size: sizeof(struct supervisor_trap_exit)
 * @flags: must be 0
 * @mailbox_fd: where the calling process gets the ends of its links as
 *	SUPERVISOR_MSG_EXIT, instead of a signal; -1: it traps exits no more
 * @__reserved: must be 0
 *
 * OTP's process_flag(trap_exit). Ends when the mailbox has no file any more, and
 * with the process; a fork does not inherit it. Errors: EBADF, EBADFD, ENOMEM.
 */
struct supervisor_trap_exit {
	__u32 size;
	__u32 flags;
	__s32 mailbox_fd;
	__u32 __reserved;
};
#define SUPERVISOR_TRAP_EXIT _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_TRAP_EXIT)

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
#define SUPERVISOR_CHILD_F_REGISTER (1U << 1)	/* the register members say where */

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
 * @registry_fd: REGISTER: a registry, open for writing
 * @register_key_len: REGISTER: bytes in @register_key, 1 to %SUPERVISOR_KEY_MAX
 * @register_key: REGISTER: pointer to the key
 * @register_value: REGISTER: pointer to the value of its entry
 * @register_value_len: REGISTER: bytes in @register_value, at most
 *	%SUPERVISOR_VALUE_MAX
 * @__reserved2: must be 0
 * @out_registry: CHILD_GET_SPEC: with REGISTER, the registry's id; elsewhere 0
 *
 * With REGISTER each START takes the key for the child before anybody is asked to
 * start it, and the entry is the child's from its attach to its death. When
 * somebody else has the key, the start fails with EEXIST as out_error and the holder
 * as out_pid (0 for a child that is being started): OTP's already_started. A start
 * that comes to nothing gives the key back. From a death to the next START anybody
 * may have it, as in OTP. Of duplicate keys there is nothing to take.
 *
 * The spec keeps the registry open and counts as one of its creator's entries, so
 * that no start fails for a limit. Of a process only. Without the flag the members
 * must be 0.
 *
 * Of a dynamic supervisor's template the key is each child's: with a unique one, there is
 * one child at a time. A process that joins (SUPERVISOR_CHILD_JOIN) has it when that
 * returns. The template counts as an entry, and each child that is made from it.
 *
 * Reads back from SUPERVISOR_CHILD_GET_SPEC with offsets from its own start in
 * place of the pointers, and -1 for the descriptors that were given; a NUL follows
 * the id, the key and the value.
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
	__s32 registry_fd;
	__u32 register_key_len;
	__aligned_u64 register_key;
	__aligned_u64 register_value;
	__u32 register_value_len;
	__u32 __reserved2;
	__aligned_u64 out_registry;
};

/* flags of the calls to a supervisor */
#define SUPERVISOR_CALL_F_ASYNC (1U << 0) /* queue it; the answer is a message */

/**
 * struct supervisor_child_add - ioctl(SUPERVISOR_CHILD_ADD) on a supervisor
 * @size: sizeof(struct supervisor_child_add)
 * @flags: SUPERVISOR_CALL_F_ASYNC
 * @spec: pointer to a struct supervisor_child_spec; 0: a dynamic supervisor's
 *	template
 * @deadline: of the call
 * @cookie: ASYNC: comes back as the answer's @ref
 * @mailbox_fd: ASYNC: where the answer goes; otherwise -1
 * @out_result: SUPERVISOR_RESULT_*
 * @out_error: ECHILD: the errno of the start
 * @out_invalid: EINVAL: SUPERVISOR_INVALID_*, or 0
 * @out_limit: EDQUOT, ENOSPC: SUPERVISOR_LIMIT_*
 * @out_pid: the child's process; also with already_started. ECHILD with EEXIST: who
 *	has its key
 * @out_id: the child's id; of a dynamic supervisor's, 0 with ASYNC
 * @call: 0; or, after EINTR, the call that is under way, to wait on
 * @out_max: EMSGSIZE: the bytes that the blob, key, value or @args may have
 * @args_len: bytes at @args: with the blob at most %SUPERVISOR_BLOB_MAX
 * @args: pointer to arguments for this child alone, which each of its STARTs carries
 *	beside the blob; of a dynamic supervisor's only
 *
 * On a supervisor that has not started: adds one of its own specs, with which
 * it starts and starts again; ASYNC is refused (EINVAL). On one that has: OTP's
 * start_child. On a dynamic one, always that; a SIMPLE one takes no spec (EINVAL), and
 * one whose children join takes no call (EINVAL).
 *
 * Errors: those of the results; EBADF, EBADFD (supervisor_fd, registry_fd), EBUSY or
 * ELOOP (supervisor_fd), ENAMETOOLONG, EMSGSIZE (blob, key, value or @args: @out_max),
 * EDQUOT, ENOSPC, EUSERS, ETIMEDOUT, EINTR, ENOMEM.
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
	__u32 out_max;
	__u32 args_len;
	__aligned_u64 args;
};
#define SUPERVISOR_CHILD_ADD _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CHILD_ADD)

/**
 * struct supervisor_child_join - ioctl(SUPERVISOR_CHILD_JOIN) on a supervisor
 * @size: sizeof(struct supervisor_child_join)
 * @flags: SUPERVISOR_ATTACH_F_*
 * @deadline: of the call
 * @out_result: SUPERVISOR_RESULT_*
 * @out_limit: EDQUOT, ENOSPC: SUPERVISOR_LIMIT_*
 * @out_id: the child's id
 * @out_pid: EEXIST: who has the key
 * @__reserved: must be 0
 *
 * Makes the calling process a new child of a dynamic supervisor of SPAWN_SELF: OTP's
 * start_child of a process that is there already. Nobody is asked to start it, and it
 * has started when this returns. For the new process itself, before it execs. What it
 * is like is the template's to say: a child whose group is to be signalled must lead
 * its process group; one that is restarted is started by the spawner then, with the
 * template's blob.
 *
 * With an error, the process is nobody's child, and nothing else has changed either.
 *
 * Errors: EUSERS (as many children as it may have), ESHUTDOWN (not started, or ended),
 * EEXIST (the template has a key, and somebody else has it, who is @out_pid, 0 for a
 * child that is being started: OTP's already_started), EINVAL (its children do not join,
 * or not a group leader), EBUSY (already somebody's child), EDEADLK (it owns the tree),
 * ENOSPC (with @out_limit; without, a mapping has no room for the key), EDQUOT, EAGAIN
 * (@deadline 0), ETIMEDOUT, EINTR, ENOMEM.
 */
struct supervisor_child_join {
	__u32 size;
	__u32 flags;
	__aligned_u64 deadline;
	__u32 out_result;
	__u32 out_limit;
	__aligned_u64 out_id;
	__s32 out_pid;
	__u32 __reserved;
};
#define SUPERVISOR_CHILD_JOIN _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CHILD_JOIN)

/**
 * struct supervisor_start - ioctl(SUPERVISOR_START) on a supervisor
 * @size: sizeof(struct supervisor_start)
 * @flags: SUPERVISOR_CALL_F_ASYNC: return at once; UP or DOWN is an event
 * @deadline: when to stop waiting; the start goes on
 * @out_error: ECHILD: the errno of the child that did not start
 * @failed_id_len: bytes at @failed_id; out: bytes of the id
 * @failed_id: pointer to room for the id of the child that did not start, or 0
 * @call: 0; or, after EINTR, not 0: only wait
 * @out_pid: ECHILD with EEXIST: who has the key of that child, or of one below it
 * @__reserved: must be 0
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
	__s32 out_pid;
	__u32 __reserved;
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
 * @out_pid: RESTART: the child's process; ECHILD with EEXIST: who has its key
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @call: 0; or, after EINTR, the call that is under way, to wait on
 * @child: of a dynamic supervisor: the child's number, which was out_id
 * @incarnation: of @child: the run that is meant, until the next one has started; 0
 *	any
 * @pid: of a dynamic supervisor: the child's process; an alternative to @child
 *
 * OTP's terminate_child, restart_child and delete_child. A child of an ordinary
 * supervisor is meant by @id, and the members after @call must be 0. One of a dynamic
 * supervisor is meant by @child or @pid, and can be terminated only; as in OTP, when
 * it is gone that is ENOENT to a DYNAMIC one, and no error to a SIMPLE one, unless
 * @pid is another process that lives.
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
	__aligned_u64 child;
	__u32 incarnation;
	__s32 pid;
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
 * @last_exit_ns: when it last exited; 0 of a dynamic supervisor's
 * @supervisor: the nested supervisor's id, 0 for a process
 * @name_len: bytes of the child's id; a NUL follows
 * @name_offset: where it begins, from the start of the record
 * @registry: the id of the registry in which its process is registered, 0 for none
 * @key_len: bytes of its key there; a NUL follows
 * @key_offset: where that begins, from the start of the record; 0 for none
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
	__aligned_u64 registry;
	__u32 key_len;
	__u32 key_offset;
	char name[];
};

/**
 * struct supervisor_count - what COUNT_CHILDREN counts
 * @specs: child specs; of a SIMPLE supervisor 1, of a DYNAMIC one its children
 * @active: children whose process is alive; of a dynamic supervisor all but those that
 *	restart
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
 * @child: CHILD_GET_SPEC of a dynamic supervisor: the child's number, instead of @id; of
 *	a SIMPLE one there is but the template, and it may be 0
 * @incarnation: as in struct supervisor_child_call
 * @__reserved: must be 0
 * @cursor: WHICH_CHILDREN of a dynamic supervisor: children whose numbers are greater;
 *	0 to begin; out: where to go on, 0 when all were told. Otherwise 0
 *
 * OTP's which_children, count_children and get_childspec. They wait their turn
 * behind what the supervisor is doing and show the state of that moment.
 *
 * WHICH_CHILDREN of a dynamic supervisor fills the buffer with the records that fit, in
 * the order in which the children came; EMSGSIZE is when not even one does. Who comes
 * or goes between two calls is told or not; who stays is told once.
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
	__aligned_u64 child;
	__u32 incarnation;
	__u32 __reserved;
	__aligned_u64 cursor;
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

/* struct supervisor_subscribe.flags */
#define SUPERVISOR_SUBSCRIBE_F_CRASHES (1U << 0)	/* and each SUPERVISOR_MSG_CRASH */

/**
 * struct supervisor_subscribe - ioctl(SUPERVISOR_SUBSCRIBE) on a root supervisor
 * @size: sizeof(struct supervisor_subscribe)
 * @flags: SUPERVISOR_SUBSCRIBE_F_*
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
 * @out_count: child specs; of a dynamic supervisor, records filled if there is @buf,
 *	and its children if not
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
 * @out_partitions: of a partition supervisor: how many are in use, else 0
 * @out_partitions_max: how many it was made with
 * @out_kind: as created
 * @out_spawn: likewise
 * @out_max_children: likewise
 * @cursor: as in struct supervisor_query
 * @out_hold_until_ns: when a root that is held will be stopped; 0 when it is not
 * @out_hold_ms: how long it would be held, as created
 * @__reserved: 0
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
	__u32 out_partitions;
	__u32 out_partitions_max;
	__u32 out_kind;
	__u32 out_spawn;
	__s64 out_max_children __attribute__((aligned(8)));
	__aligned_u64 cursor;
	__aligned_u64 out_hold_until_ns;
	__u32 out_hold_ms;
	__u32 __reserved;
};
#define SUPERVISOR_STATUS _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_STATUS)

/**
 * struct supervisor_open_child - ioctl(SUPERVISOR_OPEN_CHILD) on a supervisor
 * @size: sizeof(struct supervisor_open_child)
 * @flags: must be 0
 * @access: as struct supervisor_open; at most the access of this file
 * @path_len: bytes in @path
 * @path: pointer to ids joined by '/', each a supervisor below the one before; a
 *	dynamic supervisor's child is called by its number there, in decimal
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
 * creator's user or with CAP_KILL. One that is held is held no longer. Errors:
 * EPERM, ESHUTDOWN, EINVAL (not a root), EBADF, ENOMEM.
 */
struct supervisor_own {
	__u32 size;
	__u32 flags;
};
#define SUPERVISOR_OWN _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_OWN)

/**
 * struct supervisor_resize - ioctl(SUPERVISOR_RESIZE) on a supervisor
 * @size: sizeof(struct supervisor_resize)
 * @flags: must be 0
 * @partitions: how many are to be in use
 * @out_was: how many were
 * @deadline: of each call that it makes; 0 does not resize
 * @out_result: SUPERVISOR_RESULT_* of the call that failed, or OK
 * @out_error: ECHILD: errno with which the start failed
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @out_partition: the partition whose call failed
 * @call: 0; or, after EINTR, what it has done, to go on
 *
 * On a supervisor that has not started: makes it a partition supervisor. Its children
 * must be those with the ids "0" to @partitions - 1, in decimal, and no more: the
 * partitions, usually alike. Who has a key goes to one of those in use; the library
 * says which.
 *
 * On one that has: OTP's PartitionSupervisor.resize!, up to as many as it was made
 * with. More: those that are missing are restarted, then they are in use. Fewer: they
 * are no longer in use, then they are terminated; their specs stay. Only one resizes
 * at a time. When it starts again, all are in use.
 *
 * Errors: EINVAL (@partitions is too many, or 0 of a new one; or the children are
 * others; or a supervisor that has started is no partition supervisor), ENOENT (a
 * partition was deleted), ECHILD,
 * ESHUTDOWN, EOWNERDEAD, EDQUOT, EAGAIN (@deadline 0), ETIMEDOUT, EINTR, ENOMEM. After
 * an error, as many are in use as before, if they were to be more; those which were to
 * go may still be there. The next resize ends what this one began.
 */
struct supervisor_resize {
	__u32 size;
	__u32 flags;
	__u32 partitions;
	__u32 out_was;
	__aligned_u64 deadline;
	__u32 out_result;
	__s32 out_error;
	__u32 out_limit;
	__u32 out_partition;
	__aligned_u64 call;
};
#define SUPERVISOR_RESIZE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_RESIZE)

/**
 * struct supervisor_adopt - ioctl(SUPERVISOR_ADOPT) on a root supervisor that is held
 * @size: sizeof(struct supervisor_adopt)
 * @flags: must be 0
 * @out_fd: a new file for the mailbox of its START requests, O_CLOEXEC, open for
 *	reading and writing
 * @__reserved: must be 0
 * @out_id: that mailbox's id
 *
 * A root created with SUPERVISOR_OWNER_DEATH_HOLD is held from when its owner is
 * dead, or its last file closed, for @hold_ms. Its children run on; what it
 * decides meanwhile is carried out, but for START requests, which wait in its
 * mailbox, those whose reader died among them. Time that they wait does not count
 * for the spawner's timeout. Then it is stopped, as by SHUTDOWN; at once, if it
 * has neither a name nor a file through which it could be adopted.
 *
 * The calling process becomes its owner, and its mailbox's if that has none, and
 * is to carry out the requests. When it dies the root is held again, as long as
 * the first time.
 *
 * For a file open for reading and writing, in the creator's user namespace or with
 * CAP_KILL there, and in the creator's pid namespace or below, where what is
 * started can be signalled.
 *
 * Context: does not wait. Errors: EBUSY (it is not held), ESHUTDOWN (it stops or is
 * down), EPERM, EINVAL (not a root), EDEADLK (the caller is a child in its tree),
 * EBADF, EMFILE, ENFILE, ENOMEM.
 */
struct supervisor_adopt {
	__u32 size;
	__u32 flags;
	__s32 out_fd;
	__u32 __reserved;
	__aligned_u64 out_id;
};
#define SUPERVISOR_ADOPT _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_ADOPT)

/**
 * struct supervisor_lineage - ioctl(SUPERVISOR_LINEAGE) on the device,
 *	ioctl(SUPERVISOR_CHILD_LINEAGE) on a supervisor
 * @size: sizeof(struct supervisor_lineage)
 * @flags: must be 0
 * @pid: LINEAGE: the process, in the caller's pid namespace; 0: the calling process.
 *	CHILD_LINEAGE: must be 0
 * @pidfd: LINEAGE: as in struct supervisor_monitor; or -1. CHILD_LINEAGE: must be -1
 * @id: CHILD_LINEAGE of an ordinary supervisor: pointer to the child's id. Otherwise
 *	must be 0
 * @id_len: its bytes
 * @buf_len: bytes at @buf; out: the bytes filled, or needed with EMSGSIZE
 * @buf: pointer to room for struct supervisor_lineage_entry records, or 0 for none:
 *	the ancestors, from its supervisor to the root; then the callers
 * @out_supervisor: id of its supervisor
 * @out_child: id of the child
 * @out_incarnation: its run: 1, 2, 3...; 0 before the first
 * @out_ancestors: ancestors, at most %SUPERVISOR_DEPTH_MAX
 * @out_callers: callers, at most %SUPERVISOR_CALLERS_MAX
 * @__reserved: must be 0
 * @child: CHILD_LINEAGE of a dynamic supervisor: the child's number. Otherwise must be 0
 *
 * Whose a child is, and who asked for it: OTP's $ancestors and Elixir's $callers, kept
 * by the kernel. The first caller is the process that made the SUPERVISOR_CHILD_ADD, or
 * the last SUPERVISOR_CHILD_RESTART that led to a start; of a process that joined
 * (SUPERVISOR_CHILD_JOIN), the process that was its parent then. When that was a
 * supervised process, its own callers follow. A restart by the supervisor changes
 * nothing. Who spawned the process does not count.
 *
 * A process's lineage is told to itself and to who may signal it; a child's to who has
 * its supervisor open for reading. Context: does not wait.
 *
 * Errors: ESRCH (LINEAGE: there is no such process, it is nobody's child, or @pidfd is
 * of another one), EPERM, ENOENT (CHILD_LINEAGE), EMSGSIZE, EINVAL, ENAMETOOLONG, EBADF,
 * EOPNOTSUPP (CHILD_LINEAGE: an id to a dynamic supervisor, where ids need not differ),
 * EFAULT, ENOMEM.
 */
struct supervisor_lineage {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__s32 pidfd;
	__aligned_u64 id;
	__u32 id_len;
	__u32 buf_len;
	__aligned_u64 buf;
	__aligned_u64 out_supervisor;
	__aligned_u64 out_child;
	__u32 out_incarnation;
	__u32 out_ancestors;
	__u32 out_callers;
	__u32 __reserved;
	__aligned_u64 child;
};
#define SUPERVISOR_LINEAGE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_LINEAGE)
#define SUPERVISOR_CHILD_LINEAGE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_CHILD_LINEAGE)

/* How a registry keeps its keys. */
enum {
	SUPERVISOR_KEYS_UNIQUE = 0,		/* one entry for each key */
	SUPERVISOR_KEYS_DUPLICATE = 1,		/* any number; partitions by process */
	SUPERVISOR_KEYS_DUPLICATE_BY_KEY = 2	/* any number; partitions by key */
};

/* struct supervisor_registry_create.flags */
#define SUPERVISOR_REGISTRY_F_OPEN (1U << 0)	/* if there is one of that name, open it */
#define SUPERVISOR_REGISTRY_F_MAP (1U << 1)	/* it can be mapped: struct supervisor_map */

/**
 * struct supervisor_registry_create - ioctl(SUPERVISOR_REGISTRY_CREATE) on the device
 * @size: sizeof(struct supervisor_registry_create)
 * @flags: SUPERVISOR_REGISTRY_F_*
 * @keys: SUPERVISOR_KEYS_*
 * @partitions: 1 to %SUPERVISOR_PARTITIONS_MAX; 0 is 1
 * @map_slots: MAP: keys that the mapping has room for, 64 to 1,048,576, a power of
 *	two; 0 is 1024. Otherwise 0
 * @name_len: bytes in @name; 0 for an anonymous one
 * @name: pointer to "/name", not NUL-terminated
 * @mode: permission bits of a named one, less the umask: reading is looking up,
 *	listening, and addressing who is there; writing is registering,
 *	metadata and locks
 * @out_fd: the registry, O_CLOEXEC, open for reading and writing
 * @out_created: 1; 0 when it was there and was opened
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @out_id: its id
 *
 * As open(2) has it, a name alone is O_CREAT | O_EXCL, and with OPEN it is O_CREAT:
 * then @keys must be those of the registry that is there, and its other attributes
 * are as they are. A registry lasts until its last file is closed and its last
 * mapping is gone; a supervisor's child that is to be registered in it keeps it too.
 *
 * Errors: EINVAL, EOPNOTSUPP (MAP of duplicate keys), EEXIST (the name is taken,
 * with OPEN by another kind of object or of keys), EACCES (OPEN), ENAMETOOLONG,
 * EDQUOT (@out_limit), EMFILE, ENFILE, ENOMEM.
 */
struct supervisor_registry_create {
	__u32 size;
	__u32 flags;
	__u32 keys;
	__u32 partitions;
	__u32 map_slots;
	__u32 name_len;
	__aligned_u64 name;
	__u32 mode;
	__s32 out_fd;
	__u32 out_created;
	__u32 out_limit;
	__aligned_u64 out_id;
};
#define SUPERVISOR_REGISTRY_CREATE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_REGISTRY_CREATE)

/**
 * struct supervisor_register - ioctl(SUPERVISOR_REGISTER) on a registry
 * @size: sizeof(struct supervisor_register)
 * @flags: must be 0
 * @key: pointer to the key: any bytes
 * @value: pointer to the value
 * @key_len: bytes in @key, 1 to %SUPERVISOR_KEY_MAX
 * @value_len: bytes in @value, at most %SUPERVISOR_VALUE_MAX
 * @mailbox_fd: a mailbox, open for writing, through which the entry can be
 *	addressed; -1 for none
 * @out_pid: with EEXIST, the process that has the key; 0 while it is kept for a
 *	child that is being started
 * @out_limit: with EDQUOT and ENOSPC, SUPERVISOR_LIMIT_*
 * @out_max: with EMSGSIZE, the bytes that the key or the value may have
 * @out_id: the entry's number, never used again in this registry
 *
 * An entry of the calling process, gone when it dies: before its parent can reap
 * it nobody finds it any more. Of a unique key there is one entry (a second
 * register is EEXIST, also by the same process); a process may have any number of
 * entries of a duplicate key.
 *
 * Context: does not wait; where the mapping is full, until what the dead had there is
 * taken away. Errors: EEXIST (@out_pid), EMSGSIZE (@out_max), EINVAL (no key), EBADF or
 * EBADFD (@mailbox_fd), EDQUOT (@out_limit), ENOSPC (the mapping is full, @out_limit),
 * ENOMEM.
 */
struct supervisor_register {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__aligned_u64 value;
	__u32 key_len;
	__u32 value_len;
	__s32 mailbox_fd;
	__s32 out_pid;
	__u32 out_limit;
	__u32 out_max;
	__aligned_u64 out_id;
};
#define SUPERVISOR_REGISTER _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_REGISTER)

/* struct supervisor_unregister.flags */
#define SUPERVISOR_UNREGISTER_F_VALUE (1U << 0)	/* only entries of this value */

/**
 * struct supervisor_unregister - ioctl(SUPERVISOR_UNREGISTER) on a registry
 * @size: sizeof(struct supervisor_unregister)
 * @flags: SUPERVISOR_UNREGISTER_F_*
 * @key: pointer to the key
 * @value: VALUE: pointer to the value; otherwise 0
 * @key_len: bytes in @key
 * @value_len: VALUE: bytes in @value; otherwise 0
 * @out_count: entries taken away
 * @out_max: with EMSGSIZE, the bytes that the key or the value may have
 *
 * Takes away the calling process's entries of a key: OTP's unregister, and with
 * VALUE its unregister_match, which is content with none. Listeners are told
 * whatever it returns: see struct supervisor_msg_registry.
 *
 * Context: does not wait. Errors: ENOENT (nobody has the key), EPERM (only others
 * have), EMSGSIZE (@out_max), EINVAL.
 */
struct supervisor_unregister {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__aligned_u64 value;
	__u32 key_len;
	__u32 value_len;
	__u32 out_count;
	__u32 out_max;
};
#define SUPERVISOR_UNREGISTER _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_UNREGISTER)

/**
 * struct supervisor_lookup - ioctl(SUPERVISOR_LOOKUP) on a registry
 * @size: sizeof(struct supervisor_lookup)
 * @flags: must be 0
 * @key: pointer to the key
 * @value: pointer to room for the value, or 0 when it is not wanted
 * @key_len: bytes in @key
 * @value_len: bytes at @value; out: of the value, also when it did not fit
 * @out_pid: the process
 * @out_mailbox: 1 if the entry has a mailbox
 * @out_id: the entry's number
 *
 * Finds the first entry of a key, of a live process. It takes no lock. Which process
 * it is can be made sure of by a pidfd: when a second lookup after pidfd_open(2)
 * finds the same @out_id, the pidfd is that process's.
 *
 * Context: does not wait. Errors: ENOENT, EMSGSIZE (@value_len; the rest is set),
 * EINVAL.
 */
struct supervisor_lookup {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__aligned_u64 value;
	__u32 key_len;
	__u32 value_len;
	__s32 out_pid;
	__u32 out_mailbox;
	__aligned_u64 out_id;
};
#define SUPERVISOR_LOOKUP _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_LOOKUP)

/* struct supervisor_select.flags */
#define SUPERVISOR_SELECT_F_KEY (1U << 0)	/* @key is the whole key, not its beginning */
#define SUPERVISOR_SELECT_F_VALUE (1U << 1)	/* only entries of value @value */
#define SUPERVISOR_SELECT_F_PID (1U << 2)	/* only entries of process @pid */
#define SUPERVISOR_SELECT_F_PARTITION (1U << 3)	/* only entries in @partition */
#define SUPERVISOR_SELECT_F_NO_VALUES (1U << 4)	/* records without their values */

/**
 * struct supervisor_registry_entry - one entry, in the buffer of SELECT
 * @size: bytes to the next entry, a multiple of 8
 * @pid: its process
 * @id: the entry's number: of two entries of a key the later has the greater
 * @partition: where it is
 * @mailbox: 1 if it has a mailbox
 * @key_len: bytes of the key; a NUL follows
 * @value_len: bytes of the value, which follows that; and a NUL
 * @key_offset: where the key begins, from the start of the entry
 * @value_offset: where the value begins; 0 with NO_VALUES
 * @__reserved: 0
 */
struct supervisor_registry_entry {
	__u32 size;
	__s32 pid;
	__aligned_u64 id;
	__u32 partition;
	__u32 mailbox;
	__u16 key_len;
	__u16 value_len;
	__u16 key_offset;
	__u16 value_offset;
	__aligned_u64 __reserved;
};

/**
 * struct supervisor_select - ioctl(SUPERVISOR_SELECT, SUPERVISOR_COUNT) on a registry
 * @size: sizeof(struct supervisor_select)
 * @flags: SUPERVISOR_SELECT_F_*
 * @key: pointer to the key, or to its beginning; with @key_len 0, any key
 * @value: VALUE: pointer to the value; otherwise 0
 * @key_len: bytes in @key
 * @value_len: VALUE: bytes in @value; otherwise 0
 * @pid: PID: the process, in the caller's pid namespace; otherwise 0
 * @partition: PARTITION: which; otherwise 0
 * @buf: SELECT: pointer to room for struct supervisor_registry_entry records
 * @buf_len: SELECT: its bytes; out: the bytes filled, or what the next record needs
 *	with EMSGSIZE
 * @__reserved: must be 0
 * @out_count: SELECT: records filled. COUNT: entries
 * @cursor: SELECT: 0 to begin; out: where to go on. Meant for the kernel alone
 * @out_more: SELECT: 1 if there may be more, from @cursor on
 * @__reserved2: must be 0
 *
 * With KEY OTP's lookup, and match with VALUE; with PID its keys, with both its
 * values; otherwise its select. An entry that is there from the first call to the
 * last is told exactly once, none twice, and none of a dead process. Partitions
 * come one after the other; the entries of one key, in the order in which they were
 * registered there.
 *
 * COUNT is OTP's count, count_match and count_select. It waits until what the dead
 * of before had is gone.
 *
 * Errors: EMSGSIZE (@buf_len; or key or value over their limits), EINVAL,
 * EFAULT, ENOMEM.
 */
struct supervisor_select {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__aligned_u64 value;
	__u32 key_len;
	__u32 value_len;
	__s32 pid;
	__u32 partition;
	__aligned_u64 buf;
	__u32 buf_len;
	__u32 __reserved;
	__aligned_u64 out_count;
	__aligned_u64 cursor[3];
	__u32 out_more;
	__u32 __reserved2;
};
#define SUPERVISOR_SELECT _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_SELECT)
#define SUPERVISOR_COUNT _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_COUNT)

/* struct supervisor_update.flags */
#define SUPERVISOR_UPDATE_F_COMPARE (1U << 0)	/* only if the value is @old */
#define SUPERVISOR_UPDATE_F_MAILBOX (1U << 1)	/* the mailbox too; otherwise it stays */

/**
 * struct supervisor_update - ioctl(SUPERVISOR_UPDATE) on a registry of unique keys
 * @size: sizeof(struct supervisor_update)
 * @flags: SUPERVISOR_UPDATE_F_*
 * @key: pointer to the key
 * @value: pointer to the new value
 * @old: COMPARE: pointer to the old value; otherwise 0
 * @key_len: bytes in @key
 * @value_len: bytes in @value
 * @old_len: COMPARE: bytes in @old; otherwise 0
 * @mailbox_fd: MAILBOX: as struct supervisor_register; otherwise -1
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @out_max: with EMSGSIZE, the bytes that the key or the value may have
 *
 * Gives the calling process's entry another value. Readers find the one or the
 * other. Listeners are not told: as OTP's update_value.
 *
 * Context: does not wait. Errors: ENOENT (nobody has the key), EPERM (another
 * process has), ESTALE (COMPARE: the value is another), EINVAL (duplicate keys),
 * EMSGSIZE, EBADF or EBADFD (@mailbox_fd), EDQUOT, ENOSPC (the mapping has no room),
 * ENOMEM.
 */
struct supervisor_update {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__aligned_u64 value;
	__aligned_u64 old;
	__u32 key_len;
	__u32 value_len;
	__u32 old_len;
	__s32 mailbox_fd;
	__u32 out_limit;
	__u32 out_max;
};
#define SUPERVISOR_UPDATE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_UPDATE)

/**
 * struct supervisor_meta - ioctl(SUPERVISOR_META_PUT, _META_GET, _META_DELETE) on a
 *	registry
 * @size: sizeof(struct supervisor_meta)
 * @flags: must be 0
 * @key: pointer to the key: a space of its own
 * @value: PUT: pointer to the value. GET: pointer to room for it. DELETE: 0
 * @key_len: bytes in @key, 1 to %SUPERVISOR_KEY_MAX
 * @value_len: PUT: bytes in @value. GET: its room; out: bytes of the value
 * @out_limit: PUT: with EDQUOT, SUPERVISOR_LIMIT_*
 * @out_max: with EMSGSIZE, the bytes that the key or the value may have
 *
 * OTP's put_meta, meta and delete_meta: what is known of the registry itself. It
 * belongs to no process. PUT replaces what is there.
 *
 * Errors: ENOENT (GET, DELETE), EMSGSIZE (@out_max; GET: @value_len), EINVAL,
 * EDQUOT, ENOMEM.
 */
struct supervisor_meta {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__aligned_u64 value;
	__u32 key_len;
	__u32 value_len;
	__u32 out_limit;
	__u32 out_max;
};
#define SUPERVISOR_META_PUT _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_META_PUT)
#define SUPERVISOR_META_GET _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_META_GET)
#define SUPERVISOR_META_DELETE _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_META_DELETE)

/**
 * struct supervisor_lock - ioctl(SUPERVISOR_LOCK, SUPERVISOR_UNLOCK) on a registry
 * @size: sizeof(struct supervisor_lock)
 * @flags: must be 0
 * @key: pointer to the key: a space of its own
 * @key_len: bytes in @key, 1 to %SUPERVISOR_KEY_MAX
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @deadline: LOCK: when to give up; UNLOCK: must be 0
 * @out_pid: LOCK: with EAGAIN and ETIMEDOUT, the process that has it. EPERM:
 *	likewise
 * @__reserved: must be 0
 *
 * OTP's Registry.lock. A lock is the calling process's until it unlocks it or dies;
 * who waits gets it in the order in which they came.
 *
 * Errors: LOCK: EAGAIN (taken, and @deadline 0), ETIMEDOUT, EDEADLK (the process
 * has it), EINTR (its place in the queue is given up), EDQUOT, ENOMEM. UNLOCK: ENOENT
 * (nobody has it), EPERM (another process has it). Both: EMSGSIZE (the key), EINVAL.
 */
struct supervisor_lock {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__u32 key_len;
	__u32 out_limit;
	__aligned_u64 deadline;
	__s32 out_pid;
	__u32 __reserved;
};
#define SUPERVISOR_LOCK _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_LOCK)
#define SUPERVISOR_UNLOCK _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_UNLOCK)

/* struct supervisor_listen.flags */
#define SUPERVISOR_LISTEN_F_DEATHS (1U << 0)	/* entries gone by death, too */

/**
 * struct supervisor_listen - ioctl(SUPERVISOR_LISTEN, SUPERVISOR_UNLISTEN) on a registry
 * @size: sizeof(struct supervisor_listen)
 * @flags: LISTEN: SUPERVISOR_LISTEN_F_*
 * @mailbox_fd: a mailbox, open for reading
 * @out_limit: LISTEN: with EDQUOT and ENOSPC, SUPERVISOR_LIMIT_*
 *
 * Changes of the registry come into the mailbox as SUPERVISOR_MSG_REGISTRY, those of
 * one key in their order; what finds no room is counted in a GAP. Lasts until
 * UNLISTEN or the end of the mailbox or the registry.
 *
 * Context: does not wait. Errors: EEXIST (it listens already), ENOENT (UNLISTEN: it
 * does not), EBADF, EBADFD, EDQUOT, ENOSPC, ESHUTDOWN (the mailbox is closed), ENOMEM.
 */
struct supervisor_listen {
	__u32 size;
	__u32 flags;
	__s32 mailbox_fd;
	__u32 out_limit;
};
#define SUPERVISOR_LISTEN _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_LISTEN)
#define SUPERVISOR_UNLISTEN _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_UNLISTEN)

/**
 * struct supervisor_publish - ioctl(SUPERVISOR_PUBLISH) on a registry
 * @size: sizeof(struct supervisor_publish)
 * @flags: must be 0
 * @key: pointer to the key
 * @buf: pointer to the payload
 * @key_len: bytes in @key
 * @len: bytes in @buf, at most %SUPERVISOR_PAYLOAD_MAX
 * @deadline: when to give up waiting for those that are full; 0 does not wait
 * @out_delivered: entries whose mailbox has the message
 * @out_full: entries whose mailbox had no room, or takes no payload of this size
 * @out_gone: entries whose mailbox nobody serves any more
 * @out_limit: with EDQUOT, SUPERVISOR_LIMIT_*
 * @out_max: with EMSGSIZE, the bytes that the key or the payload may have
 * @__reserved: must be 0
 *
 * A SUPERVISOR_MSG_CAST into the mailbox of each entry of the key, of live processes,
 * that has one. The payload is copied in once and shared. None waits for another:
 * with a deadline those that were full are tried again when all have had their
 * turn. To publish to nobody is no error.
 *
 * Errors: EMSGSIZE (@out_max), EINVAL, EDQUOT, ENOMEM. A signal ends the waiting only.
 */
struct supervisor_publish {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__aligned_u64 buf;
	__u32 key_len;
	__u32 len;
	__aligned_u64 deadline;
	__u32 out_delivered;
	__u32 out_full;
	__u32 out_gone;
	__u32 out_limit;
	__u32 out_max;
	__u32 __reserved;
};
#define SUPERVISOR_PUBLISH _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_PUBLISH)

/**
 * struct supervisor_key_send - ioctl(SUPERVISOR_KEY_SEND) on a registry
 * @size: sizeof(struct supervisor_key_send)
 * @flags: must be 0
 * @key: pointer to the key
 * @key_len: bytes in @key
 * @pid: whose entry; 0 for the one of a unique key
 * @buf: as struct supervisor_mailbox_send
 * @len: likewise
 * @out_limit: likewise
 * @deadline: likewise
 * @out_max: likewise
 * @__reserved: must be 0
 *
 * SUPERVISOR_MAILBOX_SEND to the mailbox of a key's entry, without a file of it. Whom
 * the key names is decided once, and is alive then. OTP's send through a via name.
 *
 * Errors: ENOENT (nobody has the key; of duplicate keys, not @pid), EBADFD (the entry
 * has no mailbox), EINVAL (duplicate keys, and no @pid), those of
 * SUPERVISOR_MAILBOX_SEND.
 */
struct supervisor_key_send {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__u32 key_len;
	__s32 pid;
	__aligned_u64 buf;
	__u32 len;
	__u32 out_limit;
	__aligned_u64 deadline;
	__u32 out_max;
	__u32 __reserved;
};
#define SUPERVISOR_KEY_SEND _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_KEY_SEND)

/**
 * struct supervisor_key_call - ioctl(SUPERVISOR_KEY_CALL) on a registry
 * @size: sizeof(struct supervisor_key_call)
 * @flags: must be 0
 * @key: as struct supervisor_key_send
 * @key_len: likewise
 * @pid: likewise
 * @buf: as struct supervisor_mailbox_call
 * @len: likewise
 * @reply_len: likewise
 * @reply: likewise
 * @deadline: likewise
 * @out_limit: likewise
 * @out_max: likewise
 * @call: likewise
 *
 * SUPERVISOR_MAILBOX_CALL to the mailbox of a key's entry. A call that is under way is
 * gone on with whatever the key names then. Errors: those of SUPERVISOR_KEY_SEND and
 * of SUPERVISOR_MAILBOX_CALL.
 */
struct supervisor_key_call {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__u32 key_len;
	__s32 pid;
	__aligned_u64 buf;
	__u32 len;
	__u32 reply_len;
	__aligned_u64 reply;
	__aligned_u64 deadline;
	__u32 out_limit;
	__u32 out_max;
	__aligned_u64 call;
};
#define SUPERVISOR_KEY_CALL _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_KEY_CALL)

/**
 * struct supervisor_key_signal - ioctl(SUPERVISOR_KEY_SIGNAL) on a registry
 * @size: sizeof(struct supervisor_key_signal)
 * @flags: must be 0
 * @key: as struct supervisor_key_send
 * @key_len: likewise
 * @pid: likewise
 * @signal: 1 to 64; or 0, to ask whether one might be sent
 * @out_pid: the process
 *
 * Signals the process of a key's entry, as kill(2) by the caller, and no other,
 * whatever becomes of its number.
 *
 * Errors: ENOENT, EPERM, ESRCH (it died meanwhile), EINVAL.
 */
struct supervisor_key_signal {
	__u32 size;
	__u32 flags;
	__aligned_u64 key;
	__u32 key_len;
	__s32 pid;
	__u32 signal;
	__s32 out_pid;
};
#define SUPERVISOR_KEY_SIGNAL _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_KEY_SIGNAL)

/**
 * struct supervisor_registry_status - ioctl(SUPERVISOR_REGISTRY_STATUS) on a registry
 * @size: sizeof(struct supervisor_registry_status)
 * @flags: must be 0
 * @out_id: the registry's id
 * @out_keys: SUPERVISOR_KEYS_*
 * @out_partitions: how many
 * @out_entries: entries; those of who has just died may be among them
 * @out_processes: processes that have registered or locked something
 * @out_listeners: mailboxes that listen
 * @out_locks: locks that are held
 * @out_meta: keys of metadata
 * @out_map_slots: keys that the mapping has room for; 0 when there is none
 * @out_map_used: how much of that is used; those of who has just died may be among it
 * @out_map_bytes: what to give mmap(2) as length
 *
 * A look at this moment. Context: does not wait. Errors: those of every ioctl.
 */
struct supervisor_registry_status {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_id;
	__u32 out_keys;
	__u32 out_partitions;
	__aligned_u64 out_entries;
	__aligned_u64 out_processes;
	__u32 out_listeners;
	__u32 out_locks;
	__aligned_u64 out_meta;
	__u32 out_map_slots;
	__u32 out_map_used;
	__aligned_u64 out_map_bytes;
};
#define SUPERVISOR_REGISTRY_STATUS _IO(SUPERVISOR_TYPE, SUPERVISOR_CMD_REGISTRY_STATUS)

#define SUPERVISOR_MAP_VERSION 1
#define SUPERVISOR_MAP_SLOT_DATA 92	/* bytes of key and value that a slot has room for */

/**
 * struct supervisor_map_bucket - where the keys of some hashes are, in a registry's mapping
 * @seq: odd while the kernel writes; rises whenever it has written to the bucket or to
 *	one of its slots
 * @first: the first of its slots, counted from 1; 0 for none
 */
struct supervisor_map_bucket {
	__u32 seq;
	__u32 first;
};

/* struct supervisor_map_slot.flags */
#define SUPERVISOR_MAP_F_MAILBOX (1U << 0)	/* the entry has a mailbox */

/**
 * struct supervisor_map_slot - one entry in a registry's mapping
 * @hash: SipHash-2-4 of the key
 * @id: the entry's number
 * @next: the next slot of the bucket, counted from 1; 0 for none
 * @owner: the word of its process, counted from 0
 * @generation: what that word says as long as the process lives
 * @pid: the process, in the registry's pid namespace; 0 when it has no number there
 * @value_len: bytes of the value
 * @key_len: bytes of the key
 * @flags: SUPERVISOR_MAP_F_*
 * @data: the key and, right behind it, the value: as much of them as there is room for
 */
struct supervisor_map_slot {
	__aligned_u64 hash;
	__aligned_u64 id;
	__u32 next;
	__u32 owner;
	__u32 generation;
	__s32 pid;
	__u16 value_len;
	__u8 key_len;
	__u8 flags;
	__u8 data[SUPERVISOR_MAP_SLOT_DATA];
};

/**
 * struct supervisor_map - what mmap(2) of a registry with MAP shows, read-only
 * @version: %SUPERVISOR_MAP_VERSION; another one is another layout
 * @slots: how many slots, buckets and owners there are: a power of two
 * @slot_bytes: from one slot to the next
 * @__reserved: 0
 * @bytes: of it all, which need not fill the last page
 * @buckets_offset: where the buckets begin, from here: struct supervisor_map_bucket
 * @owners_offset: where the words of processes begin: __u32
 * @slots_offset: where the slots begin: struct supervisor_map_slot
 * @key: of SipHash: its two words
 *
 * mmap(2) of a file open for reading, with MAP_SHARED, PROT_READ, offset 0 and the
 * length that REGISTRY_STATUS tells. The mapping keeps the registry as the file does,
 * and is not inherited by fork. Errors of mmap: ENODEV (made without MAP), EOPNOTSUPP
 * (the caller is in another pid namespace than who made the registry), EACCES (not open
 * for reading; PROT_WRITE or PROT_EXEC), EINVAL (MAP_PRIVATE; another offset or length),
 * ENOMEM. Later mprotect(2) to more than PROT_READ is EACCES, and madvise(2) with
 * MADV_DOFORK and mremap(2) to another length fail.
 *
 * A key is in bucket @hash modulo @slots, if it is there at all. To look it up:
 *
 * 1. Load the bucket's @seq, with acquire. If it is odd, once more.
 * 2. Go from @first along @next. At a slot of the same hash and key load the owner's
 *    word: if it is not the slot's @generation, the process is dead, and nobody has the
 *    key. Otherwise take what is wanted. Whatever is read meanwhile may be garbage:
 *    mask numbers by @slots less 1, and go past no more than some slots.
 * 3. After an acquire fence load @seq again. If it is another, forget all and begin anew.
 *
 * After a few times, at a list that is longer, and for a key or value of which @data has
 * only the beginning, ask LOOKUP. A slot of another hash, length or beginning is not it.
 */
struct supervisor_map {
	__u32 version;
	__u32 slots;
	__u32 slot_bytes;
	__u32 __reserved;
	__aligned_u64 bytes;
	__aligned_u64 buckets_offset;
	__aligned_u64 owners_offset;
	__aligned_u64 slots_offset;
	__aligned_u64 key[2];
};

#endif /* _UAPI_LINUX_SUPERVISOR_H */
