// SPDX-License-Identifier: GPL-2.0
/*
 * The helper layer of the selftests; common.h says what it offers.
 */
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "common.h"

#define CHILD_ARGV0 "supervisor-child"
#define KSFT_SKIP 4

/* ---- time, files, processes ---- */

__u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

__u64 after_ms(unsigned int milliseconds)
{
	return now_ns() + milliseconds * 1000000ULL;
}

void sleep_ms(unsigned int milliseconds)
{
	struct timespec time = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000,
	};

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

bool slow_kernel(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK) ||
	       !access("/sys/kernel/debug/kcsan", F_OK);
}

unsigned int rounds(unsigned int wanted)
{
	const char *limit = getenv("SUPERVISOR_ROUNDS");

	if (limit && (unsigned int)atoi(limit) < wanted)
		return atoi(limit);
	if (!limit && slow_kernel())
		return wanted / 50 ?: 1;
	return wanted;
}

char process_state(pid_t pid)
{
	char path[64];
	char text[512];
	char *after;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, text, sizeof(text)) < 0)
		return 0;
	after = strrchr(text, ')');
	return after && after[1] ? after[2] : 0;
}

bool is_alive(pid_t pid)
{
	char state = process_state(pid);

	return state && !strchr("ZX", state);
}

bool process_becomes(pid_t pid, const char *states)
{
	__u64 until = after_ms(PATIENCE_MS);
	char state;

	do {
		state = process_state(pid);
		if (state && strchr(states, state))
			return true;
		sleep_ms(2);
	} while (now_ns() < until);
	return false;
}

bool process_ignores(pid_t pid, int number)
{
	unsigned long long caught = 0, ignored = 0;
	char path[64];
	char text[4096];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (read_file(path, text, sizeof(text)) < 0)
		return false;
	at = strstr(text, "SigIgn:");
	if (at)
		sscanf(at, "SigIgn: %llx", &ignored);
	at = strstr(text, "SigCgt:");
	if (at)
		sscanf(at, "SigCgt: %llx", &caught);
	return (ignored | caught) >> (number - 1) & 1;
}

bool is_dead_after(pid_t pid, unsigned int milliseconds)
{
	__u64 until = after_ms(milliseconds);

	while (is_alive(pid)) {
		if (now_ns() > until)
			return false;
		sleep_ms(2);
	}
	return true;
}

bool is_waitable(pid_t pid)
{
	siginfo_t info;
	int err;

	do {
		err = waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	} while (err && errno == EINTR);
	return !err;
}

void reap_all(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int become(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	/* Becoming another user forbids reading /proc/self otherwise. */
	prctl(PR_SET_DUMPABLE, 1);
	return 0;
}

int pidfd_of(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

int in_process(int (*function)(void *argument), void *argument)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(-function(argument));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

struct namespaced {
	int (*function)(void *argument);
	void *argument;
};

static int second_in_namespace(void *argument)
{
	struct namespaced *namespaced = argument;

	return in_process(namespaced->function, namespaced->argument);
}

static int enter_pid_namespace(void *argument)
{
	if (unshare(CLONE_NEWPID))
		return -errno;
	return in_process(second_in_namespace, argument);
}

int in_pid_namespace(int (*function)(void *argument), void *argument)
{
	return in_process(enter_pid_namespace,
			  &(struct namespaced){ function, argument });
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;

	if (fd < 0)
		return -errno;
	written = write(fd, text, strlen(text));
	if (written < 0)
		written = -errno;
	close(fd);
	return written < 0 ? written : 0;
}

int read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, text, size - 1);
	if (length < 0)
		length = -errno;
	else
		text[length] = 0;
	close(fd);
	return length < 0 ? length : 0;
}

void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* ---- ioctls ---- */

int device_open(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int _test_ioctl(int fd, unsigned int command, void *argument)
{
	return ioctl(fd, command, argument) < 0 ? -errno : 0;
}

int _test_info(int dev, struct supervisor_info *info)
{
	*info = ARG(supervisor_info);
	return _test_ioctl(dev, SUPERVISOR_INFO, info);
}

/* " LIMIT: IS, was WAS" of each that is not as it was; empty when all are. */
const char *used_otherwise(int dev, const struct supervisor_info *before)
{
	static char text[512];
	struct supervisor_info info;
	size_t done = 0;
	unsigned int i;

	text[0] = '\0';
	if (_test_info(dev, &info))
		return " unknown";
	for (i = 0; i < sizeof(info.out_used) / sizeof(info.out_used[0]) &&
	     done < sizeof(text); i++)
		if (info.out_used[i] != before->out_used[i])
			done += snprintf(text + done, sizeof(text) - done,
					 " %u: %llu, was %llu", i,
					 (unsigned long long)info.out_used[i],
					 (unsigned long long)before->out_used[i]);
	return text;
}

int _test_mailbox_create(int dev, __u32 ring_bytes, int *mailbox)
{
	struct supervisor_mailbox_create create =
		ARG(supervisor_mailbox_create, .ring_bytes = ring_bytes);
	int err = _test_ioctl(dev, SUPERVISOR_MAILBOX_CREATE, &create);

	*mailbox = err ? -1 : create.out_fd;
	return err;
}

int _test_create(int dev, struct supervisor_create *create, int *sup)
{
	int err = _test_ioctl(dev, SUPERVISOR_CREATE, create);

	*sup = err ? -1 : create->out_fd;
	return err;
}

static int open_kind(int dev, __u32 kind, const char *name, __u32 access,
		     int *fd)
{
	struct supervisor_open open =
		ARG(supervisor_open, .access = access, .kind = kind,
		    .name = (uintptr_t)name, .name_len = strlen(name));
	int err = _test_ioctl(dev, SUPERVISOR_OPEN, &open);

	*fd = err ? -1 : open.out_fd;
	return err;
}

int _test_open(int dev, const char *name, __u32 access, int *sup)
{
	return open_kind(dev, SUPERVISOR_KIND_SUPERVISOR, name, access, sup);
}

int _test_unlink(int dev, const char *name)
{
	struct supervisor_unlink unlink =
		ARG(supervisor_unlink,
		    .name = (uintptr_t)name, .name_len = strlen(name));

	return _test_ioctl(dev, SUPERVISOR_UNLINK, &unlink);
}

int _test_open_child(int sup, const char *path, __u32 access, int *child)
{
	struct supervisor_open_child open =
		ARG(supervisor_open_child, .access = access,
		    .path = (uintptr_t)path, .path_len = strlen(path));
	int err = _test_ioctl(sup, SUPERVISOR_OPEN_CHILD, &open);

	*child = err ? -1 : open.out_fd;
	return err;
}

int _test_attach(int dev, __u64 token)
{
	struct supervisor_child_attach attach =
		ARG(supervisor_child_attach, .token = token);

	return _test_ioctl(dev, SUPERVISOR_CHILD_ATTACH, &attach);
}

int _test_report(int dev, __u64 token, __u32 report, int error)
{
	struct supervisor_child_report argument =
		ARG(supervisor_child_report, .token = token, .report = report,
		    .error = error);

	return _test_ioctl(dev, SUPERVISOR_CHILD_REPORT, &argument);
}

int _test_recv(int mailbox, void *buf, __u32 len, __u32 max, __u64 deadline)
{
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf = (uintptr_t)buf,
		    .buf_len = len, .max = max, .deadline = deadline);
	int err;

	do {
		recv.buf_len = len;
		err = _test_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV, &recv);
	} while (err == -EINTR);
	return err ?: (int)recv.out_count;
}

int _test_child_add(int sup, const struct supervisor_child_spec *spec,
		    struct supervisor_child_add *add)
{
	struct supervisor_child_add own = CALL(supervisor_child_add);

	if (!add)
		add = &own;
	add->spec = (uintptr_t)spec;
	return _test_ioctl(sup, SUPERVISOR_CHILD_ADD, add);
}

