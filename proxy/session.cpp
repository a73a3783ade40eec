#include "proxy/session.hpp"

#include <sys/epoll.h>

#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "certs/openssl_ptr.hpp"
#include "filters/gate.hpp"
#include "proxy/digests.hpp"
#include "proxy/negotiation.hpp"
#include "proxy/proxy_protocol.hpp"
#include "proxy/socket_address.hpp"
#include "proxy/trusted_peers.hpp"
#include "proxy/upstream_connector.hpp"
#include "proxy/worker.hpp"

namespace stanzagate::proxy {
namespace {

// Behind a balancer that ended TLS, what the client used is direct TLS.
filters::Transport transport_of(const config::Listen& door) {
    return door.tls == config::TlsMode::starttls ? filters::Transport::starttls
                                                 : filters::Transport::direct;
}

}  // namespace

Session::Session(Worker& worker, Fd socket, Ticket ticket,
                 std::shared_ptr<const config::Listen> door, const config::Endpoint& peer)
    : worker_(worker),
      transport_(transport_of(*door)),
      ticket_(std::move(ticket)),
      deadline_(
          worker.loop().deadlines(), [](void* self) { static_cast<Session*>(self)->on_deadline(); },
          this),
      peer_(peer),
      id_(worker.next_session_id()),
      negotiation_(std::make_unique<Negotiation>(
          worker_.snapshot(), worker_.quotas(), worker_.invitations(), worker_.loop().deadlines(),
          [](void* self) { static_cast<Session*>(self)->on_delay_over(); }, this)) {
    client_.open(std::move(socket));
    negotiation_->door = std::move(door);
}

Session::Session(Worker& worker, Arrival arrival, filters::Transport transport)
    : worker_(worker),
      transport_(transport),
      peer_known_(arrival.peer_known),
      ticket_(std::move(arrival.ticket)),
      deadline_(
          worker.loop().deadlines(), [](void* self) { static_cast<Session*>(self)->on_deadline(); },
          this),
      peer_(arrival.peer),
      id_(std::move(arrival.id)),
      negotiation_(std::make_unique<Negotiation>(
          worker_.snapshot(), worker_.quotas(), worker_.invitations(), worker_.loop().deadlines(),
          [](void* self) { static_cast<Session*>(self)->on_delay_over(); }, this)) {
    negotiation_->door = std::move(arrival.door);
    negotiation_->destination = arrival.destination;
}

Session::~Session() = default;

const config::Listen& Session::door() const {
    return *negotiation_->door;
}

void Session::start() {
    guarded([this] { begin(); });
}

// The client is there already, and so is its TLS.
void Session::start(std::unique_ptr<Carrier> carrier) {
    guarded([this, &carrier] {
        client_.open(std::move(carrier));
        place_.enter(worker_.counters(), kind_of(transport_), ConnectionStage::negotiating);
        place_.is_certain();
        begin_gate(filters::Gate::Door::secure);
        deadline_.set(negotiation_->snapshot->config.limits.negotiation_timeout);
        advance();
    });
}

void Session::begin() {
    bool const behind_proxy = sends_proxy_header(door(), peer_.address);
    if (!behind_proxy) negotiation_->speaks_for_others = speaks_for_others(door(), peer_.address);
    place_.enter(worker_.counters(), kind_of(transport_), ConnectionStage::handshake);
    deadline_.set(negotiation_->snapshot->config.limits.handshake_timeout);
    if (behind_proxy)
        stage_ = Stage::proxy_header;
    else
        begin_negotiation();
    if (!worker_.loop().add(client_.wire().fd(), *this, Side::client))
        finish(SessionEnd::network_error);
}

// The one that a PROXY header names. Who speaks for others over HTTP is not counted as one of them.
bool Session::admit_peer() {
    negotiation_->speaks_for_others = speaks_for_others(door(), peer_.address);
    return negotiation_->speaks_for_others || admit();
}

bool Session::admit() {
    auto const refusal = ticket_.enter_address(peer_.address);
    if (refusal == Admission::Refusal::none) return true;
    turn_away(refusal);
    return false;
}

// Without a line of its own in the log: who floods us shall not fill it.
void Session::turn_away(Admission::Refusal refusal) {
    stage_ = Stage::over;
    place_.withdraw();
    deadline_.cancel();
    negotiation_.reset();
    client_.close();
    worker_.count_refusal(refusal, peer_);
    worker_.retire(*this);
}

void Session::on_events(Side side, std::uint32_t events) {
    auto& source = channel(side);
    if (!source.is_open()) return;
    source.on_events(events);
    guarded([this] { advance(); });
}

void Session::on_again() {
    guarded([this] { advance(); });
}

void Session::fail(const std::exception& exception) {
    worker_.log().write_first(config::LogLevel::error, "exception",
                              {{"session", id_}, {"what", exception.what()}});
    finish(SessionEnd::failed);
}

// Stages may follow one another within a turn: a turn goes on until the stage stays as it is.
void Session::advance() {
    for (;;) {
        auto const before = stage_;
        turn();
        if (stage_ == before || stage_ == Stage::over) return;
    }
}

void Session::turn() {
    switch (stage_) {
        case Stage::proxy_header:
            return read_proxy_header();
        case Stage::handshake:
            return advance_handshake();
        case Stage::negotiating:
            return negotiate();
        case Stage::relaying:
            return relay();
        case Stage::closing:
            return linger();
        case Stage::over:
            return;
    }
}

// The header is looked at where it lies, and only its own bytes are taken: what follows is TLS, or
// the client's stream.
void Session::read_proxy_header() {
    auto& wire = client_.wire();
    auto const into = std::span(worker_.scratch().received).first(max_proxy_header_bytes);
    auto const seen = wire.peek(into);
    auto const parsed = parse_proxy_header({into.data(), seen});
    if (auto const* const error = std::get_if<ProxyProtocolError>(&parsed)) {
        worker_.log().write_first(
            config::LogLevel::warning, "proxy_header_refused",
            {{"session", id_}, {"peer", peer_.address.to_string()}, {"reason", error->reason}});
        return fail_handshake(error->reason);
    }
    auto const* const header = std::get_if<ProxyProtocolHeader>(&parsed);
    if (!header) {
        if (wire.ended() || wire.hung_up()) finish(SessionEnd::client_closed);
        return;
    }
    wire.receive(into.first(header->size));
    wire.on_events(EPOLLIN);  // there may be more than the header
    if (header->kind == ProxyProtocolHeader::Kind::proxied) {
        peer_ = *header->source;
        negotiation_->destination = *header->destination;
    }
    peer_known_ = header->kind != ProxyProtocolHeader::Kind::unknown;
    if (peer_known_ && !admit_peer()) return;
    begin_negotiation();
}

void Session::begin_negotiation() {
    bool const in_the_clear = door().tls == config::TlsMode::starttls;
    begin_gate(in_the_clear ? filters::Gate::Door::starttls : filters::Gate::Door::secure);
    negotiation_->may_be_http = door().served.http();
    if (!negotiation_->may_be_http) place_.is_certain();
    if (door().tls == config::TlsMode::none) {
        place_.reach(ConnectionStage::negotiating);
        deadline_.set(negotiation_->snapshot->config.limits.negotiation_timeout);
    }
    if (door().tls == config::TlsMode::direct) begin_handshake({});
}

void Session::begin_gate(filters::Gate::Door begins) {
    filters::Peer peer;
    if (peer_known_) peer.address = peer_.address;
    peer.transport = transport_;
    negotiation_->gate.emplace(negotiation_->snapshot->policy, negotiation_->world, peer, begins,
                               random_id());
    stage_ = Stage::negotiating;
}

void Session::begin_handshake(std::string_view fallback_name) {
    auto ssl = worker_.tls().accept(certs::door_of(door()), fallback_name);
    if (!ssl) return fail_handshake("no certificate for that name");
    client_.start_tls(std::move(ssl), worker_.scratch());
    stage_ = Stage::handshake;
}

void Session::advance_handshake() {
    switch (client_.tls()->handshake()) {
        case TlsStream::Handshake::waiting:
            // The end may stand right behind what was read, and no event tells of it any more.
            if (client_.readable()) worker_.loop().again(*this);
            return;
        case TlsStream::Handshake::failed: {
            auto const why = certs::drain_openssl_errors();
            return fail_handshake(why.empty() ? "the client closed the connection" : why);
        }
        case TlsStream::Handshake::done:
            break;
    }
    stage_ = Stage::negotiating;
    worker_.counters().handshakes[HandshakeResult::ok].add();
    place_.reach(ConnectionStage::negotiating);
    deadline_.set(negotiation_->snapshot->config.limits.negotiation_timeout);
    if (door().tls == config::TlsMode::starttls)
        carry_out(negotiation_->gate->tls_done(random_id()));
    if (negotiation_->may_be_http) tell_doors_apart_by_alpn();
}

void Session::fail_handshake(std::string_view why) {
    negotiation_->failure = why;
    finish(SessionEnd::handshake_failed);
}

void Session::on_deadline() {
    guarded([this] { time_is_up(); });
}

void Session::time_is_up() {
    switch (stage_) {
        case Stage::proxy_header:
        case Stage::handshake:
            return finish(SessionEnd::timeout);
        case Stage::negotiating:
            why_ = SessionEnd::timeout;
            carry_out(negotiation_->gate->timed_out());
            return advance();
        case Stage::relaying:
        case Stage::closing:
            return finish(why_);
        case Stage::over:
            return;
    }
}

void Session::drain() {
    guarded([this] { end_for_drain(); });
}

void Session::abandon() {
    guarded([this] { finish(why_); });
}

void Session::end_for_drain() {
    switch (stage_) {
        case Stage::proxy_header:
        case Stage::handshake:
            return finish(SessionEnd::drained);
        case Stage::negotiating:
            why_ = SessionEnd::drained;
            carry_out(negotiation_->gate->draining());
            return advance();
        case Stage::relaying:
            if (client_.carrier()) client_.carrier()->shut_down();
            begin_closing(SessionEnd::drained);
            return advance();
        case Stage::closing:
        case Stage::over:
            return;
    }
}

}  // namespace stanzagate::proxy
