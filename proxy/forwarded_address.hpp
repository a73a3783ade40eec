#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "config/address.hpp"

// Whose request a balancer passes on, by the header fields Forwarded (RFC 7239) and
// X-Forwarded-For. Pure functions.
namespace stanzagate::proxy {

// The values of the two fields, one for each line of the header, in order.
struct ForwardedFields {
    std::span<const std::string_view> forwarded;
    std::span<const std::string_view> x_forwarded_for;
};

struct ForwardedClient {
    enum class Kind {
        peer,     // nobody is believed, or nothing is told: the socket's peer is the client
        told,     // `address` is what a believed hop told
        hidden,   // a hop that is believed said that it will not tell ("unknown", "_x", no "for")
        refused,  // it cannot be told for a reason that must not pass for an answer
    };
    Kind kind = Kind::peer;
    std::optional<config::Address> address;  // for `peer` and `told`
    std::string_view reason;                 // for `refused`; a literal

    bool operator==(const ForwardedClient&) const = default;
};

// The client is the right-most hop that is not in `believed`; what stands to the left of it was
// told by someone who is not believed, so it is not looked at. Where all hops are in it, the client
// is the left-most one.
//   hidden:  like UNKNOWN of the PROXY protocol: serve it, and no list of addresses matches it.
//   refused: answer 400. The deciding hop is not readable, or both fields are there and differ.
//            Most balancers write one of the two fields and pass the other one as it came, so that
//            what differs is the client's own word: whichever field won, some client could choose
//            its address; and to call it hidden would let it out of the lists that name it.
// A peer that is believed and tells nothing is taken for the client, as it is one where a balancer
// asks by itself: set the balancer up to write one of the fields, and to remove the other.
// The work is linear in the fields' size; more than `max_forwarded_bytes` of a field is refused.
ForwardedClient forwarded_client(const config::Address& peer,
                                 std::span<const config::Network> believed,
                                 const ForwardedFields& fields);

inline constexpr std::size_t max_forwarded_bytes = std::size_t{8} * 1024;

}  // namespace stanzagate::proxy
