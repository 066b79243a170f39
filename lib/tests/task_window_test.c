// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * task_window_test.c - the window of a stream against a naive model: arrays, and a
 * look at all of them each time.
 */
#include <stdlib.h>
#include "../task.h"
#include "tap.h"

#define ITEMS 300
#define ROUNDS 2000

enum { UNBORN, RUNNING, ENDED, OUT };

/* What ought to be. */
struct model {
	int state[ITEMS];
	uint64_t deadline[ITEMS];
	int ended_at[ITEMS];
	int begun;
	int ends;
	int max;
	bool ordered;
	uint64_t timeout;
};

static int model_running(const struct model *model)
{
	int n = 0;

	for (int i = 0; i < model->begun; i++)
		n += model->state[i] == RUNNING;
	return n;
}

/* Whose result goes out next, or -1. */
static int model_next(const struct model *model)
{
	int next = -1;

	for (int i = 0; i < model->begun; i++) {
		if (model->state[i] == OUT)
			continue;
		if (model->ordered)
			return model->state[i] == ENDED ? i : -1;
		if (model->state[i] == ENDED &&
		    (next < 0 || model->ended_at[i] < model->ended_at[next]))
			next = i;
	}
	return next;
}

static int model_oldest(const struct model *model)
{
	for (int i = 0; i < model->begun; i++)
		if (model->state[i] == RUNNING)
			return i;
	return -1;
}

static bool same(struct sup_window *window, const struct model *model)
{
	struct sup_pane *oldest = sup_window_oldest(window);
	int want = model_oldest(model);

	if ((oldest ? (int)oldest->index : -1) != want)
		return false;
	if (sup_window_deadline(window) !=
	    (want < 0 ? SUPERVISOR_NO_DEADLINE : model->deadline[want]))
		return false;
	return sup_window_open(window) ==
	       (model_running(model) < model->max);
}

/* Takes one out, as the model says. */
static bool take(struct sup_window *window, struct model *model)
{
	struct sup_pane *pane = sup_window_take(window);
	int want = model_next(model);

	if ((pane ? (int)pane->index : -1) != want)
		return false;
	if (pane)
		model->state[want] = OUT;
	return true;
}

static void end(struct sup_window *window, struct model *model,
		struct sup_pane *panes, int i)
{
	sup_window_end(window, &panes[i]);
	/* once is enough */
	sup_window_end(window, &panes[i]);
	model->state[i] = ENDED;
	model->ended_at[i] = model->ends++;
}

static bool round_agrees(unsigned int seed)
{
	static struct sup_pane panes[ITEMS];
	struct model model = { .begun = 0 };
	struct sup_window window;
	uint64_t now = 1000;

	srand(seed);
	model.max = 1 + rand() % 6;
	model.ordered = rand() % 2;
	model.timeout = rand() % 4 ? (uint64_t)(rand() % 50) :
				     SUPERVISOR_NO_DEADLINE;
	sup_window_setup(&window, (uint64_t)model.max, model.ordered,
			model.timeout);
	while (model.begun < ITEMS || model_running(&model)) {
		now += (uint64_t)(rand() % 10);
		if (rand() % 2 && model.begun < ITEMS &&
		    sup_window_open(&window)) {
			int i = model.begun++;

			sup_window_begin(&window, &panes[i], now);
			model.state[i] = RUNNING;
			model.deadline[i] =
				model.timeout == SUPERVISOR_NO_DEADLINE ?
				SUPERVISOR_NO_DEADLINE : now + model.timeout;
		} else if (rand() % 2) {
			int i = rand() % ITEMS;

			if (i < model.begun && model.state[i] == RUNNING)
				end(&window, &model, panes, i);
		} else if (rand() % 2) {
			int i = model_oldest(&model);

			if (i >= 0 && model.deadline[i] <= now)
				end(&window, &model, panes, i);
		} else if (!take(&window, &model)) {
			return false;
		}
		if (model.begun == ITEMS && rand() % 8 == 0 &&
		    model_oldest(&model) >= 0)
			end(&window, &model, panes, model_oldest(&model));
		if (!same(&window, &model))
			return false;
	}
	while (model_next(&model) >= 0)
		if (!take(&window, &model))
			return false;
	return !sup_window_take(&window);
}

static void test_random(void)
{
	unsigned int seed;

	for (seed = 1; seed <= ROUNDS; seed++)
		if (!round_agrees(seed))
			break;
	ok(seed > ROUNDS, "%d windows agree with the model", ROUNDS);
	if (seed <= ROUNDS)
		printf("# seed %u\n", seed);
}

static void test_slots(void)
{
	struct sup_window window;
	struct sup_pane panes[4];

	sup_window_setup(&window, 2, true, 100);
	ok(sup_window_open(&window) && !sup_window_take(&window) &&
	   sup_window_deadline(&window) == SUPERVISOR_NO_DEADLINE,
	   "an empty window is open");
	sup_window_begin(&window, &panes[0], 1);
	sup_window_begin(&window, &panes[1], 2);
	ok(!sup_window_open(&window), "as many as may run");
	is((long long)sup_window_deadline(&window), 101, "the first one's time");
	sup_window_end(&window, &panes[1]);
	ok(!sup_window_take(&window), "its turn has not come");
	ok(sup_window_open(&window), "but it holds no place");
	sup_window_begin(&window, &panes[2], 3);
	sup_window_end(&window, &panes[0]);
	is((long long)sup_window_deadline(&window), 103, "the next one's");
	ok(sup_window_take(&window) == &panes[0] &&
	   sup_window_take(&window) == &panes[1] && !sup_window_take(&window),
	   "in their turn");
	sup_window_begin(&window, &panes[3], SUPERVISOR_NO_DEADLINE - 5);
	ok(panes[3].deadline == SUPERVISOR_NO_DEADLINE,
	   "a time beyond all is never up");
}

int main(void)
{
	test_slots();
	test_random();
	return tap_end();
}
