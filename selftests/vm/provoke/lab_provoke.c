// SPDX-License-Identifier: GPL-2.0
/*
 * Do one of the things that the lab must notice. Its own tests load this; no
 * other use is sane.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *what = "";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "warn, leak, deadlock or race");

/* Remembers one object only, so the others leak. */
static void *lost;

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

/* Taken in both orders, one after the other: only lockdep can see that. */
static void provoke_deadlock(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static unsigned long raced;

static int race(void *unused)
{
	while (!kthread_should_stop()) {
		raced++;
		cond_resched();
	}
	return 0;
}

/* Two threads write one word for two seconds: only KCSAN can see that. */
static int provoke_race(void)
{
	unsigned long end = jiffies + 2 * HZ;
	struct task_struct *other;

	other = kthread_run(race, NULL, "lab_race");
	if (IS_ERR(other))
		return PTR_ERR(other);
	while (time_before(jiffies, end)) {
		raced++;
		cond_resched();
	}
	return kthread_stop(other);
}

static int __init lab_provoke_init(void)
{
	int i;

	if (!strcmp(what, "warn"))
		WARN(1, "provoked\n");
	else if (!strcmp(what, "leak"))
		for (i = 0; i < 100; i++)
			WRITE_ONCE(lost, kmalloc(100, GFP_KERNEL));
	else if (!strcmp(what, "deadlock"))
		provoke_deadlock();
	else if (!strcmp(what, "race"))
		return provoke_race();
	else
		return -EINVAL;
	return 0;
}
module_init(lab_provoke_init);

static void __exit lab_provoke_exit(void)
{
}
module_exit(lab_provoke_exit);

MODULE_DESCRIPTION("Provokes what the test lab must notice");
MODULE_AUTHOR("The supervisor.ko authors");
MODULE_LICENSE("GPL");
