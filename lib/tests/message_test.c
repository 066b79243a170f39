// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * message_test.c - messages, records, options and words: lengths that lie are
 * not followed, whoever wrote them.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include "../internal.h"
#include "tap.h"

static void test_start(void)
{
	struct {
		struct supervisor_msg_start start;
		char text[16];
		char blob[8];
	} msg = {
		.start = {
			.head = { .size = sizeof(msg),
				  .type = SUPERVISOR_MSG_START },
			.id_len = 3, .path_len = 8, .blob_len = 5,
			.text_offset = sizeof(msg.start),
			.blob_offset = sizeof(msg.start) + 16,
		},
		.text = "web\0shop/top",
		.blob = "bytes",
	}, bad;
	const struct supervisor_msg *head = &msg.start.head;
	size_t len;

	ok(sup_msg_start(head), "a START is one");
	ok(!sup_msg_event(head) && !sup_msg_answer(head), "and nothing else");
	is_text(sup_msg_id(head), "web", "its id");
	is_text(sup_msg_path(head), "shop/top", "its path");
	ok(sup_msg_blob(head, &len) == msg.blob && len == 5, "its blob");

	bad = msg;
	bad.start.blob_len = 9;
	ok(!sup_msg_start(&bad.start.head), "a blob beyond the message");
	bad = msg;
	bad.start.id_len = 4;
	ok(!sup_msg_start(&bad.start.head), "an id without its NUL");
	bad = msg;
	bad.start.path_len = 65535;
	ok(!sup_msg_start(&bad.start.head), "a path beyond the message");
	is_text(sup_msg_id(&bad.start.head), "", "which then has no id");
	ok(!sup_msg_blob(&bad.start.head, &len) && !len, "and no blob");
	bad = msg;
	bad.start.head.size = sizeof(bad.start) - 8;
	ok(!sup_msg_start(&bad.start.head), "a START cut short");
	bad = msg;
	bad.start.text_offset = 0xffffffff;
	ok(!sup_msg_start(&bad.start.head), "an id nowhere");
	bad = msg;
	bad.start.blob_offset = sizeof(bad) + 1;
	ok(!sup_msg_start(&bad.start.head), "a blob nowhere");
	bad = msg;
	bad.start.blob_len = 0;
	ok(sup_msg_blob(&bad.start.head, &len) && !len, "an empty blob is one");
}

static void test_crash(void)
{
	struct {
		struct supervisor_msg_crash crash;
		char text[16];
		struct {
			struct supervisor_lineage_entry entry;
			char text[8];
		} lineage[2];
	} msg = {
		.crash = {
			.head = { .size = sizeof(msg),
				  .type = SUPERVISOR_MSG_CRASH },
			.id_len = 3, .path_len = 8,
			.text_offset = sizeof(msg.crash),
			.ancestors = 1, .callers = 1,
			.lineage_offset = sizeof(msg.crash) + 16,
		},
		.text = "web\0shop/top",
		.lineage = {
			{ { .size = sizeof(msg.lineage[0]), .id_len = 5,
			    .text_offset = sizeof(msg.lineage[0].entry) },
			  "/root" },
			{ { .size = sizeof(msg.lineage[0]), .id_len = 3,
			    .path_len = 2, .kind = SUPERVISOR_LINEAGE_CALLER,
			    .text_offset = sizeof(msg.lineage[0].entry) },
			  "web\0ab" },
		},
	}, bad;
	const struct supervisor_msg *head = &msg.crash.head;
	const struct supervisor_lineage_entry *entry;

	ok(sup_msg_crash(head) && !sup_msg_event(head), "a crash is one");
	is_text(sup_msg_id(head), "web", "its id");
	is_text(sup_msg_path(head), "shop/top", "its path");
	entry = sup_crash_next(&msg.crash, NULL);
	ok(entry == &msg.lineage[0].entry, "its first ancestor");
	is_text(sup_lineage_id(&msg.lineage[0].entry), "/root", "its name");
	is_text(sup_lineage_path(&msg.lineage[0].entry), "", "and no path");
	entry = sup_crash_next(&msg.crash, entry);
	ok(entry == &msg.lineage[1].entry, "its first caller");
	is_text(sup_lineage_path(&msg.lineage[1].entry), "ab", "a path");
	ok(!sup_crash_next(&msg.crash, entry), "and no more");

	bad = msg;
	bad.lineage[0].entry.id_len = 7;
	ok(!sup_crash_next(&bad.crash, NULL), "a name without room for a path");
	bad = msg;
	bad.lineage[0].entry.text_offset = ~0U;
	ok(!sup_crash_next(&bad.crash, NULL), "a name nowhere");
	bad = msg;
	bad.lineage[0].entry.path_len = 65535;
	ok(!sup_crash_next(&bad.crash, NULL), "a path beyond the entry");
	bad = msg;
	bad.crash.lineage_offset = sizeof(bad) + 8;
	ok(!sup_msg_crash(&bad.crash.head), "a lineage beyond the message");
	bad = msg;
	bad.crash.lineage_offset += 4;
	ok(!sup_msg_crash(&bad.crash.head), "one that is not aligned");
	bad = msg;
	bad.crash.path_len = 65535;
	ok(!sup_msg_crash(&bad.crash.head), "a path beyond the message");
}

