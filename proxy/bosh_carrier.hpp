#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "filters/bosh_session.hpp"
#include "proxy/carrier.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/event_loop.hpp"
#include "proxy/http_exchange.hpp"

namespace stanzagate::proxy {

class BoshSessions;

// Carries an XMPP stream in the requests and responses of BOSH (XEP-0124, XEP-0206), which come on
// connections of others: each request is an HttpExchange that is answered once.
//   request() with the session's first, then anything
// It asks the loop to call its session again whenever there is something new to read.
class BoshCarrier final : public Carrier {
public:
    // `sid` must be unpredictable; requests find it by that at `home`.
    BoshCarrier(BoshSessions& home, EventLoop& loop, Pollable& session, std::string sid);
    ~BoshCarrier() override;

    void request(const HttpExchange& exchange, filters::BoshBody body);
    // A request of this session was no <body/>: there is no going on after it.
    void refuse_request(const HttpExchange& exchange);
    // The connection is lost on which that request came.
    void gone(const HttpExchange& exchange);

    std::string_view read() override;
    void consumed() override;
    void write(std::string_view bytes) override;
    void close_write() override;
    void shut_down() override;
    void takes(bool takes) override;
    void authenticated() override;
    bool readable() const override { return !incoming_.empty(); }
    bool blocked() const override { return bosh_.blocked(); }
    bool ended() const override { return bosh_.ended(); }
    std::optional<SessionEnd> hung_up() const override;
    std::optional<SessionEnd> over() const override;
    bool is_patient() const override { return true; }

private:
    using Clock = filters::BoshSession::Time::clock;

    void carry_out(filters::BoshEffects effects);
    void refuse(const HttpExchange& exchange, std::string_view condition);
    void set_deadline();
    void on_deadline();

    BoshSessions& home_;
    EventLoop& loop_;
    Pollable& session_;
    std::string sid_;
    filters::BoshSession bosh_;
    std::map<filters::BoshRequestId, HttpExchange> open_;  // not answered yet
    filters::BoshRequestId last_id_ = 0;
    std::string incoming_;  // of the client's stream, not read yet
    std::string piece_;     // what the last read() has given
    std::optional<filters::BoshEnd> end_;
    Deadline deadline_;
    bool takes_ = true;
};

}  // namespace stanzagate::proxy
