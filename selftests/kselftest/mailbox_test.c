// SPDX-License-Identifier: GPL-2.0
/*
 * Mailboxes without calls: how they are made and named, what a cast brings from
 * where, what happens when there is no room, and whose they are.
 */
#include <linux/io_uring.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

#define USER 60001
#define OTHER 60002

#define POISON 0x5a
#define MESSAGES_MAX 1048576
#define BYTES_MAX (64U << 20)

static char name[32];
static char large[SUPERVISOR_PAYLOAD_MAX + 8];
static struct message message;

FIXTURE(mailbox)
{
	int dev;
	struct supervisor_info before;
};

FIXTURE_SETUP(mailbox)
{
	unsigned int i;

	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	snprintf(name, sizeof(name), "/mailbox.%d", getpid());
	for (i = 0; i < sizeof(large); i++)
		large[i] = i * 7 + i / 251;
	umask(0);
	test_info(self->dev, &self->before);
}

/* Every test closes what it made. */
FIXTURE_TEARDOWN(mailbox)
{
	test_used_again(self->dev, &self->before);
	close(self->dev);
}

#define DEV (self->dev)

#define needs_root() \
	do { \
		if (geteuid()) \
			SKIP(return, "needs root, to become others"); \
	} while (0)

static int set_nonblock(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* ---- creation ---- */

TEST_F(mailbox, bounds)
{
	static const struct {
		int err;
		__u32 max_messages, max_bytes, max_payload;
	} rows[] = {
		{ 0, 1, 1, 1 },
		{ 0, MESSAGES_MAX, BYTES_MAX, SUPERVISOR_PAYLOAD_MAX },
		{ 0, 0, SUPERVISOR_PAYLOAD_MAX, 0 },
		{ 0, 0, SUPERVISOR_PAYLOAD_MAX - 1, 0 },
		{ 0, 0, 1, 0 },
		{ 0, 1, 100, 100 },
		{ -EINVAL, MESSAGES_MAX + 1, 0, 0 },
		{ -EINVAL, ~0U, 0, 0 },
		{ -EINVAL, 0, BYTES_MAX + 1, 0 },
		{ -EINVAL, 0, ~0U, 0 },
		{ -EINVAL, 0, 0, SUPERVISOR_PAYLOAD_MAX + 1 },
		{ -EINVAL, 0, 0, ~0U },
		{ -EINVAL, 0, 99, 100 },
	};
	struct supervisor_mailbox_status status;
	unsigned int i;
	__u32 payload;
	int mailbox;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_EQ(rows[i].err, _test_mailbox(DEV,
			MAILBOX(.max_messages = rows[i].max_messages,
				.max_bytes = rows[i].max_bytes,
				.max_payload = rows[i].max_payload),
			&mailbox)) TH_LOG("row %u", i);
		if (rows[i].err) {
			ASSERT_TRUE(used_is(DEV, &self->before));
			continue;
		}
		test_mailbox_status(mailbox, &status);
		ASSERT_EQ(rows[i].max_messages ?: 1024,
			  status.out_max_messages);
		ASSERT_EQ(rows[i].max_bytes ?: 1U << 20, status.out_max_bytes);
		payload = rows[i].max_payload ?: SUPERVISOR_PAYLOAD_MAX;
		if (payload > status.out_max_bytes)
			payload = status.out_max_bytes;
		ASSERT_EQ(payload, status.out_max_payload);
		close(mailbox);
	}
}

TEST_F(mailbox, as_created)
{
	struct supervisor_mailbox_create create =
		MAILBOX(.flags = SUPERVISOR_MAILBOX_F_SURVIVE,
			.ring_bytes = 4096, .max_messages = 7,
			.max_bytes = 900, .max_payload = 100);
	struct supervisor_mailbox_status status;
	__u64 first;

	test_ioctl(DEV, SUPERVISOR_MAILBOX_CREATE, &create);
	first = create.out_id;
	ASSERT_EQ(FD_CLOEXEC, fcntl(create.out_fd, F_GETFD));
	ASSERT_EQ(O_RDWR, fcntl(create.out_fd, F_GETFL) & O_ACCMODE);
	memset(&status, POISON, sizeof(status));
	status.size = sizeof(status);
	status.flags = 0;
	test_ioctl(create.out_fd, SUPERVISOR_MAILBOX_STATUS, &status);
	ASSERT_EQ(create.out_id, status.out_id);
	ASSERT_EQ(getpid(), status.out_owner_pid);
	ASSERT_EQ(1, status.out_survive);
	ASSERT_EQ(7, status.out_max_messages);
	ASSERT_EQ(900, status.out_max_bytes);
	ASSERT_EQ(100, status.out_max_payload);
	ASSERT_EQ(4096, status.out_ring_bytes);
	ASSERT_EQ(0, status.out_messages);
	ASSERT_EQ(0, status.out_bytes);
	ASSERT_EQ(0, status.out_taken);
	ASSERT_EQ(0, status.out_reserved);
	ASSERT_EQ(0, status.out_lost);
	close(create.out_fd);

	create = MAILBOX();
	test_ioctl(DEV, SUPERVISOR_MAILBOX_CREATE, &create);
	ASSERT_LT(first, create.out_id);
	test_mailbox_status(create.out_fd, &status);
	ASSERT_EQ(0, status.out_survive);
	ASSERT_EQ(65536, status.out_ring_bytes);
	close(create.out_fd);
}

/* A program that was built with the struct as it was first published. */
TEST_F(mailbox, of_an_older_program)
{
	struct supervisor_mailbox_create create =
		MAILBOX(.max_messages = ~0U, .name_len = ~0U, .mode = ~0U);
	struct supervisor_mailbox_status status;

	create.size = offsetof(struct supervisor_mailbox_create, max_messages);
	test_ioctl(DEV, SUPERVISOR_MAILBOX_CREATE, &create);
	test_mailbox_status(create.out_fd, &status);
	ASSERT_EQ(1024, status.out_max_messages);
	test_send(create.out_fd, "cast");
	test_takes_cast(create.out_fd, "cast");
	close(create.out_fd);
}

TEST_F(mailbox, one_wrong_member)
{
	static const char * const bad_names[] = {
		"x", "/", "/a/b", "/a\n", "/\x7f",
	};
	char long_name[SUPERVISOR_NAME_MAX + 3];
	struct supervisor_mailbox_create create;
	unsigned int i, bit;
	int mailbox, other;

	for (bit = 1; bit < 32; bit++)
		ASSERT_EQ(-EOPNOTSUPP,
			  _test_mailbox(DEV, MAILBOX(.flags = 1U << bit),
					&mailbox));
	ASSERT_EQ(-EINVAL, _test_mailbox(DEV, MAILBOX(.ring_bytes = 2048),
					 &mailbox));
	ASSERT_EQ(-EINVAL, _test_mailbox(DEV, MAILBOX(.__reserved = 1),
					 &mailbox));
	ASSERT_EQ(-EINVAL, _test_mailbox(DEV, MAILBOX(.__reserved2 = 1U << 31),
					 &mailbox));
	for (i = 0; i < ARRAY_SIZE(bad_names); i++)
		ASSERT_EQ(-EINVAL,
			  _test_mailbox(DEV, NAMED_MAILBOX(bad_names[i]),
					&mailbox));
	ASSERT_EQ(-EINVAL, _test_mailbox(DEV, NAMED_MAILBOX("/a", .mode = 01600),
					 &mailbox));
	ASSERT_EQ(-EFAULT, _test_mailbox(DEV, MAILBOX(.name = 8, .name_len = 5),
					 &mailbox));
	memset(long_name, 'n', sizeof(long_name));
	long_name[0] = '/';
	create = MAILBOX(.mode = 0600, .name = (uintptr_t)long_name,
			 .name_len = SUPERVISOR_NAME_MAX + 2);
	ASSERT_EQ(-ENAMETOOLONG, _test_mailbox(DEV, create, &mailbox));
	ASSERT_TRUE(used_is(DEV, &self->before));
	create.name_len--;
	test_mailbox(DEV, create, &mailbox);
	ASSERT_EQ(-EEXIST, _test_mailbox(DEV, create, &other));
	close(mailbox);
	test_mailbox(DEV, create, &mailbox);
	close(mailbox);
}

/* ---- names ---- */

/* What the other user may open, and whether it may unlink. */
struct access {
	uid_t uid;
	int reading, writing, both;
};

static int try_access(void *argument)
{
	static const int wanted[] = { O_RDONLY, O_WRONLY, O_RDWR };
	struct access *access = argument;
	const int results[] = {
		access->reading, access->writing, access->both,
	};
	int err = become(access->uid, access->uid);
	int dev, mailbox, i;

	if (err)
		return err;
	dev = device_open();
	if (dev < 0)
		return dev;
	for (i = 0; i < 3; i++) {
		err = _test_open_mailbox(dev, name, wanted[i], &mailbox);
		if (err != results[i])
			return err ?: -EPROTO;
		if (!err)
			close(mailbox);
	}
	return _test_unlink(dev, name) == -EPERM ? 0 : -EPROTO;
}

TEST_F(mailbox, names_have_modes)
{
	static const struct {
		unsigned int mode, mask;
		struct access access;
	} rows[] = {
		{ 0600, 0, { OTHER, -EACCES, -EACCES, -EACCES } },
		{ 0622, 0, { OTHER, -EACCES, 0, -EACCES } },
		{ 0604, 0, { OTHER, 0, -EACCES, -EACCES } },
		{ 0666, 0, { OTHER, 0, 0, 0 } },
		{ 0666, 022, { OTHER, 0, -EACCES, -EACCES } },
	};
	struct access access;
	unsigned int i;
	int mailbox;

	needs_root();
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		umask(rows[i].mask);
		test_mailbox(DEV, NAMED_MAILBOX(name, .mode = rows[i].mode),
			     &mailbox);
		access = rows[i].access;
		ASSERT_EQ(0, in_process(try_access, &access))
			TH_LOG("row %u", i);
		close(mailbox);
	}
}

