// SPDX-License-Identifier: GPL-2.0
/*
 * Dynamic supervisors' rules with real processes, in both modes: Elixir's
 * DynamicSupervisor, and OTP's simple_one_for_one; children that the spawner
 * makes, and children that join.
 */
#include <stdio.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

FIXTURE(dynamic)
{
	struct tree tree;
};

FIXTURE_SETUP(dynamic)
{
	self->tree = NO_TREE;
}

FIXTURE_TEARDOWN(dynamic)
{
	tree_close(&self->tree);
}

#define SUP (self->tree.sup)
#define DEV (self->tree.dev)
#define EVENTS (self->tree.events)

#define trace(expected_) test_trace(EVENTS, expected_)

#define test_up(...) \
	do { \
		test_tree_open(&self->tree, __VA_ARGS__); \
		test_start(SUP); \
		trace("up"); \
	} while (0)

/* start_child: what it answers; the spec is NULL for the template. */
#define test_add(errno_, result_, spec_, ...) \
	({ \
		struct supervisor_child_add add_ = \
			CALL(supervisor_child_add, .out_result = ~0U, ##__VA_ARGS__); \
		ASSERT_EQ(-(errno_), _test_child_add(SUP, (spec_), &add_)); \
		ASSERT_EQ((result_), add_.out_result); \
		add_; \
	})

#define test_new(...) \
	test_add(0, SUPERVISOR_RESULT_OK, &CHILD(__VA_ARGS__))

#define test_end(errno_, result_, ...) \
	do { \
		struct supervisor_child_call end_ = \
			CALL(supervisor_child_call, .out_result = ~0U, __VA_ARGS__); \
		ASSERT_EQ(-(errno_), _test_ioctl(SUP, SUPERVISOR_CHILD_TERMINATE, \
						 &end_)); \
		ASSERT_EQ((result_), end_.out_result); \
	} while (0)

#define test_end_ok(...) test_end(0, SUPERVISOR_RESULT_OK, __VA_ARGS__)

#define test_counts(specs_, active_, supervisors_, workers_) \
	do { \
		struct supervisor_count count_; \
		test_count(SUP, &count_); \
		ASSERT_EQ((specs_), count_.specs); \
		ASSERT_EQ((active_), count_.active); \
		ASSERT_EQ((supervisors_), count_.supervisors); \
		ASSERT_EQ((workers_), count_.workers); \
	} while (0)

/* The child of that number, page by page; -ENOENT. */
static int _test_member(int sup, __u64 number, struct supervisor_child_status *status)
{
	struct supervisor_child_status page[2];
	struct supervisor_status look = ARG(supervisor_status);
	const struct supervisor_child_status *child;
	__u32 at;
	int err;

	do {
		look.buf = (uintptr_t)page;
		look.buf_len = sizeof(page);
		err = _test_ioctl(sup, SUPERVISOR_STATUS, &look);
		if (err)
			return err;
		for (at = 0; at < look.buf_len; at += child->size) {
			child = (void *)((char *)page + at);
			if (child->id != number)
				continue;
			*status = *child;
			return 0;
		}
	} while (look.cursor);
	return -ENOENT;
}

static __u32 member_state(int sup, __u64 number)
{
	struct supervisor_child_status status;

	return _test_member(sup, number, &status) ? ~0U : status.state;
}

#define test_member(...) ASSERT_EQ(0, _test_member(SUP, __VA_ARGS__))

#define test_fork_join(joined_) \
	ASSERT_EQ(0, _test_fork_join(SUP, after_ms(PATIENCE_MS), (joined_)))

/* ---- creation ---- */

#define test_bad_create(errno_, invalid_, ...) \
	do { \
		struct supervisor_create create_ = __VA_ARGS__; \
		int sup_; \
		ASSERT_EQ(-(errno_), _test_create(dev, &create_, &sup_)); \
		ASSERT_EQ((invalid_), create_.out_invalid); \
		ASSERT_EQ(-1, create_.out_fd); \
	} while (0)

TEST_F(dynamic, bad_creation)
{
	struct supervisor_info before;
	int dev = device_open();

	test_info(dev, &before);
	test_bad_create(EOPNOTSUPP, 0, CREATE(.kind = 3));
	test_bad_create(EOPNOTSUPP, 0, DYNAMIC(.spawn = 2));
	test_bad_create(EINVAL, 0, CREATE(.max_children = 1));
	test_bad_create(EINVAL, 0, CREATE(.spawn = SUPERVISOR_SPAWN_SELF));
	test_bad_create(EINVAL, 0, CREATE(.child_spec = (uintptr_t)&joiner));
	test_bad_create(EINVAL, 0, SIMPLE(NULL));
	test_bad_create(EINVAL, 0, DYNAMIC(.spawn = SUPERVISOR_SPAWN_SELF));
	test_bad_create(EINVAL, SUPERVISOR_INVALID_STRATEGY,
			DYNAMIC(.strategy = SUPERVISOR_REST_FOR_ONE));
	test_bad_create(EINVAL, SUPERVISOR_INVALID_INTENSITY, DYNAMIC(.intensity = -1));
	test_bad_create(EINVAL, SUPERVISOR_INVALID_PERIOD, DYNAMIC(.period = 0));
	test_bad_create(EINVAL, SUPERVISOR_INVALID_MAX_CHILDREN, DYNAMIC(.max_children = -2));
	test_bad_create(EINVAL, SUPERVISOR_INVALID_MAX_CHILDREN,
			DYNAMIC(.max_children = 1LL << 32,
				.auto_shutdown = SUPERVISOR_AUTO_SHUTDOWN_ANY_SIGNIFICANT));
	test_bad_create(EINVAL, SUPERVISOR_INVALID_AUTO_SHUTDOWN,
			DYNAMIC(.auto_shutdown = SUPERVISOR_AUTO_SHUTDOWN_ANY_SIGNIFICANT));
	ASSERT_TRUE(used_is(dev, &before));
	close(dev);
}

#define test_bad_template(errno_, invalid_, ...) \
	do { \
		struct supervisor_child_spec spec_ = CHILD("a", WAITS, __VA_ARGS__); \
		test_bad_create((errno_), (invalid_), SIMPLE(&spec_)); \
	} while (0)

TEST_F(dynamic, bad_template)
{
	struct supervisor_info before;
	int dev = device_open();

	test_info(dev, &before);
	test_bad_create(EFAULT, 0, SIMPLE(8));
	test_bad_template(EFAULT, 0, .blob = 8);
	test_bad_template(EFAULT, 0, .id = 8);
	test_bad_template(EMSGSIZE, 0, .blob_len = SUPERVISOR_BLOB_MAX + 1);
	test_bad_template(EINVAL, 0, .size = 8);
	test_bad_template(EINVAL, 0, .supervisor_fd = 0);
	test_bad_template(EINVAL, 0, .stop_signal = 65);
	test_bad_template(EINVAL, 0, .__reserved = 1);
	test_bad_template(EOPNOTSUPP, 0, .readiness = 3);
	test_bad_template(EINVAL, SUPERVISOR_INVALID_ID, .id_len = 0);
	test_bad_template(EINVAL, SUPERVISOR_INVALID_ID, .id = (uintptr_t)"/");
	test_bad_template(EINVAL, SUPERVISOR_INVALID_RESTART_TYPE, .restart = 3);
	test_bad_template(EINVAL, SUPERVISOR_INVALID_SHUTDOWN, .shutdown_ms = -3);
	test_bad_template(EINVAL, SUPERVISOR_INVALID_COMBINATION_AUTO_SHUTDOWN,
			  .significant = 1, .restart = SUPERVISOR_TEMPORARY);
	ASSERT_TRUE(used_is(dev, &before));
	close(dev);
}

TEST_F(dynamic, says_what_it_is)
{
	struct supervisor_status status;

	test_up(DYNAMIC(.max_children = 7));
	test_status(SUP, &status);
	ASSERT_EQ(SUPERVISOR_DYNAMIC, status.out_kind);
	ASSERT_EQ(SUPERVISOR_SPAWN_SPAWNER, status.out_spawn);
	ASSERT_EQ(7, status.out_max_children);
	ASSERT_EQ(0, status.out_count);
	ASSERT_EQ(0, status.cursor);
}

/* ---- children ---- */

TEST_F(dynamic, begins_with_none)
{
	test_up(DYNAMIC());
	test_which(SUP, "");
	test_counts(0, 0, 0, 0);
}

TEST_F(dynamic, no_calls_before_and_after)
{
	test_tree_open(&self->tree, DYNAMIC());
	test_add(ESHUTDOWN, SUPERVISOR_RESULT_NOPROC, &CHILD("a", WAITS));
	test_end(ESHUTDOWN, SUPERVISOR_RESULT_NOPROC, .child = 1);
	test_start(SUP);
	test_new("a", WAITS);
	test_stop(SUP);
	test_add(ESHUTDOWN, SUPERVISOR_RESULT_NOPROC, &CHILD("a", WAITS));
	trace("up, started a, term a, exited a shutdown, down stopped");
}

TEST_F(dynamic, ids_may_repeat)
{
	struct supervisor_child_add one, two;
	struct supervisor_child_status status;

	test_up(DYNAMIC());
	one = test_new("a", WAITS);
	two = test_new("a", WAITS);
	ASSERT_LT(one.out_id, two.out_id);
	ASSERT_NE(one.out_pid, two.out_pid);
	ASSERT_TRUE(is_alive(one.out_pid));
	test_which(SUP, "a running, a running");
	test_counts(2, 2, 0, 2);
	test_member(two.out_id, &status);
	ASSERT_EQ(two.out_pid, status.pid);
	ASSERT_EQ(1, status.incarnation);
	test_end_ok(.child = one.out_id);
	ASSERT_FALSE(is_alive(one.out_pid));
	ASSERT_TRUE(is_alive(two.out_pid));
	trace("started a, started a, term a, exited a shutdown");
	test_counts(1, 1, 0, 1);
}

TEST_F(dynamic, bad_specs_change_nothing)
{
	struct supervisor_info before;
	struct supervisor_child_add add;

	test_up(DYNAMIC());
	add = test_add(EINVAL, SUPERVISOR_RESULT_INVALID, &CHILD("a", WAITS, .restart = 3));
	ASSERT_EQ(SUPERVISOR_INVALID_RESTART_TYPE, add.out_invalid);
	add = test_add(EINVAL, SUPERVISOR_RESULT_INVALID,
		       &CHILD("a", WAITS, .significant = 1,
			      .restart = SUPERVISOR_TEMPORARY));
	ASSERT_EQ(SUPERVISOR_INVALID_SIGNIFICANT, add.out_invalid);
	add = test_add(EINVAL, SUPERVISOR_RESULT_INVALID, &CHILD("", WAITS));
	ASSERT_EQ(SUPERVISOR_INVALID_ID, add.out_invalid);
	/* It has no template. */
	test_add(EINVAL, SUPERVISOR_RESULT_INVALID, NULL);
	test_add(EFAULT, SUPERVISOR_RESULT_OK, &CHILD("a", WAITS), .args = 8, .args_len = 8);
	test_add(EINVAL, SUPERVISOR_RESULT_INVALID, &CHILD("a", WAITS), .args_len = 8);
	test_add(EMSGSIZE, SUPERVISOR_RESULT_OK, &CHILD("a", WAITS), .args = (uintptr_t)"",
		 .args_len = SUPERVISOR_BLOB_MAX);
	test_counts(0, 0, 0, 0);
	/* The last spec is kept to compare with. */
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_info(DEV, &before);
	test_add(EINVAL, SUPERVISOR_RESULT_INVALID, &CHILD("a", WAITS, .restart = 4));
	test_used_again(DEV, &before);
}

TEST_F(dynamic, args_go_beside_the_blob)
{
	union {
		struct supervisor_msg_start start;
		char bytes[4096];
	} __aligned(8) message;
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .args = (uintptr_t)"pond", .args_len = 5);
	struct supervisor_child_spec template =
		CHILD("a", WAITS, .blob = (uintptr_t)"frog", .blob_len = 5);

	test_up(SIMPLE(&template));
	spawner_stop(&self->tree.spawner);
	add.mailbox_fd = self->tree.mailbox;
	ASSERT_EQ(0, _test_child_add(SUP, NULL, &add));
	ASSERT_EQ(1, _test_recv(self->tree.mailbox, &message, sizeof(message), 1,
				after_ms(PATIENCE_MS)));
	ASSERT_EQ(SUPERVISOR_MSG_START, message.start.head.type);
	ASSERT_EQ(SUPERVISOR_MSG_F_DYNAMIC, message.start.head.flags);
	ASSERT_EQ(5, message.start.blob_len);
	ASSERT_STREQ("frog", text_at(&message, message.start.blob_offset));
	ASSERT_EQ(5, message.start.args_len);
	ASSERT_STREQ("pond", text_at(&message, message.start.args_offset));
	ASSERT_STREQ("a", text_at(&message, message.start.text_offset));
	ASSERT_EQ(0, _test_report(DEV, message.start.head.ref, SUPERVISOR_REPORT_IGNORE, 0));
	test_spawner_start(&self->tree.spawner, DEV, self->tree.mailbox);
}

