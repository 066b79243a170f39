// SPDX-License-Identifier: GPL-2.0
/*
 * What one user may have: at each limit the call is refused and names it, the
 * object is as it was, and what was used comes back. The limits are parameters
 * of the module, which root lowers here; the tests then run as another user.
 */
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

#define USER 60011
#define FIRST_SUBUID 700000
#define SUBUIDS 10

/* Those without are fixed. */
static const char * const parameters[SUPERVISOR_LIMIT_NR] = {
	[SUPERVISOR_LIMIT_SUPERVISORS] = "max_user_supervisors",
	[SUPERVISOR_LIMIT_CHILDREN] = "max_user_children",
	[SUPERVISOR_LIMIT_MAILBOXES] = "max_user_mailboxes",
	[SUPERVISOR_LIMIT_BYTES] = "max_user_bytes",
	[SUPERVISOR_LIMIT_NAMES] = "max_user_names",
	[SUPERVISOR_LIMIT_CALLS] = "max_user_calls",
	[SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN] = "max_children",
	[SUPERVISOR_LIMIT_REGISTRIES] = "max_user_registries",
	[SUPERVISOR_LIMIT_ENTRIES] = "max_user_entries",
};

static void parameter_path(char *path, size_t size, int limit)
{
	snprintf(path, size, "/sys/module/supervisor/parameters/%s",
		 parameters[limit]);
}

FIXTURE(limits)
{
	int dev;
	int mailbox;
	int sup;
	struct supervisor_info before;
	char defaults[SUPERVISOR_LIMIT_NR][32];
};

FIXTURE_SETUP(limits)
{
	struct supervisor_create create;
	char path[128];
	int i;

	self->dev = -1;
	if (geteuid())
		SKIP(return, "needs root, to change the limits");
	for (i = 1; i < SUPERVISOR_LIMIT_NR; i++) {
		if (!parameters[i])
			continue;
		parameter_path(path, sizeof(path), i);
		ASSERT_EQ(0, read_file(path, self->defaults[i],
				       sizeof(self->defaults[i])))
			TH_LOG("%s", path);
	}
	ASSERT_EQ(0, setresuid(USER, USER, 0));
	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_mailbox_create(self->dev, 0, &self->mailbox);
	create = CREATE(.mailbox_fd = self->mailbox, .intensity = 3);
	test_create(self->dev, &create, &self->sup);
	test_info(self->dev, &self->before);
}

FIXTURE_TEARDOWN(limits)
{
	char path[128];
	int i;

	if (self->dev >= 0) {
		close(self->sup);
		close(self->mailbox);
		close(self->dev);
	}
	EXPECT_EQ(0, setresuid(0, 0, 0));
	for (i = 1; i < SUPERVISOR_LIMIT_NR; i++) {
		if (!*self->defaults[i])
			continue;
		parameter_path(path, sizeof(path), i);
		EXPECT_EQ(0, write_file(path, self->defaults[i]));
	}
}

static int set_limit(int limit, __u64 value)
{
	char path[128], text[32];
	int err;

	parameter_path(path, sizeof(path), limit);
	snprintf(text, sizeof(text), "%llu", value);
	if (setresuid(0, 0, 0))
		return -errno;
	err = write_file(path, text);
	return setresuid(USER, USER, 0) ? -errno : err;
}

#define test_limit(limit_, more_) \
	do { \
		struct supervisor_info limit_info_; \
		__u64 value_ = self->before.out_used[limit_] + (more_); \
		ASSERT_EQ(0, set_limit((limit_), value_)); \
		test_info(self->dev, &limit_info_); \
		ASSERT_EQ(value_, limit_info_.out_limit[limit_]); \
	} while (0)

#define test_used(limit_, more_) \
	do { \
		struct supervisor_info used_info_; \
		test_info(self->dev, &used_info_); \
		ASSERT_EQ(self->before.out_used[limit_] + (more_), \
			  used_info_.out_used[limit_]); \
	} while (0)

TEST_F(limits, defaults_are_told)
{
	int i;

	for (i = 1; i < SUPERVISOR_LIMIT_NR; i++)
		if (parameters[i])
			ASSERT_EQ(strtoull(self->defaults[i], NULL, 0),
				  self->before.out_limit[i]);
}

