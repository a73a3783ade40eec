#include "tests/proxy/tls12_records.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace stanzagate::proxy::testing {
namespace {

constexpr std::size_t tag_size = 16;

using Kdf = std::unique_ptr<EVP_KDF, certs::Free<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, certs::Free<EVP_KDF_CTX_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, certs::Free<EVP_CIPHER_CTX_free>>;

void must(bool worked) {
    if (!worked) throw std::runtime_error("TLS 1.2 records: " + certs::drain_openssl_errors());
}

std::string big_endian(std::uint64_t number, std::size_t size) {
    std::string bytes(size, '\0');
    for (auto at = bytes.rbegin(); at != bytes.rend(); ++at, number >>= 8U)
        *at = static_cast<char>(number & 0xFFU);
    return bytes;
}

unsigned char* octets(std::string& bytes, std::size_t at = 0) {
    return reinterpret_cast<unsigned char*>(bytes.data() + at);
}

}  // namespace

Tls12Records::Tls12Records(const SSL* client) {
    std::string master(SSL_MAX_MASTER_KEY_LENGTH, '\0');
    master.resize(
        SSL_SESSION_get_master_key(SSL_get_session(client), octets(master), master.size()));
    std::string seed = "key expansion" + std::string(2 * SSL3_RANDOM_SIZE, '\0');
    auto const randoms = seed.size() - 2 * SSL3_RANDOM_SIZE;
    SSL_get_server_random(client, octets(seed, randoms), SSL3_RANDOM_SIZE);
    SSL_get_client_random(client, octets(seed, randoms + SSL3_RANDOM_SIZE), SSL3_RANDOM_SIZE);

    std::string digest = "SHA256";
    std::array<OSSL_PARAM, 4> const parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master.data(), master.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed.data(), seed.size()),
        OSSL_PARAM_construct_end()};
    Kdf const kdf(EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr));
    KdfContext const context(EVP_KDF_CTX_new(kdf.get()));
    // Client's key, server's key, client's salt, server's salt.
    std::array<unsigned char, 40> block{};
    must(EVP_KDF_derive(context.get(), block.data(), block.size(), parameters.data()) == 1);
    std::copy_n(block.begin(), key_.size(), key_.begin());
    std::copy_n(block.begin() + 32, salt_.size(), salt_.begin());
}

std::string Tls12Records::write(unsigned char type, std::string_view content) {
    auto const sequence = big_endian(sequence_++, 8);
    auto const type_and_version = std::string(1, static_cast<char>(type)) + "\x03\x03";
    auto associated = sequence + type_and_version + big_endian(content.size(), 2);
    auto nonce = std::string(salt_.begin(), salt_.end()) + sequence;
    std::string text(content);
    std::string sealed(content.size() + tag_size, '\0');

    Cipher const cipher(EVP_CIPHER_CTX_new());
    int size = 0;
    must(EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, key_.data(), octets(nonce)) ==
             1 &&
         EVP_EncryptUpdate(cipher.get(), nullptr, &size, octets(associated),
                           static_cast<int>(associated.size())) == 1 &&
         EVP_EncryptUpdate(cipher.get(), octets(sealed), &size, octets(text),
                           static_cast<int>(text.size())) == 1 &&
         EVP_EncryptFinal_ex(cipher.get(), octets(sealed), &size) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, tag_size,
                             octets(sealed, content.size())) == 1);
    auto const body = sequence + sealed;
    return type_and_version + big_endian(body.size(), 2) + body;
}

}  // namespace stanzagate::proxy::testing
