#include "proxy/digests.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <new>
#include <span>
#include <stdexcept>

namespace stanzagate::proxy {
namespace {

constexpr std::size_t sha1_size = 20;
using Sha1 = std::array<unsigned char, sha1_size>;

Sha1 sha1(std::string_view text) {
    Sha1 digest{};
    if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1)
        throw std::bad_alloc();
    return digest;
}

std::string hex(std::span<const unsigned char> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (auto const byte : bytes) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

}  // namespace

std::string sha1_hex(std::string_view text) {
    return hex(sha1(text));
}

std::string sha1_base64(std::string_view text) {
    auto const digest = sha1(text);
    std::array<unsigned char, (sha1_size + 2) / 3 * 4 + 1> encoded{};
    auto const size = EVP_EncodeBlock(encoded.data(), digest.data(), sha1_size);
    return {encoded.begin(), encoded.begin() + size};
}

std::string random_id() {
    std::array<unsigned char, 16> random{};
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
        throw std::runtime_error("no randomness");
    return hex(random);
}

}  // namespace stanzagate::proxy
