/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dynamic_cases - what a dynamic supervisor must do, rule by rule, as policy_play
 * plays it.
 */
#ifndef SUP_DYNAMIC_CASES_H
#define SUP_DYNAMIC_CASES_H

#include "policy_play.h"

#define DYNAMIC(restarts, seconds) \
	.dynamic = &(const struct sup_dynamic_flags){ \
		.common = { .intensity = (restarts), .period = (seconds) }, \
		.max_children = SUP_CHILDREN_INFINITY, \
	}
#define AT_MOST(children) \
	.dynamic = &(const struct sup_dynamic_flags){ \
		.common = { .intensity = 9, .period = 60 }, \
		.max_children = (children), \
	}
#define SIMPLE(restarts, seconds) SIMPLE_AUTO(restarts, seconds, NEVER)
#define SIMPLE_AUTO(restarts, seconds, auto) \
	.dynamic = &(const struct sup_dynamic_flags){ \
		.common = { \
			.intensity = (restarts), \
			.period = (seconds), \
			.auto_shutdown = SUP_AUTO_##auto, \
		}, \
		.max_children = SUP_CHILDREN_INFINITY, \
		.simple = true, \
	}

static const struct policy_case dynamic_cases[] = {
	/* Start. */
	{
		.name = "it begins without children, and again without",
		DYNAMIC(3, 5),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call count_children", "reply:1:0:0" },
		      { "stop", "term:a forget:a down:shutdown:stopped" }, { "run", "up" },
		      { "call count_children", "reply:0:0:0" },
		      { "stop normal", "down:normal:stopped" }),
	}, {
		.name = "ignored and failed starts leave nothing",
		DYNAMIC(0, 5),
		STEPS({ "run", "up" },
		      { "call start_child a; ignore a", "start:a reply:ok_undefined forget:a" },
		      { "call start_child b; fail b", "start:b reply:start_failed forget:b" },
		      { "call count_children", "reply:0:0:0" }),
	}, {
		.name = "names may repeat: no child is found by one",
		DYNAMIC(3, 5),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child a:supervisor", "start:a reply:ok" },
		      { "call count_children", "reply:2:0:1" },
		      { "call terminate_child -", "reply:not_found" }),
	}, {
		.name = "a bad spec is refused before the number of children is looked at",
		AT_MOST(0),
		STEPS({ "run", "up" }, { "call start_child a:restart=7", "reply:invalid" },
		      { "call start_child a:transient:significant", "reply:invalid" },
		      { "call start_child a", "reply:max_children" }),
	}, {
		.name = "one start at a time; what comes waits, in order",
		DYNAMIC(3, 5),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b; hang b", "start:b" },
		      { "call start_child c; call count_children", "" },
		      { "crash a; call start_child d", "" },
		      { "started b",
			"reply:ok start:c reply:ok reply:3:0:0 start:a start:d reply:ok" }),
	}, {
		.name = "a start that its process ends has failed",
		DYNAMIC(3, 5),
		STEPS({ "run", "up" }, { "call start_child a; hang a", "start:a" },
		      { "exit a", "reply:start_failed forget:a" }),
	}, {
		.name = "who starts too late has failed with that, whatever it says",
		DYNAMIC(3, 5),
		STEPS({ "run", "up" },
		      { "call start_child a:timeout=100; hang a; stubborn a", "start:a" },
		      { "wait 1000", "" }, { "refuse a; attached a; wait 100", "kill:a" },
		      { "started a", "" }, { "ignored a", "reply:start_timed_out forget:a" },
		      { "call start_child b:timeout=100; hang b; attached b", "start:b" },
		      { "attached b; wait 50; started b", "reply:ok" }, { "wait 100", "" }),
	},

	/* Children that start by themselves. */
	{
		.name = "who attached is a child when its turn comes, and nobody waits for it",
		DYNAMIC(3, 5),
		STEPS({ "run", "up" },
		      { "call attach_child a; call attach_child b; call attach_child c",
			"reply:ok reply:ok reply:ok" },
		      { "crash b", "start:b" },
		      { "call terminate_child a", "term:a reply:ok forget:a" },
		      { "call count_children", "reply:2:0:0" }),
	}, {
		.name = "who attached waits for a start that is under way, and may die meanwhile",
		DYNAMIC(3, 5),
		STEPS({ "run", "up" }, { "call start_child a; hang a", "start:a" },
		      { "call attach_child b:temporary; call attach_child c", "" },
		      { "call count_children; exit b; crash c", "" },
		      { "started a", "reply:ok reply:ok reply:ok reply:3:0:0 forget:b start:c" }),
	}, {
		.name = "who attached one too many is nobody's child, dead or alive",
		AT_MOST(1),
		STEPS({ "run", "up" }, { "call attach_child a", "reply:ok" },
		      { "call attach_child b; call attach_child c; exit b",
			"reply:max_children reply:max_children" },
		      { "call count_children", "reply:1:0:0" }),
	}, {
		.name = "an attach may be withdrawn, and is refused by the end",
		DYNAMIC(3, 5),
		STEPS({ "run", "up" }, { "call suspend", "reply:ok" },
		      { "call attach_child a; crash a; withdraw", "withdrawn" },
		      { "call attach_child b; crash b", "" },
		      { "stop", "down:shutdown:stopped reply:noproc" },
		      { "call attach_child c", "reply:noproc" }),
	},

	/* max_children. */
	{
		.name = "max_children counts those that restart, and does not limit restarts",
		AT_MOST(2),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b", "start:b reply:ok" },
		      { "call start_child c", "reply:max_children" },
		      { "crash a", "start:a" }, { "hang b; crash b", "start:b" },
		      { "call start_child c; call count_children", "" },
		      { "failed b", "reply:max_children reply:2:1:0 start:b" },
		      { "call terminate_child a", "term:a reply:ok forget:a" },
		      { "call start_child c", "start:c reply:ok" }),
	},

	/* Deaths. */
	{
		.name = "permanent restarts always",
		DYNAMIC(9, 5),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "exit a", "start:a" }, { "crash a", "start:a" },
		      { "shutdown a", "start:a" }, { "killed a", "start:a" }),
	}, {
		.name = "a finished transient child is deleted",
		DYNAMIC(9, 5),
		STEPS({ "run", "up" }, { "call start_child a:transient", "start:a reply:ok" },
		      { "crash a", "start:a" }, { "killed a", "start:a" },
		      { "exit a", "forget:a" },
		      { "call start_child b:transient", "start:b reply:ok" },
		      { "shutdown b", "forget:b" }, { "call count_children", "reply:0:0:0" }),
	}, {
		.name = "a temporary child is deleted however it ends",
		DYNAMIC(0, 5),
		STEPS({ "run", "up" }, { "call start_child a:temporary", "start:a reply:ok" },
		      { "call start_child b:temporary", "start:b reply:ok" },
		      { "crash a", "forget:a" }, { "exit b", "forget:b" }),
	}, {
		.name = "deaths seen together: each counts, one by one",
		DYNAMIC(1, 60),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b", "start:b reply:ok" },
		      { "crash a; crash b",
			"start:a term:a forget:a down:shutdown:intensity forget:b" }),
	},

	/* Intensity. */
	{
		.name = "one restart too many ends it, and its child is forgotten last",
		DYNAMIC(1, 60),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b", "start:b reply:ok" }, { "crash a", "start:a" },
		      { "crash a", "term:b forget:b down:shutdown:intensity forget:a" },
		      { "run", "up" }, { "call start_child c", "start:c reply:ok" },
		      { "crash c", "start:c" }),
	}, {
		.name = "the window is closed, and in whole seconds",
		DYNAMIC(1, 2),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "wait 500; crash a", "start:a" }, { "wait 2500; crash a", "start:a" },
		      { "wait 2999; crash a", "down:shutdown:intensity forget:a" }),
	}, {
		.name = "calls, temporary deaths and normal ends are not restarts",
		DYNAMIC(0, 60),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child x:temporary", "start:x reply:ok" },
		      { "call start_child t:transient", "start:t reply:ok" },
		      { "crash x; exit t", "forget:x forget:t" },
		      { "call terminate_child a", "term:a reply:ok forget:a" },
		      { "call start_child b; fail b", "start:b reply:start_failed forget:b" }),
	},

	/* Try again. */
	{
		.name = "each failed attempt counts and is tried again",
		DYNAMIC(3, 60),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "fail a; fail a; crash a", "start:a start:a start:a" },
		      { "crash a", "down:shutdown:intensity forget:a" }),
	}, {
		.name = "calls that wait come before the next attempt",
		DYNAMIC(9, 60),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "hang a; crash a", "start:a" }, { "call count_children", "" },
		      { "failed a", "reply:1:1:0 start:a" },
		      { "call count_children", "reply:1:0:0" }),
	}, {
		.name = "a restarting child goes by the name of its last process",
		DYNAMIC(9, 60),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "hang a; crash a", "start:a" }, { "call terminate_child a", "" },
		      { "failed a", "reply:ok forget:a" }),
	}, {
		.name = "after its restart nothing goes by the name of the old one",
		DYNAMIC(9, 60),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "crash a; call terminate_child a", "start:a reply:not_found" },
		      { "crash a; call terminate_any a", "start:a term:a reply:ok forget:a" }),
	}, {
		.name = "a restart that is ignored deletes the child",
		DYNAMIC(9, 60),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "ignore a; crash a", "start:a forget:a" },
		      { "call count_children", "reply:0:0:0" }),
	},

	/* Calls. */
	{
		.name = "terminate_child stops, waits and deletes",
		DYNAMIC(0, 60),
		STEPS({ "run", "up" }, { "call start_child a:ms=100", "start:a reply:ok" },
		      { "call start_child k:kill", "start:k reply:ok" },
		      { "stubborn a; call terminate_child a; call count_children", "term:a" },
		      { "wait 99", "" }, { "wait 1", "kill:a reply:ok forget:a reply:1:0:0" },
		      { "call terminate_child a", "reply:not_found" },
		      { "call terminate_child k", "kill:k reply:ok forget:k" },
		      { "call terminate_child dead", "reply:not_found" },
		      { "call terminate_child stranger", "reply:not_found" }),
	}, {
		.name = "terminate_child absorbs a death that waits",
		DYNAMIC(0, 60),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call suspend", "reply:ok" }, { "call terminate_child a; crash a", "" },
		      { "resume", "reply:ok forget:a" }),
	}, {
		.name = "what it is not asked",
		DYNAMIC(0, 60),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call restart_child a", "reply:dynamic" },
		      { "call delete_child a", "reply:dynamic" },
		      { "call get_childspec a", "reply:ok" },
		      { "call get_childspec dead", "reply:not_found" },
		      { "call which_children", "reply:ok" }),
	}, {
		.name = "calls to who is down",
		DYNAMIC(0, 5),
		STEPS({ "call which_children; call suspend", "reply:noproc reply:noproc" },
		      { "call start_child b", "reply:noproc" }),
	}, {
		.name = "the end answers the call under way and those that wait",
		DYNAMIC(0, 5),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b; hang b", "start:b" },
		      { "call which_children; call start_child c; stubborn a; stop",
			"term:a term:b forget:b" },
		      { "withdraw", "withdrawn" },
		      { "exit a", "forget:a down:shutdown:stopped reply:exit reply:noproc" }),
	}, {
		.name = "a call can be withdrawn before its turn, not after",
		DYNAMIC(0, 5),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "stubborn a; call terminate_child a", "term:a" },
		      { "withdraw", "too_late" }, { "call start_child b; withdraw", "withdrawn" },
		      { "exit a", "reply:ok forget:a" }),
	}, {
		.name = "while suspended deaths and calls wait, in order",
		DYNAMIC(9, 5),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b:temporary", "start:b reply:ok" },
		      { "call suspend", "reply:ok" },
		      { "crash b; call count_children; crash a; crash b", "" },
		      { "call suspend", "reply:ok" },
		      { "resume", "forget:b reply:1:0:0 start:a" }),
	},

	/* The end. */
	{
		.name = "all are asked at once, and waited for",
		DYNAMIC(3, 5),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child k:kill", "start:k reply:ok" },
		      { "call start_child i:infinity", "start:i reply:ok" },
		      { "stubborn a; stubborn i; stop crash", "term:a kill:k forget:k term:i" },
		      { "wait 4999", "" }, { "wait 1", "kill:a forget:a" }, { "wait 1000000", "" },
		      { "stop normal; run; exit i", "forget:i down:crash:stopped" }),
	}, {
		.name = "each timeout kills its group",
		DYNAMIC(3, 5),
		STEPS({ "run", "up" }, { "call start_child a:ms=200", "start:a reply:ok" },
		      { "call start_child b:ms=0", "start:b reply:ok" },
		      { "call start_child c:ms=100", "start:c reply:ok" },
		      { "call start_child d:ms=200", "start:d reply:ok" },
		      { "call start_child e:ms=100", "start:e reply:ok" },
		      { "stubborn a; stubborn b; stubborn c; stubborn d; stubborn e", "" },
		      { "stop", "term:a term:b term:c term:d term:e kill:b forget:b" },
		      { "wait 99", "" }, { "wait 1", "kill:c forget:c kill:e forget:e" },
		      { "exit a", "forget:a" }, { "wait 99", "" },
		      { "wait 1", "kill:d forget:d down:shutdown:stopped" }),
	}, {
		.name = "who comes late kills every group that is over",
		DYNAMIC(3, 5),
		STEPS({ "run", "up" }, { "call start_child a:ms=200", "start:a reply:ok" },
		      { "call start_child b:ms=100", "start:b reply:ok" },
		      { "call start_child c:ms=300", "start:c reply:ok" },
		      { "stubborn a; stubborn b; stubborn c; refuse a; refuse b", "" },
		      { "stop", "term:a term:b term:c" },
		      { "refuse c; wait 300", "kill:b kill:a kill:c" }, { "exit c", "forget:c" },
		      { "wait 4699", "" },
		      { "wait 1", "abandon:a forget:a abandon:b forget:b down:shutdown:stopped" }),
	}, {
		.name = "deaths that wait and restarts that are due are absorbed",
		DYNAMIC(9, 5),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b", "start:b reply:ok" },
		      { "call start_child c:retry", "start:c reply:ok" },
		      { "crash c", "" }, { "hang b; crash b", "start:b" },
		      { "failed b; crash a; stop",
			"forget:a forget:b forget:c down:shutdown:stopped" }),
	}, {
		.name = "a stop lets a terminate_child keep its time",
		DYNAMIC(9, 5),
		STEPS({ "run", "up" }, { "call start_child a:ms=200", "start:a reply:ok" },
		      { "call start_child b:ms=200", "start:b reply:ok" },
		      { "stubborn a; stubborn b; call terminate_child a", "term:a" },
		      { "wait 150; stop", "term:b" }, { "wait 49", "" },
		      { "wait 1", "kill:a forget:a" }, { "wait 149", "" },
		      { "wait 1", "kill:b forget:b down:shutdown:stopped reply:exit" }),
	}, {
		.name = "a stop cancels the start under way",
		DYNAMIC(9, 5),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "hang a; crash a; stubborn a", "start:a" }, { "stop", "term:a" },
		      { "started a", "" }, { "failed a", "forget:a down:shutdown:stopped" }),
	}, {
		.name = "a kill goes to all at once, and to no one twice",
		DYNAMIC(9, 5),
		STEPS({ "run", "up" }, { "call start_child a:ms=100", "start:a reply:ok" },
		      { "call start_child b:infinity", "start:b reply:ok" },
		      { "call start_child c", "start:c reply:ok" },
		      { "stubborn a; stubborn b; stubborn c; refuse a", "" },
		      { "stop", "term:a term:b term:c" },
		      { "wait 100", "kill:a" }, { "kill", "kill:b forget:b kill:c forget:c" },
		      { "kill; stop", "" },
		      { "exit a", "forget:a down:killed:stopped" }),
	}, {
		.name = "a kill while one restart too many ends it",
		DYNAMIC(0, 5),
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b", "start:b reply:ok" },
		      { "stubborn b; crash a", "term:b" },
		      { "kill", "forget:a kill:b forget:b down:killed:stopped" }),
	}, {
		.name = "who may not be signalled is abandoned",
		DYNAMIC(9, 5),
		STEPS({ "run", "up" }, { "call start_child a:infinity", "start:a reply:ok" },
		      { "call start_child b:infinity", "start:b reply:ok" },
		      { "refuse a; call terminate_child a", "term:a" }, { "wait 4999", "" },
		      { "wait 1", "abandon:a reply:ok forget:a" }, { "refuse b; stop", "term:b" },
		      { "wait 5000", "abandon:b forget:b down:shutdown:stopped" }),
	},

	/* simple_one_for_one. */
	{
		.name = "simple: the template is every child's spec",
		SIMPLE(9, 5), .children = "t:transient:kill:supervisor",
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b", "start:b reply:ok" },
		      { "call count_children", "reply:2:0:2" },
		      { "crash a", "start:a" }, { "exit a", "forget:a" },
		      { "stop", "kill:b forget:b down:shutdown:stopped" }),
	}, {
		.name = "simple: ignored and failed starts leave nothing",
		SIMPLE(9, 5), .children = "t",
		STEPS({ "run", "up" },
		      { "call start_child a; ignore a", "start:a reply:ok_undefined forget:a" },
		      { "call start_child b; fail b", "start:b reply:start_failed forget:b" }),
	}, {
		.name = "simple: terminate_child is of a process, and all is well if it is dead",
		SIMPLE(9, 5), .children = "t",
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call terminate_child -", "reply:dynamic" },
		      { "call terminate_child stranger", "reply:not_found" },
		      { "call terminate_child dead", "reply:ok" },
		      { "crash a; call terminate_child a", "start:a reply:ok" },
		      { "call terminate_child a", "term:a reply:ok forget:a" },
		      { "call terminate_child a", "reply:ok" },
		      { "call restart_child a", "reply:dynamic" },
		      { "call delete_child a", "reply:dynamic" },
		      { "call get_childspec t", "reply:ok" }),
	}, {
		.name = "simple: a restarting child goes by the name of its last process",
		SIMPLE(9, 60), .children = "t",
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "hang a; crash a", "start:a" }, { "call terminate_child a", "" },
		      { "failed a", "reply:ok forget:a" }),
	}, {
		.name = "simple: one ignored restart is kept, until something dead is terminated",
		SIMPLE(9, 60), .children = "t",
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b", "start:b reply:ok" },
		      { "ignore a; crash a", "start:a" }, { "call count_children", "reply:2:0:0" },
		      { "ignore b; crash b", "start:b forget:a" },
		      { "call count_children", "reply:1:0:0" },
		      { "call terminate_child stranger", "reply:not_found" },
		      { "call terminate_child b", "reply:ok forget:b" },
		      { "call count_children", "reply:0:0:0" }),
	}, {
		.name = "simple: a child whose restart was ignored is no obstacle to the end",
		SIMPLE(9, 60), .children = "t",
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b", "start:b reply:ok" },
		      { "ignore a; crash a", "start:a" },
		      { "stop", "term:b forget:a forget:b down:shutdown:stopped" },
		      { "run", "up" }, { "call start_child c", "start:c reply:ok" },
		      { "ignore c; crash c", "start:c" },
		      { "call terminate_any c", "reply:ok forget:c" }),
	}, {
		.name = "simple: any_significant: the first that is done ends it",
		SIMPLE_AUTO(9, 60, ANY_SIGNIFICANT), .children = "t:transient:significant",
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b", "start:b reply:ok" },
		      { "call start_child c", "start:c reply:ok" }, { "crash a", "start:a" },
		      { "call terminate_child c", "term:c reply:ok forget:c" },
		      { "exit a", "forget:a term:b forget:b down:shutdown:auto_shutdown" }),
	}, {
		.name = "simple: all_significant: the last one ends it",
		SIMPLE_AUTO(9, 60, ALL_SIGNIFICANT), .children = "t:temporary:significant",
		STEPS({ "run", "up" }, { "call start_child a", "start:a reply:ok" },
		      { "call start_child b", "start:b reply:ok" },
		      { "call start_child c", "start:c reply:ok" }, { "crash a", "forget:a" },
		      { "call terminate_child b", "term:b reply:ok forget:b" },
		      { "exit c", "forget:c down:shutdown:auto_shutdown" }),
	},

	/* Backoff. */
	{
		.name = "backoff: delays grow to their bound, and each attempt counts",
		DYNAMIC(5, 3600),
		STEPS({ "run", "up" }, { "call start_child a:retry", "start:a reply:ok" },
		      { "fail a; fail a; fail a; fail a; crash a", "" },
		      { "wait 99", "" }, { "wait 1", "start:a" }, { "wait 299", "" },
		      { "wait 1", "start:a" }, { "wait 899", "" }, { "wait 1", "start:a" },
		      { "wait 999", "" }, { "wait 1", "start:a" }, { "wait 1000", "start:a" },
		      { "crash a", "" }, { "wait 1000", "down:shutdown:intensity forget:a" }),
	}, {
		.name = "backoff: a long run ends it, and uncounted failures do not count",
		DYNAMIC(2, 3600),
		STEPS({ "run", "up" }, { "call start_child a:retry:uncounted", "start:a reply:ok" },
		      { "fail a; fail a; fail a; crash a", "" },
		      { "wait 2400", "start:a start:a start:a start:a" },
		      { "wait 5000; crash a", "start:a" },
		      { "crash a", "" }, { "wait 100", "down:shutdown:intensity forget:a" }),
	}, {
		.name = "backoff: many wait at once, and one may be terminated",
		DYNAMIC(9, 3600),
		STEPS({ "run", "up" }, { "call start_child a:retry", "start:a reply:ok" },
		      { "call start_child b:retry", "start:b reply:ok" },
		      { "call start_child c:retry", "start:c reply:ok" },
		      { "crash a; wait 10; crash b; wait 10; crash c", "" },
		      { "call count_children", "reply:3:3:0" },
		      { "call terminate_child b", "reply:ok forget:b" }, { "wait 80", "start:a" },
		      { "wait 19", "" }, { "wait 1", "start:c" }),
	}, {
		.name = "backoff: a delay that ends while suspended waits",
		DYNAMIC(9, 3600),
		STEPS({ "run", "up" }, { "call start_child a:retry", "start:a reply:ok" },
		      { "crash a", "" }, { "call suspend", "reply:ok" }, { "wait 1000", "" },
		      { "resume", "start:a" }),
	},
};

#endif
