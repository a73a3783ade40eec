#include "proxy/example_addresses.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "proxy/explain.hpp"

namespace stanzagate::proxy {
namespace {

using config::Address;
using config::Network;

constexpr std::array<std::string_view, 4> for_documentation{"192.0.2.1", "198.51.100.1",
                                                            "203.0.113.1", "2001:db8::1"};

std::vector<Address> strangers() {
    std::vector<Address> all;
    all.reserve(for_documentation.size());
    for (auto const text : for_documentation) all.push_back(*Address::parse(text));
    return all;
}

// The second one, where there are that many: the first is no client's.
Address one_of(const Network& network) {
    for (auto const& stranger : strangers())
        if (network.contains(stranger)) return stranger;
    auto const& base = network.base();
    auto const bits = base.is_v4() ? 32U : 128U;
    if (network.prefix_length() + 1 >= bits) return base;
    auto const next = [&](auto bytes) {
        std::copy_n(base.bytes().begin(), bytes.size(), bytes.begin());
        bytes.back() |= 1U;
        return Address::from(bytes);
    };
    return base.is_v4() ? next(Address::V4{}) : next(Address::V6{});
}

std::vector<Network> networks_of(const config::Config& config, const config::Host& host) {
    auto networks = host.registration.whitelist;
    auto const add = [&](const std::vector<Network>& more) {
        networks.insert(networks.end(), more.begin(), more.end());
    };
    for (auto const place : host.registration.rules) {
        auto const& rule = config.rules[place];
        if (rule.action != config::Action::forward || !rule.from) continue;
        add(rule.from->networks);
        for (auto const list : rule.from->lists) add(config.lists[list].networks);
    }
    return networks;
}

// By any door that there is.
bool may_register(const Snapshot& snapshot, const std::string& host, const Address& from) {
    for (auto const transport : {filters::Transport::starttls, filters::Transport::direct,
                                 filters::Transport::websocket, filters::Transport::bosh}) {
        auto const& doors = snapshot.config.listen;
        if (std::none_of(doors.begin(), doors.end(),
                         [&](auto const& door) { return door.brings(transport); }))
            continue;
        Question question;
        question.host = host;
        question.from = from;
        question.transport = transport;
        auto const decided =
            explain({snapshot.config, snapshot.lists(), snapshot.countries()}, question);
        if (decided.action == filters::Action::forward) return true;
    }
    return false;
}

bool is_in(const std::vector<Address>& addresses, const Address& address) {
    return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

}  // namespace

ExampleAddresses example_addresses(const Snapshot& snapshot, const std::string& host) {
    ExampleAddresses examples;
    auto const* const configured = snapshot.config.find_host(host);
    if (configured == nullptr) return examples;
    std::vector<Address> candidates;
    std::vector<Address> loopback;  // last: servers take these for themselves
    for (auto const& network : networks_of(snapshot.config, *configured))
        if (auto const address = one_of(network);
            !is_in(candidates, address) && !is_in(loopback, address))
            (address.is_loopback() ? loopback : candidates).push_back(address);
    candidates.insert(candidates.end(), loopback.begin(), loopback.end());
    for (auto const& candidate : candidates) {
        if (!may_register(snapshot, host, candidate)) continue;
        examples.more_allowed = examples.allowed.size() == most_allowed;
        if (examples.more_allowed) break;
        examples.allowed.push_back(candidate);
    }
    for (auto const& stranger : strangers())
        if (!examples.stranger && !may_register(snapshot, host, stranger))
            examples.stranger = stranger;
    return examples;
}

}  // namespace stanzagate::proxy
