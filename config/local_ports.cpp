#include "config/local_ports.hpp"

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>

namespace stanzagate::config {
namespace {

// The same local port can be used towards each.
std::size_t upstream_addresses(const Config& config) {
    std::set<std::pair<std::string, std::uint16_t>> addresses;
    for (const auto& host : config.hosts)
        for (const auto& address : host.upstream.addresses)
            addresses.emplace(address.host, address.port);
    return addresses.size();
}

}  // namespace

std::optional<std::size_t> ports_in(std::string_view range) {
    std::istringstream text{std::string(range)};
    std::size_t first = 0;
    std::size_t last = 0;
    if (!(text >> first >> last) || last < first || last > 65'535) return std::nullopt;
    return last - first + 1;
}

std::optional<std::size_t> local_ports() {
    std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
    std::string range;
    if (!std::getline(file, range)) return std::nullopt;
    return ports_in(range);
}

void warn_of_few_ports(const Config& config, std::size_t ports, const Position& where,
                       Diagnostics& diagnostics) {
    const std::size_t wanted = config.limits.connections;
    const std::size_t addresses = upstream_addresses(config);
    if (addresses == 0 || wanted <= ports * addresses || wanted == Limits().connections) return;
    diagnostics.warning(
        where,
        "limits.connections: so many sessions take as many local ports, and towards " +
            (addresses == 1 ? "the one address of the upstream"
                            : "the " + std::to_string(addresses) + " addresses of upstreams") +
            " there are " + std::to_string(ports * addresses) +
            ": widen net.ipv4.ip_local_port_range, give the upstream more addresses or "
            "ports, or lower the limit");
}

}  // namespace stanzagate::config
