#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config.hpp"
#include "proxy/event_loop.hpp"
#include "proxy/name_resolver.hpp"

namespace stanzagate::proxy {

// What a worker knows of its upstreams: which address failed lately, and what names resolve to.
class UpstreamPool {
public:
    using Clock = std::chrono::steady_clock;
    using Resolved = NameResolver::Done;

    // How long an address that failed is passed over, and how long a name's addresses are kept.
    static constexpr std::chrono::seconds dead_time{10};
    static constexpr std::chrono::seconds name_time{30};

    // Answers come on `loop`, which ends after the resolver.
    UpstreamPool(EventLoop& loop, NameResolver& resolver) : loop_(loop), resolver_(resolver) {}
    UpstreamPool(const UpstreamPool&) = delete;
    UpstreamPool& operator=(const UpstreamPool&) = delete;

    // The order in which to try: as configured, those that failed lately last.
    std::vector<config::UpstreamAddress> in_order(const config::Upstream& upstream,
                                                  Clock::time_point now) const;
    void failed(const config::UpstreamAddress& address, Clock::time_point now);
    void worked(const config::UpstreamAddress& address);

    // Calls back at once for an address literal or a name that was resolved lately, else on the
    // loop when the resolver has answered. No addresses: `error` says why.
    void resolve(const config::UpstreamAddress& address, Resolved done);

private:
    struct Name {
        std::vector<config::Endpoint> endpoints;
        Clock::time_point until;
    };

    EventLoop& loop_;
    NameResolver& resolver_;
    std::unordered_map<std::string, Clock::time_point> dead_until_;  // by address
    std::unordered_map<std::string, Name> names_;                    // by host and port
};

}  // namespace stanzagate::proxy
