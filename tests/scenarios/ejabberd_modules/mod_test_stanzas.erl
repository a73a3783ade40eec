%% Writes every element as ejabberd has read it into the file that STANZAS names, and keeps ejabberd
%% from answering it. One JSON value a line: [name, [[attribute, value], ...], [child or text, ...]],
%% or null where a stream has ended.
-module(mod_test_stanzas).

-export([start/2, stop/1, depends/2, mod_options/1, mod_opt_type/1, mod_doc/0]).
-export([received/3, unauthenticated/2, ended/2]).

start(Host, _Options) ->
    ejabberd_hooks:add(c2s_handle_recv, Host, ?MODULE, received, 1),
    ejabberd_hooks:add(c2s_unauthenticated_packet, Host, ?MODULE, unauthenticated, 1),
    ejabberd_hooks:add(c2s_terminated, Host, ?MODULE, ended, 1).

stop(_Host) -> ok.
depends(_Host, _Options) -> [].
mod_options(_Host) -> [].
mod_opt_type(_) -> erlang:error(badarg).
mod_doc() -> #{}.

received(State, Element, _Decoded) ->
    write(tree(Element)),
    State.

unauthenticated(State, _Packet) -> {stop, State}.

ended(#{stream_header_sent := false} = State, _Reason) -> State;
ended(State, _Reason) ->
    write(null),
    State.

write(Value) ->
    Line = [jiffy:encode(Value), "\n"],
    ok = file:write_file(os:getenv("STANZAS"), Line, [append]).

tree({xmlel, Name, Attributes, Children}) ->
    [Name, [[Key, Value] || {Key, Value} <- Attributes], [tree(Child) || Child <- Children]];
tree({xmlcdata, Text}) -> Text.