const struct supervisor_child_spec joiner = {
	.size = sizeof(joiner),
	.restart = SUPERVISOR_TEMPORARY,
	.readiness = SUPERVISOR_READINESS_ATTACH,
	.shutdown_ms = PATIENCE_MS,
	.supervisor_fd = -1,
	.id = (uintptr_t)"task",
	.id_len = 4,
};

int _test_join(int sup, __u32 flags, __u64 deadline,
	       struct supervisor_child_join *result)
{
	struct supervisor_child_join join =
		ARG(supervisor_child_join, .flags = flags, .deadline = deadline,
		    .out_result = ~0U);
	int err = _test_ioctl(sup, SUPERVISOR_CHILD_JOIN, &join);

	if (result)
		*result = join;
	return err;
}

int _test_fork_join(int sup, __u64 deadline, struct joined *joined)
{
	int pipes[2];
	ssize_t len;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	joined->pid = fork();
	if (joined->pid < 0)
		return -errno;
	if (!joined->pid) {
		signal(SIGTERM, SIG_DFL);
		joined->err = _test_join(sup, 0, deadline, &joined->join);
		len = write(pipes[1], joined, sizeof(*joined));
		if (len != sizeof(*joined))
			_exit(1);
		for (;;)
			pause();
	}
	close(pipes[1]);
	pid = joined->pid;
	len = read(pipes[0], joined, sizeof(*joined));
	joined->pid = pid;
	close(pipes[0]);
	return len == sizeof(*joined) ? joined->err : -EPROTO;
}

int _test_start(int sup)
{
	struct supervisor_start start =
		ARG(supervisor_start, .deadline = after_ms(PATIENCE_MS));

	return _test_ioctl(sup, SUPERVISOR_START, &start);
}

int _test_stop(int sup)
{
	struct supervisor_stop stop =
		ARG(supervisor_stop, .deadline = after_ms(PATIENCE_MS));

	return _test_ioctl(sup, SUPERVISOR_STOP, &stop);
}

int _test_child_call(int sup, unsigned int command, const char *id,
		     struct supervisor_child_call *call)
{
	call->id = (uintptr_t)id;
	call->id_len = strlen(id);
	return _test_ioctl(sup, command, call);
}

static int child_call(int sup, unsigned int command, const char *id)
{
	struct supervisor_child_call call = CALL(supervisor_child_call);

	return _test_child_call(sup, command, id, &call);
}

int _test_child_call_async(int sup, unsigned int command, const char *id,
			   int mailbox, __u64 cookie)
{
	struct supervisor_child_call call =
		CALL(supervisor_child_call, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .mailbox_fd = mailbox, .cookie = cookie);

	return _test_child_call(sup, command, id, &call);
}

int _test_terminate(int sup, const char *id)
{
	return child_call(sup, SUPERVISOR_CHILD_TERMINATE, id);
}

int _test_terminate_member(int sup, __u64 child)
{
	struct supervisor_child_call call =
		CALL(supervisor_child_call, .child = child);

	return _test_ioctl(sup, SUPERVISOR_CHILD_TERMINATE, &call);
}

int _test_restart(int sup, const char *id)
{
	return child_call(sup, SUPERVISOR_CHILD_RESTART, id);
}

int _test_delete(int sup, const char *id)
{
	return child_call(sup, SUPERVISOR_CHILD_DELETE, id);
}

int _test_suspend(int sup, __u32 flags)
{
	struct supervisor_suspend suspend =
		ARG(supervisor_suspend, .flags = flags,
		    .deadline = after_ms(PATIENCE_MS));

	return _test_ioctl(sup, SUPERVISOR_SUSPEND, &suspend);
}

int _test_resume(int sup, __u32 flags)
{
	struct supervisor_suspend resume =
		ARG(supervisor_suspend, .flags = flags,
		    .deadline = after_ms(PATIENCE_MS));

	return _test_ioctl(sup, SUPERVISOR_RESUME, &resume);
}

int _test_wait(int sup, __u32 what)
{
	struct supervisor_wait wait =
		ARG(supervisor_wait, .what = what,
		    .deadline = after_ms(PATIENCE_MS));

	return _test_ioctl(sup, SUPERVISOR_WAIT, &wait);
}

int _test_subscribe(int sup, int mailbox)
{
	struct supervisor_subscribe subscribe =
		ARG(supervisor_subscribe, .mailbox_fd = mailbox);

	return _test_ioctl(sup, SUPERVISOR_SUBSCRIBE, &subscribe);
}

int _test_status(int sup, struct supervisor_status *status)
{
	*status = ARG(supervisor_status);
	return _test_ioctl(sup, SUPERVISOR_STATUS, status);
}

int _test_child_status(int sup, const char *id,
		       struct supervisor_child_status *status)
{
	static __thread char buf[65536] __aligned(8);
	struct supervisor_status all =
		ARG(supervisor_status, .buf = (uintptr_t)buf,
		    .buf_len = sizeof(buf));
	const struct supervisor_child_status *child;
	int err = _test_ioctl(sup, SUPERVISOR_STATUS, &all);
	__u32 at;

	if (err)
		return err;
	for (at = 0; at < all.buf_len; at += child->size) {
		child = (void *)(buf + at);
		if (!child->size)
			return -EPROTO;
		if (!strcmp(text_at(child, child->name_offset), id)) {
			memcpy(status, child, sizeof(*status));
			return 0;
		}
	}
	return -ENOENT;
}

int _test_count(int sup, struct supervisor_count *count)
{
	struct supervisor_query query =
		CALL(supervisor_query, .buf = (uintptr_t)count,
		     .buf_len = sizeof(*count));

	return _test_ioctl(sup, SUPERVISOR_COUNT_CHILDREN, &query);
}

int _test_own(int sup)
{
	struct supervisor_own own = ARG(supervisor_own);

	return _test_ioctl(sup, SUPERVISOR_OWN, &own);
}

int _test_adopt(int sup, int *mailbox)
{
	struct supervisor_adopt adopt = ARG(supervisor_adopt);
	int err = _test_ioctl(sup, SUPERVISOR_ADOPT, &adopt);

	*mailbox = err ? -1 : adopt.out_fd;
	return err ?: adopt.out_fd < 0 || !adopt.out_id ? -EPROTO : 0;
}

static bool is_held(int sup)
{
	struct supervisor_status status;

	return !_test_status(sup, &status) && status.out_hold_until_ns;
}

struct held {
	int dev;
	const char *name;
	__u32 mode;
	__u32 hold_ms;
};

static int make_held(void *argument)
{
	const struct held *held = argument;
	struct supervisor_create create =
		CREATE(.owner_death = SUPERVISOR_OWNER_DEATH_HOLD, .hold_ms = held->hold_ms,
		       .name = (uintptr_t)held->name, .name_len = strlen(held->name),
		       .mode = held->mode);
	int err, sup;

	err = _test_mailbox(held->dev, MAILBOX(.flags = SUPERVISOR_MAILBOX_F_SURVIVE),
			    &create.mailbox_fd);
	err = err ?: _test_create(held->dev, &create, &sup);
	return err ?: _test_start(sup);
}

/* Its owner is dead: one that lives, and opens it again at once, may own it still. */
int _test_held(int dev, const char *name, __u32 mode, __u32 hold_ms, int *sup)
{
	struct held held = { dev, name, mode, hold_ms };
	int err = in_process(make_held, &held);

	err = err ?: _test_open(dev, name, O_RDWR, sup);
	return err ?: eventually(is_held(*sup)) ? 0 : -ETIMEDOUT;
}

pid_t child_pid(int sup, const char *id)
{
	struct supervisor_child_status status;
	int err = _test_child_status(sup, id, &status);

	return err ?: status.pid;
}

