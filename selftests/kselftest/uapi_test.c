// SPDX-License-Identifier: GPL-2.0
/*
 * How every ioctl takes its argument. One table lists them all; each property
 * that they share is one test, run for each row of it.
 */
#include <stddef.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT TEST_TIMEOUT_SECONDS

#define NAME_MAX_BYTES SUPERVISOR_NAME_MAX
#define UNKNOWN_COMMAND _IO(SUPERVISOR_TYPE, 0x7f)
#define POISON 0x5a

enum file {
	ON_DEVICE,
	ON_MAILBOX,
	ON_STARTED,	/* a supervisor without children that was started */
	ON_NEW,		/* one that was not */
	ON_JOINED,	/* one whose children join, started */
	ON_REGISTRY,	/* of unique keys, empty */
	FILES,
};

union argument {
	__u32 size;
	struct {
		__u32 size;
		__u32 flags;
	} head;
	struct supervisor_info info;
	struct supervisor_create create;
	struct supervisor_open open;
	struct supervisor_unlink unlink;
	struct supervisor_list list;
	struct supervisor_child_attach attach;
	struct supervisor_child_report report;
	struct supervisor_reset_signals reset_signals;
	struct supervisor_mailbox_create mailbox_create;
	struct supervisor_mailbox_recv recv;
	struct supervisor_mailbox_send send;
	struct supervisor_mailbox_call mailbox_call;
	struct supervisor_call_reply reply;
	struct supervisor_call_reply_recv reply_recv;
	struct supervisor_call_start call_start;
	struct supervisor_ref ref;
	struct supervisor_monitor monitor;
	struct supervisor_alias alias;
	struct supervisor_alias_send alias_send;
	struct supervisor_process_link link;
	struct supervisor_trap_exit trap;
	struct supervisor_mailbox_own mailbox_own;
	struct supervisor_mailbox_status mailbox_status;
	struct supervisor_child_add add;
	struct supervisor_start start;
	struct supervisor_stop stop;
	struct supervisor_child_call call;
	struct supervisor_query query;
	struct supervisor_suspend suspend;
	struct supervisor_wait wait;
	struct supervisor_subscribe subscribe;
	struct supervisor_status status;
	struct supervisor_open_child open_child;
	struct supervisor_own own;
	struct supervisor_resize resize;
	struct supervisor_child_join join;
	struct supervisor_adopt adopt;
	struct supervisor_lineage lineage;
	struct supervisor_registry_create registry_create;
	struct supervisor_register reg;
	struct supervisor_unregister unregister;
	struct supervisor_lookup lookup;
	struct supervisor_select select;
	struct supervisor_update update;
	struct supervisor_meta meta;
	struct supervisor_lock lock;
	struct supervisor_registry_status registry_status;
	struct supervisor_listen listen;
	struct supervisor_publish publish;
	struct supervisor_key_send key_send;
	struct supervisor_key_call key_call;
	struct supervisor_key_signal key_signal;
	__u8 bytes[512];
};

static char name[32];
static char mailbox_name[32];
static char registry_name[32];
static char buf[4096] __aligned(8);
static struct supervisor_child_spec spec;
static int spare_mailbox;

static void fill_nothing(union argument *arg)
{
}

static void fill_create(union argument *arg)
{
	arg->create = CREATE(.mailbox_fd = spare_mailbox);
}

static void fill_open(union argument *arg)
{
	arg->open.access = O_RDWR;
	arg->open.name = (uintptr_t)name;
	arg->open.name_len = strlen(name);
}

static void fill_unlink(union argument *arg)
{
	arg->unlink.name = (uintptr_t)name;
	arg->unlink.name_len = strlen(name);
}

static void fill_list(union argument *arg)
{
	arg->list.buf = (uintptr_t)buf;
	arg->list.buf_len = sizeof(buf);
}

static void fill_lineage(union argument *arg)
{
	arg->lineage.pidfd = -1;
}

static void fill_child_lineage(union argument *arg)
{
	arg->lineage.pidfd = -1;
	arg->lineage.id = (uintptr_t)"none";
	arg->lineage.id_len = 4;
}

static void fill_attach(union argument *arg)
{
	arg->attach.token = 1;
}

static void fill_report(union argument *arg)
{
	arg->report.report = SUPERVISOR_REPORT_READY;
}

static void fill_recv(union argument *arg)
{
	arg->recv.buf = (uintptr_t)buf;
	arg->recv.buf_len = sizeof(buf);
}

static void fill_send(union argument *arg)
{
	arg->send.buf = (uintptr_t)buf;
	arg->send.len = 8;
}

static void fill_mailbox_call(union argument *arg)
{
	arg->mailbox_call.buf = (uintptr_t)buf;
	arg->mailbox_call.len = 8;
	arg->mailbox_call.reply = (uintptr_t)buf;
	arg->mailbox_call.reply_len = sizeof(buf);
	arg->mailbox_call.deadline = SUPERVISOR_NO_DEADLINE;
}

static void fill_reply(union argument *arg)
{
	arg->reply.from = 12345;
	arg->reply.buf = (uintptr_t)buf;
	arg->reply.len = 8;
}

static void fill_reply_recv(union argument *arg)
{
	arg->reply_recv.buf = (uintptr_t)buf;
	arg->reply_recv.buf_len = sizeof(buf);
}

static void fill_call_start(union argument *arg)
{
	arg->call_start.buf = (uintptr_t)buf;
	arg->call_start.len = 8;
	arg->call_start.mailbox_fd = spare_mailbox;
}

static void fill_ref(union argument *arg)
{
	arg->ref.ref = 12345;
}

static void fill_monitor(union argument *arg)
{
	arg->monitor.pid = getpid();
	arg->monitor.fd = -1;
}

static void fill_alias(union argument *arg)
{
	arg->alias.alias = SUPERVISOR_ALIAS_EXPLICIT;
}

static void fill_alias_send(union argument *arg)
{
	arg->alias_send.alias = 1;
	arg->alias_send.buf = (uintptr_t)buf;
	arg->alias_send.len = 1;
}

/* With itself, which is nothing. */
static void fill_link(union argument *arg)
{
	arg->link.pid = getpid();
	arg->link.pidfd = -1;
}

static void fill_trap(union argument *arg)
{
	arg->trap.mailbox_fd = spare_mailbox;
}

static void fill_add(union argument *arg)
{
	spec = CHILD("added", WAITS);
	arg->add.spec = (uintptr_t)&spec;
	arg->add.deadline = SUPERVISOR_NO_DEADLINE;
	arg->add.mailbox_fd = -1;
}

static void fill_start(union argument *arg)
{
	arg->start.deadline = SUPERVISOR_NO_DEADLINE;
}

static void fill_stop(union argument *arg)
{
	arg->stop.deadline = SUPERVISOR_NO_DEADLINE;
}

static void fill_call(union argument *arg)
{
	arg->call.deadline = SUPERVISOR_NO_DEADLINE;
	arg->call.id = (uintptr_t)"unknown";
	arg->call.id_len = strlen("unknown");
	arg->call.mailbox_fd = -1;
}

static void fill_query(union argument *arg)
{
	arg->query.deadline = SUPERVISOR_NO_DEADLINE;
	arg->query.buf = (uintptr_t)buf;
	arg->query.buf_len = sizeof(buf);
	arg->query.mailbox_fd = -1;
}

static void fill_get_spec(union argument *arg)
{
	fill_query(arg);
	arg->query.id = (uintptr_t)"unknown";
	arg->query.id_len = strlen("unknown");
}

/* It is no partition supervisor. */
static void fill_resize(union argument *arg)
{
	arg->resize.deadline = SUPERVISOR_NO_DEADLINE;
	arg->resize.partitions = 1;
}

static void fill_suspend(union argument *arg)
{
	arg->suspend.deadline = SUPERVISOR_NO_DEADLINE;
}

static void fill_wait(union argument *arg)
{
	arg->wait.deadline = SUPERVISOR_NO_DEADLINE;
	arg->wait.what = SUPERVISOR_WAIT_IDLE;
}

static void fill_join(union argument *arg)
{
	arg->join.deadline = SUPERVISOR_NO_DEADLINE;
}

static void fill_subscribe(union argument *arg)
{
	arg->subscribe.mailbox_fd = spare_mailbox;
}

static void fill_open_child(union argument *arg)
{
	arg->open_child.access = O_RDONLY;
	arg->open_child.path = (uintptr_t)"unknown";
	arg->open_child.path_len = strlen("unknown");
}

static void fill_register(union argument *arg)
{
	arg->reg.key = (uintptr_t)"key";
	arg->reg.key_len = 3;
	arg->reg.mailbox_fd = -1;
}

static void fill_key(union argument *arg)
{
	arg->lookup.key = (uintptr_t)"key";
	arg->lookup.key_len = 3;
}

static void fill_select(union argument *arg)
{
	arg->select.buf = (uintptr_t)buf;
	arg->select.buf_len = sizeof(buf);
}

static void fill_update(union argument *arg)
{
	arg->update.key = (uintptr_t)"key";
	arg->update.key_len = 3;
	arg->update.mailbox_fd = -1;
}

