#pragma once

#include <vector>

#include "config/config.hpp"
#include "config/diagnostics.hpp"

namespace stanzagate::config {

// Where an upstream certainly is, without asking a name server: a literal address, or those that a
// name of this machine's loopback has everywhere. "0.0.0.0" and "::" are reached at loopback.
std::vector<Address> certain_addresses(const UpstreamAddress& upstream);

// Whether it is certainly on this machine's loopback.
bool is_on_loopback(const UpstreamAddress& upstream);

// Warns of upstreams that are a listening address of the gate itself, which would then be its own
// client. Not where it listens at all addresses: with the server at the same port it cannot even
// start, and says so.
void warn_of_own_addresses(const std::vector<Listen>& listeners, const Upstream& upstream,
                           Diagnostics& diagnostics);

}  // namespace stanzagate::config
