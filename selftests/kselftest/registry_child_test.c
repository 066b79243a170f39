// SPDX-License-Identifier: GPL-2.0
/*
 * Children with a key: taken by each start before anybody is asked to start them,
 * theirs from the attach to the death, anybody's from then to the next start.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

FIXTURE(keyed)
{
	struct tree tree;
	int dev;
	int reg;
	struct actor a;
	int *shared;
	struct supervisor_info before;
};

FIXTURE_SETUP(keyed)
{
	self->tree = NO_TREE;
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	self->shared = shared_memory(4096);
	ASSERT_NE(NULL, self->shared);
	test_info(self->dev, &self->before);
	test_registry(self->dev, REGISTRY(UNIQUE, .partitions = 2), &self->reg);
	test_actor(self->dev, &self->a);
}

/* Nothing of it is left, whatever the test did not take away. */
FIXTURE_TEARDOWN(keyed)
{
	tree_close(&self->tree);
	actor_end(&self->a);
	close(self->reg);
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

#define SUP (self->tree.sup)
#define REG (self->reg)
#define A (self->a.pid)

#define trace(expected_) test_trace(self->tree.events, expected_)
#define order(what_, text_) \
	_test_order(&self->a, ORDER_##what_, REG, (long)(text_))

#define test_found(pid_, key_, value_) \
	do { \
		char value__[64]; \
		ASSERT_EQ((pid_), _test_lookup(REG, (key_), value__, \
					       sizeof(value__))); \
		ASSERT_STREQ((value_), value__); \
	} while (0)
#define test_nobody(key_) ASSERT_EQ(-ENOENT, _test_lookup(REG, (key_), NULL, 0))

/* The caller may not have the key, because @pid_ has it. */
#define test_refused(key_, pid_) \
	do { \
		struct supervisor_register refused_; \
		ASSERT_EQ(-EEXIST, _test_register(REG, (key_), -1, &refused_)); \
		ASSERT_EQ((pid_), refused_.out_pid); \
	} while (0)

/* Anybody may have it: the caller has had it. */
#define test_free(key_) \
	do { \
		test_register(REG, (key_)); \
		ASSERT_EQ(1, _test_unregister(REG, (key_))); \
	} while (0)

#define test_killed(id_) ASSERT_EQ(0, kill(child_pid(SUP, (id_)), SIGKILL))

/* A tree that waits for somebody to read the START of its child "a". */
#define test_waits_for_a_spawner(...) \
	do { \
		struct supervisor_start start_ = \
			ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC); \
		struct event event_; \
		test_tree_open(&self->tree, CREATE()); \
		spawner_stop(&self->tree.spawner); \
		test_child(SUP, "a", ##__VA_ARGS__); \
		test_ioctl(SUP, SUPERVISOR_START, &start_); \
		test_event(self->tree.events, SUPERVISOR_EVENT_START_REQUEST, \
			   "a", &event_); \
	} while (0)

#define test_spawn_one() \
	ASSERT_EQ(0, _test_spawn_one(&self->tree.spawner, after_ms(PATIENCE_MS)))

TEST_F(keyed, registered_while_it_lives)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED_VALUE(REG, "web", "one"));
	test_nobody("web");
	test_free("web");
	test_start(SUP);
	test_found(child_pid(SUP, "a"), "web", "one");
	test_refused("web", child_pid(SUP, "a"));
	ASSERT_EQ(-EPERM, _test_unregister(REG, "web"));
	ASSERT_EQ(1, _test_count_entries(REG, SELECT(0, "")));
	test_stop(SUP);
	test_nobody("web");
	test_free("web");
}

/* What it finds itself as, before it does anything else. */
static void attach_and_look(struct start *start)
{
	int *found = (int *)(start->program->argument & ~0xfffL);
	int err = _test_attach(start->spawner->dev, start->token);

	if (err)
		_exit(-err);
	*found = _test_lookup(start->program->argument & 0xfff, "web", NULL, 0);
	child_attached(start);
}

TEST_F(keyed, registered_when_the_attach_returns)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a",
		   PROGRAM(.attach = attach_and_look,
			   .argument = (long)self->shared | REG),
		   KEYED(REG, "web"));
	test_start(SUP);
	ASSERT_TRUE(eventually(*(volatile int *)self->shared));
	ASSERT_EQ(child_pid(SUP, "a"), *self->shared);
}

TEST_F(keyed, registered_before_it_is_ready)
{
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", EXECS("wait", 0), KEYED(REG, "web"),
		   .readiness = SUPERVISOR_READINESS_NOTIFY);
	test_ioctl(SUP, SUPERVISOR_START, &start);
	ASSERT_TRUE(eventually(_test_lookup(REG, "web", NULL, 0) > 0));
	ASSERT_EQ(SUPERVISOR_CHILD_STARTING, child_state(SUP, "a"));
	test_found(child_pid(SUP, "a"), "web", "");
}

TEST_F(keyed, next_incarnation_has_it_at_once)
{
	pid_t pid;
	int i;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED_VALUE(REG, "web", "one"));
	test_start(SUP);
	trace("started a, up");
	for (i = 0; i < 5; i++) {
		pid = child_pid(SUP, "a");
		test_found(pid, "web", "one");
		test_killed("a");
		trace("exited a killed, started a");
		ASSERT_NE(pid, child_pid(SUP, "a"));
		test_found(child_pid(SUP, "a"), "web", "one");
	}
	ASSERT_EQ(1, _test_count_entries(REG, SELECT(0, "")));
}

TEST_F(keyed, kept_while_nobody_has_it)
{
	test_waits_for_a_spawner(WAITS, KEYED(REG, "web"));
	test_nobody("web");
	test_refused("web", 0);
	ASSERT_EQ(-EEXIST, order(REGISTER, "web"));
	ASSERT_EQ(-ENOENT, _test_unregister(REG, "web"));
	ASSERT_EQ(-ENOENT, _test_update(REG, "web=mine", NULL));
	ASSERT_EQ(-ENOENT, _test_key_signal(REG, "web", 0, 0));
	ASSERT_EQ(0, _test_count_entries(REG, SELECT(0, "")));
	test_select(REG, "", 0, "");
	test_spawn_one();
	trace("started a, up");
	test_found(child_pid(SUP, "a"), "web", "");
	test_refused("web", child_pid(SUP, "a"));
}

