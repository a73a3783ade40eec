#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/config.hpp"
#include "filters/gate.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/upstream_connector.hpp"

namespace stanzagate::proxy {

// What a session needs only until the client is authenticated.
struct Negotiation {
    std::shared_ptr<const config::Listen> door;
    std::shared_ptr<const Snapshot> snapshot;
    std::optional<config::Endpoint> destination;  // as a proxy before us told it
    std::optional<filters::Gate> gate;
    std::unique_ptr<UpstreamConnector> connector;  // while connecting
    std::string first_bytes;                       // for the upstream, before anything else
};

}  // namespace stanzagate::proxy