int child_state(int sup, const char *id)
{
	struct supervisor_child_status status;
	int err = _test_child_status(sup, id, &status);

	return err ?: (int)status.state;
}

/* Appends to @text, which stays a string whatever its room. */
static void __attribute__((format(printf, 3, 4)))
append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

int _test_which(int sup, char *text, size_t size)
{
	static const char * const states[] = {
		[SUPERVISOR_CHILD_UNDEFINED] = "undefined",
		[SUPERVISOR_CHILD_STARTING] = "starting",
		[SUPERVISOR_CHILD_RUNNING] = "running",
		[SUPERVISOR_CHILD_STOPPING] = "stopping",
		[SUPERVISOR_CHILD_RESTARTING] = "restarting",
	};
	static char buf[65536] __aligned(8);
	struct supervisor_query query =
		CALL(supervisor_query, .buf = (uintptr_t)buf,
		     .buf_len = sizeof(buf));
	const struct supervisor_child_status *child;
	int err = _test_ioctl(sup, SUPERVISOR_WHICH_CHILDREN, &query);
	__u32 at;

	*text = 0;
	if (err)
		return err;
	for (at = 0; at < query.buf_len; at += child->size) {
		child = (void *)(buf + at);
		if (!child->size)
			return -EPROTO;
		append(text, size, "%s%s %s", at ? ", " : "",
		       text_at(child, child->name_offset),
		       child->state < sizeof(states) / sizeof(*states) ?
		       states[child->state] : "?");
	}
	return 0;
}

/* ---- monitors, aliases and links ---- */

int _test_monitor_of(int mailbox, pid_t pid, int fd, __u32 alias, __u64 *ref)
{
	struct supervisor_monitor monitor =
		ARG(supervisor_monitor, .pid = pid, .fd = fd, .alias = alias);
	int err = _test_ioctl(mailbox, SUPERVISOR_MONITOR, &monitor);

	if (ref)
		*ref = monitor.out_ref;
	return err;
}

int _test_monitor(int mailbox, pid_t pid, __u64 *ref)
{
	return _test_monitor_of(mailbox, pid, -1, SUPERVISOR_ALIAS_NONE, ref);
}

static int test_ref(int mailbox, unsigned int command, __u64 ref, __u32 flags)
{
	struct supervisor_ref argument =
		ARG(supervisor_ref, .flags = flags, .ref = ref);

	return _test_ioctl(mailbox, command, &argument) ?:
	       (int)argument.out_found;
}

int _test_demonitor(int mailbox, __u64 ref, __u32 flags)
{
	return test_ref(mailbox, SUPERVISOR_DEMONITOR, ref, flags);
}

int _test_alias(int mailbox, __u32 alias, __u64 *ref)
{
	struct supervisor_alias argument =
		ARG(supervisor_alias, .alias = alias);
	int err = _test_ioctl(mailbox, SUPERVISOR_ALIAS, &argument);

	*ref = argument.out_ref;
	return err;
}

int _test_unalias(int mailbox, __u64 ref)
{
	return test_ref(mailbox, SUPERVISOR_UNALIAS, ref, 0);
}

int _test_alias_send(int dev, __u64 alias, const char *text, __u64 deadline)
{
	struct supervisor_alias_send send =
		ARG(supervisor_alias_send, .alias = alias,
		    .buf = (uintptr_t)text, .len = strlen(text),
		    .deadline = deadline);

	return _test_ioctl(dev, SUPERVISOR_ALIAS_SEND, &send);
}

int _test_link_pidfd(int dev, pid_t pid, int pidfd, __u64 *ref)
{
	struct supervisor_process_link link =
		ARG(supervisor_process_link, .pid = pid, .pidfd = pidfd);
	int err = _test_ioctl(dev, SUPERVISOR_PROCESS_LINK, &link);

	*ref = link.out_ref;
	return err ?: (int)link.out_found;
}

int _test_link(int dev, pid_t pid, int number, __u64 *ref)
{
	struct supervisor_process_link link =
		ARG(supervisor_process_link, .pid = pid, .pidfd = -1,
		    .signal = number);
	int err = _test_ioctl(dev, SUPERVISOR_PROCESS_LINK, &link);

	if (ref)
		*ref = link.out_ref;
	return err ?: (int)link.out_found;
}

int _test_unlink_pidfd(int dev, pid_t pid, int pidfd)
{
	struct supervisor_process_link link =
		ARG(supervisor_process_link, .pid = pid, .pidfd = pidfd);

	return _test_ioctl(dev, SUPERVISOR_PROCESS_UNLINK, &link) ?:
	       (int)link.out_found;
}

int _test_process_unlink(int dev, pid_t pid)
{
	return _test_unlink_pidfd(dev, pid, -1);
}

int _test_trap_exit(int dev, int mailbox)
{
	struct supervisor_trap_exit trap =
		ARG(supervisor_trap_exit, .mailbox_fd = mailbox);

	return _test_ioctl(dev, SUPERVISOR_TRAP_EXIT, &trap);
}

int _test_recv_down(int mailbox, struct supervisor_msg_down *down, __u64 deadline)
{
	char buf[4096] __aligned(8) = {};
	int count = _test_recv(mailbox, buf, sizeof(buf), 1, deadline);

	if (count < 0)
		return count;
	memcpy(down, buf, sizeof(*down));
	return down->head.type;
}

/* "key=value" or "key": the key's bytes, and where the value is. */
static __u32 key_of(const char *text, const char **value)
{
	const char *equals = strchr(text, '=');

	*value = equals ? equals + 1 : "";
	return equals ? (__u32)(equals - text) : strlen(text);
}

int _test_registry(int dev, struct supervisor_registry_create create, int *registry)
{
	int err = _test_ioctl(dev, SUPERVISOR_REGISTRY_CREATE, &create);

	*registry = create.out_fd;
	return err;
}

int _test_open_registry(int dev, const char *name, __u32 access, int *registry)
{
	return open_kind(dev, SUPERVISOR_KIND_REGISTRY, name, access, registry);
}

bool registry_is_gone(int dev, const char *name)
{
	int registry;
	int err = _test_open_registry(dev, name, O_RDONLY, &registry);

	if (!err)
		close(registry);
	return err == -ENOENT;
}

int _test_register(int registry, const char *text, int mailbox,
		   struct supervisor_register *result)
{
	struct supervisor_register arg =
		ARG(supervisor_register, .key = (uintptr_t)text,
		    .mailbox_fd = mailbox);
	const char *value;
	int err;

	arg.key_len = key_of(text, &value);
	arg.value = (uintptr_t)value;
	arg.value_len = strlen(value);
	err = _test_ioctl(registry, SUPERVISOR_REGISTER, &arg);
	if (result)
		*result = arg;
	return err;
}

int _test_unregister(int registry, const char *text)
{
	struct supervisor_unregister arg =
		ARG(supervisor_unregister, .key = (uintptr_t)text);
	const char *value;

	arg.key_len = key_of(text, &value);
	if (strchr(text, '=')) {
		arg.flags = SUPERVISOR_UNREGISTER_F_VALUE;
		arg.value = (uintptr_t)value;
		arg.value_len = strlen(value);
	}
	return _test_ioctl(registry, SUPERVISOR_UNREGISTER, &arg) ?:
	       (int)arg.out_count;
}

int _test_update(int registry, const char *text, const char *old)
{
	struct supervisor_update arg =
		ARG(supervisor_update, .key = (uintptr_t)text,
		    .mailbox_fd = -1);
	const char *value;

	arg.key_len = key_of(text, &value);
	arg.value = (uintptr_t)value;
	arg.value_len = strlen(value);
	if (old) {
		arg.flags = SUPERVISOR_UPDATE_F_COMPARE;
		arg.old = (uintptr_t)old;
		arg.old_len = strlen(old);
	}
	return _test_ioctl(registry, SUPERVISOR_UPDATE, &arg);
}

