%% SPDX-License-Identifier: GPL-2.0
%% What the oracle's modules agree on: a parsed command and a parsed call.

-record(call, {
	verb :: atom(),
	sup  :: atom(),
	child = none :: atom(),
	opts = [] :: [{atom(), term()}],
	text :: string()		% as written, for the echo and the reply
}).

-record(cmd, {
	line :: pos_integer(),
	text :: string(),
	what :: term()
}).
