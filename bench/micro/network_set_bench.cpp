// Lists of addresses: looking one up, by how many networks the list has; building a set; reading a
// file of a million lines.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "config/address.hpp"
#include "config/list_file.hpp"
#include "config/network_set.hpp"

namespace stanzagate::bench {
namespace {

using config::Address;
using config::Network;
using config::NetworkSet;

using Random = std::mt19937_64;

// Three in four are IPv4, as in lists of spammers; IPv6 is below 2000::/4, where networks are given
// out.
Address random_address(Random& random) {
    auto const bits = random();
    if (bits % 4 != 0) {
        Address::V4 bytes{};
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
        return Address::from(bytes);
    }
    Address::V6 bytes{};
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    bytes[0] = static_cast<std::uint8_t>(0x20U | (bytes[0] & 0x0fU));
    return Address::from(bytes);
}

// Half single addresses, half networks of /20 to /32 and /40 to /64.
std::vector<Network> random_networks(Random& random, std::size_t count) {
    std::vector<Network> networks(count);
    for (auto& network : networks) {
        auto const address = random_address(random);
        auto const bits = static_cast<unsigned>(random() >> 32U);
        unsigned length = address.is_v4() ? 32 : 128;
        if (bits % 2 != 0) length = address.is_v4() ? 20 + bits / 2 % 13 : 40 + bits / 2 % 25;
        network = Network::of(address, length);
    }
    return networks;
}

enum class Asked : std::int64_t { inside, outside };

void network_set_contains(benchmark::State& state) {
    Random random(1);  // NOLINT(bugprone-random-generator-seed): the same every time
    auto const networks = random_networks(random, static_cast<std::size_t>(state.range(0)));
    NetworkSet const set(networks);
    std::vector<Address> asked;
    while (asked.size() < 65'536) {
        if (Asked{state.range(1)} == Asked::inside) {
            asked.push_back(networks[random() % networks.size()].base());
        } else if (auto const address = random_address(random); !set.contains(address)) {
            asked.push_back(address);
        }
    }
    std::size_t next = 0;
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(set.contains(asked[next]));
        next = (next + 1) % asked.size();
    }
    state.counters["bytes_each"] =
        static_cast<double>(set.memory_bytes()) / static_cast<double>(set.size());
}
BENCHMARK(network_set_contains)
    ->ArgNames({"networks", "miss"})
    ->ArgsProduct({{10, 1000, 100'000, 1'000'000}, {0, 1}});

void network_set_build(benchmark::State& state) {
    Random random(1);  // NOLINT(bugprone-random-generator-seed): the same every time
    auto const networks = random_networks(random, static_cast<std::size_t>(state.range(0)));
    for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(NetworkSet(networks));
}
BENCHMARK(network_set_build)->ArgName("networks")->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void list_file_read(benchmark::State& state) {
    Random random(1);  // NOLINT(bugprone-random-generator-seed): the same every time
    auto const path = std::filesystem::temp_directory_path() / "stanzagate-list-bench.txt";
    {
        std::ofstream file(path);
        for (auto const& network :
             random_networks(random, static_cast<std::size_t>(state.range(0))))
            file << network.to_string() << '\n';
    }
    for ([[maybe_unused]] auto _ : state) {
        config::Diagnostics diagnostics;
        auto const set = config::read_list_file(path, {}, diagnostics);
        if (!set || !diagnostics.all().empty()) state.SkipWithError("the list is not read");
    }
    std::filesystem::remove(path);
}
BENCHMARK(list_file_read)->ArgName("lines")->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace stanzagate::bench
