#include "proxy/http_connection.hpp"

#include <array>
#include <exception>

#include "filters/bosh_body.hpp"
#include "proxy/bosh_carrier.hpp"
#include "proxy/digests.hpp"
#include "proxy/forwarded_address.hpp"
#include "proxy/session.hpp"
#include "proxy/websocket_carrier.hpp"
#include "proxy/worker.hpp"

namespace stanzagate::proxy {
namespace {

constexpr int reads_in_a_turn = 4;        // of `most_waiting` requests each, at most
constexpr int pieces_in_a_turn = 4;       // of responses
constexpr std::size_t most_waiting = 16;  // requests that are not answered
constexpr std::chrono::seconds linger_time{5};

// Whoever is led here by a page of another site sees what came as what it is, and runs nothing of
// it: XML may bring scripts along as HTML does.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> for_browsers{
    {{"X-Content-Type-Options", "nosniff"},
     {"Content-Security-Policy", "default-src 'none'; sandbox"}}};

// What a <body/> may be longer than the stanzas in it, before authentication.
constexpr std::size_t stanzas_in_a_body = 4;

}  // namespace

HttpConnection::HttpConnection(Worker& worker, std::uint64_t number, Channel channel,
                               Arrival arrival)
    : worker_(worker),
      number_(number),
      channel_(std::move(channel)),
      arrival_(std::move(arrival)),
      client_(arrival_.peer),
      client_known_(arrival_.peer_known),
      deadline_(
          worker.loop().deadlines(),
          [](void* self) { static_cast<HttpConnection*>(self)->time_is_up(); }, this) {
    place_.enter(worker_.counters(), ConnectionKind::http, ConnectionStage::open);
    place_.is_certain();
}

HttpConnection::~HttpConnection() {
    worker_.forget_http(number_);
}

template <typename Work>
void HttpConnection::guarded(Work&& work) {
    try {
        work();
    } catch (const std::exception& exception) {
        worker_.log().write_first(config::LogLevel::error, "exception",
                                  {{"session", arrival_.id}, {"what", exception.what()}});
        finish();
    }
}

void HttpConnection::start(std::string_view first) {
    guarded([this, first] {
        set_deadline();
        if (!first.empty()) take(first);
        turn();
    });
}

void HttpConnection::on_events(Side, std::uint32_t events) {
    if (over_) return;
    bool const was_blocked = channel_.blocked();
    channel_.on_events(events);
    if (was_blocked && (!channel_.blocked() || takes_what_was_said())) set_deadline();
    guarded([this] { turn(); });
}

void HttpConnection::on_again() {
    guarded([this] { turn(); });
}

// Who waits for an answer is given it: a session may be about to say that it is over.
void HttpConnection::drain() {
    guarded([this] {
        if (waiting_.empty() && !channel_.blocked()) return finish();
        read_no_more();
        if (waiting_.empty() && !closing_) begin_closing();
    });
}

void HttpConnection::abandon() {
    guarded([this] { finish(); });
}

void HttpConnection::turn() {
    send_ready();
    for (int reads = 0; !over_ && may_read(); ++reads) {
        if (reads == reads_in_a_turn) return worker_.loop().again(*this);
        if (!unread_.empty()) {
            KeptBytes const bytes = std::move(unread_);
            take(bytes.view());
            continue;
        }
        if (!channel_.readable()) break;
        auto const bytes = channel_.read(worker_.scratch());
        take(bytes);
    }
    if (over_) return;
    if (channel_.broken() || channel_.wire().broken()) return finish();
    if (channel_.ended()) on_client_ended();
}

// A client that has closed its side waits for nothing more but what it was told already.
void HttpConnection::on_client_ended() {
    if (!channel_.blocked() && !waiting_.is_ready()) return finish();
    if (closing_ || !unread_.empty()) return;
    give_up_waiting();
    read_no_more();
    if (waiting_.empty()) begin_closing();
}

bool HttpConnection::may_read() const {
    return closing_ || (!channel_.blocked() && waiting_.size() < most_waiting);
}

// What is answered at once goes out together: a small request costs little, a TLS record and a
// system call for each response a lot.
void HttpConnection::take(std::string_view bytes) {
    feeding_ = true;
    feed(bytes);
    feeding_ = false;
    if (!over_) send_ready();
}

// Behind the last request everything is dropped.
void HttpConnection::feed(std::string_view bytes) {
    while (!bytes.empty() && !over_ && !last_) {
        if (waiting_.size() == most_waiting) return unread_.append(bytes);
        if (!reader_) {
            reader_ = std::make_unique<HttpRequestReader>(most_body_bytes());
            set_deadline();
        }
        bytes.remove_prefix(reader_->feed(bytes));
        if (auto const error = reader_->error()) return refuse(*error);
        if (body_is_too_long()) return refuse(413);
        if (!reader_->done()) {
            if (!reader_->expects_continue()) return;
            send_ready();
            if (waiting_.empty()) channel_.write("HTTP/1.1 100 Continue\r\n\r\n");
            return;
        }
        auto request = reader_->take();
        if (auto const error = reader_->error()) return refuse(*error);
        reader_.reset();
        auto const rest = bytes;
        bytes = {};
        serve(std::move(request), rest);
        if (!over_) bytes = rest;
    }
}

