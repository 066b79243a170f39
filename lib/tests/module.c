// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * module.c - the library against the module: every call once, and the spawner
 * with real trees. Runs where /dev/supervisor is; skips all elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "live.h"
#include "tap.h"

/* A root with its spawner in a thread of its own, and its events. */
struct tree {
	int root;
	int mailbox;
	int events;
	struct sup_spawner *spawner;
	pthread_t thread;
	int ended;		/* what sup_spawner_run() said */
	char step[16];		/* the last that failed */
};

static void on_fail(void *context, const struct supervisor_msg *start,
		    const char *step, int error)
{
	struct tree *tree = context;

	(void)start;
	(void)error;
	snprintf(tree->step, sizeof(tree->step), "%s", step);
}

static void *spawner_main(void *context)
{
	struct tree *tree = context;

	tree->ended = sup_spawner_run(tree->spawner);
	return NULL;
}

static void tree_init(struct tree *tree, const struct sup_create_opts *create)
{
	SUP_OPTS(sup_spawner_opts, opts, .on_fail = on_fail, .context = tree);

	memset(tree, 0, sizeof(*tree));
	tree->mailbox = sup_mailbox_create(device, 0, NULL);
	tree->events = sup_mailbox_create(device, 0, NULL);
	tree->root = sup_create(device, tree->mailbox, create, NULL);
	opts.supervisor = tree->root;
	if (tree->root < 0 ||
	    sup_subscribe(tree->root, tree->events, NULL) ||
	    sup_spawner_new(&tree->spawner, device, tree->mailbox, &opts) ||
	    pthread_create(&tree->thread, NULL, spawner_main, tree)) {
		printf("Bail out! mailboxes %d, %d, supervisor %d\n",
		       tree->mailbox, tree->events, tree->root);
		exit(1);
	}
}

static void tree_end(struct tree *tree)
{
	uint32_t down = 99;

	sup_stop(tree->root, SUPERVISOR_EXIT_NORMAL, SECONDS(20));
	is(sup_wait_down(tree->root, SECONDS(20), NULL, &down), 0, "is down");
	pthread_join(tree->thread, NULL);
	is(tree->ended, 0, "which ends the spawner");
	sup_spawner_free(tree->spawner);
	ok(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD,
	   "and it leaves nobody");
	close(tree->root);
	close(tree->mailbox);
	close(tree->events);
}

/* Adds a child that runs @argv; what sup_child_add() says. */
static int add(struct tree *tree, const char *id, struct sup_child_opts *opts,
	       struct sup_result *result, char *const argv[])
{
	SUP_OPTS(sup_child_opts, defaults);
	struct sup_command *command;
	int ret;

	if (sup_command_new(&command))
		abort();
	for (; *argv; argv++)
		sup_command_add_arg(command, *argv);
	if (!opts)
		opts = &defaults;
	opts->command = command;
	ret = sup_child_add(tree->root, id, opts, SECONDS(20), result);
	sup_command_free(command);
	return ret;
}

#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })
#define SLEEP ARGV("sleep", "1000")

/* The state of one child, by a look. */
static struct supervisor_child_status look(struct tree *tree, const char *id)
{
	struct supervisor_status status = { .size = sizeof(status) };
	struct supervisor_child_status found = { .size = 0 };
	const struct supervisor_child_status *child = NULL;
	struct sup_children *children;

	if (sup_status(tree->root, &status, &children))
		return found;
	while ((child = sup_children_next(children, child)))
		if (!strcmp(sup_children_id(child), id))
			found = *child;
	sup_children_free(children);
	return found;
}

/* The next event of this kind, past others. */
static struct supervisor_msg_event event(struct tree *tree, uint32_t kind)
{
	static _Alignas(8) char buf[4096];
	const struct supervisor_msg_event *got;
	size_t len;

	for (;;) {
		len = sizeof(buf);
		if (sup_mailbox_recv(tree->events, buf, &len, 1,
				     SECONDS(20)) != 1)
			return (struct supervisor_msg_event){ .event = 0 };
		got = sup_msg_event(sup_msg_next(buf, len, NULL));
		if (got && got->event == kind)
			return *got;
	}
}

/* ---- tests ------------------------------------------------------------ */

static void test_info(void)
{
	struct supervisor_info info = { .size = sizeof(info) };

	is(sup_info(device, &info), 0, "info");
	is(info.out_abi, SUPERVISOR_ABI, "the ABI that we know");
	info.size = 4;
	is(sup_info(device, &info), -EINVAL, "a struct too short");
	is(sup_info(0, &info) == -ENOTTY || sup_info(0, &info) == -EINVAL, 1,
	   "not the device");
}

