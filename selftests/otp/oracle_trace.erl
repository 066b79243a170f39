%% SPDX-License-Identifier: GPL-2.0
%% The record of a scenario: what is noted, how it is put in order, and how it
%% reads.  Every event carries a number from one strictly increasing clock,
%% taken where it happened, so the order of arrival does not matter.

-module(oracle_trace).
-export([log/3, watch/2, barrier/1, called/4, answer/2, refused/3]).
-export([new/1, collect/2]).

-record(trace, {
	world,
	open = #{},	% Caller => {Number, Supervisor, Text}: not yet answered
	buried = []	% those whose exit has been traced
}).

%% Noting, by whoever does it

%% What is start, start_fail or start_ignore with a name; term or orphan with
%% the process itself.
log(W, What, Who) -> note(W, {What, Who}).

%% What follows happened on its own, not as part of what came before.
barrier(W) -> note(W, barrier).

called(W, Caller, Sup, Text) -> note(W, {called, Caller, Sup, Text}).

answer(W, Result) -> note(W, {answer, self(), Result}).

refused(W, Text, Result) -> note(W, {reply, Text, Result}).

note(W, Event) ->
	oracle_world:player(W) ! {event, erlang:unique_integer([monotonic]), Event}.

%% A death is noted as the dying process comes to it, ahead of the signals
%% that tell its supervisor; an answer as its supervisor sends it.
watch(W, Pid) ->
	Flags = case oracle_world:kind(W, oracle_world:name(W, Pid)) of
		worker -> [procs];
		_ -> [procs, send]
	end,
	erlang:trace(Pid, true, [strict_monotonic_timestamp,
				 {tracer, oracle_world:player(W)} | Flags]).

%% Reading, by the player

new(W) -> #trace{world = W}.

%% The lines of all that happened since the last time.  Every supervisor is
%% idle now, or (Frozen) suspended, and then calls may stay unanswered.
collect(Trace, Frozen) ->
	Events = lists:keysort(1, gather(Trace, Frozen, [])),
	Answers = maps:from_list([{C, R} || {_, {answer, C, R}} <- Events]),
	{Lines, Open} = lists:foldl(
		fun({N, Event}, {Lines, Open}) ->
			{More, NewOpen} = place(N, Event, Answers, Open),
			{[More | Lines], NewOpen}
		end, {[], Trace#trace.open}, Events),
	{present(Trace#trace.world, lists:append(lists:reverse(Lines))),
	 Trace#trace{open = Open, buried = exits(Events) ++ Trace#trace.buried}}.

gather(Trace, Frozen, Known) ->
	Events = drain(Known),
	case incomplete(Trace, Frozen, Events) of
		true ->
			receive Message -> gather(Trace, Frozen, event(Message, Events)) end;
		false ->
			Calls = calls(Trace, Events),
			[delivered(Sup) || Sup <- lists:usort([S || {_, S, _} <- maps:values(Calls)])],
			drain(Events)
	end.

drain(Events) ->
	receive Message -> drain(event(Message, Events))
	after 0 -> Events
	end.

event({event, N, Event}, Events) -> [{N, Event} | Events];
event({trace_ts, Pid, exit, Reason, {_, N}}, Events) -> [{N, {exit, Pid, Reason}} | Events];
event({trace_ts, _, send, _, To, {_, N}}, Events) when is_pid(To) -> [{N, {sent, To}} | Events];
event(_, Events) -> Events.

%% Is an exit still to be traced, or an answer still to come?
incomplete(#trace{world = W, buried = Buried} = Trace, Frozen, Events) ->
	Answered = [Caller || {_, {answer, Caller, _}} <- Events],
	oracle_world:dead(W) -- (exits(Events) ++ Buried) =/= []
		orelse not Frozen andalso maps:keys(calls(Trace, Events)) -- Answered =/= [].

calls(#trace{open = Open}, Events) ->
	New = [{Caller, {N, Sup, Text}} || {N, {called, Caller, Sup, Text}} <- Events],
	maps:merge(Open, maps:from_list(New)).

exits(Events) -> [Pid || {_, {exit, Pid, _}} <- Events].

delivered(Pid) ->
	Ref = erlang:trace_delivered(Pid),
	receive {trace_delivered, Pid, Ref} -> ok end.

%% Ordering: an event in its turn becomes the lines it stands for.  A reply
%% stands where the supervisor sent it; a call that its supervisor did not
%% live to answer, right behind that supervisor's exit.
place(N, {called, Caller, Sup, Text}, _, Open) ->
	{[], Open#{Caller => {N, Sup, Text}}};
place(_, {sent, To}, Answers, Open) ->
	replies([To || is_map_key(To, Open)], Answers, Open);
place(_, {answer, Caller, _}, Answers, Open) ->
	replies([Caller || is_map_key(Caller, Open)], Answers, Open);
place(_, {exit, Pid, _} = Exit, Answers, Open) ->
	Bereft = lists:sort([{N, Caller} || {Caller, {N, Sup, _}} <- maps:to_list(Open), Sup =:= Pid]),
	{Replies, Left} = replies([Caller || {_, Caller} <- Bereft], Answers, Open),
	{[Exit | Replies], Left};
place(_, Event, _, Open) ->
	{[Event], Open}.

replies(Callers, Answers, Open) ->
	{[{reply, Text, maps:get(C, Answers)} || C <- Callers, {_, _, Text} <- [maps:get(C, Open)]],
	 maps:without(Callers, Open)}.

%% Wording.  Lines a dynamic supervisor leaves in no particular order, those
%% of its children that it stops together, are sorted by name.
present(W, Events) ->
	Lines = [Line || Event <- Events, Line <- lines(W, Event)],
	[Text || {_, _, Text} <- settle(Lines), Text =/= none].

settle([{Group, _, _} | _] = Lines) when Group =/= none ->
	{Run, Rest} = lists:splitwith(fun({G, _, _}) -> G =:= Group end, Lines),
	lists:keysort(2, Run) ++ settle(Rest);
settle([Line | Rest]) ->
	[Line | settle(Rest)];
settle([]) ->
	[].

lines(_, barrier) -> [{none, none, none}];
lines(_, {reply, Text, Result}) -> [line(["reply ", Text, " = ", Result])];
lines(W, {exit, Pid, killed}) ->
	[fatal(W, Pid, "kill ~s") || not oracle_world:was_killed_outside(W, Pid)]
		++ [fatal(W, Pid, "exit ~s killed")];
lines(W, {exit, Pid, Reason}) -> [fatal(W, Pid, "exit ~s " ++ reason(Reason))];
lines(W, {What, Pid}) when is_pid(Pid) -> [fatal(W, Pid, atom_to_list(What) ++ " ~s")];
lines(_, {What, Name}) -> [line([atom_to_list(What), " ", atom_to_list(Name)])].

line(Text) -> {none, none, Text}.

fatal(W, Pid, Format) ->
	Name = oracle_world:name(W, Pid),
	Parent = oracle_world:parent(W, Pid),
	Group = case oracle_world:kind(W, oracle_world:name(W, Parent)) of
		Kind when Kind =:= simple; Kind =:= dynamic -> Parent;
		_ -> none
	end,
	{Group, Name, io_lib:format(Format, [Name])}.

reason(normal) -> "normal";
reason(shutdown) -> "shutdown";
reason({shutdown, _}) -> "shutdown";
reason(_) -> "crash".
