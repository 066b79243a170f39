// SPDX-License-Identifier: GPL-2.0
/*
 * Plays a task scenario with the library's tasks, line by line. Their owner is a
 * process of its own, which may die of them and says what came of each line before;
 * the tasks do what it tells them in memory that they share.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "replay.h"
#include "replay_task.h"
#include "supervisor.h"

#define MAX_WORDS 64
#define MAX_TASKS 64
#define MAX_ITEMS 32
#define STREAM_WORDS 6		/* before the items */

/* What does not end is waited for so long. */
#define SHORT_MS 20
/* An item of a stream that hangs. Others take less, however busy the machine is. */
#define HANG_MS 3000

enum order { GO_ON, REPLY, CRASH, LEAVE };
enum manner { USUAL, POLITE, STUBBORN, BRITTLE };

/* Of one task: its orders, and what it has understood. */
struct orders {
	volatile enum order order;
	volatile enum manner manner;
	volatile bool mannered;
	char value[32];
};

/* Of a stream: tasks that are in a meeting, the most that were, all that came. */
struct meeting {
	int running;
	int most;
	int arrived;
};

/* What tasks and their owner share. */
struct shared {
	struct orders orders[MAX_TASKS];
	struct meeting meeting;
};

struct named {
	char name[32];
	struct sup_task *task;
	pid_t pid;
	struct orders *orders;
};

struct item {
	const char *word;
	int round;		/* the arrivals that it waits for */
	struct shared *shared;
};

struct owner {
	const char *path;
	unsigned int line;
	const char *words[MAX_WORDS];
	size_t nr_words;
	int device;
	int exits;		/* the mailbox of those whose exits are trapped, or -1 */
	struct sup_tasks *tasks;
	struct named named[MAX_TASKS];
	size_t nr_named;
	struct shared *shared;
	struct item items[MAX_ITEMS];
	size_t nr_items;
	size_t next_item;
	FILE *result;
};

__attribute__((format(printf, 2, 3)))
static bool mistake(const struct owner *owner, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", owner->path, owner->line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return false;
}

