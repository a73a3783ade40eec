// One decision, by how many networks the whitelist has and how many hosts are served.
#include <benchmark/benchmark.h>

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

}  // namespace
}  // namespace stanzagate::bench
