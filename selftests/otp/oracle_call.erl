%% SPDX-License-Identifier: GPL-2.0
%% The API calls: made for real, their results put into the trace's words.

-module(oracle_call).
-export([do/2, queue/2, start_error/1]).
-include("oracle.hrl").

%% Make the call and wait for its answer.
do(W, #call{sup = Sup} = Call) ->
	case oracle_world:supervisor(W, Sup) of
		none -> "noproc";
		Pid -> do(W, Pid, Call)
	end.

do(W, Pid, #call{sup = Sup} = Call) ->
	try make(oracle_world:kind(W, Sup), W, Pid, Call)
	catch exit:_ -> "exit"
	end.

%% Put the call into the supervisor's queue and return once it is there.
queue(W, #call{sup = Sup, text = Text} = Call) ->
	case oracle_world:supervisor(W, Sup) of
		none ->
			oracle_trace:refused(W, Text, "noproc");
		Pid ->
			Caller = spawn(fun() ->
				oracle_trace:answer(W, do(W, Pid, Call))
			end),
			oracle_trace:called(W, Caller, Pid, Text),
			await_queued(Caller, Pid)
	end.

%% A call refused on the caller's side never arrives.
await_queued(Caller, Pid) ->
	{messages, Queue} = process_info(Pid, messages),
	Queued = [1 || {'$gen_call', {From, _}, _} <- Queue, From =:= Caller],
	case Queued =/= [] orelse not is_process_alive(Caller) of
		true -> ok;
		false -> erlang:yield(), await_queued(Caller, Pid)
	end.

make(dynamic, W, Pid, #call{verb = start_child, child = C, opts = Opts}) ->
	started('Elixir.DynamicSupervisor':start_child(Pid, oracle_child:spec(W, C, Opts)));
make(dynamic, W, Pid, #call{verb = terminate_child, child = C}) ->
	simple('Elixir.DynamicSupervisor':terminate_child(Pid, process(W, C)));
make(simple, _, Pid, #call{verb = start_child, child = C}) ->
	started(supervisor:start_child(Pid, [C]));
make(simple, W, Pid, #call{verb = terminate_child, child = C}) when C =/= '-' ->
	simple(supervisor:terminate_child(Pid, process(W, C)));
make(_, W, Pid, #call{verb = start_child, child = C, opts = Opts}) ->
	started(supervisor:start_child(Pid, oracle_child:spec(W, C, Opts)));
make(_, _, Pid, #call{verb = terminate_child, child = C}) ->
	simple(supervisor:terminate_child(Pid, C));
make(_, _, Pid, #call{verb = restart_child, child = C}) ->
	started(supervisor:restart_child(Pid, C));
make(_, _, Pid, #call{verb = delete_child, child = C}) ->
	simple(supervisor:delete_child(Pid, C));
make(_, _, Pid, #call{verb = get_childspec, child = C}) ->
	case supervisor:get_childspec(Pid, C) of
		{ok, Spec} -> childspec(Spec);
		Error -> simple(Error)
	end;
make(Kind, W, Pid, #call{verb = which_children}) ->
	Children = supervisor:which_children(Pid),
	States = case Kind of
		static -> [state(Id, C, Type) || {Id, C, Type, _} <- Children];
		_ -> lists:sort([state(label(W, C), C, Type) || {_, C, Type, _} <- Children])
	end,
	case States of
		[] -> "none";
		_ -> lists:flatten(lists:join(" ", States))
	end;
make(_, _, Pid, #call{verb = count_children}) ->
	Counts = supervisor:count_children(Pid),
	fields([{K, proplists:get_value(K, Counts)} || K <- [specs, active, supervisors, workers]]).

%% A name never started stands for a process that is nobody's child.
process(W, Name) ->
	case oracle_world:last_pid(W, Name) of
		none -> oracle_world:player(W);
		Pid -> Pid
	end.

label(W, Pid) when is_pid(Pid) -> oracle_world:name(W, Pid);
label(_, _) -> '_'.

state(Id, Child, Type) ->
	State = if is_pid(Child) -> running; true -> Child end,
	lists:flatten([id(Id), io_lib:format(":~w:~w", [State, Type])]).

id('_') -> "_";
id(Id) -> io_lib:format("~w", [Id]).

childspec(Spec) ->
	fields([{K, maps:get(K, Spec)} || K <- [id, restart, shutdown, significant, type]]).

fields(Pairs) ->
	lists:flatten(lists:join(" ", [io_lib:format("~w=~w", [K, V]) || {K, V} <- Pairs])).

started({ok, undefined}) -> "ok undefined";
started({ok, Pid}) when is_pid(Pid) -> "ok";
started(ignore) -> "ignore";
started({error, Reason}) -> "error " ++ refusal(Reason);
started(Other) -> simple(Other).

simple(ok) -> "ok";
simple({error, Reason}) -> "error " ++ refusal(Reason).

refusal({already_started, _}) -> "already_started";
refusal(Reason) when Reason =:= running; Reason =:= restarting; Reason =:= not_found;
		     Reason =:= already_present; Reason =:= max_children;
		     Reason =:= simple_one_for_one ->
	atom_to_list(Reason);
refusal(Reason) ->
	case invalid(Reason) of
		none -> "start_failed";
		Text -> Text
	end.

%% A supervisor that did not start.
start_error({supervisor_data, Reason}) -> "supervisor_data " ++ invalid(Reason);
start_error({start_spec, Reason}) -> "start_spec " ++ invalid(Reason);
start_error({bad_start_spec, _}) -> "bad_start_spec";
start_error({shutdown, {failed_to_start_child, Id, _}}) ->
	"failed_to_start_child " ++ atom_to_list(Id);
start_error(start_failed) -> "start_failed".

%% What a check of flags or of a child spec refused.
invalid({bad_combination, Pairs}) -> "bad_combination " ++ fields(Pairs);
invalid({What, Value}) when is_atom(What), (is_atom(Value) orelse is_integer(Value)) ->
	lists:flatten(io_lib:format("~w ~w", [What, Value]));
invalid(_) -> none.
