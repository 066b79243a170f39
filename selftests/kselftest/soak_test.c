// SPDX-License-Identifier: GPL-2.0
/*
 * Many callers and a tree of servers, all killed at random for a while. Every
 * call ends, with the right reply or a defined errno; what the sides have
 * counted adds up; nothing is left at the end.
 *
 * SUPERVISOR_SOAK_SECONDS says for how long: 10 unless told, 3 on a kernel that
 * is slow because it checks a lot.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 1200

#define CLIENTS 64
#define SERVERS 8
#define REQUEST_MAX 6000
#define CALL_MS 2000

/* How a call ended. */
enum end {
	REPLIED,
	OWNER_DIED,
	TIMED_OUT,
	NOBODY,
	NO_ROOM,
	ENDS,
};

static const char * const ends[ENDS] = {
	"replied", "owner died", "timed out", "nobody there", "no room",
};

struct counts {
	/* of clients */
	unsigned long begun, ended[ENDS], casts, wrong, strange, killed;
	int last_strange;
	/* of servers */
	unsigned long taken, accepted, late, refused, cast;
};

struct request {
	__u64 number;
	__u32 len;
	__u32 client;
};

struct shared {
	volatile bool stop;
	struct counts counts;
	char names[SERVERS][32];
};

static struct shared *shared;

#define count(member) \
	__atomic_add_fetch(&shared->counts.member, 1, __ATOMIC_RELAXED)

static unsigned int seconds(void)
{
	const char *told = getenv("SUPERVISOR_SOAK_SECONDS");

	return told ? atoi(told) : slow_kernel() ? 3 : 10;
}

/* ---- servers: children of the tree ---- */

static bool survives(long server)
{
	return server % 2;
}

static int serve_at(long server)
{
	const char *name = shared->names[server];
	int dev = device_open();
	int mailbox, err;
	__u32 flags = survives(server) ? SUPERVISOR_MAILBOX_F_SURVIVE : 0;

	if (dev < 0)
		return dev;
	/* The name of one that ended may live on in its callers' files. */
	if (!survives(server))
		_test_unlink(dev, name);
	err = _test_mailbox(dev, NAMED_MAILBOX(name, .flags = flags,
					       .ring_bytes = 8192,
					       .max_messages = 40),
			    &mailbox);
	if (err == -EEXIST && survives(server)) {
		err = _test_open_mailbox(dev, name, O_RDWR, &mailbox);
		err = err ?: _test_mailbox_own(mailbox);
	}
	return err ?: mailbox;
}

/* What a request is answered with: itself, inverted. */
static void invert(char *bytes, __u32 len)
{
	while (len--)
		*bytes++ ^= 0xff;
}

static void count_reply(int err)
{
	switch (-err) {
	case 0:
		count(accepted);
		break;
	case ESTALE:
		count(late);
		break;
	default:
		count(refused);
	}
}

static void child_serves(long server)
{
	static struct message message;
	static char reply[SUPERVISOR_PAYLOAD_MAX];
	int mailbox = serve_at(server);
	struct supervisor_call_reply_recv recv;
	const struct supervisor_msg_data *data = (void *)message.buf;
	unsigned int seed = getpid();
	bool pending = false;
	int err;

	if (mailbox < 0)
		_exit(1);
	recv = ARG(supervisor_call_reply_recv);
	for (;;) {
		recv.buf = (uintptr_t)message.buf;
		recv.buf_len = sizeof(message.buf);
		recv.max = 1;
		recv.deadline = SUPERVISOR_NO_DEADLINE;
		err = _test_ioctl(mailbox, SUPERVISOR_CALL_REPLY_RECV, &recv);
		if (pending && !recv.from)
			count_reply(-recv.out_reply_error);
		pending = recv.from;
		if (err == -EINTR)
			continue;
		if (err)
			_exit(2);
		if (data->head.type == SUPERVISOR_MSG_CAST) {
			count(cast);
			continue;
		}
		count(taken);
		memcpy(reply, message.buf + data->payload_offset,
		       data->payload_len);
		invert(reply, data->payload_len);
		switch (rand_r(&seed) % 64) {
		case 0:
			/* Forgotten: its caller times out. */
			continue;
		case 1:
			sleep_ms(1);
			break;
		case 2:
			/* Said by itself, and then twice. */
			count_reply(_test_reply(mailbox, data->head.ref, reply,
						data->payload_len));
			break;
		case 3:
			if (!(rand_r(&seed) % 8))
				_exit(3);
		}
		recv.from = data->head.ref;
		recv.reply = (uintptr_t)reply;
		recv.reply_len = data->payload_len;
		pending = true;
	}
}

