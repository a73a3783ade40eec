#pragma once

#include <algorithm>
#include <vector>

#include "config/config.hpp"

// Who may say for whom a connection is.
namespace stanzagate::proxy {

inline bool is_among(const config::Address& peer, const std::vector<config::Network>& networks) {
    return std::any_of(networks.begin(), networks.end(),
                       [&](auto const& network) { return network.contains(peer); });
}

// By a PROXY header, which comes first.
inline bool sends_proxy_header(const config::Listen& door, const config::Address& peer) {
    return is_among(peer, door.proxy_protocol_from);
}

// By the header of each HTTP request.
inline bool speaks_for_others(const config::Listen& door, const config::Address& peer) {
    return door.served.http() && is_among(peer, door.forwarded_from);
}

}  // namespace stanzagate::proxy
