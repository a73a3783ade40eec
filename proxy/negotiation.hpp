#pragma once

#include <memory>
#include <optional>
#include <string>

#include "filters/gate.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/upstream_connector.hpp"

namespace stanzagate::proxy {

// What a session needs only until the client is authenticated.
struct Negotiation {
    std::shared_ptr<const Snapshot> snapshot;
    std::optional<filters::Gate> gate;
    std::unique_ptr<UpstreamConnector> connector;  // while connecting
    std::string first_bytes;                       // for the upstream, before anything else
};

}  // namespace stanzagate::proxy