/* Does a process find all signals as a new program expects them? */
static bool signals_reset(pid_t pid)
{
	static const char expected[] = "SigBlk:\t0000000000000000\n"
				       "SigIgn:\t0000000000000000\n"
				       "SigCgt:\t0000000000000000\n";
	char path[32], text[4096];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	return strstr(text, expected);
}

static void on_signal(int sig)
{
	(void)sig;
}

static void test_tree(void)
{
	struct supervisor_status status = { .size = sizeof(status) };
	const struct supervisor_child_status *first, *second;
	struct supervisor_count count;
	struct sup_children *children;
	struct tree tree;
	pid_t pid;

	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, on_signal);
	tree_init(&tree, NULL);
	is(add(&tree, "a", NULL, NULL, SLEEP), 0, "a spec");
	is(add(&tree, "b", NULL, NULL, SLEEP), 0, "another");
	is(sup_start(tree.root, SECONDS(20), NULL, NULL), 0, "start");
	is(sup_start(tree.root, SECONDS(20), NULL, NULL), -EBUSY, "only once");

	is(sup_which_children(tree.root, SECONDS(20), &children), 0,
	   "which_children");
	first = sup_children_next(children, NULL);
	second = sup_children_next(children, first);
	ok(first && second && !strcmp(sup_children_id(first), "b") &&
	   !strcmp(sup_children_id(second), "a") && !sup_children_next(children, second),
	   "in reverse order");
	pid = second->pid;
	ok(getpgid(pid) == pid && getsid(pid) == pid, "each leads a session");
	ok(signals_reset(pid), "no signal is blocked, ignored or caught there");
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	sup_children_free(children);
	is(sup_count_children(tree.root, SECONDS(20), &count), 0, "count");
	ok(count.specs == 2 && count.active == 2 && count.workers == 2 &&
	   !count.supervisors, "two workers");
	is(sup_status(tree.root, &status, NULL), 0, "status, of itself alone");
	ok(status.out_state == SUPERVISOR_STATE_UP && status.out_count == 2 &&
	   status.out_intensity == 3 && status.out_period == 5,
	   "up, with Elixir's defaults");

	is(event(&tree, SUPERVISOR_EVENT_UP).event, SUPERVISOR_EVENT_UP, "UP");
	kill(pid, SIGKILL);
	is(event(&tree, SUPERVISOR_EVENT_EXITED).reason,
	   SUPERVISOR_EXIT_KILLED, "one is killed");
	is(event(&tree, SUPERVISOR_EVENT_STARTED).head.incarnation, 2,
	   "and starts again");
	is(sup_wait_idle(tree.root, SECONDS(20)), 0, "then all is idle");
	ok(look(&tree, "a").pid != pid && look(&tree, "a").pid > 0,
	   "with another process");
	is(sup_wait_down(tree.root, 0, NULL, NULL), -EAGAIN, "it is not down");
	is(sup_wait_down(tree.root, sup_deadline_in(10), NULL, NULL),
	   -ETIMEDOUT, "nor in 10 ms");
	tree_end(&tree);
	is(sup_stop_async(tree.root, 0), -EBADF, "(its file is closed)");
}

static void test_start_failure(void)
{
	SUP_OPTS(sup_result, result);
	char failed[SUP_ID_SIZE];
	struct tree tree;

	tree_init(&tree, NULL);
	add(&tree, "a", NULL, NULL, SLEEP);
	add(&tree, "bad", NULL, NULL, ARGV("no-such-program"));
	is(sup_start(tree.root, SECONDS(20), &result, failed), -ECHILD,
	   "a program that is not there");
	is(result.error, ENOENT, "is ENOENT");
	is_text(failed, "bad", "of that child");
	is_text(tree.step, "exec", "in exec");
	ok(look(&tree, "a").pid == 0, "the other was stopped");
	tree_end(&tree);
}