TEST_F(limits, supervisors)
{
	struct supervisor_create create;
	int sups[3], i;

	test_limit(SUPERVISOR_LIMIT_SUPERVISORS, 2);
	for (i = 0; i < 2; i++) {
		create = CREATE();
		test_create(self->dev, &create, &sups[i]);
	}
	create = CREATE();
	ASSERT_EQ(-EDQUOT, _test_create(self->dev, &create, &sups[2]));
	ASSERT_EQ(SUPERVISOR_LIMIT_SUPERVISORS, create.out_limit);
	test_used(SUPERVISOR_LIMIT_SUPERVISORS, 2);
	close(sups[0]);
	test_create(self->dev, &create, &sups[0]);
	close(sups[0]);
	close(sups[1]);
	test_used(SUPERVISOR_LIMIT_SUPERVISORS, 0);
	test_used(SUPERVISOR_LIMIT_BYTES, 0);
}

TEST_F(limits, mailboxes)
{
	struct supervisor_mailbox_create create =
		ARG(supervisor_mailbox_create);
	int mailbox;

	test_limit(SUPERVISOR_LIMIT_MAILBOXES, 1);
	test_mailbox_create(self->dev, 0, &mailbox);
	ASSERT_EQ(-EDQUOT, _test_ioctl(self->dev, SUPERVISOR_MAILBOX_CREATE,
				       &create));
	ASSERT_EQ(SUPERVISOR_LIMIT_MAILBOXES, create.out_limit);
	close(mailbox);
	test_used(SUPERVISOR_LIMIT_MAILBOXES, 0);
	test_mailbox_create(self->dev, 0, &mailbox);
	close(mailbox);
}

TEST_F(limits, children)
{
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_child_spec spec = CHILD("c", WAITS);
	struct supervisor_status status;

	test_limit(SUPERVISOR_LIMIT_CHILDREN, 2);
	test_child(self->sup, "a", WAITS);
	test_child(self->sup, "b", WAITS);
	ASSERT_EQ(-EDQUOT, _test_child_add(self->sup, &spec, &add));
	ASSERT_EQ(SUPERVISOR_LIMIT_CHILDREN, add.out_limit);
	test_status(self->sup, &status);
	ASSERT_EQ(2, status.out_count);
	test_used(SUPERVISOR_LIMIT_CHILDREN, 2);
	close(self->sup);
	self->sup = -1;
	ASSERT_TRUE(eventually(({
		struct supervisor_info info;

		!_test_info(self->dev, &info) &&
		!info.out_used[SUPERVISOR_LIMIT_CHILDREN];
	})));
}

TEST_F(limits, children_of_one_supervisor)
{
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_child_spec spec = CHILD("c", WAITS);
	struct supervisor_status status;

	ASSERT_EQ(0, set_limit(SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN, 2));
	test_child(self->sup, "a", WAITS);
	test_child(self->sup, "b", WAITS);
	ASSERT_EQ(-ENOSPC, _test_child_add(self->sup, &spec, &add));
	ASSERT_EQ(SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN, add.out_limit);
	test_status(self->sup, &status);
	ASSERT_EQ(2, status.out_count);
	test_used(SUPERVISOR_LIMIT_CHILDREN, 2);
}

static int join(void *argument)
{
	struct supervisor_child_join join;
	int err = _test_join(*(int *)argument, 0, after_ms(PATIENCE_MS), &join);

	if (err == -EDQUOT)
		return join.out_limit == SUPERVISOR_LIMIT_CHILDREN ? err : -EPROTO;
	if (err == -ENOSPC)
		return join.out_limit == SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN ?
		       err : -EPROTO;
	return err;
}

