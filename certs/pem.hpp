#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "certs/openssl_ptr.hpp"
#include "config/diagnostics.hpp"

// PEM files that the configuration names, read with errors that an operator can act on.
namespace stanzagate::certs {

// Where a file is named: what every message about it needs.
struct PemSource {
    std::string_view key;  // "host.certificate"
    const std::filesystem::path& file;
    const config::Position& where;
    config::Diagnostics& diagnostics;

    void error(std::string_view message) const;  // "host.certificate: MESSAGE"
    void warning(std::string_view message) const;
    std::string name() const;  // the file in quotes, for use in messages
};

struct Wipe {
    void operator()(std::string* text) const;
};
// Wiped at its end: a private key may be in it, whatever the file is named for.
using SecretText = std::unique_ptr<std::string, Wipe>;

// The text of a regular file. nullptr, and an error, where it cannot be read.
SecretText read_pem(const PemSource& source);

// All certificates in `pem`, in their order; other blocks are skipped. Empty, and an error, where
// there is none or one is broken.
std::vector<X509Ptr> read_certificates(std::string_view pem, const PemSource& source);

// The first private key in `pem`. nullptr, and an error, where there is none, or it is broken or
// encrypted; nobody is asked for a password.
PKeyPtr read_private_key(std::string_view pem, const PemSource& source);

}  // namespace stanzagate::certs
