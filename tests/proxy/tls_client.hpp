#pragma once

#include <string>
#include <string_view>

#include "certs/openssl_ptr.hpp"
#include "proxy/fd.hpp"

namespace stanzagate::proxy::testing {

// A TLS client in memory, so that a test decides how its bytes travel. It trusts everybody.
class TlsClient {
public:
    // `version`: TLS1_2_VERSION for this one only; 0: any.
    explicit TlsClient(const std::string& server_name = {}, int version = 0);

    // One step of the handshake, and what it gives to send. done() once it is through.
    std::string handshake();
    bool done() const { return SSL_is_init_finished(ssl_.get()) == 1; }

    // What has arrived, still encrypted.
    void feed(std::string_view bytes);
    // One record (or more, above 16 KiB), encrypted.
    std::string encrypt(std::string_view text);
    std::string close_notify();
    // A record that changes the client's keys (TLS 1.3).
    std::string key_update();
    const SSL* ssl() const { return ssl_.get(); }
    // What could be decrypted of what was fed.
    std::string read();

    // A close_notify has come.
    bool told_end() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
    // The alert that came, or what else went wrong; empty: nothing.
    const std::string& error() const { return error_; }

private:
    std::string take();

    certs::SslPtr ssl_;
    BIO* in_;
    BIO* out_;
    std::string error_;
};

// The same on a blocking socket.
class TlsConnection {
public:
    TlsConnection(Fd fd, const std::string& server_name);

    bool handshake();
    void say(std::string_view text);
    // Exactly so many bytes, or fewer where the other side ends or is silent.
    std::string hear(std::size_t size);
    // Up to and with `mark`.
    std::string hear_until(std::string_view mark);
    std::string hear_to_end();
    void say_no_more();

    TlsClient& tls() { return tls_; }
    Fd& fd() { return fd_; }

private:
    bool fill();

    Fd fd_;
    TlsClient tls_;
    std::string heard_;
};

}  // namespace stanzagate::proxy::testing