static void fill_unregister(union argument *arg)
{
	arg->unregister.key = (uintptr_t)"key";
	arg->unregister.key_len = 3;
}

static void fill_meta(union argument *arg)
{
	arg->meta.key = (uintptr_t)"key";
	arg->meta.key_len = 3;
}

static void fill_listen(union argument *arg)
{
	arg->listen.mailbox_fd = spare_mailbox;
}

static void fill_publish(union argument *arg)
{
	arg->publish.key = (uintptr_t)"key";
	arg->publish.key_len = 3;
}

static void fill_key_call(union argument *arg)
{
	arg->key_call.key = (uintptr_t)"key";
	arg->key_call.key_len = 3;
}

static void fill_lock(union argument *arg)
{
	arg->lock.key = (uintptr_t)"key";
	arg->lock.key_len = 3;
}

#define SELECT_FLAGS \
	(SUPERVISOR_SELECT_F_KEY | SUPERVISOR_SELECT_F_VALUE | \
	 SUPERVISOR_SELECT_F_PID | SUPERVISOR_SELECT_F_PARTITION | \
	 SUPERVISOR_SELECT_F_NO_VALUES)

/*
 * Every ioctl: its name, struct, the last member that was first published, the
 * known flags, the file it is on, what fills in a valid argument, and what that
 * gives: 0, or the errno that proves that the argument was understood.
 */
#define IOCTLS(X) \
	X(INFO, info, out_used, 0, ON_DEVICE, fill_nothing, 0) \
	X(CREATE, create, out_id, SUPERVISOR_CREATE_F_LOG_CRASHES, ON_DEVICE, \
	  fill_create, 0) \
	X(OPEN, open, out_id, 0, ON_DEVICE, fill_open, 0) \
	X(UNLINK, unlink, name, 0, ON_DEVICE, fill_unlink, 0) \
	X(LIST, list, cursor, 0, ON_DEVICE, fill_list, 0) \
	X(CHILD_ATTACH, child_attach, token, \
	  SUPERVISOR_ATTACH_F_RESET_SIGNALS, ON_DEVICE, fill_attach, ESTALE) \
	X(CHILD_REPORT, child_report, error, 0, ON_DEVICE, fill_report, \
	  ESRCH) \
	X(RESET_SIGNALS, reset_signals, flags, 0, ON_DEVICE, fill_nothing, 0) \
	X(MAILBOX_CREATE, mailbox_create, out_id, SUPERVISOR_MAILBOX_F_SURVIVE, \
	  ON_DEVICE, fill_nothing, 0) \
	X(MAILBOX_RECV, mailbox_recv, __reserved, \
	  SUPERVISOR_RECV_F_PATH | SUPERVISOR_RECV_F_REF, ON_MAILBOX, \
	  fill_recv, EAGAIN) \
	X(MAILBOX_SEND, mailbox_send, __reserved, 0, ON_MAILBOX, fill_send, 0) \
	X(MAILBOX_CALL, mailbox_call, call, 0, ON_MAILBOX, fill_mailbox_call, \
	  EDEADLK) \
	X(CALL_REPLY, call_reply, __reserved, 0, ON_MAILBOX, fill_reply, \
	  ENOENT) \
	X(CALL_REPLY_RECV, call_reply_recv, __reserved, \
	  SUPERVISOR_RECV_F_PATH, ON_MAILBOX, fill_reply_recv, EAGAIN) \
	X(CALL_START, call_start, out_ref, 0, ON_MAILBOX, fill_call_start, 0) \
	X(CALL_CANCEL, ref, __reserved, SUPERVISOR_REF_F_FLUSH, ON_MAILBOX, \
	  fill_ref, 0) \
	X(MAILBOX_OWN, mailbox_own, flags, SUPERVISOR_OWN_F_VACANT, \
	  ON_MAILBOX, fill_nothing, 0) \
	X(MAILBOX_STATUS, mailbox_status, out_lost, 0, ON_MAILBOX, \
	  fill_nothing, 0) \
	X(MONITOR, monitor, out_ref, 0, ON_MAILBOX, fill_monitor, 0) \
	X(DEMONITOR, ref, __reserved, SUPERVISOR_REF_F_FLUSH, ON_MAILBOX, \
	  fill_ref, 0) \
	X(ALIAS, alias, out_ref, 0, ON_MAILBOX, fill_alias, 0) \
	X(UNALIAS, ref, __reserved, 0, ON_MAILBOX, fill_ref, 0) \
	X(ALIAS_SEND, alias_send, __reserved, 0, ON_DEVICE, fill_alias_send, \
	  ESTALE) \
	X(PROCESS_LINK, process_link, out_ref, 0, ON_DEVICE, fill_link, 0) \
	X(PROCESS_UNLINK, process_link, out_ref, 0, ON_DEVICE, fill_link, 0) \
	X(TRAP_EXIT, trap_exit, __reserved, 0, ON_DEVICE, fill_trap, 0) \
	X(CHILD_ADD, child_add, call, SUPERVISOR_CALL_F_ASYNC, ON_NEW, \
	  fill_add, 0) \
	X(START, start, call, SUPERVISOR_CALL_F_ASYNC, ON_NEW, \
	  fill_start, 0) \
	X(STOP, stop, call, SUPERVISOR_CALL_F_ASYNC, ON_STARTED, \
	  fill_stop, 0) \
	X(CHILD_TERMINATE, child_call, call, SUPERVISOR_CALL_F_ASYNC, \
	  ON_STARTED, fill_call, ENOENT) \
	X(CHILD_RESTART, child_call, call, SUPERVISOR_CALL_F_ASYNC, \
	  ON_STARTED, fill_call, ENOENT) \
	X(CHILD_DELETE, child_call, call, SUPERVISOR_CALL_F_ASYNC, \
	  ON_STARTED, fill_call, ENOENT) \
	X(CHILD_GET_SPEC, query, out_limit, SUPERVISOR_CALL_F_ASYNC, \
	  ON_STARTED, fill_get_spec, ENOENT) \
	X(WHICH_CHILDREN, query, out_limit, SUPERVISOR_CALL_F_ASYNC, \
	  ON_STARTED, fill_query, 0) \
	X(COUNT_CHILDREN, query, out_limit, SUPERVISOR_CALL_F_ASYNC, \
	  ON_STARTED, fill_query, 0) \
	X(SUSPEND, suspend, __reserved, SUPERVISOR_SUSPEND_F_TREE, ON_STARTED, \
	  fill_suspend, 0) \
	X(RESUME, suspend, __reserved, SUPERVISOR_SUSPEND_F_TREE, ON_STARTED, \
	  fill_suspend, 0) \
	X(WAIT, wait, __reserved, 0, ON_STARTED, fill_wait, 0) \
	X(SUBSCRIBE, subscribe, out_limit, SUPERVISOR_SUBSCRIBE_F_CRASHES, \
	  ON_STARTED, fill_subscribe, 0) \
	X(STATUS, status, out_down, 0, ON_STARTED, fill_nothing, 0) \
	X(OPEN_CHILD, open_child, out_id, 0, ON_STARTED, fill_open_child, \
	  ENOENT) \
	X(OWN, own, flags, 0, ON_STARTED, fill_nothing, 0) \
	X(RESIZE, resize, call, 0, ON_STARTED, fill_resize, EINVAL) \
	X(CHILD_JOIN, child_join, out_id, SUPERVISOR_ATTACH_F_RESET_SIGNALS, \
	  ON_JOINED, fill_join, EDEADLK) \
	X(ADOPT, adopt, out_id, 0, ON_STARTED, fill_nothing, EBUSY) \
	X(LINEAGE, lineage, __reserved, 0, ON_DEVICE, fill_lineage, ESRCH) \
	X(CHILD_LINEAGE, lineage, __reserved, 0, ON_STARTED, \
	  fill_child_lineage, ENOENT) \
	X(REGISTRY_CREATE, registry_create, out_id, \
	  SUPERVISOR_REGISTRY_F_OPEN | SUPERVISOR_REGISTRY_F_MAP, ON_DEVICE, \
	  fill_nothing, 0) \
	X(REGISTER, register, out_id, 0, ON_REGISTRY, fill_register, 0) \
	X(UNREGISTER, unregister, out_max, SUPERVISOR_UNREGISTER_F_VALUE, \
	  ON_REGISTRY, fill_unregister, ENOENT) \
	X(LOOKUP, lookup, out_id, 0, ON_REGISTRY, fill_key, ENOENT) \
	X(SELECT, select, __reserved2, SELECT_FLAGS, ON_REGISTRY, \
	  fill_select, 0) \
	X(COUNT, select, __reserved2, SELECT_FLAGS, ON_REGISTRY, \
	  fill_nothing, 0) \
	X(UPDATE, update, out_max, \
	  SUPERVISOR_UPDATE_F_COMPARE | SUPERVISOR_UPDATE_F_MAILBOX, \
	  ON_REGISTRY, fill_update, ENOENT) \
	X(META_PUT, meta, out_max, 0, ON_REGISTRY, fill_meta, 0) \
	X(META_GET, meta, out_max, 0, ON_REGISTRY, fill_meta, ENOENT) \
	X(META_DELETE, meta, out_max, 0, ON_REGISTRY, fill_meta, ENOENT) \
	X(LOCK, lock, __reserved, 0, ON_REGISTRY, fill_lock, 0) \
	X(UNLOCK, lock, __reserved, 0, ON_REGISTRY, fill_lock, ENOENT) \
	X(LISTEN, listen, out_limit, SUPERVISOR_LISTEN_F_DEATHS, ON_REGISTRY, \
	  fill_listen, 0) \
	X(UNLISTEN, listen, out_limit, 0, ON_REGISTRY, fill_listen, ENOENT) \
	X(PUBLISH, publish, __reserved, 0, ON_REGISTRY, fill_publish, 0) \
	X(KEY_SEND, key_send, __reserved, 0, ON_REGISTRY, fill_key_call, \
	  ENOENT) \
	X(KEY_CALL, key_call, call, 0, ON_REGISTRY, fill_key_call, ENOENT) \
	X(KEY_SIGNAL, key_signal, out_pid, 0, ON_REGISTRY, fill_key_call, \
	  ENOENT) \
	X(REGISTRY_STATUS, registry_status, out_map_bytes, 0, ON_REGISTRY, \
	  fill_nothing, 0)

