#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "config/config.hpp"
#include "filters/gate.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/session_world.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/upstream_connector.hpp"

namespace stanzagate::proxy {

// What a session needs only until the client is authenticated.
struct Negotiation {
    Negotiation(std::shared_ptr<const Snapshot> began_with, SharedQuotas& quotas,
                SharedInvitations& invitations, Deadlines& deadlines,
                Deadline::Handler on_delay_over, void* session)
        : snapshot(std::move(began_with)),
          world(snapshot, quotas, invitations),
          delay(deadlines, on_delay_over, session) {}

    std::shared_ptr<const config::Listen> door;
    std::shared_ptr<const Snapshot> snapshot;
    std::optional<config::Endpoint> destination;  // as a proxy before us told it
    SessionWorld world;
    bool may_be_http = false;           // the door serves that too, and nothing was read yet
    bool speaks_for_others = false;     // as a web proxy that is trusted does
    std::optional<filters::Gate> gate;  // borrows the snapshot's policy and the world
    unsigned look_ups = 0;              // that have not come back
    Deadline delay;                     // of an answer
    // Gone once the negotiation is: for answers that come too late.
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
    std::unique_ptr<UpstreamConnector> connector;  // while connecting
    std::string first_bytes;                       // for the upstream, before anything else
    std::string failure;                           // of the handshake, for the log
};

}  // namespace stanzagate::proxy
