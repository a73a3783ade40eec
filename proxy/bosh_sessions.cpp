#include "proxy/bosh_sessions.hpp"

#include <utility>

#include "filters/bosh_session.hpp"
#include "filters/stream_cutter.hpp"
#include "proxy/bosh_carrier.hpp"
#include "proxy/worker.hpp"

namespace stanzagate::proxy {

void BoshDirectory::add(const std::string& sid, Worker& owner) {
    std::lock_guard const lock(mutex_);
    sessions_[sid] = Entry{&owner, false, false};
}

void BoshDirectory::authenticated(std::string_view sid) {
    std::lock_guard const lock(mutex_);
    if (auto const found = sessions_.find(sid); found != sessions_.end())
        found->second.authenticated = true;
}

void BoshDirectory::secure(std::string_view sid) {
    std::lock_guard const lock(mutex_);
    if (auto const found = sessions_.find(sid); found != sessions_.end())
        found->second.secure = true;
}

void BoshDirectory::remove(std::string_view sid) {
    std::lock_guard const lock(mutex_);
    if (auto const found = sessions_.find(sid); found != sessions_.end()) sessions_.erase(found);
}

std::optional<BoshDirectory::Entry> BoshDirectory::find(std::string_view sid) const {
    std::lock_guard const lock(mutex_);
    auto const found = sessions_.find(sid);
    if (found == sessions_.end()) return std::nullopt;
    return found->second;
}

bool BoshDirectory::empty() const {
    std::lock_guard const lock(mutex_);
    return sessions_.empty();
}

void BoshSessions::add(const std::string& sid, BoshCarrier& carrier) {
    mine_.emplace(sid, &carrier);
    directory_.add(sid, worker_);
}

BoshCarrier* BoshSessions::find(std::string_view sid) const {
    auto const found = mine_.find(sid);
    return found == mine_.end() ? nullptr : found->second;
}

void BoshSessions::remove(const std::string& sid) {
    directory_.remove(sid);
    mine_.erase(sid);
}

void BoshSessions::pass_on(const HttpExchange& exchange, std::string_view sid, std::string body) {
    auto const entry = directory_.find(sid);
    if (!entry) return respond(exchange, bosh_error("item-not-found"));
    if (entry->owner == &worker_) return receive(exchange, std::string(sid), body);
    entry->owner->loop().post(
        [owner = entry->owner, exchange, sid = std::string(sid), body = std::move(body)] {
            owner->bosh().receive(exchange, sid, body);
        });
}

void BoshSessions::receive(const HttpExchange& exchange, const std::string& sid,
                           std::string_view body) {
    auto* const carrier = find(sid);
    if (!carrier) return respond(exchange, bosh_error("item-not-found"));
    if (auto request = read_request(body))
        carrier->request(exchange, std::move(*request));
    else
        carrier->refuse_request(exchange);
}

void BoshSessions::gone(const HttpExchange& exchange, const std::string& sid) {
    auto const entry = directory_.find(sid);
    if (!entry) return;
    if (entry->owner == &worker_) return lose(exchange, sid);
    entry->owner->loop().post(
        [owner = entry->owner, exchange, sid] { owner->bosh().lose(exchange, sid); });
}

void BoshSessions::lose(const HttpExchange& exchange, const std::string& sid) {
    if (auto* const carrier = find(sid)) carrier->gone(exchange);
}

// Never at once: whoever asks may be in the middle of something.
void BoshSessions::respond(const HttpExchange& exchange, HttpResponse response) const {
    auto deliver = [exchange, response = std::move(response)] {
        exchange.worker->respond(exchange, response);
    };
    if (exchange.worker == &worker_)
        worker_.loop().later(std::move(deliver));
    else
        exchange.worker->loop().post(std::move(deliver));
}

std::optional<filters::BoshBody> read_request(std::string_view body) {
    return filters::read_body(body, filters::server_limits);
}

HttpResponse bosh_error(std::string_view condition) {
    auto response = filters::binding_error(0, condition, false);
    return {
        response.status, {{"Content-Type", "text/xml; charset=utf-8"}}, std::move(response.body)};
}

}  // namespace stanzagate::proxy
