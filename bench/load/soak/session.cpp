#include "bench/load/soak/session.hpp"

#include <arpa/inet.h>

#include <array>
#include <stdexcept>

namespace stanzagate::load {
namespace {

// A stream header and a bind request, or their answers, and a little more.
constexpr std::uint64_t set_up_bytes = 2048;

std::string text(in_addr_t address) {
    std::array<char, INET_ADDRSTRLEN> words{};
    in_addr const wrapped{address};
    ::inet_ntop(AF_INET, &wrapped, words.data(), words.size());
    return words.data();
}

}  // namespace

SoakSession::SoakSession(Run& run, const PlannedSession& plan, std::uint64_t number,
                         SoakSessionOwner& owner)
    : plan_(plan),
      number_(number),
      owner_(owner),
      seed_(run.options.soak.seed),
      voice_(seed_, number, plan.voice, Voice::End::client),
      ear_(Voice(seed_, number, plan.voice, Voice::End::server)),
      client_(run.loop, plan.target, run.tls, nullptr, *this) {}

void SoakSession::say() {
    if (unanswered() == 0) since_ = Clock::now();
    auto const stanza = voice_.stanza(said_.stanzas);
    said_.add(stanza);
    ++said_.stanzas;
    client_.send(stanza);
}

void SoakSession::leave(const std::string& how) {
    if (unanswered() == 0) since_ = Clock::now();
    state_ = State::leaving;
    how_ = how;
    client_.send(last_words({how, said_}));
}

void SoakSession::cut() {
    client_.cut();
    over(SoakEnd::cut, {});
}

std::uint64_t SoakSession::under_way(Voice::End end) const {
    if (said_.stanzas == 0) return set_up_bytes;
    Voice const voice(seed_, number_, plan_.voice, end);
    std::uint64_t bytes = 0;
    for (auto n = ear_.heard().stanzas; n < said_.stanzas; ++n) bytes += voice.stanza(n).size();
    return bytes;
}

Clock::duration SoakSession::waits(Clock::time_point now) const {
    if (state_ == State::over || (state_ == State::open && unanswered() == 0)) return {};
    return now - since_;
}

std::string SoakSession::name() const {
    return "session " + std::to_string(number_) + " (" + plan_.target.door + ", " +
           plan_.target.host + ", from " + text(plan_.target.source) + ')';
}

void SoakSession::on_open(Client& client) {
    auto const name = session_name(number_, plan_.voice);
    client.play(login(client.door().header(client.host()), name));
}

void SoakSession::on_played(Client& /*client*/) {
    state_ = State::open;
    established_ = true;
    owner_.on_established(*this);
}

void SoakSession::on_received(Client& /*client*/, std::string_view xmpp) {
    bool const had_all = ear_.last().has_value();
    if (ear_.hear(xmpp) > 0) since_ = Clock::now();
    if (ear_.heard().stanzas > said_.stanzas)
        throw std::runtime_error("an answer comes that nobody has asked for");
    if (auto const& last = ear_.last(); last && !had_all) on_last(*last);
}

void SoakSession::on_last(const Last& last) {
    if (state_ != State::leaving) throw std::runtime_error("the server says that it is leaving");
    if (last.said != ear_.heard())
        throw std::runtime_error("the server has said " + std::to_string(last.said.stanzas) +
                                 " stanzas of " + std::to_string(last.said.bytes) +
                                 " bytes; heard were " + std::to_string(ear_.heard().stanzas) +
                                 " of " + std::to_string(ear_.heard().bytes) +
                                 ", or their digests differ");
    if (unanswered() != 0) throw std::runtime_error("the last answers are missing");
    since_ = Clock::now();
    if (how_ == "end") client_.close();
}

void SoakSession::on_closed(Client& /*client*/) {
    over(SoakEnd::clean, {});
}

void SoakSession::on_failed(Client& /*client*/, const std::string& why) {
    bool const ended = why == "a connection was closed" || why == "a connection was reset";
    if (ended && how_ == "fin" && ear_.last()) return over(SoakEnd::closed_by_server, {});
    if (ended && how_ == "reset" && unanswered() == 0) return over(SoakEnd::reset_by_server, {});
    auto const heard = "; " + std::to_string(said_.stanzas) + " stanzas were said, " +
                       std::to_string(ear_.heard().stanzas) + " answers heard";
    over(SoakEnd::lost, why + heard);
}

void SoakSession::over(SoakEnd end, const std::string& why) {
    state_ = State::over;
    owner_.on_over(*this, end, why);
}

}  // namespace stanzagate::load