static void test_calls(void)
{
	SUP_OPTS(sup_result, result);
	SUP_OPTS(sup_child_opts, opts, .restart = SUPERVISOR_TRANSIENT,
		 .stop_signal = SIGINT, .shutdown_ms = 1234);
	SUP_OPTS(sup_child_opts, got);
	struct sup_command *command;
	struct tree tree;
	void *memory;

	tree_init(&tree, NULL);
	sup_start(tree.root, SECONDS(20), NULL, NULL);
	is(add(&tree, "w", &opts, &result, SLEEP), 0, "start_child");
	ok(result.result == SUPERVISOR_RESULT_OK && result.pid > 0 &&
	   result.id, "says who");
	is(add(&tree, "w", &opts, &result, SLEEP), -EEXIST, "not twice");
	ok(result.result == SUPERVISOR_RESULT_ALREADY_STARTED &&
	   result.pid == look(&tree, "w").pid, "already_started, by whom");
	is(sup_child_restart(tree.root, "w", SECONDS(20), &result), -EBUSY,
	   "restart_child of one that runs");
	is(result.result, SUPERVISOR_RESULT_RUNNING, "says running");
	is(sup_child_terminate(tree.root, "w", SECONDS(20), &result), 0,
	   "terminate_child");
	is(look(&tree, "w").last_status, SIGINT, "by its stop signal");
	is(sup_child_restart(tree.root, "w", SECONDS(20), &result), 0,
	   "restart_child");
	is(result.pid, look(&tree, "w").pid, "says who");
	is(sup_child_terminate(tree.root, "x", SECONDS(20), &result), -ENOENT,
	   "one that is not there");
	is(result.result, SUPERVISOR_RESULT_NOT_FOUND, "is not_found");

	is(sup_child_get_spec(tree.root, "w", SECONDS(20), &got, &memory), 0,
	   "get_childspec");
	ok(got.restart == SUPERVISOR_TRANSIENT && got.stop_signal == SIGINT &&
	   got.shutdown_ms == 1234 &&
	   got.signal_whom == SUPERVISOR_SIGNAL_GROUP, "as it was given");
	is(sup_command_decode(got.blob, got.blob_len, &command), 0,
	   "its blob is a command");
	is_text(sup_command_argv(command)[1], "1000", "the same");
	sup_command_free(command);
	free(memory);

	opts.restart = 7;
	is(add(&tree, "v", &opts, &result, SLEEP), -EINVAL, "a bad spec");
	is(result.invalid, SUPERVISOR_INVALID_RESTART_TYPE, "is named");
	is(add(&tree, "v", NULL, &result, ARGV("/no/such")), -ECHILD,
	   "a start that fails");
	is(result.error, ENOENT, "says why");
	is(sup_suspend(tree.root, 0, SECONDS(20)), 0, "suspend");
	is(sup_child_terminate(tree.root, "w", sup_deadline_in(50), NULL),
	   -ETIMEDOUT, "decides nothing");
	is(sup_resume(tree.root, 0), 0, "resume");
	is(sup_wait_idle(tree.root, SECONDS(20)), 0, "idle");
	sup_child_terminate(tree.root, "w", SECONDS(20), NULL);
	is(sup_child_delete(tree.root, "w", SECONDS(20), NULL), 0,
	   "delete_child");
	tree_end(&tree);
}

/* The answer with this cookie: the first that comes. */
static const struct supervisor_msg *answer(int mailbox, uint64_t cookie)
{
	static _Alignas(8) char buf[16384];
	const struct supervisor_msg *msg;
	size_t len = sizeof(buf);

	if (sup_mailbox_recv(mailbox, buf, &len, 1, SECONDS(20)) != 1) {
		printf("Bail out! no answer %d\n", (int)cookie);
		exit(1);
	}
	msg = sup_msg_next(buf, len, NULL);
	ok(sup_msg_answer(msg) && msg->ref == cookie, "answer %d",
	   (int)cookie);
	return msg;
}

