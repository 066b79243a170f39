// SPDX-License-Identifier: GPL-2.0
/*
 * resize - partition supervisors: how many of a supervisor's children are in
 * use, and having more or fewer of them. Which one a key belongs to is for user
 * space to say; the children themselves are like any others.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>

#include "supervisor.h"

/* Room for the id of a partition. */
#define PARTITION_ID_SIZE sizeof("4294967295")

/* Are its children those with the ids "0" to @nr - 1? */
static bool partitions_are_children(struct sup_supervisor *sup, u32 nr)
{
	char id[PARTITION_ID_SIZE];
	struct sup_name name;
	u32 i;

	lockdep_assert_held(&sup->lock);
	if (sup_is_dynamic(sup) || sup->policy.nr_children != nr)
		return false;
	for (i = 0; i < nr; i++) {
		name = sup_name_make(id, snprintf(id, sizeof(id), "%u", i));
		if (!sup_policy_find(&sup->policy, &name))
			return false;
		cond_resched();
	}
	return true;
}

/* Of a supervisor that has not started: the children are partitions. */
static int partitions_declare(struct sup_supervisor *sup, u32 nr)
{
	int ret = 0;

	mutex_lock(&sup->lock);
	if (sup->state != SUPERVISOR_STATE_NEW) {
		ret = -EISCONN;
	} else if (!nr || !partitions_are_children(sup, nr)) {
		ret = -EINVAL;
	} else {
		sup->partitions_max = nr;
		WRITE_ONCE(sup->partitions, nr);
	}
	mutex_unlock(&sup->lock);
	return ret;
}

/*
 * Have a partition run, or not. That it does so already, or is being restarted by
 * its supervisor, is as good.
 */
static int partition_call(struct sup_supervisor *sup, u32 command, u32 partition,
			  struct supervisor_resize *cmd)
{
	struct sup_call_outcome outcome;
	char id[PARTITION_ID_SIZE];
	int ret;

	snprintf(id, sizeof(id), "%u", partition);
	ret = sup_call_by_id(sup, command, id, cmd->deadline, &outcome);
	if (ret == -EBUSY)
		return 0;
	if (ret) {
		cmd->out_result = outcome.result;
		cmd->out_error = outcome.error;
		cmd->out_limit = outcome.limit;
		cmd->out_partition = partition;
	}
	return ret;
}

static void partitions_use(struct sup_supervisor *sup, u32 nr)
{
	mutex_lock(&sup->lock);
	WRITE_ONCE(sup->partitions, nr);
	mutex_unlock(&sup->lock);
}

/*
 * What is in use runs before, and what is no longer in use is terminated after it is
 * known. The latter also ends what a resize has left that did not get so far.
 */
static int partitions_resize(struct sup_supervisor *sup, struct supervisor_resize *cmd)
{
	u32 max = sup->partitions_max;
	u32 i;
	int ret;

	lockdep_assert_held(&sup->resizing);
	for (i = READ_ONCE(sup->partitions); i < cmd->partitions; i++) {
		ret = partition_call(sup, SUPERVISOR_CMD_CHILD_RESTART, i, cmd);
		if (ret)
			return ret;
	}
	partitions_use(sup, cmd->partitions);
	for (i = cmd->partitions; i < max; i++) {
		ret = partition_call(sup, SUPERVISOR_CMD_CHILD_TERMINATE, i, cmd);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * sup_resize - ioctl(SUPERVISOR_RESIZE)
 * @ucmd: the ioctl
 *
 * Context: may sleep.
 * Return: as the UAPI header says.
 */
int sup_resize(struct sup_ucmd *ucmd)
{
	struct sup_supervisor *sup = sup_object_supervisor(ucmd->object);
	struct supervisor_resize *cmd = ucmd->cmd;
	/* Of an ioctl that is made anew: what was in use at first, and one. */
	u64 was = cmd->call;
	int ret;

	cmd->out_was = 0;
	cmd->out_result = SUPERVISOR_RESULT_OK;
	cmd->out_error = 0;
	cmd->out_limit = SUPERVISOR_LIMIT_NONE;
	cmd->out_partition = 0;
	cmd->call = 0;
	ret = partitions_declare(sup, cmd->partitions);
	if (ret != -EISCONN)
		return ret;
	if (cmd->partitions > sup->partitions_max)
		return -EINVAL;
	if (!cmd->deadline)
		return -EAGAIN;
	if (mutex_lock_interruptible(&sup->resizing)) {
		cmd->call = was;
		return -ERESTARTSYS;
	}
	was = was ?: READ_ONCE(sup->partitions) + 1ULL;
	ret = partitions_resize(sup, cmd);
	mutex_unlock(&sup->resizing);
	cmd->out_was = was - 1;
	if (ret == -ERESTARTSYS)
		cmd->call = was;
	return ret;
}