int _test_lookup(int registry, const char *key, char *value, size_t size)
{
	struct supervisor_lookup arg =
		ARG(supervisor_lookup, .key = (uintptr_t)key,
		    .key_len = strlen(key), .value = (uintptr_t)value,
		    .value_len = size ? size - 1 : 0);
	int err = _test_ioctl(registry, SUPERVISOR_LOOKUP, &arg);

	if (err)
		return err;
	if (size)
		value[arg.value_len] = 0;
	return arg.out_pid;
}

/* Room for one record or two: so that the cursor is used. */
int _test_select(int registry, struct supervisor_select select, char *text,
		 size_t size)
{
	char buf[256] __aligned(8);
	size_t done = 0;
	__u32 i, at;
	int err;

	*text = 0;
	do {
		select.buf = (uintptr_t)buf;
		select.buf_len = sizeof(buf);
		err = _test_ioctl(registry, SUPERVISOR_SELECT, &select);
		if (err)
			return err;
		for (i = 0, at = 0; i < select.out_count; i++) {
			struct supervisor_registry_entry *entry =
				(void *)(buf + at);

			done += snprintf(text + done, size - done, "%s%s=%s",
					 done ? " " : "",
					 text_at(entry, entry->key_offset),
					 entry->value_offset ?
					 text_at(entry, entry->value_offset) :
					 "");
			at += entry->size;
			if (done >= size)
				return -EOVERFLOW;
		}
		if (at != select.buf_len)
			return -EPROTO;
	} while (select.out_more);
	return 0;
}

long _test_count_entries(int registry, struct supervisor_select select)
{
	return _test_ioctl(registry, SUPERVISOR_COUNT, &select) ?:
	       (long)select.out_count;
}

static int listen_or_not(int registry, unsigned int command, int mailbox,
			 __u32 flags)
{
	struct supervisor_listen arg =
		ARG(supervisor_listen, .mailbox_fd = mailbox, .flags = flags);

	return _test_ioctl(registry, command, &arg);
}

int _test_listen(int registry, int mailbox, __u32 flags)
{
	return listen_or_not(registry, SUPERVISOR_LISTEN, mailbox, flags);
}

int _test_unlisten(int registry, int mailbox)
{
	return listen_or_not(registry, SUPERVISOR_UNLISTEN, mailbox, 0);
}

int _test_change(int mailbox, pid_t pid, char *text, size_t size)
{
	char buf[512] __aligned(8);
	struct supervisor_msg_registry *event = (void *)buf;
	static const char * const words[] = {
		[SUPERVISOR_REGISTRY_REGISTERED] = "register",
		[SUPERVISOR_REGISTRY_UNREGISTERED] = "unregister",
		[SUPERVISOR_REGISTRY_DIED] = "died",
	};
	int ret = _test_recv(mailbox, buf, sizeof(buf), 1,
			     after_ms(PATIENCE_MS));
	const char *key;

	if (ret != 1)
		return ret ?: -EPROTO;
	if (event->head.type == SUPERVISOR_MSG_GAP) {
		snprintf(text, size, "gap");
		return 0;
	}
	if (event->head.type != SUPERVISOR_MSG_REGISTRY ||
	    (pid && event->head.pid != pid))
		return -EPROTO;
	key = text_at(event, event->text_offset);
	if (strlen(key) != event->key_len ||
	    strlen(key + event->key_len + 1) != event->value_len)
		return -EPROTO;
	snprintf(text, size, "%s %s", words[event->event], key);
	if (event->event == SUPERVISOR_REGISTRY_REGISTERED)
		snprintf(text + strlen(text), size - strlen(text), "=%s",
			 key + event->key_len + 1);
	return 0;
}

int _test_publish(int registry, const char *key, const void *payload, __u32 len,
		  __u64 deadline)
{
	struct supervisor_publish arg =
		ARG(supervisor_publish, .key = (uintptr_t)key,
		    .key_len = strlen(key), .buf = (uintptr_t)payload,
		    .len = len, .deadline = deadline);

	return _test_ioctl(registry, SUPERVISOR_PUBLISH, &arg) ?:
	       (int)(arg.out_delivered * 100 + arg.out_full * 10 +
		     arg.out_gone);
}

int _test_key_send(int registry, const char *key, pid_t pid, const char *text)
{
	struct supervisor_key_send arg =
		ARG(supervisor_key_send, .key = (uintptr_t)key,
		    .key_len = strlen(key), .pid = pid,
		    .buf = (uintptr_t)text, .len = strlen(text));

	return _test_ioctl(registry, SUPERVISOR_KEY_SEND, &arg);
}

int _test_key_signal(int registry, const char *key, pid_t pid, int number)
{
	struct supervisor_key_signal arg =
		ARG(supervisor_key_signal, .key = (uintptr_t)key,
		    .key_len = strlen(key), .pid = pid, .signal = number);

	return _test_ioctl(registry, SUPERVISOR_KEY_SIGNAL, &arg) ?:
	       arg.out_pid;
}

int _test_lock(int registry, const char *key, __u64 deadline)
{
	struct supervisor_lock arg =
		ARG(supervisor_lock, .key = (uintptr_t)key,
		    .key_len = strlen(key), .deadline = deadline);

	return _test_ioctl(registry, SUPERVISOR_LOCK, &arg);
}

int _test_unlock(int registry, const char *key)
{
	struct supervisor_lock arg =
		ARG(supervisor_lock, .key = (uintptr_t)key,
		    .key_len = strlen(key));

	return _test_ioctl(registry, SUPERVISOR_UNLOCK, &arg);
}

int _test_registry_status(int registry, struct supervisor_registry_status *status)
{
	*status = ARG(supervisor_registry_status);
	return _test_ioctl(registry, SUPERVISOR_REGISTRY_STATUS, status);
}

int _test_map(int registry, const struct supervisor_map **map)
{
	struct supervisor_registry_status status;
	int err = _test_registry_status(registry, &status);
	void *memory;

	if (err)
		return err;
	memory = mmap(NULL, status.out_map_bytes ?: sizeof(**map), PROT_READ,
		      MAP_SHARED, registry, 0);
	if (memory == MAP_FAILED)
		return -errno;
	*map = memory;
	return 0;
}

void test_unmap(const struct supervisor_map *map)
{
	long page = sysconf(_SC_PAGESIZE);

	munmap((void *)map, (map->bytes + page - 1) / page * page);
}

struct actor_order {
	enum order order;
	long first;
	long second;
};

struct actor_state {
	int dev;
	int mailbox;
	int socket;
};

static void *actor_loop(void *argument);

static int actor_thread(struct actor_state *actor)
{
	pthread_t thread;
	int done = 0;

	if (pthread_create(&thread, NULL, actor_loop, actor))
		return -EAGAIN;
	/* The answer comes first, as this thread is not to come back. */
	if (write(actor->socket, &done, sizeof(done)) != sizeof(done))
		_exit(200);
	syscall(SYS_exit, 0);
	return 0;
}

static void *actor_exec(void *unused)
{
	execl("/bin/sleep", "sleep", "1000", NULL);
	_exit(127);
}