static void test_async(void)
{
	SUP_OPTS(sup_child_opts, opts);
	const struct supervisor_child_status *child;
	const struct supervisor_msg *msg;
	struct sup_command *command;
	struct tree tree;
	int answers = sup_mailbox_create(device, 0, NULL);

	tree_init(&tree, NULL);
	sup_start_async(tree.root);
	is(sup_wait_idle(tree.root, SECONDS(20)), 0, "start, and wait");
	sup_command_new(&command);
	sup_command_add_arg(command, "sleep");
	sup_command_add_arg(command, "1000");
	opts.command = command;
	is(sup_child_add_async(tree.root, "w", &opts, SECONDS(20), answers, 1,
			       NULL), 0, "start_child");
	is(sup_which_children_async(tree.root, SECONDS(20), answers, 2, 8192),
	   0, "which_children");
	is(sup_count_children_async(tree.root, SECONDS(20), answers, 3), 0,
	   "count_children");
	is(sup_child_get_spec_async(tree.root, "w", SECONDS(20), answers, 4,
				    8192), 0, "get_childspec");
	is(sup_child_terminate_async(tree.root, "w", SECONDS(20), answers, 5),
	   0, "terminate_child");
	is(sup_child_restart_async(tree.root, "w", SECONDS(20), answers, 6), 0,
	   "restart_child");
	is(sup_child_delete_async(tree.root, "w", SECONDS(20), answers, 7), 0,
	   "delete_child");
	sup_command_free(command);

	is(sup_msg_answer(answer(answers, 1))->result, SUPERVISOR_RESULT_OK,
	   "ok");
	msg = answer(answers, 2);
	child = sup_msg_child_next(msg, NULL);
	ok(child && !strcmp(sup_children_id(child), "w") &&
	   !sup_msg_child_next(msg, child), "one child");
	msg = answer(answers, 3);
	ok(sup_msg_count(msg) && sup_msg_count(msg)->active == 1, "one active");
	msg = answer(answers, 4);
	ok(!sup_msg_spec(msg, &opts) && opts.shutdown_ms == 5000, "the spec");
	is(sup_msg_answer(answer(answers, 5))->result, SUPERVISOR_RESULT_OK,
	   "ok");
	is(sup_msg_answer(answer(answers, 6))->result, SUPERVISOR_RESULT_OK,
	   "ok");
	is(sup_msg_answer(answer(answers, 7))->result,
	   SUPERVISOR_RESULT_RUNNING, "running");
	close(answers);
	tree_end(&tree);
}

/* A zombie is: whose child it has become reaps it when it likes. */
static int is_dead(pid_t pid)
{
	char path[32], stat[256] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 1;
	if (read(fd, stat, sizeof(stat) - 1) < 0)
		stat[0] = '\0';
	close(fd);
	return !stat[0] || strstr(stat, ") Z ") || strstr(stat, ") X ");
}

static void test_group(void)
{
	char path[] = "/tmp/module_test.XXXXXX", script[128], text[32] = "";
	struct tree tree;
	int fd = mkstemp(path);
	pid_t other;

	snprintf(script, sizeof(script),
		 "sleep 1000 & echo $! >>%s; exec sleep 1001", path);
	tree_init(&tree, NULL);
	add(&tree, "a", NULL, NULL, ARGV("sh", "-c", script));
	sup_start(tree.root, SECONDS(20), NULL, NULL);
	while (read(fd, text, sizeof(text) - 1) <= 0)
		usleep(10000);
	other = atoi(text);
	is(kill(other, 0), 0, "a child has a helper in its group");
	kill(look(&tree, "a").pid, SIGKILL);
	while (event(&tree, SUPERVISOR_EVENT_STARTED).head.incarnation == 1)
		;
	/* sent before the start; dying takes a moment of its own */
	for (int i = 0; i < 500 && !is_dead(other); i++)
		usleep(10000);
	ok(is_dead(other), "which is killed as it dies");
	tree_end(&tree);
	close(fd);
	unlink(path);
}

static void test_notify(void)
{
	SUP_OPTS(sup_result, result);
	SUP_OPTS(sup_child_opts, opts, .restart = SUPERVISOR_TEMPORARY,
		 .readiness = SUPERVISOR_READINESS_NOTIFY,
		 .start_timeout_ms = 15000);
	uint64_t before;
	struct tree tree;

	tree_init(&tree, NULL);
	sup_start(tree.root, SECONDS(20), NULL, NULL);
	before = sup_deadline_in(0);
	is(add(&tree, "sd", &opts, NULL, ARGV(self, "sd")), 0,
	   "sd_notify's READY=1");
	ok(sup_deadline_in(0) - before >= 200000000, "is waited for");
	before = sup_deadline_in(0);
	is(add(&tree, "own", &opts, NULL, ARGV(self, "own")), 0,
	   "sup_notify_ready()");
	ok(sup_deadline_in(0) - before >= 200000000, "is waited for");
	is(add(&tree, "mute", &opts, &result, ARGV("true")), -ECHILD,
	   "an exit before is a start error");
	opts.start_timeout_ms = 100;
	is(add(&tree, "slow", &opts, &result, SLEEP), -ECHILD,
	   "and so is taking too long");
	is(result.error, ETIMEDOUT, "which is ETIMEDOUT");
	is(sup_notify_ready(), -ESRCH, "we are nobody's child");
	signal(SIGUSR1, SIG_IGN);
	is(sup_reset_signals(-1), -EBADF, "no device, no signals reset");
	is(sup_reset_signals(device), 0, "signals are reset");
	ok(signal(SIGUSR1, SIG_DFL) == SIG_DFL, "to their default actions");
	tree_end(&tree);
}

