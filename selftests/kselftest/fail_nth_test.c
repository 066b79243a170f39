// SPDX-License-Identifier: GPL-2.0
/*
 * Every ioctl with its first, second, third... allocation or user copy failing,
 * until none is left to fail: each time it succeeds or says a clean errno, and
 * leaves nothing behind. Splats are for the kernel's log to tell.
 */
#include <dirent.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600

/* A sweep that has not ended by then does not end. */
#define SWEEP_MAX 500

/* What a call finds; made anew for each. */
struct scene {
	int dev;
	int mailbox;
	int events;	/* holds an event */
	int spare;	/* a mailbox that nothing uses */
	int sup;	/* not started: children "a", "inner" */
	int inner;
	int started;	/* has a child "a", which was ignored */
	int pool;	/* a partition supervisor of one supervisor; started */
	int dynamic;	/* a dynamic supervisor; started, if the scene wants it */
	__u64 token;	/* of a START that was read */
	char name[32];	/* of @sup */
	/* A small mailbox, of another process if the scene wants a server. */
	int box;
	__u64 ref;	/* of a call to it that waits in @box */
	__u64 from;	/* of one that was taken */
	pid_t server;	/* which owns @box and replies, or 0 */
	pid_t peer;	/* does nothing */
	/* A registry: "key=value", "box", metadata, a lock, @mailbox listens. */
	int reg;
	int topics;	/* one of duplicate keys */
	int keyed;	/* where the child of @token is to be registered, or 0 */
	int mapped;	/* the same, and it can be mapped; no metadata */
	int held;	/* a root without an owner, or -1 */
};

/* Larger than the ring of @box; and what only one allocator has room for. */
static char payload[8192];
#define REPLY_BYTES 2000

static struct supervisor_meta meta_arg(void)
{
	return ARG(supervisor_meta, .key = (uintptr_t)"meta", .key_len = 4,
		   .value = (uintptr_t)payload, .value_len = 100);
}

static int scene_register(struct scene *scene)
{
	struct supervisor_meta meta = meta_arg();
	int err;

	err = _test_registry(scene->dev, REGISTRY(UNIQUE), &scene->reg);
	err = err ?: _test_registry(scene->dev, REGISTRY(DUPLICATE), &scene->topics);
	err = err ?: _test_register(scene->reg, "key=value", -1, NULL);
	err = err ?: _test_register(scene->reg, "box", scene->box, NULL);
	err = err ?: _test_lock(scene->reg, "locked", 0);
	err = err ?: _test_listen(scene->reg, scene->mailbox, 0);
	err = err ?: _test_registry(scene->dev, REGISTRY(UNIQUE, .map_slots = 64,
							 .flags = SUPERVISOR_REGISTRY_F_MAP),
				    &scene->mapped);
	err = err ?: _test_register(scene->mapped, "key=value", -1, NULL);
	return err ?: _test_ioctl(scene->reg, SUPERVISOR_META_PUT, &meta);
}

/* How its child is to be registered: at all, and in which registry. */
enum keyed {
	UNKEYED,
	KEYED_UNIQUE,
	KEYED_DUPLICATE,
};

static int scene_pool(struct scene *scene)
{
	struct supervisor_create create =
		CREATE(.mailbox_fd = scene->mailbox);
	struct supervisor_resize resize =
		ARG(supervisor_resize, .partitions = 1);
	struct supervisor_child_spec spec;
	int partition;
	int err = _test_create(scene->dev, &create, &scene->pool);

	if (err)
		return err;
	create = CREATE();
	err = _test_create(scene->dev, &create, &partition);
	if (err)
		return err;
	spec = CHILD_SUPERVISOR("0", partition);
	err = _test_child_add(scene->pool, &spec, NULL);
	close(partition);
	err = err ?: _test_ioctl(scene->pool, SUPERVISOR_RESIZE, &resize);
	return err ?: _test_start(scene->pool);
}

/* Not closed on error: the test ends then, and with it all. */
static int scene_open(struct scene *scene, enum keyed keyed)
{
	char buf[4096] __aligned(8);
	struct supervisor_msg *message = (void *)buf;
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);
	struct supervisor_child_spec spec = CHILD("a", WAITS);
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC);
	struct supervisor_create create;
	int err;

	snprintf(scene->name, sizeof(scene->name), "/fail_nth.%d", getpid());
	scene->peer = fork();
	if (!scene->peer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	scene->dev = device_open();
	if (scene->dev < 0)
		return scene->dev;
	err = _test_mailbox_create(scene->dev, 0, &scene->mailbox);
	err = err ?: _test_mailbox_create(scene->dev, 0, &scene->events);
	err = err ?: _test_mailbox_create(scene->dev, 0, &scene->spare);
	err = err ?: _test_mailbox_create(scene->dev, 4096, &scene->box);
	err = err ?: scene_register(scene);
	scene->server = 0;
	scene->dynamic = -1;
	scene->keyed = keyed == KEYED_UNIQUE ? scene->reg :
		       keyed == KEYED_DUPLICATE ? scene->topics : 0;
	scene->held = -1;

	create = CREATE(.mailbox_fd = scene->mailbox, .mode = 0600,
			.name = (uintptr_t)scene->name,
			.name_len = strlen(scene->name));
	err = err ?: _test_create(scene->dev, &create, &scene->sup);
	err = err ?: _test_child_add(scene->sup, &spec, NULL);
	create = CREATE();
	err = err ?: _test_create(scene->dev, &create, &scene->inner);
	spec = CHILD_SUPERVISOR("inner", scene->inner);
	err = err ?: _test_child_add(scene->sup, &spec, NULL);

	create = CREATE(.mailbox_fd = scene->mailbox);
	err = err ?: _test_create(scene->dev, &create, &scene->started);
	spec = CHILD("a", WAITS);
	err = err ?: _test_child_add(scene->started, &spec, NULL);
	err = err ?: _test_ioctl(scene->started, SUPERVISOR_START, &start);
	if (err)
		return err;
	err = _test_recv(scene->mailbox, buf, sizeof(buf), 1,
			 after_ms(PATIENCE_MS));
	if (err != 1)
		return err ?: -EPROTO;
	err = _test_report(scene->dev, message->ref, SUPERVISOR_REPORT_IGNORE,
			   0);
	err = err ?: _test_wait(scene->started, SUPERVISOR_WAIT_IDLE);
	/* One more START, which is left to the call. */
	spec = CHILD("b", WAITS, .restart = SUPERVISOR_TEMPORARY);
	if (scene->keyed)
		spec = CHILD("b", WAITS, KEYED_VALUE(scene->keyed, "b", "value"),
			     .restart = SUPERVISOR_TEMPORARY);
	add.mailbox_fd = scene->spare;
	err = err ?: _test_subscribe(scene->started, scene->events);
	err = err ?: _test_child_add(scene->started, &spec, &add);
	if (err)
		return err;
	err = _test_recv(scene->mailbox, buf, sizeof(buf), 1,
			 after_ms(PATIENCE_MS));
	if (err != 1)
		return err ?: -EPROTO;
	scene->token = message->ref;
	return scene_pool(scene);
}

