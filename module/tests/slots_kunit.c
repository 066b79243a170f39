// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "slots_model.h"

#define ROUNDS 20
#define STEPS 300

static struct slots_model *slots_model(struct kunit *test)
{
	struct slots_model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, model);
	return model;
}

static void slots_are_as_the_model(struct kunit *test)
{
	struct slots_model *model = slots_model(test);
	u32 i;

	for (i = 0; i < ROUNDS; i++)
		KUNIT_EXPECT_STREQ(test, slots_model_check(model, i, STEPS) ?: "", "");
}

static void slots_generations(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, slots_model_generations(slots_model(test)) ?: "", "");
}

/* What readers were told to compute with. */
static void slots_layout(struct kunit *test)
{
	u32 nr;

	for (nr = 64; nr <= 1048576; nr *= 2) {
		u64 least = nr * (sizeof(struct supervisor_map_bucket) + sizeof(u32) +
				  sizeof(struct supervisor_map_slot));

		KUNIT_EXPECT_GE(test, sup_slots_bytes(nr), least + sizeof(struct supervisor_map));
		KUNIT_EXPECT_LE(test, sup_slots_bytes(nr), least + 512);
	}
}

static struct kunit_case slots_kunit_cases[] = {
	KUNIT_CASE(slots_are_as_the_model),
	KUNIT_CASE(slots_generations),
	KUNIT_CASE(slots_layout),
	{}
};

static struct kunit_suite slots_kunit_suite = {
	.name = "supervisor_slots",
	.test_cases = slots_kunit_cases,
};

kunit_test_suite(slots_kunit_suite);