static void test_walk(void)
{
	struct supervisor_msg msgs[3] = {
		{ .size = sizeof(msgs[0]), .type = SUPERVISOR_MSG_GAP },
		{ .size = sizeof(msgs[0]) }, { .size = sizeof(msgs[0]) },
	};
	const struct supervisor_msg *msg = NULL;
	int n = 0;

	while ((msg = sup_msg_next(msgs, sizeof(msgs), msg)))
		n++;
	is(n, 3, "walks three messages");
	ok(!sup_msg_next(msgs, 0, NULL), "and none");
	msgs[1].size = 0;
	ok(!sup_msg_next(msgs, sizeof(msgs), msgs), "a size of 0 ends it");
	msgs[1].size = sizeof(msgs[0]) + 4;
	ok(!sup_msg_next(msgs, sizeof(msgs), msgs), "one that is odd");
	msgs[1].size = sizeof(msgs);
	ok(!sup_msg_next(msgs, sizeof(msgs), msgs), "one that is too large");
	msgs[1].size = 0xfffffff8;
	ok(!sup_msg_next(msgs, sizeof(msgs), msgs), "one that wraps");
	ok(!sup_msg_next(msgs, sizeof(msgs) - 1, msgs + 1),
	   "a message cut short");
}

static void test_answer(void)
{
	struct {
		struct supervisor_msg_answer answer;
		struct supervisor_child_status child;
		char name[8];
	} msg = {
		.answer = {
			.head = { .size = sizeof(msg),
				  .type = SUPERVISOR_MSG_ANSWER },
			.command = SUPERVISOR_CMD_WHICH_CHILDREN,
			.data_len = sizeof(msg.child) + 8, .out_count = 1,
			.data_offset = sizeof(msg.answer),
		},
		.child = { .size = sizeof(msg.child) + 8, .name_len = 3,
			   .name_offset = sizeof(msg.child) },
		.name = "web",
	};
	const struct supervisor_msg *head = &msg.answer.head;
	const struct supervisor_child_status *child;
	SUP_OPTS(sup_child_opts, opts);
	size_t key_len = 99;

	child = sup_msg_child_next(head, NULL);
	ok(child && !strcmp(sup_children_id(child), "web"), "a child of an answer");
	ok(child && !sup_children_key(child, &key_len) && !key_len,
	   "which has no key");
	msg.child.key_len = 2;
	msg.child.key_offset = sizeof(msg.child) + 4;
	memcpy(msg.name, "web\0db", 7);
	child = sup_msg_child_next(head, NULL);
	ok(child && !memcmp(sup_children_key(child, &key_len), "db", 2) &&
	   key_len == 2, "or has one");
	msg.child.key_len = 4;
	ok(!sup_msg_child_next(head, NULL), "but not beyond the record");
	msg.child.key_len = 0;
	child = sup_msg_child_next(head, NULL);
	ok(!sup_msg_child_next(head, child), "and no more");
	ok(!sup_msg_count(head), "it is no count");
	is(sup_msg_spec(head, &opts), -EINVAL, "nor a spec");
	msg.child.name_len = 8;
	ok(!sup_msg_child_next(head, NULL), "a name without its NUL");
	msg.child.name_len = 0xffffffff;
	ok(!sup_msg_child_next(head, NULL), "a name beyond the record");
	msg.child.name_len = 3;
	msg.answer.data_len += 8;
	ok(sup_msg_answer(head) && !sup_msg_child_next(head, NULL),
	   "an answer that there was no room for");
	msg.answer.data_len -= 8;
	msg.answer.result = SUPERVISOR_RESULT_NOPROC;
	ok(!sup_msg_child_next(head, NULL), "an error has no children");
}