TEST_F(mailbox, access_is_that_of_the_file)
{
	struct supervisor_mailbox_call call =
		ARG(supervisor_mailbox_call, .buf = (uintptr_t)large, .len = 1);
	struct supervisor_call_reply_recv reply_recv =
		ARG(supervisor_call_reply_recv, .buf = (uintptr_t)message.buf,
		    .buf_len = sizeof(message.buf));
	int mailbox, reader, writer;
	char text[256];
	__u64 ref;

	test_mailbox(DEV, NAMED_MAILBOX(name), &mailbox);
	test_open_mailbox(DEV, name, O_RDONLY, &reader);
	test_open_mailbox(DEV, name, O_WRONLY, &writer);
	ASSERT_EQ(O_RDONLY, fcntl(reader, F_GETFL) & O_ACCMODE);
	ASSERT_EQ(O_WRONLY, fcntl(writer, F_GETFL) & O_ACCMODE);
	ASSERT_EQ(FD_CLOEXEC, fcntl(reader, F_GETFD));

	test_send(writer, "cast");
	ASSERT_EQ(-EBADF, _test_send(reader, "x", 1, 0));
	ASSERT_EQ(-1, write(reader, "x", 1));
	ASSERT_EQ(EBADF, errno);
	ASSERT_EQ(-EBADF, _test_ioctl(reader, SUPERVISOR_MAILBOX_CALL, &call));
	ASSERT_EQ(-EBADF, _test_call_start(reader, "x", 1, mailbox, &ref));
	ASSERT_EQ(-EBADF, _test_call_start(writer, "x", 1, writer, &ref));

	ASSERT_EQ(-EBADF, _test_take(writer, &message, 0));
	ASSERT_EQ(-1, read(writer, text, sizeof(text)));
	ASSERT_EQ(EBADF, errno);
	ASSERT_EQ(-EBADF, _test_reply(writer, 1, "x", 1));
	ASSERT_EQ(-EBADF, _test_ioctl(writer, SUPERVISOR_CALL_REPLY_RECV,
				      &reply_recv));
	ASSERT_EQ(-EBADF, _test_mailbox_own(writer));
	test_takes_cast(reader, "cast");
	test_empty(mailbox);
	/* The last file of the three takes the name. */
	close(mailbox);
	close(writer);
	test_open_mailbox(DEV, name, O_WRONLY, &writer);
	close(writer);
	close(reader);
	ASSERT_EQ(-ENOENT, _test_open_mailbox(DEV, name, O_WRONLY, &writer));
}

TEST_F(mailbox, names_are_shared_with_supervisors)
{
	struct supervisor_create create =
		CREATE(.mode = 0600, .name = (uintptr_t)name,
		       .name_len = strlen(name));
	struct supervisor_open open =
		ARG(supervisor_open, .access = O_RDWR, .kind = 3,
		    .name = (uintptr_t)name, .name_len = strlen(name));
	int mailbox, other, sup;

	test_mailbox(DEV, NAMED_MAILBOX(name), &mailbox);
	ASSERT_EQ(-EEXIST, _test_create(DEV, &create, &sup));
	ASSERT_EQ(-ENOENT, _test_open(DEV, name, O_RDONLY, &sup));
	ASSERT_EQ(-EOPNOTSUPP, _test_ioctl(DEV, SUPERVISOR_OPEN, &open));
	/* Unlinked, it lives on. */
	ASSERT_EQ(0, _test_unlink(DEV, name));
	ASSERT_EQ(-ENOENT, _test_unlink(DEV, name));
	ASSERT_EQ(-ENOENT, _test_open_mailbox(DEV, name, O_RDONLY, &sup));
	test_send(mailbox, "cast");
	test_takes_cast(mailbox, "cast");
	test_create(DEV, &create, &sup);
	ASSERT_EQ(-EEXIST, _test_mailbox(DEV, NAMED_MAILBOX(name), &other));
	ASSERT_EQ(-ENOENT, _test_open_mailbox(DEV, name, O_RDONLY, &other));
	close(sup);
	close(mailbox);
}

TEST_F(mailbox, is_listed_with_its_kind)
{
	char buf[4096] __aligned(8);
	struct supervisor_list list =
		ARG(supervisor_list, .buf = (uintptr_t)buf,
		    .buf_len = sizeof(buf));
	const struct supervisor_name_entry *entry;
	struct supervisor_mailbox_status status;
	bool found = false;
	int mailbox;
	__u32 at;

	test_mailbox(DEV, NAMED_MAILBOX(name, .mode = 0640), &mailbox);
	test_mailbox_status(mailbox, &status);
	test_ioctl(DEV, SUPERVISOR_LIST, &list);
	for (at = 0; at < list.buf_len; at += entry->size) {
		entry = (void *)(buf + at);
		ASSERT_LT(0, entry->size);
		if (entry->id != status.out_id)
			continue;
		found = true;
		ASSERT_EQ(SUPERVISOR_KIND_MAILBOX, entry->kind);
		ASSERT_STREQ(name, text_at(entry, entry->name_offset));
		ASSERT_EQ(0640, entry->mode);
		ASSERT_EQ(geteuid(), entry->uid);
		ASSERT_EQ(getpid(), entry->owner_pid);
	}
	ASSERT_TRUE(found);
	close(mailbox);
}

/* ---- sending and receiving ---- */

TEST_F(mailbox, keeps_the_order)
{
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf = (uintptr_t)message.buf);
	const struct supervisor_msg_data *data;
	__u32 i, taken, at, value;
	__u64 last = 0;
	int mailbox;

	test_mailbox(DEV, MAILBOX(), &mailbox);
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, _test_send(mailbox, &i, sizeof(i), 0));
	test_waiting(mailbox, 20);
	for (taken = 0; taken < 20;) {
		/* One, then three, then as many as fit. */
		recv.max = taken ? taken < 4 ? 3 : 0 : 1;
		recv.buf_len = sizeof(message.buf);
		test_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV, &recv);
		ASSERT_EQ(recv.max ?: 16, recv.out_count);
		for (i = at = 0; i < recv.out_count; i++) {
			data = (void *)(message.buf + at);
			ASSERT_EQ(SUPERVISOR_MSG_CAST, data->head.type);
			ASSERT_EQ(sizeof(value), data->payload_len);
			memcpy(&value, message.buf + at + data->payload_offset,
			       sizeof(value));
			ASSERT_EQ(taken++, value);
			ASSERT_LE(last, data->head.time_ns);
			last = data->head.time_ns;
			at += data->head.size;
		}
		ASSERT_EQ(at, recv.buf_len);
	}
	ASSERT_GE(now_ns(), last);
	test_empty(mailbox);
	close(mailbox);
}

/* As many as fit, the rest later. */
TEST_F(mailbox, batch_ends_with_the_buffer)
{
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf = (uintptr_t)message.buf);
	__u32 one;
	int mailbox;

	test_mailbox(DEV, MAILBOX(), &mailbox);
	test_send(mailbox, "a");
	test_send(mailbox, "b");
	test_send(mailbox, "c");
	recv.buf_len = 0;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV,
					 &recv));
	one = recv.buf_len;
	recv.buf_len = one * 3 - 1;
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV, &recv);
	ASSERT_EQ(2, recv.out_count);
	ASSERT_EQ(one * 2, recv.buf_len);
	recv.buf_len = one;
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV, &recv);
	ASSERT_EQ(1, recv.out_count);
	ASSERT_EQ(one, recv.buf_len);
	close(mailbox);
}

TEST_F(mailbox, read_and_write)
{
	struct supervisor_msg_data *data = (void *)message.buf;
	void *volatile nowhere = (void *)8;
	ssize_t length;
	int mailbox;

	test_mailbox(DEV, MAILBOX(.max_payload = 100), &mailbox);
	ASSERT_EQ(0, set_nonblock(mailbox));
	ASSERT_EQ(5, write(mailbox, "first", 5));
	ASSERT_EQ(0, write(mailbox, "", 0));
	ASSERT_EQ(-1, write(mailbox, large, 101));
	ASSERT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(-1, write(mailbox, nowhere, 8));
	ASSERT_EQ(EFAULT, errno);
	test_send(mailbox, "last");

	ASSERT_EQ(-1, read(mailbox, message.buf, 8));
	ASSERT_EQ(EMSGSIZE, errno);
	length = read(mailbox, message.buf, sizeof(message.buf));
	ASSERT_LT(0, length);
	ASSERT_EQ(5, data->payload_len);
	ASSERT_EQ(0, memcmp("first", message.buf + data->payload_offset, 5));
	data = (void *)(message.buf + data->head.size);
	ASSERT_EQ(0, data->payload_len);
	data = (void *)((char *)data + data->head.size);
	ASSERT_EQ(4, data->payload_len);
	ASSERT_EQ(message.buf + length, (char *)data + data->head.size);
	ASSERT_EQ(-1, read(mailbox, message.buf, sizeof(message.buf)));
	ASSERT_EQ(EAGAIN, errno);
	close(mailbox);
}

FIXTURE(payload)
{
	int dev;
};

FIXTURE_VARIANT(payload)
{
	__u32 ring_bytes;
};

FIXTURE_VARIANT_ADD(payload, smallest_ring) { .ring_bytes = 4096 };
FIXTURE_VARIANT_ADD(payload, default_ring) { .ring_bytes = 0 };
FIXTURE_VARIANT_ADD(payload, large_ring) { .ring_bytes = 1 << 20 };

FIXTURE_SETUP(payload)
{
	unsigned int i;

	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	for (i = 0; i < sizeof(large); i++)
		large[i] = i * 7 + i / 251;
}