/* Who may not join is nobody's child, and who joined gives all back. */
TEST_F(limits, children_that_join)
{
	struct supervisor_child_spec template =
		CHILD("a", WAITS, .restart = SUPERVISOR_TEMPORARY);
	struct supervisor_create create =
		CREATE(.kind = SUPERVISOR_DYNAMIC, .spawn = SUPERVISOR_SPAWN_SELF,
		       .max_children = SUPERVISOR_CHILDREN_INFINITY,
		       .child_spec = (uintptr_t)&template);
	int pool;

	test_create(self->dev, &create, &pool);
	test_start(pool);
	test_limit(SUPERVISOR_LIMIT_CHILDREN, 0);
	ASSERT_EQ(-EDQUOT, in_process(join, &pool));
	ASSERT_EQ(0, set_limit(SUPERVISOR_LIMIT_CHILDREN, 1));
	ASSERT_EQ(0, set_limit(SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN, 0));
	ASSERT_EQ(-ENOSPC, in_process(join, &pool));
	ASSERT_EQ(0, set_limit(SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN, 1));
	ASSERT_EQ(0, in_process(join, &pool));
	test_wait(pool, SUPERVISOR_WAIT_IDLE);
	test_used(SUPERVISOR_LIMIT_CHILDREN, 0);
	/* A template is paid for. */
	test_limit(SUPERVISOR_LIMIT_BYTES, 0);
	ASSERT_EQ(-EDQUOT, _test_create(self->dev, &create, &pool));
	ASSERT_EQ(SUPERVISOR_LIMIT_BYTES, create.out_limit);
}

/* A refused one of those that are added later leaves no spec either. */
TEST_F(limits, children_of_a_started_supervisor)
{
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_child_spec spec = CHILD("a", WAITS);
	struct supervisor_status status;

	test_start(self->sup);
	test_limit(SUPERVISOR_LIMIT_CHILDREN, 0);
	ASSERT_EQ(-EDQUOT, _test_child_add(self->sup, &spec, &add));
	ASSERT_EQ(SUPERVISOR_LIMIT_CHILDREN, add.out_limit);
	test_status(self->sup, &status);
	ASSERT_EQ(0, status.out_count);
	ASSERT_EQ(0, set_limit(SUPERVISOR_LIMIT_CHILDREN, 100));
	ASSERT_EQ(0, set_limit(SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN, 0));
	ASSERT_EQ(-ENOSPC, _test_child_add(self->sup, &spec, &add));
	ASSERT_EQ(SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN, add.out_limit);
	ASSERT_EQ(SUPERVISOR_RESULT_NO_SPACE, add.out_result);
	test_status(self->sup, &status);
	ASSERT_EQ(0, status.out_count);
	test_used(SUPERVISOR_LIMIT_CHILDREN, 0);
}

TEST_F(limits, bytes)
{
	struct supervisor_mailbox_create mailbox =
		ARG(supervisor_mailbox_create, .ring_bytes = 1 << 20);
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_create create =
		CREATE(.intensity = 1000000, .period = 31536000);
	char *blob = calloc(1, SUPERVISOR_BLOB_MAX);
	struct supervisor_child_spec spec =
		CHILD("a", WAITS, .blob = (uintptr_t)blob,
		      .blob_len = SUPERVISOR_BLOB_MAX);
	int sup;

	ASSERT_NE(NULL, blob);
	test_limit(SUPERVISOR_LIMIT_BYTES, 32768);
	ASSERT_EQ(-EDQUOT, _test_ioctl(self->dev, SUPERVISOR_MAILBOX_CREATE,
				       &mailbox));
	ASSERT_EQ(SUPERVISOR_LIMIT_BYTES, mailbox.out_limit);
	ASSERT_EQ(-EDQUOT, _test_child_add(self->sup, &spec, &add));
	ASSERT_EQ(SUPERVISOR_LIMIT_BYTES, add.out_limit);
	/* Its memory of restarts is set aside at once. */
	ASSERT_EQ(-EDQUOT, _test_create(self->dev, &create, &sup));
	ASSERT_EQ(SUPERVISOR_LIMIT_BYTES, create.out_limit);
	test_used(SUPERVISOR_LIMIT_BYTES, 0);
	test_used(SUPERVISOR_LIMIT_CHILDREN, 0);
	test_used(SUPERVISOR_LIMIT_MAILBOXES, 0);
	test_used(SUPERVISOR_LIMIT_SUPERVISORS, 0);
	spec.blob_len = 16384;
	ASSERT_EQ(0, _test_child_add(self->sup, &spec, &add));
	free(blob);
}

