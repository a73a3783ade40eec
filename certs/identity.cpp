#include "certs/identity.hpp"

#include <openssl/objects.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "certs/certificate_check.hpp"
#include "certs/ocsp.hpp"
#include "certs/peer_names.hpp"
#include "certs/pem.hpp"
#include "certs/tls_context.hpp"
#include "config/address.hpp"
#include "config/whole_file.hpp"

namespace stanzagate::certs {
namespace {

void warn_of_dates(const X509* certificate, TimePoint now, const PemSource& source) {
    const TimePoint from = time_of(X509_get0_notBefore(certificate));
    const TimePoint until = time_of(X509_get0_notAfter(certificate));
    if (now < from) source.warning(source.name() + " is not valid before " + date_text(from));
    if (until <= now) {
        source.warning(source.name() + " expired " + past_text(until, now));
    } else if (until - now <= expiry_warning) {
        source.warning(source.name() + " expires in " + days_text(until - now) + ", on " +
                       date_text(until));
    }
}

// As OpenSSL names it, "prime256v1"; "" where the key has none.
std::string curve_of(const EVP_PKEY* key) {
    std::array<char, 80> name{};
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
        EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1)
        return {};
    return name.data();
}

// Whether TLS has signatures of it that clients have learnt (RFC 8446, section 4.2.3). OpenSSL
// takes others, of which it finds in the first handshake that nobody shares them.
bool clients_know(const EVP_PKEY* key) {
    const std::string curve = curve_of(key);
    switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_RSA:
        case EVP_PKEY_RSA_PSS:
        case EVP_PKEY_ED25519:
        case EVP_PKEY_ED448:
            return true;
        case EVP_PKEY_EC:
            return curve == SN_X9_62_prime256v1 || curve == SN_secp384r1 || curve == SN_secp521r1;
        default:
            return false;
    }
}

// The key is the first certificate's. An error where it is not, with the likeliest cause.
bool key_fits(EVP_PKEY* key, const std::vector<X509Ptr>& certificates, const PemSource& key_source,
              const std::string& chain_name) {
    if (X509_check_private_key(certificates.front().get(), key) == 1) return true;
    std::string message =
        key_source.name() + " is not the key of the first certificate in " + chain_name;
    for (std::size_t i = 1; i < certificates.size(); ++i) {
        if (X509_check_private_key(certificates[i].get(), key) != 1) continue;
        message += ", but that of number " + std::to_string(i + 1) + ", which must come first";
        break;
    }
    drain_openssl_errors();
    key_source.error(message);
    return false;
}

// The first certificate is not among its issuers.
ChainPtr issuers_from(std::vector<X509Ptr> certificates) {
    const auto count = static_cast<int>(certificates.size() - 1);
    ChainPtr chain(sk_X509_new_reserve(nullptr, count));  // so that push() cannot fail
    for (std::size_t i = 1; chain && i < certificates.size(); ++i)
        sk_X509_push(chain.get(), certificates[i].release());
    return chain;
}

// Where there is a response, it has to be good: else clients are shown none.
void staple(const Identity& identity, const config::HostCertificate& files, const PemSource& source,
            TimePoint now) {
    constexpr std::size_t largest_response = std::size_t{1} << 20U;
    const std::filesystem::path file = ocsp_file(files);
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return;
    const auto warn = [&](const std::string& why) {
        source.warning("the OCSP response " + config::in_quotes(file.string()) +
                       " is not stapled: " + why);
    };
    const auto der = config::read_whole_file(file, largest_response);
    if (const auto* const unreadable = std::get_if<config::Unreadable>(&der))
        return warn(unreadable->why);
    X509* const issuer = issuer_in(identity.chain(), identity.certificate());
    auto response =
        read_ocsp_response(std::get<std::string>(der), identity.certificate(), issuer, now);
    if (const auto* const why = std::get_if<std::string>(&response)) return warn(*why);
    attach(identity.certificate(), std::get<OcspResponse>(std::move(response)));
}

}  // namespace

std::filesystem::path ocsp_file(const config::HostCertificate& files) {
    if (!files.ocsp.empty()) return files.ocsp;
    std::filesystem::path beside = files.certificate;
    beside += ".ocsp";
    return beside;
}

