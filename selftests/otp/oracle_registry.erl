%% SPDX-License-Identifier: GPL-2.0
%% Registry scenarios: reads one, and plays it against Elixir's Registry.  Each
%% process of a scenario is one that does what it is told and says what came of it.

-module(oracle_registry).
-export([read/1, scenario/1]).
-include("oracle.hrl").

-define(REGISTRY, 'Elixir.Registry').

%% Names of registries are global, and scenarios are played at once: #play.registries
%% has the ones in use.  #play.processes has the last incarnation of each name.
-record(play, {registries = #{}, processes = #{}, names = #{}, frozen = [], out = []}).

%% Reading

read(File) ->
	oracle_scenario:read(File, fun(Lines) ->
		[oracle_scenario:cmd(N, Words, fun command/1) || {N, Words} <- Lines]
	end).

command(["registry", R | Opts]) -> {registry, name(R), [option(O) || O <- Opts]};
command(["proc", P | More]) -> {proc, [name(N) || N <- [P | More]]};
command([How, P]) when How =:= "exit"; How =:= "crash"; How =:= "kill" ->
	{die, list_to_atom(How), name(P)};
command([Verb, R]) when Verb =:= "freeze"; Verb =:= "thaw" -> {list_to_atom(Verb), name(R)};
command(["register", R, P, K, V]) -> {act, name(P), name(R), {register, K, V}};
command(["unregister", R, P, K]) -> {act, name(P), name(R), {unregister, K}};
command(["unregister_match", R, P, K, V]) -> {act, name(P), name(R), {unregister_match, K, V}};
command(["update_value", R, P, K, V]) -> {act, name(P), name(R), {update_value, K, V}};
command(["keys", R, P]) -> {ask, name(R), {keys, name(P)}};
command(["values", R, K, P]) -> {ask, name(R), {values, K, name(P)}};
command(["match", R, K, V]) -> {ask, name(R), {match, K, V}};
command(["count_match", R, K, V]) -> {ask, name(R), {count_match, K, V}};
command(["put_meta", R, K, V]) -> {ask, name(R), {put_meta, K, V}};
command([Verb, R, K])
	when Verb =:= "lookup"; Verb =:= "dispatch"; Verb =:= "whereis"; Verb =:= "meta";
	     Verb =:= "delete_meta" ->
	{ask, name(R), {list_to_atom(Verb), K}};
command([Verb, R]) when Verb =:= "count"; Verb =:= "select" ->
	{ask, name(R), list_to_atom(Verb)};
command(Words) ->
	throw(["not a command, or not its arguments: ", lists:join(" ", Words)]).

name(Text) -> oracle_scenario:name(Text).

option("keys=" ++ Keys) when Keys =/= "" -> {keys, list_to_atom(Keys)};
option("partitions=" ++ N) ->
	try {partitions, list_to_integer(N)}
	catch error:badarg -> throw(["not a number: ", N])
	end;
option("listener=on") -> listener;
option(Word) -> throw(["not an option: ", Word]).

%% Playing

scenario(Cmds) ->
	process_flag(trap_exit, true),
	register(global_name(player), self()),
	#play{out = Out} = lists:foldl(fun step/2, #play{}, Cmds),
	lists:reverse(Out).

%% A listener is told by the process that acts, before that process answers.
step(#cmd{text = Text, what = What}, Play) ->
	{Result, Acted} = perform(What, say(["> ", Text], Play)),
	say(["= ", Result], lists:foldl(fun say/2, Acted, events(Acted))).

say(Line, #play{out = Out} = Play) -> Play#play{out = [Line | Out]}.

global_name(Name) -> list_to_atom(lists:concat([oracle, pid_to_list(self()), Name])).

events(Play) ->
	receive
		{register, Global, Key, Pid, Value} ->
			[["register ", registry(Global), " ", process(Pid, Play), " ", Key, " ", Value]
				| events(Play)];
		{unregister, Global, Key, Pid} ->
			[["unregister ", registry(Global), " ", process(Pid, Play), " ", Key]
				| events(Play)]
	after 0 -> []
	end.

registry(Global) -> lists:nthtail(length(atom_to_list(global_name(''))), atom_to_list(Global)).

process(Pid, #play{names = Names}) -> atom_to_list(maps:get(Pid, Names)).

perform({registry, R, Options}, #play{registries = Registries} = Play) ->
	Global = global_name(R),
	Listeners = [{listeners, [global_name(player)]} || lists:member(listener, Options)],
	Started = badarg(fun() ->
		?REGISTRY:start_link([{name, Global} | Listeners ++ lists:delete(listener, Options)])
	end),
	case Started of
		{ok, _} -> {"ok", Play#play{registries = Registries#{R => Global}}};
		{error, {already_started, _}} -> {"error already_started", Play};
		badarg -> {"badarg", Play}
	end;
perform({proc, Names}, Play) ->
	{Results, Started} = lists:mapfoldl(fun start/2, Play, Names),
	{case lists:usort(Results) of
		["ok"] -> "ok";
		_ -> lists:join(" ", Results)
	 end, Started};
perform({die, How, P}, #play{registries = Registries, frozen = Frozen} = Play) ->
	case running(P, Play) of
		none ->
			{"not_running", Play};
		Pid ->
			end_process(How, Pid),
			await_cleanup(Pid, maps:values(Registries) -- Frozen),
			{"ok", Play}
	end;
perform({Verb, R}, #play{registries = Registries} = Play) when Verb =:= freeze; Verb =:= thaw ->
	case Registries of
		#{R := Global} -> {"ok", Play#play{frozen = hold(Verb, Global, Play)}};
		_ -> {"badarg", Play}
	end;
perform({act, P, R, What}, Play) ->
	case running(P, Play) of
		none -> {"not_running", Play};
		Pid -> {told(tell(Pid, {act, global_name(R), What}), Play), Play}
	end;
perform({ask, R, What}, Play) ->
	{answer(badarg(fun() -> ask(global_name(R), What, Play) end), Play), Play}.

%% An argument that Elixir refuses.
badarg(Do) ->
	try Do()
	catch error:#{'__struct__' := 'Elixir.ArgumentError'} -> badarg
	end.

%% Acting, in a process of the scenario

start(P, #play{processes = Processes, names = Names} = Play) ->
	case running(P, Play) of
		none ->
			Pid = spawn_link(fun process/0),
			{"ok", Play#play{processes = Processes#{P => Pid}, names = Names#{Pid => P}}};
		_ ->
			{"already_running", Play}
	end.

running(P, #play{processes = Processes}) ->
	case Processes of
		#{P := Pid} -> case is_process_alive(Pid) of true -> Pid; false -> none end;
		_ -> none
	end.

process() ->
	receive
		{From, {act, Global, What}} ->
			From ! {self(), badarg(fun() -> act(Global, What) end)},
			process();
		{_, {die, Reason}} ->
			exit(Reason)
	end.

tell(Pid, What) ->
	Pid ! {self(), What},
	receive {Pid, Answer} -> Answer end.

act(Global, {register, Key, Value}) -> ?REGISTRY:register(Global, Key, Value);
act(Global, {unregister, Key}) -> ?REGISTRY:unregister(Global, Key);
act(Global, {unregister_match, Key, Value}) -> ?REGISTRY:unregister_match(Global, Key, Value);
act(Global, {update_value, Key, Value}) ->
	{updated, ?REGISTRY:update_value(Global, Key, fun(_) -> Value end)}.

told({updated, {New, Old}}, _) -> [New, " ", Old];
told({updated, error}, _) -> "error";
told({ok, _}, _) -> "ok";
told(ok, _) -> "ok";
told({error, {already_registered, Pid}}, Play) ->
	["error already_registered ", process(Pid, Play)];
told(badarg, _) -> "badarg".

%% Death.  A partition learns of it by a signal, takes the process's keys out of its
%% books, then the entries of those keys; and only then answers.
end_process(How, Pid) ->
	Ref = monitor(process, Pid),
	case How of
		exit -> Pid ! {self(), {die, normal}};
		crash -> Pid ! {self(), {die, crash}};
		kill -> exit(Pid, kill)
	end,
	receive {'DOWN', Ref, process, Pid, _} -> ok end,
	receive {'EXIT', Pid, _} -> ok end.

await_cleanup(Pid, Globals) ->
	case lists:all(fun(Global) -> ?REGISTRY:keys(Global, Pid) =:= [] end, Globals) of
		true -> [gen_server:call(Partition, sync) || G <- Globals, Partition <- partitions(G)];
		false -> erlang:yield(), await_cleanup(Pid, Globals)
	end.

hold(freeze, Global, #play{frozen = Frozen}) ->
	[sys:suspend(Partition) || Partition <- partitions(Global)],
	[Global | Frozen];
hold(thaw, Global, #play{names = Names, frozen = Frozen}) ->
	[sys:resume(Partition) || Partition <- partitions(Global)],
	[await_cleanup(Pid, [Global]) || Pid <- maps:keys(Names), not is_process_alive(Pid)],
	Frozen -- [Global].

partitions(Global) -> [Pid || {_, Pid, _, _} <- supervisor:which_children(Global)].

%% Asking, which anybody may do

ask(Global, {lookup, Key}, _) -> {entries, ?REGISTRY:lookup(Global, Key)};
ask(Global, {match, Key, Value}, _) -> {entries, ?REGISTRY:match(Global, Key, Value)};
ask(Global, {dispatch, Key}, _) ->
	put(dispatched, []),
	ok = ?REGISTRY:dispatch(Global, Key, fun([_ | _] = Entries) ->
		put(dispatched, Entries ++ get(dispatched))
	end),
	{entries, get(dispatched)};
ask(Global, {values, Key, P}, Play) -> {words, ?REGISTRY:values(Global, Key, last(P, Play))};
ask(Global, {keys, P}, Play) -> {words, ?REGISTRY:keys(Global, last(P, Play))};
ask(Global, count, _) -> {number, ?REGISTRY:count(Global)};
ask(Global, {count_match, Key, Value}, _) -> {number, ?REGISTRY:count_match(Global, Key, Value)};
ask(Global, select, _) ->
	{triples, ?REGISTRY:select(Global, [{{'$1', '$2', '$3'}, [], [{{'$1', '$2', '$3'}}]}])};
ask(Global, {whereis, Key}, _) -> {whereis, ?REGISTRY:whereis_name({Global, Key})};
ask(Global, {put_meta, Key, Value}, _) -> ?REGISTRY:put_meta(Global, {Key}, Value);
ask(Global, {delete_meta, Key}, _) -> ?REGISTRY:delete_meta(Global, {Key});
ask(Global, {meta, Key}, _) -> {meta, ?REGISTRY:meta(Global, {Key})}.

%% Never started: one that has no entries.
last(P, #play{processes = Processes}) -> maps:get(P, Processes, self()).

answer({entries, Entries}, Play) ->
	listing([[process(Pid, Play), ":", Value] || {Pid, Value} <- Entries]);
answer({triples, Triples}, Play) ->
	listing([[Key, ":", process(Pid, Play), ":", Value] || {Key, Pid, Value} <- Triples]);
answer({words, Words}, _) -> listing(Words);
answer({number, N}, _) -> integer_to_list(N);
answer({whereis, undefined}, _) -> "undefined";
answer({whereis, Pid}, Play) -> process(Pid, Play);
answer({meta, {ok, Value}}, _) -> ["ok ", Value];
answer({meta, error}, _) -> "error";
answer(ok, _) -> "ok";
answer(badarg, _) -> "badarg".

%% The real order is nobody's promise.
listing([]) -> "none";
listing(Items) -> lists:join(" ", lists:sort([lists:flatten(Item) || Item <- Items])).
