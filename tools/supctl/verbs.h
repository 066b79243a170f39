/* SPDX-License-Identifier: GPL-2.0 */
/*
 * verbs - the verbs of supctl. Each parses its own options, and returns an exit
 * status. argv[0] is "supctl VERB".
 */
#ifndef SUPCTL_VERBS_H
#define SUPCTL_VERBS_H

int verb_run(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_tree(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_info(int argc, char **argv);
int verb_start(int argc, char **argv);
int verb_stop(int argc, char **argv);
int verb_restart(int argc, char **argv);
int verb_delete(int argc, char **argv);
int verb_suspend(int argc, char **argv);
int verb_resume(int argc, char **argv);
int verb_events(int argc, char **argv);

#endif