/* ---- starts that come to nothing ---- */

TEST_F(keyed, given_back_by_a_failed_start)
{
	test_waits_for_a_spawner(SPAWNS(spawn_fail, ENOENT), KEYED(REG, "web"));
	test_refused("web", 0);
	test_spawn_one();
	trace("start_failed a ENOENT, down init_failed");
	test_free("web");
}

TEST_F(keyed, given_back_by_an_ignored_start)
{
	test_waits_for_a_spawner(SPAWNS(spawn_ignore, 0), KEYED(REG, "web"));
	test_spawn_one();
	trace("ignored a, up");
	test_free("web");
}

TEST_F(keyed, given_back_by_a_child_that_says_ignore)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_say_ignore, 0), KEYED(REG, "web"),
		   .readiness = SUPERVISOR_READINESS_NOTIFY);
	test_start(SUP);
	trace("ignored a, up");
	test_free("web");
}

TEST_F(keyed, given_back_by_a_child_that_fails)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", RUNS(child_fail, EIO), KEYED(REG, "web"),
		   .readiness = SUPERVISOR_READINESS_NOTIFY);
	ASSERT_EQ(-ECHILD, _test_start(SUP));
	trace("start_failed a EIO, down init_failed");
	test_free("web");
}

TEST_F(keyed, given_back_by_a_stop)
{
	test_waits_for_a_spawner(WAITS, KEYED(REG, "web"));
	test_refused("web", 0);
	test_stop(SUP);
	trace("start_failed a ECANCELED, down stopped");
	test_free("web");
}

TEST_F(keyed, given_back_by_the_last_close)
{
	test_waits_for_a_spawner(WAITS, KEYED(REG, "web"));
	test_refused("web", 0);
	tree_abandon(&self->tree);
	ASSERT_TRUE(eventually(!_test_register(REG, "web", -1, NULL)));
}

TEST_F(keyed, given_back_when_nobody_reads_the_start)
{
	test_tree_open(&self->tree, CREATE(.spawner_timeout_ms = 50));
	spawner_stop(&self->tree.spawner);
	test_child(SUP, "a", WAITS, KEYED(REG, "web"));
	ASSERT_EQ(-ECHILD, _test_start(SUP));
	trace("start_failed a ETIMEDOUT, down init_failed");
	test_free("web");
}

TEST_F(keyed, given_back_by_a_start_that_takes_too_long)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED(REG, "web"),
		   .readiness = SUPERVISOR_READINESS_NOTIFY,
		   .start_timeout_ms = 50);
	ASSERT_EQ(-ECHILD, _test_start(SUP));
	test_free("web");
}

TEST_F(keyed, free_after_terminate_and_delete)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED(REG, "web"));
	test_start(SUP);
	test_refused("web", child_pid(SUP, "a"));
	ASSERT_EQ(0, _test_terminate(SUP, "a"));
	test_free("web");
	ASSERT_EQ(0, _test_restart(SUP, "a"));
	test_found(child_pid(SUP, "a"), "web", "");
	ASSERT_EQ(0, _test_terminate(SUP, "a"));
	ASSERT_EQ(0, _test_delete(SUP, "a"));
	test_free("web");
	test_child(SUP, "b", WAITS, KEYED(REG, "web"));
	test_found(child_pid(SUP, "b"), "web", "");
}

struct reader {
	struct tree *tree;
	volatile pid_t *read;
};

/* Reads the START and says so; then it is to be killed. */
static int read_start(void *argument)
{
	struct reader *reader = argument;
	char buf[4096] __aligned(8);

	if (_test_recv(reader->tree->mailbox, buf, sizeof(buf), 1,
		       after_ms(PATIENCE_MS)) != 1)
		return -EIO;
	*reader->read = getpid();
	return 0;
}

TEST_F(keyed, kept_when_the_spawner_dies)
{
	struct reader reader = { &self->tree, self->shared };

	test_waits_for_a_spawner(WAITS, KEYED(REG, "web"));
	ASSERT_EQ(0, in_process(read_start, &reader));
	ASSERT_NE(0, *reader.read);
	/* From one reader's death to the next one's attach. */
	test_refused("web", 0);
	test_spawn_one();
	trace("started a, up");
	test_found(child_pid(SUP, "a"), "web", "");
}

/* ---- somebody else has it ---- */

TEST_F(keyed, taken_at_start_rolls_back)
{
	char failed[8] = "";
	struct supervisor_start start =
		ARG(supervisor_start, .deadline = after_ms(PATIENCE_MS),
		    .failed_id = (uintptr_t)failed,
		    .failed_id_len = sizeof(failed));
	struct supervisor_child_status child;

	ASSERT_EQ(0, order(REGISTER, "web=mine"));
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED(REG, "db"));
	test_child(SUP, "b", WAITS, KEYED(REG, "web"));
	test_child(SUP, "c", WAITS);
	ASSERT_EQ(-ECHILD, _test_ioctl(SUP, SUPERVISOR_START, &start));
	ASSERT_EQ(EEXIST, start.out_error);
	ASSERT_EQ(A, start.out_pid);
	ASSERT_STREQ("b", failed);
	trace("started a, start_failed b EEXIST, term a, exited a shutdown, "
	      "down init_failed");
	test_found(A, "web", "mine");
	test_free("db");
	test_child_status(SUP, "b", &child);
	ASSERT_EQ(EEXIST, child.last_error);
	ASSERT_EQ(0, child.pid);
}

TEST_F(keyed, events_name_who_has_it)
{
	struct event event;

	ASSERT_EQ(0, order(REGISTER, "web"));
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED(REG, "web"));
	ASSERT_EQ(-ECHILD, _test_start(SUP));
	test_event(self->tree.events, SUPERVISOR_EVENT_START_FAILED, "a", &event);
	ASSERT_EQ(EEXIST, event.event.error);
	ASSERT_EQ(A, event.event.head.pid);
	test_event(self->tree.events, SUPERVISOR_EVENT_DOWN, "", &event);
	ASSERT_EQ(EEXIST, event.event.error);
	ASSERT_EQ(A, event.event.head.pid);
}

