// The gate for one whole session before it relays: what its driver does, without a network.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/micro/material.hpp"
#include "filters/gate.hpp"
#include "tests/filters/test_world.hpp"

namespace stanzagate::bench {
namespace {

using filters::Command;
using filters::Gate;
using filters::Side;

Gate opened(const filters::Policy& policy, filters::World& world) {
    return Gate(policy, world, stranger(), Gate::Door::secure, "stream-id");
}

// Up to the server's features. False: the gate does not go along.
bool open_stream(Gate& gate) {
    bool const connects = gate.receive(Side::client, client_header).command == Command::connect;
    benchmark::DoNotOptimize(gate.upstream_ready());
    auto const out = gate.receive(Side::upstream, server_header + server_features);
    return connects && !out.to_client.empty();
}

void gate_opening(benchmark::State& state) {
    auto const config = config_with(1, 1);
    filters::Policy const policy(config);
    filters::TestWorld world;
    for ([[maybe_unused]] auto _ : state) {
        auto gate = opened(policy, world);
        if (!open_stream(gate)) state.SkipWithError("the stream does not open");
    }
}
BENCHMARK(gate_opening);

void gate_login(benchmark::State& state) {
    auto const config = config_with(1, 1);
    filters::Policy const policy(config);
    filters::TestWorld world;
    for ([[maybe_unused]] auto _ : state) {
        auto gate = opened(policy, world);
        open_stream(gate);
        benchmark::DoNotOptimize(gate.receive(Side::client, auth));
        if (gate.receive(Side::upstream, success).command != Command::relay)
            state.SkipWithError("the client is not logged in");
    }
}
BENCHMARK(gate_login);

void gate_registration(benchmark::State& state) {
    auto const config = config_with(1, 1);
    filters::Policy const policy(config);
    filters::TestWorld world;
    for ([[maybe_unused]] auto _ : state) {
        auto gate = opened(policy, world);
        open_stream(gate);
        benchmark::DoNotOptimize(gate.receive(Side::client, registration_get));
        auto const out = gate.receive(Side::client, registration_set);
        if (out.to_client.empty() || !out.to_upstream.empty())
            state.SkipWithError("the request is not answered");
    }
}
BENCHMARK(gate_registration);

}  // namespace
}  // namespace stanzagate::bench
