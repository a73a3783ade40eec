#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/address.hpp"
#include "config/quota.hpp"

namespace stanzagate::filters {

// Whom a quota is about. Views need to live for the call only.
struct QuotaClient {
    const std::optional<config::Address>& address;  // those without one count as one
    std::string_view host;
};

// An attempt to register that has been forwarded and not been answered. Give it back to the Quotas
// it came from, by commit() or cancel(). Losing one is not fatal: it runs out.
class Reservation {
public:
    Reservation(Reservation&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
    Reservation& operator=(Reservation&& other) noexcept {
        id_ = std::exchange(other.id_, 0);
        return *this;
    }

private:
    friend class Quotas;
    explicit Reservation(std::uint64_t id) : id_(id) {}

    std::uint64_t id_;  // 0: moved from
};

// Counts the registrations that succeeded, for the `quota` of rules, by rule and by client. A quota
// holds while fewer than `count` have succeeded, or are under way, within the last `per`; one that
// was exactly `per` ago no longer counts. It is exact: the time of each is kept.
//   reserve() when a `set` is forwarded; then commit() if the upstream answers `result`, or
//   cancel() if it answers an error or the session ends
// so that however many try at once, no more than `count` get through.
//
// It has no clock and no lock; time that goes backwards stands still. It outlives reloads: a rule
// is known by its name, and its registrations are judged by the `count` and `per` of each call. (By
// another `by` they start anew. After `per` has become longer, those that the shorter one had let
// go are gone.)
//
// Memory: a client is known only while it has registrations that count, or attempts under way, so
// who merely asks takes none. There are limits on all that is kept (below), which together allow
// about 100 MiB. Beyond them a quota does not hold for whoever is new, and refused_for_space()
// counts that. What has run out is given back bit by bit, by every call, never in one long one.
class Quotas {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    static constexpr std::size_t most_keys = 262'144;     // a rule and a client of it
    static constexpr std::size_t most_times = 1'048'576;  // successes, in all
    static constexpr std::size_t most_attempts = 65'536;  // under way, in all
    static constexpr std::size_t most_key_bytes =
        16'777'216;  // with names of hosts and rules, in all
    // An attempt that was never given back counts for so long. (A session negotiates for less.)
    static constexpr std::chrono::minutes longest_attempt{10};
    // A longer `per` is taken for this.
    static constexpr std::chrono::hours longest_per{24 * 366};

    explicit Quotas(std::pmr::memory_resource* memory = std::pmr::get_default_resource());
    Quotas(const Quotas&) = delete;
    Quotas& operator=(const Quotas&) = delete;

    // Whether an attempt would be let through now; takes nothing.
    bool holds(std::string_view rule, const config::Quota& quota, const QuotaClient& client,
               TimePoint now);
    // nullopt where the quota does not hold.
    [[nodiscard]] std::optional<Reservation> reserve(std::string_view rule,
                                                     const config::Quota& quota,
                                                     const QuotaClient& client, TimePoint now);
    // It succeeded. False where the attempt had run out: then it is not counted.
    bool commit(Reservation reservation, TimePoint now);
    void cancel(Reservation reservation);

    std::size_t keys() const { return keys_.size(); }
    std::size_t times() const { return times_; }
    std::size_t attempts() const { return attempts_.size(); }
    // How often a quota was said not to hold for want of space alone.
    std::uint64_t refused_for_space() const { return refused_for_space_; }

private:
    struct Uses {
        using allocator_type = std::pmr::polymorphic_allocator<>;
        explicit Uses(const allocator_type& allocator) : times(allocator) {}

        std::pmr::vector<TimePoint> times;  // of successes, in order
        std::size_t attempts = 0;
        std::chrono::milliseconds per{0};  // the longest that was asked for
    };
    // In order, so that nobody can choose keys that collide, and no call has to rehash them all.
    using Keys = std::pmr::map<std::pmr::string, Uses, std::less<>>;
    struct Attempt {
        Keys::iterator key;
        TimePoint since;
    };

    void advance(TimePoint now);
    void clean(std::size_t keys);
    bool admits(Keys::iterator found, std::size_t key_bytes, const config::Quota& quota);
    bool has_room(std::size_t new_key_bytes) const;
    bool is_spent(Uses& uses, const config::Quota& quota) const;
    void drop_expired(Uses& uses);
    Keys::iterator forget_if_unused(Keys::iterator key);

    Keys keys_;
    std::pmr::map<std::uint64_t, Attempt> attempts_;  // by id, so the oldest is first
    Keys::iterator next_to_clean_;
    TimePoint now_ = TimePoint::min();
    std::uint64_t last_id_ = 0;
    std::size_t times_ = 0;
    std::size_t key_bytes_ = 0;
    std::uint64_t refused_for_space_ = 0;
};

}  // namespace stanzagate::filters
