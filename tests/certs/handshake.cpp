#include "tests/certs/handshake.hpp"

#include <openssl/err.h>

#include <array>
#include <sstream>
#include <utility>

namespace stanzagate::certs::testing {
namespace {

std::string alpn_wire(const std::string& list) {
    std::string wire;
    std::istringstream words(list);
    for (std::string word; std::getline(words, word, ',');) {
        wire += static_cast<char>(word.size());
        wire += word;
    }
    return wire;
}

std::string carry(SSL* from, SSL* to, std::string_view text) {
    if (SSL_write(from, text.data(), static_cast<int>(text.size())) <= 0) return {};
    std::array<char, 1024> buffer{};
    const int read = SSL_read(to, buffer.data(), static_cast<int>(buffer.size()));
    return read > 0 ? std::string(buffer.data(), static_cast<std::size_t>(read)) : std::string();
}

}  // namespace

SslPtr make_client(const ClientSettings& settings) {
    const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context.get(), settings.version);
    SSL_CTX_set_max_proto_version(context.get(), settings.version);
    SSL_CTX_set_cipher_list(context.get(), settings.suites_tls12);
    if (settings.signatures != nullptr)
        SSL_CTX_set1_sigalgs_list(context.get(), settings.signatures);
    SslPtr ssl(SSL_new(context.get()));
    SSL_set_connect_state(ssl.get());
    if (!settings.server_name.empty())
        SSL_set_tlsext_host_name(ssl.get(), settings.server_name.c_str());
    const std::string wire = alpn_wire(settings.alpn);
    if (!wire.empty())
        SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
    if (settings.session != nullptr) SSL_set_session(ssl.get(), settings.session);
    return ssl;
}

void Conversation::End::step(SSL* ssl) {
    if (done || failed) return;
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl);
    done = result == 1;
    if (done || SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ) return;
    failed = true;
    const int reason = ERR_GET_REASON(ERR_peek_error());
    if (reason > SSL_AD_REASON_OFFSET) alert = reason - SSL_AD_REASON_OFFSET;
    error = drain_openssl_errors();
}

Conversation::Conversation(SslPtr client, SslPtr server)
    : client_(std::move(client)), server_(std::move(server)) {
    constexpr std::size_t room = std::size_t{64} << 10U;
    constexpr int most_rounds = 10;
    BIO* client_bio = nullptr;
    BIO* server_bio = nullptr;
    BIO_new_bio_pair(&client_bio, room, &server_bio, room);
    SSL_set_bio(client_.get(), client_bio, client_bio);
    SSL_set_bio(server_.get(), server_bio, server_bio);
    for (int round = 0; round < most_rounds; ++round) {
        client_end_.step(client_.get());
        server_end_.step(server_.get());
    }
    char nothing = 0;
    if (connected()) SSL_read(client_.get(), &nothing, 1);
}

bool Conversation::client_was_shown(const X509* certificate) const {
    const X509* const shown = SSL_get0_peer_certificate(client_.get());
    return shown != nullptr && X509_cmp(shown, certificate) == 0;
}

SessionPtr Conversation::client_session() const {
    return SessionPtr(SSL_get1_session(client_.get()));
}

std::string Conversation::send_to_server(std::string_view text) const {
    return carry(client_.get(), server_.get(), text);
}

std::string Conversation::send_to_client(std::string_view text) const {
    return carry(server_.get(), client_.get(), text);
}

}  // namespace stanzagate::certs::testing