/* Every reserved member of those. */
#define RESERVED(X) \
	X(CREATE, create) \
	X(UNLINK, unlink) \
	X(CHILD_GET_SPEC, query) \
	X(WHICH_CHILDREN, query) \
	X(COUNT_CHILDREN, query) \
	X(MAILBOX_CREATE, mailbox_create) \
	X(MAILBOX_RECV, recv) \
	X(MAILBOX_SEND, send) \
	X(CALL_REPLY, reply) \
	X(CALL_REPLY_RECV, reply_recv) \
	X(CALL_CANCEL, ref) \
	X(DEMONITOR, ref) \
	X(UNALIAS, ref) \
	X(ALIAS_SEND, alias_send) \
	X(PROCESS_LINK, link) \
	X(PROCESS_UNLINK, link) \
	X(TRAP_EXIT, trap) \
	X(STOP, stop) \
	X(SUSPEND, suspend) \
	X(RESUME, suspend) \
	X(WAIT, wait) \
	X(OPEN_CHILD, open_child) \
	X(ADOPT, adopt) \
	X(LINEAGE, lineage) \
	X(CHILD_LINEAGE, lineage) \
	X(CHILD_JOIN, join) \
	X(SELECT, select) \
	X(COUNT, select) \
	X(PUBLISH, publish) \
	X(KEY_SEND, key_send) \
	X(LOCK, lock) \
	X(UNLOCK, lock)

#define ENUMERATE(NAME, ...) IS_##NAME,
enum which {
	IOCTLS(ENUMERATE)
	IOCTL_COUNT
};

FIXTURE(ioctl)
{
	int fd[FILES];
	int spare;
	struct supervisor_info before;
	struct supervisor_status status[FILES];
	struct supervisor_mailbox_status mailbox_status;
	struct supervisor_registry_status registry_status;
	union argument arg;
};

FIXTURE_VARIANT(ioctl)
{
	enum which which;
	unsigned int command;
	__u32 size;
	__u32 minimum;
	__u32 flags;
	enum file file;
	void (*fill)(union argument *arg);
	int err;
};

