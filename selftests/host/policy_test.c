// SPDX-License-Identifier: GPL-2.0
/*
 * policy_test [RUNS SEED FUZZER...] - tests of policy, dynamic, name and registry_slots on
 * the host, as TAP. With arguments the last tests are such runs of fuzz targets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dynamic_cases.h"
#include "fuzz.h"
#include "name_cases.h"
#include "policy_cases.h"
#include "policy_model.h"
#include "slots_model.h"

#define MODEL_ROUNDS 20
#define MODEL_STEPS 30
#define RANDOM_INPUTS 5000
#define SLOTS_ROUNDS 200
#define SLOTS_STEPS 2000
#define MANY 10000

static unsigned int tests;
static unsigned int failures;

static void result(bool ok, const char *name, const char *message)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++tests, name);
	if (!ok) {
		failures++;
		if (message)
			printf("# %s\n", message);
	}
	fflush(stdout);
}

static void *zalloc(size_t nr, size_t size)
{
	void *memory = calloc(nr, size);

	if (!memory)
		abort();
	return memory;
}

static void test_names(void)
{
	struct sup_name web = sup_name_make("web", 3);
	struct sup_name same = sup_name_make("website", 3);
	struct sup_name other = sup_name_make("wec", 3);

	for (size_t i = 0; i < ARRAY_SIZE(name_cases); i++) {
		const struct name_case *one = &name_cases[i];
		char name[64];

		snprintf(name, sizeof(name), "name: %s", one->what);
		result(sup_name_valid(one->bytes, one->len) == one->valid, name, NULL);
	}
	result(sup_name_equal(&web, &same), "name: equal by bytes", NULL);
	other.hash = web.hash;
	result(!sup_name_equal(&web, &other), "name: not equal by hash alone", NULL);
}

static void test_cases(const struct policy_case *cases, size_t nr_cases)
{
	for (size_t i = 0; i < nr_cases; i++) {
		struct policy_play *play = zalloc(1, sizeof(*play));
		const char *message = policy_play_case(play, &cases[i]);

		result(!message, cases[i].name, message);
		free(play);
	}
}

static void test_model(void)
{
	struct policy_play *play = zalloc(1, sizeof(*play));
	struct policy_model *model = zalloc(1, sizeof(*model));
	const char *message = NULL;

	for (unsigned int i = 0; i < POLICY_MODEL_CASES * MODEL_ROUNDS && !message; i++) {
		memset(play, 0, sizeof(*play));
		memset(model, 0, sizeof(*model));
		message = policy_model_check(model, play, i, MODEL_STEPS);
	}
	result(!message, "the policy does what a plain model does", message);
	free(model);
	free(play);
}

static void test_slots(void)
{
	struct slots_model *model = zalloc(1, sizeof(*model));
	const char *message = NULL;

	for (unsigned int i = 0; i < SLOTS_ROUNDS && !message; i++)
		message = slots_model_check(model, i, SLOTS_STEPS);
	result(!message, "a mapping shows what a plain model has", message);
	message = slots_model_generations(model);
	result(!message, "a word says no generation twice", message);
	free(model);
}

/*
 * What is refused, and what is said of the first bad member.
 */

