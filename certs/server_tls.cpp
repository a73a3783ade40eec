#include "certs/server_tls.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <stdexcept>
#include <utility>

#include "certs/ocsp.hpp"
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

constexpr int ticket_failed = -1;
constexpr int ticket_unknown = 0;
constexpr int ticket_done = 1;
constexpr int ticket_renew = 2;

bool use_key(EVP_MAC_CTX* mac, const TicketKey& key) {
    const auto secret = key.hmac();
    std::array<char, 7> digest{"SHA256"};
    const std::array params{
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
                                          const_cast<unsigned char*>(secret.data()),  // only read
                                          secret.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, params.data()) == 1;
}

// Makes a connection show these: OpenSSL keeps one for each kind of key, and chooses the first that
// the client can check, ECDSA before RSA.
bool show(SSL* ssl, const IdentitySet& identity) {
    // The one that was set last; no two sets share an identity.
    if (SSL_get_certificate(ssl) == identity.all().back().certificate()) return true;
    // Another host's of another kind would stay beside these, and might be chosen.
    SSL_certs_clear(ssl);
    return std::ranges::all_of(identity.all(), [ssl](const Identity& one) {
        return SSL_use_cert_and_key(ssl, one.certificate(), one.key(), one.chain(), 1) == 1;
    });
}

}  // namespace

Door door_of(const config::Listen& listen) {
    if (listen.tls == config::TlsMode::starttls) return Door::starttls;
    if (!listen.served.http()) return Door::direct;
    return listen.served.xmpp ? Door::shared : Door::https;
}

ServerTls::ServerTls(std::shared_ptr<const CertificateStore> store, const TicketKeys& keys)
    : store_(std::move(store)),
      keys_(keys),
      ticket_cipher_(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)) {
    if (!ticket_cipher_)
        throw std::runtime_error("no cipher for tickets: " + drain_openssl_errors());
}

ServerTls::~ServerTls() = default;

SslPtr ServerTls::accept(Door door, std::string_view fallback_name) {
    if (store_->first() == nullptr) return nullptr;
    SslPtr ssl(SSL_new(context_of(door)));
    if (!ssl) return nullptr;
    SSL_set_accept_state(ssl.get());
    const IdentitySet* const fallback = store_->find(fallback_name);
    if (fallback != nullptr && !show(ssl.get(), *fallback)) return nullptr;
    return ssl;
}

void ServerTls::use(std::shared_ptr<const CertificateStore> store) {
    if (store->first() != store_->first()) {
        // Those in use are made here, all or none, not at the next connection to each.
        std::array<SslContextPtr, doors> contexts;
        for (std::size_t door = 0; door < doors; ++door)
            if (contexts_.at(door))
                contexts.at(door) = make_context(static_cast<Door>(door), *store);
        contexts_ = std::move(contexts);
    }
    store_ = std::move(store);
}

void ServerTls::set_ticket_keys(const TicketKeys& keys) {
    keys_ = keys;
}

SslContextPtr ServerTls::make_context(Door door, const CertificateStore& store) {
    SslContextPtr context = make_tls_context(TlsRole::server);
    if (const IdentitySet* const first = store.first(); first != nullptr)
        for (const Identity& one : first->all())
            if (SSL_CTX_use_cert_and_key(context.get(), one.certificate(), one.key(), one.chain(),
                                         1) != 1)
                throw std::runtime_error("cannot use a certificate: " + drain_openssl_errors());

    SSL_CTX_set_session_id_context(context.get(), as_bytes(session_context),
                                   static_cast<unsigned>(session_context.size()));
    SSL_CTX_set_app_data(context.get(), this);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context.get(), seal_or_open_ticket);
    SSL_CTX_set_num_tickets(context.get(), 1);  // OpenSSL sends two; clients here hold one stream

    SSL_CTX_set_tlsext_servername_callback(context.get(), acknowledge_name);
    SSL_CTX_set_tlsext_servername_arg(context.get(), this);
    SSL_CTX_set_cert_cb(context.get(), choose_certificate, this);
    SSL_CTX_set_tlsext_status_cb(context.get(), staple_response);
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
    const IdentitySet* const identity = store.find(server_name(ssl));
    return identity == nullptr || show(ssl, *identity) ? 1 : 0;
}

// Called where the client asks for an OCSP response, once the certificate is chosen.
int ServerTls::staple_response(SSL* ssl, void* /*unused*/) {
    const OcspResponse* const response = attached_ocsp_response(SSL_get_certificate(ssl));
    if (response == nullptr || response->next_update <= std::chrono::system_clock::now())
        return SSL_TLSEXT_ERR_NOACK;
    void* const copy = OPENSSL_memdup(response->der.data(), response->der.size());
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(response->der.size()));
    return SSL_TLSEXT_ERR_OK;
}

// Called to seal a new ticket, and to open one that a client brings (RFC 5077, section 4).
int ServerTls::seal_or_open_ticket(SSL* ssl, unsigned char* name, unsigned char* iv,
                                   EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int sealing) {
    const ServerTls& self =
        *static_cast<const ServerTls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const EVP_CIPHER* const algorithm = self.ticket_cipher_.get();
    if (sealing != 0) {
        const TicketKey& key = self.keys_.sealing();
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(algorithm)) != 1 || !use_key(mac, key) ||
            EVP_EncryptInit_ex2(cipher, algorithm, key.aes().data(), iv, nullptr) != 1)
            return ticket_failed;
        std::ranges::copy(key.name(), name);
        return ticket_done;
    }
    const TicketKey* const key = self.keys_.find(std::span<const unsigned char, 16>(name, 16));
    if (key == nullptr) return ticket_unknown;
    if (!use_key(mac, *key) ||
        EVP_DecryptInit_ex2(cipher, algorithm, key->aes().data(), iv, nullptr) != 1)
        return ticket_failed;
    // With TLS 1.3 each ticket is to be used once (RFC 8446, appendix C.4), so there is a new one
    // every time; with TLS 1.2 where this key will soon be gone.
    const bool is_current = key == &self.keys_.sealing();
    return SSL_version(ssl) == TLS1_3_VERSION || !is_current ? ticket_renew : ticket_done;
}

}  // namespace stanzagate::certs
