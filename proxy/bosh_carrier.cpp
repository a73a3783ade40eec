#include "proxy/bosh_carrier.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/bosh_sessions.hpp"
#include "proxy/digests.hpp"

namespace stanzagate::proxy {
namespace {

using filters::BoshEnd;

SessionEnd session_end(BoshEnd end) {
    switch (end) {
        case BoshEnd::client_closed:
            return SessionEnd::client_closed;
        case BoshEnd::server_closed:
            return SessionEnd::upstream_closed;
        case BoshEnd::inactive:
            return SessionEnd::timeout;
        case BoshEnd::violation:
            return SessionEnd::refused;
    }
    return SessionEnd::failed;
}

}  // namespace

BoshCarrier::BoshCarrier(BoshSessions& home, EventLoop& loop, Pollable& session, std::string sid)
    : home_(home),
      loop_(loop),
      session_(session),
      sid_(std::move(sid)),
      bosh_({}, sid_, sha1_hex),
      deadline_(
          loop.deadlines(), [](void* self) { static_cast<BoshCarrier*>(self)->on_deadline(); },
          this) {
    home_.add(sid_, *this);
}

BoshCarrier::~BoshCarrier() {
    home_.remove(sid_);
    for (auto const& [id, exchange] : open_) refuse(exchange, "internal-server-error");
}

void BoshCarrier::request(const HttpExchange& exchange, filters::BoshBody body) {
    auto const id = ++last_id_;
    open_.emplace(id, exchange);
    carry_out(bosh_.request(id, std::move(body), Clock::now()));
}

// What it said cannot be known, so neither can what it says next.
void BoshCarrier::refuse_request(const HttpExchange& exchange) {
    refuse(exchange, "bad-request");
    if (!end_) end_ = BoshEnd::violation;
    carry_out(bosh_.terminate("bad-request", Clock::now()));
}

void BoshCarrier::gone(const HttpExchange& exchange) {
    auto const found = std::find_if(open_.begin(), open_.end(),
                                    [&](auto const& entry) { return entry.second == exchange; });
    if (found == open_.end()) return;
    auto const id = found->first;
    open_.erase(found);
    carry_out(bosh_.request_gone(id, Clock::now()));
}

std::string_view BoshCarrier::read() {
    piece_ = std::exchange(incoming_, {});
    return piece_;
}

void BoshCarrier::consumed() {
    std::string().swap(piece_);
}

void BoshCarrier::write(std::string_view bytes) {
    carry_out(bosh_.from_server(bytes, Clock::now()));
}

void BoshCarrier::close_write() {
    carry_out(bosh_.server_gone(Clock::now()));
}

void BoshCarrier::shut_down() {
    carry_out(bosh_.terminate("system-shutdown", Clock::now()));
}

void BoshCarrier::takes(bool takes) {
    if (std::exchange(takes_, takes) != takes) carry_out(bosh_.upstream_takes(takes, Clock::now()));
}

void BoshCarrier::authenticated() {
    home_.authenticated(sid_);
}

std::optional<SessionEnd> BoshCarrier::hung_up() const {
    if (!end_) return std::nullopt;
    return session_end(*end_);
}

std::optional<SessionEnd> BoshCarrier::over() const {
    return readable() ? std::nullopt : hung_up();
}

void BoshCarrier::carry_out(filters::BoshEffects effects) {
    for (auto& response : effects.responses) {
        auto const found = open_.find(response.request);
        if (found == open_.end()) continue;
        auto const exchange = found->second;
        open_.erase(found);
        home_.respond(
            exchange,
            {response.status, {{"Content-Type", bosh_.content_type()}}, std::move(response.body)});
    }
    incoming_ += effects.to_upstream;
    if (effects.ended && !end_) end_ = effects.ended;
    set_deadline();
    loop_.again(session_);  // there may be something to read, or room to write
}

void BoshCarrier::refuse(const HttpExchange& exchange, std::string_view condition) {
    auto response = filters::binding_error(0, condition, false);
    home_.respond(
        exchange,
        {response.status, {{"Content-Type", bosh_.content_type()}}, std::move(response.body)});
}

void BoshCarrier::set_deadline() {
    auto const next = bosh_.deadline();
    if (!next) return deadline_.cancel();
    deadline_.set(std::max(Clock::duration::zero(), *next - Clock::now()));
}

void BoshCarrier::on_deadline() {
    carry_out(bosh_.tick(Clock::now()));
}

}  // namespace stanzagate::proxy
