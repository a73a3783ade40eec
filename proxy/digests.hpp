#pragma once

#include <string>
#include <string_view>

// What HTTP's doors need of hashing and chance.
namespace stanzagate::proxy {

// In hexadecimal digits, as BOSH's key sequences want it (XEP-0124 section 15).
std::string sha1_hex(std::string_view text);

// In base64, as WebSocket's handshake wants it (RFC 6455 section 4.2.2).
std::string sha1_base64(std::string_view text);

// 128 bits that nobody can guess, in hexadecimal digits: a stream's id (RFC 6120 section 4.7.3), a
// session's (XEP-0124 section 7.2). Throws where the system has no randomness.
std::string random_id();

}  // namespace stanzagate::proxy
