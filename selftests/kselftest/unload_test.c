// SPDX-License-Identifier: GPL-2.0
/*
 * That the module stays for as long as anything of it lives, and goes after.
 * SUPERVISOR_KO says where it is, so that it can come back.
 */
#include "kselftest_harness.h"

#include "common.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600

static int unload(void)
{
	return syscall(SYS_delete_module, "supervisor", O_NONBLOCK) ? -errno :
								       0;
}

static int load(void)
{
	const char *path = getenv("SUPERVISOR_KO");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0))
		err = -errno;
	close(fd);
	if (err)
		return err;
	/* As udev would have it, for those which come after. */
	return chmod(DEVICE, 0666) ? -errno : 0;
}

FIXTURE(unload)
{
	struct tree tree;
};

FIXTURE_SETUP(unload)
{
	self->tree = NO_TREE;
	if (geteuid() || !getenv("SUPERVISOR_KO"))
		SKIP(return, "needs root, and the module in $SUPERVISOR_KO");
	if (access(DEVICE, F_OK))
		ASSERT_EQ(0, load());
}

FIXTURE_TEARDOWN(unload)
{
	tree_close(&self->tree);
	if (access(DEVICE, F_OK))
		load();
}

#define test_in_use() \
	do { \
		int err_ = unload(); \
		ASSERT_TRUE(err_ == -EAGAIN || err_ == -EBUSY) \
			TH_LOG("unload: %d", err_); \
	} while (0)

/* What ends in a worker may take a moment. */
#define test_unloads() \
	do { \
		ASSERT_TRUE(eventually(!unload())); \
		ASSERT_EQ(-1, access(DEVICE, F_OK)); \
		ASSERT_EQ(0, load()); \
	} while (0)

TEST_F(unload, when_unused)
{
	test_unloads();
}

TEST_F(unload, device)
{
	int dev = device_open();

	ASSERT_LE(0, dev);
	test_in_use();
	close(dev);
	test_unloads();
}

TEST_F(unload, mailbox)
{
	int dev = device_open();
	int mailbox;

	test_mailbox_create(dev, 0, &mailbox);
	close(dev);
	test_in_use();
	close(mailbox);
	test_unloads();
}

TEST_F(unload, supervisor)
{
	struct supervisor_create create = CREATE();
	int dev = device_open();
	int sup;

	test_create(dev, &create, &sup);
	close(dev);
	test_in_use();
	close(sup);
	test_unloads();
}

TEST_F(unload, tree_with_children)
{
	test_tree_open(&self->tree, CREATE());
	test_child(self->tree.sup, "a", WAITS);
	test_start(self->tree.sup);
	test_in_use();
	tree_close(&self->tree);
	test_unloads();
}

/* No file is left, only a tree that is still stopping. */
TEST_F(unload, stopping_tree_without_files)
{
	pid_t pid;

	test_tree_open(&self->tree, CREATE());
	test_child(self->tree.sup, "a", RUNS(child_ignore, SIGTERM),
		   .shutdown_ms = SUPERVISOR_SHUTDOWN_INFINITY);
	test_start(self->tree.sup);
	test_ignores(self->tree.sup, "a", SIGTERM);
	pid = child_pid(self->tree.sup, "a");
	tree_abandon(&self->tree);
	sleep_ms(200);
	ASSERT_TRUE(is_alive(pid));
	test_in_use();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	test_unloads();
}

/* Released children live on; nothing of the module's hangs on them. */
TEST_F(unload, released_children)
{
	pid_t pid;

	test_tree_open(&self->tree,
		       CREATE(.owner_death = SUPERVISOR_OWNER_DEATH_RELEASE));
	test_child(self->tree.sup, "a", WAITS);
	test_start(self->tree.sup);
	pid = child_pid(self->tree.sup, "a");
	tree_abandon(&self->tree);
	test_unloads();
	ASSERT_TRUE(is_alive(pid));
	/* Its death is nobody's concern now. */
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

/* Without owner or file, until its time is up. */
TEST_F(unload, held)
{
	int dev = device_open();
	int sup;

	ASSERT_EQ(0, _test_held(dev, "/unload.held", 0600, 1000, &sup));
	close(sup);
	close(dev);
	test_in_use();
	test_unloads();
}

TEST_F(unload, zombie_child)
{
	test_tree_open(&self->tree, CREATE());
	test_child(self->tree.sup, "a", RUNS(child_exit, 0),
		   .restart = SUPERVISOR_TEMPORARY);
	test_start(self->tree.sup);
	test_event(self->tree.events, SUPERVISOR_EVENT_EXITED, "a", NULL);
	test_stop(self->tree.sup);
	tree_abandon(&self->tree);
	/* Dead but not waited for yet. */
	test_unloads();
	ASSERT_LT(0, waitpid(-1, NULL, 0));
}

TEST_F(unload, over_and_over)
{
	unsigned int i, total = rounds(50);

	if (total < 5)
		total = 5;
	for (i = 0; i < total; i++) {
		test_tree_open(&self->tree, CREATE());
		test_child(self->tree.sup, "a", WAITS);
		test_child(self->tree.sup, "b", WAITS);
		test_start(self->tree.sup);
		ASSERT_EQ(0, kill(child_pid(self->tree.sup, "a"), SIGKILL));
		tree_close(&self->tree);
		test_unloads();
	}
}

TEST_HARNESS_MAIN
