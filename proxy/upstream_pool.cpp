#include "proxy/upstream_pool.hpp"

#include <algorithm>
#include <utility>

namespace stanzagate::proxy {
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

    resolver_.resolve(
        address.host, address.port,
        [this, key = std::move(key), done = std::move(done)](const auto& endpoints, auto error) {
            loop_.post([this, key, done, endpoints, error = std::string(error)] {
                if (!endpoints.empty()) names_[key] = {endpoints, Clock::now() + name_time};
                done(endpoints, error);
            });
        });
}

}  // namespace stanzagate::proxy