static void test_user(void)
{
	SUP_OPTS(sup_child_opts, opts);
	struct sup_command *command;
	struct tree tree;

	tree_init(&tree, NULL);
	sup_start(tree.root, SECONDS(20), NULL, NULL);
	sup_command_new(&command);
	sup_command_add_arg(command, "sleep");
	sup_command_add_arg(command, "1000");
	sup_command_set_user(command, "nobody");
	opts.command = command;
	is(sup_child_add(tree.root, "n", &opts, SECONDS(20), NULL), 0,
	   "a child of another user");
	sup_command_free(command);
	is(sup_child_terminate(tree.root, "n", SECONDS(20), NULL), 0,
	   "is stopped, too");
	tree_end(&tree);
}

static void test_names(void)
{
	SUP_OPTS(sup_create_opts, opts, .name = "/module_test", .mode = 0640);
	SUP_OPTS(sup_child_opts, child);
	SUP_OPTS(sup_result, result);
	const struct supervisor_name_entry *entry = NULL;
	struct sup_names *names;
	struct tree tree;
	int fd, inner, found = 0;

	tree_init(&tree, &opts);
	inner = sup_create(device, -1, NULL, NULL);
	ok(inner >= 0, "a supervisor to be a child");
	child.supervisor = inner;
	is(sup_child_add(tree.root, "nested", &child, SECONDS(20), NULL), 0,
	   "becomes one");
	close(inner);
	is(sup_stop(tree.root, 0, SECONDS(1)), -EBUSY,
	   "what has not started is not stopped");
	is(sup_start(tree.root, SECONDS(20), NULL, NULL), 0, "start");
	fd = sup_open_child(tree.root, "nested", O_RDWR, &result);
	ok(fd >= 0 && result.id, "is opened by its path");
	close(fd);
	is(sup_open_child(tree.root, "none", O_RDWR, NULL), -ENOENT,
	   "or not, when there is none");

	fd = sup_open(device, "/module_test", O_RDONLY, &result);
	ok(fd >= 0 && result.id, "a root is opened by its name");
	is(sup_stop(fd, 0, SECONDS(1)), -EBADF, "for reading only");
	close(fd);
	is(sup_list(device, &names), 0, "list");
	while ((entry = sup_names_next(names, entry)))
		found += !strcmp(sup_names_name(entry), "/module_test") &&
			 entry->mode == 0640 && entry->id == result.id &&
			 entry->owner_pid == getpid();
	is(found, 1, "it is listed");
	sup_names_free(names);
	is(sup_own(tree.root), 0, "own");
	is(sup_unlink(device, "/module_test"), 0, "unlink");
	is(sup_open(device, "/module_test", O_RDONLY, NULL), -ENOENT,
	   "then the name is free");
	sup_stop_async(tree.root, 0);
	tree_end(&tree);
}

/* A process that owns a tree of one child and starts it, in one thread. */
static pid_t owner(void)
{
	SUP_OPTS(sup_mailbox_opts, survives, .survive = 1);
	SUP_OPTS(sup_create_opts, held, .name = "/module_adopt",
		 .owner_death = SUPERVISOR_OWNER_DEATH_HOLD, .hold_ms = 60000);
	struct tree tree = { .ended = -1 };
	pid_t pid = fork();

	if (pid)
		return pid;
	tree.mailbox = sup_mailbox_create_with(device, &survives, NULL);
	tree.root = sup_create(device, tree.mailbox, &held, NULL);
	if (!add(&tree, "a", NULL, NULL, SLEEP) &&
	    !sup_spawner_new(&tree.spawner, device, tree.mailbox, NULL) &&
	    !sup_start_async(tree.root))
		sup_spawner_run(tree.spawner);
	_exit(1);
}

/* Looks until the child of an incarnation runs: its process, or 0. */
static pid_t runs(struct tree *tree, uint32_t incarnation)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	struct supervisor_child_status child;
	uint64_t until = SECONDS(20);

	do {
		child = look(tree, "a");
		if (child.incarnation == incarnation &&
		    child.state == SUPERVISOR_CHILD_RUNNING)
			return child.pid;
		nanosleep(&pause, NULL);
	} while (sup_deadline_in(0) < until);
	return 0;
}

