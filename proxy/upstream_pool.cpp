#include "proxy/upstream_pool.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace stanzagate::proxy {

std::vector<config::UpstreamAddress> UpstreamPool::in_order(
    std::vector<config::UpstreamAddress> addresses, Clock::time_point now) const {
    return living_first(std::move(addresses), now);
}

std::vector<config::Endpoint> UpstreamPool::in_order(std::vector<config::Endpoint> endpoints,
                                                     Clock::time_point now) const {
    return living_first(std::move(endpoints), now);
}

void UpstreamPool::failed(const config::UpstreamAddress& address, Clock::time_point now) {
    bury(address.to_string(), now);
}

void UpstreamPool::failed(const config::Endpoint& endpoint, Clock::time_point now) {
    bury(endpoint.to_string(), now);
}

void UpstreamPool::worked(const config::UpstreamAddress& address) {
    if (!dead_until_.empty()) dead_until_.erase(address.to_string());
}

void UpstreamPool::worked(const config::Endpoint& endpoint) {
    if (!dead_until_.empty()) dead_until_.erase(endpoint.to_string());
}

template <typename Place>
std::vector<Place> UpstreamPool::living_first(std::vector<Place> places,
                                              Clock::time_point now) const {
    if (dead_until_.empty()) return places;
    std::vector<Place> living;
    std::vector<Place> dead;
    for (auto& place : places) {
        auto const found = dead_until_.find(place.to_string());
        bool const is_dead = found != dead_until_.end() && found->second > now;
        (is_dead ? dead : living).push_back(std::move(place));
    }
    std::ranges::move(dead, std::back_inserter(living));
    return living;
}

// Names come to have other addresses, so what is over is forgotten.
void UpstreamPool::bury(const std::string& place, Clock::time_point now) {
    std::erase_if(dead_until_, [now](auto const& dead) { return dead.second <= now; });
    dead_until_[place] = now + dead_time;
}

}  // namespace stanzagate::proxy