#define end_of(type, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member))
#define VARIANT(NAME, struct_, last_, flags_, file_, fill_, err_) \
	FIXTURE_VARIANT_ADD(ioctl, NAME) { \
		.which = IS_##NAME, \
		.command = SUPERVISOR_##NAME, \
		.size = sizeof(struct supervisor_##struct_), \
		.minimum = end_of(struct supervisor_##struct_, last_), \
		.flags = flags_, \
		.file = file_, \
		.fill = fill_, \
		.err = err_, \
	};
IOCTLS(VARIANT)

static bool is_supervisor(enum file file)
{
	return file == ON_STARTED || file == ON_NEW || file == ON_JOINED;
}

FIXTURE_SETUP(ioctl)
{
	struct supervisor_child_spec template;
	struct supervisor_create create;
	int i;

	self->fd[ON_DEVICE] = device_open();
	ASSERT_LE(0, self->fd[ON_DEVICE]);
	snprintf(mailbox_name, sizeof(mailbox_name), "/uapi_mailbox.%d",
		 getpid());
	test_mailbox(self->fd[ON_DEVICE], NAMED_MAILBOX(mailbox_name),
		     &self->fd[ON_MAILBOX]);
	test_mailbox_create(self->fd[ON_DEVICE], 0, &self->spare);
	spare_mailbox = self->spare;
	snprintf(name, sizeof(name), "/uapi.%d", getpid());
	create = CREATE(.mailbox_fd = self->fd[ON_MAILBOX], .mode = 0600,
			.name = (uintptr_t)name, .name_len = strlen(name));
	test_create(self->fd[ON_DEVICE], &create, &self->fd[ON_STARTED]);
	test_start(self->fd[ON_STARTED]);
	create = CREATE(.mailbox_fd = self->fd[ON_MAILBOX]);
	test_create(self->fd[ON_DEVICE], &create, &self->fd[ON_NEW]);

	template = CHILD("joined", WAITS, .restart = SUPERVISOR_TEMPORARY);
	create = CREATE(.kind = SUPERVISOR_DYNAMIC, .spawn = SUPERVISOR_SPAWN_SELF,
			.max_children = SUPERVISOR_CHILDREN_INFINITY,
			.child_spec = (uintptr_t)&template);
	test_create(self->fd[ON_DEVICE], &create, &self->fd[ON_JOINED]);
	test_start(self->fd[ON_JOINED]);

	snprintf(registry_name, sizeof(registry_name), "/uapi_registry.%d",
		 getpid());
	test_registry(self->fd[ON_DEVICE], NAMED_REGISTRY(registry_name, UNIQUE),
		      &self->fd[ON_REGISTRY]);

	test_info(self->fd[ON_DEVICE], &self->before);
	test_mailbox_status(self->fd[ON_MAILBOX], &self->mailbox_status);
	ASSERT_EQ(0, _test_registry_status(self->fd[ON_REGISTRY],
					   &self->registry_status));
	for (i = 0; i < FILES; i++)
		if (is_supervisor(i))
			test_status(self->fd[i], &self->status[i]);

	self->arg.size = variant->size;
	variant->fill(&self->arg);
}

FIXTURE_TEARDOWN(ioctl)
{
	int i;

	for (i = 0; i < FILES; i++)
		close(self->fd[i]);
	close(self->spare);
}

/* Nothing that a refused call could have left behind. */
#define test_unchanged() \
	do { \
		struct supervisor_mailbox_status mailbox_status_; \
		struct supervisor_registry_status registry_status_; \
		struct supervisor_info info_; \
		struct supervisor_status status_; \
		int i_; \
		test_info(self->fd[ON_DEVICE], &info_); \
		ASSERT_EQ(0, memcmp(&info_, &self->before, sizeof(info_))); \
		test_mailbox_status(self->fd[ON_MAILBOX], &mailbox_status_); \
		ASSERT_EQ(0, memcmp(&mailbox_status_, &self->mailbox_status, \
				    sizeof(mailbox_status_))); \
		ASSERT_EQ(0, _test_registry_status(self->fd[ON_REGISTRY], \
						   &registry_status_)); \
		ASSERT_EQ(0, memcmp(&registry_status_, &self->registry_status, \
				    sizeof(registry_status_))); \
		for (i_ = 0; i_ < FILES; i_++) { \
			if (!is_supervisor(i_)) \
				continue; \
			test_status(self->fd[i_], &status_); \
			ASSERT_EQ(0, memcmp(&status_, &self->status[i_], \
					    sizeof(status_))); \
		} \
	} while (0)

#define call_(arg_) \
	_test_ioctl(self->fd[variant->file], variant->command, (arg_))

TEST_F(ioctl, valid)
{
	ASSERT_EQ(-variant->err, call_(&self->arg));
}

TEST_F(ioctl, a_byte_too_small)
{
	self->arg.size = variant->minimum - 1;
	ASSERT_EQ(-EINVAL, call_(&self->arg));
	test_unchanged();
}

TEST_F(ioctl, no_size)
{
	self->arg.size = 0;
	ASSERT_EQ(-EINVAL, call_(&self->arg));
	test_unchanged();
}

TEST_F(ioctl, grown_with_zeros)
{
	self->arg.size = variant->size + 8;
	ASSERT_EQ(-variant->err, call_(&self->arg));
}

TEST_F(ioctl, grown_with_something)
{
	int i;

	for (i = 0; i < 8; i++) {
		self->arg.size = variant->size + 8;
		memset(self->arg.bytes + variant->size, 0, 8);
		self->arg.bytes[variant->size + i] = 1;
		ASSERT_EQ(-E2BIG, call_(&self->arg));
	}
	test_unchanged();
}

TEST_F(ioctl, larger_than_a_page)
{
	char *large = calloc(1, 65536);

	ASSERT_NE(NULL, large);
	memcpy(large, &self->arg, variant->size);
	*(__u32 *)large = 65536;
	large[65535] = 1;
	ASSERT_EQ(-E2BIG, call_(large));
	test_unchanged();
	free(large);
}

TEST_F(ioctl, unknown_flags)
{
	int bit;

	for (bit = 0; bit < 32; bit++) {
		if (variant->flags & (1U << bit))
			continue;
		self->arg.head.flags = 1U << bit;
		ASSERT_EQ(-EOPNOTSUPP, call_(&self->arg))
			TH_LOG("bit %d", bit);
	}
	test_unchanged();
}

TEST_F(ioctl, no_pointer)
{
	ASSERT_EQ(-EFAULT, call_(NULL));
	test_unchanged();
}

TEST_F(ioctl, cut_off_by_the_end_of_memory)
{
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = pages + page - variant->size + 4;

	ASSERT_NE(MAP_FAILED, pages);
	ASSERT_EQ(0, mprotect(pages + page, page, PROT_NONE));
	memcpy(at, &self->arg, variant->size - 4);
	ASSERT_EQ(-EFAULT, call_(at));
	test_unchanged();
	munmap(pages, 2 * page);
}

TEST_F(ioctl, wrong_kind_of_file)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int i;

	for (i = 0; i < FILES; i++) {
		if (i == (int)variant->file ||
		    (is_supervisor(i) && is_supervisor(variant->file)))
			continue;
		ASSERT_EQ(-ENOTTY, _test_ioctl(self->fd[i], variant->command,
					       &self->arg));
	}
	ASSERT_EQ(-ENOTTY, _test_ioctl(null, variant->command, &self->arg));
	close(null);
	test_unchanged();
}

TEST_F(ioctl, reserved)
{
	static const struct {
		enum which which;
		size_t at;
	} members[] = {
#define MEMBER(NAME, member_) \
		{ IS_##NAME, offsetof(union argument, member_.__reserved) },
		RESERVED(MEMBER)
	};
	unsigned int i;
	int byte;

	for (i = 0; i < ARRAY_SIZE(members); i++) {
		if (members[i].which != variant->which)
			continue;
		for (byte = 0; byte < 4; byte++) {
			memset(self->arg.bytes + members[i].at, 0, 4);
			self->arg.bytes[members[i].at + byte] = 1;
			ASSERT_EQ(-EINVAL, call_(&self->arg));
		}
	}
	test_unchanged();
}

/* What a file may be used for is in how it was opened. */
TEST_F(ioctl, access)
{
	static const enum which control[] = {
		IS_CHILD_ADD, IS_START, IS_STOP, IS_CHILD_TERMINATE,
		IS_CHILD_RESTART, IS_CHILD_DELETE, IS_SUSPEND, IS_RESUME,
		IS_OWN, IS_RESIZE, IS_CHILD_JOIN, IS_ADOPT,
	};
	static const enum which look[] = {
		IS_CHILD_GET_SPEC, IS_WHICH_CHILDREN, IS_COUNT_CHILDREN,
		IS_STATUS, IS_WAIT, IS_SUBSCRIBE, IS_ADOPT,
	};
	static const enum which receive[] = {
		IS_MAILBOX_RECV, IS_CALL_REPLY, IS_CALL_REPLY_RECV,
		IS_MAILBOX_OWN, IS_CALL_CANCEL, IS_MONITOR, IS_DEMONITOR,
		IS_ALIAS, IS_UNALIAS,
	};
	static const enum which send[] = {
		IS_MAILBOX_SEND, IS_MAILBOX_CALL, IS_CALL_START,
	};
	static const enum which find[] = {
		IS_LOOKUP, IS_SELECT, IS_COUNT, IS_META_GET, IS_LISTEN,
		IS_UNLISTEN, IS_PUBLISH, IS_KEY_SEND, IS_KEY_CALL,
		IS_KEY_SIGNAL,
	};
	static const enum which change[] = {
		IS_REGISTER, IS_UNREGISTER, IS_UPDATE, IS_META_PUT,
		IS_META_DELETE, IS_LOCK, IS_UNLOCK,
	};
	int reader, writer;
	unsigned int i;

	test_open(self->fd[ON_DEVICE], name, O_RDONLY, &reader);
	test_open(self->fd[ON_DEVICE], name, O_WRONLY, &writer);
	for (i = 0; i < ARRAY_SIZE(control); i++)
		if (control[i] == variant->which)
			ASSERT_EQ(-EBADF, _test_ioctl(reader, variant->command,
						      &self->arg));
	for (i = 0; i < ARRAY_SIZE(look); i++)
		if (look[i] == variant->which)
			ASSERT_EQ(-EBADF, _test_ioctl(writer, variant->command,
						      &self->arg));
	close(reader);
	close(writer);

	test_open_mailbox(self->fd[ON_DEVICE], mailbox_name, O_RDONLY, &reader);
	test_open_mailbox(self->fd[ON_DEVICE], mailbox_name, O_WRONLY, &writer);
	for (i = 0; i < ARRAY_SIZE(receive); i++)
		if (receive[i] == variant->which)
			ASSERT_EQ(-EBADF, _test_ioctl(writer, variant->command,
						      &self->arg));
	for (i = 0; i < ARRAY_SIZE(send); i++)
		if (send[i] == variant->which)
			ASSERT_EQ(-EBADF, _test_ioctl(reader, variant->command,
						      &self->arg));
	close(reader);
	close(writer);

	test_open_registry(self->fd[ON_DEVICE], registry_name, O_RDONLY, &reader);
	test_open_registry(self->fd[ON_DEVICE], registry_name, O_WRONLY, &writer);
	for (i = 0; i < ARRAY_SIZE(find); i++)
		if (find[i] == variant->which)
			ASSERT_EQ(-EBADF, _test_ioctl(writer, variant->command,
						      &self->arg));
	for (i = 0; i < ARRAY_SIZE(change); i++)
		if (change[i] == variant->which)
			ASSERT_EQ(-EBADF, _test_ioctl(reader, variant->command,
						      &self->arg));
	test_unchanged();
	close(reader);
	close(writer);
}

/* ---- what is not shared by all ---- */

FIXTURE(uapi)
{
	int dev;
	int mailbox;
	int sup;
	struct supervisor_info before;
};

FIXTURE_SETUP(uapi)
{
	struct supervisor_create create;

	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_mailbox_create(self->dev, 0, &self->mailbox);
	create = CREATE(.mailbox_fd = self->mailbox);
	test_create(self->dev, &create, &self->sup);
	test_info(self->dev, &self->before);
}

FIXTURE_TEARDOWN(uapi)
{
	/* What was closed is given back, if not at once. */
	test_used_again(self->dev, &self->before);
	close(self->sup);
	close(self->mailbox);
	close(self->dev);
}

TEST_F(uapi, unknown_command)
{
	struct supervisor_info info = ARG(supervisor_info);

	ASSERT_EQ(-ENOTTY, _test_ioctl(self->dev, UNKNOWN_COMMAND, &info));
	ASSERT_EQ(-ENOTTY, _test_ioctl(self->mailbox, UNKNOWN_COMMAND, &info));
	ASSERT_EQ(-ENOTTY, _test_ioctl(self->sup, UNKNOWN_COMMAND, &info));
	/* The same number with another type, or with a size in it. */
	ASSERT_EQ(-ENOTTY, _test_ioctl(self->dev,
				       _IO(0xba, SUPERVISOR_CMD_INFO), &info));
	ASSERT_EQ(-ENOTTY, _test_ioctl(self->dev,
				       _IOWR(SUPERVISOR_TYPE,
					     SUPERVISOR_CMD_INFO,
					     struct supervisor_info), &info));
}

TEST_F(uapi, info)
{
	struct supervisor_info info;
	int i;

	memset(&info, POISON, sizeof(info));
	info.size = sizeof(info);
	info.flags = 0;
	test_ioctl(self->dev, SUPERVISOR_INFO, &info);
	ASSERT_EQ(SUPERVISOR_ABI, info.out_abi);
	ASSERT_EQ(0, info.out_errata);
	ASSERT_EQ(SUPERVISOR_FEATURE_SUPERVISORS,
		  info.out_features & SUPERVISOR_FEATURE_SUPERVISORS);
	ASSERT_LT(0, strnlen((char *)info.out_version,
			     sizeof(info.out_version)));
	ASSERT_GT(sizeof(info.out_version),
		  strnlen((char *)info.out_version, sizeof(info.out_version)));
	ASSERT_EQ(0, info.out_limit[SUPERVISOR_LIMIT_NONE]);
	ASSERT_EQ(SUPERVISOR_FEATURE_MESSAGES,
		  info.out_features & SUPERVISOR_FEATURE_MESSAGES);
	ASSERT_EQ(SUPERVISOR_FEATURE_DYNAMIC,
		  info.out_features & SUPERVISOR_FEATURE_DYNAMIC);
	ASSERT_EQ(SUPERVISOR_FEATURE_REGISTRIES,
		  info.out_features & SUPERVISOR_FEATURE_REGISTRIES);
	for (i = 1; i <= SUPERVISOR_LIMIT_MAP_SLOTS; i++) {
		ASSERT_LT(0, info.out_limit[i])
			TH_LOG("limit %d", i);
	}
	for (; i < SUPERVISOR_LIMIT_NR; i++)
		ASSERT_EQ(0, info.out_limit[i]);
	ASSERT_EQ(1, info.out_used[SUPERVISOR_LIMIT_SUPERVISORS]);
	ASSERT_EQ(1, info.out_used[SUPERVISOR_LIMIT_MAILBOXES]);
	ASSERT_EQ(0, info.out_used[SUPERVISOR_LIMIT_CHILDREN]);
	ASSERT_EQ(0, info.out_used[SUPERVISOR_LIMIT_NAMES]);
	ASSERT_EQ(0, info.out_used[SUPERVISOR_LIMIT_SUPERVISOR_CHILDREN]);
}

TEST_F(uapi, new_files_close_on_exec)
{
	int fd;

	ASSERT_EQ(FD_CLOEXEC, fcntl(self->mailbox, F_GETFD));
	ASSERT_EQ(FD_CLOEXEC, fcntl(self->sup, F_GETFD));
	fd = fcntl(self->sup, F_GETFL);
	ASSERT_EQ(O_RDWR, fd & O_ACCMODE);
}

TEST_F(uapi, ids_are_never_used_again)
{
	struct supervisor_create create = CREATE(.mailbox_fd = self->mailbox);
	__u64 last = 0;
	int i, sup;

	for (i = 0; i < 10; i++) {
		test_create(self->dev, &create, &sup);
		ASSERT_LT(last, create.out_id);
		last = create.out_id;
		close(sup);
	}
}

TEST_F(uapi, bad_pointers_within)
{
	struct supervisor_create create =
		CREATE(.mailbox_fd = self->mailbox, .name = 8, .name_len = 5);
	struct supervisor_open open =
		ARG(supervisor_open, .name = 8, .name_len = 5);
	struct supervisor_unlink unlink =
		ARG(supervisor_unlink, .name = 8, .name_len = 5);
	struct supervisor_open_child open_child =
		ARG(supervisor_open_child, .path = 8, .path_len = 5);
	struct supervisor_child_call call =
		CALL(supervisor_child_call, .id = 8, .id_len = 5);
	struct supervisor_child_spec bad_id = CHILD("a", WAITS, .id = 8);
	struct supervisor_child_spec bad_blob = CHILD("a", WAITS, .blob = 8);
	struct supervisor_child_add add = CALL(supervisor_child_add, .spec = 8);
	struct supervisor_query query =
		CALL(supervisor_query, .buf = 8, .buf_len = 4096);
	struct supervisor_status status =
		ARG(supervisor_status, .buf = 8, .buf_len = 4096);

	ASSERT_EQ(-EFAULT, _test_ioctl(self->dev, SUPERVISOR_CREATE, &create));
	ASSERT_EQ(-EFAULT, _test_ioctl(self->dev, SUPERVISOR_OPEN, &open));
	ASSERT_EQ(-EFAULT, _test_ioctl(self->dev, SUPERVISOR_UNLINK, &unlink));
	ASSERT_EQ(-EFAULT, _test_ioctl(self->sup, SUPERVISOR_OPEN_CHILD,
				       &open_child));
	ASSERT_EQ(-EFAULT, _test_ioctl(self->sup, SUPERVISOR_CHILD_ADD, &add));
	ASSERT_EQ(-EFAULT, _test_child_add(self->sup, &bad_id, NULL));
	ASSERT_EQ(-EFAULT, _test_child_add(self->sup, &bad_blob, NULL));

	test_child(self->sup, "a", SPAWNS(spawn_ignore, 0));
	ASSERT_EQ(-EFAULT, _test_ioctl(self->sup, SUPERVISOR_STATUS, &status));
	ASSERT_EQ(-EFAULT, _test_ioctl(self->sup, SUPERVISOR_CHILD_TERMINATE,
				       &call));
	close(self->sup);

	create = CREATE(.mailbox_fd = self->mailbox);
	test_create(self->dev, &create, &self->sup);
	test_start(self->sup);
	ASSERT_EQ(-EFAULT, _test_ioctl(self->sup, SUPERVISOR_COUNT_CHILDREN,
				       &query));
}

TEST_F(uapi, recv_keeps_what_it_cannot_deliver)
{
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf_len = sizeof(buf));
	int events;

	test_mailbox_create(self->dev, 0, &events);
	test_subscribe(self->sup, events);
	test_start(self->sup);

	recv.buf = 8;
	ASSERT_EQ(-EFAULT, _test_ioctl(events, SUPERVISOR_MAILBOX_RECV, &recv));
	recv.buf = (uintptr_t)buf;
	recv.buf_len = 8;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(events, SUPERVISOR_MAILBOX_RECV,
					 &recv));
	ASSERT_LT(8, recv.buf_len);
	test_ioctl(events, SUPERVISOR_MAILBOX_RECV, &recv);
	ASSERT_EQ(1, recv.out_count);
	ASSERT_EQ(SUPERVISOR_MSG_EVENT, ((struct supervisor_msg *)buf)->type);
	recv.buf_len = sizeof(buf);
	ASSERT_EQ(-EAGAIN, _test_ioctl(events, SUPERVISOR_MAILBOX_RECV, &recv));
	close(events);
}