TEST_F(keyed, taken_below)
{
	struct supervisor_start start =
		ARG(supervisor_start, .deadline = after_ms(PATIENCE_MS));
	struct supervisor_create create = CREATE();
	struct event event;
	int inner;

	ASSERT_EQ(0, order(REGISTER, "web"));
	test_tree_open(&self->tree, CREATE());
	test_create(self->dev, &create, &inner);
	test_child(inner, "x", WAITS, KEYED(REG, "web"));
	test_supervisor_child(SUP, "inner", inner);
	ASSERT_EQ(-ECHILD, _test_ioctl(SUP, SUPERVISOR_START, &start));
	ASSERT_EQ(EEXIST, start.out_error);
	ASSERT_EQ(A, start.out_pid);
	test_event(self->tree.events, SUPERVISOR_EVENT_DOWN, "inner", &event);
	ASSERT_EQ(A, event.event.head.pid);
	close(inner);
}

TEST_F(keyed, start_child_of_a_taken_one)
{
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_child_spec spec = CHILD("a", WAITS, KEYED(REG, "web"));
	struct supervisor_info before;

	ASSERT_EQ(0, order(REGISTER, "web"));
	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	test_info(self->dev, &before);
	ASSERT_EQ(-ECHILD, _test_child_add(SUP, &spec, &add));
	ASSERT_EQ(SUPERVISOR_RESULT_START_FAILED, add.out_result);
	ASSERT_EQ(EEXIST, add.out_error);
	ASSERT_EQ(A, add.out_pid);
	test_which(SUP, "");
	/* It has been discarded, and what it cost come back. */
	test_used_again(self->dev, &before);
	ASSERT_EQ(1, order(UNREGISTER, "web"));
	ASSERT_EQ(0, _test_child_add(SUP, &spec, &add));
	test_found(add.out_pid, "web", "");
}

TEST_F(keyed, answers_name_who_has_it)
{
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .cookie = 7);
	struct supervisor_child_spec spec = CHILD("a", WAITS, KEYED(REG, "web"));
	char buf[512] __aligned(8);
	struct supervisor_msg_answer *answer = (void *)buf;

	ASSERT_EQ(0, order(REGISTER, "web"));
	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	test_mailbox(self->dev, MAILBOX(), &add.mailbox_fd);
	ASSERT_EQ(0, _test_child_add(SUP, &spec, &add));
	ASSERT_EQ(1, _test_recv(add.mailbox_fd, buf, sizeof(buf), 1,
				after_ms(PATIENCE_MS)));
	ASSERT_EQ(SUPERVISOR_MSG_ANSWER, answer->head.type);
	ASSERT_EQ(SUPERVISOR_RESULT_START_FAILED, answer->result);
	ASSERT_EQ(EEXIST, answer->error);
	ASSERT_EQ(A, answer->head.pid);
	close(add.mailbox_fd);
}

TEST_F(keyed, restart_child_of_a_taken_one)
{
	struct supervisor_child_call call = CALL(supervisor_child_call);

	test_tree_open(&self->tree, CREATE(.intensity = 0));
	test_child(SUP, "a", WAITS, KEYED(REG, "web"));
	test_start(SUP);
	ASSERT_EQ(0, _test_terminate(SUP, "a"));
	ASSERT_EQ(0, order(REGISTER, "web"));
	ASSERT_EQ(-ECHILD, _test_child_call(SUP, SUPERVISOR_CHILD_RESTART, "a",
					    &call));
	ASSERT_EQ(SUPERVISOR_RESULT_START_FAILED, call.out_result);
	ASSERT_EQ(EEXIST, call.out_error);
	ASSERT_EQ(A, call.out_pid);
	test_which(SUP, "a undefined");
	ASSERT_EQ(1, order(UNREGISTER, "web"));
	ASSERT_EQ(0, _test_restart(SUP, "a"));
	test_found(child_pid(SUP, "a"), "web", "");
}

/* Between a death and the start that follows it, somebody else takes the key. */
#define test_taken_meanwhile(id_) \
	do { \
		pid_t pid_ = child_pid(SUP, (id_)); \
		test_suspend(SUP, 0); \
		ASSERT_EQ(0, kill(pid_, SIGKILL)); \
		ASSERT_TRUE(is_waitable(pid_)); \
		test_nobody("web"); \
		ASSERT_EQ(0, order(REGISTER, "web")); \
		test_resume(SUP, 0); \
	} while (0)

TEST_F(keyed, taken_meanwhile_is_a_failed_restart)
{
	struct supervisor_status status;

	test_tree_open(&self->tree, CREATE(.intensity = 2, .period = 3600));
	test_child(SUP, "a", WAITS, KEYED(REG, "web"));
	test_child(SUP, "b", WAITS);
	test_start(SUP);
	trace("started a, started b, up");
	test_taken_meanwhile("a");
	trace("exited a killed, start_failed a EEXIST, start_failed a EEXIST, "
	      "term b, exited b shutdown, down intensity");
	test_status(SUP, &status);
	ASSERT_EQ(SUPERVISOR_DOWN_INTENSITY, status.out_down);
	test_found(A, "web", "");
}

TEST_F(keyed, taken_meanwhile_is_had_when_it_is_free)
{
	struct event event;

	test_tree_open(&self->tree, CREATE(.intensity = 1, .period = 3600));
	test_child(SUP, "a", WAITS, KEYED(REG, "web"), .retry_min_ms = 10,
		   .retry_max_ms = 50, .retry_factor_pct = 200,
		   .flags = SUPERVISOR_CHILD_F_REGISTER |
			    SUPERVISOR_CHILD_F_RETRY_UNCOUNTED);
	test_start(SUP);
	test_taken_meanwhile("a");
	test_event(self->tree.events, SUPERVISOR_EVENT_START_FAILED, "a", &event);
	ASSERT_EQ(A, event.event.head.pid);
	test_event(self->tree.events, SUPERVISOR_EVENT_START_FAILED, "a", &event);
	ASSERT_EQ(1, order(UNREGISTER, "web"));
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "a", &event);
	test_found(event.event.head.pid, "web", "");
}

TEST_F(keyed, taken_meanwhile_escalates)
{
	struct supervisor_create create = CREATE(.intensity = 0);
	int inner, root;

	test_tree_open(&self->tree, CREATE(.intensity = 1, .period = 3600));
	test_create(self->dev, &create, &inner);
	test_child(inner, "x", WAITS, KEYED(REG, "web"));
	test_supervisor_child(SUP, "inner", inner);
	test_start(SUP);
	trace("started x, up inner, up");
	root = SUP;
	SUP = inner;
	test_taken_meanwhile("x");
	SUP = root;
	/* The inner one gives up; its restarts fail until the root does, too. */
	trace("exited x killed, down inner intensity, start_failed x EEXIST, "
	      "down inner init_failed, down intensity");
	close(inner);
}

