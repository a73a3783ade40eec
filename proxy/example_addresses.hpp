#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "proxy/snapshot.hpp"

namespace stanzagate::proxy {

// Clients' addresses of which it is known what becomes of their registration requests, to tell an
// upstream in PROXY headers.
struct ExampleAddresses {
    std::optional<config::Address> stranger;  // asks in vain; empty: everybody may register
    std::vector<config::Address> allowed;     // whose request is forwarded; at most `most_allowed`
    bool more_allowed = false;                // there are networks of which none was taken
};

inline constexpr std::size_t most_allowed = 4;

// One address of each network that the whitelist and the rules of a host name, those on loopback
// last, as far as the rules then say forward; the stranger's is one that is kept for documentation
// (RFC 5737, RFC 3849). What files of lists hold is not looked through.
ExampleAddresses example_addresses(const Snapshot& snapshot, const std::string& host);

}  // namespace stanzagate::proxy
