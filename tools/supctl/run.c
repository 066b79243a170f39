// SPDX-License-Identifier: GPL-2.0
/*
 * run, adopt - the owner and spawner of a tree, in the foreground. One thread
 * starts processes and does nothing else; this one hears signals and the tree's
 * events. The kernel decides all that happens to the tree meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../common.h"
#include "event_text.h"
#include "narrator.h"
#include "notify.h"
#include "options.h"
#include "reload.h"
#include "signals.h"
#include "target.h"
#include "tree_create.h"
#include "tree_registry.h"
#include "verbs.h"
#include "words.h"

#define RING_BYTES (1 << 20)
#define BUFFER_BYTES 65536
#define JOIN_S 5

struct runner {
	const char *file;		/* NULL: was adopted */
	char *name;
	int device;
	int root;
	int control;			/* mailbox of START requests */
	int mailbox;			/* of events and answers */
	int signals;
	struct narrator narrator;
	struct reload *reload;		/* likewise */
	bool up;
	bool stopping;
	bool reload_wanted;
	bool reloading;
};

static void *spawn(void *context)
{
	struct sup_spawner *spawner = context;
	int err;

	do
		err = sup_spawner_run(spawner);
	while (err == -EINTR);
	if (err < 0)
		complain_error(-err, "spawner");
	return NULL;
}

/* False if it hangs in an exec, as on a file system that does not answer. */
static bool join(pthread_t thread)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += JOIN_S;
	return !pthread_timedjoin_np(thread, NULL, &until);
}

static struct tree *read_tree(const char *file)
{
	struct mistakes mistakes = { 0 };
	struct tree *tree;
	int err = tree_file_read(file, &tree, &mistakes);

	if (err)
		complain_error(-err, "%s", file);
	mistakes_print(&mistakes, file);
	mistakes_free(&mistakes);
	return tree;
}

static void stop(struct runner *runner)
{
	int err;

	if (runner->stopping)
		return;
	runner->stopping = true;
	notify("STOPPING=1");
	if (runner->reload)
		reload_cancel(runner->reload);
	err = sup_stop_async(runner->root, SUPERVISOR_EXIT_NORMAL);
	if (err < 0 && err != -ESHUTDOWN)
		complain_error(-err, "%s: stop", runner->name);
}

/* One reload at a time; SIGHUPs meanwhile ask for one more. */
static void reload(struct runner *runner)
{
	struct tree *tree;

	if (runner->stopping || !runner->up || runner->reloading)
		return;
	runner->reload_wanted = false;
	runner->reloading = true;
	notify("RELOADING=1\nMONOTONIC_USEC=%llu",
	       (unsigned long long)(monotonic_ns() / 1000));
	tree = read_tree(runner->file);
	if (tree && tree_registries_open(runner->device, tree) < 0) {
		tree_free(tree);
		tree = NULL;
	}
	if (tree)
		reload_begin(runner->reload, tree);
	else
		complain("%s: not reloaded", runner->name);
}

static void check_reloaded(struct runner *runner)
{
	if (!runner->reloading || reload_busy(runner->reload))
		return;
	runner->reloading = false;
	notify("READY=1");
	if (runner->reload_wanted)
		reload(runner);
}

static void take_signals(struct runner *runner)
{
	int number;

	while ((number = signals_next(runner->signals))) {
		if (number != SIGHUP) {
			stop(runner);
		} else if (!runner->reload) {
			complain("%s: was adopted: no file to reload",
				 runner->name);
		} else {
			runner->reload_wanted = true;
			reload(runner);
		}
	}
}

static void note_up(struct runner *runner)
{
	if (runner->up)
		return;
	runner->up = true;
	notify("READY=1");
	if (runner->reload_wanted)
		reload(runner);
}

/* After lost events: is the tree up? */
static void look_up(struct runner *runner)
{
	struct supervisor_status status = { .size = sizeof(status) };

	if (sup_status(runner->root, &status, NULL) >= 0 &&
	    status.out_state == SUPERVISOR_STATE_UP)
		note_up(runner);
}

static void take_event(struct runner *runner,
		       const struct supervisor_msg_event *event)
{
	char *path;

	if (event->event != SUPERVISOR_EVENT_UP)
		return;
	if (!event->head.child) {
		note_up(runner);
	} else if (runner->reload && !runner->stopping) {
		path = event_path(runner->name, &event->head);
		reload_restarted(runner->reload, strchr(path, '/') + 1);
		free(path);
	}
}

