#include "bench/load/mode.hpp"

#include <array>
#include <iostream>
#include <stdexcept>
#include <utility>

namespace stanzagate::load {
namespace {

using Maker = std::unique_ptr<Mode> (*)(Run&);
constexpr std::array<std::pair<std::string_view, Maker>, 11> modes{{
    {"flood-up", make_flood_up},
    {"records", make_flood_up},
    {"flood-down", make_flood_down},
    {"echo", make_echo},
    {"idle", make_idle},
    {"handshake", make_connects},
    {"resumed", make_connects},
    {"setup", make_connects},
    {"registration", make_connects},
    {"soak", make_soak},
    {"soak-sink", make_soak_sink},
}};

}  // namespace

void wait_for_line() {
    std::string line;
    std::getline(std::cin, line);
}

std::vector<std::string> mode_names() {
    std::vector<std::string> names;
    names.reserve(modes.size());
    for (auto const& mode : modes) names.emplace_back(mode.first);
    return names;
}

std::unique_ptr<Mode> make_mode(Run& run) {
    auto const& options = run.options;
    auto const is_web = [](const std::string& door) {
        return door == "websocket" || door == "bosh";
    };
    if ((is_web(options.door) || is_web(options.sink_door)) && options.mode != "echo" &&
        options.mode != "idle")
        throw std::invalid_argument("over HTTP there are the modes echo and idle only");
    for (auto const& [name, make] : modes)
        if (run.options.mode == name) return make(run);
    throw std::invalid_argument("there is no mode " + run.options.mode);
}

Sink::Behaviour sink_behaviour(const std::string& mode) {
    return mode == "echo" ? Sink::Behaviour::echo : Sink::Behaviour::discard;
}

}  // namespace stanzagate::load
