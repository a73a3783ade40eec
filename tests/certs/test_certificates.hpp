#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "certs/identity.hpp"
#include "config/config.hpp"
#include "tests/temporary_folder.hpp"

// Certificates, files and configurations for tests: made on the spot, gone with the test.
namespace stanzagate::certs::testing {

// Midnight, UTC.
std::chrono::sys_seconds at(int year, unsigned month, unsigned day);

// A certificate and its key, with what may have issued it.
struct Issued {
    X509Ptr certificate;
    PKeyPtr key;

    std::string pem() const;
    std::string key_pem() const;
};

enum class KeyKind {
    p256,
    p384,
    p521,
    secp256k1,
    brainpool,
    ed25519,
    ed448,
    rsa2048,
    rsa1024,
    rsa_pss,
    dsa
};

struct Request {
    std::vector<std::string> names = {};  // DNS names, or address literals
    KeyKind key = KeyKind::p256;
    std::chrono::sys_seconds from = at(2020, 1, 1);
    std::chrono::sys_seconds until = at(2090, 1, 1);  // so that OpenSSL's own clock does not matter
    bool authority = false;
    std::string subject = "test";
    std::string extended_usage = {};  // "serverAuth,OCSPSigning"; "" is for all
    std::string usage = {};           // "digitalSignature"; "" is for all
    bool must_staple = false;
};

// Signed by `issuer`, or by itself.
Issued issue(const Request& request, const Issued* issuer = nullptr);

// A line of a file of ticket keys: one whose bytes are all the same.
std::string ticket_key_line(char fill);

// "example.org", "*.example.org" or "*".
config::HostPattern pattern(std::string_view text);

// A host with its files in `folder`, named after it.
config::Host host_with(std::string_view name, const Issued& issued, const TemporaryFolder& folder);

}  // namespace stanzagate::certs::testing