/* Paid for when it is added, so that no start can be too much. */
TEST_F(limits, entries_of_children)
{
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_child_spec spec;
	struct supervisor_status status;
	int registry;

	test_registry(self->dev, REGISTRY(UNIQUE), &registry);
	spec = CHILD("c", WAITS, KEYED_VALUE(registry, "c", "value"));
	test_limit(SUPERVISOR_LIMIT_ENTRIES, 2);
	test_child(self->sup, "a", WAITS, KEYED(registry, "a"));
	test_child(self->sup, "b", WAITS, KEYED(registry, "b"));
	ASSERT_EQ(-EDQUOT, _test_child_add(self->sup, &spec, &add));
	ASSERT_EQ(SUPERVISOR_LIMIT_ENTRIES, add.out_limit);
	ASSERT_EQ(-EDQUOT, _test_register(registry, "d", -1, NULL));
	test_used(SUPERVISOR_LIMIT_ENTRIES, 2);
	test_used(SUPERVISOR_LIMIT_CHILDREN, 2);
	test_limit(SUPERVISOR_LIMIT_ENTRIES, 3);
	test_limit(SUPERVISOR_LIMIT_BYTES,
		   2 * (sizeof(struct program) + 1) + sizeof(struct program) + 5);
	ASSERT_EQ(-EDQUOT, _test_child_add(self->sup, &spec, &add));
	ASSERT_EQ(SUPERVISOR_LIMIT_BYTES, add.out_limit);
	test_used(SUPERVISOR_LIMIT_ENTRIES, 2);
	test_status(self->sup, &status);
	ASSERT_EQ(2, status.out_count);
	close(self->sup);
	close(registry);
	self->sup = -1;
	ASSERT_TRUE(eventually(({
		struct supervisor_info info;

		!_test_info(self->dev, &info) &&
		!info.out_used[SUPERVISOR_LIMIT_ENTRIES] &&
		!info.out_used[SUPERVISOR_LIMIT_REGISTRIES];
	})));
}

/* Who asks for a child has to be remembered. */
TEST_F(limits, bytes_of_a_lineage)
{
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_child_spec spec = CHILD("a", WAITS, .blob_len = 0);
	struct supervisor_child_call call = CALL(supervisor_child_call);
	struct supervisor_info info;

	test_limit(SUPERVISOR_LIMIT_BYTES, 1);
	ASSERT_EQ(-EDQUOT, _test_child_add(self->sup, &spec, &add));
	ASSERT_EQ(SUPERVISOR_LIMIT_BYTES, add.out_limit);
	ASSERT_EQ(-EDQUOT, _test_child_call(self->sup, SUPERVISOR_CHILD_RESTART,
					    "a", &call));
	ASSERT_EQ(SUPERVISOR_LIMIT_BYTES, call.out_limit);
	test_used(SUPERVISOR_LIMIT_BYTES, 0);
	test_used(SUPERVISOR_LIMIT_CHILDREN, 0);
	test_limit(SUPERVISOR_LIMIT_BYTES, 4096);
	ASSERT_EQ(0, _test_child_add(self->sup, &spec, &add));
	/* All that it takes; closing takes with it what the supervisor itself has. */
	test_info(self->dev, &info);
	ASSERT_LT(self->before.out_used[SUPERVISOR_LIMIT_BYTES],
		  info.out_used[SUPERVISOR_LIMIT_BYTES]);
	close(self->sup);
	self->sup = -1;
	ASSERT_TRUE(eventually(({
		!_test_info(self->dev, &info) &&
		info.out_used[SUPERVISOR_LIMIT_BYTES] <
		self->before.out_used[SUPERVISOR_LIMIT_BYTES];
	})));
}

TEST_F(limits, names)
{
	static const char name[] = "/limits";
	struct supervisor_create create;
	int sup, other;

	test_limit(SUPERVISOR_LIMIT_NAMES, 1);
	create = CREATE(.mode = 0600, .name = (uintptr_t)name,
			.name_len = strlen(name));
	test_create(self->dev, &create, &sup);
	create = CREATE(.mode = 0600, .name = (uintptr_t)"/second",
			.name_len = strlen("/second"));
	ASSERT_EQ(-EDQUOT, _test_create(self->dev, &create, &other));
	ASSERT_EQ(SUPERVISOR_LIMIT_NAMES, create.out_limit);
	test_used(SUPERVISOR_LIMIT_SUPERVISORS, 1);
	ASSERT_EQ(-ENOENT, _test_open(self->dev, "/second", O_RDONLY, &other));
	ASSERT_EQ(0, _test_unlink(self->dev, name));
	test_used(SUPERVISOR_LIMIT_NAMES, 0);
	test_create(self->dev, &create, &other);
	close(other);
	close(sup);
	test_used(SUPERVISOR_LIMIT_NAMES, 0);
}