/* All that an adopter needs is in the requests. */
static void test_adopt(void)
{
	struct supervisor_status status = { .size = sizeof(status) };
	SUP_OPTS(sup_create_opts, wrong, .name = "/module_adopt",
		 .owner_death = SUPERVISOR_OWNER_DEATH_HOLD, .hold_ms = 1000);
	const struct timespec pause = { .tv_nsec = 10000000 };
	SUP_OPTS(sup_spawner_opts, opts);
	uint64_t until = SECONDS(20);
	struct tree tree = { .step = "" };
	pid_t pid, child;

	is(sup_create(device, -1, &wrong, NULL), -EINVAL,
	   "what is to be held needs a mailbox");
	wrong.hold_ms = 0;
	wrong.owner_death = SUPERVISOR_OWNER_DEATH_SHUTDOWN;
	wrong.reserved = 1;
	is(sup_create(device, -1, &wrong, NULL), -EINVAL,
	   "reserved is reserved");

	pid = owner();
	do {
		nanosleep(&pause, NULL);
		tree.root = sup_open(device, "/module_adopt", O_RDWR, NULL);
	} while (tree.root == -ENOENT && sup_deadline_in(0) < until);
	child = runs(&tree, 1);
	ok(child, "the owner's child runs");
	is(sup_adopt(tree.root), -EBUSY, "the owner lives");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tree.mailbox = sup_adopt(tree.root);
	ok(tree.mailbox >= 0, "it is adopted as soon as the owner is dead");
	is(sup_adopt(tree.root), -EBUSY, "by one");
	is(sup_status(tree.root, &status, NULL), 0, "status");
	ok(status.out_owner_pid == getpid() && status.out_hold_ms == 60000 &&
	   !status.out_hold_until_ns, "whose it is now");
	is(look(&tree, "a").pid, child, "the child has not noticed");

	opts.supervisor = tree.root;
	tree.events = sup_mailbox_create(device, 0, NULL);
	is(sup_spawner_new(&tree.spawner, device, tree.mailbox, &opts), 0,
	   "a spawner for what it asks");
	is(pthread_create(&tree.thread, NULL, spawner_main, &tree), 0,
	   "in a thread");
	kill(child, SIGKILL);
	ok(runs(&tree, 2), "the child is started by its blob alone");
	tree_end(&tree);
}

/* A small program in memory: the guest's root file system is slow. */
static int pause_copy(const char *path)
{
	char from[sizeof(self) + 8], buf[4096];
	int in, out;
	ssize_t n;

	snprintf(from, sizeof(from), "%s_pause", self);
	in = open(from, O_RDONLY | O_CLOEXEC);
	out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	if (in < 0 || out < 0)
		return -1;
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			return -1;
	close(in);
	close(out);
	return 0;
}

/* Starts of many children: what it takes beside forking and execing them. */
static void test_speed(void)
{
	char path[] = "/tmp/module_pause";
	SUP_OPTS(sup_child_opts, opts, .restart = SUPERVISOR_TEMPORARY);
	struct tree tree;
	uint64_t begin, bare, supervised;
	char id[16];
	pid_t pids[200];
	volatile int failed = 0;	/* vfork() might lose it else */
	int n = 200;

	if (pause_copy(path)) {
		ok(1, "speed # SKIP no %s_pause", self);
		return;
	}
	begin = sup_deadline_in(0);
	for (int i = 0; i < n; i++) {
		pid_t pid = vfork();

		if (!pid) {
			execl(path, path, NULL);
			_exit(127);
		}
		pids[i] = pid;
	}
	bare = (sup_deadline_in(0) - begin) / (uint64_t)n;
	for (int i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	tree_init(&tree, NULL);
	for (int i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "%d", i);
		failed += !!add(&tree, id, &opts, NULL, ARGV(path));
	}
	begin = sup_deadline_in(0);
	is(failed, 0, "200 specs");
	is(sup_start(tree.root, SECONDS(500), NULL, NULL), 0, "200 children");
	supervised = (sup_deadline_in(0) - begin) / (uint64_t)n;
	printf("# bare %llu us, supervised %llu us a child\n",
	       (unsigned long long)bare / 1000,
	       (unsigned long long)supervised / 1000);
	tree_end(&tree);
	unlink(path);
}

/* ---- a child's name in a registry --------------------------------------- */

