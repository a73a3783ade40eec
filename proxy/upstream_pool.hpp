#pragma once

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/config.hpp"

namespace stanzagate::proxy {

// What a worker knows of its upstreams: which address failed lately, as it was configured or as one
// of those that its name has.
class UpstreamPool {
public:
    using Clock = std::chrono::steady_clock;

    // How long an address that failed is passed over.
    static constexpr std::chrono::seconds dead_time{10};

    UpstreamPool() = default;
    UpstreamPool(const UpstreamPool&) = delete;
    UpstreamPool& operator=(const UpstreamPool&) = delete;

    // The order in which to try: as they are, those that failed lately last.
    std::vector<config::UpstreamAddress> in_order(std::vector<config::UpstreamAddress> addresses,
                                                  Clock::time_point now) const;
    std::vector<config::Endpoint> in_order(std::vector<config::Endpoint> endpoints,
                                           Clock::time_point now) const;
    void failed(const config::UpstreamAddress& address, Clock::time_point now);
    void failed(const config::Endpoint& endpoint, Clock::time_point now);
    void worked(const config::UpstreamAddress& address);
    void worked(const config::Endpoint& endpoint);

private:
    template <typename Place>
    std::vector<Place> living_first(std::vector<Place> places, Clock::time_point now) const;
    void bury(const std::string& place, Clock::time_point now);

    std::unordered_map<std::string, Clock::time_point> dead_until_;  // by address
};

}  // namespace stanzagate::proxy
