#include "proxy/upstream_pool.hpp"

#include <algorithm>
#include <utility>

namespace stanzagate::proxy {
namespace {

config::Endpoint endpoint_of(const boost::asio::ip::tcp::endpoint& found) {
    auto const address = found.address();
    return {address.is_v4() ? config::Address::from(address.to_v4().to_bytes())
                            : config::Address::from(address.to_v6().to_bytes()),
            found.port()};
}

}  // namespace

std::vector<config::UpstreamAddress> UpstreamPool::in_order(const config::Upstream& upstream,
                                                            Clock::time_point now) const {
    std::vector<config::UpstreamAddress> addresses;
    std::vector<config::UpstreamAddress> last;
    for (auto const& address : upstream.addresses) {
        auto const found = dead_until_.find(address.to_string());
        bool const dead = found != dead_until_.end() && found->second > now;
        (dead ? last : addresses).push_back(address);
    }
    addresses.insert(addresses.end(), last.begin(), last.end());
    return addresses;
}

void UpstreamPool::failed(const config::UpstreamAddress& address, Clock::time_point now) {
    dead_until_[address.to_string()] = now + dead_time;
}

void UpstreamPool::worked(const config::UpstreamAddress& address) {
    if (!dead_until_.empty()) dead_until_.erase(address.to_string());
}

void UpstreamPool::resolve(const config::UpstreamAddress& address, Resolved done) {
    if (auto const literal = config::Address::parse(address.host))
        return done({{*literal, address.port}}, {});
    auto key = address.host + ':' + std::to_string(address.port);
    if (auto const known = names_.find(key);
        known != names_.end() && known->second.until > Clock::now())
        return done(known->second.endpoints, {});

    resolver_.async_resolve(address.host, std::to_string(address.port),
                            [this, key = std::move(key), done = std::move(done)](
                                const boost::system::error_code& error,
                                const boost::asio::ip::tcp::resolver::results_type& results) {
                                if (error == boost::asio::error::operation_aborted) return;
                                std::vector<config::Endpoint> endpoints;
                                for (auto const& result : results)
                                    endpoints.push_back(endpoint_of(result.endpoint()));
                                if (!endpoints.empty())
                                    names_[key] = {endpoints, Clock::now() + name_time};
                                done(endpoints, error.message());
                            });
}

}  // namespace stanzagate::proxy