TEST_F(dynamic, failed_and_ignored_starts_leave_nothing)
{
	struct supervisor_child_add add;

	test_up(DYNAMIC());
	add = test_add(ECHILD, SUPERVISOR_RESULT_START_FAILED,
		       &CHILD("a", SPAWNS(spawn_fail, ENOENT)));
	ASSERT_EQ(ENOENT, add.out_error);
	test_add(0, SUPERVISOR_RESULT_OK_UNDEFINED, &CHILD("a", SPAWNS(spawn_ignore, 0)));
	trace("start_failed a ENOENT, ignored a");
	test_counts(0, 0, 0, 0);
}

FIXTURE(dies)
{
	struct tree tree;
};

FIXTURE_VARIANT(dies)
{
	__u32 restart;
	const struct program *program;
	const char *trace;
	bool stays;
};

FIXTURE_SETUP(dies)
{
	self->tree = NO_TREE;
}

FIXTURE_TEARDOWN(dies)
{
	tree_close(&self->tree);
}

#define DIES(name_, ...) \
	FIXTURE_VARIANT_ADD(dies, name_) { __VA_ARGS__ }

DIES(permanent_normal, .restart = SUPERVISOR_PERMANENT, .stays = true,
     .program = RUNS(child_exit_when_told, 0), .trace = "exited a normal, started a");
