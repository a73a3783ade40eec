#include "certs/peer_names.hpp"

#include <memory>

namespace stanzagate::certs {

std::vector<std::string> dns_names(const X509* certificate, std::size_t most) {
    std::vector<std::string> names;
    const std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>> all(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    const int count = all ? sk_GENERAL_NAME_num(all.get()) : 0;
    for (int i = 0; i < count && names.size() < most; ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all.get(), i);
        if (name->type != GEN_DNS) continue;
        const ASN1_STRING* const text = name->d.dNSName;
        names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                           static_cast<std::size_t>(ASN1_STRING_length(text)));
    }
    return names;
}

std::vector<std::string> peer_names(const SSL* ssl, std::size_t most) {
    const X509* const certificate = SSL_get0_peer_certificate(ssl);
    return certificate == nullptr ? std::vector<std::string>() : dns_names(certificate, most);
}

}  // namespace stanzagate::certs
