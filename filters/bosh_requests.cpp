#include <algorithm>
#include <utility>

#include "filters/bosh_session.hpp"
#include "filters/document_reader.hpp"
#include "filters/stream_error.hpp"

// What becomes of a BOSH session's requests. The answers stand in bosh_session.cpp.
namespace stanzagate::filters {
namespace {

// How often a request may be sent again, while it waits and later (XEP-0124 section 14.3).
constexpr unsigned most_repeats = 10;

// An acknowledgement that has passed a response on its way is no sign of trouble (section 9.2).
constexpr std::chrono::seconds lost_after{2};

bool is_empty(const BoshBody& body) {
    return body.payload.empty() && !body.pause && !body.terminate && !body.restart;
}

bool goes_upstream(const BoshBody& body) {
    return !body.terminate && (body.restart || !body.payload.empty());
}

// Section 11: one more request than is allowed otherwise.
bool may_be_extra(const BoshBody& body) {
    return body.pause || body.terminate;
}

}  // namespace

BoshEffects BoshSession::request(BoshRequestId id, BoshBody body, Time now) {
    BoshEffects out;
    if (ended_ || (opened_ && body.sid != sid_)) {
        out.responses.push_back(binding_error(id, "item-not-found", terms_.legacy));
        return out;
    }
    silent_since_.reset();
    if (!opened_)
        open(id, std::move(body), now, out);
    else
        accept({.rid = body.rid.value_or(0), .id = id, .arrived = now, .body = std::move(body)},
               now, out);
    settle(now, out);
    return out;
}

void BoshSession::open(BoshRequestId id, BoshBody body, Time now, BoshEffects& out) {
    terms_ = BoshTerms(body, settings_);
    Request request{.rid = body.rid.value_or(0), .id = id, .arrived = now, .body = {}};
    if (!body.rid || body.sid || body.terminate) return refuse("bad-request", request, out);
    if (!body.to || body.to->empty()) return refuse("improper-addressing", request, out);

    opened_ = true;
    patience_ = terms_.inactivity;
    first_rid_ = last_rid_ = request.rid;
    last_arrived_ = now;
    keys_.begin(body);
    opening_.to = body.to;
    opening_.from = body.from;
    opening_.lang = body.lang;
    opening_.version = body.xmpp_version;
    out.to_upstream += opening_header(opening_);
    out.to_upstream += body.payload;
    held_.push_back(std::move(request));
}

void BoshSession::accept(Request request, Time now, BoshEffects& out) {
    auto const& body = request.body;
    if (!body.rid) return refuse("bad-request", request, out);
    if (body.stream) return refuse("item-not-found", request, out);  // there is one only
    for (auto& waiting : held_)
        if (waiting.rid == request.rid) return repeat(waiting, request, out);
    if (auto const found = ahead_.find(request.rid); found != ahead_.end())
        return repeat(found->second, request, out);
    if (request.rid <= last_rid_) return resend(request, out);

    // Sections 14.2 and 11.
    bool const extra = may_be_extra(body);
    if (request.rid - last_rid_ > terms_.requests + (extra ? 1 : 0))
        return refuse("item-not-found", request, out);
    bool const too_many = held_live() + ahead_.size() > terms_.requests;
    if (too_many || (!extra && unanswered() >= terms_.requests))
        return refuse("policy-violation", request, out);
    ahead_.emplace(request.rid, std::move(request));
    process_in_order(now, out);
}

// The requests that count against `requests`.
std::size_t BoshSession::unanswered() const {
    auto const early = std::count_if(ahead_.begin(), ahead_.end(), [](auto const& entry) {
        return !may_be_extra(entry.second.body);
    });
    return held_live() + static_cast<std::size_t>(early);
}

// Section 14.3: its first connection is taken for broken.
void BoshSession::repeat(Request& waiting, const Request& again, BoshEffects& out) {
    if (++waiting.repeats > most_repeats) return refuse("policy-violation", again, out);
    if (waiting.live) out.responses.push_back({waiting.id, 200, write_body({{"type", "error"}})});
    waiting.id = again.id;
    waiting.live = true;
}

void BoshSession::resend(const Request& again, BoshEffects& out) {
    auto* const response = history_.find(again.rid);
    if (!response) return refuse("item-not-found", again, out);
    if (++response->repeats > most_repeats) return refuse("policy-violation", again, out);
    out.responses.push_back({again.id, 200, response->body});
}

void BoshSession::process_in_order(Time now, BoshEffects& out) {
    while (!ended_) {
        auto const next = ahead_.find(last_rid_ + 1);
        if (next == ahead_.end()) return;
        if (!upstream_takes_ && !terminal_ && goes_upstream(next->second.body)) return;
        auto request = std::move(next->second);
        ahead_.erase(next);
        ++last_rid_;
        process(std::move(request), now, out);
    }
}

void BoshSession::process(Request request, Time now, BoshEffects& out) {
    if (!keys_.accept(request.body)) return refuse("item-not-found", request, out);
    patience_ = terms_.inactivity;
    note_ack(request.body, now);
    bool const frequent = too_frequent(request);
    last_arrived_ = request.arrived;
    last_empty_ = is_empty(request.body);
    if (frequent) return refuse("policy-violation", request, out);
    if (request.body.terminate) return process_terminate(std::move(request), out);
    if (!forward(request.body, out)) return refuse("policy-violation", request, out);
    request.body.payload = {};

    auto const pause = request.body.pause;
    if (pause && *pause > static_cast<std::uint64_t>(terms_.pause.count()))
        return refuse("policy-violation", request, out);
    held_.push_back(std::move(request));
    if (pause) process_pause(std::chrono::seconds(*pause), now, out);
}

// False where the client must not say that now: the upstream would read it in the wrong stream.
bool BoshSession::forward(const BoshBody& body, BoshEffects& out) {
    if (terminal_) return true;
    if (!body.restart) {
        if (body.payload.empty()) return true;
        if (restart_due_) return false;
        out.to_upstream += body.payload;
        return true;
    }
    // XEP-0206 section 5: a payload that comes with it is ignored.
    if (!std::exchange(restart_due_, false)) return false;
    if (body.to) opening_.to = body.to;
    if (body.from) opening_.from = body.from;
    if (body.lang) opening_.lang = body.lang;
    if (body.xmpp_version) opening_.version = body.xmpp_version;
    out.to_upstream += opening_header(opening_);
    return true;
}

// Section 13.
void BoshSession::process_terminate(Request request, BoshEffects& out) {
    if (!terminal_ && !restart_due_) {
        out.to_upstream += request.body.payload;
        out.to_upstream += closing_tag;
    }
    held_.push_back(std::move(request));
    fill_outbox(std::string::npos);
    BodyAttributes attributes{{"type", "terminate"}};
    for (auto const id : live_requests()) {
        out.responses.push_back({id, 200, take_outbox_as(attributes)});
        attributes.clear();
    }
    end(BoshEnd::client_closed, out);
}

// Section 10: all are answered at once, this one (the last) without a payload.
void BoshSession::process_pause(std::chrono::seconds pause, Time now, BoshEffects& out) {
    while (held_.size() > 1) answer_front(now, held_.front().live, out);
    answer_front(now, false, out);
    patience_ = pause;
}

// Sections 11 and 12.
bool BoshSession::too_frequent(const Request& request) const {
    if (terms_.polling.count() == 0 || !is_empty(request.body)) return false;
    if (std::chrono::abs(request.arrived - *last_arrived_) >= terms_.polling) return false;
    if (terms_.polls) return last_empty_ && answered_empty_;
    return held_live() + 1 >= terms_.requests;
}

// Section 9.2.
void BoshSession::note_ack(const BoshBody& body, Time now) {
    if (!terms_.acks || !body.ack) return;
    auto const* const lost = history_.find(*body.ack + 1);
    if (lost && now - lost->sent >= lost_after) report_ = lost->rid;
}

}  // namespace stanzagate::filters