/* Makes a supervisor of such children, which join if @spawn says so; with a key, perhaps. */
static int scene_create_dynamic(struct scene *scene, __u32 spawn, int *sup)
{
	struct supervisor_child_spec template =
		CHILD("a", WAITS, .restart = SUPERVISOR_TEMPORARY);
	struct supervisor_create create =
		SIMPLE(&template, .mailbox_fd = scene->mailbox, .spawn = spawn);

	if (scene->keyed)
		template = CHILD("a", WAITS, KEYED_VALUE(scene->keyed, "a", "value"),
				 .restart = SUPERVISOR_TEMPORARY);
	return _test_create(scene->dev, &create, sup);
}

static int scene_dynamic(struct scene *scene, __u32 spawn)
{
	int err = scene_create_dynamic(scene, spawn, &scene->dynamic);

	return err ?: _test_start(scene->dynamic);
}

/* Has cast, call and a call in hand. */
static int scene_exchange(struct scene *scene)
{
	static struct message message;
	__u64 ref;
	int err;

	err = _test_call_start(scene->box, "taken", 5, scene->events, &ref);
	err = err ?: _test_take(scene->box, &message, after_ms(PATIENCE_MS));
	if (err)
		return err;
	scene->from = message.head->ref;
	err = _test_send(scene->box, payload, sizeof(payload), 0);
	return err ?: _test_call_start(scene->box, payload, sizeof(payload),
				       scene->spare, &scene->ref);
}

/* Replies to all that comes, with as much. */
static void serve(int mailbox)
{
	static struct message message;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (_test_mailbox_own(mailbox) || _test_send(mailbox, "owned", 5, 0))
		_exit(1);
	while (!_test_take(mailbox, &message, SUPERVISOR_NO_DEADLINE))
		_test_reply(mailbox, message.head->ref, message.payload,
			    message.len);
	_exit(1);
}

/* Its cast shows that it owns the mailbox; it then takes that itself. */
static int scene_serve(struct scene *scene)
{
	struct supervisor_mailbox_status status;

	scene->server = fork();
	if (!scene->server)
		serve(scene->box);
	if (scene->server < 0)
		return -errno;
	return eventually(!_test_mailbox_status(scene->box, &status) &&
			  status.out_owner_pid == scene->server &&
			  !status.out_messages) ? 0 : -ETIMEDOUT;
}

static int scene_hold(struct scene *scene)
{
	return _test_held(scene->dev, "/fail_nth.held", 0600, PATIENCE_MS, &scene->held);
}

/* The other supervisor's calls wait for the START; this ends it. */
static int scene_settle(struct scene *scene)
{
	int err = _test_report(scene->dev, scene->token,
			       SUPERVISOR_REPORT_FAILED, EIO);

	scene->token = 0;
	return err ?: _test_wait(scene->started, SUPERVISOR_WAIT_IDLE);
}

static void scene_close(struct scene *scene)
{
	/* So that the next one does not meet what is still ending. */
	if (scene->server)
		process_kill(scene->server);
	_test_stop(scene->started);
	_test_stop(scene->pool);
	close(scene->pool);
	if (scene->held >= 0) {
		_test_stop(scene->held);
		close(scene->held);
	}
	close(scene->reg);
	close(scene->topics);
	close(scene->mapped);
	close(scene->box);
	close(scene->started);
	close(scene->dynamic);
	close(scene->inner);
	close(scene->sup);
	close(scene->events);
	close(scene->spare);
	close(scene->mailbox);
	close(scene->dev);
	kill(scene->peer, SIGKILL);
	waitpid(scene->peer, NULL, 0);
	reap_all();
}

/* ---- the calls ---- */

static int do_info(struct scene *scene)
{
	struct supervisor_info info;

	return _test_info(scene->dev, &info);
}

static int do_create(struct scene *scene)
{
	char name[] = "/fail_nth.create";
	struct supervisor_create create =
		CREATE(.mailbox_fd = scene->mailbox, .mode = 0600,
		       .name = (uintptr_t)name, .name_len = strlen(name));
	int sup;
	int err = _test_create(scene->dev, &create, &sup);

	if (!err)
		close(sup);
	return err;
}

