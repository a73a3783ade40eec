#pragma once

#include "certs/identity.hpp"
#include "certs/pem.hpp"

namespace stanzagate::certs {

// The certificate in `chain` that has issued `certificate`; nullptr where none has.
X509* issuer_in(STACK_OF(X509) * chain, X509* certificate);

// Warns of what the gate can serve and clients will not take: a certificate whose issuer they are
// not shown and do not know, that is for no servers, or that demands an OCSP response where there
// is none; issuers that have expired. `source` is the certificate's file.
void warn_of_refusals(const Identity& identity, const PemSource& source, TimePoint now);

}  // namespace stanzagate::certs
