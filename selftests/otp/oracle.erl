%% SPDX-License-Identifier: GPL-2.0
%% The oracle's command line: scenario files in, canonical traces of the real
%% OTP supervisor out.

-module(oracle).
-export([main/0]).

%% Played at once: scenarios wait more than they work.
-define(AT_ONCE, 16).

main() ->
	halt(case init:get_plain_arguments() of
		[] ->
			complain("usage: oracle FILE..."),
			2;
		Files ->
			Read = [{File, oracle_scenario:read(File)} || File <- Files],
			case [Message || {_, {error, Message}} <- Read] of
				[] -> play([{File, Cmds} || {File, {ok, Cmds}} <- Read]);
				Messages -> lists:foreach(fun complain/1, Messages), 2
			end
	end).

play(Scenarios) ->
	Several = length(Scenarios) > 1,
	{First, Later} = lists:split(min(?AT_ONCE, length(Scenarios)), Scenarios),
	show([begin_play(S) || S <- First], Later, Several, 0).

%% In the order of the files, another one started as each is done.
show([], _, _, Status) -> Status;
show([{File, Pid, Ref} | Playing], Later, Several, Status) ->
	receive
		{'DOWN', Ref, process, Pid, {played, Lines}} ->
			Heading = ["==> " ++ File ++ " <==" || Several],
			io:put_chars([[Line, "\n"] || Line <- Heading ++ Lines]),
			next(Playing, Later, Several, Status);
		{'DOWN', Ref, process, Pid, Reason} ->
			complain([File, ": ", io_lib:format("~p", [Reason])]),
			next(Playing, Later, Several, 1)
	end.

next(Playing, [S | Later], Several, Status) ->
	show(Playing ++ [begin_play(S)], Later, Several, Status);
next(Playing, [], Several, Status) ->
	show(Playing, [], Several, Status).

begin_play({File, Cmds}) ->
	{Pid, Ref} = spawn_monitor(fun() ->
		exit({played, oracle_play:scenario(Cmds)})
	end),
	{File, Pid, Ref}.

complain(Message) -> io:put_chars(standard_error, [Message, "\n"]).
