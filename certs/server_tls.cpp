#include "certs/server_tls.hpp"

#include <stdexcept>
#include <utility>

#include "certs/tls_context.hpp"

namespace stanzagate::certs {
namespace {

constexpr std::string_view offered_protocols = "\x0bxmpp-client";  // in ALPN's wire form
// The same for all contexts: OpenSSL takes a session up again only where it is the one it was
// made under.
constexpr std::string_view session_context = "stanzagate";

const unsigned char* as_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

template <Door door>
int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void* /*unused*/) {
    unsigned char* match = nullptr;
    const int answer = SSL_select_next_proto(&match, chosen_size, as_bytes(offered_protocols),
                                             static_cast<unsigned>(offered_protocols.size()),
                                             offered, offered_size);
    if (answer == OPENSSL_NPN_NEGOTIATED) {
        *chosen = match;
        return SSL_TLSEXT_ERR_OK;
    }
    return door == Door::direct ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
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

ServerTls::ServerTls(std::shared_ptr<const CertificateStore> store, const TicketKeys& keys)
    : keys_(keys) {
    use(std::move(store));
}

ServerTls::~ServerTls() = default;

SslPtr ServerTls::accept(Door door, std::string_view fallback_name) {
    if (store_->first() == nullptr) return nullptr;
    SslPtr ssl(SSL_new(contexts_.at(static_cast<std::size_t>(door)).get()));
    if (!ssl) return nullptr;
    SSL_set_accept_state(ssl.get());
    const Identity* const fallback = store_->find(fallback_name);
    if (fallback != nullptr && !show(ssl.get(), *fallback)) return nullptr;
    return ssl;
}

void ServerTls::use(std::shared_ptr<const CertificateStore> store) {
    contexts_ = {make_context(Door::starttls, *store), make_context(Door::direct, *store)};
    store_ = std::move(store);
}

void ServerTls::set_ticket_keys(const TicketKeys& keys) {
    keys_ = keys;
    for (const SslContextPtr& context : contexts_) seal_tickets_with(context.get(), keys_);
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
    SSL_CTX_set_alpn_select_cb(
        context.get(),
        door == Door::direct ? choose_protocol<Door::direct> : choose_protocol<Door::starttls>,
        nullptr);
    return context;
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