DIES(permanent_crash, .restart = SUPERVISOR_PERMANENT, .stays = true,
     .program = RUNS(child_exit_when_told, 1), .trace = "exited a crash, started a");
DIES(transient_normal, .restart = SUPERVISOR_TRANSIENT,
     .program = RUNS(child_exit_when_told, 0), .trace = "exited a normal");
DIES(transient_crash, .restart = SUPERVISOR_TRANSIENT, .stays = true,
     .program = RUNS(child_exit_when_told, 1), .trace = "exited a crash, started a");
DIES(temporary_normal, .restart = SUPERVISOR_TEMPORARY,
     .program = RUNS(child_exit_when_told, 0), .trace = "exited a normal");
DIES(temporary_crash, .restart = SUPERVISOR_TEMPORARY,
     .program = RUNS(child_exit_when_told, 1), .trace = "exited a crash");

TEST_F(dies, as_its_restart_type_says)
{
	struct supervisor_child_status status;
	struct supervisor_child_add add;

	test_up(DYNAMIC());
	add = test_new("a", variant->program, .restart = variant->restart);
	trace("started a");
	test_tell(SUP, "a");
	trace(variant->trace);
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	if (!variant->stays) {
		ASSERT_EQ(-ENOENT, _test_member(SUP, add.out_id, &status));
		test_end(ENOENT, SUPERVISOR_RESULT_NOT_FOUND, .child = add.out_id);
		return;
	}
	test_member(add.out_id, &status);
	ASSERT_EQ(2, status.incarnation);
	ASSERT_NE(add.out_pid, status.pid);
	/* The run before is meant by nobody any more. */
	test_end(ENOENT, SUPERVISOR_RESULT_NOT_FOUND, .child = add.out_id, .incarnation = 1);
	test_end_ok(.child = add.out_id, .incarnation = 2);
}

TEST_F(dynamic, max_children)
{
	struct supervisor_child_add one, two;

	test_up(DYNAMIC(.max_children = 2));
	one = test_new("a", WAITS);
	two = test_new("b", WAITS);
	test_add(EUSERS, SUPERVISOR_RESULT_MAX_CHILDREN, &CHILD("c", WAITS));
	/* A bad spec is seen before that. */
	test_add(EINVAL, SUPERVISOR_RESULT_INVALID, &CHILD("c", WAITS, .restart = 3));
	trace("started a, started b");
	test_end_ok(.child = one.out_id);
	test_new("c", WAITS);
	trace("term a, exited a shutdown, started c");
	test_end_ok(.child = two.out_id);
	test_counts(1, 1, 0, 1);
}

TEST_F(dynamic, no_children_at_all)
{
	test_up(DYNAMIC(.max_children = 0));
	test_add(EUSERS, SUPERVISOR_RESULT_MAX_CHILDREN, &CHILD("a", WAITS));
	test_counts(0, 0, 0, 0);
}