static void test_data(void)
{
	struct {
		struct supervisor_msg_data data;
		char payload[8];
		char path[8];
	} msg = {
		.data = {
			.head = { .size = sizeof(msg),
				  .type = SUPERVISOR_MSG_CALL,
				  .flags = SUPERVISOR_MSG_F_PATH, .ref = 7 },
			.payload_len = 5, .path_len = 3,
			.payload_offset = sizeof(msg.data),
		},
		.payload = "bytes",
		.path = "top",
	};
	const struct supervisor_msg *head = &msg.data.head;
	size_t len;

	ok(sup_msg_data(head) && !sup_msg_reply(head) && !sup_msg_down(head),
	   "a CALL is one");
	ok(sup_msg_payload(head, &len) == msg.payload && len == 5,
	   "its payload");
	is_text(sup_msg_path(head), "top", "its sender's path");
	is_text(sup_msg_id(head), "", "which is no id");
	msg.data.head.type = SUPERVISOR_MSG_CAST;
	ok(sup_msg_data(head), "a CAST is one");
	msg.data.head.flags = 0;
	is_text(sup_msg_path(head), "", "a path that was not asked for");
	msg.data.head.flags = SUPERVISOR_MSG_F_PATH;
	msg.data.path_len = 8;
	is_text(sup_msg_path(head), "", "a path without its NUL");
	msg.data.payload_len = 16;
	ok(sup_msg_payload(head, &len) && len == 16, "a payload to the end");
	is_text(sup_msg_path(head), "", "then no path is there");
	msg.data.payload_len = 17;
	ok(!sup_msg_payload(head, &len) && !len, "a payload beyond it");
	msg.data.payload_len = 0;
	ok(sup_msg_payload(head, &len) && !len, "an empty one is one");
	msg.data.payload_len = ~0U;
	ok(!sup_msg_data(head), "one that wraps");
	msg.data.payload_len = 0;
	msg.data.payload_offset = sizeof(msg) + 1;
	ok(!sup_msg_data(head), "one nowhere");
	msg.data.head.size = sizeof(msg.data.head);
	ok(!sup_msg_data(head), "a CAST cut short");
}

static void test_reply(void)
{
	struct {
		struct supervisor_msg_reply reply;
		char payload[8];
	} msg = {
		.reply = {
			.head = { .size = sizeof(msg),
				  .type = SUPERVISOR_MSG_REPLY },
			.payload_len = 8, .payload_offset = sizeof(msg.reply),
		},
		.payload = "replies",
	};
	struct supervisor_msg_down down = {
		.head = { .size = sizeof(down), .type = SUPERVISOR_MSG_DOWN },
	};
	const struct supervisor_msg *head = &msg.reply.head;
	size_t len;

	ok(sup_msg_reply(head) && !sup_msg_data(head), "a REPLY is one");
	ok(sup_msg_payload(head, &len) == msg.payload && len == 8,
	   "its payload");
	msg.reply.payload_len = 9;
	ok(!sup_msg_reply(head) && !sup_msg_payload(head, &len),
	   "a payload beyond it");
	msg.reply.payload_len = 8;
	ok(len + sizeof(msg.reply) <= SUP_REPLY_ROOM, "SUP_REPLY_ROOM does");

	ok(sup_msg_down(&down.head), "a DOWN is one");
	down.head.type = SUPERVISOR_MSG_EXIT;
	ok(sup_msg_down(&down.head), "an EXIT, too");
	down.head.size = sizeof(down) - 8;
	ok(!sup_msg_down(&down.head), "but not cut short");
	ok(!sup_msg_payload(&down.head, &len) && !len, "and has no payload");
}

