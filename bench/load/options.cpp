#include "bench/load/options.hpp"

#include <CLI/CLI.hpp>

#include "bench/load/mode.hpp"

namespace stanzagate::load {
namespace {

void add_soak_options(CLI::App& app, SoakOptions& soak) {
    auto& group = *app.add_option_group("soak", "soak and soak-sink: see tests/soak");
    group.add_option("--seed", soak.seed, "of all that is drawn")->capture_default_str();
    group.add_option("--starttls", soak.starttls, "address of the proxy for STARTTLS");
    group.add_option("--second-host", soak.second_host, "whose server goes away and comes back");
    group.add_option("--second-sink", soak.second_sink, "address for that host's sink");
    group.add_option("--websocket", soak.websocket, "so many sessions over WebSocket");
    group.add_option("--bosh", soak.bosh, "so many over BOSH");
    group.add_option("--second", soak.second, "so many of the second host");
    group.add_option("--slow", soak.slow, "so many that do not read for a while, now and then");
    group.add_option("--spell", soak.spell, "that while, in seconds")->capture_default_str();
    group.add_option("--churn", soak.churn, "sessions that end in a second, and are replaced")
        ->capture_default_str();
    group.add_option("--storm", soak.storm, "connections in a registration storm")
        ->capture_default_str();
    group.add_option("--storm-every", soak.storm_every, "seconds")->capture_default_str();
    group.add_option("--patience", soak.patience, "seconds that an answer may take")
        ->capture_default_str();
    group.add_option("--sabotage", soak.sabotage, "what the sink does wrong, once")
        ->check(CLI::IsMember({"alter", "lose", "double", "skip", "cut", "digest"}));
}

}  // namespace

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
    add_soak_options(app, options.soak);
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