static void test_registered(void)
{
	int registry = sup_registry_create(device, NULL, NULL);
	SUP_OPTS(sup_child_opts, opts, .registry = registry, .key = "web",
		 .key_len = 3, .value = "8080", .value_len = 4);
	const struct supervisor_child_status *child;
	struct supervisor_status status = { .size = sizeof(status) };
	SUP_OPTS(sup_child_opts, got);
	SUP_OPTS(sup_result, result);
	struct sup_children *children;
	char failed[SUP_ID_SIZE];
	struct tree tree;
	void *memory;
	size_t len;

	tree_init(&tree, NULL);
	sup_start(tree.root, SECONDS(20), NULL, NULL);
	is(add(&tree, "w", &opts, &result, SLEEP), 0, "a child with a key");
	is(sup_whereis(registry, "web", 3), result.pid, "has it");
	is(add(&tree, "v", &opts, &result, SLEEP), -ECHILD, "another one");
	ok(result.error == EEXIST && result.pid == look(&tree, "w").pid,
	   "does not, and is told who has");
	is(sup_child_get_spec(tree.root, "w", SECONDS(20), &got, &memory), 0,
	   "its spec");
	ok(got.registry == -1 && got.key_len == 3 &&
	   !memcmp(got.key, "web", 3) && got.value_len == 4 &&
	   !memcmp(got.value, "8080", 4), "says what it is registered with");
	free(memory);
	is(sup_status(tree.root, &status, &children), 0, "its status");
	child = sup_children_next(children, NULL);
	ok(child && child->registry &&
	   !memcmp(sup_children_key(child, &len), "web", 3) && len == 3,
	   "likewise");
	sup_children_free(children);
	opts.key_len = SUPERVISOR_KEY_MAX + 1;
	is(add(&tree, "u", &opts, &result, SLEEP), -EMSGSIZE, "too long a key");
	is(result.max, SUPERVISOR_KEY_MAX, "says how long one may be");
	opts.key_len = 3;
	tree_end(&tree);
	is(sup_whereis(registry, "web", 3), -ENOENT, "and nobody has it any more");

	is(sup_register(registry, "web", 3, NULL, 0, -1, NULL), 0,
	   "somebody else does");
	tree_init(&tree, NULL);
	add(&tree, "w", &opts, NULL, SLEEP);
	is(sup_start(tree.root, SECONDS(20), &result, failed), -ECHILD,
	   "the tree does not start");
	ok(result.error == EEXIST && result.pid == getpid() &&
	   !strcmp(failed, "w"), "and says which, and who has it");
	tree_end(&tree);
	close(registry);
}

/* ---- as a child ------------------------------------------------------- */

static int play(const char *how)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *name = getenv("NOTIFY_SOCKET");
	int fd;

	usleep(200000);
	if (!strcmp(how, "own")) {
		if (sup_notify_ready())
			return 1;
		pause();
	}
	if (!name)
		return 1;
	memcpy(addr.sun_path + 1, name + 1, strlen(name) - 1);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&addr,
		   (socklen_t)(sizeof(sa_family_t) + strlen(name))) != 7)
		return 1;
	pause();
	return 0;
}

/* A number of words, which is that of the process's command line. */
static bool cmdline_is(pid_t pid, const char *words, size_t len)
{
	char path[64], line[256];
	size_t got;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	got = fread(line, 1, sizeof(line), file);
	fclose(file);
	return got == len && !memcmp(line, words, len);
}

#define RUNS(pid, words) cmdline_is((pid), (words), sizeof(words))

