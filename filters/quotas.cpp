#include "filters/quotas.hpp"

#include <algorithm>
#include <tuple>

namespace stanzagate::filters {
namespace {

// How many keys each call looks at for what has run out. A new key needs at least one call, so no
// more than about one in so many is stale.
constexpr std::size_t cleaned_per_call = 8;
// The same where a limit stands in the way.
constexpr std::size_t cleaned_at_limit = 256;

void append_prefix(std::string& key, const std::optional<config::Address>& address,
                   std::size_t bytes_of_v4, std::size_t bytes_of_v6) {
    if (!address) return key.push_back('\0');
    auto const length = address->is_v4() ? bytes_of_v4 : bytes_of_v6;
    key += static_cast<char>(length);
    for (auto const byte : address->bytes().first(length)) key += static_cast<char>(byte);
}

// Who is counted together, and by which rule. What differs most comes first. Different ones never
// have the same text: prefixes tell their length, and a host name has no zero byte.
std::string key_of(std::string_view rule, config::QuotaBy by, const QuotaClient& client) {
    std::string key(1, static_cast<char>(by));
    switch (by) {
        case config::QuotaBy::address:
            append_prefix(key, client.address, 4, 8);
            break;
        case config::QuotaBy::network:
            append_prefix(key, client.address, 3, 6);
            break;
        case config::QuotaBy::host:
            key += client.host;
            key += '\0';
            break;
        case config::QuotaBy::all:
            break;
    }
    return key += rule;
}

std::chrono::milliseconds window_of(const config::Quota& quota) {
    return std::min<std::chrono::milliseconds>(quota.per, Quotas::longest_per);
}

}  // namespace

Quotas::Quotas(std::pmr::memory_resource* memory)
    : keys_(memory), attempts_(memory), next_to_clean_(keys_.end()) {}

bool Quotas::holds(std::string_view rule, const config::Quota& quota, const QuotaClient& client,
                   TimePoint now) {
    auto const key = key_of(rule, quota.by, client);
    advance(now);
    return admits(keys_.find(std::string_view(key)), key.size(), quota);
}

std::optional<Reservation> Quotas::reserve(std::string_view rule, const config::Quota& quota,
                                           const QuotaClient& client, TimePoint now) {
    auto const key = key_of(rule, quota.by, client);
    advance(now);
    auto found = keys_.find(std::string_view(key));
    if (!admits(found, key.size(), quota)) return std::nullopt;
    if (found == keys_.end()) {
        found = keys_
                    .emplace(std::piecewise_construct, std::forward_as_tuple(std::string_view(key)),
                             std::tuple<>())
                    .first;
        found->second.per = window_of(quota);
        key_bytes_ += key.size();
    }
    ++found->second.attempts;
    attempts_.emplace_hint(attempts_.end(), ++last_id_, Attempt{found, now_});
    return Reservation(last_id_);
}

bool Quotas::commit(Reservation reservation, TimePoint now) {
    advance(now);
    auto const attempt = attempts_.find(reservation.id_);
    if (attempt == attempts_.end()) return false;
    auto& uses = attempt->second.key->second;
    drop_expired(uses);
    uses.times.push_back(now_);
    ++times_;
    --uses.attempts;
    attempts_.erase(attempt);
    return true;
}

void Quotas::cancel(Reservation reservation) {
    auto const attempt = attempts_.find(reservation.id_);
    if (attempt == attempts_.end()) return;
    auto const key = attempt->second.key;
    attempts_.erase(attempt);
    --key->second.attempts;
    forget_if_unused(key);
}

// Whoever asks reads the clock first and waits for a lock then, so `now` may be a little behind.
void Quotas::advance(TimePoint now) {
    now_ = std::max(now_, now);
    while (!attempts_.empty() && now_ - attempts_.begin()->second.since >= longest_attempt)
        cancel(Reservation(attempts_.begin()->first));
    clean(cleaned_per_call);
}

// Goes round through all keys, a few at a time.
void Quotas::clean(std::size_t keys) {
    for (auto left = std::min(keys, keys_.size()); left > 0; --left) {
        if (next_to_clean_ == keys_.end()) next_to_clean_ = keys_.begin();
        drop_expired(next_to_clean_->second);
        next_to_clean_ = forget_if_unused(next_to_clean_);
    }
}

bool Quotas::admits(Keys::iterator found, std::size_t key_bytes, const config::Quota& quota) {
    bool const is_new = found == keys_.end();
    if (is_new ? quota.count == 0 : is_spent(found->second, quota)) return false;
    if (has_room(is_new ? key_bytes : 0)) return true;
    clean(cleaned_at_limit);
    // Not for one that was there: it may have been forgotten just now. The next call finds the
    // room.
    if (is_new && has_room(key_bytes)) return true;
    ++refused_for_space_;
    return false;
}

// For one more attempt and its success, by a new key of that size; 0: by a key that is there.
bool Quotas::has_room(std::size_t new_key_bytes) const {
    if (attempts_.size() >= most_attempts || times_ + attempts_.size() >= most_times) return false;
    return new_key_bytes == 0 ||
           (keys_.size() < most_keys && key_bytes_ + new_key_bytes <= most_key_bytes);
}

bool Quotas::is_spent(Uses& uses, const config::Quota& quota) const {
    auto const window = window_of(quota);
    uses.per = std::max(uses.per, window);
    auto const first = std::upper_bound(uses.times.begin(), uses.times.end(), now_ - window);
    auto const live = static_cast<std::size_t>(uses.times.end() - first);
    return live + uses.attempts >= quota.count;
}

// Not before they are half of all, so that moving the others up costs little for each.
void Quotas::drop_expired(Uses& uses) {
    auto& times = uses.times;
    auto const first = std::upper_bound(times.begin(), times.end(), now_ - uses.per);
    auto const expired = static_cast<std::size_t>(first - times.begin());
    if (expired == 0 || expired < times.size() - expired) return;
    times.erase(times.begin(), first);
    times_ -= expired;
    if (times.capacity() > 4 * times.size()) times.shrink_to_fit();
}

// Returns the one after it.
Quotas::Keys::iterator Quotas::forget_if_unused(Keys::iterator key) {
    if (!key->second.times.empty() || key->second.attempts > 0) return std::next(key);
    key_bytes_ -= key->first.size();
    bool const was_next = key == next_to_clean_;
    auto const next = keys_.erase(key);
    if (was_next) next_to_clean_ = next;
    return next;
}

}  // namespace stanzagate::filters
