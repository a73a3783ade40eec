#pragma once

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/config.hpp"

namespace stanzagate::proxy {

// What a worker knows of its upstreams: which address failed lately.
class UpstreamPool {
public:
    using Clock = std::chrono::steady_clock;

    // How long an address that failed is passed over.
    static constexpr std::chrono::seconds dead_time{10};

    UpstreamPool() = default;
    UpstreamPool(const UpstreamPool&) = delete;
    UpstreamPool& operator=(const UpstreamPool&) = delete;

    // The order in which to try: as configured, those that failed lately last.
    std::vector<config::UpstreamAddress> in_order(const config::Upstream& upstream,
                                                  Clock::time_point now) const;
    void failed(const config::UpstreamAddress& address, Clock::time_point now);
    void worked(const config::UpstreamAddress& address);

private:
    std::unordered_map<std::string, Clock::time_point> dead_until_;  // by address
};

}  // namespace stanzagate::proxy
