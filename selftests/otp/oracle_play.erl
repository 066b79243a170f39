%% SPDX-License-Identifier: GPL-2.0
%% Plays one scenario against the real supervisors: one command at a time,
%% each until every supervisor is idle again.

-module(oracle_play).
-export([scenario/1]).
-include("oracle.hrl").

-record(play, {world, trace, frozen = false, out = []}).

%% The trace of a parsed scenario.  The calling process becomes the parent of
%% its roots and the tracer of everything in it, so it should do nothing else.
scenario(Cmds) ->
	process_flag(trap_exit, true),
	W = oracle_world:new(),
	Start = #play{world = W, trace = oracle_trace:new(W)},
	#play{out = Out} = lists:foldl(fun step/2, Start, Cmds),
	discard(W),
	lists:reverse(Out).

step(#cmd{text = Text, what = What}, #play{world = W} = Play) ->
	case prepare(W, What) of
		ok -> Play;
		event -> act(What, say(["> ", Text], Play))
	end.

%% Lines that only say how things will be.
prepare(W, {Def, S, Flags}) when Def =:= sup; Def =:= dynsup ->
	oracle_world:define(W, S, Def, Flags),
	ok;
prepare(W, {child, S, C, Opts}) -> oracle_world:add_child(W, S, C, Opts), ok;
prepare(W, {attempts, C, Outcome, N}) -> oracle_world:set_attempts(W, C, Outcome, N), ok;
prepare(W, {manner, C, Key, Value}) -> oracle_world:set_manner(W, C, Key, Value), ok;
prepare(W, {queue, C, Call}) -> oracle_world:add_queued(W, C, Call), ok;
prepare(_, _) -> event.

act(#call{} = Call, #play{world = W, frozen = true} = Play) ->
	oracle_call:queue(W, Call),
	record(Play);
act(What, #play{world = W} = Play) ->
	Result = perform(What, W),
	Frozen = frozen(What, Play#play.frozen),
	Frozen orelse idle(W),
	say(["= ", Result], record(Play#play{frozen = Frozen})).

frozen(freeze, _) -> true;
frozen(thaw, _) -> false;
frozen(_, Frozen) -> Frozen.

record(#play{trace = Trace, frozen = Frozen} = Play) ->
	{Lines, NewTrace} = oracle_trace:collect(Trace, Frozen),
	lists:foldl(fun say/2, Play#play{trace = NewTrace}, Lines).

say(Line, #play{out = Out} = Play) -> Play#play{out = [Line | Out]}.

perform(#call{} = Call, W) -> oracle_call:do(W, Call);
perform({run, S}, W) ->
	case oracle_world:supervisor(W, S) of
		none -> run(W, S);
		_ -> "already_running"
	end;
perform({stop, S, Reason}, W) ->
	case oracle_world:supervisor(W, S) of
		none -> "noproc";
		Pid -> atom_to_list(proc_lib:stop(Pid, Reason, infinity))
	end;
perform({sleep, MS}, _) -> timer:sleep(MS), "ok";
perform(freeze, W) -> [erlang:suspend_process(S) || S <- oracle_world:supervisors(W)], "ok";
perform(thaw, W) -> [erlang:resume_process(S) || S <- oracle_world:supervisors(W)], "ok";
perform({die, How, Names}, W) ->
	Pids = [oracle_world:pid(W, Name) || Name <- Names],
	Sups = lists:usort([oracle_world:parent(W, Pid) || Pid <- Pids, is_pid(Pid)]) -- [self()],
	[erlang:suspend_process(Sup) || Sup <- Sups],
	Results = [die(W, How, Name) || Name <- Names],
	oracle_trace:barrier(W),
	[erlang:resume_process(Sup) || Sup <- Sups],
	lists:join(" ", Results).

run(W, S) ->
	case oracle_child:start(W, S) of
		{ok, _} -> "ok";
		ignore -> "ignore";
		{error, Reason} -> ["error ", oracle_call:start_error(Reason)]
	end.

die(W, How, Name) ->
	case {oracle_world:pid(W, Name), oracle_world:kind(W, Name)} of
		{none, _} ->
			"not_running";
		{Pid, worker} ->
			end_process(W, How, Pid),
			await_exit(Pid, oracle_world:parent(W, Pid)),
			"ok";
		{_, _} ->
			"not_worker"
	end.

end_process(W, kill, Pid) -> oracle_world:killed_outside(W, Pid), exit(Pid, kill);
end_process(_, exit, Pid) -> Pid ! {die, normal};
end_process(_, How, Pid) -> Pid ! {die, How}.

%% Until the supervisor, which is suspended, has the news in its queue.
await_exit(Pid, Sup) ->
	{messages, Queue} = process_info(Sup, messages),
	case lists:any(fun({'EXIT', P, _}) -> P =:= Pid; (_) -> false end, Queue) of
		true -> ok;
		false -> erlang:yield(), await_exit(Pid, Sup)
	end.

%% Idle: each supervisor in turn says that all its children run, and has
%% nothing left to read.  An exit under way shows as a child believed to run
%% that does not; a retry as a restarting child.
idle(W) ->
	case lists:all(fun is_idle/1, oracle_world:supervisors(W)) of
		true -> ok;
		false -> erlang:yield(), idle(W)
	end.

is_idle(Sup) ->
	try supervisor:which_children(Sup) of
		Children ->
			lists:all(fun({_, Child, _, _}) -> is_settled(Child) end, Children)
				andalso process_info(Sup, message_queue_len) =:= {message_queue_len, 0}
	catch
		exit:_ -> false
	end.

is_settled(Child) when is_pid(Child) -> is_process_alive(Child);
is_settled(Child) -> Child =:= undefined.

%% Whatever still runs goes without a trace; suspended, no supervisor can
%% answer the death of another.
discard(W) ->
	Sups = oracle_world:supervisors(W),
	[erlang:suspend_process(Sup) || Sup <- Sups],
	[exit(Sup, kill) || Sup <- Sups],
	[exit(Pid, kill) || Pid <- oracle_world:alive(W)].
