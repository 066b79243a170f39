// SPDX-License-Identifier: GPL-2.0
/*
 * Two things at once, on two CPUs, many times over. What a round decides must be
 * one of the two orders, and over all the rounds each must have happened: the
 * side that wins has to wait longer before the next round.
 */
#include <poll.h>
#include <sys/epoll.h>

#include "kselftest_harness.h"

#include "race.h"

static struct racer racers[RACERS];

static int racer_attach(struct racer *racer, __u64 token)
{
	struct supervisor_child_attach attach =
		ARG(supervisor_child_attach, .token = token);

	return raw(SYS_ioctl, racer->dev, SUPERVISOR_CHILD_ATTACH,
		   (long)&attach);
}

FIXTURE(race)
{
	struct tree tree;
	struct shared *shared;
	struct balance balance;
	struct helper helper;
	struct supervisor_info before;
	unsigned int started;
	unsigned int exited;
};

FIXTURE_SETUP(race)
{
	self->shared = shared_memory(sizeof(*self->shared));
	ASSERT_NE(NULL, self->shared);
	test_tree_open(&self->tree, CREATE());
	spawner_stop(&self->tree.spawner);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
	self->balance.step = 8;
	test_info(self->tree.dev, &self->before);
}

FIXTURE_TEARDOWN(race)
{
	tree_close(&self->tree);
}

#define SUP (self->tree.sup)
#define DEV (self->tree.dev)

/* Of the rounds' objects, once what was under way has ended. */
#define test_nothing_is_left() \
	test_used_again(DEV, &self->before)

/* Another one, which is up. */
#define test_started(sup_) \
	do { \
		struct supervisor_create create_ = \
			CREATE(.mailbox_fd = self->tree.mailbox); \
		test_create(DEV, &create_, (sup_)); \
		test_start(*(sup_)); \
	} while (0)

/* Reads the token of that supervisor's START, past those of earlier rounds. */
static int next_token(int mailbox, __u64 sup, __u64 *token)
{
	char buf[4096] __aligned(8);
	struct supervisor_msg *message = (void *)buf;
	int count;

	do {
		count = _test_recv(mailbox, buf, sizeof(buf), 1,
				   after_ms(PATIENCE_MS));
		if (count != 1)
			return count < 0 ? count : -EPROTO;
	} while (message->supervisor != sup);
	*token = message->ref;
	return message->type == SUPERVISOR_MSG_START ? 0 : -EPROTO;
}

/* Asks for one more child, and reads its START. */
static int ask_for_child(struct tree *tree, __u64 *token)
{
	struct supervisor_child_spec spec =
		CHILD("child", WAITS, .restart = SUPERVISOR_TEMPORARY);
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .mailbox_fd = tree->events);
	int err = _test_child_add(tree->sup, &spec, &add);

	return err ?: next_token(tree->mailbox, tree->id, token);
}

/* Counts events until the call is answered; -errno or its result. */
static int await_answer(struct tree *tree, unsigned int *started,
			unsigned int *exited)
{
	char buf[4096] __aligned(8);
	struct supervisor_msg_answer *answer = (void *)buf;
	struct supervisor_msg_event *event = (void *)buf;
	int count;

	for (;;) {
		count = _test_recv(tree->events, buf, sizeof(buf), 1,
				   after_ms(PATIENCE_MS));
		if (count != 1)
			return count < 0 ? count : -EPROTO;
		if (answer->head.type == SUPERVISOR_MSG_ANSWER)
			return answer->result;
		if (answer->head.type != SUPERVISOR_MSG_EVENT)
			return -EPROTO;
		*started += event->event == SUPERVISOR_EVENT_STARTED;
		*exited += event->event == SUPERVISOR_EVENT_EXITED;
	}
}

static int await_exit(struct tree *tree, struct event *event)
{
	return _test_event(tree->events, SUPERVISOR_EVENT_EXITED, "child",
			   event);
}

