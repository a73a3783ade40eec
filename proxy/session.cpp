#include "proxy/session.hpp"

#include <openssl/rand.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "filters/gate.hpp"
#include "proxy/negotiation.hpp"
#include "proxy/proxy_protocol.hpp"
#include "proxy/socket_address.hpp"
#include "proxy/upstream_connector.hpp"
#include "proxy/worker.hpp"

namespace stanzagate::proxy {
namespace {

// Each is up to 64 KB, which Expat takes some 150 us for.
constexpr int reads_in_a_turn = 4;

// RFC 6120 section 4.7.3: unpredictable.
std::string make_stream_id() {
    std::array<unsigned char, 16> random{};
    RAND_bytes(random.data(), static_cast<int>(random.size()));
    constexpr std::string_view digits = "0123456789abcdef";
    std::string id;
    for (auto const byte : random) {
        id += digits[byte >> 4U];
        id += digits[byte & 15U];
    }
    return id;
}

// Behind a balancer that ended TLS, what the client used is direct TLS.
filters::Transport transport_of(const config::Listen& door) {
    return door.tls == config::TlsMode::starttls ? filters::Transport::starttls
                                                 : filters::Transport::direct;
}

}  // namespace

Session::Session(Worker& worker, Fd socket, std::shared_ptr<const config::Listen> door,
                 const config::Endpoint& peer)
    : worker_(worker),
      transport_(transport_of(*door)),
      ticket_(worker.admission()),
      deadline_(
          worker.loop().deadlines(), [](void* self) { static_cast<Session*>(self)->on_deadline(); },
          this),
      peer_(peer),
      id_(worker.next_session_id()),
      negotiation_(std::make_unique<Negotiation>(
          worker_.snapshot(), worker_.quotas(), worker_.loop().deadlines(),
          [](void* self) { static_cast<Session*>(self)->on_delay_over(); }, this)) {
    client_.open(std::move(socket));
    negotiation_->door = std::move(door);
}

Session::~Session() = default;

const config::Listen& Session::door() const {
    return *negotiation_->door;
}

void Session::start() {
    guarded([this] { begin(); });
}

void Session::begin() {
    if (auto const refusal = ticket_.enter(); refusal != Admission::Refusal::none)
        return turn_away(refusal);
    auto const& trusted = door().proxy_protocol_from;
    bool const behind_proxy = std::any_of(trusted.begin(), trusted.end(), [&](auto const& network) {
        return network.contains(peer_.address);
    });
    if (!behind_proxy && !admit(peer_.address)) return;

    deadline_.set(negotiation_->snapshot->config.limits.handshake_timeout);
    if (behind_proxy)
        stage_ = Stage::proxy_header;
    else
        begin_negotiation();
    if (!worker_.loop().add(client_.wire().fd(), *this, Side::client))
        finish(SessionEnd::network_error);
}

bool Session::admit(const config::Address& address) {
    auto const refusal = ticket_.enter_address(address);
    if (refusal == Admission::Refusal::none) return true;
    turn_away(refusal);
    return false;
}

// As cheaply as can be, and without a line of its own in the log: who floods us shall not fill it.
void Session::turn_away(Admission::Refusal refusal) {
    stage_ = Stage::over;
    deadline_.cancel();
    negotiation_.reset();
    client_.close();
    worker_.count_refusal(refusal, peer_);
    worker_.retire(*this);
}

void Session::on_events(Side side, std::uint32_t events) {
    auto& wire = channel(side).wire();
    if (!wire.is_open()) return;
    wire.on_events(events);
    guarded([this] { advance(); });
}

void Session::on_again() {
    guarded([this] { advance(); });
}

// Whatever goes wrong in one session ends that session, and only that.
template <typename Work>
void Session::guarded(Work&& work) {
    try {
        work();
    } catch (const std::exception& exception) {
        worker_.log().error("exception", {{"session", id_}, {"what", exception.what()}});
        finish(SessionEnd::failed);
    }
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
        worker_.log().warning(
            "proxy_header_refused",
            {{"session", id_}, {"peer", peer_.address.to_string()}, {"reason", error->reason}});
        return finish(SessionEnd::handshake_failed);
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
    if (peer_known_ && !admit(peer_.address)) return;
    begin_negotiation();
}

void Session::begin_negotiation() {
    auto const& policy = negotiation_->snapshot->policy;
    filters::Peer peer;
    if (peer_known_) peer.address = peer_.address;
    peer.transport = transport_;
    bool const in_the_clear = door().tls == config::TlsMode::starttls;
    auto const begins = in_the_clear ? filters::Gate::Door::starttls : filters::Gate::Door::secure;
    negotiation_->gate.emplace(policy, negotiation_->world, peer, begins, make_stream_id());
    stage_ = Stage::negotiating;
    if (door().tls == config::TlsMode::direct) begin_handshake({});
    if (door().tls == config::TlsMode::none)
        deadline_.set(negotiation_->snapshot->config.limits.negotiation_timeout);
}

void Session::begin_handshake(std::string_view fallback_name) {
    bool const by_starttls = door().tls == config::TlsMode::starttls;
    auto ssl = worker_.tls().accept(by_starttls ? certs::Door::starttls : certs::Door::direct,
                                    fallback_name);
    if (!ssl) return finish(SessionEnd::handshake_failed);
    client_.start_tls(std::move(ssl), worker_.scratch());
    stage_ = Stage::handshake;
}

void Session::advance_handshake() {
    switch (client_.tls()->handshake()) {
        case TlsStream::Handshake::waiting:
            // The end may stand right behind what was read, and no event tells of it any more.
            if (client_.readable()) worker_.loop().again(*this);
            return;
        case TlsStream::Handshake::failed:
            return finish(SessionEnd::handshake_failed);
        case TlsStream::Handshake::done:
            break;
    }
    stage_ = Stage::negotiating;
    deadline_.set(negotiation_->snapshot->config.limits.negotiation_timeout);
    if (door().tls == config::TlsMode::starttls)
        carry_out(negotiation_->gate->tls_done(make_stream_id()));
}

// Reads whichever side the gate can use, until neither has anything or others have waited long
// enough. Nothing is read while either side does not take what it was sent: answers go back, so
// that a client which asks and never reads would make us grow.
void Session::negotiate() {
    use_latest_snapshot();
    if (negotiation_->connector) advance_connect();
    for (int reads = 0; stage_ == Stage::negotiating; ++reads) {
        if (reads == reads_in_a_turn) return worker_.loop().again(*this);
        if (!read_for_gate(Side::upstream) && !read_for_gate(Side::client)) break;
    }
    if (stage_ == Stage::negotiating && client_.wire().broken()) finish(SessionEnd::network_error);
}

bool Session::read_for_gate(Side from) {
    if (stage_ != Stage::negotiating || client_.blocked()) return false;
    bool const upstream_ready = upstream_.is_open() && !negotiation_->connector;
    if (upstream_ready && upstream_.blocked()) return false;
    if (from == Side::upstream && !upstream_ready) return false;
    auto& gate = *negotiation_->gate;
    auto& source = channel(from);
    if (!gate.wants(from)) return false;
    if (source.readable()) {
        auto const bytes = source.read(worker_.scratch());
        if (!bytes.empty()) carry_out(gate.receive(from, bytes));
        // Nothing may be half a TLS record, with the end right behind it.
        if (!bytes.empty() || source.readable()) return true;
    }
    if (!source.ended()) return false;
    why_ = from == Side::client ? SessionEnd::client_closed : SessionEnd::upstream_closed;
    carry_out(gate.eof(from));
    return stage_ != Stage::negotiating;
}

void Session::advance_connect() {
    auto& connector = *negotiation_->connector;
    connector.advance();
    switch (connector.state()) {
        case UpstreamConnector::State::busy:
            return;
        case UpstreamConnector::State::ready:
            negotiation_->first_bytes = connector.take_first_bytes();
            negotiation_->connector.reset();
            return carry_out(negotiation_->gate->upstream_ready());
        case UpstreamConnector::State::failed:
            negotiation_->connector.reset();
            why_ = SessionEnd::upstream_failed;
            return carry_out(negotiation_->gate->upstream_failed());
    }
}

void Session::carry_out(const filters::Effects& effects) {
    log_effects(effects);
    client_.write(effects.to_client);
    if (!effects.to_upstream.empty())
        upstream_.write(std::exchange(negotiation_->first_bytes, {}) + effects.to_upstream);
    if (!effects.look_up.empty()) look_up(effects.look_up);
    if (effects.wait) negotiation_->delay.set(*effects.wait);
    switch (effects.command) {
        case filters::Command::none:
            return;
        case filters::Command::start_tls:
            return begin_handshake(effects.tls_name);
        case filters::Command::connect:
            return begin_connect(*effects.host);
        case filters::Command::relay:
            authenticated_ = true;
            deadline_.cancel();
            set_keepalive(upstream_.wire().fd());
            negotiation_.reset();
            stage_ = Stage::relaying;
            return;
        case filters::Command::close:
            if (effects.stream_error && why_ == SessionEnd::client_closed)
                why_ = SessionEnd::refused;
            return begin_closing(why_);
    }
}

// Whatever is decided from now on is decided by what the operator says now.
void Session::use_latest_snapshot() {
    auto const& latest = worker_.snapshot();
    if (negotiation_->snapshot == latest) return;
    negotiation_->world.use(latest);
    if (negotiation_->gate) negotiation_->gate->use(latest->policy);
    negotiation_->snapshot = latest;
}

void Session::look_up(const std::vector<std::string>& zones) {
    ++negotiation_->look_ups;
    auto const done = [this, alive = std::weak_ptr(negotiation_->alive)](auto const& answers) {
        if (alive.expired()) return;
        for (auto const& [zone, listed] : answers) negotiation_->world.learn(zone, listed);
        if (--negotiation_->look_ups != 0) return;
        guarded([this] {
            use_latest_snapshot();
            carry_out(negotiation_->gate->looked_up());
            advance();
        });
    };
    worker_.list_lookups().ask(worker_.loop(), zones, peer_.address, done);
}

void Session::on_delay_over() {
    guarded([this] {
        use_latest_snapshot();
        carry_out(negotiation_->gate->delay_over());
        advance();
    });
}

void Session::begin_connect(const config::Host& host) {
    host_ = negotiation_->gate->host();
    UpstreamTarget target{&host, host_, peer_, {}, id_};
    if (host.upstream.proxy_protocol != config::ProxyHeader::none)
        target.destination = negotiation_->destination ? *negotiation_->destination
                                                       : local_endpoint(client_.wire().fd());
    negotiation_->connector = std::make_unique<UpstreamConnector>(
        worker_, *this, upstream_, negotiation_->snapshot, std::move(target));
    negotiation_->connector->start();
    advance_connect();
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
            begin_closing(SessionEnd::drained);
            return advance();
        case Stage::closing:
        case Stage::over:
            return;
    }
}

void Session::log_effects(const filters::Effects& effects) const {
    worker_.warn_once(effects.findings, host_);
    bool const said = !effects.registrations.empty() || effects.stream_error;
    if (!said || !worker_.log().is_on(config::LogLevel::info)) return;
    auto const transport = filters::to_string(transport_);
    auto const peer = peer_.address.to_string();
    for (auto const& registration : effects.registrations) {
        worker_.log().info("registration", {{"session", id_},
                                            {"peer", peer},
                                            {"host", negotiation_->gate->host()},
                                            {"transport", transport},
                                            {"request", filters::to_string(registration.request)},
                                            {"rule", registration.rule},
                                            {"action", filters::to_string(registration.action)}});
    }
    if (effects.stream_error) {
        worker_.log().info("stream_error",
                           {{"session", id_},
                            {"peer", peer},
                            {"host", negotiation_->gate->host()},
                            {"transport", transport},
                            {"condition", filters::to_string(*effects.stream_error)}});
    }
}

}  // namespace stanzagate::proxy
