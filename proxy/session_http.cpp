#include "certs/tls_context.hpp"
#include "proxy/negotiation.hpp"
#include "proxy/session.hpp"
#include "proxy/socket_address.hpp"
#include "proxy/worker.hpp"

// What sessions have to do with HTTP: how one is told from the other at a door that serves both,
// and the relay of a client that has come by it.
namespace stanzagate::proxy {

// XEP-0368 and RFC 7301: a client says what it speaks, if it knows how.
void Session::tell_doors_apart_by_alpn() {
    auto const protocol = certs::alpn(client_.tls()->ssl());
    if (protocol == "http/1.1") return become_http({});
    if (protocol == "xmpp-client") begin_xmpp();
}

// A request begins with the name of a method, a stream with anything but a letter. True: it is
// XMPP.
bool Session::tell_doors_apart(std::string_view first) {
    bool const is_letter = first.front() >= 'A' && first.front() <= 'Z';
    if (door().served.xmpp && !is_letter) return begin_xmpp();
    become_http(first);
    return false;
}

// It is XMPP: who was trusted to speak for others speaks for itself, then, and is counted as all
// who do. False: it was turned away.
bool Session::begin_xmpp() {
    negotiation_->may_be_http = false;
    if (negotiation_->speaks_for_others && !admit()) return false;
    place_.is_certain();
    return true;
}

void Session::become_http(std::string_view first) {
    auto const destination = negotiation_->destination ? *negotiation_->destination
                                                       : local_endpoint(client_.wire().fd());
    stage_ = Stage::over;
    place_.withdraw();
    deadline_.cancel();
    worker_.retire(*this);
    worker_.serve_http(
        std::move(client_),
        {id_, negotiation_->door, peer_, peer_known_, destination, std::move(ticket_)}, first);
}

// Neither a WebSocket nor BOSH has half a connection: the end of one side is the end of both.
void Session::relay_carried() {
    client_.carrier()->takes(!upstream_.blocked());
    bool const more_up = copy(client_, upstream_, Direction::to_upstream);
    bool const more_down = copy(upstream_, client_, Direction::to_client);
    if (auto const over = client_.carrier()->over()) return on_client_over(*over);
    if (upstream_.broken()) return begin_closing(SessionEnd::network_error);
    if (upstream_.ended()) return begin_closing(SessionEnd::upstream_closed);
    if (auto const why = client_.carrier()->hung_up()) end_in_time(*why);
    // Over BOSH there is an end for a client that does not ask, and it may take longer.
    bool const ends_anyway = client_.carrier()->is_patient();
    if (upstream_.wire().hung_up() && !ends_anyway) end_in_time(SessionEnd::upstream_closed);
    if (more_up || more_down) worker_.loop().again(*this);
}

// One turn of one direction. True: there is more to be done without any event.
bool Session::copy(Channel& from, Channel& to, Direction direction) {
    if (to.blocked()) return false;
    if (from.readable()) {
        auto const bytes = from.read(worker_.scratch());
        relayed_ += bytes.size();
        worker_.counters().relayed_bytes[direction].add(bytes.size());
        to.write(bytes);
        if (!bytes.empty() && deadline_.is_set()) deadline_.set(half_closed_time);
        if (from.carrier()) from.carrier()->consumed();
    }
    return from.readable() && !to.blocked();
}

void Session::on_client_over(SessionEnd why) {
    if (auto const error = client_.carrier()->error()) note_stream_error(*error, host_);
    why_ = why;
    if (stage_ == Stage::negotiating) carry_out(negotiation_->gate->eof(Side::client));
    if (stage_ == Stage::negotiating || stage_ == Stage::relaying) begin_closing(why);
}

}  // namespace stanzagate::proxy
