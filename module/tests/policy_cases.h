/* SPDX-License-Identifier: GPL-2.0 */
/*
 * policy_cases - what a policy must do, rule by rule, as policy_play plays it.
 */
#ifndef SUP_POLICY_CASES_H
#define SUP_POLICY_CASES_H

#include "policy_play.h"

#define ONE_FOR_ONE(restarts, seconds) \
	{ .strategy = SUP_ONE_FOR_ONE, .intensity = (restarts), .period = (seconds) }
#define ONE_FOR_ALL(restarts, seconds) \
	{ .strategy = SUP_ONE_FOR_ALL, .intensity = (restarts), .period = (seconds) }
#define REST_FOR_ONE(restarts, seconds) \
	{ .strategy = SUP_REST_FOR_ONE, .intensity = (restarts), .period = (seconds) }
#define ANY_SIGNIFICANT \
	{ .intensity = 3, .period = 5, .auto_shutdown = SUP_AUTO_ANY_SIGNIFICANT }
#define ALL_SIGNIFICANT \
	{ .intensity = 3, .period = 5, .auto_shutdown = SUP_AUTO_ALL_SIGNIFICANT }

static const struct policy_case policy_cases[] = {
	/* Start and stop. */
	{
		.name = "children start in order and stop in reverse order",
		.flags = ONE_FOR_ONE(3, 5), .children = "a b c",
		STEPS({ "run", "start:a start:b start:c up" },
		      { "stop", "term:c term:b term:a down:shutdown:stopped" }),
	}, {
		.name = "a supervisor without children comes up",
		.flags = ONE_FOR_ONE(3, 5), .children = "",
		STEPS({ "run", "up" }, { "stop normal", "down:normal:stopped" }),
	}, {
		.name = "a failed start undoes the start and is not retried",
		.flags = ONE_FOR_ONE(3, 5), .children = "a b c",
		STEPS({ "fail b; run", "start:a start:b term:a down:shutdown:init_failed" },
		      { "run", "start:a start:b start:c up" },
		      { "stop", "term:c term:b term:a down:shutdown:stopped" },
		      { "fail a; run", "start:a down:shutdown:init_failed" }),
	}, {
		.name = "ignore is a success; a temporary child's spec is dropped",
		.flags = ONE_FOR_ONE(3, 5), .children = "a t:temporary b",
		STEPS({ "ignore a; ignore t; run", "start:a start:t start:b up" },
		      { "call restart_child t", "reply:not_found" },
		      { "call restart_child a", "start:a reply:ok" },
		      { "stop", "term:b term:a down:shutdown:stopped" },
		      { "run", "start:a start:t start:b up" }),
	}, {
		.name = "a child that dies while others start waits for its turn",
		.flags = ONE_FOR_ONE(3, 5), .children = "a b",
		STEPS({ "hang b; run", "start:a start:b" }, { "crash a", "" },
		      { "started b", "up start:a" }),
	}, {
		.name = "a child that dies before it has started did not start",
		.flags = ONE_FOR_ONE(3, 5), .children = "a b",
		STEPS({ "hang b; run", "start:a start:b" },
		      { "crash b", "term:a down:shutdown:init_failed" }),
	}, {
		.name = "kill, timeout and infinity",
		.flags = ONE_FOR_ONE(3, 5), .children = "a:infinity b:ms=100 c:kill d:ms=0",
		STEPS({ "run", "start:a start:b start:c start:d up" },
		      { "stubborn a; stubborn b; stubborn d; stop", "term:d kill:d kill:c term:b" },
		      { "wait 99", "" }, { "wait 1", "kill:b term:a" },
		      { "wait 1000000", "" }, { "exit a", "down:shutdown:stopped" }),
	}, {
		.name = "a stop cancels the start under way",
		.flags = ONE_FOR_ONE(3, 5), .children = "a b:ms=50 c",
		STEPS({ "hang b; stubborn b; run", "start:a start:b" }, { "stop", "term:b" },
		      { "started b", "" }, { "wait 50", "kill:b term:a down:shutdown:stopped" }),
	}, {
		.name = "a cancelled start may fail or be ignored",
		.flags = ONE_FOR_ONE(3, 5), .children = "a b",
		STEPS({ "hang b; stubborn b; run", "start:a start:b" }, { "stop", "term:b" },
		      { "failed b", "term:a down:shutdown:stopped" },
		      { "hang b; run", "start:a start:b" }, { "stop normal", "term:b" },
		      { "ignored b", "term:a down:normal:stopped" }),
	}, {
		.name = "a kill goes to all at once",
		.flags = ONE_FOR_ONE(3, 5), .children = "a b:infinity c",
		STEPS({ "run", "start:a start:b start:c up" },
		      { "stubborn b; stop", "term:c term:b" },
		      { "kill", "kill:b kill:a down:killed:stopped" }),
	}, {
		.name = "a kill while a child starts",
		.flags = ONE_FOR_ONE(3, 5), .children = "a b",
		STEPS({ "hang b; run", "start:a start:b" },
		      { "crash a; kill", "kill:b down:killed:stopped" }),
	}, {
		.name = "a death that waits is absorbed by the stop",
		.flags = ONE_FOR_ONE(3, 5), .children = "a b",
		STEPS({ "run", "start:a start:b up" },
		      { "crash a; stop", "term:b down:shutdown:stopped" }),
	}, {
		.name = "the first reason to stop stands",
		.flags = ONE_FOR_ONE(3, 5), .children = "a",
		STEPS({ "run", "start:a up" }, { "stubborn a; stop crash", "term:a" },
		      { "stop normal; run; resume; wait 10", "" },
		      { "exit a", "down:crash:stopped" }, { "stop; kill", "" }),
	}, {
		.name = "a start timeout begins with the attach and fails the start",
		.flags = ONE_FOR_ONE(3, 5), .children = "a b:timeout=100",
		STEPS({ "hang b; run", "start:a start:b" }, { "wait 1000", "" },
		      { "attached b", "" }, { "wait 99", "" },
		      { "wait 1", "kill:b term:a down:shutdown:init_timed_out" }),
	}, {
		.name = "who starts too late has failed with that, whatever it says",
		.flags = ONE_FOR_ONE(3, 5), .children = "",
		STEPS({ "run", "up" },
		      { "call start_child a:timeout=100; hang a; stubborn a", "start:a" },
		      { "refuse a; attached a; wait 100", "kill:a" }, { "started a", "" },
		      { "ignored a", "reply:start_timed_out forget:a" },
		      { "call start_child a:timeout=100; hang a; attached a", "start:a" },
		      { "attached a; wait 50; started a", "reply:ok" }, { "wait 100", "" }),
	}, {
		.name = "who may not be signalled is abandoned",
		.flags = ONE_FOR_ONE(3, 5), .children = "a b:infinity",
		STEPS({ "run", "start:a start:b up" }, { "refuse b; stop", "term:b" },
		      { "wait 4999", "" },
		      { "wait 1", "abandon:b term:a down:shutdown:stopped" },
		      { "crash b", "" }),
	}, {
		.name = "a refused TERM is followed by a KILL, and patience counts from the first",
		.flags = ONE_FOR_ONE(3, 5), .children = "b:ms=3000",
		STEPS({ "run", "start:b up" },
		      { "refuse b; call terminate_child b", "term:b" },
		      { "wait 3000", "kill:b" }, { "wait 1999", "" },
		      { "wait 1", "abandon:b reply:ok" },
		      { "fail b; call restart_child b", "start:b reply:start_failed" }),
	},

	/* Deaths. */
	{
		.name = "permanent restarts always",
		.flags = ONE_FOR_ONE(9, 5), .children = "a",
		STEPS({ "run", "start:a up" }, { "exit a", "start:a" }, { "crash a", "start:a" },
		      { "shutdown a", "start:a" }, { "killed a", "start:a" }),
	}, {
		.name = "transient restarts after a crash or a kill",
		.flags = ONE_FOR_ONE(9, 5), .children = "a:transient",
		STEPS({ "run", "start:a up" }, { "crash a", "start:a" }, { "killed a", "start:a" },
		      { "shutdown a", "" }, { "call restart_child a", "start:a reply:ok" },
		      { "exit a", "" }, { "call delete_child a", "reply:ok" }),
	}, {
		.name = "temporary never restarts",
		.flags = ONE_FOR_ONE(0, 5), .children = "a:temporary b:temporary",
		STEPS({ "run", "start:a start:b up" }, { "crash a", "" }, { "exit b", "" },
		      { "call get_childspec a", "reply:not_found" }),
	}, {
		.name = "one_for_all stops all and starts all",
		.flags = ONE_FOR_ALL(9, 5), .children = "a b c d",
		STEPS({ "run", "start:a start:b start:c start:d up" },
		      { "crash b", "term:d term:c term:a start:a start:b start:c start:d" }),
	}, {
		.name = "rest_for_one stops those after it and starts the rest",
		.flags = REST_FOR_ONE(9, 5), .children = "a b c d",
		STEPS({ "run", "start:a start:b start:c start:d up" },
		      { "crash b", "term:d term:c start:b start:c start:d" },
		      { "crash d", "start:d" },
		      { "crash a", "term:d term:c term:b start:a start:b start:c start:d" }),
	}, {
		.name = "a group restart deletes temporary siblings",
		.flags = ONE_FOR_ALL(9, 5), .children = "a t:temporary b",
		STEPS({ "run", "start:a start:t start:b up" },
		      { "call start_child u:temporary", "start:u reply:ok" },
		      { "crash a", "term:u term:b forget:u term:t start:a start:b" },
		      { "call restart_child t", "reply:not_found" }),
	}, {
		.name = "a group restart revives those that were stopped",
		.flags = REST_FOR_ONE(9, 5), .children = "a b c",
		STEPS({ "run", "start:a start:b start:c up" },
		      { "call terminate_child a", "term:a reply:ok" },
		      { "call terminate_child c", "term:c reply:ok" },
		      { "crash b", "start:b start:c" }),
	}, {
		.name = "deaths seen together: each counts, one by one",
		.flags = ONE_FOR_ONE(1, 60), .children = "a b",
		STEPS({ "run", "start:a start:b up" },
		      { "crash a; crash b", "start:a term:a down:shutdown:intensity" }),
	}, {
		.name = "deaths seen together: a group's are absorbed",
		.flags = ONE_FOR_ALL(1, 60), .children = "a b c",
		STEPS({ "run", "start:a start:b start:c up" },
		      { "crash a; crash b; crash c", "start:a start:b start:c" }),
	},

	/* Intensity. */
	{
		.name = "one restart too many ends it",
		.flags = ONE_FOR_ONE(2, 60), .children = "a b",
		STEPS({ "run", "start:a start:b up" }, { "crash a", "start:a" },
		      { "crash b", "start:b" },
		      { "crash a", "term:b down:shutdown:intensity" }),
	}, {
		.name = "with intensity 0 the first restart ends it",
		.flags = ONE_FOR_ONE(0, 60), .children = "a b",
		STEPS({ "run", "start:a start:b up" },
		      { "exit a", "term:b down:shutdown:intensity" }),
	}, {
		.name = "the window is closed, and in whole seconds",
		.flags = ONE_FOR_ONE(1, 2), .children = "a",
		STEPS({ "run", "start:a up" }, { "wait 500; crash a", "start:a" },
		      { "wait 2500; crash a", "start:a" },
		      { "wait 2999; crash a", "down:shutdown:intensity" }),
	}, {
		.name = "an end of the period is still within it",
		.flags = ONE_FOR_ONE(1, 2), .children = "a",
		STEPS({ "run", "start:a up" }, { "wait 999; crash a", "start:a" },
		      { "wait 2000; crash a", "down:shutdown:intensity" }),
	}, {
		.name = "a supervisor that starts again has an empty window",
		.flags = ONE_FOR_ONE(1, 60), .children = "a",
		STEPS({ "run", "start:a up" }, { "crash a", "start:a" },
		      { "crash a", "down:shutdown:intensity" }, { "run", "start:a up" },
		      { "crash a", "start:a" }, { "crash a", "down:shutdown:intensity" }),
	}, {
		.name = "calls, temporary deaths and normal ends are not restarts",
		.flags = ONE_FOR_ONE(0, 60), .children = "a x:temporary t:transient",
		STEPS({ "run", "start:a start:x start:t up" },
		      { "call terminate_child a", "term:a reply:ok" },
		      { "fail a; call restart_child a", "start:a reply:start_failed" },
		      { "call restart_child a", "start:a reply:ok" },
		      { "crash x; exit t", "" },
		      { "call start_child b; fail b", "start:b reply:start_failed forget:b" }),
	},

	/* Try again. */
	{
		.name = "each failed attempt counts and is tried again",
		.flags = ONE_FOR_ONE(3, 60), .children = "a b",
		STEPS({ "run", "start:a start:b up" },
		      { "fail a; fail a; crash a", "start:a start:a start:a" },
		      { "crash b", "term:a down:shutdown:intensity" }),
	}, {
		.name = "calls that wait come before the next attempt",
		.flags = ONE_FOR_ONE(9, 60), .children = "a",
		STEPS({ "run", "start:a up" }, { "hang a; crash a", "start:a" },
		      { "call which_children; call restart_child a; call delete_child a", "" },
		      { "failed a", "reply:ok reply:restarting reply:restarting start:a" }),
	}, {
		.name = "a terminate_child cancels the retry",
		.flags = ONE_FOR_ONE(9, 60), .children = "a",
		STEPS({ "run", "start:a up" }, { "hang a; crash a", "start:a" },
		      { "call terminate_child a", "" }, { "failed a", "reply:ok" },
		      { "call restart_child a", "start:a reply:ok" }),
	}, {
		.name = "a group that fails half way is tried again from the failed child",
		.flags = REST_FOR_ONE(9, 60), .children = "a b c d",
		STEPS({ "run", "start:a start:b start:c start:d up" },
		      { "hang c; fail c; crash a",
			"term:d term:c term:b start:a start:b start:c" },
		      { "failed c", "start:c start:c start:d" }),
	}, {
		.name = "one_for_all tries the whole group again",
		.flags = ONE_FOR_ALL(9, 60), .children = "a b c",
		STEPS({ "run", "start:a start:b start:c up" },
		      { "fail b; crash a",
			"term:c term:b start:a start:b term:a start:a start:b start:c" }),
	}, {
		.name = "those after a failed one are undefined, not restarting",
		.flags = ONE_FOR_ALL(9, 60), .children = "a b c",
		STEPS({ "run", "start:a start:b start:c up" },
		      { "hang b; crash a", "term:c term:b start:a start:b" },
		      { "call restart_child c; call restart_child b; hang a", "" },
		      { "failed b", "start:c reply:ok reply:restarting term:c term:a start:a" },
		      { "started a", "start:b start:c" }),
	}, {
		.name = "a try-again that another one has outrun is one more attempt",
		.flags = ONE_FOR_ALL(4, 60), .children = "b a",
		STEPS({ "run", "start:b start:a up" },
		      { "hang a; crash a", "term:b start:b start:a" },
		      { "crash b; fail a; fail a", "" },
		      { "failed a",
			"start:b start:a term:b start:b start:a term:b start:b start:a" },
		      { "crash a", "term:b down:shutdown:intensity" }),
	}, {
		.name = "a deleted child is forgotten when its try-again is gone",
		.flags = ONE_FOR_ONE(9, 60), .children = "a",
		STEPS({ "run", "start:a up" }, { "call start_child b", "start:b reply:ok" },
		      { "hang b; crash b", "start:b" },
		      { "call terminate_child b; call delete_child b; call start_child b", "" },
		      { "failed b", "reply:ok reply:ok start:b reply:ok forget:b" },
		      { "crash b", "start:b" }),
	}, {
		.name = "a stop forgets a deleted child whose try-again waits",
		.flags = ONE_FOR_ONE(9, 60), .children = "a",
		STEPS({ "run", "start:a up" }, { "call start_child b", "start:b reply:ok" },
		      { "hang b; crash b", "start:b" },
		      { "call terminate_child b; call delete_child b; call terminate_child a", "" },
		      { "stubborn a; failed b", "reply:ok reply:ok term:a" },
		      { "stop", "" }, { "exit a", "forget:b down:shutdown:stopped reply:exit" }),
	}, {
		.name = "a restart that is ignored is not tried again",
		.flags = ONE_FOR_ONE(9, 60), .children = "a",
		STEPS({ "run", "start:a up" }, { "ignore a; crash a", "start:a" },
		      { "call restart_child a", "start:a reply:ok" }),
	},

	/* Automatic shutdown. */
	{
		.name = "any_significant: a finished child ends it, a crash does not",
		.flags = ANY_SIGNIFICANT,
		.children = "a s:transient:significant n:transient b",
		STEPS({ "run", "start:a start:s start:n start:b up" }, { "crash s", "start:s" },
		      { "exit n", "" },
		      { "exit s", "term:b term:a down:shutdown:auto_shutdown" }),
	}, {
		.name = "any_significant: a temporary child ends it however it ends",
		.flags = ANY_SIGNIFICANT, .children = "a t:temporary:significant",
		STEPS({ "run", "start:a start:t up" },
		      { "crash t", "term:a down:shutdown:auto_shutdown" }),
	}, {
		.name = "all_significant: the last one ends it",
		.flags = ALL_SIGNIFICANT,
		.children = "a s:transient:significant t:temporary:significant",
		STEPS({ "run", "start:a start:s start:t up" }, { "crash t", "" },
		      { "exit s", "term:a down:shutdown:auto_shutdown" }),
	}, {
		.name = "all_significant: stopped ones do not count, and stopping does not end it",
		.flags = ALL_SIGNIFICANT,
		.children = "a s:transient:significant t:transient:significant",
		STEPS({ "run", "start:a start:s start:t up" },
		      { "call terminate_child s", "term:s reply:ok" },
		      { "call terminate_child t", "term:t reply:ok" },
		      { "call restart_child t", "start:t reply:ok" },
		      { "exit t", "term:a down:shutdown:auto_shutdown" }),
	},

	/* Calls. */
	{
		.name = "calls about a running child",
		.flags = ONE_FOR_ONE(0, 5), .children = "a",
		STEPS({ "run", "start:a up" },
		      { "call restart_child a", "reply:running" },
		      { "call delete_child a", "reply:running" },
		      { "call start_child a", "reply:already_started" },
		      { "call get_childspec a", "reply:ok" },
		      { "call terminate_child a", "term:a reply:ok" }),
	}, {
		.name = "calls about an undefined child",
		.flags = ONE_FOR_ONE(0, 5), .children = "a",
		STEPS({ "run", "start:a up" },
		      { "call terminate_child a", "term:a reply:ok" },
		      { "call terminate_child a", "reply:ok" },
		      { "call start_child a", "reply:already_present" },
		      { "call restart_child a", "start:a reply:ok" },
		      { "call terminate_child a", "term:a reply:ok" },
		      { "call delete_child a", "reply:ok" },
		      { "call start_child a", "start:a reply:ok" }),
	}, {
		.name = "calls about an unknown child",
		.flags = ONE_FOR_ONE(0, 5), .children = "",
		STEPS({ "run", "up" }, { "call terminate_child x", "reply:not_found" },
		      { "call restart_child x", "reply:not_found" },
		      { "call delete_child x", "reply:not_found" },
		      { "call get_childspec x", "reply:not_found" },
		      { "call start_child x", "start:x reply:ok" }),
	}, {
		.name = "calls about a dead child whose death waits: it is believed to run",
		.flags = ONE_FOR_ONE(9, 5), .children = "a b",
		STEPS({ "run", "start:a start:b up" },
		      { "call restart_child a; crash a", "reply:running start:a" },
		      { "crash b; call restart_child b", "start:b reply:running" },
		      { "call suspend", "reply:ok" }, { "call terminate_child a; crash a", "" },
		      { "resume", "reply:ok" }),
	}, {
		.name = "start_child: failed, ignored, refused",
		.flags = ONE_FOR_ONE(0, 5), .children = "a",
		STEPS({ "run", "start:a up" },
		      { "call start_child b:restart=7", "reply:invalid" },
		      { "call start_child b:transient:significant", "reply:invalid" },
		      { "call start_child c; fail c", "start:c reply:start_failed forget:c" },
		      { "call start_child c; ignore c", "start:c reply:ok_undefined" },
		      { "call start_child d:temporary; ignore d",
			"start:d reply:ok_undefined forget:d" },
		      { "call delete_child c", "reply:ok forget:c" }),
	}, {
		.name = "terminate_child deletes a temporary child",
		.flags = ONE_FOR_ONE(0, 5), .children = "t:temporary",
		STEPS({ "run", "start:t up" },
		      { "call terminate_child t", "term:t reply:ok" },
		      { "call start_child u:temporary", "start:u reply:ok" },
		      { "call terminate_child u", "term:u reply:ok forget:u" },
		      { "call terminate_child u", "reply:not_found" }),
	}, {
		.name = "calls to who is down",
		.flags = ONE_FOR_ONE(0, 5), .children = "a",
		STEPS({ "call which_children; call suspend", "reply:noproc reply:noproc" },
		      { "call start_child b", "reply:noproc" },
		      { "run; call which_children", "start:a up reply:ok" }),
	}, {
		.name = "the end answers the call under way and those that wait",
		.flags = ONE_FOR_ONE(0, 5), .children = "a",
		STEPS({ "run", "start:a up" },
		      { "call start_child b; hang b", "start:b" },
		      { "call which_children; call start_child c; stubborn a; stop",
			"term:b term:a" },
		      { "withdraw", "withdrawn" },
		      { "exit a", "forget:b down:shutdown:stopped reply:exit reply:noproc" }),
	}, {
		.name = "a call can be withdrawn before its turn, not after",
		.flags = ONE_FOR_ONE(0, 5), .children = "a",
		STEPS({ "run", "start:a up" },
		      { "stubborn a; call terminate_child a", "term:a" },
		      { "withdraw", "too_late" },
		      { "call start_child b; withdraw", "withdrawn" }, { "exit a", "reply:ok" }),
	}, {
		.name = "added children go with the end, deleted ones come back",
		.flags = ONE_FOR_ONE(1, 60), .children = "a b",
		STEPS({ "run", "start:a start:b up" },
		      { "call start_child c", "start:c reply:ok" },
		      { "call terminate_child a; call delete_child a", "term:a reply:ok reply:ok" },
		      { "crash c", "start:c" },
		      { "crash b", "term:c forget:c down:shutdown:intensity" },
		      { "run", "start:a start:b up" }),
	}, {
		.name = "the added child that asked for too much is forgotten last",
		.flags = ONE_FOR_ONE(0, 60), .children = "a",
		STEPS({ "run", "start:a up" },
		      { "call start_child b; call start_child c",
			"start:b reply:ok start:c reply:ok" },
		      { "crash b", "term:c term:a forget:c down:shutdown:intensity forget:b" }),
	},

	/* Suspension. */
	{
		.name = "while suspended deaths and calls wait, in order",
		.flags = ONE_FOR_ONE(9, 5), .children = "a b",
		STEPS({ "run", "start:a start:b up" }, { "call suspend", "reply:ok" },
		      { "crash b; call restart_child b; crash a", "" },
		      { "call suspend", "reply:ok" },
		      { "resume", "start:b reply:running start:a" }),
	}, {
		.name = "a suspension waits for its turn",
		.flags = ONE_FOR_ONE(9, 5), .children = "a b",
		STEPS({ "run", "start:a start:b up" },
		      { "crash a; call suspend; crash b", "start:a reply:ok" },
		      { "resume", "start:b" }),
	}, {
		.name = "a resume ends the suspensions that still wait",
		.flags = ONE_FOR_ONE(9, 5), .children = "a b",
		STEPS({ "run", "start:a start:b up" },
		      { "crash a; call suspend; resume; crash b", "start:a reply:ok start:b" }),
	}, {
		.name = "a stop acts while suspended, and ends it",
		.flags = ONE_FOR_ONE(9, 5), .children = "a b",
		STEPS({ "run", "start:a start:b up" }, { "call suspend", "reply:ok" },
		      { "crash a; call which_children; stop",
			"term:b down:shutdown:stopped reply:noproc" },
		      { "run", "start:a start:b up" }),
	},

	/* Backoff. */
	{
		.name = "backoff: delays grow to their bound, and each attempt counts",
		.flags = ONE_FOR_ONE(5, 3600), .children = "a:retry",
		STEPS({ "run", "start:a up" }, { "fail a; fail a; fail a; fail a; crash a", "" },
		      { "wait 99", "" }, { "wait 1", "start:a" }, { "wait 299", "" },
		      { "wait 1", "start:a" }, { "wait 899", "" }, { "wait 1", "start:a" },
		      { "wait 999", "" }, { "wait 1", "start:a" }, { "wait 1000", "start:a" },
		      { "crash a", "" }, { "wait 1000", "down:shutdown:intensity" }),
	}, {
		.name = "backoff: a long run ends it",
		.flags = ONE_FOR_ONE(9, 3600), .children = "a:retry",
		STEPS({ "run", "start:a up" }, { "crash a", "" }, { "wait 100", "start:a" },
		      { "wait 5000; crash a", "start:a" }, { "crash a", "" }, { "wait 99", "" },
		      { "wait 1", "start:a" }, { "crash a", "" }, { "wait 299", "" },
		      { "wait 1", "start:a" }),
	}, {
		.name = "backoff: uncounted failures do not end it",
		.flags = ONE_FOR_ONE(1, 3600), .children = "a:retry:uncounted",
		STEPS({ "run", "start:a up" },
		      { "fail a; fail a; fail a; crash a", "" },
		      { "wait 2400", "start:a start:a start:a start:a" },
		      { "crash a", "" }, { "wait 1000", "down:shutdown:intensity" }),
	}, {
		.name = "backoff: a stop cancels it at once",
		.flags = ONE_FOR_ONE(9, 3600), .children = "a:retry b",
		STEPS({ "run", "start:a start:b up" }, { "crash a", "" },
		      { "call restart_child a", "reply:restarting" },
		      { "call terminate_child a", "reply:ok" }, { "wait 10000", "" },
		      { "call restart_child a", "start:a reply:ok" }, { "crash a", "" },
		      { "stop", "term:b down:shutdown:stopped" }, { "wait 10000", "" }),
	}, {
		.name = "backoff: a group restarts when the delay is over",
		.flags = ONE_FOR_ALL(9, 3600), .children = "a b:retry",
		STEPS({ "run", "start:a start:b up" }, { "crash b", "" },
		      { "wait 100", "term:a start:a start:b" },
		      { "crash b", "" }, { "crash a", "start:a start:b" }, { "wait 10000", "" }),
	}, {
		.name = "backoff: a try-again from before does not shorten a delay",
		.flags = ONE_FOR_ALL(9, 3600), .children = "a b:retry",
		STEPS({ "run", "start:a start:b up" }, { "crash b", "" },
		      { "call suspend", "reply:ok" }, { "crash a; wait 100", "" },
		      { "fail b; resume", "start:a start:b" }, { "wait 299", "" },
		      { "wait 1", "term:a start:a start:b" }),
	}, {
		.name = "backoff: a delay that ends while suspended waits",
		.flags = ONE_FOR_ONE(9, 3600), .children = "a:retry",
		STEPS({ "run", "start:a up" }, { "crash a", "" }, { "call suspend", "reply:ok" },
		      { "wait 1000", "" }, { "resume", "start:a" }),
	},
};

#endif
