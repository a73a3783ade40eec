#include "certs/tls_context.hpp"

#include <stdexcept>

namespace stanzagate::certs {
namespace {

// Forward secret AEAD suites only. The server's order counts: AES-128 is the cheapest here and has
// no known weakness that AES-256 would mend (RFC 9325, section 4.2 names it first); a client that
// puts ChaCha20 first has no AES instructions, and gets it (SSL_OP_PRIORITIZE_CHACHA).
constexpr const char* suites_tls12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* suites_tls13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* groups = "X25519:P-256:P-384";

// Early data stays off, which is OpenSSL's default: it can be replayed. How a connection ends is
// not for OpenSSL to judge: who drives it takes an end without close_notify for the end that it is,
// since XMPP's own, </stream:stream>, tells what is whole (RFC 6120 section 4.4).
constexpr auto options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                         SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;

// NO_AUTO_CHAIN: the chain is what the operator's file says; OpenSSL would else try to build one in
// every handshake. Not RELEASE_BUFFERS, which gives the record buffer back after each record only
// to ask for it again: who drives a connection calls SSL_free_buffers() when its turn is over, so
// that an idle connection holds no record buffers (34 KB).
constexpr long modes =
    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN;

}  // namespace

SslContextPtr make_tls_context(TlsRole role) {
    SslContextPtr context(
        SSL_CTX_new(role == TlsRole::server ? TLS_server_method() : TLS_client_method()));
    const bool done = context &&
                      SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1 &&
                      SSL_CTX_set_cipher_list(context.get(), suites_tls12) == 1 &&
                      SSL_CTX_set_ciphersuites(context.get(), suites_tls13) == 1 &&
                      SSL_CTX_set1_groups_list(context.get(), groups) == 1;
    if (!done) throw std::runtime_error("cannot set up TLS: " + drain_openssl_errors());
    SSL_CTX_set_options(context.get(), options);
    SSL_CTX_set_mode(context.get(), modes);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    return context;
}

std::string_view server_name(const SSL* ssl) {
    const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? std::string_view() : name;
}

std::string_view alpn(const SSL* ssl) {
    const unsigned char* protocol = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl, &protocol, &size);
    return {reinterpret_cast<const char*>(protocol), size};
}

bool holds_part_of_record(const SSL* ssl) {
    // Of a record whose head alone has arrived, nothing counts as pending: its body is awaited.
    return SSL_has_pending(ssl) == 1 || SSL_pending(ssl) > 0 ||
           std::string_view(SSL_rstate_string(ssl)) == "RB";
}

bool is_resumed(const SSL* ssl) {
    return SSL_session_reused(ssl) == 1;
}

}  // namespace stanzagate::certs