static void test_spec(void)
{
	struct {
		struct supervisor_msg_answer answer;
		struct supervisor_child_spec spec;
		char blob[8];
		char key[8];
		char value[8];
	} msg = {
		.answer = {
			.head = { .size = sizeof(msg),
				  .type = SUPERVISOR_MSG_ANSWER },
			.command = SUPERVISOR_CMD_CHILD_SPEC,
			.data_len = sizeof(msg.spec) + 24,
			.data_offset = sizeof(msg.answer),
		},
		.spec = {
			.size = sizeof(msg.spec),
			.flags = SUPERVISOR_CHILD_F_RETRY_UNCOUNTED,
			.restart = SUPERVISOR_TRANSIENT, .shutdown_ms = 7,
			.blob = sizeof(msg.spec), .blob_len = 8,
		},
	};
	SUP_OPTS(sup_child_opts, opts, .supervisor = 5);

	is(sup_msg_spec(&msg.answer.head, &opts), 0, "a spec of an answer");
	ok(opts.sz == sizeof(opts) && opts.restart == SUPERVISOR_TRANSIENT &&
	   opts.shutdown_ms == 7 && opts.retry_uncounted == 1 &&
	   opts.blob == msg.blob && opts.blob_len == 8 &&
	   opts.supervisor == -1 && opts.registry == -1 && !opts.key,
	   "what it says");
	msg.spec.flags |= SUPERVISOR_CHILD_F_REGISTER;
	msg.spec.registry_fd = -1;
	msg.spec.register_key = sizeof(msg.spec) + 8;
	msg.spec.register_key_len = 3;
	msg.spec.register_value = sizeof(msg.spec) + 16;
	msg.spec.register_value_len = 8;
	is(sup_msg_spec(&msg.answer.head, &opts), 0, "one of a key");
	ok(opts.registry == -1 && opts.key == msg.key && opts.key_len == 3 &&
	   opts.value == msg.value && opts.value_len == 8, "and value");
	msg.spec.register_value_len = 9;
	is(sup_msg_spec(&msg.answer.head, &opts), -EBADMSG,
	   "a value beyond the answer");
	msg.spec.register_value_len = 8;
	msg.spec.register_key = ~0ULL;
	is(sup_msg_spec(&msg.answer.head, &opts), -EBADMSG, "a key that wraps");
	msg.spec.register_key = sizeof(msg.spec) + 8;
	msg.spec.blob = sizeof(msg.spec) + 17;
	is(sup_msg_spec(&msg.answer.head, &opts), -EBADMSG,
	   "a blob beyond the answer");
	msg.spec.blob = ~0ULL;
	is(sup_msg_spec(&msg.answer.head, &opts), -EBADMSG, "one that wraps");
	opts.sz = 8;
	is(sup_msg_spec(&msg.answer.head, &opts), -EINVAL, "no room for it");
}

static void test_opts(void)
{
	struct {
		struct sup_create_opts opts;
		unsigned char more[8];
	} grown = { { SUP_DEFAULTS_sup_create_opts }, { 0 } };
	SUP_OPTS(sup_create_opts, opts, .intensity = 0);
	SUP_OPTS(sup_result, result);

	ok(opts.intensity == 0 && opts.period == 5 && opts.sz == sizeof(opts),
	   "options are the defaults but for those given");
	is(sup_create(-1, -1, &opts, &result), -EBADF, "sz as it should be");
	is(sup_create(-1, -1, NULL, NULL), -EBADF, "or no options");
	opts.sz = 4;
	is(sup_create(-1, -1, &opts, NULL), -EINVAL, "sz too small");
	grown.opts.sz = sizeof(grown);
	is(sup_create(-1, -1, &grown.opts, NULL), -EBADF,
	   "a later struct, with zeros");
	grown.more[7] = 1;
	is(sup_create(-1, -1, &grown.opts, NULL), -E2BIG,
	   "a later struct that asks for more");
	result.sz = 8;
	is(sup_create(-1, -1, NULL, &result), -EINVAL, "a short result");
}

static void test_words(void)
{
	is_text(sup_word(SUP_WORDS_STRATEGY, SUPERVISOR_REST_FOR_ONE),
		"rest_for_one", "a word of OTP's");
	ok(!sup_word(SUP_WORDS_STRATEGY, 3), "none beyond the last");
	ok(!sup_word((enum sup_words)99, 0), "nor of no kind");
	for (int words = 0; words <= SUP_WORDS_SPAWN; words++) {
		uint32_t n = 0;

		while (sup_word((enum sup_words)words, n))
			n++;
		ok(n >= 2, "kind %d has %u words and no hole", words, n);
	}
}

static void test_deadline(void)
{
	uint64_t now = sup_deadline_in(0);

	ok(now && now != SUPERVISOR_NO_DEADLINE, "now");
	ok(sup_deadline_in(1000) >= now + 1000000000, "in a second");
	ok(sup_deadline_in(~0ULL) == SUPERVISOR_NO_DEADLINE, "never");
}

static void test_processors(void)
{
	uint32_t all = sup_processors();
	cpu_set_t cpus;
	int i = 0;

	ok(all >= 1, "processors");
	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		return;
	while (!CPU_ISSET(i, &cpus))
		i++;
	CPU_ZERO(&cpus);
	CPU_SET(i, &cpus);
	is(sched_setaffinity(0, sizeof(cpus), &cpus), 0, "to run on one");
	is((int)sup_processors(), 1, "is to have one");
}

int main(void)
{
	errno = 0;
	test_start();
	test_crash();
	test_walk();
	test_answer();
	test_data();
	test_reply();
	test_spec();
	test_opts();
	test_words();
	test_deadline();
	test_processors();
	is(errno, 0, "errno was left alone");
	return tap_end();
}