static int actor_do(struct actor_state *actor, const struct actor_order *order)
{
	pthread_t thread;

	switch (order->order) {
	case ORDER_LINK:
		return _test_link(actor->dev, order->first, order->second, NULL);
	case ORDER_UNLINK:
		return _test_process_unlink(actor->dev, order->first);
	case ORDER_TRAP:
		return _test_trap_exit(actor->dev, order->first);
	case ORDER_TRAP_OWN:
		return _test_mailbox_create(actor->dev, 0, &actor->mailbox) ?:
		       _test_trap_exit(actor->dev, actor->mailbox);
	case ORDER_CLOSE_OWN:
		return close(actor->mailbox) ? -errno : 0;
	case ORDER_OWN:
		return _test_mailbox_own(actor->mailbox = order->first);
	case ORDER_REGISTER:
		return _test_register(order->first, (char *)order->second, -1,
				      NULL);
	case ORDER_UNREGISTER:
		return _test_unregister(order->first, (char *)order->second);
	case ORDER_UPDATE:
		return _test_update(order->first, (char *)order->second, NULL);
	case ORDER_LOCK:
		return _test_lock(order->first, (char *)order->second, 0);
	case ORDER_LOCK_WAIT:
		return _test_lock(order->first, (char *)order->second,
				  after_ms(PATIENCE_MS));
	case ORDER_UNLOCK:
		return _test_unlock(order->first, (char *)order->second);
	case ORDER_EXIT:
		syscall(SYS_exit_group, (int)order->first);
		break;
	case ORDER_THREAD:
		return actor_thread(actor);
	case ORDER_EXEC:
		pthread_create(&thread, NULL, actor_exec, NULL);
		for (;;)
			pause();
	}
	return -ENOSYS;
}

static void *actor_loop(void *argument)
{
	struct actor_state *actor = argument;
	struct actor_order order;
	int result;

	while (read(actor->socket, &order, sizeof(order)) == sizeof(order)) {
		result = actor_do(actor, &order);
		if (write(actor->socket, &result, sizeof(result)) !=
		    sizeof(result))
			break;
	}
	_exit(201);
}

