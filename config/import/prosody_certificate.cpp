#include "config/import/prosody_certificate.hpp"

#include <optional>
#include <system_error>

namespace stanzagate::config {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored);
}

CertificateFiles pair_of(fs::path certificate, fs::path key) {
    const bool found = is_file(certificate) && is_file(key);
    return {std::move(certificate), std::move(key), found};
}

// Both out of one `ssl` table.
std::optional<CertificateFiles> from_ssl(const ProsodyOption* ssl, const fs::path& folder) {
    if (ssl == nullptr) return std::nullopt;
    const auto* table = std::get_if<LuaTable>(&ssl->value.value);
    if (table == nullptr) return std::nullopt;
    const LuaValue* certificate = table->find("certificate");
    const LuaValue* key = table->find("key");
    if (certificate == nullptr || key == nullptr) return std::nullopt;
    const auto* certificate_path = std::get_if<std::string>(&certificate->value);
    const auto* key_path = std::get_if<std::string>(&key->value);
    if (certificate_path == nullptr || key_path == nullptr) return std::nullopt;
    return pair_of(folder / *certificate_path, folder / *key_path);
}

// The key beside a certificate that was named as a file.
fs::path key_beside(const fs::path& certificate) {
    if (certificate.filename() == "fullchain.pem") return certificate.parent_path() / "privkey.pem";
    fs::path key = certificate;
    if (key.extension() == ".crt") key.replace_extension(".key");
    return key;
}

std::optional<CertificateFiles> search(const fs::path& where, const std::string& host) {
    if (is_file(where)) return pair_of(where, key_beside(where));
    for (std::string name = host;;) {
        for (const auto& [certificate, key] :
             {std::pair{fs::path(name + ".crt"), fs::path(name + ".key")},
              std::pair{fs::path(name) / "fullchain.pem", fs::path(name) / "privkey.pem"},
              std::pair{fs::path(name + ".pem"), fs::path(name + ".pem")}}) {
            CertificateFiles files = pair_of(where / certificate, where / key);
            if (files.found) return files;
        }
        const std::size_t dot = name.find('.');
        if (dot == std::string::npos) return std::nullopt;
        name.erase(0, dot + 1);  // a certificate of the domain above may be good for this one too
    }
}

}  // namespace

CertificateFiles certificate_files(const ProsodyConfig& config, const ProsodyOptions& options,
                                   const std::string& host) {
    std::error_code ignored;
    const fs::path folder = fs::absolute(config.folder, ignored).lexically_normal();
    if (auto files = from_ssl(options.find("ssl"), folder)) return *files;

    const auto own = options.text("certificate");
    const auto all = options.text("certificates");
    const fs::path where = folder / own.value_or(all.value_or("certs"));
    if (auto files = search(where, host)) return *files;
    if (own && where.has_extension()) return pair_of(where, key_beside(where));
    return pair_of(where / (host + ".crt"), where / (host + ".key"));
}

}  // namespace stanzagate::config