TEST_F(uapi, read_is_recv)
{
	struct supervisor_msg *message = (void *)buf;
	void *volatile nowhere = (void *)8;
	int events;

	test_mailbox_create(self->dev, 0, &events);
	ASSERT_EQ(0, fcntl(events, F_SETFL,
			   fcntl(events, F_GETFL) | O_NONBLOCK));
	ASSERT_EQ(-1, read(events, buf, sizeof(buf)));
	ASSERT_EQ(EAGAIN, errno);
	test_subscribe(self->sup, events);
	test_start(self->sup);
	ASSERT_EQ(-1, read(events, buf, 8));
	ASSERT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(-1, read(events, nowhere, sizeof(buf)));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_LT(0, read(events, buf, sizeof(buf)));
	ASSERT_EQ(SUPERVISOR_MSG_EVENT, message->type);
	ASSERT_EQ(-1, read(events, buf, sizeof(buf)));
	ASSERT_EQ(EAGAIN, errno);
	close(events);
}

TEST_F(uapi, recv_deadline)
{
	__u64 before = now_ns();

	ASSERT_EQ(-EAGAIN, _test_recv(self->mailbox, buf, sizeof(buf), 0, 0));
	ASSERT_EQ(-ETIMEDOUT, _test_recv(self->mailbox, buf, sizeof(buf), 0,
					 after_ms(50)));
	ASSERT_LE(before + 50000000, now_ns());
}

static void nop(int unused)
{
}

TEST_F(uapi, recv_is_interruptible)
{
	struct supervisor_mailbox_recv recv =
		ARG(supervisor_mailbox_recv, .buf = (uintptr_t)buf,
		    .buf_len = sizeof(buf), .deadline = SUPERVISOR_NO_DEADLINE);
	struct sigaction action = { .sa_handler = nop };
	pid_t pid;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	pid = fork();
	if (!pid) {
		/* Again and again, as the first may come too early. */
		while (!kill(getppid(), SIGUSR1))
			sleep_ms(50);
		_exit(0);
	}
	ASSERT_EQ(-EINTR, _test_ioctl(self->mailbox, SUPERVISOR_MAILBOX_RECV,
				      &recv));
	signal(SIGUSR1, SIG_IGN);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_F(uapi, mailbox_ring_bytes)
{
	static const __u32 bad[] = { 1, 2048, 4097, 12288, 1U << 25, ~0U };
	static const __u32 good[] = { 0, 4096, 65536, 1U << 24 };
	unsigned int i;
	int mailbox;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		ASSERT_EQ(-EINVAL, _test_mailbox_create(self->dev, bad[i],
							&mailbox));
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		test_mailbox_create(self->dev, good[i], &mailbox);
		close(mailbox);
	}
}

/* ---- the members of CREATE, one wrong at a time ---- */

TEST_F(uapi, create_checks_flags_in_otps_order)
{
	static const struct {
		struct supervisor_create create;
		__u32 invalid;
	} bad[] = {
		{ { .strategy = 3, .intensity = -1, .period = 0,
		    .auto_shutdown = 3 }, SUPERVISOR_INVALID_STRATEGY },
		{ { .strategy = ~0U, .period = 5 },
		  SUPERVISOR_INVALID_STRATEGY },
		{ { .intensity = -1, .period = 0, .auto_shutdown = 3 },
		  SUPERVISOR_INVALID_INTENSITY },
		{ { .intensity = 1000001, .period = 5 },
		  SUPERVISOR_INVALID_INTENSITY },
		{ { .period = 0, .auto_shutdown = 3 },
		  SUPERVISOR_INVALID_PERIOD },
		{ { .period = -1 }, SUPERVISOR_INVALID_PERIOD },
		{ { .period = 366LL * 86400 + 1 }, SUPERVISOR_INVALID_PERIOD },
		{ { .period = 5, .auto_shutdown = 3 },
		  SUPERVISOR_INVALID_AUTO_SHUTDOWN },
	};
	struct supervisor_create create;
	unsigned int i;
	int sup;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		create = bad[i].create;
		create.size = sizeof(create);
		create.unkillable_ms = 5000;
		create.mailbox_fd = self->mailbox;
		create.out_invalid = ~0U;
		ASSERT_EQ(-EINVAL, _test_create(self->dev, &create, &sup))
			TH_LOG("row %u", i);
		ASSERT_EQ(bad[i].invalid, create.out_invalid)
			TH_LOG("row %u", i);
	}
	create = CREATE(.owner_death = 3, .mailbox_fd = self->mailbox);
	ASSERT_EQ(-EOPNOTSUPP, _test_create(self->dev, &create, &sup));
}