/* ---- an exit against the attach ---- */

static int attach_on_go(void *argument)
{
	struct racer *racer = argument;

	await_go(racer->shared, racer->side);
	racer->shared->err[racer->side] = racer_attach(racer, racer->token);
	return racer_wait();
}

static int attach_with_other(void *argument)
{
	struct racer *racer = argument;

	await_other(racer->shared, racer->side);
	racer->shared->err[racer->side] = racer_attach(racer, racer->token);
	return racer_wait();
}

#define start_attacher(side_, token_, run_) \
	({ \
		struct racer *racer_ = &racers[side_]; \
		racer_->shared = self->shared; \
		racer_->dev = DEV; \
		racer_->side = (side_); \
		racer_->token = (token_); \
		start_racer(racer_, run_); \
	})

TEST_F(race, exit_against_attach)
{
	unsigned int i, total = rounds(ROUNDS);
	struct event event;
	int status, err, result;
	__u64 token;
	pid_t pid;

	test_start(SUP);
	for (i = 0; i < total; i++) {
		ASSERT_EQ(0, ask_for_child(&self->tree, &token));
		reset(self->shared);
		set_delays(&self->balance, self->shared);
		pid = start_attacher(0, token, attach_on_go);
		ASSERT_LT(0, pid);
		say_go(self->shared, 1);
		spin(self->shared->delay[1]);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));

		/* Ends the start unless the attach already did. */
		err = _test_report(DEV, token, SUPERVISOR_REPORT_FAILED, EIO);
		result = await_answer(&self->tree, &self->started,
				      &self->exited);
		if (!err) {
			ASSERT_EQ(SUPERVISOR_RESULT_START_FAILED, result);
			note_winner(&self->balance, 1);
			continue;
		}
		ASSERT_EQ(SUPERVISOR_RESULT_OK, result);
		note_winner(&self->balance, 0);
		if (self->exited < self->balance.won[0]) {
			ASSERT_EQ(0, await_exit(&self->tree, &event));
			ASSERT_EQ(pid, event.event.head.pid);
			ASSERT_EQ(SIGKILL, event.event.status);
			self->exited++;
		}
	}
	ASSERT_EQ(self->balance.won[0], self->started);
	ASSERT_EQ(self->balance.won[0], self->exited);
	test_each_side_won();
}

/* ---- a stop against the attach ---- */

/* Another one, whose child is to start: the token. */
#define test_starting(sup_) \
	({ \
		struct supervisor_start start_ = \
			ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC); \
		struct supervisor_create create_ = \
			CREATE(.mailbox_fd = self->tree.mailbox); \
		__u64 token_; \
		test_create(DEV, &create_, (sup_)); \
		test_child(*(sup_), "child", WAITS); \
		test_ioctl(*(sup_), SUPERVISOR_START, &start_); \
		ASSERT_EQ(0, next_token(self->tree.mailbox, create_.out_id, \
					&token_)); \
		token_; \
	})

TEST_F(race, stop_against_attach)
{
	unsigned int i, total = rounds(ROUNDS);
	__u64 token;
	pid_t pid;
	int sup;

	for (i = 0; i < total; i++) {
		token = test_starting(&sup);
		reset(self->shared);
		set_delays(&self->balance, self->shared);
		pid = start_attacher(0, token, attach_on_go);
		ASSERT_LT(0, pid);
		say_go(self->shared, 1);
		spin(self->shared->delay[1]);
		test_stop(sup);
		while (self->shared->err[0] == 1 && is_alive(pid))
			;
		if (self->shared->err[0] == -ESTALE) {
			note_winner(&self->balance, 1);
			kill(pid, SIGKILL);
		} else {
			/* It may have died before it could tell. */
			ASSERT_TRUE(self->shared->err[0] == 0 ||
				    self->shared->err[0] == 1);
			note_winner(&self->balance, 0);
			/* The stop did not end before it was dead. */
			ASSERT_FALSE(is_alive(pid));
		}
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		close(sup);
	}
	test_nothing_is_left();
	test_each_side_won();
}

