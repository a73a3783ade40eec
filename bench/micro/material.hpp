#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "filters/policy.hpp"

// What the benchmarks of filters/ work on.
namespace stanzagate::bench {

// A configuration with this many exact hosts, "h0.example" and on, and networks in its whitelist.
// "198.51.100.7" is in none of them.
config::Config config_with(std::size_t hosts, std::size_t networks);
filters::Peer stranger();

inline constexpr std::string_view host = "h0.example";
extern const std::string client_header;
extern const std::string server_header;
extern const std::string server_features;
inline constexpr std::string_view auth =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGpvaG4Ac2VjcmV0</auth>";
inline constexpr std::string_view success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
inline constexpr std::string_view registration_get =
    "<iq type='get' id='reg-1'><query xmlns='jabber:iq:register'/></iq>";
inline constexpr std::string_view registration_set =
    "<iq type='set' id='reg-2'><query xmlns='jabber:iq:register'><username>spam</username>"
    "<password>secret</password></query></iq>";

// A message of exactly so many bytes.
std::string message(std::size_t bytes);

}  // namespace stanzagate::bench
