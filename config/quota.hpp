#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace stanzagate::config {

// Whose registrations a quota counts together.
enum class QuotaBy : std::uint8_t {
    address,  // an IPv4 address or IPv6 /64
    network,  // an IPv4 /24 or IPv6 /48
    host,     // all clients of one host
    all,
};

// So many registrations within any stretch of time of that length.
struct Quota {
    static constexpr std::size_t most_counted = 1'000'000;
    static constexpr std::chrono::seconds shortest{1};
    static constexpr std::chrono::seconds longest = std::chrono::days(366);

    std::size_t count = 0;
    std::chrono::milliseconds per{0};
    QuotaBy by = QuotaBy::address;

    bool operator==(const Quota&) const = default;
};

}  // namespace stanzagate::config