/* The key is free, but a registry that is mapped has no place for one more. */
TEST_F(keyed, no_room_in_the_mapping)
{
	struct supervisor_start start =
		ARG(supervisor_start, .deadline = after_ms(PATIENCE_MS));
	unsigned int i = 0;
	char key[16];
	int err, mapped;

	test_registry(self->dev,
		      REGISTRY(UNIQUE, .flags = SUPERVISOR_REGISTRY_F_MAP,
			       .map_slots = 64), &mapped);
	do {
		snprintf(key, sizeof(key), "key%u", i++);
		err = _test_register(mapped, key, -1, NULL);
	} while (!err);
	ASSERT_EQ(-ENOSPC, err);
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED(mapped, key));
	ASSERT_EQ(-ECHILD, _test_ioctl(SUP, SUPERVISOR_START, &start));
	ASSERT_EQ(ENOSPC, start.out_error);
	ASSERT_EQ(0, start.out_pid);
	/* What is there makes room for it. */
	while (i--) {
		snprintf(key, sizeof(key), "key%u", i);
		_test_unregister(mapped, key);
	}
	tree_close(&self->tree);
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED(mapped, "web"));
	test_start(SUP);
	ASSERT_EQ(child_pid(SUP, "a"), _test_lookup(mapped, "web", NULL, 0));
	close(mapped);
}

TEST_F(keyed, the_dead_have_nothing)
{
	ASSERT_EQ(0, order(REGISTER, "web"));
	ASSERT_EQ(0, _test_actor_kill(&self->a, SIGKILL));
	ASSERT_TRUE(is_waitable(A));
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED(REG, "web"));
	test_start(SUP);
	test_found(child_pid(SUP, "a"), "web", "");
}

TEST_F(keyed, two_children_of_a_key)
{
	struct supervisor_start start =
		ARG(supervisor_start, .deadline = after_ms(PATIENCE_MS));
	struct event event;

	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED(REG, "web"));
	test_child(SUP, "b", WAITS, KEYED(REG, "web"));
	ASSERT_EQ(-ECHILD, _test_ioctl(SUP, SUPERVISOR_START, &start));
	ASSERT_EQ(EEXIST, start.out_error);
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "a", &event);
	ASSERT_EQ(event.event.head.pid, start.out_pid);
	test_free("web");
}

TEST_F(keyed, kept_for_another_child)
{
	struct supervisor_start start =
		ARG(supervisor_start, .deadline = after_ms(PATIENCE_MS),
		    .out_pid = -1);
	struct tree other;

	test_waits_for_a_spawner(WAITS, KEYED(REG, "web"));
	test_tree_open(&other, CREATE());
	test_child(other.sup, "b", WAITS, KEYED(REG, "web"));
	ASSERT_EQ(-ECHILD, _test_ioctl(other.sup, SUPERVISOR_START, &start));
	ASSERT_EQ(EEXIST, start.out_error);
	ASSERT_EQ(0, start.out_pid);
	/* Its end gives nothing away that is not its own. */
	tree_close(&other);
	test_refused("web", 0);
	test_spawn_one();
	trace("started a, up");
	test_found(child_pid(SUP, "a"), "web", "");
}

/* ---- what the child does with it ---- */

static void attach_and_unregister(struct start *start)
{
	int err = _test_attach(start->spawner->dev, start->token);

	if (err)
		_exit(-err);
	if (_test_unregister(start->program->argument, "web") != 1)
		_exit(99);
	child_attached(start);
}

TEST_F(keyed, unregistered_by_itself)
{
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", PROGRAM(.attach = attach_and_unregister,
				     .argument = REG), KEYED(REG, "web"),
		   .readiness = SUPERVISOR_READINESS_EXEC);
	test_start(SUP);
	test_nobody("web");
	ASSERT_EQ(0, order(REGISTER, "web=mine"));
	test_stop(SUP);
	test_found(A, "web", "mine");
}

static void attach_and_update(struct start *start)
{
	int err = _test_attach(start->spawner->dev, start->token);

	if (err)
		_exit(-err);
	if (start->attempt == 1 &&
	    (_test_update(start->program->argument, "web=another", "one") ||
	     _test_update(start->program->argument, "web=third", "another")))
		_exit(99);
	child_attached(start);
}

TEST_F(keyed, updated_by_itself)
{
	struct supervisor_info tree, spec, updated;

	test_tree_open(&self->tree, CREATE());
	test_info(self->dev, &tree);
	test_child(SUP, "a", PROGRAM(.attach = attach_and_update,
				     .argument = REG),
		   KEYED_VALUE(REG, "web", "one"),
		   .readiness = SUPERVISOR_READINESS_EXEC);
	test_info(self->dev, &spec);
	ASSERT_EQ(tree.out_used[SUPERVISOR_LIMIT_ENTRIES] + 1,
		  spec.out_used[SUPERVISOR_LIMIT_ENTRIES]);
	test_start(SUP);
	trace("started a, up");
	test_found(child_pid(SUP, "a"), "web", "third");
	/* What it has put there is its own, and the spec's is for the next one. */
	test_info(self->dev, &updated);
	ASSERT_EQ(spec.out_used[SUPERVISOR_LIMIT_ENTRIES] + 1,
		  updated.out_used[SUPERVISOR_LIMIT_ENTRIES]);
	ASSERT_EQ(spec.out_used[SUPERVISOR_LIMIT_BYTES] + strlen("webthird"),
		  updated.out_used[SUPERVISOR_LIMIT_BYTES]);
	test_killed("a");
	trace("exited a killed, started a");
	test_found(child_pid(SUP, "a"), "web", "one");
	test_used_again(self->dev, &spec);
}

/* ---- duplicate keys ---- */

FIXTURE(duplicate)
{
	struct tree tree;
	int dev;
	int reg;
	struct supervisor_info before;
};

FIXTURE_VARIANT(duplicate)
{
	__u32 keys;
};

FIXTURE_VARIANT_ADD(duplicate, by_process)
{
	.keys = SUPERVISOR_KEYS_DUPLICATE,
};