/* A child whose restart fails, and is tried again later than this test takes. */
#define test_restarting(id_) \
	({ \
		struct supervisor_child_add add_ = \
			test_new((id_), FAILS_AT(~1L << 1), \
				 .retry_min_ms = 3600000, .retry_max_ms = 3600000, \
				 .retry_factor_pct = 100, .retry_reset_after_ms = 0); \
		ASSERT_EQ(0, kill(add_.out_pid, SIGKILL)); \
		ASSERT_TRUE(eventually(member_state(SUP, add_.out_id) == \
				       SUPERVISOR_CHILD_RESTARTING)); \
		add_; \
	})

TEST_F(dynamic, who_restarts_is_there_under_its_old_number)
{
	struct supervisor_child_status status;
	struct supervisor_child_add add;

	test_up(DYNAMIC(.max_children = 1));
	add = test_restarting("a");
	test_member(add.out_id, &status);
	ASSERT_EQ(1, status.incarnation);
	ASSERT_EQ(0, status.pid);
	test_which(SUP, "a restarting");
	test_counts(1, 0, 0, 1);
	test_add(EUSERS, SUPERVISOR_RESULT_MAX_CHILDREN, &CHILD("b", WAITS));
	test_end_ok(.child = add.out_id, .incarnation = 1);
	test_counts(0, 0, 0, 0);
	test_new("b", WAITS);
}

TEST_F(dynamic, ignored_restart_deletes)
{
	struct supervisor_child_add add;

	test_up(DYNAMIC());
	add = test_new("a", IGNORES_AT(~1L << 1));
	ASSERT_EQ(0, kill(add.out_pid, SIGKILL));
	trace("started a, exited a killed, ignored a");
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_end(ENOENT, SUPERVISOR_RESULT_NOT_FOUND, .child = add.out_id);
	test_counts(0, 0, 0, 0);
}

TEST_F(dynamic, failed_restarts_are_counted)
{
	struct supervisor_child_add add;

	test_up(DYNAMIC(.intensity = 2, .period = 3600));
	test_new("b", WAITS);
	add = test_new("a", FAILS_AT(~1L << 1));
	ASSERT_EQ(0, kill(add.out_pid, SIGKILL));
	trace("started b, started a, exited a killed, start_failed a ENOENT, "
	      "start_failed a ENOENT, term b, exited b shutdown, down intensity");
}

TEST_F(dynamic, intensity)
{
	struct supervisor_child_add one, two;

	test_up(DYNAMIC(.intensity = 1, .period = 3600));
	one = test_new("a", WAITS);
	two = test_new("b", WAITS);
	ASSERT_EQ(0, kill(one.out_pid, SIGKILL));
	trace("started a, started b, exited a killed, started a");
	ASSERT_EQ(0, kill(two.out_pid, SIGKILL));
	trace("exited b killed, term a, exited a shutdown, down intensity");
}

TEST_F(dynamic, calls_that_mean_nobody)
{
	struct supervisor_child_add add;
	struct actor stranger;
	pid_t pid;

	test_up(DYNAMIC());
	test_actor(DEV, &stranger);
	pid = stranger.pid;
	add = test_new("a", WAITS);
	test_end(ENOENT, SUPERVISOR_RESULT_NOT_FOUND, .child = add.out_id + 1000000);
	test_end(ENOENT, SUPERVISOR_RESULT_NOT_FOUND, .child = add.out_id, .incarnation = 2);
	test_end(ENOENT, SUPERVISOR_RESULT_NOT_FOUND, .pid = pid);
	test_end(ENOENT, SUPERVISOR_RESULT_NOT_FOUND, .id = (uintptr_t)"a", .id_len = 1);
	test_end(EINVAL, SUPERVISOR_RESULT_OK, .child = 0);
	test_end(EINVAL, SUPERVISOR_RESULT_OK, .child = add.out_id, .pid = add.out_pid);
	test_end(EINVAL, SUPERVISOR_RESULT_OK, .pid = add.out_pid, .incarnation = 1);
	test_end(EINVAL, SUPERVISOR_RESULT_OK, .pid = -1);
	actor_end(&stranger);
	test_end(ENOENT, SUPERVISOR_RESULT_NOT_FOUND, .pid = pid);
	test_result(SUP, SUPERVISOR_CHILD_RESTART, "a", EOPNOTSUPP,
		    SUPERVISOR_RESULT_DYNAMIC);
	test_result(SUP, SUPERVISOR_CHILD_DELETE, "a", EOPNOTSUPP,
		    SUPERVISOR_RESULT_DYNAMIC);
	test_counts(1, 1, 0, 1);
	test_end_ok(.pid = add.out_pid);
	test_end(ENOENT, SUPERVISOR_RESULT_NOT_FOUND, .pid = add.out_pid);
	test_counts(0, 0, 0, 0);
}

TEST_F(dynamic, ordered_ones_know_no_numbers)
{
	test_tree_open(&self->tree, CREATE());
	test_start(SUP);
	test_end(EINVAL, SUPERVISOR_RESULT_OK, .id = (uintptr_t)"a", .id_len = 1, .child = 1);
	test_end(EINVAL, SUPERVISOR_RESULT_OK, .id = (uintptr_t)"a", .id_len = 1, .pid = 1);
	test_end(EINVAL, SUPERVISOR_RESULT_OK, .id = (uintptr_t)"a", .id_len = 1,
		 .incarnation = 1);
	test_add(EINVAL, SUPERVISOR_RESULT_INVALID, &CHILD("a", WAITS), .args = 8, .args_len = 1);
	test_which(SUP, "");
}

