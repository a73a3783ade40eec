#pragma once

#include <span>
#include <string>

#include "certs/identity.hpp"

namespace stanzagate::certs {

// An identity for development: ECDSA P-256, made in memory, valid for 30 days from `now`, for the
// names given ("example.org", "*.example.org", an address literal; "*" stands for "localhost").
// Throws std::runtime_error where OpenSSL cannot make one (no randomness, no memory).
Identity make_self_signed(std::span<const std::string> names, TimePoint now);

}  // namespace stanzagate::certs
