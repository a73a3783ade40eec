#include "filters/bosh_session.hpp"

#include <algorithm>
#include <utility>

// A session's answers, its server and its time. What becomes of requests stands in
// bosh_requests.cpp.
namespace stanzagate::filters {
namespace {

constexpr std::size_t slice_bytes = 1024;  // read of the server's at once

}  // namespace

BoshResponse binding_error(BoshRequestId request, std::string_view condition, bool legacy) {
    auto const status = http_status(condition, legacy);
    if (status != 200) return {request, status, ""};
    return {request, status,
            write_body({{"type", "terminate"}, {"condition", std::string(condition)}})};
}

BoshSession::BoshSession(const BoshSettings& settings, std::string sid, Sha1 sha1)
    : settings_(settings), sid_(std::move(sid)), keys_(std::move(sha1)) {}

BoshEffects BoshSession::request_gone(BoshRequestId id, Time now) {
    BoshEffects out;
    for (auto& request : held_)
        if (request.id == id) request.live = false;
    for (auto& [rid, request] : ahead_)
        if (request.id == id) request.live = false;
    settle(now, out);
    return out;
}

BoshEffects BoshSession::from_server(std::string_view bytes, Time now) {
    BoshEffects out;
    if (ended_) return out;
    unread_ += bytes;
    settle(now, out);
    return out;
}

// Little by little: elements grow by what they inherit, short ones to a multiple.
void BoshSession::fill_outbox(std::size_t most) {
    if (outbox_.size() >= most) return;
    auto const bytes = std::exchange(unread_, {});
    std::string_view rest = bytes;
    while (!rest.empty() && !terminal_ && outbox_.size() < most) {
        auto const slice = rest.substr(0, slice_bytes);
        rest.remove_prefix(slice.size());
        for (auto& piece : cutter_.cut(slice))
            if (!terminal_) take_piece(piece);
        if (cutter_.failed() && !terminal_) terminal_ = "internal-server-error";
    }
    if (!terminal_) unread_ = rest;
}

void BoshSession::take_piece(StreamPiece& piece) {
    switch (piece.kind) {
        case StreamPiece::Kind::header:
            return take_header(piece.attributes);
        case StreamPiece::Kind::close:
            terminal_ = "";
            return;
        case StreamPiece::Kind::error:
            terminal_ = "remote-stream-error";  // XEP-0206 section 6
            outbox_declares_stream_ = true;
            break;
        case StreamPiece::Kind::features:
            outbox_declares_stream_ = true;
            break;
        case StreamPiece::Kind::success:
            restart_due_ = true;
            break;
        case StreamPiece::Kind::element:
            break;
    }
    outbox_ += piece.xml;
}

// XEP-0124 section 7.2 and XEP-0206 section 4: told once, as soon as it is known.
void BoshSession::take_header(const Attributes& header) {
    if (std::exchange(server_known_, true)) return;
    if (header.from) news_.emplace_back("from", *header.from);
    if (header.version) news_.emplace_back("xmpp:version", *header.version);
    if (header.id) news_.emplace_back("authid", *header.id);
}

BoshEffects BoshSession::server_gone(Time now) {
    return terminate("remote-connection-failed", now);
}

BoshEffects BoshSession::terminate(std::string_view condition, Time now) {
    BoshEffects out;
    if (ended_) return out;
    fill_outbox(std::string::npos);
    if (!terminal_) terminal_ = condition;
    settle(now, out);
    return out;
}

BoshEffects BoshSession::upstream_takes(bool takes, Time now) {
    BoshEffects out;
    upstream_takes_ = takes;
    if (ended_) return out;
    process_in_order(now, out);
    settle(now, out);
    return out;
}

BoshEffects BoshSession::tick(Time now) {
    BoshEffects out;
    settle(now, out);
    // XEP-0124 section 10: without informing the client.
    if (!ended_ && silent_since_ && *silent_since_ + patience_ <= now)
        end(terminal_ ? BoshEnd::server_closed : BoshEnd::inactive, out);
    return out;
}

std::optional<BoshSession::Time> BoshSession::deadline() const {
    std::optional<Time> first;
    auto const consider = [&](Time time) { first = first ? std::min(*first, time) : time; };
    if (ended_) return first;
    for (auto const& request : held_) consider(due(request));
    for (auto const& [rid, request] : ahead_) consider(due(request));
    if (silent_since_) consider(*silent_since_ + patience_);
    return first;
}

// Gives every answer that is to be given now.
void BoshSession::settle(Time now, BoshEffects& out) {
    if (ended_ || !opened_) return;
    for (;;) {
        fill_outbox(settings_.response_bytes);
        if (terminal_ && !live_requests().empty()) return finish(out);
        if (held_.empty() || !is_front_due(now)) break;
        answer_front(now, held_.front().live, out);
    }
    answer_overdue(now, out);
    if (!live_requests().empty())
        silent_since_.reset();
    else if (!silent_since_)
        silent_since_ = now;
}

// One that came before its predecessor is due before it, and is answered behind it.
bool BoshSession::is_front_due(Time now) const {
    auto const is_overdue = [&](const Request& request) { return due(request) <= now; };
    bool const has_payload = !outbox_.empty() && held_live() > 0;
    bool const too_many = held_.size() > (terms_.polls ? 0 : terms_.hold);
    bool const reports = report_ && held_.front().live;
    return has_payload || too_many || reports ||
           std::any_of(held_.begin(), held_.end(), is_overdue);
}

void BoshSession::answer_front(Time now, bool with_payload, BoshEffects& out) {
    auto const request = std::move(held_.front());
    held_.pop_front();
    auto const attributes = next_attributes(request, now);
    answered_empty_ = !with_payload || outbox_.empty();
    SharedText const body = with_payload ? take_outbox_as(attributes) : write_body(attributes);
    if (request.live) out.responses.push_back({request.id, 200, body});
    history_.keep({request.rid, body, now, request.body.pause.has_value(), request.repeats},
                  terms_.requests);
}

std::string BoshSession::take_outbox_as(const BodyAttributes& attributes) {
    bool const declares_stream = std::exchange(outbox_declares_stream_, false);
    return write_body(attributes, std::exchange(outbox_, {}), declares_stream);
}

BodyAttributes BoshSession::next_attributes(const Request& request, Time now) {
    BodyAttributes attributes;
    if (request.rid == first_rid_)
        attributes = creation_attributes(terms_, sid_, first_rid_);
    else if (auto const last = last_received(); last != request.rid)
        attributes.emplace_back("ack", std::to_string(last));  // XEP-0124 section 9.1
    for (auto& attribute : std::exchange(news_, {})) attributes.push_back(std::move(attribute));
    if (report_) {
        if (auto const* const lost = history_.find(*report_)) {
            auto const ago =
                std::chrono::duration_cast<std::chrono::milliseconds>(now - lost->sent);
            attributes.emplace_back("report", std::to_string(*report_));
            attributes.emplace_back("time", std::to_string(ago.count()));
        }
        report_.reset();
    }
    return attributes;
}

// One whose predecessor never came cannot be answered in its turn: the client is to send both again
// (XEP-0124 section 17.3).
void BoshSession::answer_overdue(Time now, BoshEffects& out) {
    for (auto at = ahead_.begin(); at != ahead_.end();) {
        auto const& request = at->second;
        if (due(request) > now) {
            ++at;
            continue;
        }
        if (request.live)
            out.responses.push_back({request.id, 200, write_body({{"type", "error"}})});
        at = ahead_.erase(at);
    }
}

// The server's side is over, and there is somebody to tell.
void BoshSession::finish(BoshEffects& out) {
    auto const requests = live_requests();
    if (http_status(*terminal_, terms_.legacy) != 200) {
        out.responses.push_back(binding_error(requests.front(), *terminal_, true));
    } else {
        BodyAttributes attributes{{"type", "terminate"}};
        if (!terminal_->empty()) attributes.emplace_back("condition", *terminal_);
        out.responses.push_back({requests.front(), 200, take_outbox_as(attributes)});
    }
    for (std::size_t i = 1; i < requests.size(); ++i)
        out.responses.push_back(binding_error(requests[i], "other-request", terms_.legacy));
    end(BoshEnd::server_closed, out);
}

// The offender is told why; the others, that it was not them.
void BoshSession::refuse(std::string_view condition, const Request& offender, BoshEffects& out) {
    if (offender.live)
        out.responses.push_back(binding_error(offender.id, condition, terms_.legacy));
    for (auto const id : live_requests())
        if (id != offender.id)
            out.responses.push_back(binding_error(id, "other-request", terms_.legacy));
    end(BoshEnd::violation, out);
}

void BoshSession::end(BoshEnd end, BoshEffects& out) {
    ended_ = true;
    out.ended = end;
    held_.clear();
    ahead_.clear();
    outbox_.clear();
    unread_.clear();
}

std::vector<BoshRequestId> BoshSession::live_requests() const {
    std::vector<BoshRequestId> ids;
    for (auto const& request : held_)
        if (request.live) ids.push_back(request.id);
    for (auto const& [rid, request] : ahead_)
        if (request.live) ids.push_back(request.id);
    return ids;
}

std::size_t BoshSession::held_live() const {
    return static_cast<std::size_t>(std::count_if(
        held_.begin(), held_.end(), [](const Request& request) { return request.live; }));
}

// The highest rid below which none is missing.
std::uint64_t BoshSession::last_received() const {
    auto last = last_rid_;
    while (ahead_.contains(last + 1)) ++last;
    return last;
}

}  // namespace stanzagate::filters
