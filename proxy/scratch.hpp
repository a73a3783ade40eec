#pragma once

#include <array>
#include <cstddef>

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
};

}  // namespace stanzagate::proxy
