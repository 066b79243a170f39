// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * spawner_test.c - the spawner with real processes and the kernel's part faked:
 * what they find when they come up, and what is said of those that do not.
 *
 * The program is its own child, too: with arguments it plays one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../internal.h"
#include "fake.h"
#include "tap.h"

static struct sup_spawner *spawner;
static int device;		/* any file: the fake does not look */
static char dir[] = "/tmp/spawner_test.XXXXXX";
static char out[64];		/* where children write */

static struct {
	int error;
	char step[16];
	int messages;
	int init;		/* what on_init answers */
	int inits;
} seen;

static void on_fail(void *context, const struct supervisor_msg *start,
		    const char *step, int error)
{
	ok(context == &seen && !strcmp(sup_msg_id(start), "child"),
	   "on_fail is told of which child");
	seen.error = error;
	snprintf(seen.step, sizeof(seen.step), "%s", step);
}

static void on_message(void *context, const struct supervisor_msg *msg)
{
	(void)context;
	(void)msg;
	seen.messages++;
}

static int on_init(void *context, const struct supervisor_msg *start)
{
	(void)context;
	seen.inits += start->ref == 77;
	return seen.init;
}

/* ---- a start ---------------------------------------------------------- */

static struct sup_command *command_of(const char *program)
{
	struct sup_command *command;

	if (sup_command_new(&command) ||
	    sup_command_add_arg(command, program))
		abort();
	return command;
}

static struct sup_command *shell(const char *script)
{
	struct sup_command *command = command_of("/bin/sh");

	sup_command_add_arg(command, "-c");
	sup_command_add_arg(command, script);
	sup_command_set_stdio(command, 1, SUP_STDIO_FILE, out);
	return command;
}

static void start(const struct sup_command *command, uint32_t whom,
		  uint32_t readiness)
{
	size_t len;
	void *blob;

	if (sup_command_encode(command, &blob, &len))
		abort();
	fake_start(77, whom, readiness, blob, len);
	free(blob);
}

static bool has_children(void)
{
	siginfo_t info;

	return !waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
}

/* Until there is nothing to do and nobody left, or it takes too long. */
static void settle(void)
{
	uint64_t end = sup_deadline_in(30000);
	struct pollfd fd = { sup_spawner_fd(spawner), POLLIN, 0 };

	do {
		poll(&fd, 1, 20);
		sup_spawner_step(spawner);
	} while ((has_children() || poll(&fd, 1, 0)) &&
		 sup_deadline_in(0) < end);
	if (has_children())
		printf("# gave up waiting for children\n");
}

static void run(struct sup_command *command, uint32_t whom)
{
	fake_reset();
	memset(&seen, 0, sizeof(seen));
	unlink(out);
	start(command, whom, SUPERVISOR_READINESS_EXEC);
	sup_command_free(command);
	settle();
}

