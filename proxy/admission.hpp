#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "config/address.hpp"
#include "config/config.hpp"

namespace stanzagate::proxy {

// Who may connect: the limits of [limits] on connections, for all workers together. IPv6 clients
// count by their /64. Asked when a connection comes and told when it goes, never in between.
//   enter(), then enter_address() once the address is known; on refusal, or at the end, a Ticket
//   gives back what was taken.
// Memory: an entry per address that has a connection, or had one within the last two seconds (the
// time in which a spent bucket is full again), and at most as many stale ones again.
class Admission {
public:
    using Clock = std::chrono::steady_clock;
    enum class Refusal : std::uint8_t { none, connections, connections_per_address, connect_rate };

    explicit Admission(const config::Limits& limits) : limits_(limits) {}
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;

    // The limits for who comes from now on; nobody who is in has to go.
    void use(const config::Limits& limits);

    Refusal enter();
    void leave();
    Refusal enter_address(const config::Address& address, Clock::time_point now);
    void leave_address(const config::Address& address);

    std::size_t connections() const;
    std::size_t known_addresses() const;

private:
    using Key = std::array<std::uint8_t, 8>;
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    struct Entry {
        std::size_t connections = 0;
        double tokens = 0;
        Clock::time_point filled_at{};
    };

    static Key key_of(const config::Address& address);
    double burst() const;
    void forget_idle(Clock::time_point now);

    mutable std::mutex mutex_;
    config::Limits limits_;
    std::size_t connections_ = 0;
    std::unordered_map<Key, Entry, Hash> addresses_;
    std::size_t forget_at_ = 1024;  // entries
};

std::string_view to_string(Admission::Refusal refusal);

// What one connection holds of the limits; gives it back when destroyed.
class Ticket {
public:
    explicit Ticket(Admission& admission) : admission_(admission) {}
    Ticket(Ticket&& other) noexcept;
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket();

    Admission::Refusal enter();
    Admission::Refusal enter_address(const config::Address& address);
    bool has_address() const { return address_.has_value(); }

private:
    Admission& admission_;
    bool entered_ = false;
    std::optional<config::Address> address_;
};

}  // namespace stanzagate::proxy
