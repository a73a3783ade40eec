// [[host]]
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "config/host_name.hpp"
#include "config/readers.hpp"

namespace stanzagate::config {
namespace {

using Paths = std::vector<Located<std::filesystem::path>>;

void read_name(Section& section, Host& host) {
    host.where = section.where("name");
    if (!section.has("name")) {
        section.missing("name",
                        "whom this host is for: \"example.org\", \"*.example.org\" or \"*\"");
        return;
    }
    std::string text;
    if (!section.string("name", text)) return;
    auto parsed = parse_host_pattern(text);
    if (auto* wrong = std::get_if<std::string>(&parsed)) {
        section.error("name", std::move(*wrong));
    } else {
        host.name = std::move(std::get<HostPattern>(parsed));
    }
}

// One certificate for each key, in the same order.
void pair_up(Section& section, Host& host, const Paths& certificates, const Paths& keys) {
    if (certificates.size() != keys.size()) {
        section.error("key", "has " + std::to_string(keys.size()) + " of the " +
                                 std::to_string(certificates.size()) +
                                 " keys: name one for each certificate, in the same order");
        return;
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (std::error_code ignored; std::filesystem::is_directory(certificates[i].value, ignored))
            section.error("certificate", certificates[i].where,
                          "is a folder, in which the keys are looked for too: let it stand alone, "
                          "without a key");
        host.certificates.push_back(
            {certificates[i].value, keys[i].value, certificates[i].where, keys[i].where});
    }
}

void read_identity(Section& section, Host& host, bool needed) {
    Paths certificates;
    Paths keys;
    const bool has_certificate = section.has("certificate");
    const bool has_key = section.has("key");
    // Both are read in any case: all errors are told at once.
    const bool certificates_right = section.paths("certificate", certificates);
    const bool keys_right = section.paths("key", keys);
    const bool understood =
        section.boolean("self_signed", host.self_signed) || !section.has("self_signed");
    std::error_code ignored;
    const bool is_folder = certificates.size() == 1 && !has_key &&
                           std::filesystem::is_directory(certificates.front().value, ignored);
    if (host.self_signed) {
        if (has_certificate || has_key)
            section.error("self_signed",
                          "either self_signed = true, or a certificate and its key: not both");
    } else if (is_folder) {
        const auto& folder = certificates.front();
        host.certificates.push_back({folder.value, {}, folder.where, folder.where});
    } else if (has_certificate && !has_key) {
        section.missing("key", "the file with the private key of the certificate");
    } else if (has_key && !has_certificate) {
        section.missing("certificate", "the file with the certificate chain of the key");
    } else if (!has_certificate && understood && needed) {
        section.missing("certificate",
                        "the files of the certificate chain and its key, or self_signed = true "
                        "for development");
    } else if (certificates_right && keys_right) {
        if (certificates.empty())
            section.error("certificate", "names no file");
        else
            pair_up(section, host, certificates, keys);
    }
}

}  // namespace

HostKeys read_host(Section section, bool needs_certificate) {
    HostKeys keys;
    keys.where = section.where();
    read_name(section, keys.host);
    read_identity(section, keys.host, needs_certificate);
    keys.host.upstream = read_upstream(section);
    if (auto registration = section.table("registration"))
        keys.registration = read_registration(std::move(*registration));
    section.finish();
    return keys;
}

}  // namespace stanzagate::config
