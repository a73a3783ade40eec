#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "certs/openssl_ptr.hpp"
#include "config/config.hpp"
#include "config/diagnostics.hpp"

namespace stanzagate::certs {

// Makes the client's end of TLS connections to upstreams (`starttls://`, `tls://`). Immutable once
// loaded; any number of threads may call connect(). Never has a client certificate: the upstream
// would take every user for its owner (protocol.md, section 5).
class UpstreamTls {
public:
    // Reads the CA file of every upstream that names one, each file once. What is wrong is added to
    // `diagnostics`; the result is there only where no error was found. What OpenSSL made of a CA
    // file that holds what it held for `before` is shared with it: connections keep it for life.
    static std::optional<UpstreamTls> load(const config::Config& config,
                                           config::Diagnostics& diagnostics,
                                           const UpstreamTls* before = nullptr);

    // The CA files of the same configuration again; one in which an error is found is trusted as it
    // was, and so is the system.
    UpstreamTls reload(const config::Config& config, config::Diagnostics& diagnostics) const;

    std::vector<std::filesystem::path> files() const;
    // Those that held something else for `before`.
    std::vector<std::filesystem::path> changed_since(const UpstreamTls& before) const;

    // A fresh connection in connect state; the caller attaches its BIOs. `upstream` is one of the
    // configuration's that was loaded. The reference name, which is sent as SNI and which the
    // upstream's certificate must cover, is `upstream.name` or else `stream_host`; an address
    // literal is compared with the certificate's addresses and not sent. A certificate that fails
    // fails the handshake; verify_error() says why. nullptr where verification is on and the name
    // cannot be a certificate's (empty, NUL in it, over 255 bytes), or memory ran out.
    SslPtr connect(const config::Upstream& upstream, config::UpstreamScheme scheme,
                   std::string_view stream_host) const;

private:
    struct Trust {
        std::shared_ptr<const std::string> pem;  // what the CA file held
        std::shared_ptr<SSL_CTX> context;        // nullptr where an error was found
    };

    UpstreamTls() = default;
    static Trust load_trust(const config::Upstream& upstream, config::Diagnostics& diagnostics,
                            const UpstreamTls* before);

    std::map<std::string, Trust> trusts_;  // by CA file; "" is the system's
};

// Why the peer's certificate was refused ("certificate has expired"), "" where it was not.
std::string_view verify_error(const SSL* ssl);

}  // namespace stanzagate::certs
