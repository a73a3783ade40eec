// One decision: by how many networks the whitelist has and how many hosts are served; by how many
// rules there are; and by a list of a million.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/material.hpp"
#include "filters/policy.hpp"
#include "tests/filters/test_world.hpp"

namespace stanzagate::bench {
namespace {

void policy_decision(benchmark::State& state) {
    auto const config = config_with(static_cast<std::size_t>(state.range(0)),
                                    static_cast<std::size_t>(state.range(1)));
    filters::Policy const policy(config);
    auto const peer = stranger();
    filters::TestWorld const world;
    filters::PolicyRequest const request{.host = host,
                                         .other_domain = std::nullopt,
                                         .peer = peer,
                                         .kind = filters::RequestKind::get};
    for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(policy.decide(request, world));
}
BENCHMARK(policy_decision)
    ->ArgNames({"hosts", "networks"})
    ->Args({1, 1})
    ->Args({1, 100})
    ->Args({1, 10'000})
    ->Args({1000, 1});

config::Network network_of(unsigned number) {
    auto const byte = [&](unsigned shift) { return static_cast<std::uint8_t>(number >> shift); };
    return config::Network::of(
        config::Address::from(config::Address::V4{10, byte(16), byte(8), byte(0)}), 32);
}

// Rules that do not match, each for a reason that takes its turn, and a last one that does.
config::Config config_with_rules(std::size_t count) {
    auto config = config_with(1, 1);
    for (std::size_t place = 0; place < count; ++place) {
        auto& rule = config.rules.emplace_back();
        rule.name = rule.id = "rule " + std::to_string(place);
        rule.action = config::Action::refuse;
        for (auto& one : config.hosts) one.registration.rules.push_back(place);
        if (place + 1 == count) break;
        switch (place % 6) {
            case 0:
                rule.hosts = {{config::HostPattern::Kind::wildcard, "elsewhere.example"}};
                break;
            case 1:
                rule.transports = {config::Transport::bosh};
                break;
            case 2:
                rule.invited = true;
                break;
            case 3:
                rule.from = config::AddressMatch{{network_of(1), network_of(2)}, {}};
                break;
            case 4:
                rule.countries = {"SE", "NO"};
                break;
            default:
                rule.dns_lists = {"dnsbl.example.net"};
        }
    }
    return config;
}

void policy_rules(benchmark::State& state) {
    auto const config = config_with_rules(static_cast<std::size_t>(state.range(0)));
    filters::Policy const policy(config);
    auto const peer = stranger();
    filters::TestWorld const world;
    filters::PolicyRequest const request{.host = host, .other_domain = std::nullopt, .peer = peer};
    if (policy.decide(request, world).decided_by != &config.rules.back())
        return state.SkipWithError("not by the last rule");
    for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(policy.decide(request, world));
}
BENCHMARK(policy_rules)->ArgName("rules")->Arg(1)->Arg(10)->Arg(100)->Arg(1000);

void policy_rule_with_a_long_list(benchmark::State& state) {
    auto config = config_with_rules(2);
    config.lists.push_back({.name = "spam", .networks = {}, .file = "spam.txt", .where = {}});
    auto& rule = config.rules.front();
    rule.hosts.clear();
    rule.from = config::AddressMatch{{}, {0}};
    std::vector<config::Network> networks;
    // Every other address, so that none can be made one with the next.
    for (unsigned number = 0; number < 1'000'000; ++number)
        networks.push_back(network_of(number * 2));
    filters::Policy const policy(config,
                                 {std::make_shared<const config::NetworkSet>(std::move(networks))});
    auto const peer = stranger();
    filters::TestWorld const world;
    filters::PolicyRequest const request{.host = host, .other_domain = std::nullopt, .peer = peer};
    for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(policy.decide(request, world));
}
BENCHMARK(policy_rule_with_a_long_list);

}  // namespace
}  // namespace stanzagate::bench