TEST_F(limits, calls)
{
	struct supervisor_child_call call =
		CALL(supervisor_child_call, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .mailbox_fd = self->mailbox);
	char buf[1024] __aligned(8);
	int i;

	test_start(self->sup);
	test_suspend(self->sup, 0);
	test_info(self->dev, &self->before);
	test_limit(SUPERVISOR_LIMIT_CALLS, 3);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, _test_child_call(self->sup,
					      SUPERVISOR_CHILD_TERMINATE, "a",
					      &call));
	ASSERT_EQ(-EDQUOT, _test_child_call(self->sup,
					    SUPERVISOR_CHILD_TERMINATE, "a",
					    &call));
	ASSERT_EQ(SUPERVISOR_LIMIT_CALLS, call.out_limit);
	test_used(SUPERVISOR_LIMIT_CALLS, 3);
	test_resume(self->sup, 0);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(1, _test_recv(self->mailbox, buf, sizeof(buf), 1,
					after_ms(PATIENCE_MS)));
	ASSERT_EQ(-EAGAIN, _test_recv(self->mailbox, buf, sizeof(buf), 1, 0));
	test_used(SUPERVISOR_LIMIT_CALLS, 0);
}

/* It does not come back for its call, though others have the file through which it was. */
TEST_F(limits, call_of_one_that_is_killed)
{
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_child_spec spec = CHILD("a", WAITS);
	char buf[4096] __aligned(8);
	struct supervisor_msg *message = (void *)buf;
	pid_t pid;

	test_start(self->sup);
	test_info(self->dev, &self->before);
	pid = fork();
	if (!pid)
		_exit(-_test_child_add(self->sup, &spec, &add));
	ASSERT_EQ(1, _test_recv(self->mailbox, buf, sizeof(buf), 1,
				after_ms(PATIENCE_MS)));
	ASSERT_EQ(SUPERVISOR_MSG_START, message->type);
	process_kill(pid);
	ASSERT_EQ(0, _test_report(self->dev, message->ref,
				  SUPERVISOR_REPORT_FAILED, ENOENT));
	test_used_again(self->dev, &self->before);
}

static void *ask_for_too_much(void *argument)
{
	struct supervisor_mailbox_create create;
	const volatile bool *stop = argument;
	long granted = 0;
	int dev = device_open();

	while (!*stop) {
		create = ARG(supervisor_mailbox_create, .ring_bytes = 1 << 24);
		granted += _test_ioctl(dev, SUPERVISOR_MAILBOX_CREATE, &create) != -EDQUOT;
	}
	close(dev);
	return (void *)granted;
}

/* Who asks for what there is gets it, whatever else is refused at that moment. */
TEST_F(limits, who_wants_less_gets_it)
{
	volatile bool stop = false;
	unsigned int total = rounds(2000), refused = 0, i;
	pthread_t thread;
	void *granted;
	int mailbox;

	test_limit(SUPERVISOR_LIMIT_BYTES, 1 << 20);
	ASSERT_EQ(0, pthread_create(&thread, NULL, ask_for_too_much, (void *)&stop));
	for (i = 0; i < total; i++) {
		if (_test_mailbox_create(self->dev, 4096, &mailbox))
			refused++;
		else
			close(mailbox);
	}
	stop = true;
	ASSERT_EQ(0, pthread_join(thread, &granted));
	ASSERT_EQ(NULL, granted);
	ASSERT_EQ(0, refused) TH_LOG("of %u", total);
}

static char payload[32768];