int _test_actor(int dev, struct actor *actor)
{
	static struct actor_state state;
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	actor->socket = sockets[0];
	actor->pid = fork();
	if (!actor->pid) {
		close(sockets[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		state = (struct actor_state){ .dev = dev, .mailbox = -1,
					      .socket = sockets[1] };
		actor_loop(&state);
	}
	close(sockets[1]);
	return actor->pid < 0 ? -errno : 0;
}

int _test_order(struct actor *actor, enum order order, long first, long second)
{
	struct actor_order message = { order, first, second };
	int result;

	if (send(actor->socket, &message, sizeof(message), MSG_NOSIGNAL) < 0)
		return -EPIPE;
	if (order == ORDER_EXIT || order == ORDER_EXEC)
		return 0;
	if (read(actor->socket, &result, sizeof(result)) != sizeof(result))
		return -EPIPE;
	return result;
}

int _test_actor_kill(struct actor *actor, int number)
{
	return kill(actor->pid, number) ? -errno : 0;
}

void actor_end(struct actor *actor)
{
	if (actor->pid <= 0)
		return;
	kill(actor->pid, SIGKILL);
	waitpid(actor->pid, NULL, 0);
	close(actor->socket);
	actor->pid = 0;
}

/* ---- events ---- */

int _test_next(int mailbox, struct event *event, __u64 deadline)
{
	static __thread char buf[80 * 1024] __aligned(8);
	struct supervisor_msg *head = (void *)buf;
	const char *text;
	int count;

	memset(event, 0, sizeof(*event));
	count = _test_recv(mailbox, buf, sizeof(buf), 1, deadline);
	if (count < 0)
		return count;
	if (count != 1)
		return -EPROTO;
	event->event.head = *head;
	if (head->type != SUPERVISOR_MSG_EVENT)
		return 0;
	event->event = *(struct supervisor_msg_event *)buf;
	text = text_at(buf, event->event.text_offset);
	memcpy(event->id, text, event->event.id_len);
	text += event->event.id_len + 1;
	if (event->event.path_len >= sizeof(event->path))
		return -EPROTO;
	memcpy(event->path, text, event->event.path_len);
	return 0;
}

int _test_event(int mailbox, __u32 what, const char *id, struct event *event)
{
	__u64 deadline = after_ms(PATIENCE_MS);
	struct event unused;
	int err;

	if (!event)
		event = &unused;
	do {
		err = _test_next(mailbox, event, deadline);
		if (err)
			return err;
	} while (event->event.head.type != SUPERVISOR_MSG_EVENT ||
		 event->event.event != what || strcmp(event->id, id));
	return 0;
}

static void describe(const struct event *event, char *text, size_t size)
{
	static const char * const names[] = {
		[SUPERVISOR_EVENT_STARTED] = "started",
		[SUPERVISOR_EVENT_START_FAILED] = "start_failed",
		[SUPERVISOR_EVENT_START_IGNORED] = "ignored",
		[SUPERVISOR_EVENT_TERM] = "term",
		[SUPERVISOR_EVENT_KILL] = "kill",
		[SUPERVISOR_EVENT_EXITED] = "exited",
		[SUPERVISOR_EVENT_UNKILLABLE] = "unkillable",
		[SUPERVISOR_EVENT_ABANDONED] = "abandoned",
		[SUPERVISOR_EVENT_UP] = "up",
		[SUPERVISOR_EVENT_DOWN] = "down",
		[SUPERVISOR_EVENT_START_REQUEST] = "start_request",
		[SUPERVISOR_EVENT_HELD] = "held",
		[SUPERVISOR_EVENT_ADOPTED] = "adopted",
	};
	static const char * const reasons[] = {
		[SUPERVISOR_EXIT_NORMAL] = "normal",
		[SUPERVISOR_EXIT_SHUTDOWN] = "shutdown",
		[SUPERVISOR_EXIT_CRASH] = "crash",
		[SUPERVISOR_EXIT_KILLED] = "killed",
	};
	static const char * const downs[] = {
		[SUPERVISOR_DOWN_STOPPED] = "stopped",
		[SUPERVISOR_DOWN_INIT_FAILED] = "init_failed",
		[SUPERVISOR_DOWN_INTENSITY] = "intensity",
		[SUPERVISOR_DOWN_AUTO_SHUTDOWN] = "auto_shutdown",
		[SUPERVISOR_DOWN_RELEASED] = "released",
		[SUPERVISOR_DOWN_NOT_YET] = "not_yet",
	};
	const struct supervisor_msg_event *told = &event->event;

	if (told->head.type == SUPERVISOR_MSG_GAP) {
		append(text, size, "gap");
		return;
	}
	if (told->head.type != SUPERVISOR_MSG_EVENT || !told->event ||
	    told->event >= sizeof(names) / sizeof(*names)) {
		append(text, size, "type %u event %u", told->head.type,
		       told->event);
		return;
	}
	append(text, size, "%s%s%s", names[told->event], *event->id ? " " : "",
	       event->id);
	if (told->event == SUPERVISOR_EVENT_EXITED)
		append(text, size, " %s", told->reason < 4 ?
		       reasons[told->reason] : "?");
	if (told->event == SUPERVISOR_EVENT_START_FAILED)
		append(text, size, " %s", strerrorname_np(told->error) ?: "?");
	if (told->event == SUPERVISOR_EVENT_DOWN)
		append(text, size, " %s", told->down < 6 ?
		       downs[told->down] : "?");
}

/* A supervisor that is a child is told of by its UP and DOWN alone here. */
static bool is_left_out(const struct supervisor_msg_event *event)
{
	if (event->head.type != SUPERVISOR_MSG_EVENT)
		return false;
	if (event->event == SUPERVISOR_EVENT_START_REQUEST)
		return true;
	return event->is_supervisor && event->event != SUPERVISOR_EVENT_UP &&
	       event->event != SUPERVISOR_EVENT_DOWN;
}

int _test_trace(int mailbox, const char *expected, char *seen, size_t size)
{
	__u64 deadline = after_ms(PATIENCE_MS);
	unsigned int wanted = *expected != 0;
	struct event event;
	int err;

	for (; *expected; expected++)
		wanted += *expected == ',';
	*seen = 0;
	for (;;) {
		/* What came already and was not expected shows too. */
		err = _test_next(mailbox, &event, wanted ? deadline : 0);
		if (err == -EAGAIN && !wanted)
			return 0;
		if (err) {
			append(seen, size, " (%s)", strerrorname_np(-err));
			return err;
		}
		if (is_left_out(&event.event))
			continue;
		if (*seen)
			append(seen, size, ", ");
		describe(&event, seen, size);
		if (wanted)
			wanted--;
	}
}

/* ---- lineage ---- */

/* Entries from @at on, as many of both kinds as are said to be there. */
static int lineage_read(struct lineage *lineage, size_t at, size_t end,
			unsigned int ancestors, unsigned int callers)
{
	const struct supervisor_lineage_entry *entry;
	unsigned int i;

	if (ancestors > SUPERVISOR_DEPTH_MAX ||
	    callers > SUPERVISOR_CALLERS_MAX)
		return -EPROTO;
	for (i = 0; i < ancestors + callers; i++) {
		entry = (void *)(lineage->buf + at);
		if (end - at < sizeof(*entry) || entry->size > end - at ||
		    entry->size % 8 || entry->__reserved ||
		    entry->text_offset + entry->id_len + 1 +
		    entry->path_len + 1 > entry->size)
			return -EPROTO;
		if (entry->kind != (i < ancestors ?
				    SUPERVISOR_LINEAGE_ANCESTOR :
				    SUPERVISOR_LINEAGE_CALLER))
			return -EPROTO;
		if (i < ancestors)
			lineage->ancestor[i] = entry;
		else
			lineage->caller[i - ancestors] = entry;
		at += entry->size;
	}
	return at == end ? 0 : -EPROTO;
}

static int lineage_ask(int fd, unsigned int command, struct lineage *lineage)
{
	struct supervisor_lineage *told = &lineage->told;
	int err;

	told->buf = (uintptr_t)lineage->buf;
	told->buf_len = sizeof(lineage->buf);
	err = _test_ioctl(fd, command, told);
	return err ?: lineage_read(lineage, 0, told->buf_len,
				   told->out_ancestors, told->out_callers);
}

int _test_lineage(int dev, pid_t pid, int pidfd, struct lineage *lineage)
{
	lineage->told = ARG(supervisor_lineage, .pid = pid, .pidfd = pidfd);
	return lineage_ask(dev, SUPERVISOR_LINEAGE, lineage);
}

int _test_child_lineage(int sup, const char *id, struct lineage *lineage)
{
	lineage->told = ARG(supervisor_lineage, .pidfd = -1,
			    .id = (uintptr_t)id, .id_len = strlen(id));
	return lineage_ask(sup, SUPERVISOR_CHILD_LINEAGE, lineage);
}

int _test_member_lineage(int sup, __u64 child, struct lineage *lineage)
{
	lineage->told = ARG(supervisor_lineage, .pidfd = -1, .child = child);
	return lineage_ask(sup, SUPERVISOR_CHILD_LINEAGE, lineage);
}

int _test_crash(int mailbox, struct lineage *lineage, __u64 deadline)
{
	struct supervisor_msg_crash *crash = (void *)lineage->buf;
	const char *text;
	int count;

	do {
		count = _test_recv(mailbox, crash, sizeof(lineage->buf), 1,
				   deadline);
		if (count < 0)
			return count;
	} while (crash->head.type != SUPERVISOR_MSG_CRASH);
	lineage->crash = *crash;
	text = text_at(crash, crash->text_offset);
	if (crash->path_len >= sizeof(lineage->path) ||
	    strlen(text) != crash->id_len ||
	    strlen(text + crash->id_len + 1) != crash->path_len)
		return -EPROTO;
	strcpy(lineage->id, text);
	strcpy(lineage->path, text + crash->id_len + 1);
	lineage->told.out_ancestors = crash->ancestors;
	lineage->told.out_callers = crash->callers;
	return lineage_read(lineage, crash->lineage_offset, crash->head.size,
			    crash->ancestors, crash->callers);
}

const char *lineage_text(const struct lineage *lineage)
{
	const struct supervisor_lineage_entry *entry;
	static char text[4096];
	unsigned int i;

	*text = 0;
	for (i = 0; i < lineage->told.out_ancestors; i++) {
		entry = lineage->ancestor[i];
		append(text, sizeof(text), "%s%s", i ? " < " : "",
		       text_at(entry, entry->text_offset));
	}
	for (i = 0; i < lineage->told.out_callers; i++) {
		entry = lineage->caller[i];
		append(text, sizeof(text), "%s", i ? " < " : "; ");
		if (entry->child)
			append(text, sizeof(text), "%s(%u)",
			       text_at(entry, entry->text_offset),
			       entry->incarnation);
		else
			append(text, sizeof(text), "-");
	}
	return text;
}

/* ---- messages ---- */

struct message test_taken;

int _test_mailbox(int dev, struct supervisor_mailbox_create create,
		  int *mailbox)
{
	int err = _test_ioctl(dev, SUPERVISOR_MAILBOX_CREATE, &create);

	*mailbox = err ? -1 : create.out_fd;
	return err;
}

int _test_open_mailbox(int dev, const char *name, __u32 access, int *mailbox)
{
	return open_kind(dev, SUPERVISOR_KIND_MAILBOX, name, access, mailbox);
}

int _test_send(int mailbox, const void *payload, __u32 len, __u64 deadline)
{
	struct supervisor_mailbox_send send =
		ARG(supervisor_mailbox_send, .buf = (uintptr_t)payload,
		    .len = len, .deadline = deadline);

	return _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send);
}

/* Finds the parts, which must lie within the message and not overlap. */
static int parse(struct message *message, __u32 length)
{
	struct supervisor_msg_data *data = (void *)message->buf;
	struct supervisor_msg_reply *reply = (void *)message->buf;
	struct supervisor_msg *head = (void *)message->buf;
	__u32 offset = 0, least = sizeof(*head), end;

	message->head = head;
	message->len = 0;
	message->error = 0;
	message->payload = NULL;
	message->path = NULL;
	if (length < sizeof(*head) || head->size != length || length % 8 ||
	    head->__reserved)
		return -EPROTO;
	switch (head->type) {
	case SUPERVISOR_MSG_CAST:
	case SUPERVISOR_MSG_CALL:
		message->len = data->payload_len;
		offset = data->payload_offset;
		least = sizeof(*data);
		break;
	case SUPERVISOR_MSG_REPLY:
		message->len = reply->payload_len;
		message->error = reply->error;
		offset = reply->payload_offset;
		least = sizeof(*reply);
		if (reply->__reserved)
			return -EPROTO;
		break;
	default:
		return 0;
	}
	if (offset < least || offset % 8)
		return -EPROTO;
	message->payload = message->buf + offset;
	end = (offset + message->len + 7) & ~7;
	if (head->flags & SUPERVISOR_MSG_F_PATH) {
		if (head->type == SUPERVISOR_MSG_REPLY)
			return -EPROTO;
		message->path = message->buf + end;
		if (end + data->path_len + 1 > length ||
		    strnlen(message->path, length - end) != data->path_len)
			return -EPROTO;
		end = (end + data->path_len + 1 + 7) & ~7;
	}
	return end <= length ? 0 : -EPROTO;
}

static int take(int mailbox, struct supervisor_mailbox_recv recv,
		struct message *message)
{
	int err;

	do {
		recv.buf = (uintptr_t)message->buf;
		recv.buf_len = sizeof(message->buf);
		recv.max = 1;
		err = _test_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV, &recv);
	} while (err == -EINTR);
	if (err)
		return err;
	return recv.out_count == 1 ? parse(message, recv.buf_len) : -EPROTO;
}

int _test_take(int mailbox, struct message *message, __u64 deadline)
{
	return take(mailbox, ARG(supervisor_mailbox_recv,
				 .flags = SUPERVISOR_RECV_F_PATH,
				 .deadline = deadline), message);
}