TEST_F(uapi, create_takes_the_extremes)
{
	struct supervisor_create create =
		CREATE(.intensity = 0, .period = 1, .strategy =
		       SUPERVISOR_REST_FOR_ONE, .auto_shutdown =
		       SUPERVISOR_AUTO_SHUTDOWN_ALL_SIGNIFICANT,
		       .mailbox_fd = self->mailbox);
	struct supervisor_status status;
	int sup;

	test_create(self->dev, &create, &sup);
	test_status(sup, &status);
	ASSERT_EQ(create.out_id, status.out_id);
	ASSERT_EQ(SUPERVISOR_STATE_NEW, status.out_state);
	ASSERT_EQ(SUPERVISOR_REST_FOR_ONE, status.out_strategy);
	ASSERT_EQ(SUPERVISOR_AUTO_SHUTDOWN_ALL_SIGNIFICANT,
		  status.out_auto_shutdown);
	ASSERT_EQ(0, status.out_intensity);
	ASSERT_EQ(1, status.out_period);
	ASSERT_EQ(getpid(), status.out_owner_pid);
	ASSERT_EQ(SUPERVISOR_OWNER_DEATH_SHUTDOWN, status.out_owner_death);
	ASSERT_EQ(SUPERVISOR_DOWN_NOT_YET, status.out_down);
	close(sup);

	create = CREATE(.intensity = 1000000, .period = 31536000,
			.owner_death = SUPERVISOR_OWNER_DEATH_RELEASE,
			.mailbox_fd = self->mailbox);
	test_create(self->dev, &create, &sup);
	test_status(sup, &status);
	ASSERT_EQ(1000000, status.out_intensity);
	ASSERT_EQ(31536000, status.out_period);
	ASSERT_EQ(SUPERVISOR_OWNER_DEATH_RELEASE, status.out_owner_death);
	close(sup);
}

/* To be held takes a time, a name, and a mailbox that outlives its owner. */
TEST_F(uapi, create_to_be_held)
{
	struct supervisor_create good =
		CREATE(.owner_death = SUPERVISOR_OWNER_DEATH_HOLD, .mode = 0600,
		       .hold_ms = SUPERVISOR_HOLD_MS_MAX, .name = (uintptr_t)"/held",
		       .name_len = strlen("/held"));
	struct supervisor_create bad[7];
	struct supervisor_status status;
	unsigned int i;
	int sup;

	test_mailbox(self->dev, MAILBOX(.flags = SUPERVISOR_MAILBOX_F_SURVIVE),
		     &good.mailbox_fd);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = good;
	bad[0].hold_ms = 0;
	bad[1].hold_ms = SUPERVISOR_HOLD_MS_MAX + 1;
	bad[2].name_len = 0;
	bad[3].mailbox_fd = -1;
	bad[4].mailbox_fd = self->mailbox;
	bad[5].owner_death = SUPERVISOR_OWNER_DEATH_RELEASE;
	bad[6].__reserved2 = 1;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(-EINVAL, _test_create(self->dev, &bad[i], &sup))
			TH_LOG("row %u", i);
		ASSERT_EQ(SUPERVISOR_VALID, bad[i].out_invalid);
		ASSERT_EQ(-ENOENT, _test_open(self->dev, "/held", O_RDONLY, &sup));
	}
	/* Who does not know of the time cannot say it. */
	bad[0].size = offsetof(struct supervisor_create, hold_ms);
	bad[0].hold_ms = good.hold_ms;
	ASSERT_EQ(-EINVAL, _test_create(self->dev, &bad[0], &sup));

	test_create(self->dev, &good, &sup);
	test_status(sup, &status);
	ASSERT_EQ(SUPERVISOR_OWNER_DEATH_HOLD, status.out_owner_death);
	ASSERT_EQ(SUPERVISOR_HOLD_MS_MAX, status.out_hold_ms);
	ASSERT_EQ(0, status.out_hold_until_ns);
	close(sup);
	close(good.mailbox_fd);
}

TEST_F(uapi, create_mailbox)
{
	struct supervisor_create create = CREATE(.mailbox_fd = 999);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int sup;

	ASSERT_EQ(-EBADF, _test_create(self->dev, &create, &sup));
	create.mailbox_fd = null;
	ASSERT_EQ(-EBADFD, _test_create(self->dev, &create, &sup));
	create.mailbox_fd = self->sup;
	ASSERT_EQ(-EBADFD, _test_create(self->dev, &create, &sup));
	create.mailbox_fd = self->dev;
	ASSERT_EQ(-EBADFD, _test_create(self->dev, &create, &sup));
	create.mailbox_fd = -2;
	ASSERT_EQ(-EBADF, _test_create(self->dev, &create, &sup));

	/* Without one it may exist, but not start. */
	create.mailbox_fd = -1;
	test_create(self->dev, &create, &sup);
	ASSERT_EQ(-EINVAL, _test_start(sup));
	close(sup);
	close(null);
}

TEST_F(uapi, create_name)
{
	static const char * const bad[] = {
		"x", "/", "/a/b", "/a\n", "/\x7f", "/.", "/..",
	};
	char long_name[NAME_MAX_BYTES + 3];
	struct supervisor_create create;
	unsigned int i;
	int sup, other;

	for (i = 0; i < ARRAY_SIZE(bad) - 2; i++) {
		create = CREATE(.mailbox_fd = self->mailbox, .mode = 0600,
				.name = (uintptr_t)bad[i],
				.name_len = strlen(bad[i]));
		ASSERT_EQ(-EINVAL, _test_create(self->dev, &create, &sup))
			TH_LOG("name %u", i);
	}
	create = CREATE(.mailbox_fd = self->mailbox, .mode = 0600,
			.name = (uintptr_t)"/a\0b", .name_len = 4);
	ASSERT_EQ(-EINVAL, _test_create(self->dev, &create, &sup));
	create = CREATE(.mailbox_fd = self->mailbox, .mode = 01600,
			.name = (uintptr_t)"/ab", .name_len = 3);
	ASSERT_EQ(-EINVAL, _test_create(self->dev, &create, &sup));

	memset(long_name, 'n', sizeof(long_name));
	long_name[0] = '/';
	create = CREATE(.mailbox_fd = self->mailbox, .mode = 0600,
			.name = (uintptr_t)long_name,
			.name_len = NAME_MAX_BYTES + 2);
	ASSERT_EQ(-ENAMETOOLONG, _test_create(self->dev, &create, &sup));
	create.name_len--;
	test_create(self->dev, &create, &sup);
	ASSERT_EQ(-EEXIST, _test_create(self->dev, &create, &other));
	close(sup);
	/* The last handle took the name with it. */
	test_create(self->dev, &create, &sup);
	close(sup);
}

TEST_F(uapi, open_errors)
{
	char long_name[NAME_MAX_BYTES + 2];
	struct supervisor_open open;
	int sup;

	EXPECT_EQ(-ENOENT, _test_open(self->dev, "/nobody", O_RDONLY, &sup));
	EXPECT_EQ(-EINVAL, _test_open(self->dev, "nobody", O_RDONLY, &sup));
	EXPECT_EQ(-EINVAL, _test_open(self->dev, "", O_RDONLY, &sup));
	EXPECT_EQ(-EINVAL, _test_open(self->dev, "/nobody", O_ACCMODE, &sup));
	EXPECT_EQ(-EINVAL, _test_open(self->dev, "/nobody", O_RDWR | O_CREAT,
				      &sup));
	EXPECT_EQ(-ENOENT, _test_unlink(self->dev, "/nobody"));
	EXPECT_EQ(-EINVAL, _test_unlink(self->dev, "nobody"));
	memset(long_name, 'n', sizeof(long_name));
	long_name[0] = '/';
	open = ARG(supervisor_open, .name = (uintptr_t)long_name,
		   .name_len = ~0U);
	EXPECT_EQ(-ENAMETOOLONG, _test_ioctl(self->dev, SUPERVISOR_OPEN,
					     &open));
}

TEST_F(uapi, open_child_errors)
{
	struct supervisor_create create = CREATE();
	int inner, sup;

	test_create(self->dev, &create, &inner);
	test_supervisor_child(self->sup, "inner", inner);
	test_child(self->sup, "process", WAITS);

	EXPECT_EQ(-ENOENT, _test_open_child(self->sup, "none", O_RDONLY, &sup));
	EXPECT_EQ(-ENOENT, _test_open_child(self->sup, "inner/none", O_RDONLY,
					    &sup));
	EXPECT_EQ(-EINVAL, _test_open_child(self->sup, "process", O_RDONLY,
					    &sup));
	EXPECT_EQ(-EINVAL, _test_open_child(self->sup, "", O_RDONLY, &sup));
	EXPECT_EQ(-EINVAL, _test_open_child(self->sup, "inner", 7, &sup));
	test_open_child(self->sup, "inner", O_RDWR, &sup);
	close(sup);
	close(inner);
	/* The specs count as used while they are there. */
	test_info(self->dev, &self->before);
}