/* Small ones are the receiver's, which the ring was set aside for. */
TEST_F(limits, payloads)
{
	struct supervisor_mailbox_send send =
		ARG(supervisor_mailbox_send, .buf = (uintptr_t)payload,
		    .len = sizeof(payload));
	static struct message message;
	int mailbox;

	test_mailbox_create(self->dev, 4096, &mailbox);
	test_info(self->dev, &self->before);
	test_limit(SUPERVISOR_LIMIT_BYTES, sizeof(payload) * 2 + 4096);
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send);
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send);
	ASSERT_EQ(-EDQUOT, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND,
				       &send));
	ASSERT_EQ(SUPERVISOR_LIMIT_BYTES, send.out_limit);
	/* To wait for room is no help against it. */
	send.deadline = SUPERVISOR_NO_DEADLINE;
	ASSERT_EQ(-EDQUOT, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND,
				       &send));
	ASSERT_EQ(-1, write(mailbox, payload, sizeof(payload)));
	ASSERT_EQ(EDQUOT, errno);
	ASSERT_EQ(0, _test_take(mailbox, &message, 0));
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send);
	ASSERT_EQ(0, _test_take(mailbox, &message, 0));
	ASSERT_EQ(0, _test_take(mailbox, &message, 0));
	test_empty(mailbox);
	test_used(SUPERVISOR_LIMIT_BYTES, 0);
	close(mailbox);
}

TEST_F(limits, requests_and_replies)
{
	struct supervisor_call_start start =
		ARG(supervisor_call_start, .buf = (uintptr_t)payload,
		    .len = sizeof(payload), .mailbox_fd = self->mailbox);
	static struct message message;
	int mailbox;
	__u64 ref;

	test_mailbox_create(self->dev, 4096, &mailbox);
	test_info(self->dev, &self->before);
	test_limit(SUPERVISOR_LIMIT_BYTES, 16384);
	ASSERT_EQ(-EDQUOT, _test_ioctl(mailbox, SUPERVISOR_CALL_START, &start));
	ASSERT_EQ(SUPERVISOR_LIMIT_BYTES, start.out_limit);
	test_waiting(mailbox, 0);
	test_used(SUPERVISOR_LIMIT_CALLS, 0);
	test_used(SUPERVISOR_LIMIT_BYTES, 0);

	/* The caller pays for a reply: that it cannot is no fault of the server's. */
	test_call_start(mailbox, "x", 1, self->mailbox, &ref);
	ASSERT_EQ(0, _test_take(mailbox, &message, 0));
	ASSERT_EQ(0, _test_reply(mailbox, message.head->ref, payload,
				 sizeof(payload)));
	ASSERT_EQ(-EALREADY, _test_reply(mailbox, message.head->ref, "y", 1));
	test_takes_reply(self->mailbox, ref, EDQUOT, "");
	test_used(SUPERVISOR_LIMIT_BYTES, 0);
	close(mailbox);
}

TEST_F(limits, started_calls)
{
	struct supervisor_call_start start =
		ARG(supervisor_call_start, .buf = (uintptr_t)payload, .len = 1,
		    .mailbox_fd = self->mailbox);
	static struct message message;
	__u64 refs[3];
	int mailbox, i;

	test_mailbox_create(self->dev, 4096, &mailbox);
	test_limit(SUPERVISOR_LIMIT_CALLS, 3);
	for (i = 0; i < 3; i++) {
		test_ioctl(mailbox, SUPERVISOR_CALL_START, &start);
		refs[i] = start.out_ref;
	}
	ASSERT_EQ(-EDQUOT, _test_ioctl(mailbox, SUPERVISOR_CALL_START, &start));
	ASSERT_EQ(SUPERVISOR_LIMIT_CALLS, start.out_limit);
	test_used(SUPERVISOR_LIMIT_CALLS, 3);
	test_waiting(mailbox, 3);
	/* Answered is not yet over, read is. */
	ASSERT_EQ(0, _test_take(mailbox, &message, 0));
	ASSERT_EQ(0, _test_reply(mailbox, message.head->ref, "y", 1));
	test_used(SUPERVISOR_LIMIT_CALLS, 3);
	test_takes_reply(self->mailbox, refs[0], 0, "y");
	test_used(SUPERVISOR_LIMIT_CALLS, 2);
	ASSERT_EQ(1, _test_call_cancel(self->mailbox, refs[1], 0));
	test_used(SUPERVISOR_LIMIT_CALLS, 1);
	/* The server's end is an end. */
	close(mailbox);
	test_takes_reply(self->mailbox, refs[2], EOWNERDEAD, "");
	test_used(SUPERVISOR_LIMIT_CALLS, 0);
}