FIXTURE_VARIANT_ADD(duplicate, by_key)
{
	.keys = SUPERVISOR_KEYS_DUPLICATE_BY_KEY,
};

FIXTURE_SETUP(duplicate)
{
	struct supervisor_registry_create create =
		ARG(supervisor_registry_create, .keys = variant->keys,
		    .partitions = 4);

	self->tree = NO_TREE;
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_info(self->dev, &self->before);
	test_registry(self->dev, create, &self->reg);
}

FIXTURE_TEARDOWN(duplicate)
{
	tree_close(&self->tree);
	close(self->reg);
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

TEST_F(duplicate, all_have_it)
{
	test_tree_open(&self->tree, CREATE());
	test_register(REG, "web=0");
	test_child(SUP, "a", WAITS, KEYED_VALUE(REG, "web", "1"));
	test_child(SUP, "b", WAITS, KEYED_VALUE(REG, "web", "2"));
	test_child(SUP, "c", WAITS, KEYED_VALUE(REG, "db", "3"));
	test_start(SUP);
	trace("started a, started b, started c, up");
	ASSERT_EQ(3, _test_count_entries(REG, SELECT(SUPERVISOR_SELECT_F_KEY,
						     "web")));
	test_select(REG, "web=2", SUPERVISOR_SELECT_F_PID, "web",
		    .pid = child_pid(SUP, "b"));
	test_killed("b");
	trace("exited b killed, started b");
	test_select(REG, "web=2", SUPERVISOR_SELECT_F_PID, "web",
		    .pid = child_pid(SUP, "b"));
	ASSERT_EQ(4, _test_count_entries(REG, SELECT(0, "")));
	test_stop(SUP);
	test_select(REG, "web=0", 0, "");
}

TEST_F(duplicate, nothing_is_taken_by_a_start)
{
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);
	struct event event;

	test_tree_open(&self->tree, CREATE());
	spawner_stop(&self->tree.spawner);
	test_child(SUP, "a", WAITS, KEYED(REG, "web"));
	test_ioctl(SUP, SUPERVISOR_START, &start);
	test_event(self->tree.events, SUPERVISOR_EVENT_START_REQUEST, "a", &event);
	test_free("web");
	test_stop(SUP);
	test_free("web");
}

/* ---- children of dynamic supervisors ---- */

#define test_dynamic(...) \
	do { \
		test_tree_open(&self->tree, __VA_ARGS__); \
		test_start(SUP); \
	} while (0)

