#include "certs/ocsp.hpp"

#include <openssl/ocsp.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "certs/openssl_ptr.hpp"

namespace stanzagate::certs {
namespace {

using ResponsePtr = std::unique_ptr<OCSP_RESPONSE, Free<OCSP_RESPONSE_free>>;
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, Free<OCSP_BASICRESP_free>>;

// Not the certificates in it.
void free_stack(STACK_OF(X509) * borrowed) {
    sk_X509_free(borrowed);
}

// Does the response's name of a certificate, hashes of its issuer and its number, mean this one?
bool is_of(OCSP_SINGLERESP* single, const X509* certificate, const X509* issuer) {
    auto* const id = const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single));  // only read
    ASN1_OCTET_STRING* name_hash = nullptr;
    ASN1_OBJECT* digest = nullptr;
    ASN1_OCTET_STRING* key_hash = nullptr;
    ASN1_INTEGER* serial = nullptr;
    OCSP_id_get0_info(&name_hash, &digest, &key_hash, &serial, id);
    if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) != 0) return false;

    const EVP_MD* const algorithm = EVP_get_digestbyobj(digest);
    if (algorithm == nullptr) return false;
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned size = 0;
    const auto is_hash = [&](const ASN1_OCTET_STRING* expected) {
        const auto* const bytes = ASN1_STRING_get0_data(expected);
        return std::string_view(reinterpret_cast<const char*>(bytes),
                                static_cast<std::size_t>(ASN1_STRING_length(expected))) ==
               std::string_view(reinterpret_cast<const char*>(hash.data()), size);
    };
    if (X509_NAME_digest(X509_get_issuer_name(certificate), algorithm, hash.data(), &size) != 1 ||
        !is_hash(name_hash))
        return false;
    return issuer == nullptr ||
           (X509_pubkey_digest(issuer, algorithm, hash.data(), &size) == 1 && is_hash(key_hash));
}

// For what it was made: to sign responses in its issuer's place (RFC 6960, section 4.2.2.2).
bool is_delegated(X509* responder, X509* issuer) {
    return (X509_get_extension_flags(responder) & EXFLAG_XKUSAGE) != 0 &&
           (X509_get_extended_key_usage(responder) & XKU_OCSP_SIGN) != 0 &&
           X509_verify(responder, X509_get0_pubkey(issuer)) == 1;
}

// By the issuer itself, or by a responder whose certificate it has issued for that.
bool is_signed_by(OCSP_BASICRESP* response, X509* issuer) {
    // The signer is looked for in the stack, and its signature checked, nothing else.
    const std::unique_ptr<STACK_OF(X509), Free<free_stack>> known(sk_X509_new_null());
    if (!known || sk_X509_push(known.get(), issuer) <= 0) return false;
    if (OCSP_basic_verify(response, known.get(), nullptr, OCSP_NOVERIFY | OCSP_NOINTERN) == 1)
        return true;
    X509* responder = nullptr;
    return OCSP_resp_get0_signer(response, &responder, nullptr) == 1 &&
           is_delegated(responder, issuer) &&
           OCSP_basic_verify(response, nullptr, nullptr, OCSP_NOVERIFY) == 1;
}

std::string status_text(int status, int reason) {
    if (status == V_OCSP_CERTSTATUS_REVOKED)
        return std::string("it says that the certificate is revoked (") +
               (reason < 0 ? "no reason given" : OCSP_crl_reason_str(reason)) + ")";
    return "it says that the responder does not know the certificate";
}

std::variant<OcspResponse, std::string> judge(OCSP_SINGLERESP* single, std::string_view der,
                                              TimePoint now) {
    int reason = -1;
    ASN1_GENERALIZEDTIME* from = nullptr;
    ASN1_GENERALIZEDTIME* until = nullptr;
    const int status = OCSP_single_get0_status(single, &reason, nullptr, &from, &until);
    if (status != V_OCSP_CERTSTATUS_GOOD) return status_text(status, reason);
    if (until == nullptr) return "it does not say until when it is good";
    const TimePoint next_update = time_of(until);
    if (next_update <= now) return "it was good until " + past_text(next_update, now);
    if (time_of(from) > now) return "it is not good before " + date_text(time_of(from));
    return OcspResponse{std::string(der), next_update};
}

void free_attached(void* /*certificate*/, void* response, CRYPTO_EX_DATA* /*all*/, int /*index*/,
                   long /*unused*/, void* /*unused*/) {
    delete static_cast<OcspResponse*>(response);
}

int place_in_certificates() {
    static const int index = X509_get_ex_new_index(0, nullptr, nullptr, nullptr, free_attached);
    return index;
}

}  // namespace

std::variant<OcspResponse, std::string> read_ocsp_response(std::string_view der,
                                                           const X509* certificate, X509* issuer,
                                                           TimePoint now) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    const ResponsePtr response(d2i_OCSP_RESPONSE(nullptr, &bytes, static_cast<long>(der.size())));
    drain_openssl_errors();
    if (!response) return "it is no OCSP response in DER";
    if (const auto* const end = reinterpret_cast<const unsigned char*>(der.data() + der.size());
        bytes != end)
        return std::to_string(end - bytes) + " bytes follow the response, which clients refuse";
    if (const int status = OCSP_response_status(response.get());
        status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return std::string("the responder did not answer but said ") +
               OCSP_response_status_str(status);
    const BasicPtr basic(OCSP_response_get1_basic(response.get()));
    drain_openssl_errors();
    if (!basic) return "it is of a kind that nobody knows";
    for (int i = 0; i < OCSP_resp_count(basic.get()); ++i) {
        OCSP_SINGLERESP* const single = OCSP_resp_get0(basic.get(), i);
        if (!is_of(single, certificate, issuer)) continue;
        if (issuer != nullptr && !is_signed_by(basic.get(), issuer)) {
            drain_openssl_errors();
            return "it is not signed by the certificate's issuer, nor by a responder of the issuer";
        }
        return judge(single, der, now);
    }
    return "it is for another certificate";
}

void attach(X509* certificate, OcspResponse response) {
    auto* const given = std::make_unique<OcspResponse>(std::move(response)).release();
    if (X509_set_ex_data(certificate, place_in_certificates(), given) == 1) return;
    delete given;
    throw std::runtime_error("cannot attach an OCSP response: " + drain_openssl_errors());
}

const OcspResponse* attached_ocsp_response(const X509* certificate) {
    return static_cast<const OcspResponse*>(X509_get_ex_data(certificate, place_in_certificates()));
}

}  // namespace stanzagate::certs