TEST_F(dynamic, spec_by_number)
{
	static char buf[4096] __aligned(8);
	struct supervisor_query query =
		CALL(supervisor_query, .buf = (uintptr_t)buf, .buf_len = sizeof(buf));
	const struct supervisor_child_spec *spec = (void *)buf;

	test_up(DYNAMIC());
	query.child = test_new("a", WAITS, .restart = SUPERVISOR_TEMPORARY,
			       .shutdown_ms = 1234).out_id;
	test_ioctl(SUP, SUPERVISOR_CHILD_GET_SPEC, &query);
	ASSERT_EQ(SUPERVISOR_TEMPORARY, spec->restart);
	ASSERT_EQ(1234, spec->shutdown_ms);
	ASSERT_STREQ("a", text_at(spec, spec->id));
	ASSERT_EQ(sizeof(struct program), spec->blob_len);
	query.buf_len = sizeof(buf);
	query.child++;
	ASSERT_EQ(-ENOENT, _test_ioctl(SUP, SUPERVISOR_CHILD_GET_SPEC, &query));
	query.child = 0;
	ASSERT_EQ(-EINVAL, _test_ioctl(SUP, SUPERVISOR_CHILD_GET_SPEC, &query));
}

/* ---- many ---- */

#define PAGED 20

/* A page of children: how many, in the order of their coming; the last number. */
static int page(int sup, __u64 *cursor, __u64 *last)
{
	struct supervisor_child_status buf[4];
	struct supervisor_query query =
		CALL(supervisor_query, .buf = (uintptr_t)buf, .buf_len = sizeof(buf),
		     .cursor = *cursor);
	const struct supervisor_child_status *child;
	int err = _test_ioctl(sup, SUPERVISOR_WHICH_CHILDREN, &query);
	__u32 at;

	if (err)
		return err;
	for (at = 0; at < query.buf_len; at += child->size) {
		child = (void *)((char *)buf + at);
		if (child->id <= *last)
			return -EPROTO;
		*last = child->id;
	}
	*cursor = query.cursor;
	return query.out_count;
}

TEST_F(dynamic, which_children_by_pages)
{
	struct supervisor_query query = CALL(supervisor_query);
	__u64 cursor = 0, last = 0;
	int i, count, seen = 0;

	test_up(DYNAMIC());
	for (i = 0; i < PAGED; i++)
		test_new("a", WAITS);
	do {
		count = page(SUP, &cursor, &last);
		ASSERT_LT(0, count);
		seen += count;
		/* Where it goes on is not there any more. */
		if (cursor)
			test_end_ok(.child = cursor);
	} while (cursor);
	ASSERT_EQ(PAGED, seen);
	/* No room for one. */
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(SUP, SUPERVISOR_WHICH_CHILDREN, &query));
	ASSERT_LE(sizeof(struct supervisor_child_status), query.buf_len);
	query.cursor = 1;
	ASSERT_EQ(-EINVAL, _test_ioctl(SUP, SUPERVISOR_COUNT_CHILDREN, &query));
}

/* ---- the end ---- */

TEST_F(dynamic, all_are_asked_at_once)
{
	struct supervisor_child_add child[3];
	struct event event;
	int i;

	test_up(DYNAMIC());
	child[0] = test_new("a", WAITS);
	child[1] = test_new("b", RUNS(child_ignore, SIGTERM), .shutdown_ms = 500);
	child[2] = test_new("c", WAITS, .shutdown_ms = SUPERVISOR_SHUTDOWN_KILL);
	test_ignores(SUP, "b", SIGTERM);
	trace("started a, started b, started c");
	/* What dies of it is found dead when all have been asked. */
	ASSERT_EQ(0, kill(child[0].out_pid, SIGSTOP));
	ASSERT_TRUE(process_becomes(child[0].out_pid, "T"));
	test_stop(SUP);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, _test_next(EVENTS, &event, after_ms(PATIENCE_MS)));
		ASSERT_EQ(i < 2 ? SUPERVISOR_EVENT_TERM : SUPERVISOR_EVENT_KILL,
			  event.event.event);
	}
	ASSERT_FALSE(is_alive(child[1].out_pid));
	ASSERT_FALSE(is_alive(child[2].out_pid));
}

TEST_F(dynamic, who_takes_too_long_is_killed)
{
	struct event event;

	test_up(DYNAMIC());
	test_new("a", RUNS(child_ignore, SIGTERM), .shutdown_ms = 1);
	test_ignores(SUP, "a", SIGTERM);
	test_stop(SUP);
	test_event(EVENTS, SUPERVISOR_EVENT_KILL, "a", &event);
	trace("exited a killed, down stopped");
}

TEST_F(dynamic, stop_during_a_start)
{
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC);
	union {
		struct supervisor_msg_answer answer;
		char bytes[4096];
	} __aligned(8) message;
	int answers;

	test_up(DYNAMIC());
	test_mailbox_create(DEV, 0, &answers);
	add.mailbox_fd = answers;
	ASSERT_EQ(0, _test_child_add(SUP, &CHILD("a", SPAWNS(spawn_nothing, 0)), &add));
	test_stop(SUP);
	ASSERT_EQ(1, _test_recv(answers, &message, sizeof(message), 1, after_ms(PATIENCE_MS)));
	ASSERT_EQ(SUPERVISOR_MSG_ANSWER, message.answer.head.type);
	ASSERT_EQ(SUPERVISOR_RESULT_EXIT, message.answer.result);
	close(answers);
}

TEST_F(dynamic, release)
{
	struct supervisor_child_add add;

	test_up(DYNAMIC(.owner_death = SUPERVISOR_OWNER_DEATH_RELEASE));
	add = test_new("a", WAITS);
	tree_abandon(&self->tree);
	ASSERT_TRUE(is_alive(add.out_pid));
	process_kill(add.out_pid);
}

