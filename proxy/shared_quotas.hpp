#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "config/rules.hpp"
#include "filters/quotas.hpp"

namespace stanzagate::proxy {

// The quotas of all rules, for all workers together. Outlives every configuration.
class SharedQuotas {
public:
    using Clock = std::chrono::steady_clock;

    bool hold(const config::Rule& rule, const filters::QuotaClient& client) {
        std::lock_guard const lock(mutex_);
        return quotas_.holds(rule.id, *rule.quota, client, Clock::now());
    }
    std::optional<filters::Reservation> reserve(const config::Rule& rule,
                                                const filters::QuotaClient& client) {
        std::lock_guard const lock(mutex_);
        return quotas_.reserve(rule.id, *rule.quota, client, Clock::now());
    }
    void commit(filters::Reservation reservation) {
        std::lock_guard const lock(mutex_);
        quotas_.commit(std::move(reservation), Clock::now());
    }
    void cancel(filters::Reservation reservation) {
        std::lock_guard const lock(mutex_);
        quotas_.cancel(std::move(reservation));
    }
    // How often a quota was said not to hold for want of space alone.
    std::uint64_t refused_for_space() const {
        std::lock_guard const lock(mutex_);
        return quotas_.refused_for_space();
    }

private:
    mutable std::mutex mutex_;
    filters::Quotas quotas_;
};

}  // namespace stanzagate::proxy
