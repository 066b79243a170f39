// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "dynamic_cases.h"

static void dynamic_case_describe(const struct policy_case *one, char *text)
{
	strscpy(text, one->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(dynamic_rule, dynamic_cases, dynamic_case_describe);

static void dynamic_rule(struct kunit *test)
{
	struct policy_play *play = kunit_kzalloc(test, sizeof(*play), GFP_KERNEL);
	const char *message;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, play);
	message = policy_play_case(play, test->param_value);
	if (message)
		KUNIT_FAIL(test, "%s", message);
}

static struct kunit_case dynamic_kunit_cases[] = {
	KUNIT_CASE_PARAM(dynamic_rule, dynamic_rule_gen_params),
	{}
};

static struct kunit_suite dynamic_kunit_suite = {
	.name = "supervisor_dynamic",
	.test_cases = dynamic_kunit_cases,
};

kunit_test_suite(dynamic_kunit_suite);