int _test_take_ref(int mailbox, __u64 ref, struct message *message,
		   __u64 deadline)
{
	return take(mailbox, ARG(supervisor_mailbox_recv,
				 .flags = SUPERVISOR_RECV_F_REF, .ref = ref,
				 .deadline = deadline), message);
}

int _test_reply(int mailbox, __u64 from, const void *payload, __u32 len)
{
	struct supervisor_call_reply reply =
		ARG(supervisor_call_reply, .from = from,
		    .buf = (uintptr_t)payload, .len = len);

	return _test_ioctl(mailbox, SUPERVISOR_CALL_REPLY, &reply);
}

int _test_call_start(int mailbox, const void *request, __u32 len, int replies,
		     __u64 *ref)
{
	struct supervisor_call_start start =
		ARG(supervisor_call_start, .buf = (uintptr_t)request,
		    .len = len, .mailbox_fd = replies,
		    .deadline = after_ms(PATIENCE_MS));
	int err = _test_ioctl(mailbox, SUPERVISOR_CALL_START, &start);

	*ref = err ? 0 : start.out_ref;
	return err;
}

int _test_call_cancel(int mailbox, __u64 ref, __u32 flags)
{
	struct supervisor_ref cancel =
		ARG(supervisor_ref, .flags = flags, .ref = ref);
	int err = _test_ioctl(mailbox, SUPERVISOR_CALL_CANCEL, &cancel);

	return err ?: (int)cancel.out_found;
}

int _test_mailbox_own(int mailbox)
{
	struct supervisor_mailbox_own own = ARG(supervisor_mailbox_own);

	return _test_ioctl(mailbox, SUPERVISOR_MAILBOX_OWN, &own);
}

int _test_mailbox_status(int mailbox, struct supervisor_mailbox_status *status)
{
	*status = ARG(supervisor_mailbox_status);
	return _test_ioctl(mailbox, SUPERVISOR_MAILBOX_STATUS, status);
}

bool poll_says(int fd, short events, int milliseconds)
{
	struct pollfd polled = { .fd = fd, .events = events };

	return poll(&polled, 1, milliseconds) == 1 &&
	       (polled.revents & events) == events;
}

pid_t owner_start(int mailbox)
{
	siginfo_t info = {};
	int pipes[2];
	char said = 0;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		if (_test_mailbox_own(mailbox))
			_exit(errno);
		if (write(pipes[1], "O", 1) != 1)
			_exit(EIO);
		syscall(SYS_close_range, 3, ~0U, 0);
		child_wait(0);
	}
	close(pipes[1]);
	while (read(pipes[0], &said, 1) < 0 && errno == EINTR)
		;
	/* Without this the test's close may not be the last one. */
	if (said)
		while (read(pipes[0], &said, 1) < 0 && errno == EINTR)
			;
	close(pipes[0]);
	if (said || pid < 0)
		return pid < 0 ? -errno : pid;
	waitid(P_PID, pid, &info, WEXITED);
	return -(info.si_status ?: ECHILD);
}

void process_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void *client_main(void *argument)
{
	struct client *client = argument;
	int err;

	client->tid = syscall(SYS_gettid);
	for (;;) {
		client->call.reply_len = sizeof(client->reply) - 1;
		err = _test_ioctl(client->mailbox, SUPERVISOR_MAILBOX_CALL,
				  &client->call);
		if (err != -EINTR)
			break;
		__atomic_add_fetch(&client->interrupted, 1, __ATOMIC_RELAXED);
		if (client->once)
			break;
	}
	client->reply[err || client->call.reply_len >= sizeof(client->reply) ?
		      0 : client->call.reply_len] = 0;
	client->err = err;
	return NULL;
}

int _test_client_start(struct client *client, int mailbox, const char *request,
		       __u64 deadline)
{
	bool once = client->once;

	*client = (struct client) {
		.mailbox = mailbox,
		.once = once,
		.err = 1,
		.call = ARG(supervisor_mailbox_call,
			    .buf = (uintptr_t)request,
			    .len = strlen(request),
			    .reply = (uintptr_t)client->reply,
			    .deadline = deadline),
	};
	client->running = true;
	return -pthread_create(&client->thread, NULL, client_main, client);
}

int client_end(struct client *client)
{
	if (client->running)
		pthread_join(client->thread, NULL);
	client->running = false;
	return client->err;
}

/* ---- children ---- */

void child_wait(long unused)
{
	for (;;)
		pause();
}

void child_exit(long status)
{
	_exit(status);
}

void child_exit_later(long milliseconds)
{
	sleep_ms(milliseconds);
	_exit(1);
}

static long told_status;

static void exit_as_told(int unused)
{
	_exit(told_status);
}

void child_exit_when_told(long status)
{
	told_status = status;
	signal(SIGUSR1, exit_as_told);
	child_wait(0);
}

void child_raise(long number)
{
	signal(number, SIG_DFL);
	syscall(SYS_kill, getpid(), number);
	child_wait(0);
}

void child_ignore(long number)
{
	signal(number, SIG_IGN);
	child_wait(0);
}

void child_stop_self(long unused)
{
	raise(SIGSTOP);
	child_wait(0);
}

static void say(__u32 report, int error)
{
	int dev = device_open();
	int err = dev < 0 ? dev : _test_report(dev, 0, report, error);

	if (err)
		_exit(200);
	close(dev);
}

void child_fail(long error)
{
	say(SUPERVISOR_REPORT_FAILED, error);
	_exit(1);
}

void child_say_ignore(long unused)
{
	say(SUPERVISOR_REPORT_IGNORE, 0);
	_exit(0);
}

void child_say_shutdown(long status)
{
	say(SUPERVISOR_REPORT_SHUTDOWN, 0);
	_exit(status);
}

void child_say_ready(long unused)
{
	say(SUPERVISOR_REPORT_READY, 0);
	child_wait(0);
}

/* Has a second process in its group, whose number it puts into shared memory. */
void child_with_helper(long shared)
{
	pid_t pid = fork();

	if (!pid) {
		signal(SIGTERM, SIG_IGN);
		child_wait(0);
	}
	*(volatile pid_t *)shared = pid;
	child_wait(0);
}

/* What PROGRAM_EXEC can name. */
static const struct {
	const char *name;
	void (*run)(long argument);
} actions[] = {
	{ "wait", child_wait },
	{ "exit", child_exit },
	{ "raise", child_raise },
	{ "ready", child_say_ready },
	{ "fail", child_fail },
	{ "shutdown", child_say_shutdown },
};

/* A test that was executed as a child never gets to its main(). */
static __attribute__((constructor(101))) void be_child(int argc, char **argv)
{
	unsigned int i;

	if (argc != 3 || strcmp(argv[0], CHILD_ARGV0)) {
		if (!access(DEVICE, F_OK))
			return;
		printf("TAP version 13\n1..0 # SKIP there is no " DEVICE "\n");
		exit(KSFT_SKIP);
	}
	for (i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (!strcmp(actions[i].name, argv[1])) {
			actions[i].run(atol(argv[2]));
			_exit(0);
		}
	}
	_exit(202);
}

void child_exec(const char *action, long argument)
{
	char text[24];
	char * const argv[] = {
		CHILD_ARGV0, (char *)(action ?: "wait"), text, NULL
	};
	char * const environment[] = { NULL };

	snprintf(text, sizeof(text), "%ld", argument);
	/* /proc/self would be the leader's, which may be gone. */
	execve("/proc/thread-self/exe", argv, environment);
}

void child_attached(struct start *start)
{
	if (write(start->pipe, "A", 1) != 1)
		_exit(203);
}

