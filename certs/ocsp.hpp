#pragma once

#include <openssl/x509.h>

#include <string>
#include <string_view>
#include <variant>

#include "certs/validity.hpp"

namespace stanzagate::certs {

// A responder's word that a certificate is not revoked (RFC 6960), to be handed to clients with it
// (RFC 6066, section 8).
struct OcspResponse {
    std::string der;
    TimePoint next_update{};  // from then on, nobody believes it

    bool operator==(const OcspResponse&) const = default;
};

// What can be handed out at `now` for `certificate`, or why it cannot, as the end of a sentence.
// Where `issuer` is known, the response has to be for a certificate of it, and signed by it or by a
// responder that it has appointed; else that is for the client to check.
std::variant<OcspResponse, std::string> read_ocsp_response(std::string_view der,
                                                           const X509* certificate, X509* issuer,
                                                           TimePoint now);

// The response goes where the certificate goes: into every connection that shows it.
void attach(X509* certificate, OcspResponse response);
// nullptr where there is none. Lives as long as the certificate.
const OcspResponse* attached_ocsp_response(const X509* certificate);

}  // namespace stanzagate::certs