static int do_create_dynamic(struct scene *scene)
{
	int sup;
	int err = scene_create_dynamic(scene, SUPERVISOR_SPAWN_SPAWNER, &sup);

	if (!err)
		close(sup);
	return err;
}

static int do_add_dynamic(struct scene *scene)
{
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .mailbox_fd = scene->spare, .args = (uintptr_t)payload,
		     .args_len = 100);

	return _test_child_add(scene->dynamic, NULL, &add);
}

static int do_join(struct scene *scene)
{
	return _test_join(scene->dynamic, 0, SUPERVISOR_NO_DEADLINE, NULL);
}

static int do_join_keyed(struct scene *scene)
{
	int err = do_join(scene);
	int found = _test_lookup(scene->keyed, "a", NULL, 0);

	/* The fault may have hit the one or the other, or the telling. */
	if (err == -EFAULT || found == -EFAULT)
		return -EFAULT;
	return found == (err ? -ENOENT : getpid()) ? err : -EPROTO;
}

static int do_open(struct scene *scene)
{
	int sup;
	int err = _test_open(scene->dev, scene->name, O_RDWR, &sup);

	if (!err)
		close(sup);
	return err;
}

static int do_unlink(struct scene *scene)
{
	return _test_unlink(scene->dev, scene->name);
}

static int do_list(struct scene *scene)
{
	char buf[4096] __aligned(8);
	struct supervisor_list list =
		ARG(supervisor_list, .buf = (uintptr_t)buf,
		    .buf_len = sizeof(buf));

	return _test_ioctl(scene->dev, SUPERVISOR_LIST, &list);
}

static int do_attach(struct scene *scene)
{
	return _test_attach(scene->dev, scene->token);
}

/* Registered if, and only if, it is attached. */
static int do_attach_keyed(struct scene *scene)
{
	int err = _test_attach(scene->dev, scene->token);
	int found = _test_lookup(scene->keyed, "b", NULL, 0);

	/* The fault may have hit the one or the other, or the telling. */
	if (err == -EFAULT || found == -EFAULT)
		return -EFAULT;
	return found == (err ? -ENOENT : getpid()) ? err : -EPROTO;
}

/* They are reset if, and only if, the call succeeds; that may be untold (EFAULT). */
static int call_that_resets(int dev, unsigned int cmd, void *arg)
{
	__sighandler_t was;
	int err;

	if (signal(SIGUSR1, SIG_IGN) == SIG_ERR)
		return -errno;
	err = _test_ioctl(dev, cmd, arg);
	was = signal(SIGUSR1, SIG_DFL);
	if (was == SIG_ERR)
		return -errno;
	return err == -EFAULT || (was == SIG_IGN) == !!err ? err : -EPROTO;
}

static int do_reset_signals(struct scene *scene)
{
	struct supervisor_reset_signals reset = ARG(supervisor_reset_signals);

	return call_that_resets(scene->dev, SUPERVISOR_RESET_SIGNALS, &reset);
}

static int do_attach_resetting(struct scene *scene)
{
	struct supervisor_child_attach attach =
		ARG(supervisor_child_attach,
		    .flags = SUPERVISOR_ATTACH_F_RESET_SIGNALS,
		    .token = scene->token);

	return call_that_resets(scene->dev, SUPERVISOR_CHILD_ATTACH, &attach);
}

static int do_report(struct scene *scene)
{
	return _test_report(scene->dev, scene->token,
			    SUPERVISOR_REPORT_FAILED, EIO);
}

static int do_mailbox_create(struct scene *scene)
{
	int mailbox;
	int err = _test_mailbox_create(scene->dev, 1 << 20, &mailbox);

	if (!err)
		close(mailbox);
	return err;
}

static int do_recv(struct scene *scene)
{
	char buf[4096] __aligned(8);
	int count = _test_recv(scene->events, buf, sizeof(buf), 1, 0);

	return count < 0 ? count : count == 1 ? 0 : -EPROTO;
}

static int do_add(struct scene *scene)
{
	struct supervisor_child_spec spec = CHILD("c", WAITS);

	return _test_child_add(scene->sup, &spec, NULL);
}

static int do_add_keyed(struct scene *scene)
{
	struct supervisor_child_spec spec =
		CHILD("c", WAITS, KEYED_VALUE(scene->reg, "c", "value"));

	return _test_child_add(scene->sup, &spec, NULL);
}

static int do_start_child(struct scene *scene)
{
	struct supervisor_child_spec spec =
		CHILD("c", WAITS, .restart = SUPERVISOR_TEMPORARY);
	struct supervisor_child_add add =
		CALL(supervisor_child_add, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .mailbox_fd = scene->spare);

	return _test_child_add(scene->started, &spec, &add);
}

static int do_start(struct scene *scene)
{
	struct supervisor_start start =
		ARG(supervisor_start, .flags = SUPERVISOR_CALL_F_ASYNC);

	return _test_ioctl(scene->sup, SUPERVISOR_START, &start);
}

static int do_stop(struct scene *scene)
{
	return _test_stop(scene->started);
}

static int do_terminate(struct scene *scene)
{
	return _test_terminate(scene->started, "a");
}

static int do_async(struct scene *scene, unsigned int command)
{
	return _test_child_call_async(scene->started, command, "a",
				      scene->spare, 0);
}

static int do_async_terminate(struct scene *scene)
{
	return do_async(scene, SUPERVISOR_CHILD_TERMINATE);
}

static int do_async_restart(struct scene *scene)
{
	return do_async(scene, SUPERVISOR_CHILD_RESTART);
}

