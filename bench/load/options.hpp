#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace stanzagate::load {

// What the modes soak and soak-sink need beside the others.
struct SoakOptions {
    std::uint64_t seed = 1;
    std::string starttls;  // the proxy's address for STARTTLS; `connect` is the one for direct TLS
    std::string second_host;
    std::string second_sink;      // where it listens for the second host
    std::uint64_t websocket = 0;  // so many of the sessions; `sessions` are all
    std::uint64_t bosh = 0;
    std::uint64_t second = 0;        // of the second host
    std::uint64_t slow = 0;          // that do not read for a while, now and then
    std::uint64_t churn = 10;        // sessions that end in a second
    std::uint64_t storm = 100;       // connections in one
    std::uint64_t storm_every = 10;  // seconds
    std::uint64_t spell = 15;        // seconds: how long a slow session does not read, at most
    std::uint64_t patience = 60;     // seconds without an answer
    std::string sabotage;            // what the sink does wrong
};

struct Options {
    std::string mode;
    std::string connect = "127.0.0.1:5223";  // the proxy
    std::string sink;  // where the sink listens; empty: a server is there already
    std::string door = "direct";
    std::string sink_door = "plain";  // how the proxy speaks to the sink
    std::string host = "bench.test";
    std::uint64_t sessions = 8;    // that live at once
    std::uint64_t first = 0;       // idle: so many are held before the others are made
    std::uint64_t count = 1000;    // connections or stanzas to be made, in all
    std::uint64_t bytes = 0;       // to be relayed, in all
    std::uint64_t stanza = 1024;   // bytes
    std::uint64_t rate = 1000;     // stanzas a second, in all
    std::string until = "header";  // how far connections go that are made for their handshake
    bool wait = false;             // for a line on standard input, before what is measured
    SoakOptions soak{};
};

// nullopt: help was asked for, or the command line is wrong; the exit code is then in `exit_code`.
std::optional<Options> read_options(int argc, char** argv, int& exit_code);

}  // namespace stanzagate::load