FIXTURE_TEARDOWN(payload)
{
	close(self->dev);
}

TEST_F(payload, sizes)
{
	static const __u32 sizes[] = {
		0, 1, 7, 8, 9, 15, 100, 1023, 1024, 3900, 4000, 4031, 4032,
		4095, 4096, 4097, 8192, 32768, 65000, 65535, 65536,
	};
	struct supervisor_mailbox_status status;
	unsigned int i, round, byte;
	__u32 end;
	int mailbox;

	test_mailbox(DEV, MAILBOX(.ring_bytes = variant->ring_bytes), &mailbox);
	/* Alone, then among others, several times round a small ring. */
	for (round = 0; round < 12; round++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			ASSERT_EQ(0, _test_send(mailbox, large + i % 3,
						sizes[i], 0))
				TH_LOG("%u bytes", sizes[i]);
			test_mailbox_status(mailbox, &status);
			ASSERT_EQ(1, status.out_messages);
			ASSERT_EQ(sizes[i], status.out_bytes);
			memset(message.buf, POISON, sizeof(message.buf));
			ASSERT_EQ(0, _test_take(mailbox, &message, 0))
				TH_LOG("%u bytes", sizes[i]);
			ASSERT_EQ(sizes[i], message.len);
			ASSERT_EQ(0, memcmp(large + i % 3, message.payload,
					    sizes[i]));
			/* What fills up tells nothing. */
			end = message.payload - message.buf + message.len;
			for (byte = end; byte < message.head->size; byte++)
				ASSERT_TRUE(!message.buf[byte] ||
					    message.buf[byte] == POISON);
			ASSERT_EQ(POISON, message.buf[message.head->size]);
		}
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		ASSERT_EQ(0, _test_send(mailbox, large, sizes[i], 0));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, _test_take(mailbox, &message, 0));
		ASSERT_EQ(sizes[i], message.len);
		ASSERT_EQ(0, memcmp(large, message.payload, sizes[i]));
	}
	test_empty(mailbox);
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(0, status.out_messages);
	ASSERT_EQ(0, status.out_bytes);
	close(mailbox);
}

/* Sizes that change as the ring wraps, so that each border is met. */
TEST_F(payload, every_size_in_turn)
{
	__u32 sent = 0, taken = 0, total = rounds(3000);
	int mailbox;

	test_mailbox(DEV, MAILBOX(.ring_bytes = variant->ring_bytes), &mailbox);
	while (taken < total) {
		while (sent < total && sent - taken < 5) {
			ASSERT_EQ(0, _test_send(mailbox, large + sent % 8,
						sent % 1500, 0));
			sent++;
		}
		ASSERT_EQ(0, _test_take(mailbox, &message, 0));
		ASSERT_EQ(taken % 1500, message.len);
		ASSERT_EQ(0, memcmp(large + taken % 8, message.payload,
				    message.len));
		taken++;
	}
	test_empty(mailbox);
	close(mailbox);
}

TEST_F(mailbox, too_long_a_payload)
{
	struct supervisor_mailbox_send send =
		ARG(supervisor_mailbox_send, .buf = (uintptr_t)large,
		    .len = 101, .deadline = SUPERVISOR_NO_DEADLINE);
	int mailbox;

	test_mailbox(DEV, MAILBOX(.max_payload = 100), &mailbox);
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND,
					 &send));
	ASSERT_EQ(100, send.out_max);
	send.len = ~0U;
	send.out_max = 0;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND,
					 &send));
	ASSERT_EQ(100, send.out_max);
	send.len = 100;
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send);
	close(mailbox);

	test_mailbox(DEV, MAILBOX(), &mailbox);
	send.len = SUPERVISOR_PAYLOAD_MAX + 1;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND,
					 &send));
	ASSERT_EQ(SUPERVISOR_PAYLOAD_MAX, send.out_max);
	test_empty(mailbox);
	close(mailbox);
}

TEST_F(mailbox, too_short_a_buffer)
{
	static const __u32 sizes[] = { 0, 100, 65536 };
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf = (uintptr_t)message.buf);
	const struct supervisor_msg_data *data = (void *)message.buf;
	unsigned int i;
	__u32 needed;
	int mailbox;

	test_mailbox(DEV, MAILBOX(.ring_bytes = 4096), &mailbox);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, _test_send(mailbox, large, sizes[i], 0));
		memset(message.buf, POISON, sizeof(message.buf));
		recv.buf_len = 0;
		ASSERT_EQ(-EMSGSIZE, _test_ioctl(mailbox,
						 SUPERVISOR_MAILBOX_RECV,
						 &recv));
		needed = recv.buf_len;
		ASSERT_LE(sizeof(*data) + sizes[i], needed);
		recv.buf_len--;
		ASSERT_EQ(-EMSGSIZE, _test_ioctl(mailbox,
						 SUPERVISOR_MAILBOX_RECV,
						 &recv));
		ASSERT_EQ(needed, recv.buf_len);
		ASSERT_EQ(POISON, message.buf[0]);
		test_waiting(mailbox, 1);
		test_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV, &recv);
		ASSERT_EQ(needed, recv.buf_len);
		ASSERT_EQ(needed, data->head.size);
		ASSERT_EQ(0, memcmp(large, message.buf + data->payload_offset,
				    sizes[i]));
	}
	close(mailbox);
}

TEST_F(mailbox, bad_pointers)
{
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf = 8, .buf_len = 1 << 20);
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static const __u32 sizes[] = { 8, 8192 };
	unsigned int i;
	int mailbox;

	ASSERT_NE(MAP_FAILED, pages);
	ASSERT_EQ(0, mprotect(pages + page, page, PROT_NONE));
	test_mailbox(DEV, MAILBOX(.ring_bytes = 4096), &mailbox);
	ASSERT_EQ(-EFAULT, _test_send(mailbox, (void *)8, 8, 0));
	ASSERT_EQ(-EFAULT, _test_send(mailbox, (void *)8, 65536, 0));
	/* Half of it is there. */
	ASSERT_EQ(-EFAULT, _test_send(mailbox, pages + page - 8, 16, 0));
	ASSERT_EQ(-EFAULT, _test_send(mailbox, pages + page - 8, 65536, 0));
	test_empty(mailbox);
	test_waiting(mailbox, 0);

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, _test_send(mailbox, large, sizes[i], 0));
		recv.buf = 8;
		ASSERT_EQ(-EFAULT, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV,
					       &recv));
		recv.buf = (uintptr_t)pages + page - 16;
		recv.buf_len = 1 << 20;
		ASSERT_EQ(-EFAULT, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV,
					       &recv));
		recv.buf_len = 1 << 20;
		test_waiting(mailbox, 1);
		ASSERT_EQ(0, _test_take(mailbox, &message, 0));
		ASSERT_EQ(sizes[i], message.len);
		ASSERT_EQ(0, memcmp(large, message.payload, sizes[i]));
	}
	test_empty(mailbox);
	munmap(pages, 2 * page);
	close(mailbox);
}

/* Memory ends within a batch: none is lost, whichever were taken. */
TEST_F(mailbox, bad_pointer_within_a_batch)
{
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf_len = 65536);
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int taken = 0;
	char expected = 'a';
	int mailbox, err;

	ASSERT_NE(MAP_FAILED, pages);
	ASSERT_EQ(0, mprotect(pages + page, page, PROT_NONE));
	test_mailbox(DEV, MAILBOX(), &mailbox);
	test_send(mailbox, "a");
	test_send(mailbox, "b");
	test_send(mailbox, "c");
	recv.buf = (uintptr_t)pages + page - 160;
	err = _test_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV, &recv);
	ASSERT_TRUE(err == 0 || err == -EFAULT);
	if (!err)
		taken = recv.out_count;
	ASSERT_GT(3, taken);
	for (expected += taken; expected <= 'c'; expected++) {
		ASSERT_EQ(0, _test_take(mailbox, &message, 0));
		ASSERT_EQ(expected, message.payload[0]);
	}
	test_empty(mailbox);
	munmap(pages, 2 * page);
	close(mailbox);
}

/* ---- no room ---- */

TEST_F(mailbox, full_of_messages)
{
	struct supervisor_mailbox_send send =
		ARG(supervisor_mailbox_send, .buf = (uintptr_t)"e", .len = 1);
	struct supervisor_mailbox_status status;
	__u64 before;
	int mailbox, i;

	test_mailbox(DEV, MAILBOX(.max_messages = 4), &mailbox);
	for (i = 0; i < 4; i++) {
		ASSERT_TRUE(poll_says(mailbox, POLLOUT, 0));
		ASSERT_EQ(0, _test_send(mailbox, "abcd" + i, 1, 0));
	}
	ASSERT_FALSE(poll_says(mailbox, POLLOUT, 0));
	ASSERT_EQ(-EAGAIN, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send));
	ASSERT_EQ(SUPERVISOR_LIMIT_MAILBOX_MESSAGES, send.out_limit);
	send.out_limit = 0;
	before = now_ns();
	send.deadline = after_ms(60);
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND,
					  &send));
	ASSERT_LE(before + 60000000, now_ns());
	ASSERT_EQ(SUPERVISOR_LIMIT_MAILBOX_MESSAGES, send.out_limit);
	/* A deadline that has passed is one. */
	send.deadline = 1;
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND,
					  &send));
	ASSERT_EQ(0, set_nonblock(mailbox));
	send.deadline = SUPERVISOR_NO_DEADLINE;
	ASSERT_EQ(-EAGAIN, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send));
	ASSERT_EQ(-1, write(mailbox, "e", 1));
	ASSERT_EQ(EAGAIN, errno);
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(4, status.out_messages);
	ASSERT_EQ(4, status.out_bytes);

	test_takes_cast(mailbox, "a");
	ASSERT_TRUE(poll_says(mailbox, POLLOUT, 0));
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send);
	for (i = 1; i < 5; i++)
		test_takes_cast(mailbox, ((char[]) { "abcde"[i], 0 }));
	test_empty(mailbox);
	close(mailbox);
}