struct kept {
	volatile int made;
	volatile int err;
	volatile __u32 limit;
};

static struct kept *kept;

/* A child's body: as many mailboxes that survive it as it may have. */
static void child_keeps(long unused)
{
	struct supervisor_mailbox_create create;
	int dev = device_open();
	char name[32];

	do {
		snprintf(name, sizeof(name), "/kept.%d", kept->made);
		create = NAMED_MAILBOX(name,
				       .flags = SUPERVISOR_MAILBOX_F_SURVIVE,
				       .ring_bytes = 4096);
		kept->err = _test_ioctl(dev, SUPERVISOR_MAILBOX_CREATE,
					&create);
		kept->limit = create.out_limit;
		/* A file of each is not what keeps it. */
		if (!kept->err)
			close(create.out_fd);
	} while (!kept->err && ++kept->made < 10000);
	_test_report(dev, 0, SUPERVISOR_REPORT_READY, 0);
	child_wait(0);
}

TEST_F(limits, kept_mailboxes)
{
	struct supervisor_info info;
	struct tree tree;

	kept = shared_memory(sizeof(*kept));
	ASSERT_NE(NULL, kept);
	test_tree_open(&tree, CREATE());
	test_child(tree.sup, "a", RUNS(child_keeps, 0),
		   .readiness = SUPERVISOR_READINESS_NOTIFY);
	test_info(self->dev, &self->before);
	test_start(tree.sup);
	ASSERT_EQ(-ENOSPC, kept->err);
	ASSERT_EQ(SUPERVISOR_LIMIT_KEPT_MAILBOXES, kept->limit);
	ASSERT_EQ(self->before.out_limit[SUPERVISOR_LIMIT_KEPT_MAILBOXES],
		  kept->made);
	test_used(SUPERVISOR_LIMIT_MAILBOXES, kept->made);
	test_used(SUPERVISOR_LIMIT_NAMES, kept->made);
	ASSERT_EQ(0, _test_terminate(tree.sup, "a"));
	test_used(SUPERVISOR_LIMIT_MAILBOXES, kept->made);
	ASSERT_EQ(0, _test_delete(tree.sup, "a"));
	ASSERT_TRUE(eventually(!_test_info(self->dev, &info) &&
			       info.out_used[SUPERVISOR_LIMIT_MAILBOXES] ==
			       self->before.out_used[SUPERVISOR_LIMIT_MAILBOXES]))
		TH_LOG("%llu mailboxes", info.out_used[SUPERVISOR_LIMIT_MAILBOXES]);
	tree_close(&tree);
}

TEST_F(limits, subscriptions)
{
	struct supervisor_subscribe subscribe =
		ARG(supervisor_subscribe);
	int mailbox;

	test_mailbox_create(self->dev, 0, &mailbox);
	test_limit(SUPERVISOR_LIMIT_CALLS, 1);
	test_subscribe(self->sup, self->mailbox);
	subscribe.mailbox_fd = mailbox;
	ASSERT_EQ(-EDQUOT, _test_ioctl(self->sup, SUPERVISOR_SUBSCRIBE,
				       &subscribe));
	ASSERT_EQ(SUPERVISOR_LIMIT_CALLS, subscribe.out_limit);
	close(mailbox);
}

TEST_F(limits, subscriptions_of_one_root)
{
	struct supervisor_subscribe subscribe = ARG(supervisor_subscribe);
	const __u64 limit =
		self->before.out_limit[SUPERVISOR_LIMIT_SUBSCRIPTIONS];
	int mailboxes[1024];
	__u64 i;

	ASSERT_GT(ARRAY_SIZE(mailboxes), limit);
	for (i = 0; i <= limit; i++)
		test_mailbox_create(self->dev, 4096, &mailboxes[i]);
	for (i = 0; i < limit; i++)
		test_subscribe(self->sup, mailboxes[i]);
	subscribe.mailbox_fd = mailboxes[i];
	ASSERT_EQ(-ENOSPC, _test_ioctl(self->sup, SUPERVISOR_SUBSCRIBE,
				       &subscribe));
	ASSERT_EQ(SUPERVISOR_LIMIT_SUBSCRIPTIONS, subscribe.out_limit);
	for (i = 0; i <= limit; i++)
		close(mailboxes[i]);
}

