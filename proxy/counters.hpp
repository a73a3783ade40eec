#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "filters/policy.hpp"
#include "filters/stream_error.hpp"
#include "proxy/admission.hpp"
#include "proxy/session_end.hpp"

// What is counted for the metrics. Each worker has a set of its own and counts on its own thread;
// whoever asks adds the sets up (docs/metrics.md says what each means).
namespace stanzagate::proxy {

// Written by one thread and read by any. That one thread needs no locked instruction to add.
class Counter {
public:
    void add(std::uint64_t amount = 1) { set(value() + amount); }
    void subtract(std::uint64_t amount = 1) { set(value() - amount); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }

    std::atomic<std::uint64_t> value_{0};
};

// One T for each value of an enumeration that begins with 0 and ends with `last`.
template <class Enum, Enum last, class T>
class PerValue {
public:
    static constexpr std::size_t size = static_cast<std::size_t>(last) + 1;

    T& operator[](Enum value) { return items_[static_cast<std::size_t>(value)]; }
    const T& operator[](Enum value) const { return items_[static_cast<std::size_t>(value)]; }
    // Calls visit(value, item) for each.
    template <class Visit>
    void each(Visit&& visit) const {
        for (std::size_t i = 0; i < size; ++i) visit(static_cast<Enum>(i), items_[i]);
    }

private:
    std::array<T, size> items_{};
};

// What a connection is: how a client's stream comes, or a connection that speaks HTTP. The sessions
// over that are counted by themselves, for a BOSH session has many connections.
enum class ConnectionKind : std::uint8_t { starttls, direct, websocket, bosh, http };
// How far it has come: until TLS is established, until the client is authenticated, after that. Of
// HTTP there is `open` alone.
enum class ConnectionStage : std::uint8_t { handshake, negotiating, relaying, open };
enum class HandshakeResult : std::uint8_t { ok, failed, timeout, drained };
enum class Direction : std::uint8_t { to_upstream, to_client };

std::string_view to_string(ConnectionKind kind);
std::string_view to_string(ConnectionStage stage);
std::string_view to_string(HandshakeResult result);
std::string_view to_string(Direction direction);
ConnectionKind kind_of(filters::Transport transport);
// Whether a connection of that kind is ever counted in that stage.
bool can_be(ConnectionKind kind, ConnectionStage stage);

// The labels that are an operator's words: as many series as the configuration has names.
template <std::size_t size>
using Labels = std::array<std::string, size>;
template <std::size_t size>
using LabelViews = std::array<std::string_view, size>;

struct LabelOrder {
    using is_transparent = void;
    template <class One, class Other>
    bool operator()(const One& one, const Other& other) const {
        return std::lexicographical_compare(
            one.begin(), one.end(), other.begin(), other.end(),
            [](std::string_view a, std::string_view b) { return a < b; });
    }
};
template <std::size_t size>
using LabelledTotals = std::map<Labels<size>, std::uint64_t, LabelOrder>;

// A counter for each set of labels that was seen. Any thread; for what is rare.
template <std::size_t size>
class LabelledCounter {
public:
    void add(const LabelViews<size>& labels);
    void add_to(LabelledTotals<size>& totals) const;

private:
    mutable std::mutex mutex_;
    LabelledTotals<size> counts_;
};

// Number: a Counter, or a plain number in a sum.
template <class Number>
struct Counts {
    using Stages = PerValue<ConnectionStage, ConnectionStage::open, Number>;

    PerValue<ConnectionKind, ConnectionKind::http, Stages> connections{};
    PerValue<ConnectionKind, ConnectionKind::http, Number> connections_total{};
    PerValue<HandshakeResult, HandshakeResult::drained, Number> handshakes{};
    PerValue<Direction, Direction::to_client, Number> relayed_bytes{};
    PerValue<filters::StreamErrorCondition, filters::StreamErrorCondition::unsupported_version,
             Number>
        stream_errors{};
    PerValue<Admission::Refusal, Admission::Refusal::connect_rate, Number> refused_connections{};
    PerValue<SessionEnd, SessionEnd::failed, Number> session_ends{};
};

struct Counters : Counts<Counter> {
    LabelledCounter<4> registrations;      // host, rule, action, request
    LabelledCounter<1> upstream_failures;  // host
};

// All workers' counters together, at one moment.
struct Totals : Counts<std::uint64_t> {
    LabelledTotals<4> registrations;
    LabelledTotals<1> upstream_failures;

    // From any thread.
    void add(const Counters& counters);
    // Decisions by what became of the request.
    std::map<std::string, std::uint64_t> registrations_by_action() const;
};

// One connection's place in `connections` and `connections_total`, from enter() to its end.
//   enter(), reach()*, then leave() or withdraw(); is_certain() in between
class ConnectionPlace {
public:
    ConnectionPlace() = default;
    ConnectionPlace(const ConnectionPlace&) = delete;
    ConnectionPlace& operator=(const ConnectionPlace&) = delete;
    ~ConnectionPlace() { leave(); }

    void enter(Counters& counters, ConnectionKind kind, ConnectionStage stage);
    void reach(ConnectionStage stage);
    // What it is, is certain now: it counts as one of that kind.
    void is_certain();
    void leave();
    // The same for what turned out to be something else, or was not let in: it never counts.
    void withdraw();

private:
    Counters* counters_ = nullptr;
    ConnectionKind kind_ = ConnectionKind::direct;
    ConnectionStage stage_ = ConnectionStage::handshake;
    bool is_counted_ = false;
};

}  // namespace stanzagate::proxy