#define test_member(spec_, ...) \
	({ \
		struct supervisor_child_add add_ = \
			CALL(supervisor_child_add, ##__VA_ARGS__); \
		ASSERT_EQ(0, _test_child_add(SUP, (spec_), &add_)); \
		add_; \
	})

/* A start that fails, because @pid_ has the key. */
#define test_already_started(spec_, pid_) \
	do { \
		struct supervisor_child_add add_ = CALL(supervisor_child_add); \
		ASSERT_EQ(-ECHILD, _test_child_add(SUP, (spec_), &add_)); \
		ASSERT_EQ(SUPERVISOR_RESULT_START_FAILED, add_.out_result); \
		ASSERT_EQ(EEXIST, add_.out_error); \
		ASSERT_EQ((pid_), add_.out_pid); \
	} while (0)

#define test_joins(joined_) \
	ASSERT_EQ(0, _test_fork_join(SUP, after_ms(PATIENCE_MS), (joined_)))

#define test_entries_used(entries_) \
	do { \
		struct supervisor_info info_; \
		test_info(self->dev, &info_); \
		ASSERT_EQ((entries_), info_.out_used[SUPERVISOR_LIMIT_ENTRIES] - \
			  self->before.out_used[SUPERVISOR_LIMIT_ENTRIES]); \
	} while (0)

TEST_F(keyed, dynamic_children_have_keys)
{
	struct supervisor_child_spec spec =
		CHILD("a", WAITS, KEYED_VALUE(REG, "web", "one"));
	struct supervisor_child_add one;
	pid_t pid;

	test_dynamic(DYNAMIC());
	one = test_member(&spec);
	test_found(one.out_pid, "web", "one");
	test_refused("web", one.out_pid);
	test_already_started(&spec, one.out_pid);
	/* It is one of its own in all but the key. */
	test_member(&CHILD("a", WAITS, KEYED(REG, "db")));
	test_entries_used(2);
	trace("up, started a, start_failed a EEXIST, started a");
	ASSERT_EQ(0, kill(one.out_pid, SIGKILL));
	trace("exited a killed, started a");
	pid = _test_lookup(REG, "web", NULL, 0);
	ASSERT_LT(0, pid);
	ASSERT_NE(one.out_pid, pid);
	test_found(pid, "web", "one");
	ASSERT_EQ(0, _test_terminate_member(SUP, one.out_id));
	test_free("web");
	one = test_member(&spec, .args = (uintptr_t)"x", .args_len = 1);
	test_found(one.out_pid, "web", "one");
	test_stop(SUP);
	test_free("web");
	test_free("db");
}

TEST_F(keyed, dynamic_start_of_a_taken_one)
{
	struct supervisor_child_spec spec = CHILD("a", WAITS, KEYED(REG, "web"));
	struct supervisor_count count;

	ASSERT_EQ(0, order(REGISTER, "web"));
	test_dynamic(DYNAMIC());
	test_already_started(&spec, A);
	test_count(SUP, &count);
	ASSERT_EQ(0, count.specs);
	ASSERT_EQ(1, order(UNREGISTER, "web"));
	test_found(test_member(&spec).out_pid, "web", "");
}

TEST_F(keyed, dynamic_restart_of_a_taken_one)
{
	test_dynamic(DYNAMIC(.intensity = 2, .period = 3600));
	test_member(&CHILD("a", WAITS, KEYED(REG, "web")));
	test_taken_meanwhile("a");
	trace("up, started a, exited a killed, start_failed a EEXIST, "
	      "start_failed a EEXIST, down intensity");
	test_found(A, "web", "");
}

TEST_F(keyed, dynamic_specs_that_are_refused)
{
	struct supervisor_child_spec spec = CHILD("a", WAITS, KEYED(REG, "web"));
	struct supervisor_child_spec bad = CHILD("a", WAITS, KEYED(self->dev, "web"));
	struct supervisor_create create = SIMPLE(&bad);
	struct supervisor_child_add add = CALL(supervisor_child_add);
	int sup;

	test_dynamic(DYNAMIC(.max_children = 0));
	ASSERT_EQ(-EBADFD, _test_child_add(SUP, &bad, NULL));
	ASSERT_EQ(-EBADFD, _test_create(self->dev, &create, &sup));
	bad.registry_fd = -1;
	ASSERT_EQ(-EBADF, _test_child_add(SUP, &bad, NULL));
	ASSERT_EQ(-EBADF, _test_create(self->dev, &create, &sup));
	bad = spec;
	bad.register_key_len = SUPERVISOR_KEY_MAX + 1;
	ASSERT_EQ(-EMSGSIZE, _test_child_add(SUP, &bad, &add));
	ASSERT_EQ(SUPERVISOR_KEY_MAX, add.out_max);
	ASSERT_EQ(-EMSGSIZE, _test_create(self->dev, &create, &sup));
	/* Nobody has got as far as its key. */
	ASSERT_EQ(-EUSERS, _test_child_add(SUP, &spec, NULL));
	test_free("web");
	test_stop(SUP);
	ASSERT_EQ(-ESHUTDOWN, _test_child_add(SUP, &spec, NULL));
	test_free("web");
}

TEST_F(keyed, a_templates_key_is_had_by_one)
{
	struct supervisor_child_spec template =
		CHILD("a", WAITS, KEYED_VALUE(REG, "web", "one"));
	char buf[2048] __aligned(8);
	struct supervisor_child_spec *seen = (void *)buf;
	struct supervisor_query query =
		CALL(supervisor_query, .buf = (uintptr_t)buf, .buf_len = sizeof(buf));
	struct supervisor_registry_status registry;
	struct supervisor_child_status *child = (void *)buf;
	struct supervisor_status status =
		ARG(supervisor_status, .buf = (uintptr_t)buf, .buf_len = sizeof(buf));
	struct supervisor_child_add one, two;

	ASSERT_EQ(0, _test_registry_status(REG, &registry));
	test_dynamic(SIMPLE(&template));
	test_entries_used(1);
	test_nobody("web");
	test_free("web");
	one = test_member(NULL);
	test_entries_used(2);
	test_found(one.out_pid, "web", "one");
	test_already_started(NULL, one.out_pid);
	test_ioctl(SUP, SUPERVISOR_STATUS, &status);
	ASSERT_EQ(registry.out_id, child->registry);
	ASSERT_STREQ("web", text_at(child, child->key_offset));
	/* The template's, and with arguments the child's, are told alike. */
	test_ioctl(SUP, SUPERVISOR_CHILD_GET_SPEC, &query);
	ASSERT_EQ(SUPERVISOR_CHILD_F_REGISTER, seen->flags);
	ASSERT_EQ(registry.out_id, seen->out_registry);
	ASSERT_STREQ("web", text_at(buf, seen->register_key));
	ASSERT_EQ(0, _test_terminate_member(SUP, one.out_id));
	two = test_member(NULL, .args = (uintptr_t)"x", .args_len = 1);
	test_found(two.out_pid, "web", "one");
	memset(buf, 0, sizeof(buf));
	query.buf_len = sizeof(buf);
	query.child = two.out_id;
	test_ioctl(SUP, SUPERVISOR_CHILD_GET_SPEC, &query);
	ASSERT_STREQ("web", text_at(buf, seen->register_key));
	ASSERT_STREQ("one", text_at(buf, seen->register_value));
	test_stop(SUP);
	test_free("web");
}

TEST_F(keyed, who_joins_has_the_templates_key)
{
	struct supervisor_child_spec template = joiner;
	struct joined one, two;

	template.flags = SUPERVISOR_CHILD_F_REGISTER;
	template.registry_fd = REG;
	template.register_key = (uintptr_t)"web";
	template.register_key_len = 3;
	test_dynamic(DYNAMIC(.spawn = SUPERVISOR_SPAWN_SELF,
			     .child_spec = (uintptr_t)&template));
	test_joins(&one);
	test_found(one.pid, "web", "");
	test_refused("web", one.pid);
	ASSERT_EQ(-EEXIST, _test_fork_join(SUP, after_ms(PATIENCE_MS), &two));
	ASSERT_EQ(SUPERVISOR_RESULT_ALREADY_STARTED, two.join.out_result);
	ASSERT_EQ(one.pid, two.join.out_pid);
	ASSERT_EQ(0, two.join.out_id);
	process_kill(two.pid);
	process_kill(one.pid);
	test_joins(&two);
	test_found(two.pid, "web", "");
	process_kill(two.pid);
	trace("up, started task, exited task killed, started task, "
	      "exited task killed");
	test_free("web");
	ASSERT_EQ(0, order(REGISTER, "web"));
	ASSERT_EQ(-EEXIST, _test_fork_join(SUP, after_ms(PATIENCE_MS), &two));
	ASSERT_EQ(A, two.join.out_pid);
	process_kill(two.pid);
}

/* Who is refused, or gives up, gives the key back. */
TEST_F(keyed, who_may_not_join_has_no_key)
{
	struct supervisor_child_spec template =
		CHILD("a", WAITS, KEYED(REG, "web"), .restart = SUPERVISOR_TEMPORARY);
	struct supervisor_create create =
		DYNAMIC(.spawn = SUPERVISOR_SPAWN_SELF, .max_children = 0,
			.child_spec = (uintptr_t)&template);
	struct joined joined;

	test_dynamic(create);
	ASSERT_EQ(-EUSERS, _test_fork_join(SUP, after_ms(PATIENCE_MS), &joined));
	process_kill(joined.pid);
	test_free("web");
	test_suspend(SUP, 0);
	ASSERT_EQ(-ETIMEDOUT, _test_fork_join(SUP, after_ms(10), &joined));
	process_kill(joined.pid);
	test_free("web");
	test_resume(SUP, 0);
	/* The owner may not. */
	ASSERT_EQ(-EDEADLK, _test_join(SUP, 0, after_ms(PATIENCE_MS), NULL));
	test_free("web");
	test_stop(SUP);
	ASSERT_EQ(-ESHUTDOWN, _test_fork_join(SUP, after_ms(PATIENCE_MS), &joined));
	process_kill(joined.pid);
	test_free("web");
}

struct waiting {
	int sup;
	int err;
};

static void *join_in_process(void *argument)
{
	struct waiting *waiting = argument;
	struct joined joined;

	/* Whoever looks whether the key is free has it for a moment. */
	do {
		waiting->err = _test_fork_join(waiting->sup, after_ms(PATIENCE_MS), &joined);
		process_kill(joined.pid);
	} while (waiting->err == -EEXIST);
	return NULL;
}

TEST_F(keyed, kept_while_who_joins_waits_for_its_turn)
{
	struct supervisor_child_spec template =
		CHILD("a", WAITS, KEYED(REG, "web"), .restart = SUPERVISOR_TEMPORARY);
	struct waiting waiting = {};
	struct joined joined;
	pthread_t thread;

	test_dynamic(DYNAMIC(.spawn = SUPERVISOR_SPAWN_SELF,
			     .child_spec = (uintptr_t)&template));
	test_suspend(SUP, 0);
	waiting.sup = SUP;
	ASSERT_EQ(0, pthread_create(&thread, NULL, join_in_process, &waiting));
	ASSERT_TRUE(eventually(_test_register(REG, "web", -1, NULL) == -EEXIST ||
			       _test_unregister(REG, "web") != 1));
	test_nobody("web");
	test_refused("web", 0);
	ASSERT_EQ(-EEXIST, _test_fork_join(SUP, after_ms(PATIENCE_MS), &joined));
	ASSERT_EQ(0, joined.join.out_pid);
	process_kill(joined.pid);
	test_resume(SUP, 0);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, waiting.err);
	trace("up, started a, exited a killed");
	test_free("web");
}

