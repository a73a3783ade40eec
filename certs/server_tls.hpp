#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "certs/certificate_store.hpp"
#include "certs/openssl_ptr.hpp"
#include "certs/ticket_keys.hpp"
#include "config/config.hpp"

namespace stanzagate::certs {

// By which door a client comes to TLS, and so what is agreed on by ALPN: the first of the door's
// protocols that the client offers, whatever the client's order; alpn() tells it once the handshake
// is done. A client that offers nothing is welcome at every door (XEP-0368). An offer without any
// of the door's protocols is ignored under STARTTLS, and else ends the handshake with
// no_application_protocol (RFC 7301, section 3.2).
enum class Door {
    starttls,  // after <proceed/>: "xmpp-client"
    direct,    // "xmpp-client", from the first byte; so do the next two begin
    https,     // "http/1.1": WebSocket and BOSH
    shared,    // "xmpp-client", "http/1.1": all of them, through one port
};
inline constexpr std::size_t doors = 4;

// That of a listener which ends TLS (`tls` is not "none").
Door door_of(const config::Listen& listen);

// Makes the server's end of TLS connections. One per worker, for the life of the worker; its
// methods and all handshakes of its connections run on that worker's thread.
//   accept()* ; use() and set_ticket_keys() at any time between
// A connection calls back into this object until its handshake is done, so the object must outlive
// every handshake: to reload, call use(), do not make another.
class ServerTls {
public:
    ServerTls(std::shared_ptr<const CertificateStore> store, const TicketKeys& keys);
    ~ServerTls();
    ServerTls(const ServerTls&) = delete;
    ServerTls& operator=(const ServerTls&) = delete;

    // A fresh connection in accept state; the caller attaches its BIOs. The certificate: that of
    // the server name (SNI) where the client sends one that a host has, else that of
    // `fallback_name` (the stream header's `to` under STARTTLS) where a host has it, else the
    // store's first. nullptr where the store is empty, or memory ran out. Throws as
    // make_tls_context() does, at a door's first connection.
    SslPtr accept(Door door, std::string_view fallback_name = {});

    // From now on, certificates come from `store`. Connections that exist are not disturbed. What
    // OpenSSL has made of the first host's identity goes on where that is still the same: each
    // connection keeps its context for life, 12.7 KB that reload after reload would leave behind.
    void use(std::shared_ptr<const CertificateStore> store);
    // From now on, tickets are sealed and opened with `keys`; a client whose ticket none of them
    // opens makes a full handshake.
    void set_ticket_keys(const TicketKeys& keys);

private:
    SslContextPtr make_context(Door door, const CertificateStore& store);
    SSL_CTX* context_of(Door door);
    static int acknowledge_name(SSL* ssl, int* alert, void* self);
    static int choose_certificate(SSL* ssl, void* self);
    static int staple_response(SSL* ssl, void* unused);
    static int seal_or_open_ticket(SSL* ssl, unsigned char* name, unsigned char* iv,
                                   EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int sealing);

    std::shared_ptr<const CertificateStore> store_;
    TicketKeys keys_;
    CipherPtr ticket_cipher_;  // looked up once: that takes as long as sealing
    // One for each door that somebody has come to, for doors differ in ALPN; each has the store's
    // first identity as its own, and a connection that shows another one carries that itself. Not
    // one for each identity, for a context takes 12.7 KB and 125 us to make: with thousands of
    // hosts, times workers and doors, that is hundreds of megabytes and a slow reload, where
    // setting an identity on a connection costs 1.2 us in a full handshake, no memory that a
    // context's would not, and nothing for the first host, which most often is the only one.
    // (Measured: OpenSSL 3.0, ECDSA P-256.)
    std::array<SslContextPtr, doors> contexts_;
};

}  // namespace stanzagate::certs