std::optional<Identity> Identity::load(const config::HostCertificate& files,
                                       config::Diagnostics& diagnostics, TimePoint now) {
    const PemSource chain_source{"host.certificate", files.certificate, files.certificate_where,
                                 diagnostics};
    const PemSource key_source{"host.key", files.key, files.key_where, diagnostics};

    // Both files are read in any case: all errors are told at once.
    std::vector<X509Ptr> certificates;
    if (const auto pem = read_pem(chain_source))
        certificates = read_certificates(*pem, chain_source);
    PKeyPtr key;
    if (const auto pem = read_pem(key_source)) key = read_private_key(*pem, key_source);
    if (!certificates.empty()) warn_of_dates(certificates.front().get(), now, chain_source);
    if (certificates.empty() || !key) return std::nullopt;
    if (!key_fits(key.get(), certificates, key_source, chain_source.name())) return std::nullopt;

    X509Ptr certificate = std::move(certificates.front());
    Identity identity(std::move(certificate), issuers_from(std::move(certificates)),
                      std::move(key));

    if (!clients_know(identity.key())) {
        const std::string curve = curve_of(identity.key());
        chain_source.error(
            chain_source.name() + " cannot be used: its key is " +
            EVP_PKEY_get0_type_name(identity.key()) + (curve.empty() ? "" : " on " + curve) +
            ", which TLS clients do not know; make a new one, ECDSA on P-256 or RSA");
        return std::nullopt;
    }
    // A key too short, a digest too weak: better heard now than in the first handshake.
    const SslContextPtr trial = make_tls_context(TlsRole::server);
    if (SSL_CTX_use_cert_and_key(trial.get(), identity.certificate(), identity.key(),
                                 identity.chain(), 1) != 1) {
        chain_source.error(chain_source.name() +
                           " cannot be used for TLS: " + drain_openssl_errors());
        return std::nullopt;
    }
    staple(identity, files, chain_source, now);
    warn_of_refusals(identity, chain_source, now);
    return identity;
}

Identity::Identity(X509Ptr certificate, ChainPtr chain, PKeyPtr key)
    : certificate_(std::move(certificate)),
      chain_(std::move(chain)),
      key_(std::move(key)),
      expires_(time_of(X509_get0_notAfter(certificate_.get()))) {}

bool Identity::same_as(const Identity& other) const {
    const auto count = [](const STACK_OF(X509) * chain) {
        return chain == nullptr ? 0 : sk_X509_num(chain);
    };
    if (X509_cmp(certificate(), other.certificate()) != 0 || count(chain()) != count(other.chain()))
        return false;
    for (int i = 0; i < count(chain()); ++i)
        if (X509_cmp(sk_X509_value(chain(), i), sk_X509_value(other.chain(), i)) != 0) return false;
    const OcspResponse* const own = attached_ocsp_response(certificate());
    const OcspResponse* const others = attached_ocsp_response(other.certificate());
    return own == nullptr || others == nullptr ? own == others : *own == *others;
}

bool covers(const X509* certificate, std::string_view name) {
    // OpenSSL would measure an empty name itself, and overlook a zero byte at the end.
    if (name.empty() || name.find('\0') != std::string_view::npos) return false;
    const std::string text(name);
    auto* const asked = const_cast<X509*>(certificate);  // its names may be parsed and kept
    if (config::Address::parse(name)) return X509_check_ip_asc(asked, text.c_str(), 0) == 1;
    // As clients do it now: no names in the subject, no "f*o.example.org" (RFC 9525, section 6.3).
    constexpr unsigned flags =
        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    return X509_check_host(asked, text.data(), text.size(), flags, nullptr) == 1;
}

bool covers_some_below(const X509* certificate, std::string_view parent) {
    const std::string ending = '.' + std::string(parent);
    return std::ranges::any_of(dns_names(certificate), [&](const std::string& name) {
        return name.size() > ending.size() && strncasecmp(name.data() + name.size() - ending.size(),
                                                          ending.data(), ending.size()) == 0;
    });
}

}  // namespace stanzagate::certs
