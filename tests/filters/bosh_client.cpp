#include "tests/filters/bosh_client.hpp"

#include <algorithm>
#include <utility>

namespace stanzagate::filters {
namespace {

constexpr FrameLimits limits{.frame_bytes = 1U << 20U, .depth = 100, .attributes = 100};

// Not a hash at all, but one that tests can turn round.
std::string hash(std::string_view text) {
    return "H" + std::string(text);
}

}  // namespace

BoshClient::BoshClient(const BoshSettings& settings) : session_(settings, "SomeSID", hash) {}

BoshRequestId BoshClient::send(const std::string& attributes, const std::string& payload) {
    auto const id = ++last_id_;
    asked_[id] = now_;
    auto const body = read_body(
        "<body xmlns='http://jabber.org/protocol/httpbind' "
        "xmlns:xmpp='urn:xmpp:xbosh' " +
            attributes + ">" + payload + "</body>",
        limits);
    if (!body) {
        broken_promise = "a test sent a bad body: " + attributes;
        return id;
    }
    apply(session_.request(id, *body, now_));
    return id;
}

BoshRequestId BoshClient::send_rid(unsigned rid, const std::string& attributes,
                                   const std::string& payload) {
    return send("sid='SomeSID' rid='" + std::to_string(first_rid + rid) + "' " + attributes,
                payload);
}

BoshRequestId BoshClient::create(const std::string& more) {
    return send("rid='" + std::to_string(first_rid) + "' to='example.org' xmpp:version='1.0' " +
                more);
}

void BoshClient::open(const std::string& more) {
    create(more);
    server(std::string(bosh_server_header) + std::string(bosh_server_features));
    take_upstream();
}

void BoshClient::lose(BoshRequestId id) {
    lost_.push_back(id);
    apply(session_.request_gone(id, now_));
}

void BoshClient::server(std::string_view bytes) {
    apply(session_.from_server(bytes, now_));
}

void BoshClient::server_gone() {
    apply(session_.server_gone(now_));
}

void BoshClient::terminate(std::string_view condition) {
    apply(session_.terminate(condition, now_));
}

void BoshClient::upstream_takes(bool takes) {
    apply(session_.upstream_takes(takes, now_));
}

void BoshClient::pass(std::chrono::milliseconds time) {
    auto const until = now_ + time;
    for (auto at = session_.deadline(); at && *at <= until; at = session_.deadline()) {
        now_ = std::max(now_, *at);
        apply(session_.tick(now_));
        if (session_.deadline() == at) {
            broken_promise = "a deadline that does nothing";
            break;
        }
    }
    now_ = until;
}

std::optional<std::string> BoshClient::answer(BoshRequestId id) const {
    auto const found = answers_.find(id);
    if (found == answers_.end()) return std::nullopt;
    return found->second;
}

std::string BoshClient::take_upstream() {
    return std::exchange(upstream_, {});
}

void BoshClient::apply(const BoshEffects& effects) {
    if (ended && (effects.ended || !effects.to_upstream.empty())) broken_promise = "over is over";
    if (effects.ended && session_.deadline()) broken_promise = "a deadline after the end";
    for (auto const& response : effects.responses) {
        auto const text = response.status == 200
                              ? response.body.text()
                              : "HTTP " + std::to_string(response.status) + response.body.text();
        if (!asked_.contains(response.request)) broken_promise = "answered what nobody asked";
        if (!answers_.emplace(response.request, text).second) broken_promise = "answered twice";
        if (std::find(lost_.begin(), lost_.end(), response.request) != lost_.end())
            broken_promise = "answered on a lost connection";
    }
    upstream_ += effects.to_upstream;
    if (effects.ended) ended = effects.ended;
}

std::string body_of(const std::string& attributes, const std::string& payload) {
    auto const head = "<body xmlns='http://jabber.org/protocol/httpbind'" +
                      (attributes.empty() ? "" : " " + attributes);
    return payload.empty() ? head + "/>" : head + ">" + payload + "</body>";
}

}  // namespace stanzagate::filters