/* ---- two attaches with one token ---- */

TEST_F(race, attach_against_attach)
{
	unsigned int i, total = rounds(ROUNDS);
	int result, side, winner;
	struct event event;
	__u64 token;
	pid_t pids[2];

	test_start(SUP);
	for (i = 0; i < total; i++) {
		ASSERT_EQ(0, ask_for_child(&self->tree, &token));
		reset(self->shared);
		set_delays(&self->balance, self->shared);
		for (side = 0; side < 2; side++) {
			pids[side] = start_attacher(side, token,
						    attach_with_other);
			ASSERT_LT(0, pids[side]);
		}
		result = await_answer(&self->tree, &self->started,
				      &self->exited);
		ASSERT_EQ(SUPERVISOR_RESULT_OK, result);
		while (self->shared->err[0] == 1 || self->shared->err[1] == 1)
			sched_yield();
		winner = self->shared->err[0] ? 1 : 0;
		ASSERT_EQ(0, self->shared->err[winner]);
		ASSERT_EQ(-EALREADY, self->shared->err[!winner]);
		note_winner(&self->balance, winner);
		kill(pids[0], SIGKILL);
		kill(pids[1], SIGKILL);
		ASSERT_EQ(0, await_exit(&self->tree, &event));
		ASSERT_EQ(pids[winner], event.event.head.pid);
		waitpid(pids[0], NULL, 0);
		waitpid(pids[1], NULL, 0);
	}
	test_each_side_won();
}

/* ---- terminate_child against the child's own death ---- */

static int attach_at_once(void *argument)
{
	struct racer *racer = argument;

	return racer_attach(racer, racer->token) ? 1 : racer_wait();
}

static int act_terminate(struct helper *helper, unsigned int round)
{
	return _test_terminate(helper->sup, "child");
}

TEST_F(race, terminate_against_exit)
{
	struct event event;
	unsigned int exits = 0;
	__u64 token;
	pid_t pid;

	test_start(SUP);
	self->helper.sup = SUP;
	for_rounds(rounds(ROUNDS), act_terminate) {
		ASSERT_EQ(0, ask_for_child(&self->tree, &token));
		racers[0].dev = DEV;
		racers[0].token = token;
		pid = start_racer(&racers[0], attach_at_once);
		ASSERT_LT(0, pid);
		ASSERT_EQ(SUPERVISOR_RESULT_OK,
			  await_answer(&self->tree, &self->started,
				       &self->exited));
		ASSERT_EQ(0, test_round(kill(pid, SIGKILL)));

		/* It was there to be terminated, or its death came first. */
		ASSERT_TRUE(self->shared->err[1] == 0 ||
			    self->shared->err[1] == -ENOENT);
		note_winner(&self->balance, !self->shared->err[1]);
		ASSERT_EQ(0, await_exit(&self->tree, &event));
		ASSERT_EQ(pid, event.event.head.pid);
		ASSERT_TRUE(event.event.status == SIGKILL ||
			    event.event.status == SIGTERM);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		exits++;
	}
	ASSERT_EQ(ROUND, exits);
	test_wait(SUP, SUPERVISOR_WAIT_IDLE);
	while (!_test_next(self->tree.events, &event, 0))
		ASSERT_NE(SUPERVISOR_EVENT_EXITED, event.event.event);
	test_each_side_won();
}

/* ---- close against everything ---- */

