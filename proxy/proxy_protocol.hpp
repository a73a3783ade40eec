#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "config/address.hpp"

// The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): the header by which a
// balancer tells whose connection it passes on. Pure functions; whether a peer may or must send one
// is decided by the listener.
namespace stanzagate::proxy {

// No header may be longer: a version 2 header that claims more is refused as soon as it says so.
// Senders keep to 536 bytes, the largest that fits any first segment; a client certificate in a TLV
// takes 1 to 2 KiB.
inline constexpr std::size_t max_proxy_header_bytes = 4096;

struct ProxyProtocolHeader {
    enum class Kind {
        proxied,  // both endpoints are there
        local,    // the balancer's own connection (a health check): use the socket's endpoints
        unknown,  // a client whose address the balancer cannot tell
    };
    Kind kind = Kind::unknown;
    std::optional<config::Endpoint> source;  // the client
    std::optional<config::Endpoint> destination;
    std::size_t size = 0;  // bytes of the header; what follows them is the client's

    bool operator==(const ProxyProtocolHeader&) const = default;
};

// The bytes so far are the beginning of a header.
struct ProxyProtocolNeedsMore {
    bool operator==(const ProxyProtocolNeedsMore&) const = default;
};

// No header begins with these bytes, whatever follows.
struct ProxyProtocolError {
    std::string_view reason;  // a literal

    bool operator==(const ProxyProtocolError&) const = default;
};

using ProxyProtocolResult =
    std::variant<ProxyProtocolNeedsMore, ProxyProtocolError, ProxyProtocolHeader>;

// Reads the header at the start of `bytes`, which is everything a connection has brought so far.
// Call it again with more after ProxyProtocolNeedsMore; either other answer is final, and more
// bytes do not change it.
ProxyProtocolResult parse_proxy_header(std::string_view bytes);

// A header for the upstream: always PROXY with both addresses, never LOCAL or UNKNOWN, which
// servers mistreat. Both ends are of one family: where they differ, the IPv4 one is written
// v4-mapped.
std::string proxy_header_v1(const config::Endpoint& source, const config::Endpoint& destination);
std::string proxy_header_v2(const config::Endpoint& source, const config::Endpoint& destination);

}  // namespace stanzagate::proxy
