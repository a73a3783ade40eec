#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace stanzagate::certs {

// The secret that session tickets are sealed with. Made once per process and given to the ServerTls
// of every worker, so that a client resumes on whichever worker it meets, and after a reload.
class TicketKeys {
public:
    // OpenSSL's layout: 16 bytes of name, 32 of HMAC key, 32 of AES key.
    static constexpr std::size_t size = 80;

    // Fresh random keys. Throws std::runtime_error where there is no randomness.
    static TicketKeys generate();

    TicketKeys(const TicketKeys&) = default;
    TicketKeys& operator=(const TicketKeys&) = default;
    ~TicketKeys();  // wipes the memory

    std::span<const unsigned char, size> bytes() const { return bytes_; }

private:
    TicketKeys() = default;

    std::array<unsigned char, size> bytes_{};
};

}  // namespace stanzagate::certs
