// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/module.h>

#include "../compat.h"
#include "policy_cases.h"
#include "policy_model.h"

/* Long enough to end and begin again several times. */
#define MODEL_STEPS 20

static void policy_case_describe(const struct policy_case *one, char *text)
{
	strscpy(text, one->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(policy_rule, policy_cases, policy_case_describe);

static void policy_rule(struct kunit *test)
{
	struct policy_play *play = kunit_kzalloc(test, sizeof(*play), GFP_KERNEL);
	const char *message;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, play);
	message = policy_play_case(play, test->param_value);
	if (message)
		KUNIT_FAIL(test, "%s", message);
}

/* Strategies, restart types, ends and window edges, beside a plain model. */
static void policy_model(struct kunit *test)
{
	struct policy_model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	struct policy_play *play = kunit_kzalloc(test, sizeof(*play), GFP_KERNEL);
	const char *message;
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, model);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, play);
	for (i = 0; i < POLICY_MODEL_CASES; i++) {
		memset(model, 0, sizeof(*model));
		memset(play, 0, sizeof(*play));
		message = policy_model_check(model, play, i, MODEL_STEPS);
		if (message)
			KUNIT_FAIL(test, "%s", message);
		cond_resched();
	}
}

static struct kunit_case policy_kunit_cases[] = {
	KUNIT_CASE_PARAM(policy_rule, policy_rule_gen_params),
	KUNIT_CASE(policy_model),
	{}
};

static struct kunit_suite policy_kunit_suite = {
	.name = "supervisor_policy",
	.test_cases = policy_kunit_cases,
};

kunit_test_suite(policy_kunit_suite);

MODULE_IMPORT_NS(SUP_NS(SUPERVISOR_KUNIT));
MODULE_DESCRIPTION("KUnit tests of supervisor.ko");
MODULE_LICENSE("GPL");
