/* SPDX-License-Identifier: GPL-2.0 */
/*
 * policy_model - OTP's supervisor written down as plainly as it can be: arrays,
 * one entry a restart, and starts and stops that are over when they return. It
 * is played beside a policy, and both have to do the same.
 */
#ifndef SUP_POLICY_MODEL_H
#define SUP_POLICY_MODEL_H

#include "policy_play.h"

#define POLICY_MODEL_CHILDREN 3
#define POLICY_MODEL_QUEUE 32

struct policy_model_child {
	char name[2];
	s64 restart;
	bool significant;
	bool present;		/* its spec is not deleted */
	bool dead;		/* believed to run, but its exit is in the queue */
	enum sup_child_state state;
	enum sup_reason reason;
	char starts[8];
};

enum policy_model_what {
	MODEL_EXIT,
	MODEL_RETRY,
	MODEL_CALL
};

struct policy_model_msg {
	enum policy_model_what what;
	struct policy_model_child *child;
	enum sup_call_type call;
};

struct policy_model {
	struct sup_flags flags;
	struct policy_model_child children[POLICY_MODEL_CHILDREN];
	struct policy_model_msg queue[POLICY_MODEL_QUEUE];
	unsigned int queued;
	s64 restarts[POLICY_MODEL_QUEUE];
	unsigned int nr_restarts;
	s64 now_ms;
	bool up;
	u32 random;
	char output[POLICY_PLAY_TEXT];
	char input[256];
	char message[4 * POLICY_PLAY_TEXT];
};

/* Cases that differ in flags and restart types: strategy, auto, intensity, 3 specs. */
#define POLICY_MODEL_CASES (3 * 3 * 3 * 27)

const char *policy_model_check(struct policy_model *model, struct policy_play *play,
			       unsigned int number, unsigned int steps);

#endif
