#include <chrono>
#include <utility>

#include "proxy/negotiation.hpp"
#include "proxy/session.hpp"
#include "proxy/worker.hpp"

// A session from authentication to its end. What comes before stands in session.cpp.
namespace stanzagate::proxy {
namespace {

constexpr std::chrono::seconds linger_time{5};
// Over BOSH the client asks for the last word, and has to be given the time that it was promised.
constexpr std::chrono::seconds patient_linger_time{180};

}  // namespace

// The relay: no parser, no buffer, no timer. Each turn is one read of each side, written straight
// on; a side that has more is called again after all others had their turn.
void Session::relay() {
    if (client_.carrier()) return relay_carried();
    bool const more_up = pump(client_, upstream_, Direction::to_upstream);
    bool const more_down = pump(upstream_, client_, Direction::to_client);
    if (client_.broken() || upstream_.broken()) return begin_closing(SessionEnd::network_error);
    bool const all_said = !client_.blocked() && !upstream_.blocked();
    if (client_.ended() && upstream_.ended() && all_said) return begin_closing(why_);
    if (client_.wire().hung_up()) [[unlikely]]
        end_in_time(SessionEnd::client_closed);
    if (upstream_.wire().hung_up()) [[unlikely]]
        end_in_time(SessionEnd::upstream_closed);
    if (more_up || more_down) worker_.loop().again(*this);
}

// A side that has ended may stand unseen behind another that takes nothing.
void Session::end_in_time(SessionEnd why) {
    if (deadline_.is_set()) return;
    why_ = why;
    deadline_.set(half_closed_time);
}

// One turn of one direction. True: there is more to be done without any event.
bool Session::pump(Channel& from, Channel& to, Direction direction) {
    if (to.blocked()) return false;
    if (from.readable()) {
        auto const bytes = from.read(worker_.scratch());
        relayed_ += bytes.size();
        worker_.counters().relayed_bytes[direction].add(bytes.size());
        to.write(bytes);
        if (!bytes.empty() && deadline_.is_set()) deadline_.set(half_closed_time);
    }
    if (from.ended() && !to.wire().close_requested()) {
        if (!from.wire().close_wanted())  // the first side to end
            why_ = &from == &client_ ? SessionEnd::client_closed : SessionEnd::upstream_closed;
        to.close_write();
        deadline_.set(half_closed_time);
    }
    return from.readable() && !to.blocked();
}

// The upstream is let go at once. The client may still be sending: closing under its bytes would
// reset the connection and take our last words away from it, so they are read and dropped for a
// while.
void Session::begin_closing(SessionEnd why) {
    why_ = why;
    negotiation_.reset();
    upstream_.say_end();
    upstream_.close();
    // A client that has ended already is waited for no longer than it takes to send what was kept.
    if (client_.ended() && !client_.blocked()) {
        client_.say_end();
        return finish(why);
    }
    client_.close_write();
    bool const patient = client_.carrier() && client_.carrier()->is_patient();
    deadline_.set(patient ? patient_linger_time : linger_time);
    stage_ = Stage::closing;
}

void Session::linger() {
    if (client_.readable()) static_cast<void>(client_.read(worker_.scratch()));
    if (client_.carrier()) client_.carrier()->consumed();
    if (client_.ended() && !client_.blocked()) return finish(why_);
    if (client_.readable()) worker_.loop().again(*this);
}

void Session::finish(SessionEnd why) {
    if (stage_ == Stage::over) return;
    auto const from = std::exchange(stage_, Stage::over);
    why_ = why;
    deadline_.cancel();
    auto const failure = negotiation_ ? std::move(negotiation_->failure) : std::string();
    negotiation_.reset();
    upstream_.close();
    client_.close();
    note_end(from, failure);
    worker_.retire(*this);
}

}  // namespace stanzagate::proxy
