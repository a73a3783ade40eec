#include "tests/filters/gate_driver.hpp"

#include <utility>

namespace stanzagate::filters {

GateDriver::GateDriver(const Policy& policy, const Peer& peer, Gate::Door door, Connect connect)
    : gate_(policy, world, peer, door, "id-1"), connect_(connect) {}

void GateDriver::send(Side from, std::string_view bytes) {
    if (closed_) return;
    if (relaying_) {
        outbox(from == Side::client ? Side::upstream : Side::client) += bytes;
        return;
    }
    if (!gate_.wants(from) || !waiting(from).empty()) {
        waiting(from) += bytes;
        return;
    }
    apply(gate_.receive(from, bytes));
}

void GateDriver::tls_done() {
    apply(gate_.tls_done("id-2"));
}

void GateDriver::upstream_ready() {
    has_upstream_ = true;
    apply(gate_.upstream_ready());
}

void GateDriver::upstream_failed() {
    apply(gate_.upstream_failed());
}

void GateDriver::looked_up() {
    apply(gate_.looked_up());
}

void GateDriver::delay_over() {
    apply(gate_.delay_over());
}

void GateDriver::eof(Side from) {
    apply(gate_.eof(from));
}

void GateDriver::timed_out() {
    apply(gate_.timed_out());
}

void GateDriver::draining() {
    apply(gate_.draining());
}

void GateDriver::apply(const Effects& effects) {
    bool const does_nothing = effects.to_client.empty() && effects.to_upstream.empty() &&
                              effects.command == Command::none && effects.registrations.empty();
    if ((closed_ || relaying_) && !does_nothing)
        broken_promise = "it goes on after it was over: " + effects.to_client +
                         effects.to_upstream + std::string(name_of(effects.command));
    if (effects.command == Command::relay) decided_bytes_ = to_upstream_.size();
    to_client_ += effects.to_client;
    to_upstream_ += effects.to_upstream;
    registrations.insert(registrations.end(), effects.registrations.begin(),
                         effects.registrations.end());
    if (effects.stream_error) stream_error = effects.stream_error;
    auto const& found = effects.findings;
    if (found.starttls_only || found.channel_binding || found.external) findings.push_back(found);

    look_ups.insert(look_ups.end(), effects.look_up.begin(), effects.look_up.end());
    if (effects.wait) waits.push_back(*effects.wait);
    if (effects.command != Command::none) commands.push_back(effects.command);
    switch (effects.command) {
        case Command::none:
            break;
        case Command::start_tls:
            tls_name = effects.tls_name;
            break;
        case Command::connect:
            host = effects.host;
            if (connect_ == Connect::at_once) upstream_ready();
            break;
        case Command::relay:
            relaying_ = true;
            break;
        case Command::close:
            closed_ = true;
            break;
    }
    if (world_answers == Connect::at_once && !effects.look_up.empty()) {
        world.unasked.clear();
        looked_up();
    }
    if (world_answers == Connect::at_once && effects.wait) delay_over();
    while (gate_.unfinished()) apply(gate_.go_on());
    hand_over();
}

void GateDriver::hand_over() {
    for (Side const from : {Side::client, Side::upstream}) {
        if (waiting(from).empty() || closed_) continue;
        if (!relaying_ && !gate_.wants(from)) continue;
        auto const bytes = std::exchange(waiting(from), {});
        send(from, bytes);
    }
}

std::string GateDriver::take(Side side) {
    auto& taken = side == Side::client ? client_taken_ : upstream_taken_;
    auto const& all = got(side);
    return all.substr(std::exchange(taken, all.size()));
}

const std::string& GateDriver::got(Side side) const {
    return side == Side::client ? to_client_ : to_upstream_;
}

std::string_view name_of(Command command) {
    switch (command) {
        case Command::none:
            return "none";
        case Command::start_tls:
            return "start_tls";
        case Command::connect:
            return "connect";
        case Command::relay:
            return "relay";
        case Command::close:
            return "close";
    }
    return "?";
}

}  // namespace stanzagate::filters