/* ---- the members of a child's spec, one wrong at a time ---- */

#define test_bad_spec(err_, invalid_, ...) \
	do { \
		struct supervisor_child_add add_ = \
			CALL(supervisor_child_add, .out_invalid = ~0U, \
			     .out_result = ~0U); \
		struct supervisor_child_spec spec_ = \
			CHILD("bad", SPAWNS(spawn_ignore, 0), ##__VA_ARGS__); \
		EXPECT_EQ(-(err_), _test_child_add(sup, &spec_, &add_)); \
		if ((err_) == EINVAL) { \
			EXPECT_EQ((invalid_), add_.out_invalid); \
			EXPECT_EQ(SUPERVISOR_RESULT_INVALID, add_.out_result); \
		} \
	} while (0)

FIXTURE(spec)
{
	int dev;
	int mailbox;
	int sup;
	struct supervisor_status before;
};

FIXTURE_VARIANT(spec)
{
	bool started;
	__u32 auto_shutdown;
};

FIXTURE_VARIANT_ADD(spec, new)
{
	.auto_shutdown = SUPERVISOR_AUTO_SHUTDOWN_ANY_SIGNIFICANT,
};

FIXTURE_VARIANT_ADD(spec, started)
{
	.started = true,
	.auto_shutdown = SUPERVISOR_AUTO_SHUTDOWN_ANY_SIGNIFICANT,
};

FIXTURE_VARIANT_ADD(spec, new_without_auto_shutdown)
{
	.auto_shutdown = SUPERVISOR_AUTO_SHUTDOWN_NEVER,
};

FIXTURE_SETUP(spec)
{
	struct supervisor_create create;

	self->dev = device_open();
	ASSERT_LE(0, self->dev);
	test_mailbox_create(self->dev, 0, &self->mailbox);
	create = CREATE(.mailbox_fd = self->mailbox,
			.auto_shutdown = variant->auto_shutdown);
	test_create(self->dev, &create, &self->sup);
	if (variant->started)
		test_start(self->sup);
	test_status(self->sup, &self->before);
}

FIXTURE_TEARDOWN(spec)
{
	struct supervisor_status after;

	test_status(self->sup, &after);
	EXPECT_EQ(0, memcmp(&after, &self->before, sizeof(after)));
	close(self->sup);
	close(self->mailbox);
	close(self->dev);
}

TEST_F(spec, one_wrong_thing)
{
	const int sup = self->sup;
	struct supervisor_child_spec grown[2];
	char long_id[NAME_MAX_BYTES + 1];
	const long long year_ms = 366LL * 86400 * 1000;

	memset(long_id, 'i', sizeof(long_id));

	test_bad_spec(EINVAL, SUPERVISOR_INVALID_ID, .id_len = 0);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_ID,
		      .id = (uintptr_t)"a/b");
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_ID,
		      .id = (uintptr_t)"a\nb");
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_ID,
		      .id = (uintptr_t)"a\0b");
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_ID,
		      .id = (uintptr_t)"a\x7f" "b");
	test_bad_spec(ENAMETOOLONG, 0, .id = (uintptr_t)long_id,
		      .id_len = sizeof(long_id));
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_RESTART_TYPE, .restart = 3);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_SIGNIFICANT,
		      .significant = 2, .restart = SUPERVISOR_TRANSIENT);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_CHILD_TYPE, .type = 2);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_SHUTDOWN, .shutdown_ms = -3);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_SHUTDOWN,
		      .shutdown_ms = year_ms + 1);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_RETRY, .retry_min_ms = 10,
		      .retry_max_ms = 5, .retry_factor_pct = 200);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_RETRY, .retry_min_ms = 10,
		      .retry_max_ms = 50, .retry_factor_pct = 99);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_RETRY, .retry_min_ms = 10,
		      .retry_max_ms = 50, .retry_factor_pct = 200,
		      .retry_jitter_pct = 101);
	test_bad_spec(EOPNOTSUPP, 0, .readiness = 3);
	test_bad_spec(EOPNOTSUPP, 0, .signal_whom = 2);
	test_bad_spec(EINVAL, SUPERVISOR_VALID, .stop_signal = 65);
	test_bad_spec(EOPNOTSUPP, 0, .flags = 1U << 31);
	/* No flag says that they are there. */
	test_bad_spec(EINVAL, SUPERVISOR_VALID, .registry_fd = -1);
	test_bad_spec(EINVAL, SUPERVISOR_VALID, .register_key = 1);
	test_bad_spec(EINVAL, SUPERVISOR_VALID, .register_key_len = 1);
	test_bad_spec(EINVAL, SUPERVISOR_VALID, .register_value = 1);
	test_bad_spec(EINVAL, SUPERVISOR_VALID, .register_value_len = 1);
	test_bad_spec(EINVAL, SUPERVISOR_VALID, .__reserved2 = 1);
	test_bad_spec(EINVAL, SUPERVISOR_VALID, .out_registry = 1);
	test_bad_spec(EMSGSIZE, 0, .blob_len = SUPERVISOR_BLOB_MAX + 1);
	test_bad_spec(EBADF, 0, .supervisor_fd = 999);
	test_bad_spec(EBADFD, 0, .supervisor_fd = self->mailbox);
	test_bad_spec(EBADFD, 0, .supervisor_fd = self->dev);

	/* Malformed, rather than a wrong spec. */
	memset(grown, 0, sizeof(grown));
	grown[0] = CHILD("small", WAITS,
			 .size = offsetof(struct supervisor_child_spec,
					  registry_fd) - 1);
	ASSERT_EQ(-EINVAL, _test_child_add(sup, grown, NULL));
	grown[0] = CHILD("reserved", WAITS, .__reserved = 1);
	ASSERT_EQ(-EINVAL, _test_child_add(sup, grown, NULL));
	grown[0] = CHILD("grown", WAITS, .size = sizeof(grown[0]) + 8);
	grown[1].size = 1;
	ASSERT_EQ(-E2BIG, _test_child_add(sup, grown, NULL));
}

#define test_too_long(max_, ...) \
	do { \
		struct supervisor_child_add add_ = CALL(supervisor_child_add); \
		struct supervisor_child_spec spec_ = CHILD("long", WAITS, __VA_ARGS__); \
		EXPECT_EQ(-EMSGSIZE, _test_child_add(sup, &spec_, &add_)); \
		EXPECT_EQ((max_), add_.out_max); \
	} while (0)

TEST_F(spec, one_wrong_thing_to_be_registered)
{
	struct supervisor_registry_status before, after;
	static char long_text[SUPERVISOR_VALUE_MAX + 1];
	const int sup = self->sup;
	struct supervisor_info info;
	char name[32];
	int registry, reader;

	snprintf(name, sizeof(name), "/spec.%d", getpid());
	test_registry(self->dev, NAMED_REGISTRY(name, UNIQUE), &registry);
	test_open_registry(self->dev, name, O_RDONLY, &reader);
	ASSERT_EQ(0, _test_registry_status(registry, &before));
	test_info(self->dev, &info);

	test_bad_spec(EBADF, 0, KEYED(999, "web"));
	test_bad_spec(EBADF, 0, KEYED(-1, "web"));
	test_bad_spec(EBADF, 0, KEYED(reader, "web"));
	test_bad_spec(EBADFD, 0, KEYED(self->dev, "web"));
	test_bad_spec(EBADFD, 0, KEYED(self->mailbox, "web"));
	test_bad_spec(EBADFD, 0, KEYED(sup, "web"));
	test_bad_spec(EINVAL, SUPERVISOR_VALID, KEYED(registry, ""));
	test_bad_spec(EFAULT, 0, KEYED(registry, "web"), .register_key = 8);
	test_bad_spec(EFAULT, 0, KEYED_VALUE(registry, "web", "one"),
		      .register_value = 8);
	test_bad_spec(EINVAL, SUPERVISOR_VALID, KEYED(registry, "web"),
		      .__reserved2 = 1);
	test_bad_spec(EINVAL, SUPERVISOR_VALID, KEYED(registry, "web"),
		      .out_registry = 1);
	/* A supervisor is no process, whichever it is. */
	test_bad_spec(EINVAL, SUPERVISOR_VALID, KEYED(registry, "web"),
		      .supervisor_fd = self->mailbox);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_RESTART_TYPE,
		      KEYED(registry, "web"), .restart = 3);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_ID, KEYED(registry, "web"),
		      .id = (uintptr_t)"a/b");

	test_too_long(SUPERVISOR_KEY_MAX, KEYED(registry, long_text),
		      .register_key_len = SUPERVISOR_KEY_MAX + 1);
	test_too_long(SUPERVISOR_VALUE_MAX, KEYED(registry, "web"),
		      .register_value = (uintptr_t)long_text,
		      .register_value_len = sizeof(long_text));
	test_too_long(SUPERVISOR_BLOB_MAX, .blob_len = SUPERVISOR_BLOB_MAX + 1);

	ASSERT_EQ(0, _test_registry_status(registry, &after));
	ASSERT_EQ(0, memcmp(&before, &after, sizeof(after)));
	test_used_again(self->dev, &info);
	close(reader);
	close(registry);
	/* Nobody keeps it. */
	ASSERT_TRUE(eventually(registry_is_gone(self->dev, name)));
}

