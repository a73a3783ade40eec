#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "certs/identity_set.hpp"
#include "config/config.hpp"
#include "config/diagnostics.hpp"

namespace stanzagate::certs {

// The identities of all hosts, found by name. Immutable once loaded, so any number of threads may
// read it. Pointers it gives out live as long as the store; moving the store keeps them valid.
class CertificateStore {
public:
    // Reads every certificate and key that the configuration names, each pair of files once, and
    // makes the self-signed ones. All that is wrong is added to `diagnostics`; the result is there
    // only where no error was found. What a host of that name has in `before` and would get again
    // is shared with it: connections that began with one store keep no copy of their own alive.
    // So are self-signed ones, until they are about to expire.
    static std::optional<CertificateStore> load(const config::Config& config,
                                                config::Diagnostics& diagnostics, TimePoint now,
                                                const CertificateStore* before = nullptr);
    // The same again, for the configuration that this was loaded for: a host for which an error is
    // found keeps what it has.
    CertificateStore reload(const config::Config& config, config::Diagnostics& diagnostics,
                            TimePoint now) const;

    // The identity for a server name, in the order of config::Config::find_host: an exact name
    // before wildcards, the longest wildcard before "*"; ASCII case does not matter. nullptr where
    // no host has this name. Allocates nothing.
    const IdentitySet* find(std::string_view name) const;

    // What a TLS client is shown that names no host, or one that is not ours: the first host's
    // identity. The handshake is not refused for it, since the stream's `to` decides later, and
    // inside TLS a client can be told host-unknown. nullptr where there are no hosts, which
    // config::load() does not let pass.
    const IdentitySet* first() const {
        return entries_.empty() ? nullptr : entries_.front().identity.get();
    }

    // One entry per host, in the order of the configuration. For reporting.
    struct Entry {
        config::HostPattern name;
        std::shared_ptr<const IdentitySet> identity;  // of several hosts, where they name the same
    };
    const std::vector<Entry>& entries() const { return entries_; }

    // Everything that load() would read, whether it is there or not, and folders in which
    // sub-folders come and go: what has to be watched.
    const std::vector<std::filesystem::path>& files() const { return files_; }

private:
    // ASCII case does not count in either.
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const noexcept;
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(std::string_view one, std::string_view other) const noexcept;
    };
    using ByName = std::unordered_map<std::string, const IdentitySet*, Hash, Equal>;

    CertificateStore() = default;
    // For the hosts that show a certificate, where there is one, read or in `before`; false where
    // an error was found.
    bool fill(const config::Config& config, const CertificateStore* before,
              config::Diagnostics& diagnostics, TimePoint now);
    void add(const config::HostPattern& name, std::shared_ptr<const IdentitySet> identity);

    std::vector<Entry> entries_;
    std::vector<std::filesystem::path> files_;
    ByName exact_;
    ByName wildcards_;                  // by what follows "*."
    std::size_t longest_wildcard_ = 0;  // bytes of the longest key of wildcards_
    const IdentitySet* any_ = nullptr;
};

}  // namespace stanzagate::certs