TEST_F(dynamic, calls_wait_while_suspended)
{
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC, .cookie = 9);
	union {
		struct supervisor_msg_answer answer;
		char bytes[4096];
	} __aligned(8) message;
	struct supervisor_child_add before;
	int answers;

	test_up(DYNAMIC());
	test_mailbox_create(DEV, 0, &answers);
	before = test_new("a", WAITS);
	trace("started a");
	test_suspend(SUP, 0);
	ASSERT_EQ(0, kill(before.out_pid, SIGKILL));
	trace("exited a killed");
	add.mailbox_fd = answers;
	ASSERT_EQ(0, _test_child_add(SUP, &CHILD("b", WAITS), &add));
	ASSERT_EQ(0, add.out_id);
	ASSERT_EQ(-EAGAIN, _test_recv(answers, &message, sizeof(message), 1, 0));
	test_resume(SUP, 0);
	trace("started a, started b");
	ASSERT_EQ(1, _test_recv(answers, &message, sizeof(message), 1, after_ms(PATIENCE_MS)));
	ASSERT_EQ(SUPERVISOR_RESULT_OK, message.answer.result);
	ASSERT_EQ(9, message.answer.head.ref);
	ASSERT_LT(0, message.answer.head.pid);
	test_end_ok(.child = message.answer.head.child);
	close(answers);
}

/* ---- trees ---- */

TEST_F(dynamic, below_an_ordered_one)
{
	struct supervisor_create create =
		DYNAMIC(.intensity = 0);
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_count count;
	struct event event;
	int pool;

	test_tree_open(&self->tree, CREATE());
	test_create(DEV, &create, &pool);
	test_supervisor_child(SUP, "pool", pool);
	test_start(SUP);
	test_event(self->tree.events, SUPERVISOR_EVENT_UP, "pool", &event);
	ASSERT_EQ(0, event.event.head.flags);
	trace("up");
	ASSERT_EQ(0, _test_child_add(pool, &CHILD("a", WAITS), &add));
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "a", &event);
	ASSERT_EQ(SUPERVISOR_MSG_F_DYNAMIC, event.event.head.flags);
	ASSERT_EQ(add.out_id, event.event.head.child);
	/* Too often: its parent starts it again, with no children. */
	ASSERT_EQ(0, kill(add.out_pid, SIGKILL));
	trace("exited a killed, down pool intensity, up pool");
	test_count(pool, &count);
	ASSERT_EQ(0, count.specs);
	ASSERT_EQ(0, _test_child_add(pool, &CHILD("b", WAITS), NULL));
	close(pool);
}

TEST_F(dynamic, supervisors_as_children)
{
	struct supervisor_create create = CREATE();
	struct supervisor_child_status status;
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct event event;
	char path[32];
	int sub, opened;

	test_up(DYNAMIC());
	test_create(DEV, &create, &sub);
	test_child(sub, "a", WAITS);
	ASSERT_EQ(0, _test_child_add(SUP, &CHILD_SUPERVISOR("sub", sub), &add));
	test_event(self->tree.events, SUPERVISOR_EVENT_STARTED, "a", &event);
	ASSERT_EQ(0, event.event.head.flags);
	test_event(self->tree.events, SUPERVISOR_EVENT_UP, "sub", &event);
	ASSERT_EQ(SUPERVISOR_MSG_F_DYNAMIC, event.event.head.flags);
	ASSERT_EQ(add.out_id, event.event.head.child);
	test_counts(1, 1, 1, 0);
	test_member(add.out_id, &status);
	ASSERT_EQ(create.out_id, status.supervisor);
	ASSERT_EQ(SUPERVISOR_STATUS_F_SUPERVISOR, status.flags);
	snprintf(path, sizeof(path), "%llu", (unsigned long long)add.out_id);
	test_open_child(SUP, path, O_RDWR, &opened);
	test_which(opened, "a running");
	ASSERT_EQ(-ENOENT, _test_open_child(SUP, "sub", O_RDWR, &opened));
	ASSERT_EQ(-ENOENT, _test_open_child(SUP, "0", O_RDWR, &opened));
	close(opened);
	/* It restarts as any other. */
	test_stop(sub);
	trace("term a, exited a shutdown, down sub stopped, "
	      "started a, up sub");
	test_end_ok(.child = add.out_id);
	trace("term a, exited a shutdown, down sub stopped");
	test_counts(0, 0, 0, 0);
	ASSERT_EQ(-ESHUTDOWN, _test_child_add(sub, &CHILD("b", WAITS), NULL));
	close(sub);
}

TEST_F(dynamic, supervisors_that_are_refused_are_free)
{
	struct supervisor_create create = CREATE();
	struct supervisor_child_add add = CALL(supervisor_child_add);
	int sub;

	test_up(DYNAMIC(.max_children = 0));
	test_create(DEV, &create, &sub);
	ASSERT_EQ(-EUSERS, _test_child_add(SUP, &CHILD_SUPERVISOR("sub", sub), &add));
	ASSERT_EQ(-ELOOP, _test_child_add(SUP, &CHILD_SUPERVISOR("sub", SUP), &add) == -EBUSY ?
			  -ELOOP : 0);
	/* A mailbox is all that it lacks to be a root. */
	ASSERT_EQ(-EINVAL, _test_start(sub));
	close(sub);
}

/* ---- simple_one_for_one ---- */

FIXTURE(simple)
{
	struct tree tree;
};

FIXTURE_SETUP(simple)
{
	self->tree = NO_TREE;
}

FIXTURE_TEARDOWN(simple)
{
	tree_close(&self->tree);
}

TEST_F(simple, all_by_the_template)
{
	struct supervisor_child_spec template = CHILD("a", WAITS);
	struct supervisor_child_add one, two;

	test_up(SIMPLE(&template));
	test_counts(1, 0, 0, 0);
	one = test_add(0, SUPERVISOR_RESULT_OK, NULL);
	two = test_add(0, SUPERVISOR_RESULT_OK, NULL);
	test_add(EINVAL, SUPERVISOR_RESULT_INVALID, &CHILD("b", WAITS));
	test_counts(1, 2, 0, 2);
	ASSERT_EQ(0, kill(one.out_pid, SIGKILL));
	trace("started a, started a, exited a killed, started a");
	test_end_ok(.child = two.out_id);
	test_which(SUP, "a running");
}

