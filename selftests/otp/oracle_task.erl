%% SPDX-License-Identifier: GPL-2.0
%% Task scenarios: reads one, and plays it against Elixir's Task.  Their owner is a
%% process that may die of them; each task does what it is told, when it is told.

-module(oracle_task).
-export([read/1, scenario/1]).
-include("oracle.hrl").

-define(TASK, 'Elixir.Task').
-define(SUPERVISOR, 'Elixir.Task.Supervisor').

%% What does not end is waited for so long; what is asked to end and does, longer.
-define(SHORT_MS, 20).
%% An item of a stream that hangs.  Others take less, however busy the machine is.
-define(HANG_MS, 3000).

-record(owner, {player, supervisor, tasks = #{}}).

%% Reading

read(File) ->
	oracle_scenario:read(File, fun(Lines) ->
		[oracle_scenario:cmd(N, Words, fun command/1) || {N, Words} <- Lines]
	end).

command([Verb]) when Verb =:= "trap"; Verb =:= "exits" -> list_to_atom(Verb);
command([How, T]) when How =:= "async"; How =:= "nolink" -> {start, list_to_atom(How), name(T)};
command(["reply", T, V]) -> {finish, name(T), {reply, V}};
command([How, T]) when How =:= "crash"; How =:= "leave" -> {finish, name(T), list_to_atom(How)};
command(["kill", T]) -> {kill, name(T)};
command(["polite", T, V]) -> {manner, name(T), {polite, V}};
command([How, T]) when How =:= "stubborn"; How =:= "brittle" ->
	{manner, name(T), list_to_atom(How)};
command(["await" | Ts]) when Ts =/= [] -> {await, names(Ts)};
command(["yield" | Ts]) when Ts =/= [] -> {yield, names(Ts)};
command(["shutdown", T, "brutal_kill"]) -> {shutdown, name(T), brutal_kill};
command(["shutdown", T, "infinity"]) -> {shutdown, name(T), infinity};
command(["shutdown", T, MS]) -> {shutdown, name(T), natural(MS)};
command(["ignore", T]) -> {ignore, name(T)};
command(["alive", T]) -> {alive, name(T)};
command(["stream", Link, Order, "max=" ++ Max, "on_timeout=" ++ On, "take=" ++ Take | Items]) ->
	{stream, word(Link, [link, nolink]), word(Order, [ordered, unordered]), natural(Max),
	 word(On, [exit, kill_task]), natural(Take), Items};
command(Words) ->
	throw(["not a command, or not its arguments: ", lists:join(" ", Words)]).

name(Text) -> oracle_scenario:name(Text).
names(Texts) -> [name(Text) || Text <- Texts].

natural(Text) ->
	case string:to_integer(Text) of
		{N, ""} when N >= 0 -> N;
		_ -> throw(["not a number: ", Text])
	end.

word(Text, Known) ->
	case [K || K <- Known, atom_to_list(K) =:= Text] of
		[K] -> K;
		[] -> throw(["not one that is known: ", Text])
	end.

%% Playing.  What the owner has said is there when it dies.

scenario(Cmds) ->
	Player = self(),
	{ok, Supervisor} = ?SUPERVISOR:start_link([]),
	{Pid, Ref} = spawn_monitor(fun() ->
		lists:foldl(fun step/2, #owner{player = Player, supervisor = Supervisor}, Cmds)
	end),
	lines(Pid, Ref).

lines(Pid, Ref) ->
	receive
		{Pid, Line} -> [Line | lines(Pid, Ref)];
		{'DOWN', Ref, process, Pid, Reason} -> [["! owner ", reason(Reason)]]
	end.

step(#cmd{text = Text, what = What}, #owner{player = Player} = Owner) ->
	Player ! {self(), ["> ", Text]},
	{Result, Next} = perform(What, Owner),
	Player ! {self(), ["= ", Result]},
	Next.

perform(trap, Owner) ->
	process_flag(trap_exit, true),
	{"ok", Owner};
perform(exits, Owner) ->
	{list_or_none(exits(Owner)), Owner};
perform({start, How, T}, #owner{tasks = Tasks, supervisor = Supervisor} = Owner) ->
	Task = case How of
		async -> ?TASK:async(fun() -> obey(none) end);
		nolink -> ?SUPERVISOR:async_nolink(Supervisor, fun() -> obey(none) end)
	end,
	{"ok", Owner#owner{tasks = Tasks#{T => Task}}};
perform({finish, T, What}, Owner) -> {finish(pid(T, Owner), fun(Pid) -> Pid ! What end), Owner};
perform({kill, T}, Owner) -> {finish(pid(T, Owner), fun(Pid) -> exit(Pid, kill) end), Owner};
perform({manner, T, What}, Owner) ->
	pid(T, Owner) ! {self(), What},
	receive manners -> ok end,
	{"ok", Owner};
perform({await, [T]}, Owner) ->
	{exiting(fun() -> ["ok ", ?TASK:await(task(T, Owner), ?SHORT_MS)] end), Owner};
perform({await, Ts}, Owner) ->
	{case exiting(fun() -> ["ok " | lists:join(" ", ?TASK:await_many(tasks(Ts, Owner), ?SHORT_MS))] end) of
		["exit ", Reason] when Reason =/= "timeout" -> "exit died";
		Result -> Result
	 end, Owner};
perform({yield, [T]}, Owner) ->
	{outcome(?TASK:yield(task(T, Owner), ?SHORT_MS)), Owner};
perform({yield, Ts}, Owner) ->
	Outcomes = ?TASK:yield_many(tasks(Ts, Owner), ?SHORT_MS),
	{lists:join(", ", [outcome(Outcome) || {_, Outcome} <- Outcomes]), Owner};
perform({shutdown, T, How}, Owner) ->
	{outcome(?TASK:shutdown(task(T, Owner), How)), Owner};
perform({ignore, T}, Owner) ->
	{outcome(?TASK:ignore(task(T, Owner))), Owner};
perform({alive, T}, Owner) ->
	{atom_to_list(is_process_alive(pid(T, Owner))), Owner};
perform({stream, Link, Order, Max, On, Take, Items}, Owner) ->
	{stream(Link, Order, Max, On, Take, Items, Owner), Owner}.

task(T, #owner{tasks = Tasks}) -> maps:get(T, Tasks).
tasks(Ts, Owner) -> [task(T, Owner) || T <- Ts].
pid(T, Owner) -> maps:get(pid, task(T, Owner)).

%% In the task

obey(Manner) ->
	receive
		{reply, V} -> V;
		crash -> exit(crash);
		leave -> exit(normal);
		{From, Mannered} ->
			process_flag(trap_exit, true),
			From ! manners,
			obey(Mannered);
		{'EXIT', _, shutdown} ->
			case Manner of
				{polite, V} -> V;
				brittle -> exit(crash);
				stubborn -> obey(Manner)
			end
	end.

%% In the owner.  All that a death says has come when this returns.
finish(Pid, Do) ->
	Ref = monitor(process, Pid),
	Do(Pid),
	receive {'DOWN', Ref, process, Pid, _} -> ok end,
	receive after ?SHORT_MS -> "ok" end.

exits(Owner) ->
	receive
		{'EXIT', Pid, Reason} ->
			Names = [T || {T, #{pid := P}} <- maps:to_list(Owner#owner.tasks), P =:= Pid],
			[io_lib:format("~w:~s", [Name, reason(Reason)]) || Name <- Names] ++ exits(Owner)
	after 0 -> []
	end.

list_or_none([]) -> "none";
list_or_none(Items) -> lists:join(" ", Items).

exiting(Do) ->
	try Do()
	catch exit:{Reason, {?TASK, _, _}} -> ["exit ", reason(Reason)]
	end.

outcome(nil) -> "nil";
outcome({ok, V}) -> ["ok ", V];
outcome({exit, Reason}) -> ["exit ", reason(Reason)].

reason(normal) -> "normal";
reason(killed) -> "killed";
reason(crash) -> "crash";
reason(timeout) -> "timeout".

%% Streams

stream(Link, Order, Max, On, Take, Items, #owner{supervisor = Supervisor}) ->
	%% running, the most that ran, arrived
	Counts = {counters:new(1, []), atomics:new(1, []), counters:new(1, [])},
	Options = [{max_concurrency, Max}, {ordered, Order =:= ordered}, {on_timeout, On},
		   {timeout, case lists:member("hang", Items) of true -> ?HANG_MS; false -> infinity end}],
	Numbered = lists:zip(lists:seq(0, length(Items) - 1), Items),
	Work = fun(Item) -> item(Item, Max, Counts) end,
	Stream = case Link of
		link -> ?TASK:async_stream(Numbered, Work, Options);
		nolink -> ?SUPERVISOR:async_stream_nolink(Supervisor, Numbered, Work, Options)
	end,
	put(outcomes, []),
	End = try 'Elixir.Enum':each('Elixir.Stream':take(Stream, Take), fun(Outcome) ->
		put(outcomes, [lists:flatten(outcome(Outcome)) | get(outcomes)])
	end) of
		ok -> []
	catch exit:{timeout, _} -> ["stops: timeout"]
	end,
	Outcomes = case Order of
		ordered -> lists:reverse(get(outcomes));
		unordered -> lists:sort(get(outcomes))
	end,
	Most = case lists:member("meet", Items) of
		true -> ["most " ++ integer_to_list(atomics:get(element(2, Counts), 1))];
		false -> []
	end,
	case Outcomes ++ End ++ Most of
		[] -> "none";
		All -> lists:join(", ", All)
	end.

item({_, "crash"}, _, _) -> exit(crash);
item({_, "leave"}, _, _) -> exit(normal);
item({_, "hang"}, _, _) -> receive after infinity -> ok end;
item({I, "meet"}, Max, {Running, Most, Arrived}) ->
	counters:add(Running, 1, 1),
	counters:add(Arrived, 1, 1),
	atomics:put(Most, 1, max(atomics:get(Most, 1), counters:get(Running, 1))),
	meet(Arrived, (I div Max + 1) * Max),
	counters:sub(Running, 1, 1),
	"met";
item({_, Value}, _, _) -> Value.

%% Until as many have come as may run at once, again and again.
meet(Arrived, All) ->
	case counters:get(Arrived, 1) >= All of
		true -> ok;
		false -> receive after 1 -> meet(Arrived, All) end
	end.
