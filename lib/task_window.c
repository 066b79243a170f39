// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * task_window.c - owns the order of a stream: which item may begin, whose time is
 * up, whose result goes out. Pure: it knows neither processes nor clocks.
 */
#include "task.h"

#define pane_of(node, member) container_of(node, struct sup_pane, member)

void sup_window_setup(struct sup_window *window, uint64_t max, bool ordered,
		     uint64_t timeout_ns)
{
	sup_list_init(&window->turns);
	sup_list_init(&window->running);
	window->max = max;
	window->running_count = 0;
	window->ordered = ordered;
	window->timeout_ns = timeout_ns;
	window->next_index = 0;
}

bool sup_window_open(const struct sup_window *window)
{
	return window->running_count < window->max;
}

void sup_window_begin(struct sup_window *window, struct sup_pane *pane,
		      uint64_t now)
{
	pane->state = SUP_PANE_RUNNING;
	pane->index = window->next_index++;
	pane->deadline = SUPERVISOR_NO_DEADLINE;
	if (window->timeout_ns < SUPERVISOR_NO_DEADLINE - now)
		pane->deadline = now + window->timeout_ns;
	sup_list_append(&window->running, &pane->running);
	window->running_count++;
	if (window->ordered)
		sup_list_append(&window->turns, &pane->turn);
}

void sup_window_end(struct sup_window *window, struct sup_pane *pane)
{
	if (pane->state != SUP_PANE_RUNNING)
		return;
	pane->state = SUP_PANE_ENDED;
	sup_list_remove(&pane->running);
	window->running_count--;
	if (!window->ordered)
		sup_list_append(&window->turns, &pane->turn);
}

struct sup_pane *sup_window_take(struct sup_window *window)
{
	struct sup_pane *pane;

	if (sup_list_empty(&window->turns))
		return NULL;
	pane = pane_of(window->turns.next, turn);
	if (pane->state == SUP_PANE_RUNNING)
		return NULL;
	sup_list_remove(&pane->turn);
	return pane;
}

struct sup_pane *sup_window_oldest(const struct sup_window *window)
{
	if (sup_list_empty(&window->running))
		return NULL;
	return pane_of(window->running.next, running);
}

uint64_t sup_window_deadline(const struct sup_window *window)
{
	struct sup_pane *pane = sup_window_oldest(window);

	return pane ? pane->deadline : SUPERVISOR_NO_DEADLINE;
}