// What follows cannot be told apart any more.
void HttpConnection::refuse(unsigned status) {
    waiting_.add(++requests_, reader_ && reader_->is_head());
    read_no_more();
    respond(requests_, plain_response(status));
}

// The last request that has come is the last one of all: whatever the client sends behind it (RFC
// 9112 section 9.6), it is not looked at, and the connection ends with the response.
void HttpConnection::read_no_more() {
    if (!last_) last_ = requests_;
    unread_.clear();
    reader_.reset();
    set_deadline();  // that of half a request is not that of those who wait
}

// Whether it may be that long its sid tells, which stands at its beginning.
std::size_t HttpConnection::most_body_bytes() const {
    return arrival_.door->served.bosh ? most_message_bytes : 0;
}

bool HttpConnection::body_is_too_long() const {
    auto const body = reader_->body();
    auto const& limits = worker_.snapshot()->config.limits;
    if (body.size() <= stanzas_in_a_body * limits.stanza_size) return false;
    auto const sid = filters::sid_of(body);
    auto const session = sid ? worker_.bosh_directory().find(*sid) : std::nullopt;
    return !session || !session->authenticated;
}

void HttpConnection::serve(HttpRequest request, std::string_view rest) {
    auto const number = ++requests_;
    auto& waiting = waiting_.add(number, request.method == "HEAD");
    if (!request.keep_alive) read_no_more();
    if (!learn_client(request)) return respond(number, plain_response(400));
    auto routed = route(request, worker_.snapshot()->config, *arrival_.door);
    if (auto* const response = std::get_if<HttpResponse>(&routed))
        return respond(number, std::move(*response));
    if (auto* const upgrade = std::get_if<WebsocketUpgrade>(&routed)) {
        send_ready();
        // Behind other requests it would have to wait, and no client does that.
        if (waiting_.size() > 1) return respond(number, plain_response(400));
        return open_websocket(upgrade->response, rest);
    }
    waiting.headers = std::move(std::get<BoshPost>(routed).headers);
    pass_on(waiting, std::move(request.body));
}

// Who sits in front of us and is believed tells whose request it is; whoever else says so is not
// asked.
bool HttpConnection::learn_client(const HttpRequest& request) {
    client_ = arrival_.peer;
    client_known_ = arrival_.peer_known;
    if (!client_known_) return true;
    auto const forwarded = request.all("Forwarded");
    auto const x_forwarded_for = request.all("X-Forwarded-For");
    auto const told = forwarded_client(client_.address, arrival_.door->forwarded_from,
                                       {forwarded, x_forwarded_for});
    using Kind = ForwardedClient::Kind;
    if (told.kind == Kind::told) client_ = {*told.address, 0};
    if (told.kind == Kind::refused)
        worker_.log().write_first(config::LogLevel::warning, "forwarded_refused",
                                  {{"session", arrival_.id},
                                   {"peer", client_.address.to_string()},
                                   {"reason", told.reason}});
    client_known_ = told.kind != Kind::hidden;
    return told.kind != Kind::refused;
}

void HttpConnection::pass_on(Waiting& waiting, std::string body) {
    HttpExchange const exchange{&worker_, number_, waiting.number};
    auto const sid = filters::sid_of(body);
    if (!sid) return open_bosh_session(waiting, body);
    // XEP-0124 section 19.1: the session lives on, or whoever knows its sid could end it.
    auto const session = worker_.bosh_directory().find(*sid);
    if (session && session->secure && !channel_.tls()) return finish();
    waiting.sid = *sid;
    set_deadline();
    worker_.bosh().pass_on(exchange, *sid, std::move(body));
}

void HttpConnection::open_bosh_session(Waiting& waiting, std::string_view text) {
    auto const number = waiting.number;
    auto body = read_request(text);
    if (!body) return respond(number, plain_response(400));
    if (worker_.is_draining()) return respond(number, bosh_error("system-shutdown"));
    Arrival arrival{
        worker_.next_session_id(),  arrival_.door, client_, client_known_, arrival_.destination,
        Ticket(worker_.admission())};
    auto refusal = arrival.ticket.enter();
    if (refusal == Admission::Refusal::none && client_known_)
        refusal = arrival.ticket.enter_address(client_.address);
    if (refusal != Admission::Refusal::none) {
        worker_.count_refusal(refusal, client_);
        return respond(number, plain_response(429));
    }
    auto session = std::make_unique<Session>(worker_, std::move(arrival), filters::Transport::bosh);
    auto const sid = random_id();
    waiting.sid = sid;
    set_deadline();
    auto& entered = *session;
    worker_.enter(std::move(session));
    entered.start(std::make_unique<BoshCarrier>(worker_.bosh(), worker_.loop(), entered, sid));
    if (channel_.tls()) worker_.bosh_directory().secure(sid);
    if (auto* const carrier = worker_.bosh().find(sid))
        carrier->request({&worker_, number_, number}, std::move(*body));
}

