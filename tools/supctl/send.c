// SPDX-License-Identifier: GPL-2.0
/*
 * cast, call, mailbox reply - what may be said to a mailbox. GenServer's cast,
 * call and reply.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../common.h"
#include "json_put.h"
#include "options.h"
#include "payload.h"
#include "target.h"
#include "verbs.h"
#include "words.h"

/* OTP's. */
#define CALL_TIMEOUT_NS (5 * NSEC_PER_SEC)

static const struct ending {
	int error;
	const char *word;		/* NULL: the errno's name */
	const char *text;		/* NULL: the errno's */
	int status;
} endings[] = {
	{ ENOENT, "noproc", "no mailbox of this name", STATUS_FALSE },
	{ ESHUTDOWN, "noproc", "nobody serves it", STATUS_FALSE },
	{ EOWNERDEAD, "died", "its server died", STATUS_DIED },
	{ ETIMEDOUT, "timeout", NULL, STATUS_TIMEOUT },
	{ EDEADLK, NULL, "is served by the caller", STATUS_SYSTEM },
};

/* Of a reply. */
static const struct ending reply_endings[] = {
	{ ENOENT, NULL, "no mailbox of this name, or no such call", STATUS_FALSE },
	{ EALREADY, NULL, "the call has been answered", STATUS_FALSE },
	{ ESTALE, NULL, "nobody waits for the reply any more", STATUS_FALSE },
};

static const struct ending *find_ending(const struct ending *all, size_t count,
					int error)
{
	static struct ending other;
	size_t i;

	for (i = 0; i < count; i++)
		if (all[i].error == error)
			return &all[i];
	other.error = error;
	other.status = STATUS_SYSTEM;
	return &other;
}

static void explain(const char *name, const struct ending *ending,
		    const struct sup_result *result)
{
	if (result->max)
		complain("%s: more than the %llu bytes that it takes", name,
			 (unsigned long long)result->max);
	else if (result->limit)
		complain_error(ending->error, "%s: limit of %s", name,
			       word_of(SUP_WORDS_LIMIT, result->limit));
	else if (ending->text)
		complain("%s: %s", name, ending->text);
	else
		complain_error(ending->error, "%s", name);
}

/* @reply: of a call, or NULL. */
static int tell(const struct options *options, const struct ending *ending,
		const struct sup_result *result, const struct payload *reply)
{
	json_t *answer;

	if (ending)
		explain(options->argument, ending, result);
	if (options->json) {
		answer = json_object();
		json_put_text(answer, "mailbox", options->argument);
		json_put_bool(answer, "ok", !ending);
		if (ending && !ending->word)
			json_put_errno(answer, "result", ending->error);
		else
			json_put_text(answer, "result",
				      ending ? ending->word : "ok");
		if (!ending && reply)
			payload_put(answer, "reply", reply->bytes,
				    reply->length);
		json_print_line(answer);
	} else if (!ending && reply) {
		payload_print(reply->bytes, reply->length);
	}
	return ending ? ending->status : STATUS_OK;
}

/* The mailbox, or an errno, negated. */
static int open_it(const char *name, int access)
{
	int device = open_device();
	int fd = sup_mailbox_open(device, name, access, NULL);

	close(device);
	return fd;
}

static void parse(struct options *options, int argc, char **argv,
		  const char *args, const char *doc)
{
	options->allowed = OPTION_JSON | OPTION_TIMEOUT;
	options_parse(options, argc, argv, args, doc);
	check_mailbox_name(options->argument);
}

int verb_cast(int argc, char **argv)
{
	SUP_OPTS(sup_result, result);
	struct options options = { 0 };
	struct payload payload;
	int fd, err;

	parse(&options, argc, argv, "/NAME [PAYLOAD]",
	      "Sends PAYLOAD, or standard input, and does not wait for an answer.");
	err = fd = open_it(options.argument, O_WRONLY);
	if (fd >= 0) {
		payload = payload_read(*options.more);
		err = sup_mailbox_send(fd, payload.bytes, payload.length,
				       options.deadline, &result);
		close(fd);
	}
	return tell(&options, err < 0 ? find_ending(endings,
						    ARRAY_SIZE(endings), -err) :
					NULL, &result, NULL);
}

int verb_call(int argc, char **argv)
{
	static char room[SUPERVISOR_PAYLOAD_MAX];
	struct payload reply = { .bytes = room, .length = sizeof(room) };
	SUP_OPTS(sup_result, result);
	struct options options = { 0 };
	struct payload payload;
	uint64_t call = 0;
	int fd, err;

	parse(&options, argc, argv, "/NAME [PAYLOAD]",
	      "Sends PAYLOAD, or standard input, and prints the reply, for which it waits five seconds.");
	err = fd = open_it(options.argument, O_WRONLY);
	if (fd >= 0) {
		payload = payload_read(*options.more);
		if (!options.timed)
			options.deadline = monotonic_ns() + CALL_TIMEOUT_NS;
		err = sup_mailbox_call(fd, payload.bytes, payload.length, room,
				       &reply.length, options.deadline, &call,
				       &result);
		close(fd);
	}
	return tell(&options, err < 0 ? find_ending(endings,
						    ARRAY_SIZE(endings), -err) :
					NULL, &result, &reply);
}

int mailbox_reply(int argc, char **argv)
{
	struct options options = { .allowed = OPTION_JSON };
	SUP_OPTS(sup_result, result);
	struct payload payload;
	uint64_t ref;
	int fd, err;

	options_parse(&options, argc, argv, "/NAME CALL [PAYLOAD]",
		      "Answers a call that was received, with PAYLOAD or standard input.");
	check_mailbox_name(options.argument);
	if (!parse_u64(options.more[0], 1, UINT64_MAX, &ref))
		die(STATUS_USAGE, "'%s': not a call's number", options.more[0]);
	err = fd = open_it(options.argument, O_RDONLY);
	if (fd >= 0) {
		payload = payload_read(options.more[1]);
		err = sup_call_reply(fd, ref, payload.bytes, payload.length);
		close(fd);
	}
	return tell(&options, err < 0 ?
			find_ending(reply_endings, ARRAY_SIZE(reply_endings),
				    -err) : NULL, &result, NULL);
}