static void test_flags(void)
{
	static const struct {
		const char *name;
		struct sup_flags flags;
		enum sup_invalid invalid;
	} cases[] = {
		{ "flags: least", { 0, 0, 1, 0, 0 }, SUP_VALID },
		{ "flags: most", { 2, SUP_INTENSITY_MAX, SUP_PERIOD_MAX, 2, 0 }, SUP_VALID },
		{ "flags: strategy first", { 3, -1, 0, 3, 0 }, SUP_INVALID_STRATEGY },
		{ "flags: negative strategy", { -1, 1, 1, 0, 0 }, SUP_INVALID_STRATEGY },
		{ "flags: intensity second", { 0, -1, 0, 3, 0 }, SUP_INVALID_INTENSITY },
		{ "flags: intensity over its bound", { 0, SUP_INTENSITY_MAX + 1, 1, 0, 0 },
		  SUP_INVALID_INTENSITY },
		{ "flags: period third", { 0, 0, 0, 3, 0 }, SUP_INVALID_PERIOD },
		{ "flags: period over its bound", { 0, 0, SUP_PERIOD_MAX + 1, 0, 0 },
		  SUP_INVALID_PERIOD },
		{ "flags: auto_shutdown last", { 0, 0, 1, 3, 0 }, SUP_INVALID_AUTO_SHUTDOWN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		result(sup_flags_validate(&cases[i].flags) == cases[i].invalid, cases[i].name,
		       NULL);
}

static void test_specs(void)
{
	static const struct {
		const char *name;
		s64 auto_shutdown;
		struct sup_child_spec spec;
		enum sup_invalid invalid;
	} cases[] = {
		{ "spec: plain", 0, { .shutdown_ms = 0 }, SUP_VALID },
		{ "spec: restart first", 0,
		  { .restart = 3, .significant = 1, .type = 2, .shutdown_ms = -3 },
		  SUP_INVALID_RESTART_TYPE },
		{ "spec: significant without auto_shutdown, permanent or not", 0,
		  { .restart = SUP_PERMANENT, .significant = 1, .type = 2 },
		  SUP_BAD_COMBINATION_AUTO_SHUTDOWN },
		{ "spec: significant and permanent", 1,
		  { .restart = SUP_PERMANENT, .significant = 1, .type = 2 },
		  SUP_BAD_COMBINATION_RESTART },
		{ "spec: significant and transient", 1,
		  { .restart = SUP_TRANSIENT, .significant = 1 }, SUP_VALID },
		{ "spec: significant neither 0 nor 1", 0, { .significant = 2, .type = 2 },
		  SUP_INVALID_SIGNIFICANT },
		{ "spec: type before shutdown", 0, { .type = 2, .shutdown_ms = -3 },
		  SUP_INVALID_CHILD_TYPE },
		{ "spec: shutdown", 0, { .shutdown_ms = -3 }, SUP_INVALID_SHUTDOWN },
		{ "spec: shutdown over its bound", 0, { .shutdown_ms = SUP_SHUTDOWN_MS_MAX + 1 },
		  SUP_INVALID_SHUTDOWN },
		{ "spec: longest shutdown", 0, { .shutdown_ms = SUP_SHUTDOWN_MS_MAX }, SUP_VALID },
		{ "spec: retry", 0, { .retry = { 10, 10, 100, 100, 0, false } }, SUP_VALID },
		{ "spec: retry max below min", 0, { .retry = { 10, 9, 100, 0, 0, false } },
		  SUP_INVALID_RETRY },
		{ "spec: retry factor below 1", 0, { .retry = { 10, 10, 99, 0, 0, false } },
		  SUP_INVALID_RETRY },
		{ "spec: retry jitter over 100", 0, { .retry = { 10, 10, 100, 101, 0, false } },
		  SUP_INVALID_RETRY },
		{ "spec: no retry, whatever is beside it", 0, { .retry = { 0, 0, 9, 999, 0, true } },
		  SUP_VALID },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sup_flags flags = { .period = 1, .auto_shutdown = cases[i].auto_shutdown };

		result(sup_child_spec_validate(&flags, &cases[i].spec) == cases[i].invalid,
		       cases[i].name, NULL);
	}
}

static void test_dynamic_flags(void)
{
	static const struct {
		const char *name;
		struct sup_dynamic_flags flags;
		enum sup_invalid invalid;
	} cases[] = {
		{ "dynamic flags: least", { { 0, 0, 1, 0, 0 }, 0, false }, SUP_VALID },
		{ "dynamic flags: most",
		  { { 0, SUP_INTENSITY_MAX, SUP_PERIOD_MAX, 0, 0 }, SUP_CHILDREN_MAX, false },
		  SUP_VALID },
		{ "dynamic flags: any number of children",
		  { { 0, 3, 5, 0, 0 }, SUP_CHILDREN_INFINITY, false }, SUP_VALID },
		{ "dynamic flags: no other strategy, and that first",
		  { { SUP_ONE_FOR_ALL, -1, 0, 9, 0 }, -2, false }, SUP_INVALID_STRATEGY },
		{ "dynamic flags: intensity second", { { 0, -1, 0, 9, 0 }, -2, false },
		  SUP_INVALID_INTENSITY },
		{ "dynamic flags: period third", { { 0, 0, 0, 9, 0 }, -2, false },
		  SUP_INVALID_PERIOD },
		{ "dynamic flags: max_children fourth", { { 0, 0, 1, 9, 0 }, -2, false },
		  SUP_INVALID_MAX_CHILDREN },
		{ "dynamic flags: max_children over its bound",
		  { { 0, 0, 1, 0, 0 }, 1LL + SUP_CHILDREN_MAX, false }, SUP_INVALID_MAX_CHILDREN },
		{ "dynamic flags: no auto_shutdown", { { 0, 0, 1, SUP_AUTO_ALL_SIGNIFICANT, 0 }, 0, false },
		  SUP_INVALID_AUTO_SHUTDOWN },
		{ "dynamic flags: simple_one_for_one has auto_shutdown",
		  { { 0, 0, 1, SUP_AUTO_ALL_SIGNIFICANT, 0 }, -1, true }, SUP_VALID },
		{ "dynamic flags: simple_one_for_one has no other one",
		  { { 0, 0, 1, SUP_AUTO_NR, 0 }, -1, true }, SUP_INVALID_AUTO_SHUTDOWN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		result(sup_dynamic_flags_validate(&cases[i].flags) == cases[i].invalid,
		       cases[i].name, NULL);
}

/* Apart from what is significant, a spec is what it is to an ordinary supervisor. */
static void test_dynamic_specs(void)
{
	static const struct sup_child_spec significant = { .restart = SUP_TRANSIENT, .significant = 1 };
	static const struct sup_child_spec bad = { .restart = 3, .significant = 1, .type = 2 };
	struct sup_dynamic_flags flags = { .common = { .period = 1 }, .max_children = -1 };

	result(sup_dynamic_spec_validate(&flags, &significant) == SUP_INVALID_SIGNIFICANT,
	       "dynamic spec: no child is significant", NULL);
	result(sup_dynamic_spec_validate(&flags, &bad) == SUP_INVALID_RESTART_TYPE,
	       "dynamic spec: restart first", NULL);
	flags.simple = true;
	result(sup_dynamic_spec_validate(&flags, &significant) == SUP_BAD_COMBINATION_AUTO_SHUTDOWN,
	       "dynamic spec: a significant template needs auto_shutdown", NULL);
	flags.common.auto_shutdown = SUP_AUTO_ANY_SIGNIFICANT;
	result(sup_dynamic_spec_validate(&flags, &significant) == SUP_VALID,
	       "dynamic spec: a significant template", NULL);
}

static void test_adding(void)
{
	struct sup_policy_child a = { .name = sup_name_make("a", 1) };
	struct sup_policy_child again = { .name = sup_name_make("a", 1) };
	struct sup_policy_child bad = { .name = sup_name_make("a/b", 3) };
	struct sup_flags flags = { .period = 1 };
	struct sup_window_slot window[1];
	struct hlist_head buckets[1] = { { NULL } };
	struct sup_policy policy;

	sup_policy_init(&policy, &flags, window, 1, buckets, 1, 0);
	result(sup_policy_add(&policy, &a) == SUP_VALID, "add: a child", NULL);
	result(sup_policy_add(&policy, &again) == SUP_DUPLICATE_CHILD_NAME, "add: it again",
	       NULL);
	result(sup_policy_add(&policy, &bad) == SUP_INVALID_ID, "add: a bad name", NULL);
	again.spec.restart = 9;
	result(sup_policy_add(&policy, &again) == SUP_INVALID_RESTART_TYPE,
	       "add: a bad spec comes before a taken name", NULL);
	result(sup_policy_clear(&policy) == &a && !sup_policy_clear(&policy), "add: clear", NULL);
}

/*
 * Bounds
 */

/* The window holds what its size promises, however restarts fall into it. */
static void test_window(void)
{
	static const struct sup_flags flags[] = {
		{ .intensity = 0, .period = 5 }, { .intensity = 1, .period = 5 },
		{ .intensity = 40, .period = 3 }, { .intensity = 4, .period = 100 },
	};
	static const size_t slots[] = { 1, 1, 4, 4 };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		struct policy_play *play = zalloc(1, sizeof(*play));
		bool ok = sup_policy_window_slots(&flags[i]) == slots[i];
		s64 restarts = 0;
		char name[64];

		ok = ok && policy_play_open(play, &flags[i], "a") && policy_play_step(play, "run");
		while (ok && !sup_policy_down(&play->policy)) {
			ok = policy_play_step(play, restarts % 2 ? "wait 150; crash a" : "crash a");
			restarts++;
		}
		snprintf(name, sizeof(name), "window: %zu slots hold %d restarts in %d s", slots[i],
			 (int)flags[i].intensity, (int)flags[i].period);
		result(ok && restarts == flags[i].intensity + 1, name, NULL);
		free(play);
	}
}

/* The delay of a lone failure, on many supervisors with seeds of their own. */
static void test_jitter(void)
{
	u64 least = U64_MAX, most = 0;

	for (u64 seed = 1; seed <= 1000; seed++) {
		struct policy_play *play = zalloc(1, sizeof(*play));
		struct sup_flags flags = { .intensity = 9, .period = 1000 };
		u64 delay;

		policy_play_open(play, &flags, "a:retry");
		play->policy.rng = seed * 0x9e3779b97f4a7c15ULL;
		play->children[0].child.spec.retry.jitter_pct = 20;
		policy_play_step(play, "run");
		policy_play_step(play, "crash a");
		delay = sup_policy_deadline(&play->policy) - play->now_ns;
		least = min(least, delay);
		most = max(most, delay);
		free(play);
	}
	result(least >= 80000000 && least < 82000000 && most <= 120000000 && most > 118000000,
	       "backoff: jitter fills its range and no more", NULL);
}

/* More children than anyone looks at one by one: start, die, end. */
static void test_many(void)
{
	struct sup_policy_child *children = zalloc(MANY, sizeof(*children));
	char (*names)[8] = zalloc(MANY, sizeof(*names));
	struct hlist_head *buckets = zalloc(16384, sizeof(*buckets));
	struct sup_flags flags = { .intensity = SUP_INTENSITY_MAX, .period = 5 };
	struct sup_window_slot window[6];
	struct sup_policy policy;
	struct sup_action action;
	unsigned int starts = 0, stops = 0;

	sup_policy_init(&policy, &flags, window, sup_policy_window_slots(&flags), buckets, 16384, 1);
	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "c%u", i);
		children[i].name = sup_name_make(names[i], strlen(names[i]));
		sup_policy_add(&policy, &children[i]);
	}
	for (unsigned int i = 0; i <= MANY + 1; i++) {
		struct sup_input input = { .type = SUP_IN_EXIT };

		if (i == 0)
			input.type = SUP_IN_START;
		else if (i <= MANY)
			input.child = &children[i - 1];
		else
			input.type = SUP_IN_STOP;
		sup_policy_input(&policy, &input, 0);
		while (sup_policy_next(&policy, 0, &action)) {
			struct sup_input answer = { .child = action.child };

			if (action.type == SUP_ACT_UP || action.type == SUP_ACT_DOWN)
				continue;
			starts += action.type == SUP_ACT_START;
			stops += action.type == SUP_ACT_TERM;
			answer.type = action.type == SUP_ACT_START ? SUP_IN_STARTED : SUP_IN_EXIT;
			sup_policy_input(&policy, &answer, 0);
		}
	}
	result(starts == 2 * MANY && stops == MANY, "10,000 children start, die and are stopped",
	       NULL);
	free(buckets);
	free(names);
	free(children);
}

/* The same of a dynamic supervisor, whose children all take too long to stop. */
static void test_dynamic_many(void)
{
	struct sup_dynamic_child *children = zalloc(MANY, sizeof(*children));
	struct sup_child_spec *specs = zalloc(MANY, sizeof(*specs));
	struct sup_call *calls = zalloc(MANY, sizeof(*calls));
	struct sup_dynamic_flags flags = {
		.common = { .intensity = SUP_INTENSITY_MAX, .period = 5 },
		.max_children = MANY,
	};
	struct sup_window_slot window[6];
	struct sup_dynamic dynamic;
	struct sup_action action;
	unsigned int nr[SUP_ACT_DOWN + 1] = { 0 };
	u64 now_ns = 0, ms = 1000000;

	sup_dynamic_init(&dynamic, &flags, window, ARRAY_SIZE(window), 1);
	for (unsigned int i = 0; i <= 2 * MANY + 1; i++) {
		struct sup_input input = { .type = SUP_IN_EXIT };
		unsigned int child = (i - 1) % MANY;

		if (i == 0) {
			input.type = SUP_IN_START;
		} else if (i <= MANY) {
			specs[child].shutdown_ms = 1 + child % 100;
			children[child].spec = &specs[child];
			calls[child].dynamic = &children[child];
			input.type = SUP_IN_CALL;
			input.call = &calls[child];
		} else if (i <= 2 * MANY) {
			input.dynamic = &children[child];
		} else {
			input.type = SUP_IN_STOP;
		}
		do {
			sup_dynamic_input(&dynamic, &input, now_ns);
			while (sup_dynamic_next(&dynamic, now_ns, &action)) {
				struct sup_input answer = { .dynamic = action.dynamic };

				nr[action.type]++;
				answer.type = action.type == SUP_ACT_START ? SUP_IN_STARTED : SUP_IN_EXIT;
				if (action.type == SUP_ACT_START || action.type == SUP_ACT_KILL)
					sup_dynamic_input(&dynamic, &answer, now_ns);
			}
			now_ns += ms;
			input.type = SUP_IN_TIMER;
		} while (sup_dynamic_stopping(&dynamic));
	}
	now_ns -= (2 * MANY + 1) * ms;
	result(nr[SUP_ACT_START] == 2 * MANY && nr[SUP_ACT_TERM] == MANY &&
	       nr[SUP_ACT_KILL] == MANY && nr[SUP_ACT_FORGET] == MANY && nr[SUP_ACT_DOWN] == 1 &&
	       now_ns == 101 * ms,
	       "10,000 dynamic children start, die and are killed, in 100 groups", NULL);
	free(calls);
	free(specs);
	free(children);
}

/*
 * The fuzz targets, on random bytes here and on chosen ones in programs of their own.
 */

static void test_random(void)
{
	u64 random = 1;
	u8 bytes[512];

	for (unsigned int i = 0; i < RANDOM_INPUTS; i++) {
		for (size_t b = 0; b < sizeof(bytes); b++) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			bytes[b] = random >> 56;
		}
		policy_fuzz(bytes, 16 + i % (sizeof(bytes) - 16));
		dynamic_fuzz(bytes, 16 + i % (sizeof(bytes) - 16));
	}
	result(true, "random bytes break no promise", NULL);
}

static void test_fuzzer(const char *program, const char *runs, const char *seed)
{
	char command[1024];
	char name[128];

	snprintf(command, sizeof(command),
		 "%s -runs=%s -seed=%s -max_len=600 -len_control=0 -print_final_stats=0 "
		 "-artifact_prefix=%s. >%s.log 2>&1",
		 program, runs, seed, program, program);
	snprintf(name, sizeof(name), "%s: %s chosen inputs break no promise (seed %s)",
		 strrchr(program, '/') + 1, runs, seed);
	result(system(command) == 0, name, "see the .log beside the fuzzer");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("TAP version 13");
	test_names();
	test_flags();
	test_specs();
	test_dynamic_flags();
	test_dynamic_specs();
	test_adding();
	test_cases(policy_cases, ARRAY_SIZE(policy_cases));
	test_cases(dynamic_cases, ARRAY_SIZE(dynamic_cases));
	test_model();
	test_slots();
	test_window();
	test_jitter();
	test_many();
	test_dynamic_many();
	test_random();
	for (int i = 3; i < argc; i++)
		test_fuzzer(argv[i], argv[1], argv[2]);
	printf("1..%u\n", tests);
	return failures ? 1 : 0;
}
