#include "bench/load/tls.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace stanzagate::load {
namespace {

[[noreturn]] void fail(const std::string& what) {
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    throw std::runtime_error(what + ": " + text.data());
}

}  // namespace

TlsClientContext::TlsClientContext() : context_(SSL_CTX_new(TLS_client_method())) {
    if (!context_ || SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(context_.get(), "TLS_AES_128_GCM_SHA256") != 1)
        fail("TLS settings");
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context_.get(), this);
    SSL_CTX_sess_set_new_cb(context_.get(), on_ticket);
}

certs::SessionPtr TlsClientContext::newest_ticket() const {
    return certs::SessionPtr(ticket_ ? SSL_SESSION_dup(ticket_.get()) : nullptr);
}

int TlsClientContext::on_ticket(SSL* ssl, SSL_SESSION* session) {
    auto& self = *static_cast<TlsClientContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    self.ticket_.reset(SSL_SESSION_dup(session));
    static_cast<Tls*>(SSL_get_app_data(ssl))->has_ticket_ = true;
    return 0;  // the reference stays OpenSSL's
}

Tls::Tls(const TlsClientContext& context, const std::string& server_name, SSL_SESSION* ticket,
         std::string& outgoing)
    : ssl_(SSL_new(context.get())), outgoing_(outgoing) {
    auto* const bio = BIO_new(method());
    if (!ssl_ || bio == nullptr) fail("SSL_new");
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_connect_state(ssl_.get());
    SSL_set_tlsext_host_name(ssl_.get(), server_name.c_str());
    if (ticket != nullptr && SSL_set_session(ssl_.get(), ticket) != 1) fail("SSL_set_session");
}

bool Tls::handshake() {
    ERR_clear_error();
    int const result = SSL_do_handshake(ssl_.get());
    if (result == 1) return established_ = true;
    if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) fail("handshake");
    return false;
}

std::size_t Tls::read(std::span<char> into) {
    std::size_t size = 0;
    ERR_clear_error();
    int const result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &size);
    if (result == 1) return size;
    int const error = SSL_get_error(ssl_.get(), result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_ZERO_RETURN) fail("TLS read");
    return 0;
}

void Tls::write(std::string_view bytes) {
    std::size_t size = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size) != 1) fail("TLS write");
}

void Tls::close() {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
}

int Tls::on_read(BIO* bio, char* into, int size) {
    auto& self = *static_cast<Tls*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (self.incoming_.empty()) {
        BIO_set_retry_read(bio);
        return -1;
    }
    auto const taken = std::min(self.incoming_.size(), static_cast<std::size_t>(size));
    std::memcpy(into, self.incoming_.data(), taken);
    self.incoming_.remove_prefix(taken);
    return static_cast<int>(taken);
}

int Tls::on_write(BIO* bio, const char* bytes, int size) {
    auto& self = *static_cast<Tls*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    self.outgoing_.append(bytes, static_cast<std::size_t>(size));
    return size;
}

long Tls::on_control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* Tls::method() {
    static const std::unique_ptr<BIO_METHOD, certs::Free<BIO_meth_free>> made = [] {
        auto* const bio_method =
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stanzagate load");
        BIO_meth_set_read(bio_method, on_read);
        BIO_meth_set_write(bio_method, on_write);
        BIO_meth_set_ctrl(bio_method, on_control);
        return std::unique_ptr<BIO_METHOD, certs::Free<BIO_meth_free>>(bio_method);
    }();
    return made.get();
}

}  // namespace stanzagate::load
