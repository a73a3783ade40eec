#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "certs/openssl_ptr.hpp"
#include "certs/validity.hpp"
#include "config/config.hpp"
#include "config/diagnostics.hpp"

namespace stanzagate::certs {

// Would a client that wants `name`, an exact host name or an address literal, accept the
// certificate? Looks at names only, not at dates or trust.
bool covers(const X509* certificate, std::string_view name);

// Would it, for any host name below `parent`, as *.example.org or chat.example.org are below
// "example.org"?
bool covers_some_below(const X509* certificate, std::string_view parent);

// The file with a certificate's OCSP response: FILE.ocsp beside it, as HAProxy has it, where the
// files say no other.
std::filesystem::path ocsp_file(const config::HostCertificate& files);

// Who the gate says it is: a certificate, the chain that vouches for it, the private key of it, and
// perhaps a fresh OCSP response, attached to the certificate (certs/ocsp.hpp).
// The key is always the certificate's own, of a kind that clients know, and both are acceptable to
// TLS at the system's security level: an Identity that exists can be served. Immutable; moving it
// does not move what the getters point to.
class Identity {
public:
    // Reads two PEM files: the certificate first in `files.certificate`, then its issuers; an
    // unencrypted key in `files.key` (it may be the same file). Never asks for a password. What is
    // wrong goes to `diagnostics`, at the key of the configuration that named the file; a
    // certificate that has expired, does so within 14 days of `now`, or is not yet valid, is only
    // warned of, for the gate must be able to start with it; so is an OCSP response that is no
    // good, and what clients will not like (certs/certificate_check.hpp).
    static std::optional<Identity> load(const config::HostCertificate& files,
                                        config::Diagnostics& diagnostics, TimePoint now);

    // Parts that belong together, as load() or make_self_signed() found them. `chain` may be empty.
    Identity(X509Ptr certificate, ChainPtr chain, PKeyPtr key);

    bool covers(std::string_view name) const { return certs::covers(certificate(), name); }
    TimePoint expires() const { return expires_; }
    // Of the key, as OpenSSL numbers it: EVP_PKEY_RSA, EVP_PKEY_EC, ... A client may be able to
    // check one and not another.
    int kind() const { return EVP_PKEY_get_base_id(key()); }
    // Would a client be shown the same?
    bool same_as(const Identity& other) const;

    // For OpenSSL's setters, which take what they keep by reference count. The chain is without the
    // certificate itself; it may be empty, or nullptr.
    X509* certificate() const { return certificate_.get(); }
    STACK_OF(X509) * chain() const { return chain_.get(); }
    EVP_PKEY* key() const { return key_.get(); }

private:
    X509Ptr certificate_;
    ChainPtr chain_;
    PKeyPtr key_;
    TimePoint expires_;
};

}  // namespace stanzagate::certs
