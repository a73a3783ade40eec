#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "filters/effects.hpp"
#include "filters/gate.hpp"
#include "proxy/admission.hpp"
#include "proxy/arrival.hpp"
#include "proxy/channel.hpp"
#include "proxy/counters.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/event_loop.hpp"
#include "proxy/fd.hpp"
#include "proxy/log.hpp"
#include "proxy/resident.hpp"
#include "proxy/session_end.hpp"

namespace stanzagate::proxy {

class Worker;
struct Negotiation;

// A client connection and its upstream connection, from accept to SessionEnd. It moves bytes and
// carries out what filters::Gate says; it decides nothing about XMPP.
//
//   proxy_header -> handshake -> negotiating -> relaying -> closing -> (retired)
//
// Driven by readiness: every event leads to one turn, advance(), which does what can be done now
// and leaves nothing in the worker's scratch. While relaying it holds no buffer, parser or timer.
class Session final : public Resident {
public:
    // One that was let in. Its address counts already, unless the peer may speak for others.
    Session(Worker& worker, Fd socket, Ticket ticket, std::shared_ptr<const config::Listen> door,
            const config::Endpoint& peer);
    // One whose client has come over HTTP.
    Session(Worker& worker, Arrival arrival, filters::Transport transport);
    ~Session() override;

    void start();
    void start(std::unique_ptr<Carrier> carrier);
    void on_events(Side side, std::uint32_t events) override;
    void on_again() override;

    bool is_negotiating() const override { return stage_ < Stage::relaying; }
    bool is_session() const override { return true; }
    void drain() override;
    void abandon() override;

private:
    enum class Stage : std::uint8_t {
        proxy_header,
        handshake,
        negotiating,
        relaying,
        closing,
        over
    };

    const config::Listen& door() const;
    // Whatever goes wrong in one session ends that session, and only that.
    template <typename Work>
    void guarded(Work&& work) {
        try {
            work();
        } catch (const std::exception& exception) {
            fail(exception);
        }
    }
    void fail(const std::exception& exception);
    void begin();
    void time_is_up();
    void end_for_drain();
    void advance();
    void turn();
    bool admit_peer();
    bool admit();
    void turn_away(Admission::Refusal refusal);

    void read_proxy_header();
    void tell_doors_apart_by_alpn();
    bool tell_doors_apart(std::string_view first);
    bool begin_xmpp();
    void become_http(std::string_view first);
    void begin_negotiation();
    void begin_gate(filters::Gate::Door begins);
    void begin_handshake(std::string_view fallback_name);
    void advance_handshake();
    void fail_handshake(std::string_view why);
    void negotiate();
    bool read_for_gate(Side from);
    void advance_connect();
    void carry_out(const filters::Effects& effects);
    void use_latest_snapshot();
    void look_up(const std::vector<std::string>& zones);
    void on_delay_over();
    void begin_connect(const config::Host& host);

    void relay();
    void relay_carried();
    bool copy(Channel& from, Channel& to, Direction direction);
    void on_client_over(SessionEnd why);
    bool pump(Channel& from, Channel& to, Direction direction);
    void end_in_time(SessionEnd why);

    void begin_closing(SessionEnd why);
    void linger();
    void finish(SessionEnd why);
    void on_deadline();
    const config::Host* configured_host() const;
    void note_effects(const filters::Effects& effects);
    void note_registration(const filters::RegistrationEvent& registration);
    void note_stream_error(filters::StreamErrorCondition condition, const std::string& host);
    void note_end(Stage from, std::string_view failure);
    void note_handshake(SessionEnd why);
    Channel& channel(Side side) { return side == Side::client ? client_ : upstream_; }

    // A session of which one side has closed lives as long as the other still sends.
    static constexpr std::chrono::seconds half_closed_time{60};

    Worker& worker_;
    Channel client_;
    Channel upstream_;
    filters::Transport transport_;
    Stage stage_ = Stage::negotiating;
    SessionEnd why_ = SessionEnd::client_closed;
    bool authenticated_ = false;
    bool peer_known_ = true;  // false: a balancer would not tell whose connection it is
    Ticket ticket_;
    ConnectionPlace place_;
    Deadline deadline_;
    config::Endpoint peer_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::uint64_t relayed_ = 0;  // bytes, both ways
    std::string id_;
    std::string host_;
    std::unique_ptr<Negotiation> negotiation_;  // until relaying
};

}  // namespace stanzagate::proxy
