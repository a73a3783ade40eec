#pragma once

#include <string_view>

#include "config/config.hpp"
#include "filters/policy.hpp"

namespace stanzagate::filters {

// A stranger is redirected, a friend is on the whitelist.
inline constexpr std::string_view stranger = "198.51.100.7";
inline constexpr std::string_view whitelisted = "192.0.2.7";

inline constexpr std::string_view usual_settings =
    "[registration]\n"
    "url = 'https://example.org/register'\n"
    "whitelist = ['192.0.2.0/24', '2001:db8::/32']\n";

// `settings` are TOML: everything but the doors and the hosts. These are always the same:
// example.org and second.example follow [registration]; strict.example has an empty whitelist and a
// text of its own; nothing else is served.
config::Config config_of(std::string_view settings = usual_settings);

// An empty `address`: a peer whose address is not known.
Peer peer_at(std::string_view address, Transport transport = Transport::direct);

}  // namespace stanzagate::filters