TEST_F(mailbox, full_of_bytes)
{
	struct supervisor_mailbox_send send =
		ARG(supervisor_mailbox_send, .buf = (uintptr_t)large,
		    .len = 100);
	struct supervisor_mailbox_status status;
	int mailbox;

	test_mailbox(DEV, MAILBOX(.max_payload = 100, .max_bytes = 250),
		     &mailbox);
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send);
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send);
	ASSERT_EQ(-EAGAIN, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send));
	ASSERT_EQ(SUPERVISOR_LIMIT_MAILBOX_BYTES, send.out_limit);
	send.deadline = after_ms(50);
	ASSERT_EQ(-ETIMEDOUT, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND,
					  &send));
	ASSERT_EQ(SUPERVISOR_LIMIT_MAILBOX_BYTES, send.out_limit);
	/* What fits goes in, and no byte more. */
	send.deadline = 0;
	send.len = 51;
	ASSERT_EQ(-EAGAIN, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send));
	send.len = 50;
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send);
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(3, status.out_messages);
	ASSERT_EQ(250, status.out_bytes);
	send.len = 1;
	ASSERT_EQ(-EAGAIN, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send));
	ASSERT_FALSE(poll_says(mailbox, POLLOUT, 0));
	ASSERT_EQ(0, _test_take(mailbox, &message, 0));
	ASSERT_TRUE(poll_says(mailbox, POLLOUT, 0));
	send.len = 100;
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send);
	close(mailbox);
}

struct sender {
	int mailbox;
	const char *text;
	__u32 len;
	volatile int err;
	volatile bool ended;
	pthread_t thread;
};

static void *send_one(void *argument)
{
	struct sender *sender = argument;

	sender->err = _test_send(sender->mailbox, sender->text, sender->len,
				 SUPERVISOR_NO_DEADLINE);
	sender->ended = true;
	return NULL;
}

#define test_sender(sender_) \
	ASSERT_EQ(0, pthread_create(&(sender_)->thread, NULL, send_one, \
				    (sender_)))

TEST_F(mailbox, sender_waits_for_room)
{
	struct sender sender = { .text = "late", .len = 4 };
	int mailbox;

	test_mailbox(DEV, MAILBOX(.max_messages = 1), &mailbox);
	sender.mailbox = mailbox;
	test_send(mailbox, "early");
	test_sender(&sender);
	sleep_ms(100);
	ASSERT_FALSE(sender.ended);
	test_takes_cast(mailbox, "early");
	test_takes_cast(mailbox, "late");
	pthread_join(sender.thread, NULL);
	ASSERT_EQ(0, sender.err);
	close(mailbox);
}

/* Some room is not enough for it. */
TEST_F(mailbox, sender_waits_for_bytes)
{
	struct sender sender = { .text = large, .len = 80 };
	int mailbox;

	test_mailbox(DEV, MAILBOX(.max_payload = 100, .max_bytes = 100),
		     &mailbox);
	sender.mailbox = mailbox;
	ASSERT_EQ(0, _test_send(mailbox, large, 40, 0));
	ASSERT_EQ(0, _test_send(mailbox, large, 60, 0));
	test_sender(&sender);
	ASSERT_EQ(0, _test_take(mailbox, &message, after_ms(PATIENCE_MS)));
	ASSERT_EQ(40, message.len);
	sleep_ms(50);
	ASSERT_FALSE(sender.ended);
	ASSERT_EQ(0, _test_take(mailbox, &message, after_ms(PATIENCE_MS)));
	ASSERT_EQ(60, message.len);
	ASSERT_EQ(0, _test_take(mailbox, &message, after_ms(PATIENCE_MS)));
	ASSERT_EQ(80, message.len);
	pthread_join(sender.thread, NULL);
	ASSERT_EQ(0, sender.err);
	close(mailbox);
}

/* Many wait, each gets through once. */
TEST_F(mailbox, senders_wait_together)
{
	enum { SENDERS = 16 };
	struct sender senders[SENDERS];
	char seen[SENDERS] = "";
	char texts[SENDERS];
	int mailbox, i;

	test_mailbox(DEV, MAILBOX(.max_messages = 1), &mailbox);
	for (i = 0; i < SENDERS; i++) {
		texts[i] = i;
		senders[i] = (struct sender) {
			.mailbox = mailbox, .text = &texts[i], .len = 1,
		};
		test_sender(&senders[i]);
	}
	for (i = 0; i < SENDERS; i++) {
		ASSERT_EQ(0, _test_take(mailbox, &message,
					after_ms(PATIENCE_MS)));
		ASSERT_EQ(0, seen[(int)*message.payload]++);
	}
	for (i = 0; i < SENDERS; i++) {
		pthread_join(senders[i].thread, NULL);
		ASSERT_EQ(0, senders[i].err);
	}
	test_empty(mailbox);
	close(mailbox);
}

static void nop(int unused)
{
}

TEST_F(mailbox, waiting_is_interruptible)
{
	struct supervisor_mailbox_send send =
		ARG(supervisor_mailbox_send, .buf = (uintptr_t)"x", .len = 1,
		    .deadline = SUPERVISOR_NO_DEADLINE);
	struct sigaction action = { .sa_handler = nop };
	int mailbox;
	pid_t pid;

	test_mailbox(DEV, MAILBOX(.max_messages = 1), &mailbox);
	test_send(mailbox, "full");
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	pid = fork();
	if (!pid) {
		while (!kill(getppid(), SIGUSR1))
			sleep_ms(50);
		_exit(0);
	}
	ASSERT_EQ(-EINTR, _test_ioctl(mailbox, SUPERVISOR_MAILBOX_SEND, &send));
	ASSERT_EQ(-1, write(mailbox, "x", 1));
	ASSERT_EQ(EINTR, errno);
	signal(SIGUSR1, SIG_IGN);
	process_kill(pid);
	test_waiting(mailbox, 1);
	close(mailbox);
}

/* A receiver that never reads costs its senders nothing but EAGAIN. */
TEST_F(mailbox, receiver_that_never_reads)
{
	struct supervisor_info full, still;
	int mailbox, i, sent = 0;

	test_mailbox(DEV, MAILBOX(.max_messages = 1000, .max_bytes = 1 << 20),
		     &mailbox);
	while (!_test_send(mailbox, large, 5000, 0))
		sent++;
	ASSERT_EQ((1 << 20) / 5000, sent);
	test_info(DEV, &full);
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(-EAGAIN, _test_send(mailbox, large, 65536, 0));
	test_info(DEV, &still);
	ASSERT_EQ(0, memcmp(full.out_used, still.out_used,
			    sizeof(still.out_used)));
	close(mailbox);
}

TEST_F(mailbox, poll_edges)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int mailbox, epoll = epoll_create1(EPOLL_CLOEXEC);

	test_mailbox(DEV, MAILBOX(.max_messages = 2), &mailbox);
	ASSERT_FALSE(poll_says(mailbox, POLLIN, 0));
	ASSERT_TRUE(poll_says(mailbox, POLLOUT, 0));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, mailbox, &event));
	ASSERT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	ASSERT_EQ(EPOLLOUT, event.events);
	ASSERT_EQ(0, epoll_wait(epoll, &event, 1, 0));

	test_send(mailbox, "a");
	ASSERT_EQ(1, epoll_wait(epoll, &event, 1, PATIENCE_MS));
	ASSERT_EQ(EPOLLIN, event.events & EPOLLIN);
	test_send(mailbox, "b");
	while (epoll_wait(epoll, &event, 1, 0) == 1)
		ASSERT_EQ(EPOLLIN, event.events & (EPOLLIN | EPOLLOUT));
	ASSERT_FALSE(poll_says(mailbox, POLLOUT, 0));
	/* Room again is an edge. */
	test_takes_cast(mailbox, "a");
	ASSERT_EQ(1, epoll_wait(epoll, &event, 1, PATIENCE_MS));
	ASSERT_EQ(EPOLLOUT, event.events & EPOLLOUT);
	test_takes_cast(mailbox, "b");
	ASSERT_FALSE(poll_says(mailbox, POLLIN, 0));
	close(epoll);
	close(mailbox);
}

struct poller {
	int fd;
	short events;
	volatile short seen;
	pthread_t thread;
};

static void *poll_once(void *argument)
{
	struct poller *poller = argument;
	struct pollfd polled = { .fd = poller->fd, .events = poller->events };

	poll(&polled, 1, PATIENCE_MS);
	poller->seen = polled.revents;
	return NULL;
}

TEST_F(mailbox, poll_wakes)
{
	struct poller poller;
	int mailbox;

	test_mailbox(DEV, MAILBOX(.max_messages = 1), &mailbox);
	poller = (struct poller) { .fd = mailbox, .events = POLLIN };
	ASSERT_EQ(0, pthread_create(&poller.thread, NULL, poll_once, &poller));
	sleep_ms(30);
	test_send(mailbox, "a");
	pthread_join(poller.thread, NULL);
	ASSERT_EQ(POLLIN, poller.seen);

	poller = (struct poller) { .fd = mailbox, .events = POLLOUT };
	ASSERT_EQ(0, pthread_create(&poller.thread, NULL, poll_once, &poller));
	sleep_ms(30);
	test_takes_cast(mailbox, "a");
	pthread_join(poller.thread, NULL);
	ASSERT_EQ(POLLOUT, poller.seen);
	close(mailbox);
}

