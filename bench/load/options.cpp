#include "bench/load/options.hpp"

#include <CLI/CLI.hpp>

#include "bench/load/mode.hpp"

namespace stanzagate::load {

std::optional<Options> read_options(int argc, char** argv, int& exit_code) {
    Options options;
    CLI::App app(
        "XMPP clients and the server behind them, to load a proxy with a fixed amount of "
        "work. Prints one line of JSON when all is set up, and one at the end.");
    app.add_option("mode", options.mode, "what to do")
        ->required()
        ->check(CLI::IsMember(mode_names()));
    app.add_option("--connect", options.connect, "address of the proxy")->capture_default_str();
    app.add_option("--sink", options.sink, "address for the sink server; without it there is none");
    app.add_option("--sink-door", options.sink_door,
                   "how the proxy speaks to the sink: \"plain\" XMPP, \"websocket\" or \"bosh\"")
        ->check(CLI::IsMember({"plain", "websocket", "bosh"}))
        ->capture_default_str();
    app.add_option("--door", options.door,
                   "plain, direct or starttls; for echo and idle also websocket or bosh")
        ->capture_default_str();
    app.add_option("--host", options.host, "the XMPP domain")->capture_default_str();
    app.add_option("--sessions", options.sessions, "sessions at once")->capture_default_str();
    app.add_option("--first", options.first, "idle: hold so many before the others are made");
    app.add_option("--count", options.count, "connections, or stanzas to echo, in all")
        ->capture_default_str();
    app.add_option("--bytes", options.bytes, "bytes to relay in all, for floods and records");
    app.add_option("--stanza", options.stanza, "bytes in a stanza")->capture_default_str();
    app.add_option("--rate", options.rate,
                   "stanzas to echo in a second; 0: each when the last is back")
        ->capture_default_str();
    app.add_option("--until", options.until,
                   "handshake, resumed: close after the \"ticket\", or the server's \"header\"")
        ->check(CLI::IsMember({"ticket", "header"}))
        ->capture_default_str();
    app.add_flag("--wait", options.wait,
                 "once all is set up, and again at the end, wait for a line on standard input");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        exit_code = app.exit(error) == 0 ? 0 : 2;
        return std::nullopt;
    }
    return options;
}

}  // namespace stanzagate::load
