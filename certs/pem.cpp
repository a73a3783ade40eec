#include "certs/pem.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace stanzagate::certs {
namespace {

using FilePtr = std::unique_ptr<std::FILE, Free<std::fclose>>;

constexpr std::size_t largest_file = std::size_t{16} << 20U;  // the system's whole CA set is 0.2 MB

struct Part : std::array<char, 8192> {
    Part() = default;
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    ~Part() { OPENSSL_cleanse(data(), size()); }
};

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

std::optional<std::string> read_pem(const PemSource& source) {
    const auto cannot_read = [&source](std::string_view why) {
        source.error("cannot read " + source.name() + ": " + std::string(why));
        return std::nullopt;
    };
    const FilePtr file(std::fopen(source.file.c_str(), "re"));
    if (!file) return cannot_read(std::generic_category().message(errno));

    // A key shall be left nowhere but in what is returned: the library has no buffer, ours is
    // wiped, and the text does not move as it grows.
    std::setvbuf(file.get(), nullptr, _IONBF, 0);
    std::string text;
    std::error_code unknown;
    const auto size = std::filesystem::file_size(source.file, unknown);
    if (!unknown && size <= largest_file) text.reserve(size);
    Part part;
    while (const std::size_t read = std::fread(part.data(), 1, part.size(), file.get())) {
        text.append(part.data(), read);
        if (text.size() > largest_file) return cannot_read("it has more than 16 MiB");
    }
    if (std::ferror(file.get()) != 0) return cannot_read(std::generic_category().message(errno));
    return text;
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
