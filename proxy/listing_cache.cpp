#include "proxy/listing_cache.hpp"

namespace stanzagate::proxy {

void ListingCache::put(const std::string& name, bool listed, Clock::time_point until) {
    if (auto const known = by_name_.find(name); known != by_name_.end()) {
        known->second->listed = listed;
        known->second->until = until;
        by_use_.splice(by_use_.begin(), by_use_, known->second);
        return;
    }
    by_use_.push_front({name, listed, until});
    by_name_.emplace(name, by_use_.begin());
    if (by_use_.size() <= most_) return;
    by_name_.erase(by_use_.back().name);
    by_use_.pop_back();
}

std::optional<bool> ListingCache::find(const std::string& name, Clock::time_point now) {
    auto const known = by_name_.find(name);
    if (known == by_name_.end()) return std::nullopt;
    auto const entry = known->second;
    if (entry->until <= now) {
        by_name_.erase(known);
        by_use_.erase(entry);
        return std::nullopt;
    }
    by_use_.splice(by_use_.begin(), by_use_, entry);
    return entry->listed;
}

}  // namespace stanzagate::proxy