static int do_delete(struct scene *scene)
{
	return _test_delete(scene->started, "a");
}

static int do_query(struct scene *scene, unsigned int command)
{
	char buf[4096] __aligned(8);
	struct supervisor_query query =
		CALL(supervisor_query, .buf = (uintptr_t)buf,
		     .buf_len = sizeof(buf));

	if (command == SUPERVISOR_CHILD_GET_SPEC) {
		query.id = (uintptr_t)"a";
		query.id_len = 1;
	}
	return _test_ioctl(scene->started, command, &query);
}

static int do_get_spec(struct scene *scene)
{
	return do_query(scene, SUPERVISOR_CHILD_GET_SPEC);
}

static int do_which(struct scene *scene)
{
	return do_query(scene, SUPERVISOR_WHICH_CHILDREN);
}

static int do_count(struct scene *scene)
{
	return do_query(scene, SUPERVISOR_COUNT_CHILDREN);
}

static int do_async_which(struct scene *scene)
{
	struct supervisor_query query =
		CALL(supervisor_query, .flags = SUPERVISOR_CALL_F_ASYNC,
		     .buf_len = 4096, .mailbox_fd = scene->spare);

	return _test_ioctl(scene->started, SUPERVISOR_WHICH_CHILDREN, &query);
}

static int do_suspend(struct scene *scene)
{
	return _test_suspend(scene->started, SUPERVISOR_SUSPEND_F_TREE);
}

static int do_resume(struct scene *scene)
{
	return _test_resume(scene->started, SUPERVISOR_SUSPEND_F_TREE);
}

static int do_wait(struct scene *scene)
{
	return _test_wait(scene->started, SUPERVISOR_WAIT_IDLE);
}

static int do_subscribe(struct scene *scene)
{
	return _test_subscribe(scene->sup, scene->spare);
}

static int do_status(struct scene *scene)
{
	struct supervisor_child_status child;

	return _test_child_status(scene->sup, "a", &child);
}

static int do_open_child(struct scene *scene)
{
	int sup;
	int err = _test_open_child(scene->sup, "inner", O_RDWR, &sup);

	if (!err)
		close(sup);
	return err;
}

static int do_own(struct scene *scene)
{
	return _test_own(scene->sup);
}

static int do_resize(struct scene *scene)
{
	struct supervisor_resize resize =
		ARG(supervisor_resize, .deadline = SUPERVISOR_NO_DEADLINE);

	return _test_ioctl(scene->pool, SUPERVISOR_RESIZE, &resize);
}

static int do_adopt(struct scene *scene)
{
	int mailbox;
	int err = _test_adopt(scene->held, &mailbox);

	if (!err)
		close(mailbox);
	return err;
}

static int do_lineage(struct scene *scene)
{
	static struct lineage lineage;

	return _test_child_lineage(scene->sup, "a", &lineage);
}

/* By a process that is nobody's child, and tracked all the same. */
static int do_own_lineage(struct scene *scene)
{
	static struct lineage lineage;
	int err = _test_lineage(scene->dev, 0, -1, &lineage);

	return err == -ESRCH ? 0 : err;
}

static int do_monitor(struct scene *scene)
{
	return _test_monitor_of(scene->spare, scene->peer, -1,
				SUPERVISOR_ALIAS_DEMONITOR, NULL);
}

static int do_monitor_pidfd(struct scene *scene)
{
	int err, pidfd = pidfd_of(scene->peer);

	if (pidfd < 0)
		return -errno;
	err = _test_monitor_of(scene->spare, scene->peer, pidfd,
			       SUPERVISOR_ALIAS_NONE, NULL);
	close(pidfd);
	return err;
}

static int do_monitor_file(struct scene *scene)
{
	return _test_monitor_of(scene->spare, 0, scene->sup,
				SUPERVISOR_ALIAS_NONE, NULL);
}

/* Of what is not there; its DOWN is read. */
static int do_down(struct scene *scene)
{
	struct supervisor_msg_down down;
	__u64 ref;
	int err = _test_monitor(scene->spare, 0x7fffffff, &ref);

	if (err)
		return err;
	err = _test_recv_down(scene->spare, &down, 0);
	if (err == SUPERVISOR_MSG_DOWN)
		return 0;
	_test_demonitor(scene->spare, ref, SUPERVISOR_REF_F_FLUSH);
	return err < 0 ? err : -EPROTO;
}

static int do_demonitor(struct scene *scene)
{
	int found = _test_demonitor(scene->spare, 12345, 0);

	return found > 0 ? -EPROTO : found;
}

static int do_alias(struct scene *scene)
{
	__u64 alias;

	return _test_alias(scene->spare, SUPERVISOR_ALIAS_REPLY, &alias);
}

static int do_alias_send(struct scene *scene)
{
	char text[1024];
	__u64 alias;
	int err = _test_alias(scene->spare, SUPERVISOR_ALIAS_REPLY, &alias);

	if (err)
		return err;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	err = _test_alias_send(scene->dev, alias, text, 0);
	_test_unalias(scene->spare, alias);
	return err;
}

static int do_link(struct scene *scene)
{
	int found = _test_link(scene->dev, scene->peer, 0, NULL);
	int err;

	if (found >= 0)
		found = _test_process_unlink(scene->dev, scene->peer);
	if (found > 0)
		return 0;
	err = found ?: -EPROTO;
	/* It may be there, though it could not be told: the peer is to be killed. */
	_test_process_unlink(scene->dev, scene->peer);
	return err;
}

