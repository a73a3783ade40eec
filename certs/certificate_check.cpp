#include "certs/certificate_check.hpp"

#include <openssl/x509_vfy.h>

#include <cstdint>
#include <memory>
#include <string>

#include "certs/ocsp.hpp"

namespace stanzagate::certs {
namespace {

using StorePtr = std::unique_ptr<X509_STORE, Free<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>>;
using FeaturesPtr = std::unique_ptr<TLS_FEATURE, Free<TLS_FEATURE_free>>;

bool is_self_issued(X509* certificate) {
    return (X509_get_extension_flags(certificate) & EXFLAG_SI) != 0;
}

std::string issuer_text(const X509* certificate) {
    const BioPtr text(BIO_new(BIO_s_mem()));
    if (!text || X509_NAME_print_ex(text.get(), X509_get_issuer_name(certificate), 0,
                                    XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
        return {};
    const char* data = nullptr;
    const long size = BIO_get_mem_data(text.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

// Then a client most likely has it, too. An intermediate that somebody has put there it has not.
bool is_issued_by_a_root_of_the_system(X509* certificate) {
    const StorePtr store(X509_STORE_new());
    const StoreContextPtr context(X509_STORE_CTX_new());
    X509* found = nullptr;
    const bool is_found = store && context && X509_STORE_set_default_paths(store.get()) == 1 &&
                          X509_STORE_CTX_init(context.get(), store.get(), nullptr, nullptr) == 1 &&
                          X509_STORE_CTX_get1_issuer(&found, context.get(), certificate) == 1;
    const X509Ptr issuer(found);
    drain_openssl_errors();
    return is_found && is_self_issued(issuer.get());
}

void warn_of_missing_issuer(const Identity& identity, const PemSource& source) {
    X509* const certificate = identity.certificate();
    if (is_self_issued(certificate) || issuer_in(identity.chain(), certificate) != nullptr ||
        is_issued_by_a_root_of_the_system(certificate))
        return;
    source.warning(source.name() + " has no certificate of " +
                   config::in_quotes(issuer_text(certificate)) +
                   ", which has issued its first one: clients that do not have it refuse the "
                   "connection; name the file with the whole chain (certbot: fullchain.pem), or "
                   "append the issuer's certificate");
}

// Every suite that the gate has needs a signature of the server (docs/tls.md).
void warn_of_usage(X509* certificate, const PemSource& source) {
    if (X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0) == 1 &&
        (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) != 0)
        return;
    source.warning(
        source.name() +
        " is not for TLS servers, and clients refuse it: have one issued with serverAuth "
        "in its extended key usage and digitalSignature in its key usage");
}

// RFC 7633, "must-staple".
bool demands_response(const X509* certificate) {
    constexpr std::int64_t status_request = 5;
    const FeaturesPtr features(
        static_cast<TLS_FEATURE*>(X509_get_ext_d2i(certificate, NID_tlsfeature, nullptr, nullptr)));
    const int count = features ? sk_ASN1_INTEGER_num(features.get()) : 0;
    for (int i = 0; i < count; ++i) {
        std::int64_t feature = 0;
        if (ASN1_INTEGER_get_int64(&feature, sk_ASN1_INTEGER_value(features.get(), i)) == 1 &&
            feature == status_request)
            return true;
    }
    return false;
}

void warn_of_missing_response(const X509* certificate, const PemSource& source) {
    if (!demands_response(certificate) || attached_ocsp_response(certificate) != nullptr) return;
    source.warning(source.name() +
                   " demands that an OCSP response comes with it (\"must-staple\"), and there is "
                   "none that can be handed out: some clients refuse it; keep a fresh one beside "
                   "it, or have one issued without that demand");
}

void warn_of_expired_issuers(STACK_OF(X509) * chain, const PemSource& source, TimePoint now) {
    const int count = chain == nullptr ? 0 : sk_X509_num(chain);
    for (int i = 0; i < count; ++i) {
        const TimePoint until = time_of(X509_get0_notAfter(sk_X509_value(chain, i)));
        if (until > now) continue;
        source.warning("certificate " + std::to_string(i + 2) + " in " + source.name() +
                       ", an issuer's, expired " + past_text(until, now) +
                       ": clients may refuse what it vouches for; put the issuer's current one in "
                       "its place, or take it out where that is there, too");
    }
}

}  // namespace

X509* issuer_in(STACK_OF(X509) * chain, X509* certificate) {
    const int count = chain == nullptr ? 0 : sk_X509_num(chain);
    for (int i = 0; i < count; ++i) {
        X509* const one = sk_X509_value(chain, i);
        if (X509_check_issued(one, certificate) == X509_V_OK &&
            X509_verify(certificate, X509_get0_pubkey(one)) == 1)
            return one;
    }
    drain_openssl_errors();
    return nullptr;
}

void warn_of_refusals(const Identity& identity, const PemSource& source, TimePoint now) {
    warn_of_missing_issuer(identity, source);
    warn_of_usage(identity.certificate(), source);
    warn_of_missing_response(identity.certificate(), source);
    warn_of_expired_issuers(identity.chain(), source, now);
}

}  // namespace stanzagate::certs