static int act_on_supervisor(struct helper *helper, unsigned int round)
{
	static char buf[4096] __aligned(8);
	struct supervisor_status status =
		ARG(supervisor_status, .buf = (uintptr_t)buf,
		    .buf_len = sizeof(buf));
	struct supervisor_query query =
		CALL(supervisor_query, .buf = (uintptr_t)buf,
		     .buf_len = sizeof(buf));
	struct supervisor_child_spec spec =
		CHILD("late", SPAWNS(spawn_nothing, 0));
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .mailbox_fd = helper->mailbox);
	struct supervisor_stop stop =
		ARG(supervisor_stop, .flags = SUPERVISOR_CALL_F_ASYNC);
	struct supervisor_wait wait =
		ARG(supervisor_wait, .what = SUPERVISOR_WAIT_IDLE,
		    .deadline = SUPERVISOR_NO_DEADLINE);
	int other;

	switch (round % 10) {
	case 0:
		return _test_ioctl(helper->sup, SUPERVISOR_STATUS, &status);
	case 1:
		return _test_ioctl(helper->sup, SUPERVISOR_WHICH_CHILDREN,
				   &query);
	case 2:
		return _test_ioctl(helper->sup, SUPERVISOR_STOP, &stop);
	case 3:
		return _test_ioctl(helper->sup, SUPERVISOR_WAIT, &wait);
	case 4:
		return _test_suspend(helper->sup, SUPERVISOR_SUSPEND_F_TREE);
	case 5:
		return _test_subscribe(helper->sup, helper->mailbox);
	case 6:
		return _test_open_child(helper->sup, "none", O_RDONLY, &other);
	case 7:
		return _test_own(helper->sup);
	case 8:
		return _test_child_add(helper->sup, &spec, &add);
	default:
		return _test_terminate(helper->sup, "none");
	}
}

static bool is_errno_of_closing(int err)
{
	switch (-err) {
	case 0:
	case EBADF:
	case ENOENT:
	case ESHUTDOWN:
	case EOWNERDEAD:
	case EEXIST:
		return true;
	}
	return false;
}

TEST_F(race, close_against_calls)
{
	struct event event;

	/* Where answers and events of the helper's go. */
	self->helper.mailbox = self->tree.events;
	for_rounds(rounds(ROUNDS), act_on_supervisor) {
		test_started(&self->helper.sup);
		ASSERT_EQ(0, test_round(close(self->helper.sup)));
		ASSERT_TRUE(is_errno_of_closing(self->shared->err[1]))
			TH_LOG("round %u: %d", ROUND % 10, self->shared->err[1]);
		note_winner(&self->balance, self->shared->err[1] != -EBADF);
		while (!_test_next(self->tree.events, &event, 0))
			;
	}
	test_nothing_is_left();
	test_each_side_won();
}

static int act_on_mailbox(struct helper *helper, unsigned int round)
{
	char buf[1024] __aligned(8);
	struct supervisor_create create = CREATE(.mailbox_fd = helper->mailbox);
	int sup, err;

	switch (round % 3) {
	case 0:
		return _test_subscribe(helper->sup, helper->mailbox);
	case 1:
		err = _test_recv(helper->mailbox, buf, sizeof(buf), 1, 0);
		return err == -EAGAIN ? 0 : err;
	default:
		err = _test_create(helper->dev, &create, &sup);
		if (!err)
			close(sup);
		return err;
	}
}

TEST_F(race, close_of_a_mailbox_against_calls)
{
	test_start(SUP);
	self->helper.dev = DEV;
	self->helper.sup = SUP;
	for_rounds(rounds(ROUNDS), act_on_mailbox) {
		test_mailbox_create(DEV, 4096, &self->helper.mailbox);
		ASSERT_EQ(0, test_round(close(self->helper.mailbox)));
		ASSERT_TRUE(self->shared->err[1] == 0 ||
			    self->shared->err[1] == -EBADF)
			TH_LOG("round %u: %d", ROUND % 3, self->shared->err[1]);
		note_winner(&self->balance, self->shared->err[1] != -EBADF);
	}
	test_each_side_won();
}

static int attach_then_exit_on_go(void *argument)
{
	struct racer *racer = argument;

	if (racer_attach(racer, racer->token))
		return 1;
	/* Its copy of the file would not let the other close be the last. */
	raw(SYS_close, racer->sup, 0, 0);
	await_go(racer->shared, 0);
	return 0;
}