/* ---- clients ---- */

static void count_end(int err)
{
	static const int errnos[ENDS] = {
		[OWNER_DIED] = EOWNERDEAD, [TIMED_OUT] = ETIMEDOUT,
		[NOBODY] = ESHUTDOWN, [NO_ROOM] = EAGAIN,
	};
	int i;

	for (i = 0; i < ENDS; i++) {
		if (errnos[i] == -err) {
			count(ended[i]);
			return;
		}
	}
	shared->counts.last_strange = -err;
	count(strange);
}

static void check_reply(const char *request, char *reply, __u32 sent,
			__u32 got)
{
	invert(reply, got);
	if (got != sent || memcmp(request, reply, sent))
		count(wrong);
}

/* One after the other; some without waiting, all of whose replies are read. */
static void client_loop(unsigned int index)
{
	static char request[REQUEST_MAX], reply[REQUEST_MAX];
	static struct message message;
	struct request *head = (void *)request;
	struct supervisor_mailbox_call call;
	int mailboxes[SERVERS], dev, replies, i, at, err;
	unsigned int seed = getpid();
	__u64 ref;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dev = device_open();
	for (i = 0; i < SERVERS; i++)
		mailboxes[i] = -1;
	if (dev < 0 || _test_mailbox(dev, MAILBOX(.ring_bytes = 4096),
				     &replies))
		_exit(1);
	while (!shared->stop) {
		at = rand_r(&seed) % SERVERS;
		if (mailboxes[at] < 0 &&
		    _test_open_mailbox(dev, shared->names[at], O_WRONLY,
				       &mailboxes[at])) {
			/* It is just not there. */
			mailboxes[at] = -1;
			sleep_ms(1);
			continue;
		}
		head->number++;
		head->client = index;
		head->len = sizeof(*head) + rand_r(&seed) %
			    (rand_r(&seed) % 8 ? 100 : REQUEST_MAX -
			     sizeof(*head));
		memset(head + 1, head->number, head->len - sizeof(*head));
		switch (rand_r(&seed) % 8) {
		case 0:
			if (!_test_send(mailboxes[at], request, head->len, 0))
				count(casts);
			continue;
		case 1:
			count(begun);
			err = _test_call_start(mailboxes[at], request,
					       head->len, replies, &ref);
			if (err)
				break;
			err = _test_take_ref(replies, ref, &message,
					     after_ms(CALL_MS));
			if (err == -ETIMEDOUT &&
			    !_test_call_cancel(replies, ref, 0))
				err = _test_take_ref(replies, ref, &message, 0);
			if (err)
				break;
			err = -message.error;
			if (!err && message.len <= sizeof(reply)) {
				memcpy(reply, message.payload, message.len);
				check_reply(request, reply, head->len,
					    message.len);
			} else if (!err) {
				count(wrong);
			}
			break;
		default:
			count(begun);
			call = ARG(supervisor_mailbox_call,
				   .buf = (uintptr_t)request, .len = head->len,
				   .reply = (uintptr_t)reply,
				   .reply_len = sizeof(reply),
				   .deadline = now_ns() + CALL_MS *
					(rand_r(&seed) % 16 ? 1000000ULL :
					 1000));
			err = _test_ioctl(mailboxes[at], SUPERVISOR_MAILBOX_CALL,
					  &call);
			if (!err)
				check_reply(request, reply, head->len,
					    call.reply_len);
		}
		count_end(err);
		if (err == -ESHUTDOWN || err == -EOWNERDEAD) {
			close(mailboxes[at]);
			mailboxes[at] = -1;
		}
	}
	_exit(0);
}