TEST_F(mailbox, recv_deadlines)
{
	__u64 before = now_ns();
	int mailbox;

	test_mailbox(DEV, MAILBOX(), &mailbox);
	ASSERT_EQ(-EAGAIN, _test_take(mailbox, &message, 0));
	ASSERT_EQ(-ETIMEDOUT, _test_take(mailbox, &message, after_ms(60)));
	ASSERT_LE(before + 60000000, now_ns());
	ASSERT_EQ(-ETIMEDOUT, _test_take(mailbox, &message, 1));
	test_send(mailbox, "a");
	ASSERT_EQ(0, _test_take(mailbox, &message, 1));
	ASSERT_EQ(0, set_nonblock(mailbox));
	ASSERT_EQ(-EAGAIN, _test_take(mailbox, &message,
				      SUPERVISOR_NO_DEADLINE));
	close(mailbox);
}

/* ---- who sent it ---- */

TEST_F(mailbox, tells_the_sender)
{
	__u64 before, after;
	int mailbox, status;
	pid_t pid;

	test_mailbox(DEV, MAILBOX(), &mailbox);
	before = now_ns();
	test_send(mailbox, "self");
	after = now_ns();
	test_takes(mailbox, &message, SUPERVISOR_MSG_CAST, "self");
	ASSERT_EQ(getpid(), message.head->pid);
	ASSERT_EQ(geteuid(), message.head->uid);
	ASSERT_EQ(0, message.head->supervisor);
	ASSERT_EQ(0, message.head->child);
	ASSERT_EQ(0, message.head->incarnation);
	ASSERT_EQ(0, message.head->ref);
	ASSERT_EQ(0, message.head->flags);
	ASSERT_EQ(NULL, message.path);
	ASSERT_LE(before, message.head->time_ns);
	ASSERT_GE(after, message.head->time_ns);

	pid = fork();
	if (!pid) {
		/* The effective one is told. */
		if (!geteuid() && setresuid(0, USER, 0))
			_exit(1);
		_exit(-_test_send(mailbox, "child", 5, 0));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	test_takes(mailbox, &message, SUPERVISOR_MSG_CAST, "child");
	ASSERT_EQ(pid, message.head->pid);
	ASSERT_EQ(geteuid() ?: USER, message.head->uid);
	close(mailbox);
}

struct namespaced {
	int mailbox;
	volatile pid_t reader_saw;
	volatile int err;
};

/* The first process of a pid namespace sends, and reads from outside of it. */
static void send_and_take(struct namespaced *shared)
{
	static struct message taken;

	shared->err = _test_send(shared->mailbox, "inner", 5, 0);
	if (!shared->err)
		shared->err = _test_take(shared->mailbox, &taken,
					 after_ms(PATIENCE_MS));
	shared->reader_saw = shared->err ? -1 : taken.head->pid;
}

TEST_F(mailbox, pid_is_of_the_readers_namespace)
{
	struct namespaced *shared = shared_memory(sizeof(*shared));
	pid_t pid, inner;
	int pipes[2], status;

	needs_root();
	ASSERT_NE(NULL, shared);
	ASSERT_EQ(0, pipe(pipes));
	test_mailbox(DEV, MAILBOX(), &shared->mailbox);
	test_send(shared->mailbox, "outer");
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWPID))
			_exit(1);
		inner = fork();
		if (!inner) {
			send_and_take(shared);
			_exit(0);
		}
		if (write(pipes[1], &inner, sizeof(inner)) != sizeof(inner))
			_exit(2);
		waitpid(inner, &status, 0);
		_exit(status ? 3 : 0);
	}
	ASSERT_EQ(sizeof(inner), read(pipes[0], &inner, sizeof(inner)));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_EQ(0, shared->err);
	/* There it has none, here its own. */
	ASSERT_EQ(0, shared->reader_saw);
	test_takes(shared->mailbox, &message, SUPERVISOR_MSG_CAST, "inner");
	ASSERT_EQ(inner, message.head->pid);
	close(shared->mailbox);
	close(pipes[0]);
	close(pipes[1]);
}

/* A child's body: casts a word to the mailbox of that name. */
static void child_casts(long unused)
{
	int dev = device_open();
	int mailbox;

	if (_test_open_mailbox(dev, name, O_WRONLY, &mailbox) ||
	    _test_send(mailbox, "hello", 5, 0))
		_exit(1);
	child_wait(0);
}

TEST_F(mailbox, tells_the_child)
{
	struct supervisor_create create = CREATE();
	struct supervisor_child_status child;
	int mailbox, inner, i;
	struct tree tree;
	__u64 inner_id;
	pid_t pid;

	test_mailbox(DEV, NAMED_MAILBOX(name), &mailbox);
	test_tree_open(&tree, CREATE());
	test_create(DEV, &create, &inner);
	inner_id = create.out_id;
	test_child(inner, "deep", RUNS(child_casts, 0));
	test_supervisor_child(tree.sup, "inner", inner);
	test_child(tree.sup, "flat", RUNS(child_casts, 0),
		   .restart = SUPERVISOR_PERMANENT);
	test_start(tree.sup);

	/* In start order, but the first need not get to run first. */
	for (i = 0; i < 2; i++) {
		test_takes(mailbox, &message, SUPERVISOR_MSG_CAST, "hello");
		ASSERT_EQ(1, message.head->incarnation);
		ASSERT_EQ(SUPERVISOR_MSG_F_PATH, message.head->flags);
		ASSERT_NE(NULL, message.path);
		if (message.head->supervisor == inner_id) {
			test_child_status(inner, "deep", &child);
			ASSERT_STREQ("inner", message.path);
		} else {
			ASSERT_EQ(tree.id, message.head->supervisor);
			test_child_status(tree.sup, "flat", &child);
			ASSERT_STREQ("", message.path);
		}
		ASSERT_EQ(child.id, message.head->child);
		ASSERT_EQ(child.pid, message.head->pid);
	}
	pid = child_pid(tree.sup, "flat");
	ASSERT_EQ(0, kill(pid, SIGKILL));
	test_takes(mailbox, &message, SUPERVISOR_MSG_CAST, "hello");
	ASSERT_EQ(2, message.head->incarnation);
	test_child_status(tree.sup, "flat", &child);
	ASSERT_EQ(child.id, message.head->child);
	ASSERT_NE(pid, message.head->pid);
	close(inner);
	tree_close(&tree);
	close(mailbox);
}

/* The path only for who asks, and in what the read call gives. */
TEST_F(mailbox, path_on_request)
{
	struct supervisor_msg_data *data = (void *)message.buf;
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf = (uintptr_t)message.buf,
		    .max = 1, .deadline = SUPERVISOR_NO_DEADLINE);
	struct tree tree;
	int mailbox;

	test_mailbox(DEV, NAMED_MAILBOX(name), &mailbox);
	test_tree_open(&tree, CREATE());
	test_child(tree.sup, "a", RUNS(child_casts, 0));
	test_child(tree.sup, "b", RUNS(child_casts, 0));
	test_start(tree.sup);
	recv.buf_len = sizeof(message.buf);
	test_ioctl(mailbox, SUPERVISOR_MAILBOX_RECV, &recv);
	ASSERT_EQ(0, data->head.flags);
	ASSERT_EQ(0, data->path_len);
	ASSERT_EQ(tree.id, data->head.supervisor);
	ASSERT_LT(0, read(mailbox, message.buf, sizeof(message.buf)));
	ASSERT_EQ(0, data->head.flags);
	ASSERT_EQ(tree.id, data->head.supervisor);
	tree_close(&tree);
	close(mailbox);
}

/* ---- one of many ---- */

TEST_F(mailbox, selective_receive)
{
	struct supervisor_mailbox_status status;
	struct tree tree;
	int mailbox;

	test_mailbox(DEV, MAILBOX(), &mailbox);
	test_tree_open(&tree, CREATE());
	test_child(tree.sup, "a", WAITS);
	test_start(tree.sup);
	test_send(mailbox, "before");
	ASSERT_EQ(-EAGAIN, _test_take_ref(mailbox, 77, &message, 0));
	ASSERT_EQ(-ETIMEDOUT, _test_take_ref(mailbox, 77, &message,
					     after_ms(30)));
	test_child_call_async(tree.sup, SUPERVISOR_CHILD_TERMINATE, "a",
			      mailbox, 77);
	test_child_call_async(tree.sup, SUPERVISOR_CHILD_RESTART, "a", mailbox,
			      78);
	test_wait(tree.sup, SUPERVISOR_WAIT_IDLE);
	test_send(mailbox, "after");
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(2, status.out_messages);
	ASSERT_EQ(2, status.out_reserved);
	ASSERT_EQ(-EAGAIN, _test_take_ref(mailbox, 79, &message, 0));
	ASSERT_EQ(0, _test_take_ref(mailbox, 78, &message, 0));
	ASSERT_EQ(SUPERVISOR_MSG_ANSWER, message.head->type);
	ASSERT_EQ(78, message.head->ref);
	test_takes_cast(mailbox, "before");
	ASSERT_EQ(0, _test_take(mailbox, &message, 0));
	ASSERT_EQ(SUPERVISOR_MSG_ANSWER, message.head->type);
	ASSERT_EQ(77, message.head->ref);
	test_takes_cast(mailbox, "after");
	test_empty(mailbox);
	tree_close(&tree);
	close(mailbox);
}

/* It waits past what comes for others. */
struct selector {
	int mailbox;
	struct message message;
	volatile int err;
	pthread_t thread;
};

static void *select_ref(void *argument)
{
	struct selector *selector = argument;

	selector->err = _test_take_ref(selector->mailbox, 99,
				       &selector->message,
				       after_ms(PATIENCE_MS));
	return NULL;
}

