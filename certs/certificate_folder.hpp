#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "certs/openssl_ptr.hpp"
#include "config/config.hpp"
#include "config/diagnostics.hpp"

namespace stanzagate::certs {

// A folder with a sub-folder for each name, as certbot and acme.sh lay them:
//   live/example.org/fullchain.pem, privkey.pem                      (certbot)
//   .acme.sh/example.org/fullchain.cer, example.org.key              (acme.sh, an RSA key)
//   .acme.sh/example.org_ecc/fullchain.cer, example.org.key          (acme.sh, an ECDSA key)
// An OCSP response is fullchain.pem.ocsp (.cer.ocsp), or ocsp.der.
// Finds the files of a host; whether they are any good is seen when they are loaded. What it has
// read once it does not read again: make another to look again.
class CertificateFolder {
public:
    explicit CertificateFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

    // The files for `name`: of the sub-folders that bear it, or for "*.example.org" that bear what
    // is behind the asterisk, where their certificates are for it; else of the sub-folder whose
    // certificate is for it, the one that is valid longest. `written` is what the configuration
    // says. Empty, and an error, where there are none.
    std::vector<config::HostCertificate> find(const config::HostPattern& name,
                                              const config::HostCertificate& written,
                                              config::Diagnostics& diagnostics);

    // What can change the answers given so far: the folder, for sub-folders that come and go, and
    // files, those that were not there too.
    const std::set<std::filesystem::path>& looked_at() const { return looked_at_; }

private:
    // A sub-folder with a certificate in it.
    struct Candidate {
        std::filesystem::path certificate;
        std::filesystem::path key;
        X509Ptr leaf;  // nullptr where it cannot be read
    };

    std::vector<Candidate> named(const std::string& name);
    const std::vector<Candidate>& all();
    std::optional<Candidate> look_into(const std::filesystem::path& folder);
    bool is_there(const std::filesystem::path& file);

    std::filesystem::path folder_;
    std::set<std::filesystem::path> looked_at_;
    std::optional<std::vector<Candidate>> all_;
    std::string why_not_;  // the folder cannot be listed
};

}  // namespace stanzagate::certs