static void child_main(struct start *start)
{
	const struct program *program = start->program;
	sigset_t none;
	int err;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (start->signal_whom == SUPERVISOR_SIGNAL_GROUP &&
	    !(program->flags & PROGRAM_NO_GROUP))
		setpgid(0, 0);
	if (program->attach) {
		program->attach(start);
	} else {
		err = _test_attach(start->spawner->dev, start->token);
		if (err)
			_exit(-err);
		child_attached(start);
	}
	if (program->flags & PROGRAM_EXEC)
		child_exec(program->action, program->argument);
	if (program->flags & PROGRAM_BAD_EXEC) {
		execl("/nonexistent", "nonexistent", NULL);
		_test_report(start->spawner->dev, 0, SUPERVISOR_REPORT_FAILED,
			     errno);
		if (write(start->pipe, "F", 1) == 1)
			_exit(127);
		_exit(203);
	}
	/* What runs on without exec must not keep the tree's files open. */
	syscall(SYS_close_range, 3, ~0U, 0);
	if (program->run)
		program->run(program->argument);
	else
		child_wait(0);
	_exit(0);
}

/* ---- spawners ---- */

void spawn_fork(struct start *start)
{
	struct spawner *spawner = start->spawner;
	siginfo_t info = {};
	char said = 0;
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC)) {
		_test_report(spawner->dev, start->token,
			     SUPERVISOR_REPORT_FAILED, errno);
		return;
	}
	pid = fork();
	if (!pid) {
		close(pipes[0]);
		start->pipe = pipes[1];
		child_main(start);
	}
	close(pipes[1]);
	/* Until exec, or a program's own close, or death. */
	while (pid > 0 && read(pipes[0], &said, 1) == 1)
		;
	close(pipes[0]);
	if (!said) {
		if (pid > 0)
			waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
		_test_report(spawner->dev, start->token,
			     SUPERVISOR_REPORT_FAILED,
			     info.si_code == CLD_EXITED && info.si_status ?
			     info.si_status : ECHILD);
		/* One that was killed had attached, perhaps: the test's to reap. */
		if (info.si_code == CLD_EXITED)
			waitpid(pid, NULL, 0);
	} else if (said == 'A' &&
		   start->readiness != SUPERVISOR_READINESS_ATTACH &&
		   !(start->program->flags & PROGRAM_SILENT)) {
		_test_report(spawner->dev, start->token,
			     SUPERVISOR_REPORT_STARTED, 0);
	}
}

void spawn_fail(struct start *start)
{
	_test_report(start->spawner->dev, start->token,
		     SUPERVISOR_REPORT_FAILED, start->program->argument);
}

void spawn_ignore(struct start *start)
{
	_test_report(start->spawner->dev, start->token,
		     SUPERVISOR_REPORT_IGNORE, 0);
}

void spawn_ready(struct start *start)
{
	_test_report(start->spawner->dev, start->token,
		     SUPERVISOR_REPORT_READY, 0);
}

void spawn_nothing(struct start *start)
{
}

static unsigned int count_attempt(struct spawner *spawner, const char *id)
{
	unsigned int i;

	for (i = 0; i < spawner->ids; i++)
		if (!strcmp(spawner->seen[i].id, id))
			return ++spawner->seen[i].attempts;
	if (i == sizeof(spawner->seen) / sizeof(*spawner->seen))
		return 1;
	spawner->ids++;
	snprintf(spawner->seen[i].id, sizeof(spawner->seen[i].id), "%.31s", id);
	return spawner->seen[i].attempts = 1;
}

void spawn_fail_at(struct start *start)
{
	if (start->program->argument & (1L << start->attempt))
		_test_report(start->spawner->dev, start->token,
			     SUPERVISOR_REPORT_FAILED, ENOENT);
	else
		spawn_fork(start);
}

void spawn_ignore_at(struct start *start)
{
	if (start->program->argument & (1L << start->attempt))
		spawn_ignore(start);
	else
		spawn_fork(start);
}

int _test_spawn_one(struct spawner *spawner, __u64 deadline)
{
	char buf[4096] __aligned(8);
	struct supervisor_msg_start *message = (void *)buf;
	struct program program;
	struct start start;
	int count;

	count = _test_recv(spawner->mailbox, buf, sizeof(buf), 1, deadline);
	if (count < 0)
		return count;
	if (message->head.type != SUPERVISOR_MSG_START)
		return 0;
	if (message->blob_len != sizeof(program) ||
	    message->blob_offset + message->blob_len > message->head.size)
		return -EPROTO;
	memcpy(&program, buf + message->blob_offset, sizeof(program));
	start = (struct start) {
		.spawner = spawner,
		.program = &program,
		.token = message->head.ref,
		.child = message->head.child,
		.incarnation = message->head.incarnation,
		.readiness = message->readiness,
		.signal_whom = message->signal_whom,
		.id = text_at(buf, message->text_offset),
		.path = text_at(buf, message->text_offset + message->id_len + 1),
		.is_supervisor = message->head.flags & SUPERVISOR_MSG_F_SUPERVISOR,
	};
	start.attempt = count_attempt(spawner, start.id);
	if (program.spawn)
		program.spawn(&start);
	else
		spawn_fork(&start);
	return 0;
}

static void *spawner_loop(void *argument)
{
	struct spawner *spawner = argument;
	struct pollfd polled[] = {
		{ .fd = spawner->mailbox, .events = POLLIN },
		{ .fd = spawner->stop, .events = POLLIN },
	};

	while (poll(polled, 2, -1) >= 0 || errno == EINTR) {
		if (polled[1].revents)
			break;
		if (polled[0].revents & (POLLERR | POLLNVAL | POLLHUP))
			break;
		if (polled[0].revents)
			_test_spawn_one(spawner, 0);
	}
	return NULL;
}

int _test_spawner_start(struct spawner *spawner, int dev, int mailbox)
{
	sigset_t all, old;
	int err;

	memset(spawner, 0, sizeof(*spawner));
	spawner->dev = dev;
	spawner->mailbox = mailbox;
	spawner->stop = eventfd(0, EFD_CLOEXEC);
	if (spawner->stop < 0)
		return -errno;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&spawner->thread, NULL, spawner_loop, spawner);
	sigprocmask(SIG_SETMASK, &old, NULL);
	spawner->running = !err;
	return -err;
}

void spawner_stop(struct spawner *spawner)
{
	if (!spawner->running)
		return;
	eventfd_write(spawner->stop, 1);
	pthread_join(spawner->thread, NULL);
	close(spawner->stop);
	spawner->running = false;
}

pid_t spawner_process(int dev, int mailbox)
{
	struct spawner spawner = { .dev = dev, .mailbox = mailbox };
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (_test_spawn_one(&spawner, SUPERVISOR_NO_DEADLINE) == 0)
		;
	_exit(1);
}

/* ---- trees ---- */

int _test_tree_open(struct tree *tree, struct supervisor_create create)
{
	int err;

	*tree = NO_TREE;
	tree->dev = device_open();
	if (tree->dev < 0)
		return tree->dev;
	err = _test_mailbox_create(tree->dev, 0, &tree->mailbox);
	if (err)
		return err;
	err = _test_mailbox_create(tree->dev, 0, &tree->events);
	if (err)
		return err;
	create.mailbox_fd = tree->mailbox;
	err = _test_create(tree->dev, &create, &tree->sup);
	if (err)
		return err;
	tree->id = create.out_id;
	err = _test_subscribe(tree->sup, tree->events);
	if (err)
		return err;
	return _test_spawner_start(&tree->spawner, tree->dev, tree->mailbox);
}

void tree_abandon(struct tree *tree)
{
	spawner_stop(&tree->spawner);
	close(tree->sup);
	close(tree->events);
	close(tree->mailbox);
	close(tree->dev);
	*tree = NO_TREE;
}

void tree_close(struct tree *tree)
{
	if (tree->sup >= 0)
		_test_stop(tree->sup);
	tree_abandon(tree);
	reap_all();
}
