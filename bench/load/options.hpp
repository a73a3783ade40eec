#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace stanzagate::load {

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
};

// nullopt: help was asked for, or the command line is wrong; the exit code is then in `exit_code`.
std::optional<Options> read_options(int argc, char** argv, int& exit_code);

}  // namespace stanzagate::load
