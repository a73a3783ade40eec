// [[host]]
#include <string>

#include "config/host_name.hpp"
#include "config/readers.hpp"

namespace stanzagate::config {
namespace {

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

void read_identity(Section& section, Host& host, bool needed) {
    section.path("certificate", host.certificate);
    section.path("key", host.key);
    const bool understood =
        section.boolean("self_signed", host.self_signed) || !section.has("self_signed");
    host.certificate_where = section.where("certificate");
    host.key_where = section.where("key");
    const bool has_certificate = section.has("certificate");
    const bool has_key = section.has("key");
    if (host.self_signed) {
        if (has_certificate || has_key)
            section.error("self_signed",
                          "either self_signed = true, or a certificate and its key: not both");
    } else if (has_certificate && !has_key) {
        section.missing("key", "the file with the private key of the certificate");
    } else if (has_key && !has_certificate) {
        section.missing("certificate", "the file with the certificate chain of the key");
    } else if (!has_certificate && understood && needed) {
        section.missing("certificate",
                        "the files of the certificate chain and its key, or self_signed = true "
                        "for development");
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
