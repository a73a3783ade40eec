#pragma once

#include <array>
#include <cstddef>

#include "certs/openssl_ptr.hpp"

namespace stanzagate::proxy {

// A worker's buffers. A session uses them for one turn and leaves nothing in them, so that an idle
// session holds no buffer at all. One worker, one thread, one turn at a time: no locking.
struct Scratch {
    static constexpr std::size_t receive_size = std::size_t{64} * 1024;
    static constexpr std::size_t record =
        std::size_t{16} * 1024;  // the most plaintext in one TLS record

    std::array<char, receive_size> received;          // as it came from a socket, still encrypted
    std::array<char, receive_size + record> plain;    // what the turn is about
    std::array<char, receive_size + record> sending;  // encrypted, to be sent at the turn's end

    // What is in use of them, within a turn of a TlsStream; and the BIO through which OpenSSL works
    // on them, one for all streams: a BIO for each would take 208 bytes of every idle session.
    std::size_t received_begin = 0;
    std::size_t received_end = 0;
    std::size_t to_send = 0;
    bool received_this_turn = false;
    certs::BioPtr bio{};
};

}  // namespace stanzagate::proxy
