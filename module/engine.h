/* SPDX-License-Identifier: GPL-2.0 */
/*
 * engine - which of the two deciders a supervisor has: policy, or dynamic. Here
 * they look alike to those who drive them, and so do their children.
 */
#ifndef SUP_ENGINE_H
#define SUP_ENGINE_H

#include "supervisor.h"

static inline void sup_engine_input(struct sup_supervisor *sup, const struct sup_input *input,
				    u64 now_ns)
{
	if (sup_is_dynamic(sup))
		sup_dynamic_input(&sup->dynamic, input, now_ns);
	else
		sup_policy_input(&sup->policy, input, now_ns);
}

static inline bool sup_engine_next(struct sup_supervisor *sup, u64 now_ns,
				   struct sup_action *action)
{
	return sup_is_dynamic(sup) ? sup_dynamic_next(&sup->dynamic, now_ns, action) :
				     sup_policy_next(&sup->policy, now_ns, action);
}

/* A child whose death was decided about, and not told of yet, or NULL. */
static inline struct sup_child *sup_engine_decided(struct sup_supervisor *sup, u64 now_ns)
{
	struct sup_dynamic_child *dynamic;
	struct sup_policy_child *policy;

	if (sup_is_dynamic(sup)) {
		dynamic = sup_dynamic_decided(&sup->dynamic, now_ns);
		return dynamic ? sup_dynamic_child(dynamic) : NULL;
	}
	policy = sup_policy_decided(&sup->policy);
	return policy ? sup_policy_child(policy) : NULL;
}

static inline bool sup_engine_withdraw(struct sup_supervisor *sup, struct sup_call *call)
{
	return sup_is_dynamic(sup) ? sup_dynamic_withdraw(&sup->dynamic, call) :
				     sup_policy_withdraw(&sup->policy, call);
}

static inline u64 sup_engine_deadline(const struct sup_supervisor *sup)
{
	return sup_is_dynamic(sup) ? sup_dynamic_deadline(&sup->dynamic) :
				     sup_policy_deadline(&sup->policy);
}

static inline bool sup_engine_idle(const struct sup_supervisor *sup)
{
	return sup_is_dynamic(sup) ? sup_dynamic_idle(&sup->dynamic) :
				     sup_policy_idle(&sup->policy);
}

/* How many processes' deaths are all that it waits for, or 0 when it looks at each. */
static inline u32 sup_engine_awaited(const struct sup_supervisor *sup)
{
	return sup_is_dynamic(sup) ? sup_dynamic_awaited(&sup->dynamic) : 0;
}

static inline bool sup_engine_suspended(const struct sup_supervisor *sup)
{
	return sup_is_dynamic(sup) ? sup_dynamic_suspended(&sup->dynamic) :
				     sup_policy_suspended(&sup->policy);
}

static inline bool sup_engine_stopping(const struct sup_supervisor *sup)
{
	return sup_is_dynamic(sup) ? sup_dynamic_stopping(&sup->dynamic) :
				     sup_policy_stopping(&sup->policy);
}

/* Which child an action is about, or NULL. */
static inline struct sup_child *sup_action_child(struct sup_supervisor *sup,
						 const struct sup_action *action)
{
	if (!action->child)
		return NULL;
	return sup_is_dynamic(sup) ? sup_dynamic_child(action->dynamic) :
				     sup_policy_child(action->child);
}

/* Which child an answered call is about, or NULL. */
static inline struct sup_child *sup_call_child(struct sup_supervisor *sup,
					       const struct sup_call *call)
{
	if (!call->child)
		return NULL;
	return sup_is_dynamic(sup) ? sup_dynamic_child(call->dynamic) :
				     sup_policy_child(call->child);
}

static inline const struct sup_flags *sup_engine_flags(const struct sup_supervisor *sup)
{
	return sup_is_dynamic(sup) ? &sup->dynamic.flags.common : &sup->policy.flags;
}

static inline u64 sup_engine_restarts(const struct sup_supervisor *sup)
{
	return sup_is_dynamic(sup) ? sup->dynamic.restarts : sup->policy.restarts;
}

static inline u32 sup_nr_children(const struct sup_supervisor *sup)
{
	return sup_is_dynamic(sup) ? sup->dynamic.nr_children : sup->policy.nr_children;
}

/* The children, in start order; see sup_listed_child(). */
static inline struct list_head *sup_children(struct sup_supervisor *sup)
{
	return sup_is_dynamic(sup) ? &sup->dynamic.children : &sup->policy.children;
}

static inline struct sup_child *sup_listed_child(struct sup_supervisor *sup, struct list_head *at)
{
	if (sup_is_dynamic(sup))
		return sup_dynamic_child(list_entry(at, struct sup_dynamic_child, node));
	return sup_policy_child(list_entry(at, struct sup_policy_child, order));
}

/* A child that nothing refers to any more, of a supervisor that is done with; or NULL. */
static inline struct sup_child *sup_engine_clear(struct sup_supervisor *sup)
{
	struct sup_dynamic_child *dynamic;
	struct sup_policy_child *policy;

	if (sup_is_dynamic(sup)) {
		dynamic = sup_dynamic_clear(&sup->dynamic);
		return dynamic ? sup_dynamic_child(dynamic) : NULL;
	}
	policy = sup_policy_clear(&sup->policy);
	return policy ? sup_policy_child(policy) : NULL;
}

#endif
