// SPDX-License-Identifier: GPL-2.0
/*
 * crash - crash reports: who died, how, what is done about it, who supervised it and
 * who asked for it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/build_bug.h>
#include <linux/pid_namespace.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "supervisor.h"

/* A death as its supervisor sees it. */
struct death {
	enum sup_reason reason;
	enum sup_verdict verdict;
	bool had_started;
	u64 up_ns;
};

static struct death child_death(struct sup_child *child)
{
	const struct sup_dynamic_child *dynamic;
	const struct sup_policy_child *policy;
	struct death death;

	if (sup_is_dynamic(child->sup)) {
		dynamic = &sup_member(child)->dynamic;
		death = (struct death){
			dynamic->reason, dynamic->verdict, !dynamic->cancelled, dynamic->up_ns,
		};
	} else {
		policy = &sup_static_child(child)->policy;
		death = (struct death){
			policy->reason, policy->verdict, !policy->cancelled, policy->up_ns,
		};
	}
	death.had_started &= death.verdict != SUP_VERDICT_START_FAILED;
	return death;
}

/* OTP: what its supervisor told it is no crash, nor is what it told the supervisor. */
static bool child_crashed(const struct sup_child *child, const struct death *death)
{
	if (child->is_supervisor || death->verdict == SUP_VERDICT_OBEYED)
		return false;
	if (death->reason != SUP_CRASH && death->reason != SUP_KILLED)
		return false;
	return death->had_started || !(child->reports & (SUP_SAID_FAILED | SUP_SAID_IGNORE));
}

/* The report but for the callers' entries; NULL without memory. To be freed. */
static struct supervisor_msg_crash *crash_alloc(struct sup_child *child,
						const struct death *death)
{
	const struct sup_name *name = sup_child_name(child);
	const struct sup_exit *exit = &child->watch.process->exit;
	struct sup_supervisor *sup = child->sup;
	u32 depth = sup_depth(sup) + 1;
	struct supervisor_msg_crash *crash;
	char *id, *path;

	crash = kzalloc(sizeof(*crash) + (depth + 1) * (SUP_NAME_MAX + 1) + 8 +
			depth * SUP_ANCESTOR_SIZE, GFP_KERNEL);
	if (!crash)
		return NULL;
	id = (char *)(crash + 1);
	path = id + name->len + 1;
	memcpy(id, name->bytes, name->len);
	*crash = (struct supervisor_msg_crash){
		.head = {
			.type = SUPERVISOR_MSG_CRASH,
			.flags = sup_child_msg_flags(child),
			.supervisor = sup->object.id,
			.child = child->id,
			.time_ns = ktime_get_ns(),
			.incarnation = child->incarnation,
		},
		.reason = death->reason,
		.status = exit->status,
		.decision = death->verdict,
		.restart = sup_child_decides(child)->restart,
		.exit_seq = exit->seq,
		.exit_ns = exit->time_ns,
		.start_ns = death->had_started ? death->up_ns : 0,
		.utime_ns = exit->utime_ns,
		.stime_ns = exit->stime_ns,
		.maxrss_kb = exit->maxrss_kb,
		.id_len = name->len,
		.path_len = sup_path(sup, path),
		.text_offset = sizeof(*crash),
		.callers = sup_callers_nr(child->callers),
	};
	crash->lineage_offset = sizeof(*crash) + ALIGN(crash->id_len + 1 + crash->path_len + 1, 8);
	crash->head.size = crash->lineage_offset +
			   sup_ancestors_write(sup, (void *)crash + crash->lineage_offset,
					       &crash->ancestors);
	return crash;
}

/*
 * The kernel's log. What users have chosen is escaped, and not all of it if it is long:
 * its end says most.
 */

#define LOG_PATH_MAX 128
#define LOG_CALLER_MAX 64

static const char *const log_decisions[] = {
	[SUP_VERDICT_RESTART] = "it is started again",
	[SUP_VERDICT_RETRY] = "it is started again after a delay",
	[SUP_VERDICT_KEEP] = "it is not started again",
	[SUP_VERDICT_DELETE] = "it is not started again",
	[SUP_VERDICT_GIVE_UP] = "its supervisor gives up",
	[SUP_VERDICT_AUTO_SHUTDOWN] = "its supervisor shuts down",
	[SUP_VERDICT_STOPPED] = "it was to stop",
	[SUP_VERDICT_START_FAILED] = "it had not started",
};

/* The end of a text. */
struct log_text {
	const char *bytes;
	int len;
};

static struct log_text log_end(const char *bytes, u32 len, u32 max)
{
	u32 cut = len > max ? len - max : 0;

	return (struct log_text){ .bytes = bytes + cut, .len = len - cut };
}

static void crash_log(const struct sup_child *child, const struct supervisor_msg_crash *crash)
{
	const struct supervisor_lineage_entry *root = (void *)crash + crash->lineage_offset;
	const char *id = (const char *)(crash + 1);
	struct log_text name, path, own, by = {};
	const struct sup_caller *caller;
	int status = crash->status;
	pid_t asked = 0;
	u32 i;

	for (i = 1; i < crash->ancestors; i++)
		root = (void *)root + root->size;
	name = log_end((const char *)(root + 1), root->id_len, LOG_CALLER_MAX);
	path = log_end(id + crash->id_len + 1, crash->path_len, LOG_PATH_MAX);
	own = log_end(id, crash->id_len, LOG_CALLER_MAX);
	if (child->callers) {
		caller = child->callers->caller[0];
		asked = pid_nr(caller->pid);
		if (caller->origin)
			by = log_end(caller->origin->path + caller->origin->path_len + 1,
				     caller->origin->id_len, LOG_CALLER_MAX);
	}
	pr_warn_ratelimited("crash of '%*pE', run %u, pid %d, %s %d: %s; supervisor '%*pE%s%*pE' (%llu); asked for by pid %d%s%*pE%s, callers: %u\n",
			    own.len, own.bytes, crash->head.incarnation,
			    pid_nr(sup_child_pid(child)),
			    status & 0x7f ? "signal" : "exit status",
			    status & 0x7f ? status & 0x7f : status >> 8 & 0xff,
			    log_decisions[crash->decision], name.len, name.bytes,
			    path.len ? "/" : "", path.len, path.bytes, crash->head.supervisor,
			    asked, by.len ? " '" : "", by.len, by.bytes, by.len ? "'" : "",
			    crash->callers);
}

/**
 * sup_crash - a child's death has been decided about: report it if it was a crash
 * @child: the child
 *
 * Context: holds S of its supervisor; may sleep.
 */
void sup_crash(struct sup_child *child)
{
	struct sup_supervisor *sup = child->sup;
	struct supervisor_msg_crash *crash;
	struct death death;
	bool wanted;

	lockdep_assert_held(&sup->lock);
	BUILD_BUG_ON(SUP_VERDICT_START_FAILED != (int)SUPERVISOR_CRASH_START_FAILED);
	wanted = sup_event_crash_wanted(sup);
	if (!wanted && !sup->log_crashes)
		return;
	death = child_death(child);
	if (!child_crashed(child, &death))
		return;
	crash = crash_alloc(child, &death);
	if (wanted)
		sup_event_crash(child, crash);
	if (crash && sup->log_crashes)
		crash_log(child, crash);
	kfree(crash);
}