static int do_trap(struct scene *scene)
{
	int err = _test_trap_exit(scene->dev, scene->spare);

	return err ?: _test_trap_exit(scene->dev, -1);
}

static int do_open_device(struct scene *scene)
{
	int dev = device_open();

	if (dev < 0)
		return dev;
	close(dev);
	return 0;
}

static int do_read(struct scene *scene)
{
	char buf[4096];

	return read(scene->events, buf, sizeof(buf)) < 0 ? -errno : 0;
}

static int do_named_mailbox(struct scene *scene)
{
	int mailbox;
	int err = _test_mailbox(scene->dev,
				NAMED_MAILBOX("/fail_nth.mailbox",
					      .flags =
					      SUPERVISOR_MAILBOX_F_SURVIVE),
				&mailbox);

	if (!err)
		close(mailbox);
	return err;
}

static int do_send(struct scene *scene)
{
	return _test_send(scene->box, "small", 5, 0);
}

static int do_send_large(struct scene *scene)
{
	return _test_send(scene->box, payload, sizeof(payload), 0);
}

static int do_write(struct scene *scene)
{
	return write(scene->box, payload, sizeof(payload)) < 0 ? -errno : 0;
}

static int do_call(struct scene *scene)
{
	static char reply[sizeof(payload)];
	struct supervisor_mailbox_call call =
		ARG(supervisor_mailbox_call, .buf = (uintptr_t)payload,
		    .len = sizeof(payload), .reply = (uintptr_t)reply,
		    .reply_len = sizeof(reply),
		    .deadline = after_ms(PATIENCE_MS));

	return _test_ioctl(scene->box, SUPERVISOR_MAILBOX_CALL, &call);
}

static int do_reply(struct scene *scene)
{
	return _test_reply(scene->box, scene->from, payload, REPLY_BYTES);
}

static int do_reply_recv(struct scene *scene)
{
	static struct message message;
	struct supervisor_call_reply_recv recv =
		ARG(supervisor_call_reply_recv, .from = scene->from,
		    .reply = (uintptr_t)payload, .reply_len = REPLY_BYTES,
		    .buf = (uintptr_t)message.buf,
		    .buf_len = sizeof(message.buf));

	return _test_ioctl(scene->box, SUPERVISOR_CALL_REPLY_RECV, &recv);
}

static int do_call_start(struct scene *scene)
{
	__u64 ref;

	return _test_call_start(scene->box, payload, sizeof(payload),
				scene->spare, &ref);
}

static int do_call_cancel(struct scene *scene)
{
	int found = _test_call_cancel(scene->spare, scene->ref,
				      SUPERVISOR_REF_F_FLUSH);

	return found < 0 ? found : found == 1 ? 0 : -EPROTO;
}

static int do_mailbox_own(struct scene *scene)
{
	return _test_mailbox_own(scene->box);
}

static int do_registry_create(struct scene *scene)
{
	int registry;
	int err = _test_registry(scene->dev,
				 NAMED_REGISTRY("/fail_nth.registry", UNIQUE,
						.partitions = 2,
						.flags = SUPERVISOR_REGISTRY_F_OPEN),
				 &registry);

	if (!err)
		close(registry);
	return err;
}

static int do_create_map(struct scene *scene)
{
	int registry;
	int err = _test_registry(scene->dev,
				 REGISTRY(UNIQUE, .flags = SUPERVISOR_REGISTRY_F_MAP),
				 &registry);

	if (!err)
		close(registry);
	return err;
}

static int do_map(struct scene *scene)
{
	const struct supervisor_map *map;
	int err = _test_map(scene->mapped, &map);

	if (!err)
		test_unmap(map);
	return err;
}

static int do_register_mapped(struct scene *scene)
{
	return _test_register(scene->mapped, "new=value", scene->box, NULL);
}

static int do_update_mapped(struct scene *scene)
{
	return _test_update(scene->mapped, "key=other", "value");
}

static int do_unregister_mapped(struct scene *scene)
{
	int count = _test_unregister(scene->mapped, "key");

	return count < 0 ? count : count == 1 ? 0 : -EPROTO;
}

static int do_register(struct scene *scene)
{
	return _test_register(scene->reg, "new=value", scene->box, NULL);
}

static int do_unregister(struct scene *scene)
{
	int count = _test_unregister(scene->reg, "key");

	return count < 0 ? count : count == 1 ? 0 : -EPROTO;
}

static int do_unregister_match(struct scene *scene)
{
	int count = _test_unregister(scene->reg, "key=value");

	return count < 0 ? count : count == 1 ? 0 : -EPROTO;
}

static int do_lookup(struct scene *scene)
{
	char value[16];
	int pid = _test_lookup(scene->reg, "key", value, sizeof(value));

	return pid < 0 ? pid : pid == getpid() ? 0 : -EPROTO;
}

static int do_select(struct scene *scene)
{
	char text[64];
	int err = _test_select(scene->reg,
			       SELECT(SUPERVISOR_SELECT_F_VALUE, "k",
				      .value = (uintptr_t)"value",
				      .value_len = 5), text, sizeof(text));

	return err ?: strcmp(text, "key=value") ? -EPROTO : 0;
}

static int do_count_entries(struct scene *scene)
{
	long count = _test_count_entries(scene->reg, SELECT(0, "k"));

	return count < 0 ? count : count == 1 ? 0 : -EPROTO;
}

static int do_update(struct scene *scene)
{
	return _test_update(scene->reg, "key=other", "value");
}

static int do_meta_put(struct scene *scene)
{
	struct supervisor_meta meta = meta_arg();

	return _test_ioctl(scene->reg, SUPERVISOR_META_PUT, &meta);
}

