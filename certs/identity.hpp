#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>

#include "certs/openssl_ptr.hpp"
#include "config/diagnostics.hpp"

namespace stanzagate::certs {

using TimePoint = std::chrono::system_clock::time_point;

// Who the gate says it is: a certificate, the chain that vouches for it, and the private key of it.
// The key is always the certificate's own, and both are acceptable to TLS at the system's security
// level: an Identity that exists can be served. Immutable; moving it does not move what the getters
// point to.
class Identity {
public:
    // Reads two PEM files: the certificate first in `chain_file`, then its issuers; an unencrypted
    // key in `key_file` (it may be the same file). Never asks for a password. What is wrong goes to
    // `diagnostics`, at the key of the configuration that named the file; a certificate that has
    // expired, does so within 14 days of `now`, or is not yet valid, is only warned of, for the
    // gate must be able to start with it.
    static std::optional<Identity> load(const std::filesystem::path& chain_file,
                                        const std::filesystem::path& key_file,
                                        const config::Position& certificate_where,
                                        const config::Position& key_where,
                                        config::Diagnostics& diagnostics, TimePoint now);

    // Parts that belong together, as load() or make_self_signed() found them. `chain` may be empty.
    Identity(X509Ptr certificate, ChainPtr chain, PKeyPtr key);

    // Would a client that wants `name`, an exact host name or an address literal, accept the
    // certificate? Looks at names only, not at dates or trust.
    bool covers(std::string_view name) const;
    TimePoint expires() const { return expires_; }

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
