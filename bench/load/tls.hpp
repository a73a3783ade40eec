#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "certs/openssl_ptr.hpp"

namespace stanzagate::load {

// What the clients of one run share: settings, and the newest session ticket.
class TlsClientContext {
public:
    // TLS 1.3. The certificate is made on the spot, so nobody vouches for it; its signature is
    // verified all the same.
    TlsClientContext();
    TlsClientContext(const TlsClientContext&) = delete;
    TlsClientContext& operator=(const TlsClientContext&) = delete;

    SSL_CTX* get() const { return context_.get(); }
    // A copy of the newest ticket's session: OpenSSL spoils one that two connections share as soon
    // as either is given a newer ticket. Empty: there is none yet.
    certs::SessionPtr newest_ticket() const;

private:
    static int on_ticket(SSL* ssl, SSL_SESSION* session);

    certs::SslContextPtr context_;
    certs::SessionPtr ticket_;
};

// TLS for one client connection, without a socket.
//   feed(), then handshake() until true, then read() until it returns 0; write() and close() at
//   any time after the handshake
// What must go out is appended to `outgoing`, which may be shared between connections.
class Tls {
public:
    // `ticket`: take that session up again; nullptr: a full handshake.
    Tls(const TlsClientContext& context, const std::string& server_name, SSL_SESSION* ticket,
        std::string& outgoing);
    Tls(const Tls&) = delete;
    Tls& operator=(const Tls&) = delete;

    void feed(std::string_view bytes) { incoming_ = bytes; }  // valid until read() returned 0
    bool handshake();
    bool established() const { return established_; }
    // The server has given a ticket, which ends its side of a handshake.
    bool has_ticket() const { return has_ticket_; }
    bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

    std::size_t read(std::span<char> into);
    void write(std::string_view bytes);  // one record for each 16 KB of it
    void close();                        // close_notify

private:
    friend class TlsClientContext;

    static const BIO_METHOD* method();
    static int on_read(BIO* bio, char* into, int size);
    static int on_write(BIO* bio, const char* bytes, int size);
    static long on_control(BIO* bio, int command, long number, void* pointer);

    certs::SslPtr ssl_;
    std::string& outgoing_;
    std::string_view incoming_;
    bool established_ = false;
    bool has_ticket_ = false;
};

}  // namespace stanzagate::load
