#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/scratch.hpp"
#include "proxy/tls_stream.hpp"
#include "proxy/wire.hpp"

namespace stanzagate::proxy {

// One end of a session: a socket, in the clear or under TLS.
class Channel {
public:
    void open(Fd fd) { wire_ = Wire(std::move(fd)); }
    void close();
    Wire& wire() { return wire_; }
    const Wire& wire() const { return wire_; }

    // From here on the wire carries TLS; the caller drives tls().handshake().
    void start_tls(certs::SslPtr ssl, Scratch& scratch);
    TlsStream* tls() { return tls_.get(); }

    // What has arrived, in scratch.plain, at most one recv()'s worth; empty: nothing now, or ended.
    std::string_view read(Scratch& scratch);
    // Takes all of it; blocked() tells that some of it waits.
    void write(std::string_view bytes);
    // Tells the peer that nothing more will come: close_notify under TLS, FIN.
    void close_write();
    // The same where close() follows at once, which sends the FIN by itself.
    void say_end();

    bool is_open() const { return wire_.is_open(); }
    bool readable() const { return !ended() && (wire_.readable() || (tls_ && tls_->buffered())); }
    bool blocked() const { return wire_.blocked(); }
    bool ended() const { return tls_ ? tls_->ended() : wire_.ended(); }
    // Nothing more can be said to the peer, nor believed of what it says.
    bool broken() const { return wire_.error() != 0 || (tls_ && tls_->broken()); }

private:
    Wire wire_;
    std::unique_ptr<TlsStream> tls_;
};

}  // namespace stanzagate::proxy
