%% SPDX-License-Identifier: GPL-2.0
%% The oracle's command line: scenario files in, canonical traces out: of the real
%% OTP supervisor or, for a file NAME.reg, of Elixir's Registry, for NAME.tsk of its Task.

-module(oracle).
-export([main/0]).

%% Played at once: scenarios wait more than they work.
-define(AT_ONCE, 100).

%% A scenario can ask for the impossible: a child that ignores a request to
%% stop and may take for ever.
-define(TOO_LONG_MS, 60000).

main() ->
	halt(case init:get_plain_arguments() of
		[] ->
			complain("usage: oracle FILE..."),
			2;
		Files ->
			Read = [{File, (reader(File)):read(File)} || File <- Files],
			case [Message || {_, {error, Message}} <- Read] of
				[] -> play([{File, Cmds} || {File, {ok, Cmds}} <- Read]);
				Messages -> lists:foreach(fun complain/1, Messages), 2
			end
	end).

play(Scenarios) ->
	{First, Later} = lists:split(min(?AT_ONCE, length(Scenarios)), Scenarios),
	Playing = [begin_play(S) || S <- First],
	show(Scenarios, wait(Playing, Later, #{}), length(Scenarios) > 1, 0).

%% Started as others are done; shown in the order given.
show([], _, _, Status) -> Status;
show([{File, _} | Files] = All, {Playing, Later, Done}, Several, Status) ->
	case Done of
		#{File := {played, Lines}} ->
			Heading = ["==> " ++ File ++ " <==" || Several],
			io:put_chars([[Line, "\n"] || Line <- Heading ++ Lines]),
			show(Files, {Playing, Later, Done}, Several, Status);
		#{File := Crash} ->
			complain([File, ": ", failure(Crash)]),
			show(Files, {Playing, Later, Done}, Several, 1);
		_ ->
			show(All, wait(Playing, Later, Done), Several, Status)
	end.

wait(Playing, Later, Done) ->
	receive
		{'DOWN', Ref, process, _, Outcome} ->
			{value, {_, File}, Others} = lists:keytake(Ref, 1, Playing),
			{Started, Waiting} = lists:split(min(1, length(Later)), Later),
			{[begin_play(S) || S <- Started] ++ Others, Waiting, Done#{File => Outcome}}
	end.

begin_play({File, Cmds}) ->
	{Pid, Ref} = spawn_monitor(fun() -> exit({played, (player(File)):scenario(Cmds)}) end),
	timer:exit_after(?TOO_LONG_MS, Pid, kill),
	{Ref, File}.

reader(File) ->
	case filename:extension(File) of
		".reg" -> oracle_registry;
		".tsk" -> oracle_task;
		_ -> oracle_scenario
	end.

player(File) ->
	case filename:extension(File) of
		".reg" -> oracle_registry;
		".tsk" -> oracle_task;
		_ -> oracle_play
	end.

failure(killed) -> "not at an end after a minute";
failure(Crash) -> io_lib:format("~p", [Crash]).

complain(Message) -> io:put_chars(standard_error, [Message, "\n"]).
