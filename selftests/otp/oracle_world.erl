%% SPDX-License-Identifier: GPL-2.0
%% What every process of one scenario can look up: definitions, how children
%% are to behave, and who runs.  One ets table, dropped with the scenario.
%% Nobody writes while a supervisor works except that supervisor itself.

-module(oracle_world).
-export([new/0, player/1]).
-export([define/4, kind/2, flags/2, add_child/4, children/2]).
-export([set_attempts/4, next_attempt/2, set_manner/4, manner/4]).
-export([add_queued/3, take_queued/2]).
-export([started/4, pid/2, supervisor/2, last_pid/2, name/2, parent/2, supervisors/1, alive/1, dead/1]).
-export([killed_outside/2, was_killed_outside/2]).

%% The table also names its player: the process that records.
new() ->
	Tab = ets:new(?MODULE, [public]),
	ets:insert(Tab, {player, self()}),
	Tab.

player(W) -> get(W, player, none).

%% Definitions

define(W, Sup, Kind, Flags) -> put(W, {sup, Sup}, {Kind, Flags}).

%% worker | static | simple | dynamic
kind(W, Name) ->
	case get(W, {sup, Name}, worker) of
		worker -> worker;
		{dynsup, _} -> dynamic;
		{sup, Flags} ->
			case proplists:get_value(strategy, Flags) of
				simple_one_for_one -> simple;
				_ -> static
			end
	end.

flags(W, Sup) -> {_, Flags} = get(W, {sup, Sup}, none), Flags.

add_child(W, Sup, Child, Opts) -> append(W, {children, Sup}, {Child, Opts}).

children(W, Sup) -> get(W, {children, Sup}, []).

%% Behaviour

set_attempts(_, _, _, 0) -> ok;
set_attempts(W, Name, Outcome, N) -> append(W, {attempts, Name}, {Outcome, N}).

next_attempt(W, Name) ->
	case get(W, {attempts, Name}, []) of
		[] -> ok;
		[{Outcome, 1} | Rest] ->
			put(W, {attempts, Name}, Rest),
			Outcome;
		[{Outcome, N} | Rest] ->
			put(W, {attempts, Name}, [{Outcome, N - 1} | Rest]),
			Outcome
	end.

set_manner(W, Name, Key, Value) -> put(W, {Key, Name}, Value).

manner(W, Name, Key, Default) -> get(W, {Key, Name}, Default).

add_queued(W, Name, Call) -> append(W, {queued, Name}, Call).

take_queued(W, Name) ->
	Calls = get(W, {queued, Name}, []),
	ets:delete(W, {queued, Name}),
	Calls.

%% Who runs

started(W, Name, Pid, Parent) ->
	put(W, {pid, Name}, Pid),
	put(W, {process, Pid}, {Name, Parent}).

pid(W, Name) ->
	case last_pid(W, Name) of
		none -> none;
		Pid ->
			case is_process_alive(Pid) of
				true -> Pid;
				false -> none
			end
	end.

supervisor(W, Name) ->
	case kind(W, Name) of
		worker -> none;
		_ -> pid(W, Name)
	end.

last_pid(W, Name) -> get(W, {pid, Name}, none).

name(W, Pid) ->
	case get(W, {process, Pid}, none) of
		none -> none;
		{Name, _} -> Name
	end.

parent(W, Pid) -> {_, Parent} = get(W, {process, Pid}, none), Parent.

alive(W) -> [Pid || Pid <- every(W), is_process_alive(Pid)].

dead(W) -> [Pid || Pid <- every(W), not is_process_alive(Pid)].

every(W) -> [Pid || [Pid] <- ets:match(W, {{process, '$1'}, '_'})].

supervisors(W) -> [Pid || Pid <- alive(W), kind(W, name(W, Pid)) =/= worker].

%% Whose SIGKILL it was: the scenario's, or a supervisor's.
killed_outside(W, Pid) -> put(W, {outside, Pid}, true).

was_killed_outside(W, Pid) -> get(W, {outside, Pid}, false).

get(W, Key, Default) ->
	case ets:lookup(W, Key) of
		[{_, Value}] -> Value;
		[] -> Default
	end.

put(W, Key, Value) -> ets:insert(W, {Key, Value}).

append(W, Key, Item) -> put(W, Key, get(W, Key, []) ++ [Item]).
