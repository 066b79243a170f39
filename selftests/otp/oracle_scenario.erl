%% SPDX-License-Identifier: GPL-2.0
%% The scenario language: text to a list of #cmd{}, or the first mistake
%% with its line.  Knows the grammar; knows nothing of processes.

-module(oracle_scenario).
-export([read/1, read/2, cmd/3, name/1]).
-include("oracle.hrl").

%% {ok, [#cmd{}]} | {error, Message} with Message as "FILE:LINE: what".
read(File) -> read(File, fun parse/1).

%% The same of another language: Parse makes [#cmd{}] of [{Line, Words}].
read(File, Parse) ->
	case file:read_file(File) of
		{ok, Bin} ->
			Lines = string:split(binary_to_list(Bin), "\n", all),
			Numbered = lists:zip(lists:seq(1, length(Lines)), Lines),
			try {ok, Parse([{N, W} || {N, L} <- Numbered, (W = words(L)) =/= []])}
			catch throw:{N, Message} ->
				{error, lists:flatten([File, ":", integer_to_list(N), ": ", Message])}
			end;
		{error, Why} ->
			{error, File ++ ": " ++ file:format_error(Why)}
	end.

parse(Split) ->
	Sups = [S || {_, [Def, S | _]} <- Split, Def =:= "sup" orelse Def =:= "dynsup"],
	Step = fun({N, Words}, {Frozen, Cmds}) ->
		Cmd = cmd(N, Words, fun(W) -> check(command(W), Frozen, Sups) end),
		{frozen(Cmd#cmd.what, Frozen), [Cmd | Cmds]}
	end,
	{_, Cmds} = lists:foldl(Step, {false, []}, Split),
	lists:reverse(Cmds).

cmd(N, Words, Understand) ->
	What = try Understand(Words)
	       catch throw:Message -> throw({N, Message}) end,
	#cmd{line = N, text = lists:join(" ", Words), what = What}.

words(Line) ->
	[Text | _] = string:split(Line, "#"),
	string:lexemes(Text, " \t\r").

frozen(freeze, _) -> true;
frozen(thaw, _) -> false;
frozen(_, Frozen) -> Frozen.

%% What the grammar allows but this place in the scenario does not.
check(freeze, true, _) -> throw("freeze: already frozen");
check(thaw, false, _) -> throw("thaw: not frozen");
check({run, _}, true, _) -> throw("run: not while frozen");
check({stop, _, _}, true, _) -> throw("stop: not while frozen");
check({run, S} = What, _, Sups) ->
	lists:member(atom_to_list(S), Sups) orelse throw(["not a supervisor: ", atom_to_list(S)]),
	What;
check({die, kill, Names} = What, _, Sups) ->
	case [N || N <- Names, lists:member(atom_to_list(N), Sups)] of
		[] -> What;
		[S | _] -> throw(["kill ", atom_to_list(S), ": a supervisor cannot be killed here"])
	end;
check(What, _, _) -> What.

command(["sup", S | Opts]) ->
	{sup, name(S), options(Opts, [strategy, max_restarts, max_seconds, auto_shutdown])};
command(["dynsup", S | Opts]) ->
	{dynsup, name(S), options(Opts, [max_restarts, max_seconds, max_children])};
command(["child", S, C | Opts]) ->
	{child, name(S), name(C), child_options(Opts)};
command([Outcome, C, N]) when Outcome =:= "fail"; Outcome =:= "ignore"; Outcome =:= "ok" ->
	{attempts, name(C), list_to_atom(Outcome), natural(N)};
command(["stubborn", C, "on"]) -> {manner, name(C), stubborn, true};
command(["stubborn", C, "off"]) -> {manner, name(C), stubborn, false};
command(["slow", C, MS]) -> {manner, name(C), slow, natural(MS)};
command(["onterm", C, Reason]) -> {manner, name(C), onterm, reason(Reason)};
command(["queue", C | Call]) -> {queue, name(C), call(Call)};
command(["run", S]) -> {run, name(S)};
command([How, C | More]) when How =:= "crash"; How =:= "exit"; How =:= "kill"; How =:= "shutdown" ->
	{die, list_to_atom(How), [name(N) || N <- [C | More]]};
command(["stop", S]) -> {stop, name(S), normal};
command(["stop", S, Reason]) -> {stop, name(S), reason(Reason)};
command(["sleep", MS]) -> {sleep, natural(MS)};
command(["freeze"]) -> freeze;
command(["thaw"]) -> thaw;
command(Words) -> call(Words).

call(["start_child" = V, S, C | Opts] = Words) ->
	(call(V, S, C, Words))#call{opts = child_options(Opts)};
call([V, S, C] = Words) when V =:= "terminate_child"; V =:= "restart_child";
			     V =:= "delete_child"; V =:= "get_childspec" ->
	call(V, S, C, Words);
call([V, S] = Words) when V =:= "which_children"; V =:= "count_children" ->
	call(V, S, none, Words);
call(Words) ->
	throw(["not a command, or not its arguments: ", lists:join(" ", Words)]).

call(Verb, S, C, Words) ->
	Child = case C of
		none -> none;
		"-" when Verb =:= "terminate_child" -> '-';
		_ -> name(C)
	end,
	#call{verb = list_to_atom(Verb), sup = name(S), child = Child,
	      text = lists:flatten(lists:join(" ", Words))}.

child_options(Opts) ->
	options(Opts, [id, restart, shutdown, significant, type]).

options(Words, Known) ->
	[option(string:split(W, "="), Known) || W <- Words].

option([Key, Value], Known) when Value =/= "" ->
	case [K || K <- Known, atom_to_list(K) =:= Key] of
		[K] -> {K, value(Value)};
		[] -> throw(["unknown option: ", Key])
	end;
option(Word, _) ->
	throw(["not an option (key=value): ", Word]).

%% Unchecked: refusing a value is the supervisor's business.
value(Text) ->
	case string:to_integer(Text) of
		{N, ""} -> N;
		_ -> list_to_atom(Text)
	end.

natural(Text) ->
	case string:to_integer(Text) of
		{N, ""} when N >= 0 -> N;
		_ -> throw(["not a number: ", Text])
	end.

name(Text) ->
	case re:run(Text, "^[a-z][a-z0-9]*$") of
		{match, _} -> list_to_atom(Text);
		nomatch -> throw(["not a name: ", Text])
	end.

reason("normal") -> normal;
reason("shutdown") -> shutdown;
reason("crash") -> crash;
reason(Text) -> throw(["not normal, shutdown or crash: ", Text]).