static int do_meta_get(struct scene *scene)
{
	static char value[100];
	struct supervisor_meta meta = meta_arg();

	meta.value = (uintptr_t)value;
	return _test_ioctl(scene->reg, SUPERVISOR_META_GET, &meta);
}

static int do_meta_delete(struct scene *scene)
{
	struct supervisor_meta meta = meta_arg();

	meta.value = 0;
	meta.value_len = 0;
	return _test_ioctl(scene->reg, SUPERVISOR_META_DELETE, &meta);
}

static int do_lock(struct scene *scene)
{
	return _test_lock(scene->reg, "key", 0);
}

static int do_listen(struct scene *scene)
{
	return _test_listen(scene->reg, scene->spare,
			    SUPERVISOR_LISTEN_F_DEATHS);
}

static int do_unlock(struct scene *scene)
{
	return _test_unlock(scene->reg, "locked");
}

static int do_unlisten(struct scene *scene)
{
	return _test_unlisten(scene->reg, scene->mailbox);
}

static int do_publish(struct scene *scene)
{
	int outcome = _test_publish(scene->reg, "box", payload,
				    sizeof(payload), 0);

	/* Without memory for its letter a mailbox is as good as full. */
	return outcome < 0 ? outcome : outcome == 100 ? 0 :
	       outcome == 10 ? -ENOMEM : -EPROTO;
}

static int do_key_send(struct scene *scene)
{
	return _test_key_send(scene->reg, "box", 0, "text");
}

static int do_key_call(struct scene *scene)
{
	static char reply[sizeof(payload)];
	struct supervisor_key_call call =
		ARG(supervisor_key_call, .key = (uintptr_t)"box", .key_len = 3,
		    .buf = (uintptr_t)payload, .len = sizeof(payload),
		    .reply = (uintptr_t)reply, .reply_len = sizeof(reply),
		    .deadline = after_ms(PATIENCE_MS));

	return _test_ioctl(scene->reg, SUPERVISOR_KEY_CALL, &call);
}

static int do_key_signal(struct scene *scene)
{
	int pid = _test_key_signal(scene->reg, "key", 0, 0);

	return pid < 0 ? pid : pid == getpid() ? 0 : -EPROTO;
}

static int do_registry_status(struct scene *scene)
{
	struct supervisor_registry_status status;

	return _test_registry_status(scene->reg, &status);
}

static int do_mailbox_status(struct scene *scene)
{
	struct supervisor_mailbox_status status;

	return _test_mailbox_status(scene->box, &status);
}

/* Takes all that is in it, or what comes before the fault. */
static int do_recv_exchange(struct scene *scene)
{
	static char buf[4 * sizeof(payload)] __aligned(8);
	int count = _test_recv(scene->box, buf, sizeof(buf), 0, 0);

	return count < 0 ? count : count == 1 || count == 2 ? 0 : -EPROTO;
}

/* ---- the sweep ---- */

FIXTURE(fail_nth)
{
	struct scene scene;
};

FIXTURE_VARIANT(fail_nth)
{
	int (*call)(struct scene *scene);
	bool allocates;		/* so that it must have failed with ENOMEM */
	bool settled;		/* wants no START under way */
	bool forks;		/* is for a child of the reader's */
	bool exchanges;		/* wants messages and calls */
	bool served;		/* wants somebody to answer */
	bool dynamic;		/* wants a dynamic supervisor */
	__u32 spawn;		/* of that one */
	enum keyed keyed;
	bool holds;		/* wants a root without an owner */
};

