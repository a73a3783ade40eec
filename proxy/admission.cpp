#include "proxy/admission.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

namespace stanzagate::proxy {

std::string_view to_string(Admission::Refusal refusal) {
    switch (refusal) {
        case Admission::Refusal::none:
            return "none";
        case Admission::Refusal::connections:
            return "connections";
        case Admission::Refusal::connections_per_address:
            return "connections_per_address";
        case Admission::Refusal::connect_rate:
            return "connect_rate";
    }
    return "none";
}

std::size_t Admission::Hash::operator()(const Key& key) const noexcept {
    std::uint64_t number = 0;
    std::memcpy(&number, key.data(), sizeof number);
    // Addresses differ in few bits, which a multiplication spreads.
    return static_cast<std::size_t>((number * 0x9E3779B97F4A7C15U) >> 7U);
}

// IPv6: the /64 (RFC 6177: the least a site gets). IPv4: a key below 64:ff9b::/32, which is for
// translation (RFC 6052) and from which nobody connects.
Admission::Key Admission::key_of(const config::Address& address) {
    Key key{};
    auto const bytes = address.bytes();
    if (address.is_v4()) {
        key = {0x00, 0x64, 0xFF, 0x9B};
        std::copy_n(bytes.begin(), 4, key.begin() + 4);
    } else {
        std::copy_n(bytes.begin(), key.size(), key.begin());
    }
    return key;
}

// Two seconds' worth, but never so little that nobody could connect.
double Admission::burst() const {
    return std::max(1.0, 2 * limits_.connect_rate);
}

void Admission::use(const config::Limits& limits) {
    std::lock_guard const lock(mutex_);
    limits_ = limits;
}

Admission::Refusal Admission::enter() {
    std::lock_guard const lock(mutex_);
    if (connections_ >= limits_.connections) return Refusal::connections;
    ++connections_;
    return Refusal::none;
}

void Admission::leave() {
    std::lock_guard const lock(mutex_);
    --connections_;
}

Admission::Refusal Admission::enter_address(const config::Address& address, Clock::time_point now) {
    std::lock_guard const lock(mutex_);
    if (addresses_.size() >= forget_at_) forget_idle(now);
    auto const [found, is_new] = addresses_.try_emplace(key_of(address));
    auto& entry = found->second;
    if (is_new)
        entry.tokens = burst();
    else {
        std::chrono::duration<double> const passed = now - entry.filled_at;
        entry.tokens = std::min(burst(), entry.tokens + passed.count() * limits_.connect_rate);
    }
    entry.filled_at = now;
    if (entry.tokens < 1) return Refusal::connect_rate;
    entry.tokens -= 1;
    if (entry.connections >= limits_.connections_per_address)
        return Refusal::connections_per_address;
    ++entry.connections;
    return Refusal::none;
}

void Admission::leave_address(const config::Address& address) {
    std::lock_guard const lock(mutex_);
    if (auto const found = addresses_.find(key_of(address)); found != addresses_.end())
        --found->second.connections;
}

// Drops who has no connection and a full bucket: a newcomer would be treated the same. Runs when
// the table has doubled, so that its cost is spread over the connections that filled it.
void Admission::forget_idle(Clock::time_point now) {
    auto const full_after = std::chrono::duration<double>(burst() / limits_.connect_rate);
    std::erase_if(addresses_, [&](auto const& item) {
        return item.second.connections == 0 && now - item.second.filled_at >= full_after;
    });
    forget_at_ = std::max<std::size_t>(1024, 2 * addresses_.size());
}

std::size_t Admission::connections() const {
    std::lock_guard const lock(mutex_);
    return connections_;
}

std::size_t Admission::known_addresses() const {
    std::lock_guard const lock(mutex_);
    return addresses_.size();
}

Admission::Refusal Ticket::enter() {
    auto const refusal = admission_.enter();
    entered_ = refusal == Admission::Refusal::none;
    return refusal;
}

Admission::Refusal Ticket::enter_address(const config::Address& address) {
    auto const refusal = admission_.enter_address(address, Admission::Clock::now());
    if (refusal == Admission::Refusal::none) address_ = address;
    return refusal;
}

Ticket::Ticket(Ticket&& other) noexcept
    : admission_(other.admission_),
      entered_(std::exchange(other.entered_, false)),
      address_(std::exchange(other.address_, std::nullopt)) {}

Ticket::~Ticket() {
    if (address_) admission_.leave_address(*address_);
    if (entered_) admission_.leave();
}

}  // namespace stanzagate::proxy
