#include "tests/proxy/tls_client.hpp"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tests/certs/handshake.hpp"
#include "tests/proxy/sockets.hpp"

namespace stanzagate::proxy::testing {

TlsClient::TlsClient(const std::string& server_name, int version)
    : ssl_(certs::testing::make_client({.server_name = server_name, .version = version})),
      in_(BIO_new(BIO_s_mem())),
      out_(BIO_new(BIO_s_mem())) {
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_connect_state(ssl_.get());
}

std::string TlsClient::take() {
    std::string bytes(BIO_ctrl_pending(out_), '\0');
    if (!bytes.empty()) BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
}

std::string TlsClient::handshake() {
    ERR_clear_error();
    auto const result = SSL_do_handshake(ssl_.get());
    if (result != 1 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_SSL)
        error_ = certs::drain_openssl_errors();
    return take();
}

void TlsClient::feed(std::string_view bytes) {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
}

std::string TlsClient::encrypt(std::string_view text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
    return take();
}

std::string TlsClient::close_notify() {
    SSL_shutdown(ssl_.get());
    return take();
}

std::string TlsClient::key_update() {
    SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(ssl_.get());
    return take();
}

std::string TlsClient::read() {
    std::string all;
    std::array<char, 16384> buffer{};
    std::size_t size = 0;
    ERR_clear_error();
    for (;;) {
        auto const result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size);
        if (result == 1) {
            all.append(buffer.data(), size);
            continue;
        }
        if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_SSL)
            error_ = certs::drain_openssl_errors();
        return all;
    }
}

TlsConnection::TlsConnection(Fd fd, const std::string& server_name)
    : fd_(std::move(fd)), tls_(server_name) {}

bool TlsConnection::fill() {
    std::array<char, 65536> buffer{};
    auto const n = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0, nullptr, nullptr);
    if (n <= 0) return false;
    tls_.feed({buffer.data(), static_cast<std::size_t>(n)});
    return true;
}

bool TlsConnection::handshake() {
    for (;;) {
        testing::say(fd_, tls_.handshake());
        if (tls_.done()) return true;
        if (!tls_.error().empty() || !fill()) return false;
    }
}

void TlsConnection::say(std::string_view text) {
    testing::say(fd_, tls_.encrypt(text));
}

std::string TlsConnection::hear(std::size_t size) {
    while (heard_.size() < size) {
        auto const more = tls_.read();
        heard_ += more;
        if (more.empty() && (tls_.told_end() || !fill())) break;
    }
    auto const rest = heard_.size() > size ? heard_.substr(size) : std::string();
    heard_.resize(std::min(size, heard_.size()));
    return std::exchange(heard_, rest);
}

std::string TlsConnection::hear_until(std::string_view mark) {
    for (;;) {
        auto const found = heard_.find(mark);
        if (found != std::string::npos) return hear(found + mark.size());
        auto const more = tls_.read();
        heard_ += more;
        if (more.empty() && (tls_.told_end() || !fill())) return std::exchange(heard_, {});
    }
}

std::string TlsConnection::hear_to_end() {
    return hear(std::string::npos);
}

void TlsConnection::say_no_more() {
    testing::say(fd_, tls_.close_notify());
    testing::say_no_more(fd_);
}

}  // namespace stanzagate::proxy::testing