#define CALLS(X) \
	X(open_device, .call = do_open_device) \
	X(INFO, .call = do_info) \
	X(CREATE, .call = do_create, .allocates = true) \
	X(OPEN, .call = do_open, .allocates = true) \
	X(UNLINK, .call = do_unlink) \
	X(LIST, .call = do_list) \
	X(CHILD_ATTACH, .call = do_attach, .allocates = true, .forks = true) \
	X(attach_resetting, .call = do_attach_resetting, .allocates = true, \
	  .forks = true) \
	X(attach_keyed, .call = do_attach_keyed, .allocates = true, \
	  .forks = true, .keyed = KEYED_UNIQUE) \
	X(attach_keyed_duplicate, .call = do_attach_keyed, .allocates = true, \
	  .forks = true, .keyed = KEYED_DUPLICATE) \
	X(CHILD_REPORT, .call = do_report) \
	X(RESET_SIGNALS, .call = do_reset_signals) \
	X(MAILBOX_CREATE, .call = do_mailbox_create, .allocates = true) \
	X(MAILBOX_RECV, .call = do_recv) \
	X(read, .call = do_read) \
	X(CHILD_ADD, .call = do_add, .allocates = true) \
	X(create_dynamic, .call = do_create_dynamic, .allocates = true) \
	X(add_dynamic, .call = do_add_dynamic, .allocates = true, \
	  .dynamic = true) \
	X(CHILD_JOIN, .call = do_join, .allocates = true, .forks = true, \
	  .dynamic = true, .spawn = SUPERVISOR_SPAWN_SELF) \
	X(create_dynamic_keyed, .call = do_create_dynamic, .allocates = true, \
	  .keyed = KEYED_UNIQUE) \
	X(add_dynamic_keyed, .call = do_add_dynamic, .allocates = true, \
	  .dynamic = true, .keyed = KEYED_UNIQUE) \
	X(join_keyed, .call = do_join_keyed, .allocates = true, .forks = true, \
	  .dynamic = true, .spawn = SUPERVISOR_SPAWN_SELF, \
	  .keyed = KEYED_UNIQUE) \
	X(join_keyed_duplicate, .call = do_join_keyed, .allocates = true, \
	  .forks = true, .dynamic = true, .spawn = SUPERVISOR_SPAWN_SELF, \
	  .keyed = KEYED_DUPLICATE) \
	X(add_keyed, .call = do_add_keyed, .allocates = true) \
	X(START, .call = do_start) \
	X(STOP, .call = do_stop, .settled = true) \
	X(start_child, .call = do_start_child, .allocates = true) \
	X(CHILD_TERMINATE, .call = do_terminate, .allocates = true, \
	  .settled = true) \
	X(async_terminate, .call = do_async_terminate, .allocates = true) \
	X(CHILD_RESTART, .call = do_async_restart, .allocates = true) \
	X(CHILD_DELETE, .call = do_delete, .allocates = true, \
	  .settled = true) \
	X(CHILD_GET_SPEC, .call = do_get_spec, .allocates = true, \
	  .settled = true) \
	X(WHICH_CHILDREN, .call = do_which, .allocates = true, \
	  .settled = true) \
	X(async_which, .call = do_async_which, .allocates = true) \
	X(COUNT_CHILDREN, .call = do_count, .allocates = true, \
	  .settled = true) \
	X(SUSPEND, .call = do_suspend, .settled = true) \
	X(RESUME, .call = do_resume, .settled = true) \
	X(WAIT, .call = do_wait, .settled = true) \
	X(SUBSCRIBE, .call = do_subscribe, .allocates = true) \
	X(STATUS, .call = do_status) \
	X(OPEN_CHILD, .call = do_open_child, .allocates = true) \
	X(OWN, .call = do_own) \
	X(RESIZE, .call = do_resize, .allocates = true) \
	X(ADOPT, .call = do_adopt, .allocates = true, .forks = true, \
	  .holds = true) \
	X(LINEAGE, .call = do_own_lineage) \
	X(CHILD_LINEAGE, .call = do_lineage, .allocates = true) \
	X(named_mailbox, .call = do_named_mailbox, .allocates = true) \
	X(MAILBOX_SEND, .call = do_send) \
	X(large_send, .call = do_send_large, .allocates = true) \
	X(write, .call = do_write, .allocates = true) \
	X(MAILBOX_CALL, .call = do_call, .allocates = true, .served = true) \
	X(CALL_REPLY, .call = do_reply, .allocates = true, \
	  .exchanges = true) \
	X(CALL_REPLY_RECV, .call = do_reply_recv, .allocates = true, \
	  .exchanges = true) \
	X(recv_exchange, .call = do_recv_exchange, .exchanges = true) \
	X(CALL_START, .call = do_call_start, .allocates = true) \
	X(CALL_CANCEL, .call = do_call_cancel, .exchanges = true) \
	X(MAILBOX_OWN, .call = do_mailbox_own, .exchanges = true) \
	X(own_anew, .call = do_mailbox_own, .allocates = true, .forks = true) \
	X(MAILBOX_STATUS, .call = do_mailbox_status) \
	X(MONITOR, .call = do_monitor, .allocates = true) \
	X(MONITOR_pidfd, .call = do_monitor_pidfd, .allocates = true) \
	X(MONITOR_file, .call = do_monitor_file, .allocates = true) \
	X(DOWN, .call = do_down, .allocates = true) \
	X(DEMONITOR, .call = do_demonitor) \
	X(ALIAS, .call = do_alias, .allocates = true) \
	X(ALIAS_SEND, .call = do_alias_send, .allocates = true) \
	X(PROCESS_LINK, .call = do_link, .allocates = true) \
	X(TRAP_EXIT, .call = do_trap, .allocates = true) \
	X(REGISTRY_CREATE, .call = do_registry_create, .allocates = true) \
	X(create_map, .call = do_create_map, .allocates = true) \
	X(map, .call = do_map, .allocates = true) \
	X(register_mapped, .call = do_register_mapped, .allocates = true) \
	X(first_register_mapped, .call = do_register_mapped, .allocates = true, \
	  .forks = true) \
	X(update_mapped, .call = do_update_mapped, .allocates = true) \
	X(unregister_mapped, .call = do_unregister_mapped) \
	X(REGISTER, .call = do_register, .allocates = true) \
	X(first_register, .call = do_register, .allocates = true, \
	  .forks = true) \
	X(UNREGISTER, .call = do_unregister) \
	X(unregister_match, .call = do_unregister_match, .allocates = true) \
	X(LOOKUP, .call = do_lookup) \
	X(SELECT, .call = do_select, .allocates = true) \
	X(COUNT, .call = do_count_entries, .allocates = true) \
	X(UPDATE, .call = do_update, .allocates = true) \
	X(META_PUT, .call = do_meta_put, .allocates = true) \
	X(META_GET, .call = do_meta_get) \
	X(META_DELETE, .call = do_meta_delete) \
	X(LOCK, .call = do_lock, .allocates = true) \
	X(first_lock, .call = do_lock, .allocates = true, .forks = true) \
	X(UNLOCK, .call = do_unlock) \
	X(LISTEN, .call = do_listen, .allocates = true) \
	X(UNLISTEN, .call = do_unlisten) \
	X(PUBLISH, .call = do_publish, .allocates = true) \
	X(KEY_SEND, .call = do_key_send) \
	X(KEY_CALL, .call = do_key_call, .allocates = true, .served = true) \
	X(KEY_SIGNAL, .call = do_key_signal) \
	X(REGISTRY_STATUS, .call = do_registry_status)

#define VARIANT(name_, ...) \
	FIXTURE_VARIANT_ADD(fail_nth, name_) { __VA_ARGS__ };
