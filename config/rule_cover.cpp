#include "config/rule_cover.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace stanzagate::config {
namespace {

template <class T>
bool is_subset(const std::vector<T>& narrow, const std::vector<T>& wide) {
    return std::ranges::all_of(
        narrow, [&](const T& element) { return std::ranges::find(wide, element) != wide.end(); });
}

// For keys whose absence means everybody.
template <class T>
bool covers(const std::vector<T>& wide, const std::vector<T>& narrow) {
    return wide.empty() || (!narrow.empty() && is_subset(narrow, wide));
}

bool covers_hosts(const std::vector<HostPattern>& wide, const std::vector<HostPattern>& narrow) {
    const auto is_covered = [&](const HostPattern& pattern) {
        return std::ranges::any_of(wide,
                                   [&](const HostPattern& other) { return other.covers(pattern); });
    };
    if (wide.empty()) return true;
    if (narrow.empty()) return is_covered({.kind = HostPattern::Kind::any, .name = {}});
    return std::ranges::all_of(narrow, is_covered);
}

}  // namespace

NetworkCover::NetworkCover(std::vector<Network> networks) : sorted_(std::move(networks)) {
    std::ranges::sort(sorted_);
}

bool NetworkCover::holds(const Network& network) const {
    for (unsigned length = 0; length <= network.prefix_length(); ++length)
        if (std::ranges::binary_search(sorted_, Network::of(network.base(), length))) return true;
    return false;
}

bool is_inside(const AddressMatch& narrow, const AddressMatch& wide) {
    if (!is_subset(narrow.lists, wide.lists)) return false;
    if (narrow.networks.empty()) return true;
    const NetworkCover cover(wide.networks);
    return std::ranges::all_of(narrow.networks,
                               [&](const Network& network) { return cover.holds(network); });
}

bool swallows(const Rule& earlier, const Rule& later) {
    // Cheapest first: a configuration may have thousands of rules.
    if (earlier.during || earlier.quota) return false;
    if (earlier.invited && earlier.invited != later.invited) return false;
    if (!covers(earlier.transports, later.transports) ||
        !covers(earlier.countries, later.countries) ||
        !covers(earlier.dns_lists, later.dns_lists) || !covers_hosts(earlier.hosts, later.hosts))
        return false;
    if (earlier.from && (!later.from || !is_inside(*later.from, *earlier.from))) return false;
    // Whom the earlier rule leaves out, the later one must leave out too.
    return !earlier.not_from || (later.not_from && is_inside(*earlier.not_from, *later.not_from));
}

}  // namespace stanzagate::config
