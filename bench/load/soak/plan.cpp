#include "bench/load/soak/plan.hpp"

#include <stdexcept>

namespace stanzagate::load {
namespace {

constexpr std::size_t sessions_of_an_address = 40;

// True for `count` of `all` places, evenly spread, from the `shift`th on.
bool falls_on(std::size_t place, std::uint64_t count, std::size_t all, std::size_t shift) {
    auto const at = (place + shift) % all;
    return (at + 1) * count / all != at * count / all;
}

PlannedSession plan_one(std::size_t place, const Options& options) {
    auto const& soak = options.soak;
    auto const all = options.sessions;
    PlannedSession planned;
    planned.target = {parse_address(options.connect), options.host, "direct"};
    planned.target.source =
        loopback(1, static_cast<unsigned>(place / sessions_of_an_address / 200),
                 static_cast<unsigned>(place / sessions_of_an_address % 200 + 1));
    if (falls_on(place, soak.second, all, 0)) {
        planned.second = true;
        planned.target.host = soak.second_host;
    } else if (falls_on(place, soak.slow, all, 1)) {
        planned.slow = true;
        planned.voice = Voice::Kind::bulk;
    } else if (falls_on(place, soak.websocket, all, 2)) {
        planned.target.door = "websocket";
        planned.voice = Voice::Kind::text;
    } else if (falls_on(place, soak.bosh, all, 3)) {
        planned.target.door = "bosh";
        planned.voice = Voice::Kind::text;
    } else if (place % 2 == 0) {
        planned.target.door = "starttls";
        planned.target.address = parse_address(soak.starttls);
    }
    planned.steady = planned.slow || place / 2 % 2 == 0;
    return planned;
}

}  // namespace

std::vector<PlannedSession> plan_sessions(const Options& options) {
    std::vector<PlannedSession> planned;
    planned.reserve(options.sessions);
    for (std::size_t place = 0; place < options.sessions; ++place)
        planned.push_back(plan_one(place, options));
    return planned;
}

in_addr_t loopback(unsigned second, unsigned third, unsigned fourth) {
    return htonl(127U << 24U | second << 16U | third << 8U | fourth);
}

std::string session_name(std::uint64_t number, Voice::Kind voice) {
    return std::string("soak-") + static_cast<char>(voice) + std::to_string(number);
}

SessionName parse_session_name(const std::string& name) {
    constexpr std::size_t prefix = 5;
    if (name.size() < prefix + 2 || !name.starts_with("soak-"))
        throw std::runtime_error("a session of another run: " + name);
    return {std::stoull(name.substr(prefix + 1)), static_cast<Voice::Kind>(name[prefix])};
}

}  // namespace stanzagate::load