/* The last close of a tree with children against their deaths. */
TEST_F(race, close_against_exit)
{
	unsigned int i, total = rounds(ROUNDS);
	int sup, status;
	__u64 token;
	pid_t pid;

	for (i = 0; i < total; i++) {
		token = test_starting(&sup);
		reset(self->shared);
		set_delays(&self->balance, self->shared);
		racers[0].shared = self->shared;
		racers[0].dev = DEV;
		racers[0].sup = sup;
		racers[0].token = token;
		pid = start_racer(&racers[0], attach_then_exit_on_go);
		ASSERT_LT(0, pid);
		say_go(self->shared, 1);
		spin(self->shared->delay[1]);
		close(sup);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		/* By itself, or asked. */
		ASSERT_TRUE(status == 0 || status == SIGTERM)
			TH_LOG("status %x", status);
		note_winner(&self->balance, status == SIGTERM);
	}
	test_nothing_is_left();
	test_each_side_won();
}

/* ---- a follower against the end ---- */

/* Who could follow a tree and sees that it is down has been told so. */
static int act_follow(struct helper *helper, unsigned int round)
{
	struct pollfd polled = { .fd = helper->sup };
	struct event event;
	int err = _test_subscribe(helper->sup, helper->mailbox);

	if (err)
		return err;
	while (!(polled.revents & POLLHUP))
		if (poll(&polled, 1, 0) < 0)
			return -errno;
	do {
		err = _test_next(helper->mailbox, &event, 0);
	} while (!err && event.event.event != SUPERVISOR_EVENT_DOWN);
	return err;
}

#define AUDIENCE 64

/* Others to be woken at the end: it takes a while. */
struct audience {
	int epoll;
	int copies[AUDIENCE];
};

static int audience_open(struct audience *audience, int sup)
{
	struct epoll_event none = { .events = 0 };
	int i, err = 0;

	audience->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; i < AUDIENCE; i++) {
		audience->copies[i] = fcntl(sup, F_DUPFD_CLOEXEC, 0);
		if (epoll_ctl(audience->epoll, EPOLL_CTL_ADD,
			      audience->copies[i], &none))
			err = -errno;
	}
	return err;
}

static void audience_close(struct audience *audience)
{
	int i;

	for (i = 0; i < AUDIENCE; i++)
		close(audience->copies[i]);
	close(audience->epoll);
}

TEST_F(race, stop_against_follow)
{
	struct audience audience;

	self->helper.mailbox = self->tree.events;
	for_rounds(rounds(ROUNDS), act_follow) {
		test_started(&self->helper.sup);
		ASSERT_EQ(0, audience_open(&audience, self->helper.sup));
		ASSERT_EQ(0, test_round(_test_stop(self->helper.sup)));
		ASSERT_TRUE(self->shared->err[1] == 0 ||
			    self->shared->err[1] == -ESHUTDOWN)
			TH_LOG("round %u: %d", ROUND, self->shared->err[1]);
		note_winner(&self->balance, !self->shared->err[1]);
		audience_close(&audience);
		close(self->helper.sup);
	}
	test_nothing_is_left();
	test_each_side_won();
}

/* ---- a storm ---- */

struct storm {
	volatile int go;
	__u64 tokens[RACERS];
	volatile pid_t owner[RACERS];
	volatile int errors;
};

static struct storm storm;

/* Takes the first token that is left; the sides begin in the same place. */
static int attach_to_any(void *argument)
{
	struct racer *racer = argument;
	int i, err, token;

	wait_while(&storm.go, 0);
	for (i = 0; i < RACERS; i++) {
		token = (racer->side / 2 + i) % RACERS;
		err = racer_attach(racer, storm.tokens[token]);
		if (!err) {
			storm.owner[token] = raw(SYS_getpid, 0, 0, 0);
			return racer_wait();
		}
		if (err != -EALREADY)
			__sync_fetch_and_add(&storm.errors, 1);
	}
	return 1;
}

