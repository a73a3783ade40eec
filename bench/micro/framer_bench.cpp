// Cutting a stream into frames: by the size of its stanzas, and of the pieces it comes in.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "bench/micro/material.hpp"
#include "filters/stanza_framer.hpp"

namespace stanzagate::bench {
namespace {

std::size_t feed(filters::StanzaFramer& framer, std::string_view bytes, std::size_t chunk) {
    std::size_t frames = 0;
    while (!bytes.empty()) {
        auto const size = std::min(chunk, bytes.size());
        framer.feed(bytes.substr(0, size));
        bytes.remove_prefix(size);
        while (framer.next() != nullptr) ++frames;
    }
    return frames;
}

void framer(benchmark::State& state) {
    auto const stanza_bytes = static_cast<std::size_t>(state.range(0));
    auto const chunk = static_cast<std::size_t>(state.range(1));
    constexpr std::size_t batch_bytes = 64UL * 1024;
    auto const stanza = message(stanza_bytes);
    std::string batch;
    std::size_t expected = 0;
    do {
        batch += stanza;
        ++expected;
    } while (batch.size() < batch_bytes);
    filters::StanzaFramer stream({.frame_bytes = 128UL * 1024, .depth = 16, .attributes = 32});
    feed(stream, client_header, client_header.size());
    for ([[maybe_unused]] auto _ : state)
        if (feed(stream, batch, chunk) != expected) state.SkipWithError("frames were lost");
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch.size()));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(expected));
}
BENCHMARK(framer)
    ->ArgNames({"stanza", "chunk"})
    ->ArgsProduct({{200, 1024, 16'384, 65'536}, {64, 1400, 16'384}});

// What a session pays before its first byte is understood: the parser is made and freed.
void framer_for_a_header(benchmark::State& state) {
    for ([[maybe_unused]] auto _ : state) {
        filters::StanzaFramer stream({});
        benchmark::DoNotOptimize(feed(stream, client_header, client_header.size()));
    }
}
BENCHMARK(framer_for_a_header);

}  // namespace
}  // namespace stanzagate::bench
