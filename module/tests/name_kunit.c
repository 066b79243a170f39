// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "name_cases.h"

static void name_case_describe(const struct name_case *one, char *text)
{
	strscpy(text, one->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(name_valid, name_cases, name_case_describe);

static void name_valid(struct kunit *test)
{
	const struct name_case *one = test->param_value;

	KUNIT_EXPECT_EQ(test, sup_name_valid(one->bytes, one->len), one->valid);
}

static void name_equal(struct kunit *test)
{
	struct sup_name name = sup_name_make("web", 3);
	struct sup_name same = sup_name_make("web2", 3);
	struct sup_name other = sup_name_make("wec", 3);
	struct sup_name longer = sup_name_make("web2", 4);

	KUNIT_EXPECT_TRUE(test, sup_name_equal(&name, &same));
	KUNIT_EXPECT_EQ(test, name.hash, same.hash);
	KUNIT_EXPECT_FALSE(test, sup_name_equal(&name, &other));
	KUNIT_EXPECT_FALSE(test, sup_name_equal(&name, &longer));

	/* Equal hashes alone are not enough. */
	other.hash = name.hash;
	KUNIT_EXPECT_FALSE(test, sup_name_equal(&name, &other));
}

/* Names that differ in a digit must not share the low bits that buckets use. */
static void name_hash_spreads(struct kunit *test)
{
	unsigned int used[64] = { 0 };
	unsigned int i, most = 0;
	char text[16];

	for (i = 0; i < 64 * 16; i++) {
		int len = snprintf(text, sizeof(text), "worker%u", i);
		unsigned int bucket = sup_name_hash(text, len) % ARRAY_SIZE(used);

		most = max(most, ++used[bucket]);
	}
	KUNIT_EXPECT_LE(test, most, 48U);
}

static struct kunit_case name_kunit_cases[] = {
	KUNIT_CASE_PARAM(name_valid, name_valid_gen_params),
	KUNIT_CASE(name_equal),
	KUNIT_CASE(name_hash_spreads),
	{}
};

static struct kunit_suite name_kunit_suite = {
	.name = "supervisor_name",
	.test_cases = name_kunit_cases,
};

kunit_test_suite(name_kunit_suite);