static void take_message(struct runner *runner,
			 const struct supervisor_msg *msg)
{
	const struct supervisor_msg_answer *answer = sup_msg_answer(msg);
	const struct supervisor_msg_event *event = sup_msg_event(msg);

	if (answer && runner->reload)
		reload_answer(runner->reload, answer);
	if (answer)
		return;
	narrator_message(&runner->narrator, msg);
	if (event)
		take_event(runner, event);
	else
		look_up(runner);
}

static void take_messages(struct runner *runner)
{
	static _Alignas(8) char buffer[BUFFER_BYTES];

	for (;;) {
		const struct supervisor_msg *msg = NULL;
		size_t length = sizeof(buffer);
		int got = sup_mailbox_recv(runner->mailbox, buffer, &length, 0,
					   0);

		if (got <= 0) {
			if (got != -EAGAIN && got != -EINTR)
				complain_error(-got, "%s: events",
					       runner->name);
			return;
		}
		while ((msg = sup_msg_next(buffer, length, msg)))
			take_message(runner, msg);
	}
}

/* Until the tree is down. */
static void serve(struct runner *runner)
{
	struct pollfd fds[] = {
		{ .fd = runner->root },
		{ .fd = runner->mailbox, .events = POLLIN },
		{ .fd = runner->signals, .events = POLLIN },
	};

	do {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			die_error(errno, "poll");
		take_messages(runner);
		take_signals(runner);
		check_reloaded(runner);
	} while (!(fds[0].revents & (POLLHUP | POLLERR)));
	take_messages(runner);
}

/* What has become of the tree, as an exit status. */
static int conclude(struct runner *runner)
{
	struct supervisor_status status = { .size = sizeof(status) };
	uint32_t reason, down;
	int err = sup_wait_down(runner->root, 0, &reason, &down);

	if (!err)
		err = sup_status(runner->root, &status, NULL);
	if (err < 0)
		die_error(-err, "%s", runner->name);
	switch (down) {
	case SUPERVISOR_DOWN_STOPPED:
	case SUPERVISOR_DOWN_AUTO_SHUTDOWN:
	case SUPERVISOR_DOWN_RELEASED:
		return STATUS_OK;
	case SUPERVISOR_DOWN_INTENSITY:
		complain("%s: gave up: more than %lld restarts within %llds",
			 runner->name, (long long)status.out_intensity,
			 (long long)status.out_period);
		return STATUS_FALSE;
	case SUPERVISOR_DOWN_INIT_FAILED:
		if (runner->stopping)
			return STATUS_OK;
		complain("%s: did not start", runner->name);
		return STATUS_FALSE;
	default:
		complain("%s: down: %s", runner->name,
			 word_of(SUP_WORDS_DOWN, down));
		return STATUS_FALSE;
	}
}

/* A root without children yet, or an exit status below 0. */
static int make(struct runner *runner, int device, struct tree *tree)
{
	SUP_OPTS(sup_mailbox_opts, mailbox,
		 .survive = tree->root.opts.owner_death ==
			    SUPERVISOR_OWNER_DEATH_HOLD);

	runner->control = sup_mailbox_create_with(device, &mailbox, NULL);
	if (runner->control < 0)
		die_error(-runner->control, "mailbox");
	runner->root = tree_create(device, runner->control, tree);
	return runner->root < 0 ? -status_of_error(-runner->root) : 0;
}

static int adopt(struct runner *runner, int device)
{
	runner->root = open_root(device, runner->name, O_RDWR);
	if (runner->root < 0)
		return runner->root;
	runner->control = sup_adopt(runner->root);
	if (runner->control >= 0)
		return 0;
	if (runner->control == -EBUSY)
		complain("%s: is not held: it has an owner", runner->name);
	else
		complain_error(-runner->control, "%s: adopt", runner->name);
	return -status_of_error(-runner->control);
}

/* Is there a tree of this name? */
static bool is_there(int device, const char *name)
{
	char *path = xasprintf("/%s", name);
	int fd = sup_open(device, path, O_RDWR, NULL);

	free(path);
	if (fd >= 0)
		close(fd);
	return fd != -ENOENT;
}

/* What there is to hear of the tree goes to a mailbox of its own. */
static void listen_to(struct runner *runner, int device)
{
	int err;

	runner->mailbox = sup_mailbox_create(device, RING_BYTES, NULL);
	if (runner->mailbox < 0)
		die_error(-runner->mailbox, "mailbox");
	err = sup_subscribe(runner->root, runner->mailbox, NULL);
	if (err < 0)
		die_error(-err, "%s: events", runner->name);
}

