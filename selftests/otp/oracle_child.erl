%% SPDX-License-Identifier: GPL-2.0
%% The scenario's children as OTP sees them: the start function of every child
%% spec, the supervisors' callback, and the process a worker is.  Runs inside
%% the supervisors; whatever it does is recorded at the moment it does it.

-module(oracle_child).
-behaviour(supervisor).
-export([start/2, spec/3, init/1]).

%% One start attempt of Name, in the process of its supervisor (or, for a
%% root, of the player).
start(W, Name) ->
	case oracle_world:next_attempt(W, Name) of
		fail ->
			failed(W, Name, start_failed);
		ignore ->
			oracle_trace:log(W, start_ignore, Name),
			ignore;
		ok ->
			Start = case oracle_world:kind(W, Name) of
				worker -> start_worker(W, Name);
				dynamic -> start_dynamic(W, Name);
				_ -> supervisor:start_link(?MODULE, {W, Name})
			end,
			case Start of
				{ok, Pid} -> started(W, Name, Pid);
				{error, Reason} -> failed(W, Name, Reason)
			end
	end.

started(W, Name, Pid) ->
	oracle_world:started(W, Name, Pid, self()),
	oracle_trace:watch(W, Pid),
	oracle_trace:log(W, start, Name),
	{ok, Pid}.

failed(W, Name, Reason) ->
	oracle_trace:log(W, start_fail, Name),
	[oracle_call:queue(W, Call) || Call <- oracle_world:take_queued(W, Name)],
	{error, Reason}.

%% The spec carries what the scenario gave and no more, so that OTP's own
%% defaults and checks apply.
spec(W, Child, Opts) ->
	maps:merge(#{id => Child, start => {?MODULE, start, [W, Child]}},
		   maps:from_list(Opts)).

%% supervisor callback

init({W, Sup}) ->
	Flags = oracle_world:flags(W, Sup),
	Flag = fun(Key, Default) -> proplists:get_value(Key, Flags, Default) end,
	Specs = [spec(W, Child, Opts) || {Child, Opts} <- oracle_world:children(W, Sup)],
	{ok, {#{strategy => Flag(strategy, one_for_one),
		intensity => Flag(max_restarts, 3),
		period => Flag(max_seconds, 5),
		auto_shutdown => Flag(auto_shutdown, never)},
	      case oracle_world:kind(W, Sup) of
		      simple -> [template(W, S) || S <- Specs];
		      static -> Specs
	      end}}.

%% start_child appends the name to the template's arguments.
template(W, Spec) -> Spec#{start => {?MODULE, start, [W]}}.

start_dynamic(W, Name) ->
	Flags = [{strategy, one_for_one} | oracle_world:flags(W, Name)],
	'Elixir.DynamicSupervisor':start_link(Flags).

%% The worker

start_worker(W, Name) ->
	Sup = self(),
	Pid = spawn_link(fun() ->
		process_flag(trap_exit, true),
		Sup ! {self(), ready},
		work(W, Name, Sup)
	end),
	receive {Pid, ready} -> {ok, Pid} end.

work(W, Name, Sup) ->
	receive
		{die, Reason} ->
			exit(Reason);
		{'EXIT', Sup, shutdown} ->
			oracle_trace:log(W, term, self()),
			case oracle_world:manner(W, Name, stubborn, false) of
				true -> work(W, Name, Sup);
				false -> obey(W, Name)
			end;
		{'EXIT', Sup, Reason} ->
			oracle_world:killed_outside(W, self()),
			oracle_trace:log(W, orphan, self()),
			exit(Reason)
	end.

obey(W, Name) ->
	timer:sleep(oracle_world:manner(W, Name, slow, 0)),
	exit(oracle_world:manner(W, Name, onterm, shutdown)).