TEST_F(mailbox, selective_receive_waits)
{
	static struct selector selector;
	struct tree tree;
	int mailbox;

	test_mailbox(DEV, MAILBOX(), &mailbox);
	test_tree_open(&tree, CREATE());
	test_start(tree.sup);
	selector.mailbox = mailbox;
	ASSERT_EQ(0, pthread_create(&selector.thread, NULL, select_ref,
				    &selector));
	sleep_ms(30);
	test_send(mailbox, "not this");
	test_child_call_async(tree.sup, SUPERVISOR_CHILD_TERMINATE, "a",
			      mailbox, 99);
	pthread_join(selector.thread, NULL);
	ASSERT_EQ(0, selector.err);
	ASSERT_EQ(99, selector.message.head->ref);
	test_takes_cast(mailbox, "not this");
	tree_close(&tree);
	close(mailbox);
}

TEST_F(mailbox, events_and_casts_in_one_order)
{
	struct supervisor_msg_event *event = (void *)message.buf;
	struct tree tree;
	__u64 last = 0;
	int mailbox;

	test_mailbox(DEV, MAILBOX(), &mailbox);
	test_tree_open(&tree, CREATE());
	test_subscribe(tree.sup, mailbox);
	test_send(mailbox, "first");
	test_start(tree.sup);
	test_send(mailbox, "second");
	test_stop(tree.sup);
	test_send(mailbox, "third");

	test_takes_cast(mailbox, "first");
	ASSERT_EQ(0, _test_take(mailbox, &message, 0));
	ASSERT_EQ(SUPERVISOR_MSG_EVENT, message.head->type);
	ASSERT_EQ(SUPERVISOR_EVENT_UP, event->event);
	last = message.head->time_ns;
	test_takes(mailbox, &message, SUPERVISOR_MSG_CAST, "second");
	ASSERT_LE(last, message.head->time_ns);
	ASSERT_EQ(0, _test_take(mailbox, &message, 0));
	ASSERT_EQ(SUPERVISOR_MSG_EVENT, message.head->type);
	ASSERT_EQ(SUPERVISOR_EVENT_DOWN, event->event);
	test_takes_cast(mailbox, "third");
	test_empty(mailbox);
	tree_close(&tree);
	close(mailbox);
}

/* Casts do not keep answers and starts out, nor events that find room. */
TEST_F(mailbox, full_of_casts_has_reserved_room)
{
	struct supervisor_mailbox_status status;
	struct tree tree;
	int mailbox;

	test_mailbox(DEV, MAILBOX(.max_messages = 1, .ring_bytes = 4096),
		     &mailbox);
	test_tree_open(&tree, CREATE());
	test_start(tree.sup);
	test_send(mailbox, "full");
	test_child_call_async(tree.sup, SUPERVISOR_CHILD_TERMINATE, "a",
			      mailbox, 5);
	ASSERT_TRUE(eventually(!_test_mailbox_status(mailbox, &status) &&
			       status.out_reserved == 1));
	ASSERT_EQ(1, status.out_messages);
	test_takes_cast(mailbox, "full");
	ASSERT_EQ(0, _test_take(mailbox, &message, after_ms(PATIENCE_MS)));
	ASSERT_EQ(SUPERVISOR_MSG_ANSWER, message.head->type);
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(0, status.out_reserved);
	tree_close(&tree);
	close(mailbox);
}

TEST_F(mailbox, lost_events_are_counted)
{
	struct supervisor_mailbox_status status;
	struct tree tree;
	bool gap = false;
	int mailbox, i;
	__u64 lost;

	test_mailbox(DEV, MAILBOX(.ring_bytes = 4096), &mailbox);
	test_tree_open(&tree, CREATE());
	test_subscribe(tree.sup, mailbox);
	test_child(tree.sup, "a", WAITS);
	test_start(tree.sup);
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, _test_terminate(tree.sup, "a"));
		ASSERT_EQ(0, _test_restart(tree.sup, "a"));
	}
	test_mailbox_status(mailbox, &status);
	ASSERT_LT(0, status.out_lost);
	lost = status.out_lost;
	/* Casts go in all the same, behind the gap. */
	test_send(mailbox, "after the gap");
	while (!gap) {
		ASSERT_EQ(0, _test_take(mailbox, &message, 0));
		gap = message.head->type == SUPERVISOR_MSG_GAP;
		if (!gap)
			ASSERT_EQ(SUPERVISOR_MSG_EVENT, message.head->type);
	}
	ASSERT_EQ(lost, message.head->ref);
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(0, status.out_lost);
	test_takes_cast(mailbox, "after the gap");
	test_empty(mailbox);
	tree_close(&tree);
	close(mailbox);
}

/* ---- who pays ---- */

static __u64 used_bytes(int dev)
{
	struct supervisor_info info;

	return _test_info(dev, &info) ? ~0ULL :
		info.out_used[SUPERVISOR_LIMIT_BYTES];
}

struct payer {
	int mailbox;
	volatile int step;
	volatile __u64 used[4];
};

static int pay(void *argument)
{
	struct payer *payer = argument;
	int dev, err;

	err = become(OTHER, OTHER);
	if (err)
		return err;
	dev = device_open();
	if (dev < 0)
		return dev;
	payer->used[0] = used_bytes(dev);
	err = _test_send(payer->mailbox, large, 65536, 0);
	payer->used[1] = used_bytes(dev);
	err = err ?: _test_send(payer->mailbox, large, 65536, 0);
	payer->used[2] = used_bytes(dev);
	payer->step = 1;
	return err;
}

TEST_F(mailbox, sender_pays_for_large_payloads)
{
	struct payer *payer = shared_memory(sizeof(*payer));
	struct supervisor_info own;
	int looks;

	needs_root();
	ASSERT_NE(NULL, payer);
	test_mailbox(DEV, MAILBOX(.ring_bytes = 4096), &payer->mailbox);
	test_info(DEV, &own);
	ASSERT_EQ(0, in_process(pay, payer));
	ASSERT_EQ(0, payer->used[0]);
	ASSERT_LE(65536, payer->used[1]);
	ASSERT_EQ(2 * payer->used[1], payer->used[2]);
	/* The owner does not, and the sender does though it is dead. */
	ASSERT_TRUE(used_is(DEV, &own));
	ASSERT_EQ(0, seteuid(OTHER));
	looks = device_open();
	ASSERT_LE(0, looks);
	ASSERT_EQ(payer->used[2], used_bytes(looks));
	ASSERT_EQ(0, _test_take(payer->mailbox, &message, 0));
	ASSERT_EQ(payer->used[1], used_bytes(looks));
	ASSERT_EQ(0, seteuid(0));
	close(payer->mailbox);
	ASSERT_EQ(0, seteuid(OTHER));
	ASSERT_TRUE(eventually(!used_bytes(looks)));
	ASSERT_EQ(0, seteuid(0));
	close(looks);
}

/* What the owner's death throws away is given back while files are open. */
TEST_F(mailbox, owners_death_gives_back)
{
	struct supervisor_mailbox_status status;
	struct supervisor_info before;
	int mailbox;
	pid_t owner;

	test_mailbox(DEV, MAILBOX(.ring_bytes = 4096), &mailbox);
	test_info(DEV, &before);
	owner = test_new_owner(mailbox);
	ASSERT_EQ(0, _test_send(mailbox, large, 65536, 0));
	ASSERT_LT(before.out_used[SUPERVISOR_LIMIT_BYTES], used_bytes(DEV));
	process_kill(owner);
	ASSERT_TRUE(eventually(used_bytes(DEV) <=
			       before.out_used[SUPERVISOR_LIMIT_BYTES]));
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(0, status.out_messages);
	ASSERT_EQ(0, status.out_bytes);
	close(mailbox);
}

/* ---- owners ---- */

static int owner_pid(int mailbox)
{
	struct supervisor_mailbox_status status;
	int err = _test_mailbox_status(mailbox, &status);

	return err ?: status.out_owner_pid;
}

TEST_F(mailbox, ends_with_its_owner)
{
	int mailbox;
	pid_t owner;

	test_mailbox(DEV, MAILBOX(), &mailbox);
	owner = test_new_owner(mailbox);
	ASSERT_EQ(owner, owner_pid(mailbox));
	test_send(mailbox, "unread");
	process_kill(owner);
	/* wait4 comes after the death was seen. */
	ASSERT_EQ(-ESHUTDOWN, _test_send(mailbox, "late", 4, 0));
	ASSERT_EQ(-ESHUTDOWN, _test_send(mailbox, "late", 4,
					 SUPERVISOR_NO_DEADLINE));
	ASSERT_EQ(-1, write(mailbox, "late", 4));
	ASSERT_EQ(ESHUTDOWN, errno);
	ASSERT_EQ(0, owner_pid(mailbox));
	test_empty(mailbox);
	test_waiting(mailbox, 0);
	ASSERT_EQ(-ESHUTDOWN, _test_mailbox_own(mailbox));
	close(mailbox);
}

TEST_F(mailbox, owners_death_wakes_senders)
{
	struct sender sender = { .text = "late", .len = 4 };
	struct poller poller = { .events = POLLOUT };
	int mailbox;
	pid_t owner;

	test_mailbox(DEV, MAILBOX(.max_messages = 1), &mailbox);
	owner = test_new_owner(mailbox);
	test_send(mailbox, "full");
	sender.mailbox = mailbox;
	test_sender(&sender);
	poller.fd = mailbox;
	ASSERT_EQ(0, pthread_create(&poller.thread, NULL, poll_once, &poller));
	sleep_ms(50);
	ASSERT_FALSE(sender.ended);
	process_kill(owner);
	pthread_join(sender.thread, NULL);
	ASSERT_EQ(-ESHUTDOWN, sender.err);
	pthread_join(poller.thread, NULL);
	ASSERT_NE(0, poller.seen);
	close(mailbox);
}