/* Serves the tree until it is down, starting it first if it is new. */
static int run_tree(struct runner *runner, int device, bool new)
{
	SUP_OPTS(sup_spawner_opts, spawner_opts,
		 .raise_files = 1,
		 .on_fail = narrator_failed,
		 .context = &runner->narrator);
	static const int caught[] = { SIGTERM, SIGINT, SIGHUP };
	struct sup_spawner *spawner;
	pthread_t thread;
	int err, status;

	runner->signals = signals_catch(caught, ARRAY_SIZE(caught));
	spawner_opts.supervisor = runner->root;
	err = sup_spawner_new(&spawner, device, runner->control, &spawner_opts);
	if (err < 0)
		die_error(-err, "spawner");
	err = pthread_create(&thread, NULL, spawn, spawner);
	if (err)
		die_error(err, "spawner");
	err = new ? sup_start_async(runner->root) : 0;
	if (err < 0)
		die_error(-err, "%s: start", runner->name);
	look_up(runner);

	serve(runner);
	status = conclude(runner);
	if (join(thread))
		sup_spawner_free(spawner);
	else
		complain("spawner: still starting a process: left behind");
	close(runner->root);
	close(runner->mailbox);
	close(runner->control);
	return status;
}

static int run_file(struct runner *runner, int device, struct tree *tree,
		    const struct options *options)
{
	bool new = !options->adopt || !is_there(device, runner->name);
	int err = new ? make(runner, device, tree) : adopt(runner, device);

	if (err < 0)
		return -err;
	listen_to(runner, device);
	/* What an adopted tree was made of nobody knows. */
	if (new)
		runner->reload = reload_new(device, runner->root,
					    runner->mailbox, tree,
					    options->restart_changed);
	return run_tree(runner, device, new);
}

static void override(struct sup_create_opts *opts, const struct options *options)
{
	if (options->owner_death) {
		if (!word_parse(SUP_WORDS_OWNER_DEATH, options->owner_death,
				&opts->owner_death))
			die(STATUS_USAGE,
			    "--on-owner-death=%s: expected shutdown, release or hold",
			    options->owner_death);
		if (opts->owner_death != SUPERVISOR_OWNER_DEATH_HOLD)
			opts->hold_ms = 0;
	}
	if (options->hold_ms)
		opts->hold_ms = options->hold_ms;
	if (opts->hold_ms && opts->owner_death != SUPERVISOR_OWNER_DEATH_HOLD)
		die(STATUS_USAGE, "--hold is for --on-owner-death=hold");
	if (!opts->hold_ms && opts->owner_death == SUPERVISOR_OWNER_DEATH_HOLD)
		die(STATUS_USAGE,
		    "--on-owner-death=hold: for how long? Say --hold=TIME");
}

int verb_run(int argc, char **argv)
{
	struct options options = {
		.allowed = OPTION_RESTART_CHANGED | OPTION_QUIET |
			   OPTION_VERBOSE | OPTION_OWNER_DEATH,
	};
	struct runner runner = { 0 };
	struct tree *tree;
	int device, status;

	options_parse(&options, argc, argv, "FILE",
		      "Starts the tree in FILE and serves it until it ends. SIGTERM and SIGINT stop it in order, SIGHUP reads FILE again.");
	runner.file = options.argument;
	tree = read_tree(runner.file);
	if (!tree)
		return STATUS_USAGE;
	override(&tree->root.opts, &options);
	runner.name = xstrdup(tree->name);
	narrator_init(&runner.narrator, runner.name, options.quiet,
		      options.verbose);
	device = open_device();
	runner.device = device;
	status = run_file(&runner, device, tree, &options);
	close(device);
	if (runner.reload)
		reload_free(runner.reload);
	else
		tree_free(tree);
	narrator_free(&runner.narrator);
	free(runner.name);
	return status;
}

int verb_adopt(int argc, char **argv)
{
	struct options options = {
		.allowed = OPTION_QUIET | OPTION_VERBOSE,
	};
	struct runner runner = { 0 };
	struct target target;
	int device, status;

	options_parse(&options, argc, argv, "NAME",
		      "Becomes the owner of the tree NAME, which is held because its owner is gone, and serves it until it ends. SIGTERM and SIGINT stop it in order.");
	target = target_parse(options.argument);
	if (target.id)
		die(STATUS_USAGE, "'%s': only a whole tree is adopted",
		    options.argument);
	runner.name = target.root;
	narrator_init(&runner.narrator, runner.name, options.quiet,
		      options.verbose);
	device = open_device();
	status = -adopt(&runner, device);
	if (!status) {
		listen_to(&runner, device);
		status = run_tree(&runner, device, false);
	}
	close(device);
	narrator_free(&runner.narrator);
	target_free(&target);
	return status;
}
