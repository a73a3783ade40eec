#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filters/bosh_body.hpp"
#include "filters/bosh_history.hpp"
#include "filters/bosh_keys.hpp"
#include "filters/bosh_terms.hpp"
#include "filters/shared_text.hpp"
#include "filters/stream_cutter.hpp"

namespace stanzagate::filters {

// How the driver names one HTTP request of the client. Never used twice in a session.
using BoshRequestId = std::uint64_t;

// The HTTP response to one request.
struct BoshResponse {
    BoshRequestId request = 0;
    unsigned status = 200;
    SharedText body;
};

enum class BoshEnd : std::uint8_t {
    client_closed,  // type='terminate'
    server_closed,  // the stream ended, with or without an error, or terminate() said so
    inactive,       // no request for too long
    violation,      // the client broke the rules of BOSH
};

// What a session's driver must do, in this order.
struct BoshEffects {
    std::vector<BoshResponse> responses;
    std::string to_upstream;       // bytes of the client's XMPP stream
    std::optional<BoshEnd> ended;  // the session is over; nothing follows
};

// A terminal binding condition (XEP-0124 section 17.2) for a request that belongs to no session.
BoshResponse binding_error(BoshRequestId request, std::string_view condition, bool legacy);

// One BOSH session (XEP-0124, XEP-0206) as a connection manager keeps it: requests on one side, an
// XMPP stream on the other. It keeps these promises:
//   1. What goes upstream goes in the order of the request ids, each once, and stands by itself.
//   2. Every request is answered once, in that order, within the session's `wait`; a response that
//      may have been lost is there again, byte for byte, for as long as the client may ask for it.
//   3. It never has more than `requests` requests, and one to pause or to terminate; keeps no more
//      than `requests` responses that carry anything, each about `response_bytes` or one element;
//      and asks the driver to stop reading from the server while it has enough: blocked().
// Order of calls: request() with the session's first, then anything, until `ended`; tick() when
// deadline() has passed. Between the server's SASL <success/> and the client's restart nothing goes
// upstream. Borrows nothing.
class BoshSession {
public:
    using Time = std::chrono::steady_clock::time_point;

    // `sid` must be unpredictable and unique (XEP-0124 section 7.2).
    BoshSession(const BoshSettings& settings, std::string sid, Sha1 sha1);

    BoshEffects request(BoshRequestId id, BoshBody body, Time now);
    // The HTTP connection is lost that the request came on.
    BoshEffects request_gone(BoshRequestId id, Time now);

    BoshEffects from_server(std::string_view bytes, Time now);
    // The connection to the server is lost; where its stream was closed before, that is no news.
    BoshEffects server_gone(Time now);
    // The gate ends the session for a reason of its own: a condition of XEP-0124 section 17.2.
    BoshEffects terminate(std::string_view condition, Time now);

    // Whether bytes of the client can be used now (Gate::wants()). While they cannot, requests that
    // carry some wait, and those behind them.
    BoshEffects upstream_takes(bool takes, Time now);

    BoshEffects tick(Time now);
    std::optional<Time> deadline() const;

    bool blocked() const { return outbox_.size() >= settings_.response_bytes; }
    bool ended() const { return ended_; }
    // The HTTP Content-Type of every response.
    const std::string& content_type() const { return terms_.content; }

private:
    struct Request {
        std::uint64_t rid = 0;
        BoshRequestId id = 0;
        Time arrived;
        BoshBody body;
        bool live = true;      // its HTTP connection is there, as far as we know
        unsigned repeats = 0;  // of the same rid
    };

    void open(BoshRequestId id, BoshBody body, Time now, BoshEffects& out);
    void accept(Request request, Time now, BoshEffects& out);
    void repeat(Request& waiting, const Request& again, BoshEffects& out);
    void resend(const Request& again, BoshEffects& out);
    void process_in_order(Time now, BoshEffects& out);
    void process(Request request, Time now, BoshEffects& out);
    void process_terminate(Request request, BoshEffects& out);
    void process_pause(std::chrono::seconds pause, Time now, BoshEffects& out);
    bool forward(const BoshBody& body, BoshEffects& out);
    bool too_frequent(const Request& request) const;
    void note_ack(const BoshBody& body, Time now);

    void fill_outbox(std::size_t most);
    void take_piece(StreamPiece& piece);
    void take_header(const Attributes& header);
    void settle(Time now, BoshEffects& out);
    void answer_front(Time now, bool with_payload, BoshEffects& out);
    void answer_overdue(Time now, BoshEffects& out);
    void finish(BoshEffects& out);
    void refuse(std::string_view condition, const Request& offender, BoshEffects& out);
    void end(BoshEnd end, BoshEffects& out);
    BodyAttributes next_attributes(const Request& request, Time now);
    std::string take_outbox_as(const BodyAttributes& attributes);
    std::vector<BoshRequestId> live_requests() const;
    bool is_front_due(Time now) const;
    std::size_t held_live() const;
    std::size_t unanswered() const;
    std::uint64_t last_received() const;
    Time due(const Request& request) const { return request.arrived + terms_.wait; }

    BoshSettings settings_;
    std::string sid_;
    BoshKeys keys_;
    BoshTerms terms_;
    Attributes opening_;  // what the client opened its stream with

    bool opened_ = false;
    bool ended_ = false;
    bool upstream_takes_ = true;
    bool restart_due_ = false;
    std::uint64_t first_rid_ = 0;
    std::uint64_t last_rid_ = 0;              // the last that was processed
    std::map<std::uint64_t, Request> ahead_;  // came before a predecessor of theirs, by rid
    std::deque<Request> held_;                // processed, not yet answered; in order
    BoshHistory history_;

    std::optional<Time> last_arrived_;  // the last new request, in order
    bool last_empty_ = false;           // it was empty
    bool answered_empty_ = false;       // the last response had no payload

    StreamCutter cutter_;
    std::string unread_;                   // of the server's, behind what fills the outbox
    std::string outbox_;                   // the server's elements, for the next response
    bool outbox_declares_stream_ = false;  // and whether that response must declare the prefix
    bool server_known_ = false;            // its first header has come
    BodyAttributes news_;                  // and what it told, for the next response
    std::optional<std::string> terminal_;  // the server's side is over: the condition, or none
    std::optional<std::uint64_t> report_;  // the rid of a response that may be lost

    std::chrono::seconds patience_{};   // inactivity as it is now
    std::optional<Time> silent_since_;  // no request is open since then
};

}  // namespace stanzagate::filters
