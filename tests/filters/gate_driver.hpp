#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filters/gate.hpp"
#include "tests/filters/test_world.hpp"

namespace stanzagate::filters {

// Does for a Gate what a session does, without a network: hands it bytes when it wants them, keeps
// what each side gets, obeys its commands, and relays once it is told to.
class GateDriver {
public:
    // When the gate commands to connect: whether the upstream is there at once, or when a test
    // says so.
    enum class Connect { at_once, when_told };

    GateDriver(const Policy& policy, const Peer& peer, Gate::Door door = Gate::Door::secure,
               Connect connect = Connect::at_once);

    void send(Side from, std::string_view bytes);
    void tls_done();
    void upstream_ready();
    void upstream_failed();
    void looked_up();
    void delay_over();
    void eof(Side from);
    void timed_out();
    void draining();

    // What the gate asks of the world. Look-ups come back and delays pass at once, unless a test
    // says when.
    TestWorld world;
    Connect world_answers = Connect::at_once;
    std::vector<std::string> look_ups;
    std::vector<std::chrono::milliseconds> waits;

    Gate& gate() { return gate_; }
    bool relaying() const { return relaying_; }
    bool closed() const { return closed_; }
    bool has_upstream() const { return has_upstream_; }

    // How much the upstream had got when relaying began: what came later was not looked at.
    std::size_t decided_bytes() const { return relaying_ ? decided_bytes_ : to_upstream_.size(); }

    // What a side got since it was last taken; or in all.
    std::string take(Side side);
    const std::string& got(Side side) const;
    // Commands not yet taken, oldest first.
    std::deque<Command> commands;
    std::vector<RegistrationEvent> registrations;
    std::optional<StreamErrorCondition> stream_error;
    const config::Host* host = nullptr;
    std::string tls_name;
    std::vector<FeatureFindings> findings;
    // What the gate did though it was over.
    std::string broken_promise;

private:
    void apply(const Effects& effects);
    void hand_over();
    std::string& outbox(Side side) { return side == Side::client ? to_client_ : to_upstream_; }
    std::string& waiting(Side side) { return side == Side::client ? from_client_ : from_upstream_; }

    Gate gate_;
    Connect connect_;
    bool relaying_ = false;
    bool closed_ = false;
    bool has_upstream_ = false;
    std::string to_client_;
    std::string to_upstream_;
    std::size_t decided_bytes_ = 0;
    std::size_t client_taken_ = 0;
    std::size_t upstream_taken_ = 0;
    std::string from_client_;  // sent while the gate did not want it
    std::string from_upstream_;
};

std::string_view name_of(Command command);

}  // namespace stanzagate::filters