TEST_F(spec, otps_order)
{
	const int sup = self->sup;
	const bool never = variant->auto_shutdown ==
			   SUPERVISOR_AUTO_SHUTDOWN_NEVER;

	test_bad_spec(EINVAL, SUPERVISOR_INVALID_ID, .id_len = 0, .restart = 3,
		      .significant = 2, .type = 2, .shutdown_ms = -3);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_RESTART_TYPE, .restart = 3,
		      .significant = 1, .type = 2, .shutdown_ms = -3);
	test_bad_spec(EINVAL, never ?
		      SUPERVISOR_INVALID_COMBINATION_AUTO_SHUTDOWN :
		      SUPERVISOR_INVALID_COMBINATION_RESTART,
		      .significant = 1, .type = 2, .shutdown_ms = -3);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_SIGNIFICANT, .significant = 2,
		      .type = 2, .shutdown_ms = -3);
	test_bad_spec(EINVAL, SUPERVISOR_INVALID_CHILD_TYPE, .type = 2,
		      .shutdown_ms = -3);
	if (never)
		test_bad_spec(EINVAL,
			      SUPERVISOR_INVALID_COMBINATION_AUTO_SHUTDOWN,
			      .significant = 1,
			      .restart = SUPERVISOR_TRANSIENT);
}

TEST_F(uapi, spec_duplicate_id)
{
	struct supervisor_child_spec spec = CHILD("twice", WAITS);
	struct supervisor_child_add add = CALL(supervisor_child_add);
	struct supervisor_status status;

	test_child(self->sup, "twice", WAITS);
	ASSERT_EQ(-EINVAL, _test_child_add(self->sup, &spec, &add));
	ASSERT_EQ(SUPERVISOR_INVALID_DUPLICATE_ID, add.out_invalid);
	test_status(self->sup, &status);
	ASSERT_EQ(1, status.out_count);
	test_info(self->dev, &self->before);
}

TEST_F(uapi, spec_async_before_start)
{
	struct supervisor_child_spec spec = CHILD("async", WAITS);
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .mailbox_fd = self->mailbox);

	ASSERT_EQ(-EINVAL, _test_child_add(self->sup, &spec, &add));
}

TEST_F(uapi, spec_longest)
{
	char id[NAME_MAX_BYTES + 1];
	char *blob = calloc(1, SUPERVISOR_BLOB_MAX);
	struct supervisor_child_spec spec =
		CHILD("", WAITS, .id = (uintptr_t)id, .id_len = NAME_MAX_BYTES,
		      .blob = (uintptr_t)blob, .blob_len = SUPERVISOR_BLOB_MAX,
		      .shutdown_ms = 365LL * 86400 * 1000);
	struct supervisor_status status;

	memset(id, 'i', sizeof(id));
	ASSERT_NE(NULL, blob);
	ASSERT_EQ(0, _test_child_add(self->sup, &spec, NULL));
	test_status(self->sup, &status);
	ASSERT_EQ(1, status.out_count);
	free(blob);
	test_info(self->dev, &self->before);
}

TEST_F(uapi, async_needs_a_mailbox)
{
	struct supervisor_child_call call =
		CALL(supervisor_child_call, .flags = SUPERVISOR_CALL_F_ASYNC);

	test_start(self->sup);
	ASSERT_EQ(-EBADF, _test_child_call(self->sup,
					   SUPERVISOR_CHILD_TERMINATE, "a",
					   &call));
	call.mailbox_fd = self->sup;
	ASSERT_EQ(-EBADFD, _test_child_call(self->sup,
					    SUPERVISOR_CHILD_TERMINATE, "a",
					    &call));
}

TEST_F(uapi, unknown_call_under_way)
{
	struct supervisor_child_spec spec = CHILD("late", WAITS);
	struct supervisor_child_call call =
		CALL(supervisor_child_call, .call = 12345);
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .call = 12345);

	test_start(self->sup);
	ASSERT_EQ(-ESTALE, _test_child_call(self->sup,
					    SUPERVISOR_CHILD_TERMINATE, "a",
					    &call));
	ASSERT_EQ(-ESTALE, _test_child_add(self->sup, &spec, &add));
}

TEST_F(uapi, call_ids)
{
	char id[NAME_MAX_BYTES + 2];
	struct supervisor_child_call call = CALL(supervisor_child_call);

	memset(id, 'i', sizeof(id));
	id[sizeof(id) - 1] = 0;
	test_start(self->sup);
	ASSERT_EQ(-ENAMETOOLONG, _test_child_call(self->sup,
						  SUPERVISOR_CHILD_DELETE, id,
						  &call));
	id[NAME_MAX_BYTES] = 0;
	ASSERT_EQ(-ENOENT, _test_child_call(self->sup, SUPERVISOR_CHILD_DELETE,
					    id, &call));
	ASSERT_EQ(SUPERVISOR_RESULT_NOT_FOUND, call.out_result);
}

TEST_F(uapi, values)
{
	struct supervisor_wait wait =
		ARG(supervisor_wait, .what = 2,
		    .deadline = SUPERVISOR_NO_DEADLINE);
	struct supervisor_stop stop =
		ARG(supervisor_stop, .reason = 4,
		    .deadline = SUPERVISOR_NO_DEADLINE);
	struct supervisor_child_report report =
		ARG(supervisor_child_report, .report = 5);
	struct supervisor_status status;

	test_start(self->sup);
	EXPECT_EQ(-EOPNOTSUPP, _test_ioctl(self->sup, SUPERVISOR_WAIT, &wait));
	EXPECT_EQ(-EOPNOTSUPP, _test_ioctl(self->sup, SUPERVISOR_STOP, &stop));
	EXPECT_EQ(-EOPNOTSUPP, _test_ioctl(self->dev, SUPERVISOR_CHILD_REPORT,
					   &report));
	report.report = SUPERVISOR_REPORT_FAILED;
	report.error = 0;
	EXPECT_EQ(-EINVAL, _test_ioctl(self->dev, SUPERVISOR_CHILD_REPORT,
				       &report));
	report.error = 4096;
	EXPECT_EQ(-EINVAL, _test_ioctl(self->dev, SUPERVISOR_CHILD_REPORT,
				       &report));
	test_status(self->sup, &status);
	EXPECT_EQ(SUPERVISOR_STATE_UP, status.out_state);
}

TEST_F(uapi, subscribe_errors)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	ASSERT_EQ(-EBADF, _test_subscribe(self->sup, -1));
	ASSERT_EQ(-EBADF, _test_subscribe(self->sup, 999));
	ASSERT_EQ(-EBADFD, _test_subscribe(self->sup, null));
	test_subscribe(self->sup, self->mailbox);
	ASSERT_EQ(-EEXIST, _test_subscribe(self->sup, self->mailbox));
	close(null);
	test_info(self->dev, &self->before);
}

TEST_F(uapi, status_room)
{
	struct supervisor_status status =
		ARG(supervisor_status, .buf = (uintptr_t)buf);
	const struct supervisor_child_status *child = (void *)buf;
	__u32 needed;

	test_child(self->sup, "one", WAITS);
	test_child(self->sup, "two", WAITS);
	memset(buf, POISON, sizeof(buf));
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(self->sup, SUPERVISOR_STATUS,
					 &status));
	needed = status.buf_len;
	ASSERT_LT(2 * sizeof(*child), needed);
	ASSERT_EQ(POISON, buf[0]);
	status.buf_len = needed - 1;
	ASSERT_EQ(-EMSGSIZE, _test_ioctl(self->sup, SUPERVISOR_STATUS,
					 &status));
	ASSERT_EQ(needed, status.buf_len);
	test_ioctl(self->sup, SUPERVISOR_STATUS, &status);
	ASSERT_EQ(needed, status.buf_len);
	ASSERT_EQ(2, status.out_count);
	ASSERT_EQ(POISON, buf[needed]);
	ASSERT_STREQ("one", text_at(child, child->name_offset));
	ASSERT_EQ(0, child->size % 8);
	child = (void *)(buf + child->size);
	ASSERT_STREQ("two", text_at(child, child->name_offset));
	test_info(self->dev, &self->before);
}

TEST_F(uapi, thirty_two_bit)
{
	char path[512];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 8);
	int status;
	pid_t pid;

	ASSERT_LT(0, length);
	path[length] = 0;
	strcpy(strrchr(path, '/') + 1, "compat");
	if (access(path, X_OK))
		SKIP(return, "compat was not built");
	pid = fork();
	if (!pid) {
		execl(path, path, NULL);
		_exit(errno == ENOEXEC ? 255 : 254);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 255)
		SKIP(return, "this kernel runs no 32-bit programs");
	ASSERT_EQ(0, status);
}

TEST_HARNESS_MAIN
