#include "config/own_addresses.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace stanzagate::config {
namespace {

const Address& loopback_v4() {
    static const Address address = Address::from(Address::V4{127, 0, 0, 1});
    return address;
}

const Address& loopback_v6() {
    static const Address address =
        Address::from(Address::V6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    return address;
}

bool is_wildcard(const Address& address) {
    return address == Address::from(Address::V4{}) || address == Address::from(Address::V6{});
}

// RFC 6761, section 6.3; the others stand in the /etc/hosts of Debian and of Fedora.
bool is_loopback_name(std::string_view name) {
    constexpr std::array<std::string_view, 6> names{"localhost",    "ip6-localhost",
                                                    "ip6-loopback", "localhost.localdomain",
                                                    "localhost4",   "localhost6"};
    return std::ranges::find(names, name) != names.end() || name.ends_with(".localhost");
}

}  // namespace

std::vector<Address> certain_addresses(const UpstreamAddress& upstream) {
    if (is_loopback_name(upstream.host)) return {loopback_v4(), loopback_v6()};
    const auto address = Address::parse(upstream.host);
    if (!address) return {};
    if (is_wildcard(*address)) return {address->is_v4() ? loopback_v4() : loopback_v6()};
    return {*address};
}

bool is_on_loopback(const UpstreamAddress& upstream) {
    return std::ranges::any_of(certain_addresses(upstream), &Address::is_loopback);
}

void warn_of_own_addresses(const std::vector<Listen>& listeners, const Upstream& upstream,
                           Diagnostics& diagnostics) {
    for (const UpstreamAddress& one : upstream.addresses) {
        const auto addresses = certain_addresses(one);
        const auto leads_here = [&](const Endpoint& door) {
            return std::ranges::any_of(addresses, [&](const Address& address) {
                return door == Endpoint{address, one.port};
            });
        };
        for (const Listen& listen : listeners) {
            const auto door = std::ranges::find_if(listen.addresses, leads_here);
            if (door == listen.addresses.end()) continue;
            diagnostics.warning(upstream.where,
                                "host.upstream: " + one.to_string() +
                                    " is where this gate listens itself (" + door->to_string() +
                                    ", line " + std::to_string(listen.where.line) +
                                    "), so it would be its own server; let the server listen on "
                                    "another port, 15222 say");
            break;
        }
    }
}

}  // namespace stanzagate::config
