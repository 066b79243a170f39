/* SPDX-License-Identifier: GPL-2.0 */
/*
 * verbs - the verbs of supctl. Each parses its own options, and returns an exit
 * status. argv[0] is "supctl VERB".
 */
#ifndef SUPCTL_VERBS_H
#define SUPCTL_VERBS_H

#include <stddef.h>

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;
	const char *doc;
};

/*
 * Runs the verb that argv[1] names. argv[0] is what comes before it. @notes end
 * the list of them that --help prints.
 */
int verbs_run(const struct verb *verbs, size_t count, const char *notes,
	      int argc, char **argv);

int verb_run(int argc, char **argv);
int verb_adopt(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_tree(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_info(int argc, char **argv);
int verb_start(int argc, char **argv);
int verb_start_child(int argc, char **argv);
int verb_join(int argc, char **argv);
int verb_stop(int argc, char **argv);
int verb_restart(int argc, char **argv);
int verb_delete(int argc, char **argv);
int verb_suspend(int argc, char **argv);
int verb_resume(int argc, char **argv);
int verb_route(int argc, char **argv);
int verb_resize(int argc, char **argv);
int verb_events(int argc, char **argv);
int verb_lineage(int argc, char **argv);
int verb_cast(int argc, char **argv);
int verb_call(int argc, char **argv);
int verb_monitor(int argc, char **argv);
int verb_sys(int argc, char **argv);
int verb_map(int argc, char **argv);

/* "supctl mailbox VERB". */
int verb_mailbox(int argc, char **argv);
int mailbox_create(int argc, char **argv);
int mailbox_recv(int argc, char **argv);
int mailbox_reply(int argc, char **argv);
int mailbox_ls(int argc, char **argv);
int mailbox_status(int argc, char **argv);
int mailbox_rm(int argc, char **argv);

/* "supctl registry VERB". */
int verb_registry(int argc, char **argv);
int registry_ls(int argc, char **argv);
int registry_get(int argc, char **argv);
int registry_put(int argc, char **argv);
int registry_watch(int argc, char **argv);
int registry_publish(int argc, char **argv);
int registry_signal(int argc, char **argv);
int registry_rm(int argc, char **argv);

#endif