/* ---- user namespaces ---- */

struct within {
	volatile pid_t pid;
	volatile int mapped;
	volatile int count;
	volatile int err;
	volatile __u32 limit;
	uid_t subuid;
};

/* As a user of a namespace of USER's: makes supervisors until it is stopped. */
static void create_within(struct within *within)
{
	struct supervisor_create create;
	int dev, sup;

	if (setresuid(0, 0, 0) || setgroups(0, NULL) || setresuid(USER, USER, USER) ||
	    unshare(CLONE_NEWUSER))
		_exit(1);
	within->pid = getpid();
	while (!within->mapped)
		sleep_ms(1);
	if (setresgid(within->subuid, within->subuid, within->subuid) ||
	    setresuid(within->subuid, within->subuid, within->subuid))
		_exit(2);
	dev = device_open();
	if (dev < 0)
		_exit(3);
	do {
		create = CREATE();
		within->err = _test_create(dev, &create, &sup);
		within->limit = create.out_limit;
	} while (!within->err && ++within->count < 100);
	/* And keeps them until it is killed. */
	within->mapped = 2;
	child_wait(0);
}

#define test_within(within_, subuid_) \
	({ \
		char path_[64], map_[64]; \
		pid_t pid_; \
		(within_)->subuid = (subuid_); \
		pid_ = fork(); \
		if (!pid_) \
			create_within(within_); \
		ASSERT_TRUE(eventually((within_)->pid)); \
		snprintf(map_, sizeof(map_), "0 %d %d", FIRST_SUBUID, \
			 SUBUIDS); \
		snprintf(path_, sizeof(path_), "/proc/%d/uid_map", pid_); \
		ASSERT_EQ(0, setresuid(0, 0, 0)); \
		ASSERT_EQ(0, write_file(path_, map_)); \
		snprintf(path_, sizeof(path_), "/proc/%d/gid_map", pid_); \
		ASSERT_EQ(0, write_file(path_, map_)); \
		ASSERT_EQ(0, setresuid(USER, USER, 0)); \
		(within_)->mapped = 1; \
		ASSERT_TRUE(eventually((within_)->mapped == 2)); \
		pid_; \
	})

TEST_F(limits, sub_users_do_not_multiply_them)
{
	struct within *first = shared_memory(sizeof(*first));
	struct within *second = shared_memory(sizeof(*second));
	struct supervisor_create create = CREATE();
	pid_t pids[2];
	int sup;

	ASSERT_NE(NULL, first);
	ASSERT_NE(NULL, second);
	test_limit(SUPERVISOR_LIMIT_SUPERVISORS, 3);
	pids[0] = test_within(first, 5);
	ASSERT_EQ(3, first->count);
	ASSERT_EQ(-EDQUOT, first->err);
	ASSERT_EQ(SUPERVISOR_LIMIT_SUPERVISORS, first->limit);
	/* They count as the namespace's owner's. */
	test_used(SUPERVISOR_LIMIT_SUPERVISORS, 3);
	ASSERT_EQ(-EDQUOT, _test_create(self->dev, &create, &sup));
	pids[1] = test_within(second, 6);
	ASSERT_EQ(0, second->count);
	ASSERT_EQ(-EDQUOT, second->err);
	ASSERT_EQ(0, setresuid(0, 0, 0));
	ASSERT_EQ(0, kill(pids[0], SIGKILL));
	ASSERT_EQ(0, kill(pids[1], SIGKILL));
	ASSERT_EQ(pids[0], waitpid(pids[0], NULL, 0));
	ASSERT_EQ(pids[1], waitpid(pids[1], NULL, 0));
	ASSERT_EQ(0, setresuid(USER, USER, 0));
	ASSERT_TRUE(eventually(({
		struct supervisor_info info;

		!_test_info(self->dev, &info) &&
		info.out_used[SUPERVISOR_LIMIT_SUPERVISORS] ==
		self->before.out_used[SUPERVISOR_LIMIT_SUPERVISORS];
	})));
}

TEST_HARNESS_MAIN
