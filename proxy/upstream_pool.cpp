#include "proxy/upstream_pool.hpp"

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

}  // namespace stanzagate::proxy