TEST_F(simple, the_dead_need_not_be_terminated)
{
	struct supervisor_child_spec template = CHILD("a", WAITS);
	struct actor stranger;
	pid_t pid;
	struct supervisor_child_add add;

	test_up(SIMPLE(&template));
	test_actor(DEV, &stranger);
	pid = stranger.pid;
	add = test_add(0, SUPERVISOR_RESULT_OK, NULL);
	test_end(ENOENT, SUPERVISOR_RESULT_NOT_FOUND, .pid = pid);
	actor_end(&stranger);
	test_end_ok(.pid = pid);
	test_end_ok(.child = add.out_id, .incarnation = 9);
	test_counts(1, 1, 0, 1);
	test_end_ok(.child = add.out_id);
	test_end_ok(.child = add.out_id);
	test_end(EOPNOTSUPP, SUPERVISOR_RESULT_DYNAMIC, .id = (uintptr_t)"a", .id_len = 1);
	test_result(SUP, SUPERVISOR_CHILD_RESTART, "a", EOPNOTSUPP,
		    SUPERVISOR_RESULT_DYNAMIC);
	test_result(SUP, SUPERVISOR_CHILD_DELETE, "a", EOPNOTSUPP,
		    SUPERVISOR_RESULT_DYNAMIC);
}

TEST_F(simple, the_template_is_everybodys_spec)
{
	static char buf[4096] __aligned(8);
	struct supervisor_child_spec template = CHILD("a", WAITS, .shutdown_ms = 77);
	struct supervisor_query query =
		CALL(supervisor_query, .buf = (uintptr_t)buf, .buf_len = sizeof(buf));
	const struct supervisor_child_spec *spec = (void *)buf;

	test_up(SIMPLE(&template));
	test_ioctl(SUP, SUPERVISOR_CHILD_GET_SPEC, &query);
	ASSERT_EQ(77, spec->shutdown_ms);
	memset(buf, 0, sizeof(buf));
	query.buf_len = sizeof(buf);
	query.child = test_add(0, SUPERVISOR_RESULT_OK, NULL, .args = (uintptr_t)"x",
			       .args_len = 1).out_id;
	test_ioctl(SUP, SUPERVISOR_CHILD_GET_SPEC, &query);
	ASSERT_EQ(77, spec->shutdown_ms);
	ASSERT_EQ(sizeof(struct program), spec->blob_len);
}

TEST_F(simple, ignored_restart_stays_undefined)
{
	struct supervisor_child_spec template = CHILD("a", IGNORES_AT(~1L << 1));
	struct supervisor_child_add add;

	test_up(SIMPLE(&template));
	add = test_add(0, SUPERVISOR_RESULT_OK, NULL);
	ASSERT_EQ(0, kill(add.out_pid, SIGKILL));
	trace("started a, exited a killed, ignored a");
	ASSERT_TRUE(eventually(member_state(SUP, add.out_id) == SUPERVISOR_CHILD_UNDEFINED));
	test_counts(1, 1, 0, 1);
	/* Whatever is dead is one with it. */
	test_end_ok(.child = add.out_id + 1000000);
	test_counts(1, 0, 0, 0);
}

TEST_F(simple, auto_shutdown)
{
	struct supervisor_child_spec template =
		CHILD("a", RUNS(child_exit_when_told, 0), .restart = SUPERVISOR_TRANSIENT,
		      .significant = 1);
	struct supervisor_child_add one, two;

	test_up(SIMPLE(&template,
		       .auto_shutdown = SUPERVISOR_AUTO_SHUTDOWN_ALL_SIGNIFICANT));
	one = test_add(0, SUPERVISOR_RESULT_OK, NULL);
	two = test_add(0, SUPERVISOR_RESULT_OK, NULL);
	trace("started a, started a");
	ASSERT_TRUE(eventually(process_ignores(one.out_pid, SIGUSR1)));
	ASSERT_EQ(0, kill(one.out_pid, SIGUSR1));
	trace("exited a normal");
	test_counts(1, 1, 0, 1);
	ASSERT_TRUE(eventually(process_ignores(two.out_pid, SIGUSR1)));
	ASSERT_EQ(0, kill(two.out_pid, SIGUSR1));
	trace("exited a normal, down auto_shutdown");
}

/* ---- children that join ---- */

TEST_F(dynamic, who_joins_is_a_child)
{
	struct supervisor_child_status status;
	struct joined joined;

	test_up(JOINED());
	test_fork_join(&joined);
	ASSERT_EQ(SUPERVISOR_RESULT_OK, joined.join.out_result);
	trace("started task");
	test_member(joined.join.out_id, &status);
	ASSERT_EQ(joined.pid, status.pid);
	ASSERT_EQ(1, status.incarnation);
	test_counts(1, 1, 0, 1);
	process_kill(joined.pid);
	trace("exited task killed");
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	test_counts(0, 0, 0, 0);
}

TEST_F(dynamic, who_joined_is_stopped)
{
	struct joined one, two;
	int status;

	test_up(JOINED());
	test_fork_join(&one);
	test_fork_join(&two);
	trace("started task, started task");
	test_end_ok(.pid = one.pid);
	ASSERT_EQ(one.pid, waitpid(one.pid, &status, 0));
	ASSERT_EQ(SIGTERM, WTERMSIG(status));
	trace("term task, exited task shutdown");
	test_stop(SUP);
	ASSERT_EQ(two.pid, waitpid(two.pid, &status, 0));
	ASSERT_EQ(SIGTERM, WTERMSIG(status));
	trace("term task, exited task shutdown, down stopped");
}

