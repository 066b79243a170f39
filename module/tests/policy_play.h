/* SPDX-License-Identifier: GPL-2.0 */
/*
 * policy_play - a driver for policies, and for dynamic supervisors, that is a test:
 * it plays cases written as text. The same cases run in KUnit and on the host.
 *
 * A step is what happens, and the actions that must follow until there is none:
 *
 *	{ "crash b", "term:c term:a start:a start:b start:c" }
 *
 * What happens is one or more of these, separated by "; ". All of them happen
 * before the first action is taken:
 *
 *	run, stop [REASON], kill, resume	inputs
 *	exit|crash|shutdown|killed CHILD	its process ends
 *	started|failed|ignored|attached CHILD	answers to a start that hangs
 *	call VERB [CHILD], withdraw		an API call, and taking the last one back
 *	wait MS					time passes, and timers with it
 *	fail|ignore|hang CHILD			how its next start goes
 *	stubborn|refuse CHILD			it ignores TERM; signals are not permitted
 *
 * Starts succeed and TERM is obeyed at once, unless told otherwise. A child is
 * written NAME[:OPTION]..., the options being transient, temporary, significant,
 * supervisor, kill, infinity, ms=N, timeout=N, retry, uncounted.
 *
 * To a dynamic supervisor a name means the child that had it last, and terminate_child
 * the incarnation of it that is the last one so far; besides there are
 *
 *	call attach_child CHILD			start_child of who has started by itself
 *	call terminate_any CHILD		terminate_child, whichever incarnation
 *
 * Where no child has had the name, terminate_child is of another process; the name
 * dead says that it is dead, and - is no process but an id. The reply to count_children
 * tells how many children there are, restart, and are supervisors.
 */
#ifndef SUP_POLICY_PLAY_H
#define SUP_POLICY_PLAY_H

#include "../dynamic.h"
#include "../policy.h"

#define POLICY_PLAY_CHILDREN 16
#define POLICY_PLAY_CALLS 24
#define POLICY_PLAY_TEXT 512

struct policy_step {
	const char *input;
	const char *output;
};

#define STEPS(...) .steps = (const struct policy_step[]){ __VA_ARGS__, { NULL, NULL } }

struct policy_case {
	const char *name;
	struct sup_flags flags;
	const struct sup_dynamic_flags *dynamic; /* instead of flags; not NULL: dynamic */
	const char *children;			/* of a simple_one_for_one: the template */
	const struct policy_step *steps;	/* ends with a NULL input */
};

struct policy_play_child {
	struct sup_policy_child child;
	struct sup_dynamic_child dynamic;	/* its spec is that of @child */
	char name[32];
	bool used;		/* by a spec */
	bool alive;
	bool stubborn;
	bool refuse;
	char starts[8];		/* f, i, h: how the next ones go */
};

struct policy_play_call {
	struct sup_call call;
	char name[32];
	struct policy_play_child *child;	/* start_child's new one */
};

struct policy_play {
	bool is_dynamic;
	struct sup_policy policy;
	struct sup_dynamic dynamic;
	struct sup_window_slot window[64];
	struct hlist_head buckets[8];
	struct policy_play_child children[POLICY_PLAY_CHILDREN];
	unsigned int nr_children;		/* that there have been */
	struct policy_play_child *template;
	struct policy_play_call calls[POLICY_PLAY_CALLS];
	unsigned int nr_calls;
	u64 now_ns;
	char output[POLICY_PLAY_TEXT];
	char message[2 * POLICY_PLAY_TEXT];
};

bool policy_play_open(struct policy_play *play, const struct sup_flags *flags,
		      const char *children);
bool policy_play_open_dynamic(struct policy_play *play, const struct sup_dynamic_flags *flags,
			      const char *template);
bool policy_play_step(struct policy_play *play, const char *input);
const char *policy_play_case(struct policy_play *play, const struct policy_case *one);

#endif
