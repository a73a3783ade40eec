// Recognising a request, building the answer to it, and rewriting a server's features.
#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "bench/micro/material.hpp"
#include "filters/registration.hpp"
#include "filters/stanza_framer.hpp"
#include "filters/stream_features.hpp"
#include "tests/filters/test_world.hpp"

namespace stanzagate::bench {
namespace {

// The last frame of a stream; it lives as long as this object.
class LastFrame {
public:
    LastFrame(std::string_view header, std::string_view element) : framer_({}) {
        framer_.feed(header);
        framer_.next();
        framer_.feed(element);
        frame_ = framer_.next();
    }
    const filters::Frame& get() const { return *frame_; }

private:
    filters::StanzaFramer framer_;
    const filters::Frame* frame_ = nullptr;
};

void recognising(benchmark::State& state, std::string_view element) {
    LastFrame const frame(client_header, element);
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(filters::registration_request(frame.get()));
}
BENCHMARK_CAPTURE(recognising, a_request, registration_get);
BENCHMARK_CAPTURE(recognising, something_else, auth);

void reply(benchmark::State& state, std::string_view element) {
    auto const config = config_with(1, 1);
    filters::Policy const policy(config);
    auto const peer = stranger();
    LastFrame const frame(client_header, element);
    auto const request = filters::registration_request(frame.get());
    auto const decision = policy.decide(
        {.host = host, .other_domain = std::nullopt, .peer = peer, .kind = request->kind},
        filters::TestWorld());
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(filters::answer(*request, decision, {host, "en", peer}));
}
BENCHMARK_CAPTURE(reply, to_get, registration_get);
BENCHMARK_CAPTURE(reply, to_set, registration_set);

void features(benchmark::State& state) {
    LastFrame const frame(server_header, server_features);
    filters::FeatureEdits const edits{.registration = filters::FeatureEdits::Registration::present,
                                      .hide_registration_flows = true,
                                      .max_bytes = 16384,
                                      .idle_seconds = 60};
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(filters::look_at_features(frame.get()));
        benchmark::DoNotOptimize(filters::rewrite_features(frame.get(), edits));
    }
}
BENCHMARK(features);

}  // namespace
}  // namespace stanzagate::bench