static pid_t client_start(unsigned int index)
{
	pid_t pid = fork();

	if (!pid) {
		syscall(SYS_close_range, 3, ~0U, 0);
		client_loop(index);
	}
	return pid;
}

TEST(soak)
{
	unsigned int i, rounds = 0, server_kills = 0, running = 0;
	unsigned long all_ended = 0;
	pid_t clients[CLIENTS], pid;
	struct supervisor_info before;
	struct counts *counts;
	struct tree tree;
	char id[16];
	__u64 until;
	int dev;

	shared = shared_memory(sizeof(*shared));
	ASSERT_NE(NULL, shared);
	counts = &shared->counts;
	dev = device_open();
	ASSERT_LE(0, dev);
	test_info(dev, &before);
	test_tree_open(&tree, CREATE(.intensity = 1000000, .period = 3600));
	for (i = 0; i < SERVERS; i++) {
		snprintf(shared->names[i], sizeof(shared->names[i]),
			 "/soak.%d.%u", getpid(), i);
		snprintf(id, sizeof(id), "server%u", i);
		test_child(tree.sup, id, RUNS(child_serves, i));
	}
	test_start(tree.sup);
	for (i = 0; i < CLIENTS; i++) {
		clients[i] = client_start(i);
		ASSERT_LT(0, clients[i]);
	}

	srand(getpid());
	until = after_ms(seconds() * 1000);
	for (; now_ns() < until || !server_kills || !counts->killed; rounds++) {
		sleep_ms(10 + rand() % 30);
		if (rounds % 2) {
			i = rand() % CLIENTS;
			/* The spawner's thread waits for none of these. */
			process_kill(clients[i]);
			counts->killed++;
			clients[i] = client_start(i);
			ASSERT_LT(0, clients[i]);
		} else {
			snprintf(id, sizeof(id), "server%u", rand() % SERVERS);
			pid = child_pid(tree.sup, id);
			if (pid > 0 && !kill(pid, rand() % 2 ? SIGKILL : SIGTERM))
				server_kills++;
		}
	}
	/* Everybody ends by himself, for every call does. */
	shared->stop = true;
	for (i = 0; i < CLIENTS; i++) {
		if (!is_dead_after(clients[i], PATIENCE_MS))
			running++;
		else
			waitpid(clients[i], NULL, 0);
	}
	for (i = 0; i < ENDS; i++) {
		TH_LOG("%lu %s", counts->ended[i], ends[i]);
		all_ended += counts->ended[i];
	}
	TH_LOG("%lu begun; %lu clients and %u servers killed", counts->begun,
	       counts->killed, server_kills);
	TH_LOG("%lu taken: %lu replies, %lu late, %lu more; %lu of %lu casts",
	       counts->taken, counts->accepted, counts->late, counts->refused,
	       counts->cast, counts->casts);
	EXPECT_EQ(0, running);
	EXPECT_EQ(0, counts->wrong);
	EXPECT_EQ(0, counts->strange) TH_LOG("errno %d", counts->last_strange);
	EXPECT_LT(0, counts->ended[REPLIED]);
	EXPECT_LT(0, counts->ended[OWNER_DIED]);
	EXPECT_LT(0, counts->killed);
	EXPECT_LT(0, server_kills);
	/* A client that was killed had at most one call under way. */
	EXPECT_LE(all_ended, counts->begun);
	EXPECT_GE(all_ended + counts->killed, counts->begun);
	/*
	 * A server counts a reply when it has its next message: not if it was
	 * killed before, and not yet if none has come since.
	 */
	EXPECT_LE(counts->ended[REPLIED],
		  counts->accepted + server_kills + SERVERS);
	EXPECT_LE(counts->accepted, counts->ended[REPLIED] + counts->killed);
	EXPECT_LE(counts->cast, counts->casts + counts->killed);

	tree_close(&tree);
	test_used_again(dev, &before);
	close(dev);
}

TEST_HARNESS_MAIN
