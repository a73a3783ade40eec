#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "certs/openssl_ptr.hpp"

namespace stanzagate::proxy::testing {

// Records of a client's TLS 1.2 connection that OpenSSL would not write, in place of those that its
// SSL object would write next. AES-128-GCM with SHA-256 only (RFC 5246 section 6.2, RFC 5288).
class Tls12Records {
public:
    // After the handshake and before anything else was written.
    explicit Tls12Records(const SSL* client);

    // `type`: 22 is a handshake message.
    std::string write(unsigned char type, std::string_view content);

private:
    std::array<unsigned char, 16> key_{};
    std::array<unsigned char, 4> salt_{};
    std::uint64_t sequence_ = 1;  // Finished was the first
};

}  // namespace stanzagate::proxy::testing
