// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints: each change of a child's state is seen in tracefs, in the order in
 * which it happens, and with the child's lineage; alike for the children of ordinary
 * supervisors and of dynamic ones.
 */
#include <stdarg.h>
#include <stdio.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

#define TRACING "/sys/kernel/tracing"

FIXTURE(trace)
{
	struct tree tree;
	char instance[128];	/* tracefs's, of this test alone */
	FILE *pipe;
	char line[1024];	/* the last that was looked for, and found */
};

FIXTURE_VARIANT(trace)
{
	__u32 kind;
	__s64 max_children;
};

FIXTURE_VARIANT_ADD(trace, ordered)
{
	.kind = SUPERVISOR_ORDERED,
};

FIXTURE_VARIANT_ADD(trace, dynamic)
{
	.kind = SUPERVISOR_DYNAMIC,
	.max_children = SUPERVISOR_CHILDREN_INFINITY,
};

static int instance_write(const char *instance, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%.127s/%.64s", instance, name);
	return write_file(path, text);
}

/* What the tracer has from now on, in that instance; NULL without one. */
static FILE *trace_open(char *instance, size_t size)
{
	char path[256];
	int file;

	snprintf(instance, size, TRACING "/instances/supervisor.%d", getpid());
	if (mkdir(instance, 0700))
		return NULL;
	/* One order over all processors, as the clock of each would not tell it. */
	if (instance_write(instance, "trace_clock", "counter") ||
	    instance_write(instance, "events/supervisor/enable", "1"))
		return NULL;
	snprintf(path, sizeof(path), "%.127s/trace_pipe", instance);
	file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return file < 0 ? NULL : fdopen(file, "r");
}

static void trace_close(const char *instance, FILE *pipe)
{
	if (pipe)
		fclose(pipe);
	instance_write(instance, "events/enable", "0");
	rmdir(instance);
}

#define test_set_up() \
	do { \
		self->tree = NO_TREE; \
		self->pipe = trace_open(self->instance, sizeof(self->instance)); \
		if (!self->pipe && access(TRACING "/events/supervisor", F_OK)) \
			SKIP(return, "no tracefs, or not root"); \
		ASSERT_NE(NULL, self->pipe); \
	} while (0)

FIXTURE_SETUP(trace)
{
	test_set_up();
}

FIXTURE_TEARDOWN(trace)
{
	tree_close(&self->tree);
	trace_close(self->instance, self->pipe);
}

FIXTURE(trace_of_joiners)
{
	struct tree tree;
	char instance[128];
	FILE *pipe;
	char line[1024];
};

FIXTURE_SETUP(trace_of_joiners)
{
	test_set_up();
}

FIXTURE_TEARDOWN(trace_of_joiners)
{
	tree_close(&self->tree);
	trace_close(self->instance, self->pipe);
}

#define SUP (self->tree.sup)
#define ID ((unsigned long long)self->tree.id)

/* "task-1 [000] ..... 7: sup_exit: pid=1": from the event's name on. */
static const char *line_event(char *line)
{
	char *at = strstr(line, ": sup_");

	line[strcspn(line, "\n")] = '\0';
	return at ? at + 2 : "";
}

static bool begins(const char *event, const char *expected)
{
	return expected && !strncmp(event, expected, strlen(expected));
}

/* Is the next line, of those that come now, one that begins like that? */
static bool trace_has(FILE *pipe, char *line, size_t size, const char *expected)
{
	while (fgets(line, size, pipe))
		if (begins(line_event(line), expected))
			return true;
	clearerr(pipe);
	return false;
}

struct pair {
	const char *other;	/* NULL once it has come */
	const char *expected;	/* likewise */
};

/* With the next lines, of those that come now: have both come? */
static bool trace_has_both(FILE *pipe, char *line, size_t size, struct pair *pair)
{
	char at[1024];

	while ((pair->other || pair->expected) && fgets(at, sizeof(at), pipe)) {
		const char *event = line_event(at);

		if (begins(event, pair->other)) {
			pair->other = NULL;
		} else if (begins(event, pair->expected)) {
			pair->expected = NULL;
			snprintf(line, size, "%s", at);
		}
	}
	clearerr(pipe);
	return !pair->other && !pair->expected;
}

/* Past what else there is, this comes next. */
#define test_traced(...) \
	do { \
		char expected_[512]; \
		snprintf(expected_, sizeof(expected_), __VA_ARGS__); \
		ASSERT_TRUE(eventually(trace_has(self->pipe, self->line, \
						 sizeof(self->line), \
						 expected_))) \
			TH_LOG("not traced: %s", expected_); \
	} while (0)

