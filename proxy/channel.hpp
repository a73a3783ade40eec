#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "proxy/carrier.hpp"
#include "proxy/scratch.hpp"
#include "proxy/tls_stream.hpp"
#include "proxy/wire.hpp"

namespace stanzagate::proxy {

// One end of a session: a socket, in the clear or under TLS; or what carries a client's stream over
// HTTP, which has no wire() of its own to show.
class Channel {
public:
    Channel() = default;
    Channel(Channel&& other) noexcept;
    Channel& operator=(Channel&& other) noexcept;

    void open(Fd fd) { wire_ = Wire(std::move(fd)); }
    void open(std::unique_ptr<Carrier> carrier) { carrier_ = std::move(carrier); }
    void close();
    Wire& wire() { return wire_; }
    const Wire& wire() const { return wire_; }
    Carrier* carrier() { return carrier_.get(); }
    const Carrier* carrier() const { return carrier_.get(); }

    // From here on the wire carries TLS; the caller drives tls().handshake().
    void start_tls(certs::SslPtr ssl, Scratch& scratch);
    TlsStream* tls() { return tls_.get(); }

    void on_events(std::uint32_t events);
    // What has arrived, at most one recv()'s worth, in scratch.plain or the carrier's own; empty:
    // nothing now, or ended.
    std::string_view read(Scratch& scratch);
    // Takes all of it; blocked() tells that some of it waits.
    void write(std::string_view bytes);
    // Tells the peer that nothing more will come: close_notify under TLS, FIN.
    void close_write();
    // The same where close() follows at once, which sends the FIN by itself.
    void say_end();

    bool is_open() const { return wire_.is_open() || carrier_; }
    bool readable() const {
        if (carrier_) return carrier_->readable();
        return !ended() && (wire_.readable() || (tls_ && tls_->buffered()));
    }
    bool blocked() const { return carrier_ ? carrier_->blocked() : wire_.blocked(); }
    bool ended() const {
        if (carrier_) return carrier_->ended();
        return tls_ ? tls_->ended() : wire_.ended();
    }
    // Nothing more can be said to the peer, nor believed of what it says.
    bool broken() const { return wire_.error() != 0 || (tls_ && tls_->broken()); }

private:
    Wire wire_;
    std::unique_ptr<TlsStream> tls_;
    std::unique_ptr<Carrier> carrier_;
};

}  // namespace stanzagate::proxy