static void test_dynamic(void)
{
	static const char *const args[] = { "1000", NULL };
	SUP_OPTS(sup_child_opts, template, .restart = SUPERVISOR_TRANSIENT);
	SUP_OPTS(sup_create_opts, create, .kind = SUPERVISOR_SIMPLE,
		 .max_children = 2, .child = &template, .child_id = "job");
	SUP_OPTS(sup_dynamic_opts, opts, .args = args);
	SUP_OPTS(sup_child_opts, got);
	SUP_OPTS(sup_result, one);
	SUP_OPTS(sup_result, two);
	struct supervisor_status status = { .size = sizeof(status) };
	struct sup_children *children;
	struct sup_command *command;
	uint64_t cursor = 0;
	struct tree tree;
	void *memory;

	if (sup_command_new(&command))
		abort();
	sup_command_add_arg(command, "sleep");
	template.command = command;
	tree_init(&tree, &create);
	sup_command_free(command);
	is(sup_start(tree.root, SECONDS(20), NULL, NULL), 0, "start of a dynamic one");
	is(sup_dynamic_start(tree.root, &opts, SECONDS(20), &one), 0, "a child");
	ok(one.id && RUNS(one.pid, "sleep\0001000"), "with the words that came with it");
	is(sup_dynamic_start(tree.root, &opts, SECONDS(20), &two), 0, "another");
	is(sup_dynamic_start(tree.root, &opts, SECONDS(20), NULL), -EUSERS,
	   "and no more");
	ok(two.id > one.id && two.pid != one.pid, "each is one of its own");

	kill(one.pid, SIGKILL);
	for (int i = 0; i < 3; i++)
		is(event(&tree, SUPERVISOR_EVENT_STARTED).event,
		   SUPERVISOR_EVENT_STARTED, "a start");
	is(sup_status(tree.root, &status, &children), 0, "status with children");
	is(sup_children_next(children, NULL)->incarnation, 2, "one started again");
	ok(RUNS(sup_children_next(children, NULL)->pid, "sleep\0001000"),
	   "with the same words");
	is(status.out_count, 2, "status has both");
	sup_children_free(children);
	is(sup_dynamic_which(tree.root, SECONDS(20), &cursor, &children), 0,
	   "which_children, a page");
	ok(!cursor && sup_children_next(children, NULL)->id == one.id,
	   "has all, in the order of their coming");
	sup_children_free(children);
	status.cursor = one.id;
	is(sup_dynamic_status(tree.root, &status, &children), 0,
	   "a page that does not wait");
	ok(!status.cursor && status.out_count == 1 &&
	   sup_children_next(children, NULL)->id == two.id,
	   "of those behind a number");
	sup_children_free(children);
	is(sup_which_children(tree.root, SECONDS(20), &children), 0, "or all pages");
	sup_children_free(children);
	is(sup_dynamic_get_spec(tree.root, two.id, SECONDS(20), &got, &memory), 0,
	   "its spec");
	is(got.restart, SUPERVISOR_TRANSIENT, "is the template");
	free(memory);
	is(sup_dynamic_terminate(tree.root, one.id, 1, SECONDS(20), NULL), 0,
	   "the run before need not be terminated");
	is(sup_dynamic_terminate(tree.root, one.id, 2, SECONDS(20), NULL), 0,
	   "this one is");
	is(sup_dynamic_terminate_pid(tree.root, two.pid, SECONDS(20), NULL), 0,
	   "the other, by its process");
	is(sup_status(tree.root, &status, NULL), 0, "status");
	is(status.out_count, 0, "none is left");
	is(sup_dynamic_join(tree.root, 0, SECONDS(20), NULL), -EINVAL,
	   "its children do not join");
	tree_end(&tree);
}

/* Joins, and exits with what that came to. */
static int join_in_child(int supervisor)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(-sup_dynamic_join(supervisor, 0, SECONDS(20), NULL));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

static void test_join(void)
{
	SUP_OPTS(sup_child_opts, template, .restart = SUPERVISOR_TEMPORARY,
		 .signal_whom = SUPERVISOR_SIGNAL_PROCESS);
	SUP_OPTS(sup_create_opts, create, .kind = SUPERVISOR_DYNAMIC,
		 .spawn = SUPERVISOR_SPAWN_SELF, .child = &template,
		 .child_id = "task");
	SUP_OPTS(sup_dynamic_opts, nameless, .child = &template);
	int pool = sup_create(device, -1, &create, NULL);

	ok(pool >= 0, "one whose children join");
	is(join_in_child(pool), -ESHUTDOWN, "nobody joins before it has started");
	is(sup_start(pool, SECONDS(20), NULL, NULL), 0, "it needs no spawner");
	is(join_in_child(pool), 0, "a process joins");
	is(sup_dynamic_join(pool, 0, SECONDS(20), NULL), -EDEADLK, "not its owner");
	is(sup_dynamic_start(pool, NULL, SECONDS(20), NULL), -EINVAL,
	   "none is started");
	is(sup_dynamic_start(pool, &nameless, SECONDS(20), NULL), -EINVAL,
	   "nor one whose spec has no id");
	is(sup_stop(pool, SUPERVISOR_EXIT_NORMAL, SECONDS(20)), 0, "stop");
	close(pool);
}

int main(int argc, char **argv)
{
	int status;

	if (argc > 1)
		return play(argv[1]);
	status = live_begin();
	if (status)
		return status;
	test_info();
	test_tree();
	test_start_failure();
	test_calls();
	test_dynamic();
	test_join();
	test_async();
	test_group();
	test_notify();
	test_user();
	test_names();
	test_registered();
	test_adopt();
	test_speed();
	return tap_end();
}
