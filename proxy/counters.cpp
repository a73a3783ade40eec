#include "proxy/counters.hpp"

namespace stanzagate::proxy {
namespace {

template <class Enum, Enum last>
void sum(PerValue<Enum, last, std::uint64_t>& to, const PerValue<Enum, last, Counter>& from) {
    from.each([&](Enum value, const Counter& counter) { to[value] += counter.value(); });
}

}  // namespace

std::string_view to_string(ConnectionKind kind) {
    switch (kind) {
        case ConnectionKind::starttls:
            return "starttls";
        case ConnectionKind::direct:
            return "direct";
        case ConnectionKind::websocket:
            return "websocket";
        case ConnectionKind::bosh:
            return "bosh";
        case ConnectionKind::http:
            return "http";
    }
    return "direct";
}

std::string_view to_string(ConnectionStage stage) {
    switch (stage) {
        case ConnectionStage::handshake:
            return "handshake";
        case ConnectionStage::negotiating:
            return "negotiating";
        case ConnectionStage::relaying:
            return "relaying";
        case ConnectionStage::open:
            return "open";
    }
    return "negotiating";
}

std::string_view to_string(HandshakeResult result) {
    switch (result) {
        case HandshakeResult::ok:
            return "ok";
        case HandshakeResult::failed:
            return "failed";
        case HandshakeResult::timeout:
            return "timeout";
        case HandshakeResult::drained:
            return "drained";
    }
    return "failed";
}

std::string_view to_string(Direction direction) {
    return direction == Direction::to_client ? "to_client" : "to_upstream";
}

ConnectionKind kind_of(filters::Transport transport) {
    switch (transport) {
        case filters::Transport::starttls:
            return ConnectionKind::starttls;
        case filters::Transport::direct:
            return ConnectionKind::direct;
        case filters::Transport::websocket:
            return ConnectionKind::websocket;
        case filters::Transport::bosh:
            return ConnectionKind::bosh;
    }
    return ConnectionKind::direct;
}

// A stream over HTTP begins when TLS is there.
bool can_be(ConnectionKind kind, ConnectionStage stage) {
    if (kind == ConnectionKind::http) return stage == ConnectionStage::open;
    if (stage == ConnectionStage::open) return false;
    bool const over_http = kind == ConnectionKind::websocket || kind == ConnectionKind::bosh;
    return !over_http || stage != ConnectionStage::handshake;
}

template <std::size_t size>
void LabelledCounter<size>::add(const LabelViews<size>& labels) {
    std::lock_guard const lock(mutex_);
    auto found = counts_.find(labels);
    if (found == counts_.end()) {
        Labels<size> owned;
        std::copy(labels.begin(), labels.end(), owned.begin());
        found = counts_.emplace(std::move(owned), 0).first;
    }
    ++found->second;
}

template <std::size_t size>
void LabelledCounter<size>::add_to(LabelledTotals<size>& totals) const {
    std::lock_guard const lock(mutex_);
    for (auto const& [labels, count] : counts_) totals[labels] += count;
}

template class LabelledCounter<1>;
template class LabelledCounter<4>;

void Totals::add(const Counters& counters) {
    counters.connections.each(
        [&](ConnectionKind kind, auto const& stages) { sum(connections[kind], stages); });
    sum(connections_total, counters.connections_total);
    sum(handshakes, counters.handshakes);
    sum(relayed_bytes, counters.relayed_bytes);
    sum(stream_errors, counters.stream_errors);
    sum(refused_connections, counters.refused_connections);
    sum(session_ends, counters.session_ends);
    counters.registrations.add_to(registrations);
    counters.upstream_failures.add_to(upstream_failures);
}

std::map<std::string, std::uint64_t> Totals::registrations_by_action() const {
    std::map<std::string, std::uint64_t> by_action;
    for (auto const& [labels, count] : registrations) by_action[labels[2]] += count;
    return by_action;
}

void ConnectionPlace::enter(Counters& counters, ConnectionKind kind, ConnectionStage stage) {
    leave();
    counters_ = &counters;
    kind_ = kind;
    stage_ = stage;
    is_counted_ = false;
    counters.connections[kind][stage].add();
}

void ConnectionPlace::reach(ConnectionStage stage) {
    if (!counters_) return;
    counters_->connections[kind_][stage_].subtract();
    stage_ = stage;
    counters_->connections[kind_][stage_].add();
}

void ConnectionPlace::is_certain() {
    if (!counters_ || is_counted_) return;
    is_counted_ = true;
    counters_->connections_total[kind_].add();
}

void ConnectionPlace::leave() {
    is_certain();
    withdraw();
}

void ConnectionPlace::withdraw() {
    if (!counters_) return;
    counters_->connections[kind_][stage_].subtract();
    counters_ = nullptr;
}

}  // namespace stanzagate::proxy