TEST_F(race, storm_of_attaches)
{
	unsigned int round, total = rounds(ROUNDS) / RACERS ?: 1;
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);
	struct supervisor_child_spec spec = CHILD("child", WAITS);
	struct supervisor_create create;
	pid_t pids[RACERS], child;
	int sups[RACERS];
	int i, j, owned;

	for (round = 0; round < total; round++) {
		memset(&storm, 0, sizeof(storm));
		for (i = 0; i < RACERS; i++) {
			create = CREATE(.mailbox_fd = self->tree.mailbox);
			test_create(DEV, &create, &sups[i]);
			ASSERT_EQ(0, _test_child_add(sups[i], &spec, NULL));
			test_ioctl(sups[i], SUPERVISOR_START, &start);
			ASSERT_EQ(0, next_token(self->tree.mailbox,
						create.out_id,
						&storm.tokens[i]));
		}
		for (i = 0; i < RACERS; i++) {
			racers[i].dev = DEV;
			racers[i].side = i;
			pids[i] = start_racer(&racers[i], attach_to_any);
			ASSERT_LT(0, pids[i]);
		}
		set_word(&storm.go, 1);
		for (i = 0; i < RACERS; i++) {
			ASSERT_TRUE(eventually(storm.owner[i]));
			child = child_pid(sups[i], "child");
			ASSERT_EQ(storm.owner[i], child);
		}
		ASSERT_EQ(0, storm.errors);
		for (i = 0; i < RACERS; i++) {
			for (j = 0, owned = 0; j < RACERS; j++)
				owned += storm.owner[j] == pids[i];
			ASSERT_EQ(1, owned);
		}
		for (i = 0; i < RACERS; i++) {
			test_stop(sups[i]);
			close(sups[i]);
		}
		for (i = 0; i < RACERS; i++)
			ASSERT_EQ(pids[i], waitpid(pids[i], NULL, 0));
	}
}

/* Two objects that get their names at the same time. */
static __u64 named[2];

static int name_one(int dev, int side, int *mailbox)
{
	struct supervisor_mailbox_create create =
		NAMED_MAILBOX(side ? "/race.1" : "/race.0", .ring_bytes = 4096);
	int err = _test_ioctl(dev, SUPERVISOR_MAILBOX_CREATE, &create);

	*mailbox = create.out_fd;
	named[side] = create.out_id;
	return err;
}

static int act_name(struct helper *helper, unsigned int round)
{
	return name_one(helper->dev, 1, &helper->mailbox);
}

/* How many of them are listed. */
static int count_named(int dev)
{
	struct supervisor_name_entry entries[64];
	struct supervisor_list list = ARG(supervisor_list, .buf = (uintptr_t)entries);
	const struct supervisor_name_entry *entry;
	int count = 0, err;
	char *at;

	do {
		list.buf_len = sizeof(entries);
		err = _test_ioctl(dev, SUPERVISOR_LIST, &list);
		if (err)
			return err;
		for (at = (char *)entries; list.out_count--; at += entry->size) {
			entry = (void *)at;
			count += entry->id == named[0] || entry->id == named[1];
		}
	} while (list.cursor);
	return count;
}

TEST_F(race, name_against_name)
{
	int mailbox;

	self->helper.dev = DEV;
	for_rounds(rounds(ROUNDS), act_name) {
		ASSERT_EQ(0, test_round(name_one(DEV, 0, &mailbox)));
		ASSERT_EQ(0, self->shared->err[1]);
		note_winner(&self->balance, named[0] > named[1]);
		ASSERT_EQ(2, count_named(DEV));
		close(mailbox);
		close(self->helper.mailbox);
	}
	test_each_side_won();
}

TEST_HARNESS_MAIN
