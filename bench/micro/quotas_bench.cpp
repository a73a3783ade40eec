// What a quota costs, by how many clients have registered lately.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>
#include <utility>

#include "config/address.hpp"
#include "filters/quotas.hpp"

namespace stanzagate::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view rule = "guests";

std::optional<config::Address> client(std::uint64_t number) {
    return config::Address::from(config::Address::V4{10, static_cast<std::uint8_t>(number >> 16U),
                                                     static_cast<std::uint8_t>(number >> 8U),
                                                     static_cast<std::uint8_t>(number)});
}

// Every client registers once a minute, in turn: as many times run out as are added.
class Clients {
public:
    explicit Clients(std::uint64_t count) : count_(count) {
        for (std::uint64_t i = 0; i < count; ++i) register_next();
    }

    void register_next() {
        auto const address = client(next_);
        if (++next_ == count_) next_ = 0;
        now_ += std::chrono::nanoseconds(60s) / count_;
        auto reservation = quotas_.reserve(rule, quota_, {.address = address, .host = {}}, now_);
        if (reservation) quotas_.commit(std::move(*reservation), now_);
    }
    bool holds(std::uint64_t number) {
        auto const address = client(number);
        return quotas_.holds(rule, quota_, {.address = address, .host = {}}, now_);
    }

private:
    filters::Quotas quotas_;
    config::Quota quota_{.count = 3, .per = 90s, .by = config::QuotaBy::address};
    filters::Quotas::TimePoint now_{1000h};
    std::uint64_t count_;
    std::uint64_t next_ = 0;
};

void quotas_holds(benchmark::State& state) {
    auto const count = static_cast<std::uint64_t>(state.range(0));
    Clients clients(count);
    std::mt19937_64 random(1);  // NOLINT(bugprone-random-generator-seed): the same every time
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(clients.holds(random() % (2 * count)));  // half of them known
}
BENCHMARK(quotas_holds)->ArgName("keys")->Arg(1)->Arg(100'000);

void quotas_reserve_and_commit(benchmark::State& state) {
    Clients clients(static_cast<std::uint64_t>(state.range(0)));
    for ([[maybe_unused]] auto _ : state) clients.register_next();
}
BENCHMARK(quotas_reserve_and_commit)->ArgName("keys")->Arg(1)->Arg(100'000);

}  // namespace
}  // namespace stanzagate::bench