CALLS(VARIANT)

/* Lets allocations fail which may sleep, too, and keeps the log quiet. */
static bool set_up_faults(void)
{
	static const char debugfs[] = "/sys/kernel/debug";
	DIR *directory = opendir(debugfs);
	struct dirent *entry;
	char path[320];
	bool there = false;

	if (!directory)
		return false;
	while ((entry = readdir(directory))) {
		if (strncmp(entry->d_name, "fail", 4))
			continue;
		snprintf(path, sizeof(path), "%s/%s/verbose", debugfs,
			 entry->d_name);
		write_file(path, "0");
		snprintf(path, sizeof(path), "%s/%s/ignore-gfp-wait", debugfs,
			 entry->d_name);
		if (!write_file(path, "N") && !strcmp(entry->d_name, "failslab"))
			there = true;
		snprintf(path, sizeof(path), "%s/%s/ignore-gfp-highmem",
			 debugfs, entry->d_name);
		write_file(path, "N");
	}
	closedir(directory);
	return there && !access("/proc/thread-self/fail-nth", W_OK);
}

FIXTURE_SETUP(fail_nth)
{
	if (!set_up_faults())
		SKIP(return, "this kernel injects no faults");
}

FIXTURE_TEARDOWN(fail_nth)
{
}

/* What a call with its nth fault came to. */
struct outcome {
	int err;
	bool hit;	/* there was an nth */
};

static int fail_nth_open(void)
{
	return open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
}

/* Whether the fault was used up; reading and writing can be what it hits. */
static bool fail_nth_end(int file)
{
	char text[16] = "";
	ssize_t length = pread(file, text, sizeof(text) - 1, 0);
	bool hit = length >= 2 && !strncmp(text, "0\n", 2);

	while (pwrite(file, "0", 1, 0) != 1)
		;
	return hit;
}

static struct outcome call_nth(int (*call)(struct scene *scene),
			       struct scene *scene, int nth)
{
	struct outcome outcome = { .err = -EBADF };
	int file = fail_nth_open();
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", nth);

	if (file < 0 || pwrite(file, text, length, 0) != length)
		return outcome;
	outcome.err = call(scene);
	outcome.hit = fail_nth_end(file);
	close(file);
	return outcome;
}

static struct outcome fork_nth(int (*call)(struct scene *scene),
			       struct scene *scene, int nth)
{
	struct outcome *shared = shared_memory(sizeof(*shared));
	struct outcome outcome;
	pid_t pid = fork();

	if (!pid) {
		*shared = call_nth(call, scene, nth);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	outcome = *shared;
	munmap(shared, sizeof(*shared));
	return outcome;
}

static int next_file(void)
{
	int file = dup(0);

	close(file);
	return file;
}

static bool is_clean(int err)
{
	switch (-err) {
	case 0:
	case ENOMEM:
	case EFAULT:
	case ENFILE:
		return true;
	}
	return false;
}

/*
 * What a scene still had under way, such as an answer, may be given back while
 * its call is made: less than before is no leak. Too much given back is seen
 * once all is gone.
 */
static bool has_grown(int dev, const struct supervisor_info *before)
{
	struct supervisor_info now;
	size_t i;

	if (_test_info(dev, &now))
		return true;
	for (i = 0; i < SUPERVISOR_LIMIT_NR; i++)
		if (now.out_used[i] > before->out_used[i])
			return true;
	return false;
}

static bool is_all_back(void)
{
	struct supervisor_info now;
	int dev = device_open();
	int err = _test_info(dev, &now);
	size_t i;

	close(dev);
	for (i = 0; i < SUPERVISOR_LIMIT_NR; i++)
		err = err ?: now.out_used[i] != 0;
	return !err;
}

TEST_F(fail_nth, sweep)
{
	struct scene *scene = &self->scene;
	unsigned int no_memory = 0, faults = 0;
	struct supervisor_info before;
	struct outcome outcome;
	int file, nth;

	for (nth = 1; nth < SWEEP_MAX; nth++) {
		ASSERT_EQ(0, scene_open(scene, variant->keyed));
		if (variant->settled)
			ASSERT_EQ(0, scene_settle(scene));
		if (variant->exchanges)
			ASSERT_EQ(0, scene_exchange(scene));
		if (variant->served)
			ASSERT_EQ(0, scene_serve(scene));
		if (variant->holds)
			ASSERT_EQ(0, scene_hold(scene));
		if (variant->dynamic)
			ASSERT_EQ(0, scene_dynamic(scene, variant->spawn));
		test_info(scene->dev, &before);
		file = next_file();

		outcome = variant->forks ?
			fork_nth(variant->call, scene, nth) :
			call_nth(variant->call, scene, nth);

		ASSERT_TRUE(is_clean(outcome.err))
			TH_LOG("fault %d: errno %d", nth, -outcome.err);
		ASSERT_EQ(file, next_file());
		if (outcome.err == -ENOMEM) {
			no_memory++;
			ASSERT_TRUE(eventually(!has_grown(scene->dev, &before)))
				TH_LOG("fault %d", nth);
		}
		faults += outcome.hit;
		scene_close(scene);
		ASSERT_TRUE(eventually(is_all_back()))
			TH_LOG("fault %d", nth);
		if (!outcome.hit)
			break;
	}
	ASSERT_EQ(0, outcome.err);
	ASSERT_GT(SWEEP_MAX, nth);
	TH_LOG("%u faults, %u without memory", faults, no_memory);
	ASSERT_LT(0, faults);
	if (variant->allocates)
		ASSERT_LT(0, no_memory);
}

TEST_HARNESS_MAIN
