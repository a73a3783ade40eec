#include "certs/server_tls.hpp"

#include <stdexcept>
#include <utility>

#include "certs/tls_context.hpp"

namespace stanzagate::certs {
namespace {

// What is agreed on at a door, in ALPN's wire form, the better one first.
constexpr std::string_view protocols_of(Door door) {
    switch (door) {
        case Door::starttls:
        case Door::direct:
            return "\x0bxmpp-client";
        case Door::https:
            return "\x08http/1.1";
        case Door::shared:
            return "\x0bxmpp-client\x08http/1.1";
    }
    return {};
}

// The same for all contexts: OpenSSL takes a session up again only where it is the one it was
// made under.
constexpr std::string_view session_context = "stanzagate";

const unsigned char* as_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

template <Door door>
int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void* /*unused*/) {
    constexpr std::string_view protocols = protocols_of(door);
    unsigned char* match = nullptr;
    const int answer =
        SSL_select_next_proto(&match, chosen_size, as_bytes(protocols),
                              static_cast<unsigned>(protocols.size()), offered, offered_size);
    if (answer == OPENSSL_NPN_NEGOTIATED) {
        *chosen = match;
        return SSL_TLSEXT_ERR_OK;
    }
    return door == Door::starttls ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

SSL_CTX_alpn_select_cb_func chooser_of(Door door) {
    switch (door) {
        case Door::starttls:
            return choose_protocol<Door::starttls>;
        case Door::direct:
            return choose_protocol<Door::direct>;
        case Door::https:
            return choose_protocol<Door::https>;
        case Door::shared:
            return choose_protocol<Door::shared>;
    }
    return nullptr;
}

void seal_tickets_with(SSL_CTX* context, const TicketKeys& keys) {
    auto* const bytes = const_cast<unsigned char*>(keys.bytes().data());  // only read
    if (SSL_CTX_set_tlsext_ticket_keys(context, bytes, TicketKeys::size) != 1)
        throw std::runtime_error("cannot set ticket keys: " + drain_openssl_errors());
}

// Makes a connection show this identity.
bool show(SSL* ssl, const Identity& identity) {
    if (SSL_get_certificate(ssl) == identity.certificate()) return true;
    // OpenSSL keeps one certificate for each kind of key. Another host's of another kind would stay
    // beside this one, and might be the one it chooses.
    SSL_certs_clear(ssl);
    return SSL_use_cert_and_key(ssl, identity.certificate(), identity.key(), identity.chain(), 1) ==
           1;
}

}  // namespace

Door door_of(const config::Listen& listen) {
    if (listen.tls == config::TlsMode::starttls) return Door::starttls;
    if (!listen.served.http()) return Door::direct;
    return listen.served.xmpp ? Door::shared : Door::https;
}

ServerTls::ServerTls(std::shared_ptr<const CertificateStore> store, const TicketKeys& keys)
    : store_(std::move(store)), keys_(keys) {}

ServerTls::~ServerTls() = default;

SslPtr ServerTls::accept(Door door, std::string_view fallback_name) {
    if (store_->first() == nullptr) return nullptr;
    SslPtr ssl(SSL_new(context_of(door)));
    if (!ssl) return nullptr;
    SSL_set_accept_state(ssl.get());
    const Identity* const fallback = store_->find(fallback_name);
    if (fallback != nullptr && !show(ssl.get(), *fallback)) return nullptr;
    return ssl;
}

void ServerTls::use(std::shared_ptr<const CertificateStore> store) {
    // Those in use are made here, all or none, not at the next connection to each.
    std::array<SslContextPtr, doors> contexts;
    for (std::size_t door = 0; door < doors; ++door)
        if (contexts_.at(door)) contexts.at(door) = make_context(static_cast<Door>(door), *store);
    contexts_ = std::move(contexts);
    store_ = std::move(store);
}

void ServerTls::set_ticket_keys(const TicketKeys& keys) {
    keys_ = keys;
    for (const SslContextPtr& context : contexts_)
        if (context) seal_tickets_with(context.get(), keys_);
}

SslContextPtr ServerTls::make_context(Door door, const CertificateStore& store) {
    SslContextPtr context = make_tls_context(TlsRole::server);
    if (const Identity* const first = store.first(); first != nullptr)
        if (SSL_CTX_use_cert_and_key(context.get(), first->certificate(), first->key(),
                                     first->chain(), 1) != 1)
            throw std::runtime_error("cannot use a certificate: " + drain_openssl_errors());

    SSL_CTX_set_session_id_context(context.get(), as_bytes(session_context),
                                   static_cast<unsigned>(session_context.size()));
    seal_tickets_with(context.get(), keys_);
    SSL_CTX_set_num_tickets(context.get(), 1);  // OpenSSL sends two; clients here hold one stream

    SSL_CTX_set_tlsext_servername_callback(context.get(), acknowledge_name);
    SSL_CTX_set_tlsext_servername_arg(context.get(), this);
    SSL_CTX_set_cert_cb(context.get(), choose_certificate, this);
    SSL_CTX_set_alpn_select_cb(context.get(), chooser_of(door), nullptr);
    return context;
}

SSL_CTX* ServerTls::context_of(Door door) {
    SslContextPtr& context = contexts_.at(static_cast<std::size_t>(door));
    if (!context) context = make_context(door, *store_);
    return context.get();
}

// Called in every handshake. The answer decides no more than whether the client hears that its
// name is known (RFC 6066, section 3), and whether a TLS 1.2 session remembers the name.
int ServerTls::acknowledge_name(SSL* ssl, int* /*alert*/, void* self) {
    const CertificateStore& store = *static_cast<ServerTls*>(self)->store_;
    return store.find(server_name(ssl)) == nullptr ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

// Called in full handshakes only: a resumed session shows no certificate.
int ServerTls::choose_certificate(SSL* ssl, void* self) {
    const CertificateStore& store = *static_cast<ServerTls*>(self)->store_;
    const Identity* const identity = store.find(server_name(ssl));
    return identity == nullptr || show(ssl, *identity) ? 1 : 0;
}

}  // namespace stanzagate::certs
