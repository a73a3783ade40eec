#include "certs/ticket_keys.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <stdexcept>

#include "certs/openssl_ptr.hpp"

namespace stanzagate::certs {

TicketKeys TicketKeys::generate() {
    TicketKeys keys;
    if (RAND_priv_bytes(keys.bytes_.data(), static_cast<int>(keys.bytes_.size())) != 1)
        throw std::runtime_error("no randomness for ticket keys: " + drain_openssl_errors());
    return keys;
}

TicketKeys::~TicketKeys() {
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

}  // namespace stanzagate::certs