TEST_F(keyed, who_joined_has_it_again_by_the_spawner)
{
	struct supervisor_child_spec template = CHILD("a", WAITS, KEYED(REG, "web"));
	struct joined joined;
	pid_t pid;

	test_dynamic(DYNAMIC(.spawn = SUPERVISOR_SPAWN_SELF,
			     .child_spec = (uintptr_t)&template));
	test_joins(&joined);
	test_found(joined.pid, "web", "");
	process_kill(joined.pid);
	trace("up, started a, exited a killed, started a");
	pid = _test_lookup(REG, "web", NULL, 0);
	ASSERT_EQ(child_pid(SUP, "a"), pid);
	ASSERT_NE(joined.pid, pid);
}

TEST_F(duplicate, all_of_a_template_have_it)
{
	struct supervisor_child_spec template =
		CHILD("a", WAITS, KEYED_VALUE(REG, "web", "1"));
	struct supervisor_child_add one, two;

	test_dynamic(SIMPLE(&template));
	one = test_member(NULL);
	two = test_member(NULL);
	ASSERT_EQ(2, _test_count_entries(REG, SELECT(SUPERVISOR_SELECT_F_KEY,
						     "web")));
	test_select(REG, "web=1", SUPERVISOR_SELECT_F_PID, "web",
		    .pid = one.out_pid);
	ASSERT_EQ(0, _test_terminate_member(SUP, one.out_id));
	test_select(REG, "web=1", SUPERVISOR_SELECT_F_PID, "web",
		    .pid = two.out_pid);
	ASSERT_EQ(1, _test_count_entries(REG, SELECT(0, "")));
	test_stop(SUP);
	ASSERT_EQ(0, _test_count_entries(REG, SELECT(0, "")));
}

TEST_F(duplicate, all_who_join_have_it)
{
	struct supervisor_child_spec template =
		CHILD("a", WAITS, KEYED(REG, "web"), .restart = SUPERVISOR_TEMPORARY);
	struct joined one, two;

	test_dynamic(DYNAMIC(.spawn = SUPERVISOR_SPAWN_SELF,
			     .child_spec = (uintptr_t)&template));
	test_joins(&one);
	test_joins(&two);
	ASSERT_EQ(2, _test_count_entries(REG, SELECT(SUPERVISOR_SELECT_F_KEY,
						     "web")));
	process_kill(one.pid);
	ASSERT_EQ(1, _test_count_entries(REG, SELECT(0, "")));
	process_kill(two.pid);
	ASSERT_EQ(0, _test_count_entries(REG, SELECT(0, "")));
}

/* ---- what is told of it ---- */

#define test_heard(event_, pid_, value_len_) \
	do { \
		struct supervisor_msg_registry *heard_ = (void *)buf; \
		ASSERT_EQ(1, _test_recv(mailbox, buf, sizeof(buf), 1, \
					after_ms(PATIENCE_MS))); \
		ASSERT_EQ(SUPERVISOR_MSG_REGISTRY, heard_->head.type); \
		ASSERT_EQ(SUPERVISOR_REGISTRY_##event_, heard_->event); \
		ASSERT_EQ((pid_), heard_->head.pid); \
		ASSERT_EQ((value_len_), heard_->value_len); \
		ASSERT_STREQ("web", text_at(buf, heard_->text_offset)); \
	} while (0)

TEST_F(keyed, listeners_hear_of_the_entry_alone)
{
	char buf[512] __aligned(8);
	int mailbox;
	pid_t pid;

	test_mailbox(self->dev, MAILBOX(), &mailbox);
	ASSERT_EQ(0, _test_listen(REG, mailbox, SUPERVISOR_LISTEN_F_DEATHS));
	test_waits_for_a_spawner(WAITS, KEYED_VALUE(REG, "web", "one"));
	ASSERT_EQ(-EAGAIN, _test_recv(mailbox, buf, sizeof(buf), 1, 0));
	test_spawner_start(&self->tree.spawner, self->tree.dev,
			   self->tree.mailbox);
	trace("started a, up");
	pid = child_pid(SUP, "a");
	test_heard(REGISTERED, pid, 3);
	test_killed("a");
	trace("exited a killed, started a");
	test_heard(DIED, pid, 0);
	test_heard(REGISTERED, child_pid(SUP, "a"), 3);
	pid = child_pid(SUP, "a");
	test_stop(SUP);
	test_heard(DIED, pid, 0);
	close(mailbox);
}

TEST_F(keyed, status_tells_the_key)
{
	struct supervisor_registry_status registry;
	char buf[1024] __aligned(8);
	struct supervisor_status status = ARG(supervisor_status,
		.buf = (uintptr_t)buf, .buf_len = sizeof(buf));
	struct supervisor_child_status *child = (void *)buf;

	ASSERT_EQ(0, _test_registry_status(REG, &registry));
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED_VALUE(REG, "web", "one"));
	test_child(SUP, "bb", WAITS);
	test_ioctl(SUP, SUPERVISOR_STATUS, &status);
	ASSERT_EQ(registry.out_id, child->registry);
	ASSERT_EQ(3, child->key_len);
	ASSERT_STREQ("web", text_at(child, child->key_offset));
	ASSERT_STREQ("a", text_at(child, child->name_offset));
	child = (void *)buf + child->size;
	ASSERT_STREQ("bb", text_at(child, child->name_offset));
	ASSERT_EQ(0, child->registry);
	ASSERT_EQ(0, child->key_len);
	ASSERT_EQ(0, child->key_offset);
}