static const char *output(void)
{
	static char text[4096];
	int fd = open(out, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

static bool reported(uint32_t report, int error)
{
	return fake.reports == 1 && fake.report[0].report == report &&
	       fake.report[0].error == error && fake.report[0].token == 77;
}

/* ---- tests ------------------------------------------------------------ */

static void test_start(void)
{
	run(command_of("/bin/true"), SUPERVISOR_SIGNAL_GROUP);
	ok(reported(SUPERVISOR_REPORT_STARTED, 0), "STARTED is said once");
	is(fake.report[0].by, getpid(), "by the spawner");
	ok(fake.attached && fake.attached != getpid(), "the child attached");
	is(fake.attached_token, 77, "with the token");
	is(fake.attached_session, fake.attached, "leading a session");
	ok(!has_children(), "and it was reaped");

	run(command_of("/bin/true"), SUPERVISOR_SIGNAL_PROCESS);
	ok(fake.attached_session == getsid(0),
	   "one signalled alone stays in the session");
}

static void test_exec_failure(void)
{
	run(command_of("/no/such/program"), SUPERVISOR_SIGNAL_GROUP);
	ok(reported(SUPERVISOR_REPORT_FAILED, ENOENT), "FAILED(ENOENT)");
	is(fake.report[0].by, fake.attached, "by the child itself");
	is(seen.error, ENOENT, "on_fail knows the error");
	is_text(seen.step, "exec", "and the step");
	run(command_of("no-such-program"), SUPERVISOR_SIGNAL_GROUP);
	ok(reported(SUPERVISOR_REPORT_FAILED, ENOENT),
	   "a name that is not on PATH");
	run(command_of("/etc/passwd"), SUPERVISOR_SIGNAL_GROUP);
	ok(reported(SUPERVISOR_REPORT_FAILED, EACCES),
	   "a file that is no program");
	ok(!has_children(), "all were reaped");
}

static void test_attach_failure(void)
{
	struct sup_command *command = command_of("/bin/true");

	fake_reset();
	fake.attach_error = ESTALE;
	start(command, 1, 0);
	settle();
	is(fake.reports, 0, "a revoked token: nothing is said");
	fake_reset();
	fake.attach_error = EPERM;
	start(command, 1, 0);
	settle();
	ok(reported(SUPERVISOR_REPORT_FAILED, EPERM), "EPERM: FAILED");
	is(fake.report[0].by, getpid(), "by the spawner");
	is_text(seen.step, "attach", "on_fail knows the step");
	sup_command_free(command);
}

static void test_bad_blob(void)
{
	fake_reset();
	fake_start(77, 1, 0, "rubbish", 7);
	settle();
	ok(reported(SUPERVISOR_REPORT_FAILED, EBADMSG), "a blob of rubbish");
	ok(!fake.attached, "forks nothing");
}

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	(void)sig;
	handled = 1;
}

static void test_signals(void)
{
	struct sigaction catch = { .sa_handler = handler }, old;
	struct sup_command *command;
	sigset_t set, before, after;

	sigaction(SIGUSR2, &catch, NULL);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&set);
	sigdelset(&set, SIGUSR2);
	sigprocmask(SIG_SETMASK, &set, &before);
	sigprocmask(SIG_SETMASK, NULL, &set);
	run(shell("exec cat /proc/self/status"), 1);
	ok(strstr(output(), "SigBlk:\t0000000000000000\n"
		  "SigIgn:\t0000000000000000\n"
		  "SigCgt:\t0000000000000000\n"),
	   "nothing blocked, ignored or caught");
	sigprocmask(SIG_SETMASK, NULL, &after);
	ok(!memcmp(&set, &after, 8), "the spawner's mask is as before");
	sigaction(SIGUSR2, NULL, &old);
	ok(old.sa_handler == handler, "and so is its handler");
	signal(SIGPIPE, SIG_DFL);

	fake_reset();
	fake.attach_signal = SIGUSR2;
	unlink(out);
	command = shell("echo alive");
	start(command, 1, 0);
	sup_command_free(command);
	settle();
	is_text(output(), "", "a signal before the exec kills");
	ok(!handled, "no handler of ours ran for it");
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void test_surroundings(void)
{
	struct sup_command *command;
	char want[256];

	command = shell("pwd; umask; ulimit -n; ulimit -c; echo $A,$HOME,$B");
	sup_command_set_cwd(command, dir);
	sup_command_set_umask(command, 027);
	sup_command_set_rlimit(command, RLIMIT_NOFILE, 123, 123);
	sup_command_set_rlimit(command, RLIMIT_CORE, 0, 0);
	sup_command_set_env(command, "A", "1");
	sup_command_set_env(command, "B", "2");
	sup_command_set_env(command, "A", "3");
	sup_command_unset_env(command, "HOME");
	sup_command_unset_env(command, "B");
	run(command, 1);
	snprintf(want, sizeof(want), "%s\n0027\n123\n0\n3,,\n", dir);
	is_text(output(), want, "cwd, umask, limits, environment");

	command = shell("env | grep -v -E '^(PWD|SHLVL|_|OLDPWD)='");
	sup_command_clear_env(command);
	sup_command_set_env(command, "ONLY", "this");
	run(command, 1);
	is_text(output(), "ONLY=this\n", "an environment that begins empty");

	run(shell("echo ${NOTIFY_SOCKET-none} ${WATCHDOG_USEC-none} $KEPT"), 1);
	is_text(output(), "none none yes\n", "what our own manager told us");

	command = command_of("/bin/true");
	sup_command_set_cwd(command, "/no/such");
	run(command, 1);
	ok(reported(SUPERVISOR_REPORT_FAILED, ENOENT) &&
	   !strcmp(seen.step, "cwd"), "no such directory");
	command = command_of("/bin/true");
	sup_command_set_user(command, "no-such-user");
	run(command, 1);
	ok(reported(SUPERVISOR_REPORT_FAILED, EINVAL) &&
	   !strcmp(seen.step, "user"), "no such user");
	ok(!fake.attached, "is known before the fork");
	command = command_of("/bin/true");
	sup_command_set_group(command, "no-such-group");
	run(command, 1);
	ok(reported(SUPERVISOR_REPORT_FAILED, EINVAL) &&
	   !strcmp(seen.step, "group"), "no such group");
}

static void test_ids(void)
{
	struct sup_command *command;

	if (geteuid()) {
		ok(1, "ids # SKIP not root");
		return;
	}
	command = shell("id -u; id -g; id -G");
	sup_command_set_user(command, "nobody");
	run(command, 1);
	is_text(output(), "65534\n65534\n65534\n", "a user brings its groups");
	command = shell("id -u; id -g; id -G");
	sup_command_set_user(command, "12345");
	sup_command_set_group(command, "23");
	sup_command_add_group(command, "7");
	sup_command_add_group(command, "daemon");
	run(command, 1);
	is_text(output(), "12345\n23\n23 1 7\n", "numbers, and its groups");
	command = shell("id -u; id -g; id -G");
	sup_command_set_group(command, "23");
	sup_command_clear_groups(command);
	run(command, 1);
	is_text(output(), "0\n23\n23\n", "a group alone, no others");
	command = shell("true");
	sup_command_set_user(command, "54321");
	run(command, 1);
	is(seen.error, EINVAL, "a number that nobody has needs a group");
	is(geteuid(), 0, "the spawner is who it was");
}

static void test_stdio(void)
{
	struct sup_command *command;
	char path[64], text[32] = "";
	int fd;

	command = shell("echo out; echo err >&2; cat");
	sup_command_set_stdio(command, 0, SUP_STDIO_NULL, NULL);
	sup_command_set_stdio(command, 2, SUP_STDIO_STDOUT, NULL);
	run(command, 1);
	is_text(output(), "out\nerr\n", "stderr goes where stdout goes");

	snprintf(path, sizeof(path), "%s/in", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (write(fd, "first\n", 6) != 6)
		abort();
	close(fd);
	command = shell("cat; cat /proc/self/fdinfo/0 | grep ^flags");
	sup_command_set_stdio(command, 0, SUP_STDIO_FILE, path);
	run(command, 1);
	is_text(strtok(strdupa(output()), "\n"), "first", "stdin from a file");
	ok(strstr(output(), "flags:\t0100000") ||
	   strstr(output(), "flags:\t0400000"), "opened to wait, as usual");

	command = shell("cat /proc/self/fdinfo/0 | grep ^flags");
	sup_command_set_stdio(command, 0, SUP_STDIO_APPEND, path);
	sup_command_free(command);
	command = command_of("/bin/echo");
	sup_command_add_arg(command, "second");
	sup_command_set_cwd(command, dir);
	sup_command_set_stdio(command, 1, SUP_STDIO_APPEND, "in");
	run(command, 1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (read(fd, text, sizeof(text) - 1) < 0)
		abort();
	close(fd);
	is_text(text, "first\nsecond\n", "appends to a path below its cwd");

	snprintf(path, sizeof(path), "%s/fifo", dir);
	mkfifo(path, 0600);
	command = command_of("/bin/true");
	sup_command_set_stdio(command, 1, SUP_STDIO_FILE, path);
	run(command, 1);
	ok(reported(SUPERVISOR_REPORT_FAILED, ENXIO) &&
	   !strcmp(seen.step, "stdout"), "a FIFO that nobody reads");
	unlink(path);

	run(shell("ls /proc/self/fd | wc -l"), 1);
	is_text(output(), "4\n", "no descriptor of ours is passed on");
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0600);

	if (write(fd, text, strlen(text)) < 0 || fchmod(fd, mode))
		abort();
	close(fd);
}

static void test_path(void)
{
	struct sup_command *command;
	char path[96], search[256];

	snprintf(path, sizeof(path), "%s/a", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/b", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/a/tool", dir);
	write_file(path, "#!/bin/sh\n", 0600);
	snprintf(path, sizeof(path), "%s/b/tool", dir);
	write_file(path, "echo b $1\n", 0700);
	snprintf(search, sizeof(search), "/no/such:%s/in:%s/a:%s/b:/usr/bin:/bin",
		 dir, dir, dir);

	command = command_of("tool");
	sup_command_add_arg(command, "word");
	sup_command_set_env(command, "PATH", search);
	sup_command_set_stdio(command, 1, SUP_STDIO_FILE, out);
	run(command, 1);
	is_text(output(), "b word\n",
		"along the child's PATH, past what is denied, by sh");

	snprintf(search, sizeof(search), "%s/a:/no/such", dir);
	command = command_of("tool");
	sup_command_set_env(command, "PATH", search);
	run(command, 1);
	ok(reported(SUPERVISOR_REPORT_FAILED, EACCES),
	   "denied counts more than missing");

	snprintf(path, sizeof(path), "%s/b", dir);
	command = command_of("tool");
	sup_command_add_arg(command, "here");
	sup_command_set_cwd(command, path);
	sup_command_set_env(command, "PATH", "");
	sup_command_set_stdio(command, 1, SUP_STDIO_FILE, out);
	run(command, 1);
	is_text(output(), "b here\n", "an empty PATH is the cwd");
}

/* ---- sd_notify -------------------------------------------------------- */

/* As sd_notify(3) does, with a descriptor along. */
static int notify_send(const char *name, const char *text)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { { .cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = {
		.msg_name = &addr,
		.msg_namelen = (socklen_t)(sizeof(sa_family_t) + strlen(name)),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int one = 1, ret;

	memcpy(CMSG_DATA(&control.head), &one, sizeof(one));
	memcpy(addr.sun_path + 1, name + 1, strlen(name) - 1);
	ret = sendmsg(fd, &msg, 0) < 0;
	close(fd);
	return ret;
}

/* The program as a child. */
static int play(char **argv)
{
	const char *name = getenv("NOTIFY_SOCKET");

	if (!name || name[0] != '@')
		return 1;
	notify_send(name, "STATUS=starting\nREADY=10\n");
	if (!strcmp(argv[1], "grandchild")) {
		pid_t pid = fork();

		if (!pid)
			_exit(notify_send(name, "STATUS=x\nREADY=1\n"));
		sleep(1);	/* a sender must live to be known */
	} else if (notify_send(name, "READY=1")) {
		return 1;
	}
	usleep(300000);		/* so that it lives when this is read */
	return 0;
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_notify(const char *self)
{
	static const char *const how[] = { "main", "grandchild" };
	struct sup_command *command;
	int fds = open_fds();

	for (int i = 0; i < 2; i++) {
		command = command_of(self);
		sup_command_add_arg(command, how[i]);
		fake_reset();
		start(command, 1, SUPERVISOR_READINESS_NOTIFY);
		sup_command_free(command);
		settle();
		ok(fake.reports == 2 &&
		   fake.report[0].report == SUPERVISOR_REPORT_STARTED &&
		   fake.report[1].report == SUPERVISOR_REPORT_READY &&
		   fake.report[1].token == 77,
		   "READY=1 of the %s is READY, once", how[i]);
	}
	is(open_fds(), fds, "the socket and what came along are closed");
}

static void test_notify_socket(void)
{
	char variable[32];
	int fd = sup_notify_socket(variable, sizeof(variable));
	const char *name = variable + strlen("NOTIFY_SOCKET=");
	int fds = open_fds();
	pid_t pid;

	ok(fd >= 0 && name[0] == '@', "a socket with a name");
	is(notify_send(name, "X=1\nREADY=1"), 0, "takes a message");
	is(open_fds(), fds, "(a sender leaves nothing open)");
	is(sup_notify_read(fd, getpid(), false), 1, "of the process itself");
	is(open_fds(), fds, "and closes the descriptor in it");
	is(sup_notify_read(fd, getpid(), false), 0, "and has no other");
	notify_send(name, "READY=1");
	is(sup_notify_read(fd, 1, false), getppid() == 1 || getpid() == 1,
	   "of a stranger: no");
	pid = fork();
	if (!pid) {
		notify_send(name, "READY=1");
		pause();
	}
	usleep(100000);
	notify_send(name, "READY=0");
	is(sup_notify_read(fd, getpid(), false), 1, "of a child");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
}

/* ---- the loop --------------------------------------------------------- */

static void test_many(void)
{
	struct sup_command *command = command_of("/bin/true");
	int starts = 0;

	fake_reset();
	for (int i = 0; i < 300; i++) {
		start(command, 1, 0);
		if (i % 30 == 29) {
			settle();
			starts += (int)fake.reports;
			fake.reports = 0;
		}
	}
	sup_command_free(command);
	is(starts, 300, "300 are started");
	ok(!has_children(), "and reaped");
}

static void test_messages(void)
{
	struct supervisor_msg gap = { .size = sizeof(gap),
				      .type = SUPERVISOR_MSG_GAP };
	struct supervisor_msg *large = calloc(1, 200000);

	large->size = 200000;
	large->type = SUPERVISOR_MSG_ANSWER;
	memset(&seen, 0, sizeof(seen));
	fake_post(&gap, sizeof(gap));
	fake_post(large, large->size);
	fake_post(&gap, sizeof(gap));
	free(large);
	settle();
	is(seen.messages, 3, "other messages are passed on, the largest too");
}

/* A START of a nested supervisor: nothing runs, on_init is asked. */
static void init_asked(int answer)
{
	struct {
		struct supervisor_msg_start start;
		char text[8];
	} msg = { .start = {
		.head = { .size = sizeof(msg), .type = SUPERVISOR_MSG_START,
			  .flags = SUPERVISOR_MSG_F_SUPERVISOR, .ref = 77 },
		.readiness = SUPERVISOR_READINESS_NOTIFY,
		.text_offset = sizeof(msg.start),
		.blob_offset = sizeof(msg),
	} };

	fake_reset();
	memset(&seen, 0, sizeof(seen));
	seen.init = answer;
	fake_post(&msg, sizeof(msg));
	settle();
}

static void test_init(void)
{
	struct sup_spawner *asked = spawner;

	init_asked(0);
	ok(reported(SUPERVISOR_REPORT_READY, 0), "a supervisor may start");
	is(seen.inits, 1, "as on_init says, which is asked once");
	ok(!fake.attached && !has_children(), "and no process does");
	init_asked(SUP_INIT_IGNORE);
	ok(reported(SUPERVISOR_REPORT_IGNORE, 0), "it may be ignored");
	init_asked(-EACCES);
	ok(reported(SUPERVISOR_REPORT_FAILED, EACCES), "or fail");

	is(sup_spawner_new(&spawner, device, fake.mailbox, NULL), 0,
	   "a spawner that asks nobody");
	init_asked(-EACCES);
	ok(reported(SUPERVISOR_REPORT_READY, 0), "starts it");
	sup_spawner_free(spawner);
	spawner = asked;
}

static void test_end(void)
{
	SUP_OPTS(sup_spawner_opts, opts);
	struct sup_command *command = command_of("/bin/true");
	struct sup_spawner *other;
	int root[2];

	is(sup_spawner_stop(spawner), 0, "stop");
	is(sup_spawner_run(spawner), 0, "run ends");
	is(sup_spawner_step(spawner), 1, "once for each stop");

	if (pipe2(root, O_CLOEXEC))
		abort();
	opts.supervisor = root[0];
	is(sup_spawner_new(&other, device, fake.mailbox, &opts), 0,
	   "one with a supervisor");
	close(root[0]);
	is(sup_spawner_step(other), 1, "which is up");
	fake_reset();
	start(command, 1, 0);
	close(root[1]);
	is(sup_spawner_run(other), 0, "and down: run ends");
	ok(reported(SUPERVISOR_REPORT_STARTED, 0), "after the last message");
	is(sup_spawner_step(other), 0, "and so would a step");
	sup_spawner_free(other);
	while (waitpid(-1, NULL, 0) > 0)
		;
	sup_command_free(command);

	is(sup_spawner_new(&other, -1, fake.mailbox, NULL), -EBADF,
	   "no device, no spawner");
	ok(!other, "at all");
	sup_spawner_free(NULL);
}

static void test_ignored_sigchld(void)
{
	signal(SIGCHLD, SIG_IGN);
	run(command_of("/bin/true"), 1);
	ok(reported(SUPERVISOR_REPORT_STARTED, 0),
	   "a process that ignores SIGCHLD starts children, too");
	signal(SIGCHLD, SIG_DFL);
}

static void test_raised_files(void)
{
	SUP_OPTS(sup_spawner_opts, opts, .raise_files = 1);
	struct sup_spawner *usual = spawner;
	struct rlimit before, lowered, raised;
	struct sup_command *command;
	char want[64];

	getrlimit(RLIMIT_NOFILE, &before);
	lowered = before;
	lowered.rlim_cur = 300;
	setrlimit(RLIMIT_NOFILE, &lowered);
	is(sup_spawner_new(&spawner, device, fake.mailbox, &opts), 0,
	   "a spawner that needs many files");
	getrlimit(RLIMIT_NOFILE, &raised);
	ok(raised.rlim_cur == before.rlim_max &&
	   raised.rlim_max == before.rlim_max, "may have as many as can be");
	run(shell("ulimit -Sn; ulimit -Hn"), 1);
	snprintf(want, sizeof(want), "300\n%llu\n",
		 (unsigned long long)before.rlim_max);
	is_text(output(), want, "its children may not");
	command = shell("ulimit -Sn");
	sup_command_set_rlimit(command, RLIMIT_NOFILE, 400, before.rlim_max);
	run(command, 1);
	is_text(output(), "400\n", "unless their command says so");
	sup_spawner_free(spawner);
	spawner = usual;
	run(shell("ulimit -Sn"), 1);
	snprintf(want, sizeof(want), "%llu\n",
		 (unsigned long long)before.rlim_max);
	is_text(output(), want, "others have what their spawner's process has");
	setrlimit(RLIMIT_NOFILE, &before);
}

static void no_fork(void)
{
	struct rlimit none = { 0, 0 }, old;

	getrlimit(RLIMIT_NPROC, &old);
	if (setrlimit(RLIMIT_NPROC, &none) || !geteuid()) {
		setrlimit(RLIMIT_NPROC, &old);
		ok(1, "a fork that fails # SKIP root forks all the same");
		return;
	}
	run(command_of("/bin/true"), 1);
	ok(reported(SUPERVISOR_REPORT_FAILED, EAGAIN) &&
	   !strcmp(seen.step, "fork"), "a fork that fails");
}

static void clean(void)
{
	static const char *const left[] = {
		"a/tool", "a", "b/tool", "b", "in", "out", ""
	};
	char path[96];

	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, left[i]);
		remove(path);
	}
}

int main(int argc, char **argv)
{
	SUP_OPTS(sup_spawner_opts, opts, .on_fail = on_fail,
		 .on_message = on_message, .on_init = on_init,
		 .context = &seen);
	char self[256] = "";

	if (argc > 1)
		return play(argv);
	syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 ||
	    !mkdtemp(dir))
		return 1;
	snprintf(out, sizeof(out), "%s/out", dir);
	setenv("NOTIFY_SOCKET", "@ours", 1);
	setenv("WATCHDOG_USEC", "1", 1);
	setenv("KEPT", "yes", 1);
	device = open("/dev/null", O_RDWR | O_CLOEXEC);
	signal(SIGUSR1, SIG_IGN);
	fake_init();
	is(sup_spawner_new(&spawner, device, fake.mailbox, &opts), 0,
	   "a spawner");

	errno = 0;
	test_start();
	test_exec_failure();
	test_attach_failure();
	test_bad_blob();
	test_signals();
	test_surroundings();
	test_ids();
	test_stdio();
	test_path();
	test_notify(self);
	test_notify_socket();
	test_many();
	test_messages();
	test_init();
	test_end();
	test_ignored_sigchld();
	test_raised_files();
	no_fork();
	sup_spawner_free(spawner);
	clean();
	return tap_end();
}