TEST_F(dynamic, joining_one_too_many)
{
	struct joined one, two;

	test_up(JOINED(.max_children = 1));
	test_fork_join(&one);
	ASSERT_EQ(-EUSERS, _test_fork_join(SUP, after_ms(PATIENCE_MS), &two));
	ASSERT_EQ(SUPERVISOR_RESULT_MAX_CHILDREN, two.join.out_result);
	ASSERT_EQ(0, two.join.out_id);
	trace("started task");
	test_counts(1, 1, 0, 1);
	/* It is nobody's. */
	test_stop(SUP);
	ASSERT_TRUE(is_alive(two.pid));
	process_kill(one.pid);
	process_kill(two.pid);
}

static int join_twice(void *argument)
{
	int sup = *(int *)argument;

	if (_test_join(sup, 0, after_ms(PATIENCE_MS), NULL))
		return -EPROTO;
	return _test_join(sup, 0, after_ms(PATIENCE_MS), NULL) == -EBUSY ? 0 : -EPROTO;
}

static int join_with(void *argument)
{
	int sup = *(int *)argument;

	return _test_join(sup, 0, after_ms(PATIENCE_MS), NULL);
}

static int join_at_once(void *argument)
{
	int sup = *(int *)argument;

	return _test_join(sup, 0, 0, NULL);
}

static int join_later(void *argument)
{
	int sup = *(int *)argument;
	int err = _test_join(sup, 0, after_ms(50), NULL);

	/* The same process, to another end. */
	if (err == -ETIMEDOUT && !_test_resume(sup, 0))
		return _test_join(sup, 0, after_ms(PATIENCE_MS), NULL);
	return err ?: -EPROTO;
}

TEST_F(dynamic, who_may_not_join)
{
	struct supervisor_child_spec group =
		CHILD("g", WAITS, .restart = SUPERVISOR_TEMPORARY,
		      .signal_whom = SUPERVISOR_SIGNAL_GROUP);
	struct supervisor_create create = JOINED();
	struct tree other = NO_TREE;
	int sup;

	test_tree_open(&self->tree, JOINED());
	ASSERT_EQ(-ESHUTDOWN, in_process(join_with, &SUP));
	test_start(SUP);
	trace("up");
	ASSERT_EQ(-EAGAIN, in_process(join_at_once, &SUP));
	ASSERT_EQ(-EDEADLK, _test_join(SUP, 0, after_ms(PATIENCE_MS), NULL));
	ASSERT_EQ(0, in_process(join_twice, &SUP));
	trace("started task, exited task normal");
	test_add(EINVAL, SUPERVISOR_RESULT_INVALID, &CHILD("a", WAITS));
	test_add(EINVAL, SUPERVISOR_RESULT_INVALID, NULL);
	test_suspend(SUP, 0);
	ASSERT_EQ(0, in_process(join_later, &SUP));
	trace("started task, exited task normal");

	test_tree_open(&other, DYNAMIC());
	test_start(other.sup);
	ASSERT_EQ(-EINVAL, in_process(join_with, &other.sup));
	tree_close(&other);
	test_tree_open(&other, CREATE());
	test_start(other.sup);
	ASSERT_EQ(-EINVAL, in_process(join_with, &other.sup));
	tree_close(&other);
	create.child_spec = (uintptr_t)&group;
	test_tree_open(&other, create);
	test_start(other.sup);
	ASSERT_EQ(-EINVAL, in_process(join_with, &other.sup));
	tree_close(&other);
	/* Without a spawner for who is to restart, it does not start. */
	group.restart = SUPERVISOR_PERMANENT;
	test_create(DEV, &create, &sup);
	ASSERT_EQ(-EINVAL, _test_start(sup));
	close(sup);
	test_stop(SUP);
	ASSERT_EQ(-ESHUTDOWN, in_process(join_with, &SUP));
}

TEST_F(dynamic, joining_needs_no_spawner)
{
	struct supervisor_create create = JOINED();
	struct joined joined;
	int dev = device_open();
	int sup;

	test_create(dev, &create, &sup);
	test_start(sup);
	ASSERT_EQ(0, _test_fork_join(sup, after_ms(PATIENCE_MS), &joined));
	test_stop(sup);
	ASSERT_EQ(joined.pid, waitpid(joined.pid, NULL, 0));
	close(sup);
	close(dev);
}

TEST_F(dynamic, who_joined_restarts_by_the_spawner)
{
	struct supervisor_child_spec template = CHILD("a", WAITS);
	struct supervisor_child_status status;
	struct joined joined;

	test_up(DYNAMIC(.spawn = SUPERVISOR_SPAWN_SELF, .child_spec = (uintptr_t)&template));
	test_fork_join(&joined);
	process_kill(joined.pid);
	trace("started a, exited a killed, started a");
	test_member(joined.join.out_id, &status);
	ASSERT_EQ(2, status.incarnation);
	ASSERT_NE(joined.pid, status.pid);
	ASSERT_TRUE(is_alive(status.pid));
}

static int join_and_look(void *argument)
{
	int sup = *(int *)argument;
	struct sigaction action;
	sigset_t blocked;

	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	if (_test_join(sup, SUPERVISOR_ATTACH_F_RESET_SIGNALS, after_ms(PATIENCE_MS), NULL))
		return -EPROTO;
	sigaction(SIGUSR1, NULL, &action);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	return action.sa_handler == SIG_DFL && !sigismember(&blocked, SIGUSR2) ? 0 : -EPROTO;
}

TEST_F(dynamic, joining_resets_signals)
{
	test_up(JOINED());
	ASSERT_EQ(0, in_process(join_and_look, &SUP));
	trace("started task, exited task normal");
}

TEST_HARNESS_MAIN