/* Both come next, in whichever order; the line of @expected_ is kept. */
#define test_traced_both(other_, expected_) \
	do { \
		struct pair pair_ = { .other = (other_), .expected = (expected_) }; \
		ASSERT_TRUE(eventually(trace_has_both(self->pipe, self->line, \
						      sizeof(self->line), &pair_))) \
			TH_LOG("not traced both: %s; %s", pair_.other, pair_.expected); \
	} while (0)

#define test_traced_tree(...) \
	do { \
		test_tree_open(&self->tree, \
			       CREATE(.kind = variant->kind, \
				      .max_children = variant->max_children, \
				      ##__VA_ARGS__)); \
		test_start(SUP); \
	} while (0)

#define test_new(...) \
	({ \
		struct supervisor_child_add add_ = CALL(supervisor_child_add); \
		ASSERT_EQ(0, _test_child_add(SUP, &CHILD(__VA_ARGS__), &add_)); \
		add_; \
	})

/* A start of child @child_, from the decision to its being started. */
#define test_traced_start(child_, run_, path_, pid_) \
	do { \
		unsigned long long number_ = (child_); \
		test_traced("sup_decision: supervisor=%llu child=%llu action=start", \
			    ID, number_); \
		test_traced("sup_start: supervisor=%llu child=%llu incarnation=%u " \
			    "path=%s callers=1 caller=%d", ID, number_, (run_), \
			    (path_), getpid()); \
		test_traced("sup_attach: supervisor=%llu child=%llu incarnation=%u " \
			    "pid=%d", ID, number_, (run_), (pid_)); \
		test_traced("sup_started: supervisor=%llu child=%llu incarnation=%u", \
			    ID, number_, (run_)); \
	} while (0)

/* "... seq=7 ..." */
static unsigned long long line_seq(const char *line)
{
	const char *at = strstr(line, " seq=");

	return at ? strtoull(at + 5, NULL, 10) : 0;
}

/* The supervisor hears of a death, by the number that the hook gave it. */
#define test_traced_exited(child_, run_, reason_, status_, seq_, path_) \
	test_traced("sup_exited: supervisor=%llu child=%llu incarnation=%u " \
		    "reason=%u status=0x%x seq=%llu path=%s callers=1 " \
		    "caller=%d", ID, (unsigned long long)(child_), (run_), \
		    (reason_), (status_), (seq_), (path_), getpid())

/* A death, from the hook to the supervisor that hears of it. */
#define test_traced_exit(child_, run_, reason_, status_, path_, pid_) \
	do { \
		test_traced("sup_exit: pid=%d status=0x%x seq=", (pid_), (status_)); \
		test_traced_exited((child_), (run_), (reason_), (status_), \
				   line_seq(self->line), (path_)); \
	} while (0)

/*
 * The same, and the supervisor's signal before it. That is told when it has been sent:
 * the child may be dead by then.
 */
#define test_traced_end(child_, run_, reason_, status_, path_, pid_) \
	do { \
		char signal_[256], exit_[256]; \
		snprintf(signal_, sizeof(signal_), \
			 "sup_signal: supervisor=%llu child=%llu pid=%d sig=%d ret=0", \
			 ID, (unsigned long long)(child_), (pid_), (status_)); \
		snprintf(exit_, sizeof(exit_), "sup_exit: pid=%d status=0x%x seq=", \
			 (pid_), (status_)); \
		test_traced_both(signal_, exit_); \
		test_traced_exited((child_), (run_), (reason_), (status_), \
				   line_seq(self->line), (path_)); \
	} while (0)

#define test_terminated(child_, id_) \
	ASSERT_EQ(0, variant->kind == SUPERVISOR_ORDERED ? \
		  _test_terminate(SUP, (id_)) : \
		  _test_terminate_member(SUP, (child_)))

TEST_F(trace, life_of_a_child)
{
	struct supervisor_child_add a;
	pid_t pid;

	test_traced_tree();
	test_traced("sup_decision: supervisor=%llu child=0 action=up", ID);
	a = test_new("a", WAITS, .restart = SUPERVISOR_TRANSIENT);
	test_traced_start(a.out_id, 1, "a", a.out_pid);
	test_traced("sup_decision: supervisor=%llu child=%llu action=reply", ID,
		    (unsigned long long)a.out_id);

	ASSERT_EQ(0, kill(a.out_pid, SIGKILL));
	test_traced_exit(a.out_id, 1, SUPERVISOR_EXIT_KILLED, SIGKILL, "a", a.out_pid);
	ASSERT_TRUE(eventually((pid = child_pid(SUP, "a")) > 0 && pid != a.out_pid));
	test_traced_start(a.out_id, 2, "a", pid);

	test_terminated(a.out_id, "a");
	test_traced("sup_decision: supervisor=%llu child=%llu action=term", ID,
		    (unsigned long long)a.out_id);
	test_traced_end(a.out_id, 2, SUPERVISOR_EXIT_SHUTDOWN, SIGTERM, "a", pid);
	test_traced("sup_decision: supervisor=%llu child=%llu action=reply", ID,
		    (unsigned long long)a.out_id);
}

TEST_F(trace, kill_and_stop)
{
	struct supervisor_child_add a;

	test_traced_tree();
	a = test_new("a", WAITS, .shutdown_ms = SUPERVISOR_SHUTDOWN_KILL);
	test_stop(SUP);
	test_traced_start(a.out_id, 1, "a", a.out_pid);
	test_traced("sup_decision: supervisor=%llu child=%llu action=kill", ID,
		    (unsigned long long)a.out_id);
	test_traced_end(a.out_id, 1, SUPERVISOR_EXIT_KILLED, SIGKILL, "a", a.out_pid);
	test_traced("sup_decision: supervisor=%llu child=0 action=down", ID);
	test_traced("sup_escalate: supervisor=%llu reason=%u down=%u", ID,
		    SUPERVISOR_EXIT_NORMAL, SUPERVISOR_DOWN_STOPPED);
}

TEST_F(trace, failed_start)
{
	struct supervisor_child_spec spec =
		CHILD("a", RUNS(child_raise, SIGSEGV),
		      .readiness = SUPERVISOR_READINESS_NOTIFY);

	test_traced_tree();
	ASSERT_EQ(-ECHILD, _test_child_add(SUP, &spec, NULL));
	test_traced("sup_start: supervisor=%llu", ID);
	test_traced("sup_attach: supervisor=%llu", ID);
	test_traced("sup_exited: supervisor=%llu", ID);
	/* It has never started. */
	test_new("b", WAITS);
	test_traced("sup_start");
	ASSERT_NE(NULL, strstr(self->line, "sup_start: "));
	ASSERT_NE(NULL, strstr(self->line, "path=b "));
}

TEST_F(trace, escalation)
{
	struct supervisor_create create =
		CREATE(.kind = variant->kind, .max_children = variant->max_children,
		       .intensity = 0);
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_child_add pool = CALL(supervisor_child_add);
	char path[64];
	int sub;

	/* A dynamic supervisor calls it by its number, another one by its id. */
	test_traced_tree();
	test_create(self->tree.dev, &create, &sub);
	ASSERT_EQ(0, _test_child_add(SUP, &CHILD_SUPERVISOR("pool", sub), &pool));
	ASSERT_EQ(0, _test_child_add(sub, &CHILD("a", WAITS), &add));
	ASSERT_EQ(0, kill(add.out_pid, SIGKILL));
	if (variant->kind == SUPERVISOR_ORDERED)
		snprintf(path, sizeof(path), "pool/a");
	else
		snprintf(path, sizeof(path), "%llu/a", (unsigned long long)pool.out_id);
	test_traced("sup_exited: supervisor=%llu child=%llu incarnation=1 reason=%u "
		    "status=0x%x seq=", (unsigned long long)create.out_id,
		    (unsigned long long)add.out_id, SUPERVISOR_EXIT_KILLED, SIGKILL);
	ASSERT_NE(NULL, strstr(self->line, path));
	test_traced("sup_escalate: supervisor=%llu reason=%u down=%u",
		    (unsigned long long)create.out_id, SUPERVISOR_EXIT_SHUTDOWN,
		    SUPERVISOR_DOWN_INTENSITY);
	/* And its parent starts it again. */
	test_traced("sup_decision: supervisor=%llu child=%llu action=start", ID,
		    (unsigned long long)pool.out_id);
	close(sub);
}

/* Nobody is asked to start it. */
TEST_F(trace_of_joiners, life_of_a_joiner)
{
	struct joined joined;

	test_tree_open(&self->tree, JOINED());
	test_start(SUP);
	ASSERT_EQ(0, _test_fork_join(SUP, after_ms(PATIENCE_MS), &joined));
	test_traced("sup_attach: supervisor=%llu child=%llu incarnation=1 pid=%d", ID,
		    (unsigned long long)joined.join.out_id, joined.pid);
	test_traced("sup_started: supervisor=%llu child=%llu incarnation=1", ID,
		    (unsigned long long)joined.join.out_id);
	process_kill(joined.pid);
	test_traced_exit(joined.join.out_id, 1, SUPERVISOR_EXIT_KILLED, SIGKILL, "task",
			 joined.pid);
}

TEST_HARNESS_MAIN
