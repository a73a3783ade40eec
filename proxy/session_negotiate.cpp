#include <optional>
#include <utility>

#include "filters/gate.hpp"
#include "proxy/negotiation.hpp"
#include "proxy/session.hpp"
#include "proxy/socket_address.hpp"
#include "proxy/upstream_connector.hpp"
#include "proxy/worker.hpp"

// A session while its gate decides: from the first byte of a stream to authentication.
namespace stanzagate::proxy {
namespace {

// Each is up to 64 KB, which Expat takes some 150 us for.
constexpr int reads_in_a_turn = 4;

}  // namespace

// Reads whichever side the gate can use, until neither has anything or others have waited long
// enough. Nothing is read, nor answered, while either side does not take what it was sent: a client
// that asks and never reads would make us grow.
void Session::negotiate() {
    use_latest_snapshot();
    if (negotiation_->connector) advance_connect();
    for (int reads = 0; stage_ == Stage::negotiating; ++reads) {
        if (client_.carrier()) client_.carrier()->takes(negotiation_->gate->wants(Side::client));
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
    if (gate.unfinished()) {
        carry_out(gate.go_on());
        return true;
    }
    if (!gate.wants(from)) return false;
    if (source.readable()) {
        auto const bytes = source.read(worker_.scratch());
        if (from == Side::client && negotiation_->may_be_http && !bytes.empty() &&
            !tell_doors_apart(bytes))
            return false;
        if (!bytes.empty()) carry_out(gate.receive(from, bytes));
        if (source.carrier()) source.carrier()->consumed();
        // Nothing may be half a TLS record, with the end right behind it.
        if (!bytes.empty() || source.readable()) return true;
    }
    if (source.carrier()) {
        if (auto const over = source.carrier()->over()) on_client_over(*over);
        return false;
    }
    if (!source.ended()) return false;
    if (from == Side::upstream)
        why_ = SessionEnd::upstream_closed;
    else
        why_ = source.broken() ? SessionEnd::network_error : SessionEnd::client_closed;
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
    note_effects(effects);
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
            place_.reach(ConnectionStage::relaying);
            if (client_.carrier()) client_.carrier()->authenticated();
            deadline_.cancel();
            set_keepalive(upstream_.wire().fd());
            negotiation_.reset();
            stage_ = Stage::relaying;
            return;
        case filters::Command::close:
            if ((effects.stream_error || effects.refused) && why_ == SessionEnd::client_closed)
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

}  // namespace stanzagate::proxy
