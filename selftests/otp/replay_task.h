/* SPDX-License-Identifier: GPL-2.0 */
/* Task scenarios, NAME.tsk: replay_task.c plays them on the library's tasks. */
#ifndef REPLAY_TASK_H
#define REPLAY_TASK_H

#include <stdbool.h>

/* Play a file; false, after saying why, if that was not possible. */
bool task_play_file(const char *path);

#endif