TEST_F(mailbox, survivor_keeps_what_waits)
{
	struct supervisor_mailbox_status status;
	int mailbox;
	pid_t owner;

	test_mailbox(DEV, MAILBOX(.flags = SUPERVISOR_MAILBOX_F_SURVIVE,
				  .max_messages = 3, .ring_bytes = 4096),
		     &mailbox);
	owner = test_new_owner(mailbox);
	test_send(mailbox, "first");
	ASSERT_EQ(0, _test_send(mailbox, large, 65536, 0));
	process_kill(owner);
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(0, status.out_owner_pid);
	ASSERT_EQ(2, status.out_messages);
	test_send(mailbox, "while it has none");
	ASSERT_EQ(-EAGAIN, _test_send(mailbox, "full", 4, 0));
	test_mailbox_own(mailbox);
	ASSERT_EQ(getpid(), owner_pid(mailbox));
	test_takes_cast(mailbox, "first");
	ASSERT_EQ(0, _test_take(mailbox, &message, 0));
	ASSERT_EQ(65536, message.len);
	ASSERT_EQ(0, memcmp(large, message.payload, 65536));
	test_takes_cast(mailbox, "while it has none");
	test_empty(mailbox);
	close(mailbox);
}

/* Not a supervised child's: it ends with its files like any other. */
TEST_F(mailbox, survivor_of_nobody_ends_with_its_files)
{
	int mailbox;

	test_mailbox(DEV, NAMED_MAILBOX(name,
					.flags = SUPERVISOR_MAILBOX_F_SURVIVE),
		     &mailbox);
	test_send(mailbox, "lost");
	close(mailbox);
	ASSERT_EQ(-ENOENT, _test_open_mailbox(DEV, name, O_RDWR, &mailbox));
	test_used_again(DEV, &self->before);
}

TEST_F(mailbox, fork_owns_nothing)
{
	int mailbox;
	pid_t pid;

	test_mailbox(DEV, MAILBOX(), &mailbox);
	pid = fork();
	if (!pid) {
		child_wait(0);
		_exit(0);
	}
	ASSERT_EQ(getpid(), owner_pid(mailbox));
	process_kill(pid);
	ASSERT_EQ(getpid(), owner_pid(mailbox));
	test_send(mailbox, "still here");
	test_takes_cast(mailbox, "still here");
	close(mailbox);
}

/* The owner dies, the child that it forked has all of its files. */
TEST_F(mailbox, fork_does_not_keep_it)
{
	pid_t *child = shared_memory(sizeof(*child));
	pid_t owner, pid;
	int mailbox;

	ASSERT_NE(NULL, child);
	test_mailbox(DEV, MAILBOX(), &mailbox);
	owner = fork();
	if (!owner) {
		if (_test_mailbox_own(mailbox))
			_exit(1);
		pid = fork();
		if (pid)
			*child = pid;
		child_wait(0);
	}
	ASSERT_TRUE(eventually(*(volatile pid_t *)child));
	ASSERT_EQ(owner, owner_pid(mailbox));
	process_kill(owner);
	ASSERT_EQ(-ESHUTDOWN, _test_send(mailbox, "x", 1, 0));
	kill(*child, SIGKILL);
	ASSERT_TRUE(is_dead_after(*child, PATIENCE_MS));
	close(mailbox);
}

/* A thread is of its process, whichever of them made it. */
static void *create_in_thread(void *argument)
{
	int *mailbox = argument;
	int dev = device_open();

	if (_test_mailbox(dev, MAILBOX(), mailbox))
		*mailbox = -1;
	close(dev);
	return NULL;
}

TEST_F(mailbox, owner_is_the_process)
{
	pthread_t thread;
	int mailbox;

	ASSERT_EQ(0, pthread_create(&thread, NULL, create_in_thread, &mailbox));
	pthread_join(thread, NULL);
	ASSERT_LE(0, mailbox);
	ASSERT_EQ(getpid(), owner_pid(mailbox));
	test_send(mailbox, "x");
	test_takes_cast(mailbox, "x");
	close(mailbox);
}

TEST_F(mailbox, exec_keeps_the_owner)
{
	int mailbox, status, pipes[2];
	char said;
	pid_t owner;

	test_mailbox(DEV, MAILBOX(), &mailbox);
	ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
	owner = fork();
	if (!owner) {
		if (_test_mailbox_own(mailbox))
			_exit(1);
		child_exec("wait", 0);
		_exit(2);
	}
	close(pipes[1]);
	/* Closed by exec. */
	ASSERT_EQ(0, read(pipes[0], &said, 1));
	close(pipes[0]);
	ASSERT_EQ(owner, owner_pid(mailbox));
	test_send(mailbox, "x");
	ASSERT_EQ(0, kill(owner, SIGKILL));
	ASSERT_EQ(owner, waitpid(owner, &status, 0));
	ASSERT_EQ(-ESHUTDOWN, _test_send(mailbox, "x", 1, 0));
	close(mailbox);
}

TEST_F(mailbox, owner_changes)
{
	int mailbox;
	pid_t first, second;

	test_mailbox(DEV, MAILBOX(), &mailbox);
	/* Again is nothing new. */
	test_mailbox_own(mailbox);
	ASSERT_EQ(getpid(), owner_pid(mailbox));
	first = test_new_owner(mailbox);
	second = test_new_owner(mailbox);
	ASSERT_EQ(second, owner_pid(mailbox));
	test_send(mailbox, "kept");
	process_kill(first);
	ASSERT_EQ(second, owner_pid(mailbox));
	test_takes_cast(mailbox, "kept");
	test_mailbox_own(mailbox);
	process_kill(second);
	ASSERT_EQ(getpid(), owner_pid(mailbox));
	test_send(mailbox, "kept");
	close(mailbox);
}

struct taker {
	int mailbox;
	uid_t uid;
};

static int own_as(void *argument)
{
	struct taker *taker = argument;
	int err = become(taker->uid, taker->uid);

	return err ?: _test_mailbox_own(taker->mailbox);
}

TEST_F(mailbox, owner_changes_within_a_user)
{
	struct taker taker = { .uid = OTHER };

	needs_root();
	test_mailbox(DEV, MAILBOX(), &taker.mailbox);
	ASSERT_EQ(-EPERM, in_process(own_as, &taker));
	ASSERT_EQ(getpid(), owner_pid(taker.mailbox));
	close(taker.mailbox);
}

/* Who has CAP_KILL may; it does not matter whose the mailbox was. */
TEST_F(mailbox, root_may_own)
{
	struct taker taker = { .uid = OTHER };
	int mailbox;
	pid_t owner;

	needs_root();
	ASSERT_EQ(0, seteuid(USER));
	test_mailbox(DEV, MAILBOX(.flags = SUPERVISOR_MAILBOX_F_SURVIVE),
		     &mailbox);
	owner = fork();
	if (!owner) {
		if (setresuid(USER, USER, USER) || _test_mailbox_own(mailbox))
			_exit(1);
		child_wait(0);
	}
	ASSERT_TRUE(eventually(owner_pid(mailbox) == owner));
	ASSERT_EQ(0, seteuid(0));
	taker.mailbox = mailbox;
	ASSERT_EQ(-EPERM, in_process(own_as, &taker));
	ASSERT_EQ(owner, owner_pid(mailbox));
	/* Dead, it is still whose user's it is that counts. */
	process_kill(owner);
	ASSERT_EQ(-EPERM, in_process(own_as, &taker));
	taker.uid = USER;
	ASSERT_EQ(0, in_process(own_as, &taker));
	test_mailbox_own(mailbox);
	ASSERT_EQ(getpid(), owner_pid(mailbox));
	close(mailbox);
}

/* ---- kept for the next incarnation ---- */

/* A server's first incarnation makes its mailbox, the next ones own it. */
static void child_serves(long unused)
{
	int dev = device_open();
	int mailbox, err;

	err = _test_mailbox(dev, NAMED_MAILBOX(name,
				.flags = SUPERVISOR_MAILBOX_F_SURVIVE),
			    &mailbox);
	if (err == -EEXIST) {
		err = _test_open_mailbox(dev, name, O_RDWR, &mailbox);
		err = err ?: _test_mailbox_own(mailbox);
	}
	if (err || _test_report(dev, 0, SUPERVISOR_REPORT_READY, 0))
		_exit(1);
	child_wait(0);
}

/* A file that is left open would keep it. */
static bool name_is_gone(int dev, const char *name)
{
	int mailbox;
	int err = _test_open_mailbox(dev, name, O_WRONLY, &mailbox);

	if (!err)
		close(mailbox);
	return err == -ENOENT;
}

