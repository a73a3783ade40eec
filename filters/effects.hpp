#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "filters/policy.hpp"
#include "filters/stream_error.hpp"
#include "filters/stream_features.hpp"

namespace stanzagate::filters {

enum class Command : std::uint8_t {
    none,
    start_tls,  // send `to_client` in the clear, then begin the TLS handshake; then
                // Gate::tls_done()
    connect,    // connect to `host`'s upstream; then Gate::upstream_ready() or upstream_failed()
    relay,      // send what is there, then copy bytes both ways; the gate is no longer needed
    close,      // send what is there, then close both sides
};

// One decided registration request, for the log and the counters.
struct RegistrationEvent {
    RequestKind request = RequestKind::get;
    Action action = Action::redirect;
    std::string_view rule;  // lives as long as the policy
};

// What a session's driver must do, in this order: write, count, look up and wait, then the command.
struct Effects {
    std::string to_client;
    std::string to_upstream;
    Command command = Command::none;
    const config::Host* host = nullptr;  // connect: whose upstream
    // DNS lists to be asked about the client. Once nothing is being asked any more:
    // Gate::looked_up(). Beside any command but relay and close.
    std::vector<std::string> look_up;
    // Then Gate::delay_over(). Likewise.
    std::optional<std::chrono::milliseconds> wait;
    std::string tls_name;  // start_tls: whose certificate, where the client sends no SNI
    std::vector<RegistrationEvent> registrations;
    std::optional<StreamErrorCondition> stream_error;  // that the gate sent, to be counted
    bool refused = false;      // close: for what the client did, though nothing tells it so
    FeatureFindings findings;  // what is wrong with how the upstream is configured
};

}  // namespace stanzagate::filters