static bool failed(const struct owner *owner, int error)
{
	return mistake(owner, "%s: %s", owner->words[0], strerror(-error));
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/*
 * In a task
 */

static volatile sig_atomic_t asked;

static void on_asked(int sig)
{
	asked = 1;
}

/* Told what to do when it is asked to end. */
static void learn_manners(struct orders *orders)
{
	signal(SIGTERM, on_asked);
	orders->mannered = true;
}

static enum order asked_to_end(enum manner manner)
{
	if (!asked)
		return GO_ON;
	asked = 0;
	if (manner == POLITE)
		return REPLY;
	return manner == BRITTLE ? CRASH : GO_ON;
}

static int obey(struct sup_task_writer *result, void *context)
{
	struct orders *orders = context;
	enum order order;

	/* Whatever becomes of its owner, nothing is left of the scenario. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	do {
		nap();
		if (orders->manner && !orders->mannered)
			learn_manners(orders);
		order = orders->order ?: asked_to_end(orders->manner);
	} while (order == GO_ON);
	if (order == LEAVE)
		_exit(0);
	if (order == CRASH)
		return 1;
	return sup_task_write(result, orders->value, strlen(orders->value));
}

/* Until as many have come as may run at once, again and again. */
static void meet(struct meeting *meeting, int all)
{
	int running = __atomic_add_fetch(&meeting->running, 1, __ATOMIC_SEQ_CST);
	int most = __atomic_load_n(&meeting->most, __ATOMIC_SEQ_CST);

	while (running > most &&
	       !__atomic_compare_exchange_n(&meeting->most, &most, running, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	__atomic_add_fetch(&meeting->arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&meeting->arrived, __ATOMIC_SEQ_CST) < all)
		nap();
	__atomic_sub_fetch(&meeting->running, 1, __ATOMIC_SEQ_CST);
}

static int do_item(struct sup_task_writer *result, void *context)
{
	const struct item *item = context;
	const char *value = item->word;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (strcmp(item->word, "crash") == 0)
		return 1;
	if (strcmp(item->word, "leave") == 0)
		_exit(0);
	while (strcmp(item->word, "hang") == 0)
		pause();
	if (strcmp(item->word, "meet") == 0) {
		meet(&item->shared->meeting, item->round);
		value = "met";
	}
	return sup_task_write(result, value, strlen(value));
}

/*
 * In the owner
 */

/* The last that bore the name. */
static struct named *owner_named(struct owner *owner, const char *name)
{
	for (size_t i = owner->nr_named; i > 0; i--)
		if (strcmp(owner->named[i - 1].name, name) == 0)
			return &owner->named[i - 1];
	mistake(owner, "no such task: %s", name);
	return NULL;
}

static void say_outcome(FILE *out, const struct sup_task_result *result)
{
	switch (result->kind) {
	case SUP_TASK_OK:
		fprintf(out, "ok %.*s", (int)result->len, (const char *)result->data);
		break;
	case SUP_TASK_EXIT:
		fprintf(out, "exit %s", result->error == ETIMEDOUT ? "timeout" :
						say_reason(result->reason));
		break;
	default:
		fputs("nil", out);
		break;
	}
}

static bool do_start(struct owner *owner, const char *name, bool link)
{
	struct orders *orders = &owner->shared->orders[owner->nr_named];
	SUP_OPTS(sup_work, work, .fn = obey, .arg = orders);
	struct named *named = &owner->named[owner->nr_named];
	int ret;

	if (owner->nr_named == MAX_TASKS || strlen(name) >= sizeof(named->name))
		return mistake(owner, "too much");
	ret = link ? sup_task_async(owner->tasks, &work, &named->task) :
		     sup_task_async_nolink(owner->tasks, &work, &named->task);
	if (ret)
		return failed(owner, ret);
	strcpy(named->name, name);
	named->pid = sup_task_pid(named->task);
	named->orders = orders;
	owner->nr_named++;
	fputs("ok", owner->result);
	return true;
}

/*
 * All that a death says has come when this returns. If that kills us, it does not
 * return: an UNLINK waits for those who are being told of deaths.
 */
static bool await_death(struct owner *owner, const struct named *named)
{
	siginfo_t info;
	int ret;

	while (waitid(P_PID, named->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	ret = sup_process_unlink(owner->device, getpid());
	if (ret)
		return failed(owner, ret);
	fputs("ok", owner->result);
	return true;
}

static bool set_value(struct owner *owner, struct orders *orders, const char *value)
{
	if (strlen(value) >= sizeof(orders->value))
		return mistake(owner, "too long: %s", value);
	strcpy(orders->value, value);
	return true;
}

static bool do_finish(struct owner *owner, enum order order)
{
	struct named *named = owner_named(owner, owner->words[1]);

	if (!named)
		return false;
	if (order == REPLY && !set_value(owner, named->orders, owner->words[2]))
		return false;
	named->orders->order = order;
	return await_death(owner, named);
}

static bool do_kill(struct owner *owner)
{
	struct named *named = owner_named(owner, owner->words[1]);

	if (!named)
		return false;
	kill(named->pid, SIGKILL);
	return await_death(owner, named);
}

static bool do_manner(struct owner *owner, enum manner manner)
{
	struct named *named = owner_named(owner, owner->words[1]);

	if (!named)
		return false;
	if (manner == POLITE && !set_value(owner, named->orders, owner->words[2]))
		return false;
	named->orders->manner = manner;
	while (!named->orders->mannered)
		nap();
	fputs("ok", owner->result);
	return true;
}

/* The tasks that the words name; NULL after saying which there is not. */
static struct sup_task **named_tasks(struct owner *owner, size_t *nr)
{
	struct sup_task **tasks = xcalloc(owner->nr_words, sizeof(*tasks));

	*nr = 0;
	for (size_t i = 1; i < owner->nr_words; i++) {
		struct named *named = owner_named(owner, owner->words[i]);

		if (!named) {
			free(tasks);
			return NULL;
		}
		tasks[(*nr)++] = named->task;
	}
	return tasks;
}

static void say_outcomes(struct owner *owner, struct sup_task **tasks, size_t nr)
{
	SUP_OPTS(sup_task_result, result);

	for (size_t i = 0; i < nr; i++) {
		if (i)
			fputs(", ", owner->result);
		sup_task_result(tasks[i], &result);
		say_outcome(owner->result, &result);
	}
}

static bool do_await(struct owner *owner)
{
	SUP_OPTS(sup_task_result, result);
	struct sup_task **tasks;
	size_t nr;
	int ret;

	tasks = named_tasks(owner, &nr);
	if (!tasks)
		return false;
	ret = sup_task_await_many(tasks, nr, sup_deadline_in(SHORT_MS));
	if (ret == -ETIMEDOUT)
		fputs("exit timeout", owner->result);
	else if (ret == -EOWNERDEAD && nr > 1)
		fputs("exit died", owner->result);
	else if (ret == -EOWNERDEAD)
		say_outcomes(owner, tasks, nr);
	else if (!ret)
		fputs("ok", owner->result);
	for (size_t i = 0; !ret && i < nr; i++) {
		sup_task_result(tasks[i], &result);
		fprintf(owner->result, " %.*s", (int)result.len, (const char *)result.data);
	}
	free(tasks);
	return !ret || ret == -ETIMEDOUT || ret == -EOWNERDEAD ? true : failed(owner, ret);
}

static bool do_yield(struct owner *owner)
{
	SUP_OPTS(sup_yield_opts, options, .deadline = sup_deadline_in(SHORT_MS));
	struct sup_task **tasks;
	size_t nr;
	int ret;

	tasks = named_tasks(owner, &nr);
	if (!tasks)
		return false;
	if (nr == 1)
		ret = sup_task_yield(tasks[0], options.deadline, NULL);
	else
		ret = sup_task_yield_many(tasks, nr, &options);
	if (ret >= 0)
		say_outcomes(owner, tasks, nr);
	free(tasks);
	return ret < 0 ? failed(owner, ret) : true;
}

static bool do_shutdown(struct owner *owner)
{
	struct named *named = owner_named(owner, owner->words[1]);
	SUP_OPTS(sup_task_result, result);
	int64_t ms = strtoll(owner->words[2], NULL, 10);
	int ret;

	if (!named)
		return false;
	if (strcmp(owner->words[2], "brutal_kill") == 0)
		ms = SUPERVISOR_SHUTDOWN_KILL;
	else if (strcmp(owner->words[2], "infinity") == 0)
		ms = SUPERVISOR_SHUTDOWN_INFINITY;
	ret = sup_task_shutdown(named->task, ms, &result);
	if (ret < 0)
		return failed(owner, ret);
	say_outcome(owner->result, &result);
	return true;
}

static bool do_ignore(struct owner *owner)
{
	struct named *named = owner_named(owner, owner->words[1]);
	SUP_OPTS(sup_task_result, result);
	int ret;

	if (!named)
		return false;
	ret = sup_task_ignore(named->task, &result);
	if (ret < 0)
		return failed(owner, ret);
	say_outcome(owner->result, &result);
	return true;
}

static bool do_alive(struct owner *owner)
{
	struct named *named = owner_named(owner, owner->words[1]);
	siginfo_t info = { .si_pid = 0 };
	bool alive;

	if (!named)
		return false;
	alive = !waitid(P_PID, named->pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid;
	fputs(alive ? "true" : "false", owner->result);
	return true;
}

static bool do_trap(struct owner *owner)
{
	int ret = sup_mailbox_create(owner->device, 0, NULL);

	if (ret >= 0) {
		owner->exits = ret;
		ret = sup_trap_exit(owner->device, owner->exits);
	}
	fputs("ok", owner->result);
	return ret < 0 ? failed(owner, ret) : true;
}

static const char *pid_name(const struct owner *owner, pid_t pid)
{
	for (size_t i = owner->nr_named; i > 0; i--)
		if (owner->named[i - 1].pid == pid)
			return owner->named[i - 1].name;
	return NULL;
}

static bool do_exits(struct owner *owner)
{
	_Alignas(8) static unsigned char buf[65536];
	const struct supervisor_msg *msg = NULL;
	size_t len = sizeof(buf);
	bool first = true;
	int ret = sup_mailbox_recv(owner->exits, buf, &len, 0, 0);

	if (ret < 0 && ret != -EAGAIN)
		return failed(owner, ret);
	while (ret >= 0 && (msg = sup_msg_next(buf, len, msg))) {
		const struct supervisor_msg_down *down = sup_msg_down(msg);

		const char *name = pid_name(owner, msg->pid);

		/* Those of streams have no names. */
		if (msg->type != SUPERVISOR_MSG_EXIT || !down || !name)
			continue;
		fprintf(owner->result, "%s%s:%s", first ? "" : " ", name,
			say_reason(down->reason));
		first = false;
	}
	if (first)
		fputs("none", owner->result);
	return true;
}

/*
 * Streams
 */

static int next_item(void *context, struct sup_work *work, void **item)
{
	struct owner *owner = context;

	if (owner->next_item == owner->nr_items)
		return 0;
	work->fn = do_item;
	work->arg = &owner->items[owner->next_item++];
	return 1;
}

struct outcomes {
	char *text[MAX_ITEMS + 2];
	size_t nr;
};

static FILE *outcome_open(struct outcomes *outcomes, size_t *len)
{
	FILE *file = open_memstream(&outcomes->text[outcomes->nr++], len);

	if (!file)
		abort();
	return file;
}

static void outcome_say(struct outcomes *outcomes, const struct sup_task_result *result)
{
	size_t len;
	FILE *file = outcome_open(outcomes, &len);

	say_outcome(file, result);
	fclose(file);
}

static void outcome_text(struct outcomes *outcomes, const char *text, int number)
{
	size_t len;
	FILE *file = outcome_open(outcomes, &len);

	fprintf(file, text, number);
	fclose(file);
}

static int compare_texts(const void *a, const void *b)
{
	char *const *x = a;
	char *const *y = b;

	return strcmp(*x, *y);
}

static bool stream_run(struct owner *owner, const struct sup_stream_opts *options, size_t take,
		       struct outcomes *outcomes)
{
	SUP_OPTS(sup_stream_item, item);
	struct sup_stream *stream;
	int ret;

	ret = sup_task_async_stream(owner->tasks, options, &stream);
	if (ret)
		return failed(owner, ret);
	ret = 1;
	while (outcomes->nr < take && ret == 1) {
		ret = sup_stream_next(stream, SUPERVISOR_NO_DEADLINE, &item);
		if (ret == 1)
			outcome_say(outcomes, &item.result);
	}
	sup_stream_free(stream);
	if (options->unordered)
		qsort(outcomes->text, outcomes->nr, sizeof(outcomes->text[0]), compare_texts);
	if (ret == -ETIME)
		outcome_text(outcomes, "stops: timeout", 0);
	return ret >= 0 || ret == -ETIME ? true : failed(owner, ret);
}

static bool has_item(const struct owner *owner, const char *word)
{
	for (size_t i = 0; i < owner->nr_items; i++)
		if (strcmp(owner->items[i].word, word) == 0)
			return true;
	return false;
}

static void set_items(struct owner *owner, int max)
{
	owner->next_item = 0;
	owner->nr_items = 0;
	for (size_t i = STREAM_WORDS; i < owner->nr_words; i++) {
		owner->items[owner->nr_items] = (struct item){
			.word = owner->words[i],
			.round = (owner->nr_items / max + 1) * max,
			.shared = owner->shared,
		};
		owner->nr_items++;
	}
	owner->shared->meeting = (struct meeting){ 0 };
}

static bool do_stream(struct owner *owner)
{
	SUP_OPTS(sup_stream_opts, options, .next = next_item, .context = owner);
	struct outcomes outcomes = { .nr = 0 };
	char on_timeout[16];
	size_t take;
	bool ok;

	if (owner->nr_words - STREAM_WORDS > MAX_ITEMS ||
	    sscanf(owner->words[3], "max=%" SCNu32, &options.max_concurrency) != 1 ||
	    !options.max_concurrency ||
	    sscanf(owner->words[4], "on_timeout=%15s", on_timeout) != 1 ||
	    sscanf(owner->words[5], "take=%zu", &take) != 1)
		return mistake(owner, "not the words of a stream");
	options.nolink = strcmp(owner->words[1], "nolink") == 0;
	options.unordered = strcmp(owner->words[2], "unordered") == 0;
	options.on_timeout = strcmp(on_timeout, "exit") == 0 ? SUP_ON_TIMEOUT_EXIT :
								SUP_ON_TIMEOUT_KILL;
	set_items(owner, options.max_concurrency);
	options.timeout_ms = has_item(owner, "hang") ? HANG_MS : SUP_TIMEOUT_INFINITY;
	ok = stream_run(owner, &options, take, &outcomes);
	if (ok && has_item(owner, "meet"))
		outcome_text(&outcomes, "most %d", owner->shared->meeting.most);
	if (!outcomes.nr)
		fputs("none", owner->result);
	for (size_t i = 0; i < outcomes.nr; i++) {
		fprintf(owner->result, "%s%s", i ? ", " : "", outcomes.text[i]);
		free(outcomes.text[i]);
	}
	return ok;
}

/*
 * Lines
 */

static bool do_async(struct owner *owner)
{
	return do_start(owner, owner->words[1], true);
}

static bool do_nolink(struct owner *owner)
{
	return do_start(owner, owner->words[1], false);
}

static bool do_reply(struct owner *owner)
{
	return do_finish(owner, REPLY);
}

static bool do_crash(struct owner *owner)
{
	return do_finish(owner, CRASH);
}

static bool do_leave(struct owner *owner)
{
	return do_finish(owner, LEAVE);
}

static bool do_polite(struct owner *owner)
{
	return do_manner(owner, POLITE);
}

static bool do_stubborn(struct owner *owner)
{
	return do_manner(owner, STUBBORN);
}

static bool do_brittle(struct owner *owner)
{
	return do_manner(owner, BRITTLE);
}

static const struct {
	const char *word;
	size_t least, most;	/* words with it */
	bool (*perform)(struct owner *owner);
} verbs[] = {
	{ "trap", 1, 1, do_trap },
	{ "exits", 1, 1, do_exits },
	{ "async", 2, 2, do_async },
	{ "nolink", 2, 2, do_nolink },
	{ "reply", 3, 3, do_reply },
	{ "crash", 2, 2, do_crash },
	{ "leave", 2, 2, do_leave },
	{ "kill", 2, 2, do_kill },
	{ "polite", 3, 3, do_polite },
	{ "stubborn", 2, 2, do_stubborn },
	{ "brittle", 2, 2, do_brittle },
	{ "await", 2, MAX_WORDS, do_await },
	{ "yield", 2, MAX_WORDS, do_yield },
	{ "shutdown", 3, 3, do_shutdown },
	{ "ignore", 2, 2, do_ignore },
	{ "alive", 2, 2, do_alive },
	{ "stream", STREAM_WORDS + 1, MAX_WORDS, do_stream },
};

#define NR_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static bool perform(struct owner *owner)
{
	for (size_t i = 0; i < NR_VERBS; i++) {
		if (strcmp(owner->words[0], verbs[i].word) != 0)
			continue;
		if (owner->nr_words < verbs[i].least || owner->nr_words > verbs[i].most)
			return mistake(owner, "%s: wrong number of words", owner->words[0]);
		return verbs[i].perform(owner);
	}
	return mistake(owner, "not a command: %s", owner->words[0]);
}

/* What is printed is out before anything is done: we may die of it. */
static bool play_line(struct owner *owner, char *line)
{
	char *text = NULL;
	size_t len;
	bool ok;

	owner->nr_words = text_words(line, owner->words, MAX_WORDS);
	if (!owner->nr_words)
		return true;
	text = text_join(owner->words, owner->nr_words);
	printf("> %s\n", text);
	fflush(stdout);
	free(text);
	owner->result = open_memstream(&text, &len);
	if (!owner->result)
		abort();
	ok = perform(owner);
	fclose(owner->result);
	if (ok)
		printf("= %s\n", text);
	fflush(stdout);
	free(text);
	return ok;
}

static bool owner_play(const char *path)
{
	static struct owner owner;
	bool ok = true;
	char *next, *bytes;

	owner.path = path;
	owner.exits = -1;
	bytes = text_read(path);
	owner.device = sup_device_open();
	owner.shared = mmap(NULL, sizeof(*owner.shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!bytes || owner.shared == MAP_FAILED || owner.device < 0 ||
	    sup_tasks_new(&owner.tasks, owner.device, NULL)) {
		fprintf(stderr, "%s: cannot begin\n", path);
		return false;
	}
	for (next = bytes; ok && next;) {
		owner.line++;
		ok = play_line(&owner, strsep(&next, "\n"));
	}
	free(bytes);
	return ok;
}

/* In a process of its own; it begins when @go is closed. */
static void owner_main(const char *path, int go)
{
	char byte;

	while (read(go, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(owner_play(path) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* How the owner has ended: as who monitors it is told. False if it could not play. */
static bool await_owner(int mailbox, pid_t pid)
{
	_Alignas(8) unsigned char buf[4096];
	const struct supervisor_msg_down *down;
	size_t len = sizeof(buf);
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (sup_mailbox_recv(mailbox, buf, &len, 1, SUPERVISOR_NO_DEADLINE) < 0)
		return false;
	down = sup_msg_down(sup_msg_next(buf, len, NULL));
	if (!down || (WIFEXITED(status) && WEXITSTATUS(status)))
		return false;
	printf("! owner %s\n", say_reason(down->reason));
	return true;
}

bool task_play_file(const char *path)
{
	int device = sup_device_open();
	int mailbox, go[2];
	uint64_t ref;
	pid_t pid;
	bool ok;

	fflush(stdout);
	mailbox = sup_mailbox_create(device, 0, NULL);
	if (mailbox < 0 || pipe(go)) {
		fprintf(stderr, "%s: cannot begin\n", path);
		return false;
	}
	pid = fork();
	if (!pid) {
		close(go[1]);
		owner_main(path, go[0]);
	}
	ok = pid > 0 && !sup_monitor(mailbox, pid, SUPERVISOR_ALIAS_NONE, &ref, NULL);
	close(go[0]);
	close(go[1]);
	ok = ok && await_owner(mailbox, pid);
	close(mailbox);
	close(device);
	return ok;
}
