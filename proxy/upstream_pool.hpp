#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config.hpp"

namespace stanzagate::proxy {

// What a worker knows of its upstreams: which address failed lately, and what names resolve to.
class UpstreamPool {
public:
    using Clock = std::chrono::steady_clock;
    using Resolved =
        std::function<void(const std::vector<config::Endpoint>&, std::string_view error)>;

    // How long an address that failed is passed over, and how long a name's addresses are kept.
    static constexpr std::chrono::seconds dead_time{10};
    static constexpr std::chrono::seconds name_time{30};

    explicit UpstreamPool(boost::asio::io_context& io) : resolver_(io) {}
    UpstreamPool(const UpstreamPool&) = delete;
    UpstreamPool& operator=(const UpstreamPool&) = delete;

    // The order in which to try: as configured, those that failed lately last.
    std::vector<config::UpstreamAddress> in_order(const config::Upstream& upstream,
                                                  Clock::time_point now) const;
    void failed(const config::UpstreamAddress& address, Clock::time_point now);
    void worked(const config::UpstreamAddress& address);

    // Calls back at once for an address literal or a name that was resolved lately, else when the
    // resolver has answered. No addresses: `error` says why.
    void resolve(const config::UpstreamAddress& address, Resolved done);

private:
    struct Name {
        std::vector<config::Endpoint> endpoints;
        Clock::time_point until;
    };

    boost::asio::ip::tcp::resolver resolver_;
    std::unordered_map<std::string, Clock::time_point> dead_until_;  // by address
    std::unordered_map<std::string, Name> names_;                    // by host and port
};

}  // namespace stanzagate::proxy