void HttpConnection::open_websocket(const HttpResponse& response, std::string_view rest) {
    if (worker_.is_draining()) return respond(requests_, plain_response(503));
    if (client_known_ &&
        !arrival_.ticket.has_address()) {  // that of who speaks for it was not asked
        auto const refusal = arrival_.ticket.enter_address(client_.address);
        if (refusal != Admission::Refusal::none) {
            worker_.count_refusal(refusal, client_);
            return respond(requests_, plain_response(429));
        }
    }
    channel_.write(write_http_response(response, true));
    arrival_.peer = client_;
    arrival_.peer_known = client_known_;
    auto const& settings = worker_.snapshot()->config.limits;
    filters::FrameLimits const limits{settings.stanza_size, settings.stanza_depth,
                                      settings.attributes};
    auto session =
        std::make_unique<Session>(worker_, std::move(arrival_), filters::Transport::websocket);
    auto carrier = std::make_unique<WebsocketCarrier>(std::move(channel_), worker_.scratch(),
                                                      limits, random_id(), rest);
    over_ = true;
    place_.leave();
    deadline_.cancel();
    worker_.retire(*this);
    auto& entered = *session;
    auto const fd = carrier->fd();
    worker_.enter(std::move(session));
    worker_.loop().move(fd, entered);
    entered.start(std::move(carrier));
}

void HttpConnection::respond(std::uint64_t request, HttpResponse response) {
    auto* const found = waiting_.find(request);
    if (!found || over_) return;
    for (auto const& header : found->headers) response.headers.push_back(header);
    for (auto const& [name, value] : for_browsers) response.headers.emplace_back(name, value);
    // Whoever comes back finds nobody here.
    if (worker_.is_leaving() && found->sid.empty() && request == requests_) read_no_more();
    response.head_only = found->head_only;
    found->response = std::move(response);
    if (!feeding_) guarded([this] { send_ready(); });
}

// Whoever takes nothing is told nothing more. What it takes at once goes out in several turns, so
// that a long response does not keep the worker.
void HttpConnection::send_ready() {
    int pieces = 0;
    while (pieces < pieces_in_a_turn && waiting_.is_ready() && !channel_.blocked()) {
        channel_.write(waiting_.take_piece(last_));
        ++pieces;
    }
    if (pieces == 0) return;
    if (last_ && waiting_.empty()) return begin_closing();
    set_deadline();
    if (waiting_.is_ready() || !unread_.empty() || channel_.readable()) worker_.loop().again(*this);
}

// What the client still sends is read and dropped for a while, once it has our last words: closing
// under its bytes would take them away from it.
void HttpConnection::begin_closing() {
    closing_ = true;
    channel_.close_write();
    set_deadline();
    worker_.loop().again(*this);
}

// A request must be whole within the time for negotiation, and the next must come within it. One
// that waits for its answer may wait: whoever answers sees to that. And so may one that reads its
// answer slowly, as long as it reads some of it within that time.
void HttpConnection::set_deadline() {
    auto const time = worker_.snapshot()->config.limits.negotiation_timeout;
    if (channel_.blocked()) {
        outstanding_ = channel_.wire().outstanding();
        deadline_.set(time);
    } else if (closing_) {
        deadline_.set(linger_time);
    } else if (reader_ || waiting_.empty()) {
        deadline_.set(time);
    } else {
        deadline_.cancel();
    }
}

bool HttpConnection::takes_what_was_said() const {
    return channel_.wire().outstanding() < outstanding_;
}

void HttpConnection::time_is_up() {
    guarded([this] {
        if (channel_.blocked()) return takes_what_was_said() ? set_deadline() : finish();
        if (reader_) return refuse(408);
        finish();
    });
}

// The sessions keep for another request what they would have said.
void HttpConnection::give_up_waiting() {
    for (auto const& waiting : waiting_.give_up())
        if (!waiting.sid.empty() && !waiting.response)
            worker_.bosh().gone({&worker_, number_, waiting.number}, waiting.sid);
}

void HttpConnection::finish() {
    if (over_) return;
    over_ = true;
    place_.leave();
    deadline_.cancel();
    give_up_waiting();
    channel_.say_end();
    channel_.close();
    worker_.retire(*this);
}

}  // namespace stanzagate::proxy
