#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "certs/openssl_ptr.hpp"

namespace stanzagate::certs {

// The DNS names that a certificate is for, at most `most` of them.
std::vector<std::string> dns_names(const X509* certificate,
                                   std::size_t most = std::numeric_limits<std::size_t>::max());

// The names that the peer's certificate is for (its DNS names), at most `most` of them: what an
// operator may have meant where it was refused for another name.
std::vector<std::string> peer_names(const SSL* ssl, std::size_t most = 5);

}  // namespace stanzagate::certs
