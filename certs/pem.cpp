#include "certs/pem.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <utility>
#include <variant>

#include "config/whole_file.hpp"

namespace stanzagate::certs {
namespace {

constexpr std::size_t largest_pem = std::size_t{16} << 20U;  // the system's whole CA set is 0.2 MB

// Called by OpenSSL where a block is encrypted. Without it, OpenSSL would ask on the terminal.
int refuse_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

BioPtr reader_of(std::string_view text) {
    return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Certificates are often handed out in this form, and the file then looks right to its owner.
std::string_view der_hint(std::string_view text) {
    return text.starts_with('\x30') ? " (it looks like DER; PEM is wanted)" : "";
}

}  // namespace

void PemSource::error(std::string_view message) const {
    diagnostics.error(where, std::string(key) + ": " + std::string(message));
}

void PemSource::warning(std::string_view message) const {
    diagnostics.warning(where, std::string(key) + ": " + std::string(message));
}

std::string PemSource::name() const {
    return config::in_quotes(file.string());
}

void Wipe::operator()(std::string* text) const {
    OPENSSL_cleanse(text->data(), text->size());
    delete text;
}

SecretText read_pem(const PemSource& source) {
    auto read = config::read_whole_file(source.file, largest_pem);
    if (const auto* const unreadable = std::get_if<config::Unreadable>(&read)) {
        source.error("cannot read " + source.name() + ": " + unreadable->why);
        return nullptr;
    }
    // Moved, not copied: the text of a key is too long to stand in the string itself.
    return SecretText(new std::string(std::get<std::string>(std::move(read))));
}

std::vector<X509Ptr> read_certificates(std::string_view pem, const PemSource& source) {
    const BioPtr reader = reader_of(pem);
    std::vector<X509Ptr> certificates;
    bool asked = false;
    ERR_clear_error();
    while (X509* const read = PEM_read_bio_X509(reader.get(), nullptr, refuse_password, &asked))
        certificates.emplace_back(read);

    // The end of the file is reported as an error too, and only the last one tells them apart.
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const std::string problem = drain_openssl_errors();
    if (!at_end) {
        source.error("certificate " + std::to_string(certificates.size() + 1) + " in " +
                     source.name() + " is broken: " + problem);
        return {};
    }
    if (certificates.empty())
        source.error("no certificate in " + source.name() + std::string(der_hint(pem)));
    return certificates;
}

PKeyPtr read_private_key(std::string_view pem, const PemSource& source) {
    const BioPtr reader = reader_of(pem);
    bool asked = false;
    ERR_clear_error();
    PKeyPtr key(PEM_read_bio_PrivateKey(reader.get(), nullptr, refuse_password, &asked));
    const std::string problem = drain_openssl_errors();
    if (key) return key;

    if (asked) {
        source.error(source.name() +
                     " is encrypted, and nobody is asked for a password: store it decrypted"
                     " (openssl pkey), readable by the service only");
    } else if (pem.find("PRIVATE KEY-----") == std::string_view::npos) {
        source.error("no private key in " + source.name() + std::string(der_hint(pem)));
    } else {
        source.error("the private key in " + source.name() + " is broken: " + problem);
    }
    return nullptr;
}

}  // namespace stanzagate::certs