#define SERVER(...) \
	CHILD("server", RUNS(child_serves, 0), \
	      .readiness = SUPERVISOR_READINESS_NOTIFY, ##__VA_ARGS__)

TEST_F(mailbox, kept_for_the_next_incarnation)
{
	struct supervisor_child_spec server = SERVER();
	struct supervisor_mailbox_status status;
	struct supervisor_info before;
	struct tree tree;
	int mailbox;
	pid_t first;
	__u64 id;

	test_tree_open(&tree, CREATE());
	test_start(tree.sup);
	test_info(DEV, &before);
	ASSERT_EQ(0, _test_child_add(tree.sup, &server, NULL));
	first = child_pid(tree.sup, "server");
	test_open_mailbox(DEV, name, O_WRONLY, &mailbox);
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(first, status.out_owner_pid);
	id = status.out_id;
	test_send(mailbox, "first");
	close(mailbox);

	/* Down: no file is left, no process either. */
	ASSERT_EQ(0, _test_terminate(tree.sup, "server"));
	test_open_mailbox(DEV, name, O_WRONLY, &mailbox);
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(id, status.out_id);
	ASSERT_EQ(0, status.out_owner_pid);
	ASSERT_EQ(1, status.out_messages);
	test_send(mailbox, "second");
	close(mailbox);

	ASSERT_EQ(0, _test_restart(tree.sup, "server"));
	test_open_mailbox(DEV, name, O_RDWR, &mailbox);
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(id, status.out_id);
	ASSERT_EQ(child_pid(tree.sup, "server"), status.out_owner_pid);
	test_takes_cast(mailbox, "first");
	test_takes_cast(mailbox, "second");
	close(mailbox);

	/* Killed, it comes back to the same one. */
	first = child_pid(tree.sup, "server");
	ASSERT_EQ(0, kill(first, SIGKILL));
	ASSERT_TRUE(eventually(child_pid(tree.sup, "server") != first &&
			       child_state(tree.sup, "server") ==
			       SUPERVISOR_CHILD_RUNNING));
	test_open_mailbox(DEV, name, O_RDWR, &mailbox);
	test_mailbox_status(mailbox, &status);
	ASSERT_EQ(id, status.out_id);
	ASSERT_EQ(child_pid(tree.sup, "server"), status.out_owner_pid);
	close(mailbox);

	ASSERT_EQ(0, _test_terminate(tree.sup, "server"));
	test_open_mailbox(DEV, name, O_WRONLY, &mailbox);
	close(mailbox);
	ASSERT_EQ(0, _test_delete(tree.sup, "server"));
	ASSERT_TRUE(eventually(name_is_gone(DEV, name)));
	test_used_again(DEV, &before);
	tree_close(&tree);
}

/* Files that are open when the spec goes are no reason to keep the name. */
TEST_F(mailbox, kept_one_ends_with_the_tree)
{
	struct supervisor_child_spec server = SERVER();
	struct tree tree;
	int mailbox;

	test_tree_open(&tree, CREATE());
	ASSERT_EQ(0, _test_child_add(tree.sup, &server, NULL));
	test_start(tree.sup);
	test_open_mailbox(DEV, name, O_WRONLY, &mailbox);
	close(mailbox);
	tree_close(&tree);
	ASSERT_TRUE(eventually(name_is_gone(DEV, name)));
}

/* Its owner lives, but has no file of it any more. */
static void child_closes(long unused)
{
	int dev = device_open();
	int mailbox;

	if (_test_mailbox(dev, NAMED_MAILBOX(name,
				.flags = SUPERVISOR_MAILBOX_F_SURVIVE),
			  &mailbox) ||
	    close(mailbox) ||
	    _test_report(dev, 0, SUPERVISOR_REPORT_READY, 0))
		_exit(1);
	child_wait(0);
}

TEST_F(mailbox, kept_though_closed)
{
	struct supervisor_info before;
	struct tree tree;
	int mailbox;

	test_tree_open(&tree, CREATE());
	test_start(tree.sup);
	test_info(DEV, &before);
	test_child(tree.sup, "a", RUNS(child_closes, 0),
		   .readiness = SUPERVISOR_READINESS_NOTIFY);
	test_open_mailbox(DEV, name, O_RDWR, &mailbox);
	ASSERT_EQ(child_pid(tree.sup, "a"), owner_pid(mailbox));
	test_send(mailbox, "waits");
	close(mailbox);
	ASSERT_EQ(0, _test_terminate(tree.sup, "a"));
	test_open_mailbox(DEV, name, O_RDWR, &mailbox);
	test_takes_cast(mailbox, "waits");
	close(mailbox);
	ASSERT_EQ(0, _test_delete(tree.sup, "a"));
	ASSERT_TRUE(eventually(name_is_gone(DEV, name)));
	test_used_again(DEV, &before);
	tree_close(&tree);
}

/* Without a name nobody could find it. */
static void child_makes_anonymous(long unused)
{
	int dev = device_open();
	int mailbox;

	if (_test_mailbox(dev, MAILBOX(.flags = SUPERVISOR_MAILBOX_F_SURVIVE),
			  &mailbox) ||
	    _test_report(dev, 0, SUPERVISOR_REPORT_READY, 0))
		_exit(1);
	child_wait(0);
}

TEST_F(mailbox, anonymous_one_is_not_kept)
{
	struct supervisor_info before;
	struct tree tree;

	test_tree_open(&tree, CREATE());
	test_child(tree.sup, "a", RUNS(child_makes_anonymous, 0),
		   .readiness = SUPERVISOR_READINESS_NOTIFY);
	test_info(DEV, &before);
	test_start(tree.sup);
	ASSERT_EQ(0, _test_terminate(tree.sup, "a"));
	test_used_again(DEV, &before);
	tree_close(&tree);
}

/* ---- io_uring ---- */

struct ring {
	int fd;
	void *memory;
	size_t size;
	struct io_uring_sqe *sqes;
	struct io_uring_params params;
};

static int ring_open(struct ring *ring)
{
	struct io_uring_params *params = &ring->params;

	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(SYS_io_uring_setup, 4, params);
	if (ring->fd < 0)
		return -errno;
	if (!(params->features & IORING_FEAT_SINGLE_MMAP))
		return -EOPNOTSUPP;
	ring->size = params->cq_off.cqes +
		     params->cq_entries * sizeof(struct io_uring_cqe);
	ring->memory = mmap(NULL, ring->size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_POPULATE, ring->fd,
			    IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, params->sq_entries * sizeof(*ring->sqes),
			  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			  ring->fd, IORING_OFF_SQES);
	if (ring->memory == MAP_FAILED || ring->sqes == MAP_FAILED)
		return -errno;
	return 0;
}

#define ring_word(ring_, offset_) \
	((__u32 *)((char *)(ring_)->memory + (offset_)))

static int ring_submit(struct ring *ring, __u8 opcode, int fd, void *buf,
		       __u32 len)
{
	struct io_uring_params *params = &ring->params;
	__u32 *tail = ring_word(ring, params->sq_off.tail);
	__u32 mask = *ring_word(ring, params->sq_off.ring_mask);
	__u32 at = *tail & mask;

	ring->sqes[at] = (struct io_uring_sqe) {
		.opcode = opcode, .fd = fd, .addr = (uintptr_t)buf, .len = len,
		.off = -1,
	};
	ring_word(ring, params->sq_off.array)[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, ring->fd, 1, 0, 0, NULL, 0) == 1 ?
		0 : -errno;
}

/* The result of the next completion; without @wait, -EBUSY for none. */
static int ring_result(struct ring *ring, bool wait)
{
	struct io_uring_params *params = &ring->params;
	__u32 *head = ring_word(ring, params->cq_off.head);
	__u32 *tail = ring_word(ring, params->cq_off.tail);
	__u32 mask = *ring_word(ring, params->cq_off.ring_mask);
	struct io_uring_cqe *cqes = (void *)ring_word(ring,
						      params->cq_off.cqes);
	int result;

	while (__atomic_load_n(tail, __ATOMIC_ACQUIRE) == *head) {
		if (!wait)
			return -EBUSY;
		syscall(SYS_io_uring_enter, ring->fd, 0, 1,
			IORING_ENTER_GETEVENTS, NULL, 0);
	}
	result = cqes[*head & mask].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

static void ring_close(struct ring *ring)
{
	munmap(ring->sqes, ring->params.sq_entries * sizeof(*ring->sqes));
	munmap(ring->memory, ring->size);
	close(ring->fd);
}

TEST_F(mailbox, io_uring)
{
	struct supervisor_msg_data *data = (void *)message.buf;
	struct ring ring;
	int mailbox, err;

	err = ring_open(&ring);
	if (err == -ENOSYS || err == -EPERM || err == -EOPNOTSUPP)
		SKIP(return, "this kernel has no io_uring");
	ASSERT_EQ(0, err);
	test_mailbox(DEV, MAILBOX(.max_messages = 1), &mailbox);
	ASSERT_EQ(0, ring_submit(&ring, IORING_OP_WRITE, mailbox, "ring", 4));
	ASSERT_EQ(4, ring_result(&ring, true));
	ASSERT_EQ(0, ring_submit(&ring, IORING_OP_READ, mailbox, message.buf,
				 sizeof(message.buf)));
	err = ring_result(&ring, true);
	ASSERT_EQ(data->head.size, err);
	ASSERT_EQ(4, data->payload_len);
	ASSERT_EQ(getpid(), data->head.pid);
	ASSERT_EQ(0, memcmp("ring", message.buf + data->payload_offset, 4));

	/* They wait, for a message and for room. */
	memset(message.buf, 0, sizeof(message.buf));
	ASSERT_EQ(0, ring_submit(&ring, IORING_OP_READ, mailbox, message.buf,
				 sizeof(message.buf)));
	sleep_ms(30);
	ASSERT_EQ(-EBUSY, ring_result(&ring, false));
	test_send(mailbox, "later");
	ASSERT_LT(0, ring_result(&ring, true));
	ASSERT_EQ(5, data->payload_len);
	test_send(mailbox, "full");
	ASSERT_EQ(0, ring_submit(&ring, IORING_OP_WRITE, mailbox, "room", 4));
	sleep_ms(30);
	ASSERT_EQ(-EBUSY, ring_result(&ring, false));
	test_takes_cast(mailbox, "full");
	ASSERT_EQ(4, ring_result(&ring, true));
	test_takes(mailbox, &message, SUPERVISOR_MSG_CAST, "room");
	ASSERT_EQ(getpid(), message.head->pid);
	close(mailbox);
	ring_close(&ring);
}

/* One that waits when the ring goes away does not keep the mailbox. */
TEST_F(mailbox, io_uring_that_ends_early)
{
	struct ring ring;
	int mailbox, err;

	err = ring_open(&ring);
	if (err == -ENOSYS || err == -EPERM || err == -EOPNOTSUPP)
		SKIP(return, "this kernel has no io_uring");
	ASSERT_EQ(0, err);
	test_mailbox(DEV, MAILBOX(), &mailbox);
	ASSERT_EQ(0, ring_submit(&ring, IORING_OP_READ, mailbox, message.buf,
				 sizeof(message.buf)));
	sleep_ms(30);
	close(mailbox);
	ring_close(&ring);
	test_used_again(DEV, &self->before);
}

TEST_HARNESS_MAIN
