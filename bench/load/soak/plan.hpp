#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/load/client.hpp"
#include "bench/load/options.hpp"
#include "bench/load/soak/voice.hpp"

namespace stanzagate::load {

// What the sessions of a soak are, by their places: a session that ends is replaced by one of the
// same kind.
struct PlannedSession {
    Target target{};
    Voice::Kind voice = Voice::Kind::bytes;
    bool steady = false;  // it lives from the beginning to the end
    bool slow = false;    // now and then it does not read for a while
    bool second = false;  // its host is the one whose server goes away
};
std::vector<PlannedSession> plan_sessions(const Options& options);

// 127.0.0.0/8 is this machine: who a client is, is the address that it comes from.
in_addr_t loopback(unsigned second, unsigned third, unsigned fourth);

// How a session is called, as the resource that it binds: the sink knows by it what will be said.
std::string session_name(std::uint64_t number, Voice::Kind voice);
struct SessionName {
    std::uint64_t number = 0;
    Voice::Kind voice = Voice::Kind::bytes;
};
SessionName parse_session_name(const std::string& name);

}  // namespace stanzagate::load
