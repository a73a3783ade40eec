#include "proxy/recent.hpp"

#include <algorithm>
#include <utility>

namespace stanzagate::proxy {

void Recent::decided(RecentDecision decision) {
    std::lock_guard const lock(mutex_);
    decisions_[decided_++ % most_decisions] = std::move(decision);
}

std::vector<RecentDecision> Recent::decisions() const {
    std::lock_guard const lock(mutex_);
    std::vector<RecentDecision> newest_first;
    auto const known = std::min<std::uint64_t>(decided_, most_decisions);
    for (std::uint64_t i = 1; i <= known; ++i)
        newest_first.push_back(decisions_[(decided_ - i) % most_decisions]);
    return newest_first;
}

void Recent::upstream_failed(const std::string& address, std::string_view reason, TimePoint now) {
    std::lock_guard const lock(mutex_);
    if (upstreams_.size() >= most_addresses && !upstreams_.contains(address)) return;
    auto& failures = upstreams_[address];
    ++failures.count;
    failures.last = now;
    failures.reason = reason;
}

std::map<std::string, UpstreamFailures> Recent::upstreams() const {
    std::lock_guard const lock(mutex_);
    return upstreams_;
}

}  // namespace stanzagate::proxy