TEST_F(keyed, get_spec_reads_back)
{
	struct supervisor_registry_status registry;
	char buf[2048] __aligned(8);
	struct supervisor_child_spec *seen = (void *)buf;
	struct supervisor_query query =
		CALL(supervisor_query, .buf = (uintptr_t)buf,
		     .buf_len = sizeof(buf), .id = (uintptr_t)"a", .id_len = 1);

	ASSERT_EQ(0, _test_registry_status(REG, &registry));
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED_VALUE(REG, "web", "one"));
	test_start(SUP);
	test_ioctl(SUP, SUPERVISOR_CHILD_GET_SPEC, &query);
	ASSERT_EQ(SUPERVISOR_CHILD_F_REGISTER, seen->flags);
	ASSERT_EQ(-1, seen->registry_fd);
	ASSERT_EQ(registry.out_id, seen->out_registry);
	ASSERT_EQ(3, seen->register_key_len);
	ASSERT_STREQ("web", text_at(buf, seen->register_key));
	ASSERT_EQ(3, seen->register_value_len);
	ASSERT_STREQ("one", text_at(buf, seen->register_value));
	ASSERT_STREQ("a", text_at(buf, seen->id));
	ASSERT_LE(seen->register_value + 4, query.buf_len);
}

/* ---- how long a registry lives ---- */

TEST_F(keyed, a_spec_keeps_the_registry)
{
	char name[32];
	int named, reg;

	snprintf(name, sizeof(name), "/keyed.%d", getpid());
	test_registry(self->dev, NAMED_REGISTRY(name, UNIQUE), &named);
	test_tree_open(&self->tree, CREATE());
	test_child(SUP, "a", WAITS, KEYED(named, "web"));
	close(named);
	test_start(SUP);
	test_open_registry(self->dev, name, O_RDWR, &reg);
	ASSERT_EQ(child_pid(SUP, "a"), _test_lookup(reg, "web", NULL, 0));
	close(reg);
	test_stop(SUP);
	/* It would start again with what it was made with. */
	test_open_registry(self->dev, name, O_RDWR, &reg);
	close(reg);
	tree_close(&self->tree);
	ASSERT_TRUE(eventually(registry_is_gone(self->dev, name)));
}

TEST_F(keyed, a_released_child_is_still_registered)
{
	pid_t pid;

	test_tree_open(&self->tree, CREATE(.owner_death =
					   SUPERVISOR_OWNER_DEATH_RELEASE));
	test_child(SUP, "a", WAITS, KEYED(REG, "web"));
	test_start(SUP);
	pid = child_pid(SUP, "a");
	tree_abandon(&self->tree);
	sleep_ms(50);
	test_found(pid, "web", "");
	process_kill(pid);
	test_nobody("web");
}

/* ---- races ---- */

/* Has the key and gives it back, again and again. */
static int register_for_ever(void *argument)
{
	int reg = *(int *)argument;
	struct supervisor_register result;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		err = _test_register(reg, "web", -1, &result);
		if (err && err != -EEXIST)
			return err;
		if (!err && _test_unregister(reg, "web") != 1)
			return -EPROTO;
	}
}

/* Of those who want it at the same time one gets it, and the others are told. */
TEST_F(keyed, starts_against_registers)
{
	struct supervisor_child_spec spec =
		CHILD("a", WAITS, KEYED(REG, "web"),
		      .restart = SUPERVISOR_TEMPORARY);
	unsigned int started = 0, taken = 0, i;
	struct supervisor_child_add add;
	pid_t rival;
	int err;

	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	rival = fork();
	if (!rival)
		_exit(-register_for_ever(&self->reg));
	for (i = 0; i < rounds(300) || !started || !taken; i++) {
		add = CALL(supervisor_child_add);
		err = _test_child_add(SUP, &spec, &add);
		if (!err) {
			started++;
			test_found(add.out_pid, "web", "");
			test_refused("web", add.out_pid);
			ASSERT_EQ(0, _test_terminate(SUP, "a"));
			waitpid(add.out_pid, NULL, 0);
			continue;
		}
		ASSERT_EQ(-ECHILD, err);
		ASSERT_EQ(EEXIST, add.out_error);
		ASSERT_EQ(rival, add.out_pid);
		taken++;
		ASSERT_TRUE(is_alive(rival));
	}
	TH_LOG("%u started, %u found it taken", started, taken);
	process_kill(rival);
}

/* A child's death, and another's start for the same key, at the same time. */
TEST_F(keyed, starts_against_deaths)
{
	struct supervisor_child_spec spec[2] = {
		CHILD("a", WAITS, KEYED(REG, "web"),
		      .restart = SUPERVISOR_TEMPORARY),
		CHILD("b", WAITS, KEYED(REG, "web"),
		      .restart = SUPERVISOR_TEMPORARY),
	};
	struct supervisor_child_add add;
	pid_t last = 0;
	unsigned int i;
	int err;

	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	for (i = 0; i < rounds(200); i++) {
		if (last)
			ASSERT_EQ(0, kill(last, SIGKILL));
		/* Its death may be seen or not; but then it is the holder. */
		do {
			add = CALL(supervisor_child_add);
			err = _test_child_add(SUP, &spec[i % 2], &add);
			if (err == -ECHILD)
				ASSERT_EQ(last, add.out_pid);
		} while (err == -ECHILD && add.out_error == EEXIST);
		ASSERT_EQ(0, err);
		test_found(add.out_pid, "web", "");
		if (last)
			waitpid(last, NULL, 0);
		last = add.out_pid;
		ASSERT_EQ(1, _test_count_entries(REG, SELECT(0, "web")));
	}
}

TEST_HARNESS_MAIN
