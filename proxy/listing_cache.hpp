#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

namespace stanzagate::proxy {

// What DNS lists have answered lately, by the name that was asked for. Holds so many names and no
// more: a new one takes the place of the one that was not used for longest.
class ListingCache {
public:
    using Clock = std::chrono::steady_clock;

    explicit ListingCache(std::size_t most) : most_(most) {}
    ListingCache(const ListingCache&) = delete;
    ListingCache& operator=(const ListingCache&) = delete;

    // Replaces what was known of the name.
    void put(const std::string& name, bool listed, Clock::time_point until);
    // nullopt where nothing is known, or no longer.
    std::optional<bool> find(const std::string& name, Clock::time_point now);
    std::size_t size() const { return by_use_.size(); }

private:
    struct Entry {
        std::string name;
        bool listed;
        Clock::time_point until;
    };
    using Entries = std::list<Entry>;

    std::size_t most_;
    Entries by_use_;  // the last one used comes first
    std::unordered_map<std::string, Entries::iterator> by_name_;
};

}  // namespace stanzagate::proxy
