#include "certs/identity.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "certs/pem.hpp"
#include "certs/tls_context.hpp"
#include "config/address.hpp"

namespace stanzagate::certs {
namespace {

using std::chrono::days;

constexpr days expiry_warning{14};

// The epoch where the certificate's time is not one. Certificates without an end say 9999, which
// is beyond what a TimePoint can hold, and becomes its last second.
TimePoint time_of(const ASN1_TIME* time) {
    std::tm calendar{};
    if (ASN1_TIME_to_tm(time, &calendar) != 1) return {};
    const std::chrono::sys_seconds seconds{std::chrono::seconds(timegm(&calendar))};
    constexpr auto first = std::chrono::ceil<std::chrono::seconds>(TimePoint::min());
    constexpr auto last = std::chrono::floor<std::chrono::seconds>(TimePoint::max());
    return std::clamp(seconds, first, last);
}

// "2031-02-28", UTC.
std::string date_text(TimePoint time) {
    const std::chrono::year_month_day date(std::chrono::floor<days>(time));
    const auto two_digits = [](unsigned number) {
        return (number < 10 ? "-0" : "-") + std::to_string(number);
    };
    return std::to_string(static_cast<int>(date.year())) +
           two_digits(static_cast<unsigned>(date.month())) +
           two_digits(static_cast<unsigned>(date.day()));
}

void warn_of_dates(const X509* certificate, TimePoint now, const PemSource& source) {
    const TimePoint from = time_of(X509_get0_notBefore(certificate));
    const TimePoint until = time_of(X509_get0_notAfter(certificate));
    if (now < from) source.warning(source.name() + " is not valid before " + date_text(from));
    if (until <= now) {
        source.warning(source.name() + " expired on " + date_text(until));
    } else if (until - now <= expiry_warning) {
        const auto left = std::chrono::floor<days>(until - now).count();
        const std::string count = left == 0   ? "less than a day"
                                  : left == 1 ? "1 day"
                                              : std::to_string(left) + " days";
        source.warning(source.name() + " expires in " + count + ", on " + date_text(until));
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

}  // namespace

std::optional<Identity> Identity::load(const std::filesystem::path& chain_file,
                                       const std::filesystem::path& key_file,
                                       const config::Position& certificate_where,
                                       const config::Position& key_where,
                                       config::Diagnostics& diagnostics, TimePoint now) {
    const PemSource chain_source{"host.certificate", chain_file, certificate_where, diagnostics};
    const PemSource key_source{"host.key", key_file, key_where, diagnostics};

    // Both files are read in any case: all errors are told at once.
    std::vector<X509Ptr> certificates;
    if (const auto pem = read_pem(chain_source))
        certificates = read_certificates(*pem, chain_source);
    PKeyPtr key;
    if (auto pem = read_pem(key_source)) {
        key = read_private_key(*pem, key_source);
        OPENSSL_cleanse(pem->data(), pem->size());
    }
    if (!certificates.empty()) warn_of_dates(certificates.front().get(), now, chain_source);
    if (certificates.empty() || !key) return std::nullopt;
    if (!key_fits(key.get(), certificates, key_source, chain_source.name())) return std::nullopt;

    X509Ptr certificate = std::move(certificates.front());
    Identity identity(std::move(certificate), issuers_from(std::move(certificates)),
                      std::move(key));

    // A key too short, a digest too weak, a kind TLS does not know: better heard now than in the
    // first handshake.
    const SslContextPtr trial = make_tls_context(TlsRole::server);
    if (SSL_CTX_use_cert_and_key(trial.get(), identity.certificate(), identity.key(),
                                 identity.chain(), 1) != 1) {
        chain_source.error(chain_source.name() +
                           " cannot be used for TLS: " + drain_openssl_errors());
        return std::nullopt;
    }
    return identity;
}

Identity::Identity(X509Ptr certificate, ChainPtr chain, PKeyPtr key)
    : certificate_(std::move(certificate)),
      chain_(std::move(chain)),
      key_(std::move(key)),
      expires_(time_of(X509_get0_notAfter(certificate_.get()))) {}

bool Identity::covers(std::string_view name) const {
    // OpenSSL would measure an empty name itself, and overlook a zero byte at the end.
    if (name.empty() || name.find('\0') != std::string_view::npos) return false;
    const std::string text(name);
    if (config::Address::parse(name))
        return X509_check_ip_asc(certificate_.get(), text.c_str(), 0) == 1;
    // As clients do it now: no names in the subject, no "f*o.example.org" (RFC 9525, section 6.3).
    constexpr unsigned flags =
        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    return X509_check_host(certificate_.get(), text.data(), text.size(), flags, nullptr) == 1;
}

}  // namespace stanzagate::certs
